"""Where an answer is right and where not: by word frequency, sentence length and confidence; the worst
sentences; the tags that are confused most. Each function takes the pairs of an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .scores import Pair, Score

FREQUENCIES = (0, 1, 2, 5, 10, 30, 100, 300, 1000)  # where each class begins
LENGTHS = (1, 6, 11, 16, 21, 31, 41, 61)
BINS = 15  # of confidence, of equal width, as in Guo et al. (2017)


class Class(NamedTuple):
    """Tokens of one kind: how the class is called, and its score."""

    name: str
    score: Score


class Bin(NamedTuple):
    """Tokens of about one confidence: its mean, and the score."""

    confidence: float
    score: Score


def by_frequency(pairs: Iterable[Pair], counts: Mapping[str, int]) -> list[Class]:
    """Accuracy by how often training saw the word; pairs without words are left out."""
    return _classes(((counts.get(word, 0), right == given) for each in pairs if each.words is not None
                     for word, right, given in zip(each.words, each.reference, each.answer)), FREQUENCIES)


def by_length(pairs: Iterable[Pair]) -> list[Class]:
    """Accuracy of tokens by how many their sentence has."""
    return _classes(((len(each.reference) + len(each.left_out), right == given) for each in pairs
                     for right, given in zip(each.reference, each.answer)), LENGTHS)


def _classes(values: Iterable[tuple[int, bool]], begins: Sequence[int]) -> list[Class]:
    """The classes that have tokens, in order."""
    correct, total = [0] * len(begins), [0] * len(begins)
    for value, right in values:
        k = max(k for k, begin in enumerate(begins) if begin <= value)
        correct[k] += right
        total[k] += 1
    ends = [*(begin - 1 for begin in begins[1:]), None]
    return [Class(f"{begin}+" if end is None else str(begin) if begin == end else f"{begin}-{end}",
                  Score(c, t)) for begin, end, c, t in zip(begins, ends, correct, total) if t]


def confident(pairs: Iterable[Pair]) -> bool:
    """Does the answer give the probabilities of all its tags?"""
    return all(each.confidence is not None for each in pairs if each.reference)


def reliability(pairs: Iterable[Pair], bins: int = BINS) -> list[Bin]:
    """Accuracy by confidence, in ``bins`` equal parts of 0 to 1, of ``confident`` pairs; those without tokens are
    left out."""
    sums = [[0.0, 0, 0] for _ in range(bins)]
    for each in pairs:
        for right, given, p in zip(each.reference, each.answer, each.confidence or [], strict=True):
            own = sums[min(int(p * bins), bins - 1)]
            own[0], own[1], own[2] = own[0] + p, own[1] + (right == given), own[2] + 1
    return [Bin(total / n, Score(int(correct), int(n))) for total, correct, n in sums if n]


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: sum over bins of n_b / n |accuracy_b - confidence_b|
    (Naeini et al. 2015; Guo et al. 2017), of the answered tags' probabilities."""
    n = sum(each.score.total for each in bins)
    return sum(each.score.total * abs(each.score.accuracy - each.confidence) for each in bins) / n


def worst(pairs: Iterable[Pair], count: int) -> list[Pair]:
    """The sentences with the most wrong tags, of equal ones the shorter, then the earlier first."""
    wrong = [(sum(map(str.__ne__, each.reference, each.answer)), each) for each in pairs]
    ranked = sorted(((n, each) for n, each in wrong if n), key=lambda item: (-item[0], len(item[1].reference)))
    return [each for _, each in ranked[:count]]


def most_confused(counts: Counter[tuple[str, str]], most: int) -> list[str]:
    """The tags with the most mistakes on either side, ``most`` at the utmost; the most frequent first."""
    wrong: Counter[str] = Counter()
    support: Counter[str] = Counter()
    for (right, given), n in counts.items():
        support[right] += n
        if right != given:
            wrong[right] += n
            wrong[given] += n
    chosen = sorted(wrong, key=lambda tag: (-wrong[tag], tag))[:most]
    return sorted(chosen, key=lambda tag: (-support[tag], tag))
