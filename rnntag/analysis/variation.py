"""Likely annotation errors: the same word in the same context with different tags.

Dickinson and Meurers (2003), "Detecting errors in part-of-speech annotation": words that recur with
the same neighbours and other tags (variation n-grams) are errors the more probably, the longer the
context that they share; a word at the edge of the shared text is not trusted, so at least one
neighbour on either side is the same here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product
from typing import NamedTuple

from ..corpus import Sentence

MOST = 50  # places of one word, tag and pair of neighbours that are compared with others
ODD_TOTAL, ODD_SHARE = 50, 0.98  # a word so frequent, with one tag so often, and another one once
BOUNDARY = ""

Place = tuple[int, int]  # sentence and token, from 0


@dataclass
class Variation:
    """A word that has several tags in one context.

    before, word, after   the shared text; a sentence's boundary is shared too, but is no word
    tags                  each tag and the (line, token) of its places, the most frequent first
    """

    before: list[str]
    word: str
    after: list[str]
    tags: dict[str, list[tuple[int, int]]]

    @property
    def context(self) -> int:
        """How many words besides the word itself are shared."""
        return len(self.before) + len(self.after)


class OddOne(NamedTuple):
    """A frequent word that has, once, another tag than usual."""

    word: str
    usual: str
    tag: str
    line: int
    token: int


def variations(sentences: Sequence[Sentence], least: int = 2) -> list[Variation]:
    """Every word that varies in a context of at least ``least`` words: the longest such context.

    Longest context first; then those where most places agree against fewest; then in order.
    """
    groups: dict[tuple[str, str, str], dict[str, list[Place]]] = defaultdict(lambda: defaultdict(list))
    for s, sentence in enumerate(sentences):
        words = [BOUNDARY, *sentence.words, BOUNDARY]
        for i, tag in enumerate(sentence.tags or []):
            groups[words[i], words[i + 1], words[i + 2]][tag].append((s, i))
    distinct: dict[tuple, Variation] = {}
    for tags in groups.values():
        if len(tags) > 1:
            longest = _longest(sentences, tags)
            if longest.context >= least:
                distinct[tuple(longest.before), longest.word, tuple(longest.after)] = longest
    return sorted(distinct.values(), key=lambda variation: (
        -variation.context, -_agreement(variation), min(min(places) for places in variation.tags.values())))


def odd_ones(sentences: Sequence[Sentence]) -> list[OddOne]:
    """Where a frequent word that almost always has one tag has, once, another."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for word, tag in zip(sentence.words, sentence.tags or []):
            counts[word][tag] += 1
    most = {word: tags.most_common(1)[0] for word, tags in counts.items() if len(tags) > 1}
    usual = {word: tag for word, (tag, n) in most.items()
             if counts[word].total() >= ODD_TOTAL and n >= ODD_SHARE * counts[word].total()}
    return [OddOne(word, usual[word], tag, sentence.line, i) for sentence in sentences
            for i, (word, tag) in enumerate(zip(sentence.words, sentence.tags or []), 1)
            if word in usual and counts[word][tag] == 1]


def _longest(sentences: Sequence[Sentence], tags: dict[str, list[Place]]) -> Variation:
    """The longest context that two differently tagged places share, and all places that have it."""
    best = (-1, 0, 0, (0, 0))
    for one, other in combinations(tags.values(), 2):
        for a, b in islice(product(one[:MOST], other[:MOST]), MOST * MOST):
            left, right = _shared(sentences, a, b, -1), _shared(sentences, a, b, 1)
            best = max(best, (left + right, left, right, a), key=lambda item: item[:3])
    _, left, right, (s, i) = best
    words = sentences[s].words
    key = words[i - left:i + right + 1]
    same: dict[str, list[tuple[int, int]]] = {}
    for tag, places in tags.items():
        inside = [(sentences[s].line, i + 1) for s, i in places
                  if i >= left and sentences[s].words[i - left:i + right + 1] == key]
        if inside:
            same[tag] = inside
    return Variation(key[:left], key[left], key[left + 1:], dict(sorted(same.items(), key=lambda t: -len(t[1]))))


def _agreement(variation: Variation) -> float:
    """The share of the places that have the most frequent tag."""
    sizes = [len(places) for places in variation.tags.values()]
    return max(sizes) / sum(sizes)


def _shared(sentences: Sequence[Sentence], a: Place, b: Place, step: int) -> int:
    """How many words on one side of two places are the same."""
    (s, i), (t, j) = a, b
    one, other, count = sentences[s].words, sentences[t].words, 0
    while True:
        i, j = i + step, j + step
        if not (0 <= i < len(one) and 0 <= j < len(other)) or one[i] != other[j]:
            return count
        count += 1
