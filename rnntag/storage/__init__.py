"""Model folders: written whole, read with suspicion.

May import: errors, files, corpus, text, models.
"""
