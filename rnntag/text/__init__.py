"""Words and characters as numbers: id maps, features, word vectors and their files.

May import: errors, files, nn, corpus.
"""
