"""Model folders: written whole, read with suspicion.

May import: errors, events, files, corpus, text, models.
"""
