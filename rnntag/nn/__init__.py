"""Neural networks in arrays alone: layers, cells, the recurrent layer, output layers, optimisers.

They know no words and no files, so every model can use them and a reader can study them alone.
May import: nothing but numpy.
"""
