"""Answers graded together: every score with its interval, and every two answers compared.

All answers are resampled with the same draws of sentences, so that their differences are paired.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ..corpus import Sentence
from .scores import (Pair, Score, TagScore, accuracy, accuracy_by_knowledge, ambiguous_words, confusion, macro_f1,
                     mistakes, sentence_accuracy, tag_scores)
from .significance import (RESAMPLES, Z, Contrast, Interval, McNemar, adjust, bootstrap_p, mcnemar, percentile, ratio,
                           resample, wilson)

GROUPS = ("tokens", "sentences", "known", "unknown", "ambiguous")


@dataclass(frozen=True)
class Knowledge:
    """What a training corpus knows: its words, and those with more than one tag in it."""

    words: Collection[str]
    ambiguous: Collection[str]

    @classmethod
    def of(cls, sentences: Sequence[Sentence]) -> Knowledge:
        """What a corpus knows."""
        return cls({word for sentence in sentences for word in sentence.words}, ambiguous_words(sentences))


@dataclass
class Measure:
    """A score with its 95 % intervals; macro-F1 has no counts and no interval of Wilson."""

    value: float
    score: Score | None
    wilson: Interval | None
    bootstrap: Interval

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; what is not a number is null."""
        counts = {"correct": self.score.correct, "total": self.score.total} if self.score else {}
        intervals = {"wilson": self.wilson, "bootstrap": self.bootstrap}
        return {"value": plain(self.value), **counts,
                **{name: [plain(end) for end in ends] for name, ends in intervals.items() if ends is not None}}


