"""How good answers are, how sure one can be of that, and how it is shown.

    scores        reference and answer side by side; what is right of it, counted
    significance  intervals and tests
    curve         the error as a power law of the corpus size
    grading       answers graded together and compared
    breakdown     where answers are right and where not
    figures       pictures of that, by matplotlib
    page          the report as one HTML page

Each imports only from those above it. Nothing here knows of a model, and nothing prints. The names of
``scores`` are those of the package, too: ``from rnntag.evaluation import accuracy, pair``.
"""

from .scores import (MISSING, Example, Pair, Score, TagScore, accuracy, accuracy_by_knowledge, ambiguous_words,
                     confusion, examples, macro_f1, map_tags, mistakes, pair, read_tag_map, sentence_accuracy,
                     tag_scores)

__all__ = ["MISSING", "Example", "Pair", "Score", "TagScore", "accuracy", "accuracy_by_knowledge", "ambiguous_words",
           "confusion", "examples", "macro_f1", "map_tags", "mistakes", "pair", "read_tag_map", "sentence_accuracy",
           "tag_scores"]
