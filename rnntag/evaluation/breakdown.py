"""Where an answer is right and where it is wrong: by word frequency, sentence length and confidence; the worst
sentences; the tags that are confused most. All functions take the pairs of an answer, or counts of them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import CorpusError
from .scores import Pair, Score

FREQUENCIES = (0, 1, 2, 5, 10, 30, 100, 300, 1000)  # where each class begins
LENGTHS = (1, 6, 11, 16, 21, 31, 41, 61)
BINS = 15  # of confidence, of equal width, as in Guo et al. (2017)


class Class(NamedTuple):
    """Tokens of one kind: the name of the class, and its score."""

    name: str
    score: Score


class Bin(NamedTuple):
    """Tokens of about one confidence: its mean, and the score."""

    confidence: float
    score: Score


def by_frequency(pairs: Iterable[Pair], counts: Mapping[str, int]) -> list[Class]:
    """Accuracy by how often training saw the word; pairs without words are left out."""
    return _classes(((counts.get(word, 0), right == given) for pair in pairs if pair.words is not None
                     for word, right, given in zip(pair.words, pair.reference, pair.answer)), FREQUENCIES)


def by_length(pairs: Iterable[Pair]) -> list[Class]:
    """Accuracy of tokens by the length of their sentence."""
    return _classes(((len(pair.reference) + len(pair.left_out), right == given) for pair in pairs
                     for right, given in zip(pair.reference, pair.answer)), LENGTHS)


def _classes(values: Iterable[tuple[int, bool]], begins: Sequence[int]) -> list[Class]:
    """The classes that have tokens, in order."""
    correct, total = [0] * len(begins), [0] * len(begins)
    for value, right in values:
        k = bisect_right(begins, value) - 1
        correct[k] += right
        total[k] += 1
    ends = [*(begin - 1 for begin in begins[1:]), None]
    return [Class(f"{begin}+" if end is None else str(begin) if begin == end else f"{begin}-{end}",
                  Score(c, t)) for begin, end, c, t in zip(begins, ends, correct, total) if t]


def confident(pairs: Iterable[Pair]) -> bool:
    """Does the answer give the probabilities of all its tags?"""
    return all(pair.confidence is not None for pair in pairs if pair.reference)


def reliability(pairs: Iterable[Pair], bins: int = BINS) -> list[Bin]:
    """Accuracy by confidence, in ``bins`` equal parts of 0 to 1, of ``confident`` pairs; parts without tokens are
    left out."""
    confidence, correct, total = [0.0] * bins, [0] * bins, [0] * bins
    for pair in pairs:
        for right, given, p in zip(pair.reference, pair.answer, pair.confidence or [], strict=True):
            k = min(int(p * bins), bins - 1)
            confidence[k] += p
            correct[k] += right == given
            total[k] += 1
    return [Bin(p / n, Score(c, n)) for p, c, n in zip(confidence, correct, total) if n]


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: sum over bins of n_b / n |accuracy_b - confidence_b|
    (Naeini et al. 2015; Guo et al. 2017), of the answered tags' probabilities."""
    n = sum(bin.score.total for bin in bins)
    return sum(bin.score.total * abs(bin.score.accuracy - bin.confidence) for bin in bins) / n


def calibration(pairs: Sequence[Pair], name: str) -> dict[str, Any]:
    """How well the probabilities of an answer agree with how often it is right, as JSON values.

    Raises CorpusError, of the answer ``name``, when it has no probabilities.
    """
    if not confident(pairs):
        raise CorpusError("no probabilities", "--calibration needs them", "test-rnn --probabilities writes them.",
                          name)
    bins = reliability(pairs)
    tokens = sum(bin.score.total for bin in bins)
    return {"expected_calibration_error": calibration_error(bins),
            "mean_probability": sum(bin.confidence * bin.score.total for bin in bins) / tokens,
            "accuracy": sum(bin.score.correct for bin in bins) / tokens,
            "bins": [{"probability": bin.confidence, "accuracy": bin.score.accuracy, "tokens": bin.score.total}
                     for bin in bins]}


def worst(pairs: Iterable[Pair], count: int) -> list[Pair]:
    """The sentences with the most wrong tags; among equals the shorter, then the earlier first."""
    ranked = sorted((pair for pair in pairs if pair.wrong), key=lambda pair: (-pair.wrong, len(pair.reference)))
    return ranked[:count]


def most_confused(counts: Counter[tuple[str, str]], most: int) -> list[str]:
    """The tags with the most mistakes on either side, at most ``most`` of them; the most frequent first."""
    wrong: Counter[str] = Counter()
    support: Counter[str] = Counter()
    for (right, given), n in counts.items():
        support[right] += n
        if right != given:
            wrong[right] += n
            wrong[given] += n
    chosen = sorted(wrong, key=lambda tag: (-wrong[tag], tag))[:most]
    return sorted(chosen, key=lambda tag: (-support[tag], tag))
