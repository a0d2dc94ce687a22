"""What tags: options, networks and taggers, and what adapts, calibrates and constrains them.

May import: errors, nn, corpus, text.
"""
