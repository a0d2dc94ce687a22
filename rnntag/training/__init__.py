"""From a corpus to a model: preparation, epochs, checkpoints, and training again and again on parts of a corpus.

May import: errors, events, files, processes, nn, corpus, text, evaluation, models, storage.
"""
