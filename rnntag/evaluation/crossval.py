"""The folds of a cross-validation, scored one by one and together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from .scores import Pair, Score, accuracy, accuracy_by_knowledge


@dataclass
class CrossValidation:
    """How well one kind of tagger does on the folds of a corpus.

    sizes            sentences in each fold
    scores           the accuracy of each fold
    known, unknown   accuracy on the words that the training part of a fold has, and on the others; all folds together
    pairs            of all folds, in the order of the corpus
    """

    name: str
    sizes: list[int]
    scores: list[Score]
    known: Score
    unknown: Score
    pairs: list[Pair]

    @classmethod
    def of(cls, name: str, folds: Sequence[list[Pair]], vocabularies: Sequence[Collection[str]]) -> CrossValidation:
        """From the pairs of each fold and the words of its training part."""
        split = [accuracy_by_knowledge(pairs, words) for pairs, words in zip(folds, vocabularies, strict=True)]
        known, unknown = (Score(*map(sum, zip(*scores))) for scores in zip(*split))
        return cls(name, [len(pairs) for pairs in folds], [accuracy(pairs) for pairs in folds], known, unknown,
                   sorted((pair for pairs in folds for pair in pairs), key=lambda pair: pair.line))

    @property
    def total(self) -> Score:
        """All folds together."""
        return Score(*map(sum, zip(*self.scores)))

    @property
    def mean(self) -> float:
        """The mean accuracy of the folds."""
        return fmean(score.accuracy for score in self.scores)

    @property
    def sd(self) -> float:
        """The standard deviation of the folds' accuracies."""
        return stdev(score.accuracy for score in self.scores)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"name": self.name, "folds": [score._asdict() for score in self.scores], "mean": self.mean,
                "sd": self.sd, "known": self.known._asdict(), "unknown": self.unknown._asdict()}
