"""Where a word occurs in a corpus, the places most like a given one first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from ..corpus import Sentence

NEAR = 3  # neighbours on either side that are compared; the nearer, the more they count
LOOKED_AT = 2_000  # places of one word that are compared
SUFFIX = 3  # letters of the words that stand for an unseen one


class Place(NamedTuple):
    """A token of the corpus: sentence and position, from 0."""

    sentence: int
    token: int


class Concordance:
    """The places of all words of some sentences."""

    def __init__(self, sentences: Sequence[Sentence]):
        self._sentences = sentences
        self._words: dict[str, list[Place]] = defaultdict(list)
        self._endings: dict[str, list[Place]] = defaultdict(list)
        for number, sentence in enumerate(sentences):
            for i, word in enumerate(sentence.words):
                self._words[word.lower()].append(Place(number, i))
                self._endings[word.lower()[-SUFFIX:]].append(Place(number, i))

    def nearest(self, number: int, token: int, count: int) -> list[Place]:
        """The places of the same word, in either case, whose neighbours are most alike; of a word that occurs nowhere
        else, those of words with the same ending."""
        word = self._sentences[number].words[token].lower()
        own = Place(number, token)
        places = [place for place in self._words[word][:LOOKED_AT] if place != own] or [
            place for place in self._endings[word[-SUFFIX:]][:LOOKED_AT] if place != own]
        return sorted(places, key=lambda place: (-self._alike(own, place), place))[:count]

    def _alike(self, one: Place, other: Place) -> float:
        a, b = self._sentences[one.sentence].words, self._sentences[other.sentence].words
        score = float(a[one.token] == b[other.token])
        for step in (1, -1):
            for distance in range(1, NEAR + 1):
                i, j = one.token + step * distance, other.token + step * distance
                outside = not 0 <= i < len(a), not 0 <= j < len(b)
                if any(outside):
                    score += all(outside) / distance
                    break
                score += (a[i].lower() == b[j].lower()) / distance
        return score
