"""Taggers as parts of other libraries; each adapter imports its library, so it is imported by name alone.

May import: errors, files, processes, corpus, models, storage, training, analysis, api.
"""
