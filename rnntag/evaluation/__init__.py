"""How good answers are, and how sure one can be of that. Nothing here knows of a model, and nothing prints.

The names of ``scores`` are those of the package, too: ``from rnntag.evaluation import accuracy, pair``.
May import: errors, files, corpus.
"""

from .scores import (MISSING, Example, Pair, Score, TagScore, accuracy, accuracy_by_knowledge, ambiguous_words,
                     confusion, examples, macro_f1, map_tags, mistakes, pair, sentence_accuracy,
                     tag_scores, together)

__all__ = ["MISSING", "Example", "Pair", "Score", "TagScore", "accuracy", "accuracy_by_knowledge", "ambiguous_words",
           "confusion", "examples", "macro_f1", "map_tags", "mistakes", "pair", "sentence_accuracy",
           "tag_scores", "together"]
