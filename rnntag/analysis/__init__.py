"""What a corpus is like, and a model: faults and likely errors in the one, reasons and gradients of the other.

May import: errors, nn, corpus, text, evaluation, models.
"""