@dataclass
class Grade:
    """One answer: its scores, those of its tags, and its confusion."""

    name: str
    measures: dict[str, Measure]
    tags: dict[str, TagScore]
    confusion: Counter[tuple[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; of the confusion only the mistakes, most frequent first."""
        return {"name": self.name, **{name: measure.to_dict() for name, measure in self.measures.items()},
                "tags": {tag: {"support": s.support, "answered": s.answered, "correct": s.correct,
                               "precision": s.precision, "recall": s.recall, "f1": s.f1}
                         for tag, s in self.tags.items()},
                "mistakes": [{"reference": right, "answer": given, "count": count}
                             for right, given, count in mistakes(self.confusion)]}


@dataclass
class Comparison(Contrast):
    """The accuracies of two answers; interval and p by the bootstrap over sentences.

    mcnemar   the same question token by token, which knows nothing of sentences and does not decide
    """

    mcnemar: McNemar

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**super().to_dict(), "mcnemar": self.mcnemar._asdict()}


@dataclass
class Grading:
    """Answers to one reference, graded and compared."""

    sentences: int
    tokens: int
    left_out: int  # tokens without a tag in the reference
    resamples: int
    seed: int
    grades: list[Grade]
    comparisons: list[Comparison]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"sentences": self.sentences, "tokens": self.tokens, "left_out": self.left_out,
                "resamples": self.resamples, "seed": self.seed, "answers": [grade.to_dict() for grade in self.grades],
                "comparisons": [comparison.to_dict() for comparison in self.comparisons]}


def grade(answers: Sequence[tuple[str, Sequence[Pair]]], known: Knowledge | None = None,
          resamples: int = RESAMPLES, seed: int = 1) -> Grading:
    """Grade and compare named answers, each as its pairs with the one reference.

    known   of the training corpus, to score known, unknown and ambiguous words apart

    Raises CorpusError when words are needed and neither side has them.
    """
    left_out = sum(len(pair.left_out) for pair in answers[0][1])
    answers = [(name, [pair for pair in pairs if pair.reference]) for name, pairs in answers]
    names = GROUPS if known else GROUPS[:2]
    counts = [_counts(pairs, known) for _, pairs in answers]  # (S, groups, 2) for an answer
    moved = [_influence(pairs)[:, None] for _, pairs in answers]  # (S, 1) for an answer
    S, A = len(answers[0][1]), len(answers)
    columns = np.concatenate([*(part.reshape(S, -1) for part in counts), *moved], axis=1)
    sums = resample(columns, resamples, np.random.default_rng(seed))
    drawn = sums[:, :-A].reshape(resamples, A, -1, 2)
    grades = [_grade(name, pairs, known, names, drawn[:, a], sums[:, a - A])
              for a, (name, pairs) in enumerate(answers)]
    accuracies = ratio(drawn[:, :, 0, 0], drawn[:, :, 0, 1])
    comparisons = [_compare((answers[a], answers[b]), accuracies[:, b] - accuracies[:, a])
                   for a, b in combinations(range(A), 2)]
    adjust(comparisons)
    tokens = sum(len(pair.reference) for pair in answers[0][1])
    return Grading(S, tokens, left_out, resamples, seed, grades, comparisons)


def _grade(name: str, pairs: Sequence[Pair], known: Knowledge | None, names: Sequence[str],
           drawn: np.ndarray, moved: np.ndarray) -> Grade:
    """One answer from its pairs, its resampled counts (R, groups, 2) and moves of macro-F1 (R,)."""
    scores = [accuracy(pairs), sentence_accuracy(pairs)]
    if known:
        scores += [*accuracy_by_knowledge(pairs, known.words), accuracy_by_knowledge(pairs, known.ambiguous)[0]]
    measures = {group: Measure(score.accuracy, score, wilson(*score),
                               percentile(ratio(drawn[:, g, 0], drawn[:, g, 1])))
                for g, (group, score) in enumerate(zip(names, scores))}
    counts = confusion(pairs)
    tags = tag_scores(counts)
    measures["macro_f1"] = Measure(macro_f1(tags), None, None, macro_interval(tags, moved))
    return Grade(name, measures, tags, counts)


def _counts(pairs: Sequence[Pair], known: Knowledge | None) -> np.ndarray:
    """(right, all) for each sentence and group: (S, groups, 2)."""
    rows = []
    for pair in pairs:
        right = [a == b for a, b in zip(pair.reference, pair.answer)]
        row = [(sum(right), len(right)), (all(right), 1)]
        if known:
            words = pair.require_words()
            for inside in ([word in known.words for word in words], [word not in known.words for word in words],
                           [word in known.ambiguous for word in words]):
                row.append((sum(map(int.__and__, right, inside)), sum(inside)))
        rows.append(row)
    return np.array(rows, np.int32)


def _influence(pairs: Sequence[Pair]) -> np.ndarray:
    """How far one more copy of each sentence would move macro-F1, to first order: (S,), sum 0.

        sum_k (2 correct_k - F1_k (support_k + answered_k)) / (K total_k)

    counts of the sentence above, total_k = support + answered of tag k in all of the text, k of the K tags
    of the reference.
    """
    scores = {tag: score for tag, score in tag_scores(confusion(pairs)).items() if score.support}
    right = {tag: 2 / (score.support + score.answered) / len(scores) for tag, score in scores.items()}
    there = {tag: score.f1 * right[tag] / 2 for tag, score in scores.items()}
    return np.array([sum((right[tag] if tag == given else 0) - there[tag] - there.get(given, 0)
                         for tag, given in zip(pair.reference, pair.answer)) for pair in pairs])


def macro_interval(tags: Mapping[str, TagScore], moved: np.ndarray) -> Interval:
    """The interval of macro-F1, from the influences of its sentences summed over each resample (R,).

    A bootstrap does not see how uncertain a rare tag is: a tag that occurs once is right in all resamples that have
    it, or wrong in all. So the excess of Wilson's interval over the normal interval of a tag is added, low and high
    apart:

        end = macro-F1 -+ sqrt(b^2 + sum_k max(0, w_k^2 - n_k^2) / K^2)

    b, w, n: from the score to the end of the bootstrap interval, of Wilson's and of the normal one. F1 of a tag is
    2J / (1 + J), J = correct / (support + answered - correct). J is a share, so w and n come from intervals of J.
    """
    scores = [score for score in tags.values() if score.support]
    excess = np.zeros(2)
    for correct, support, answered in scores:
        total = support + answered - correct
        share = correct / total
        normal = Z * math.sqrt(share * (1 - share) / total) * 2 / (1 + share) ** 2
        ends = np.array(wilson(correct, total))
        excess += np.maximum(0, (2 * ends / (1 + ends) - 2 * share / (1 + share)) ** 2 - normal ** 2)
    low, high = np.hypot(percentile(moved), np.sqrt(excess) / len(scores))
    middle = macro_f1(tags)
    return Interval(max(0.0, middle - low), min(1.0, middle + high))


def _compare(answers: Sequence[tuple[str, Sequence[Pair]]], differences: np.ndarray) -> Comparison:
    (first, one), (second, other) = answers
    only = [0, 0]
    tokens = 0
    for a, b in zip(one, other, strict=True):
        tokens += len(a.reference)
        for right, given, also in zip(a.reference, a.answer, b.answer):
            if (right == given) != (right == also):
                only[right == also] += 1
    return Comparison(first, second, (only[1] - only[0]) / tokens, percentile(differences),
                      bootstrap_p(differences), mcnemar(*only))


def plain(value: float) -> float | None:
    """A float for JSON, None for not a number."""
    return None if math.isnan(value) else value
