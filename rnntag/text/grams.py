"""What stands around each piece of a text: the n-grams of its neighbours, as rows of a table.

A neighbour is known by a symbol: itself when it is one character, its shape when it is longer; and by the types of
its first and its last character. So there are few n-grams of words, and all of the characters of Japanese.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from ..errors import OptionError, quote
from .features import shape
from .places import Array, character_type
from .vocab import Vocab

OUTSIDE = "\n"  # the symbol of what is before the first piece and after the last one; no piece has a line end
MARK = "\t"  # between the symbols of an n-gram
REACH = 2  # how far the n-grams of a place reach: pieces on either side of the one before it
SPANS = tuple((first, n) for n in (1, 2, 3) for first in range(-REACH, REACH + 2 - n))  # where each begins, and n


@lru_cache(maxsize=65536)
def symbol(piece: str) -> str:
    """A character, or the shape of several: ``Smith`` is ``Xxx``; with a space before it where there is one."""
    return piece if len(piece.lstrip(" ")) == 1 else shape(piece)


@lru_cache(maxsize=65536)
def types(piece: str) -> str:
    """The types of the first and of the last character, with a space before them where there is one."""
    bare = piece.lstrip(" ")
    ends = bare if len(bare) == 1 else bare[0] + bare[-1]
    return piece[:-len(bare)] + "-".join(map(character_type, ends))


KINDS = {"symbols": symbol, "types": types}


class Grams:
    """The n-grams (n = 1, 2, 3) of one kind of symbol.

    vocabs   id maps of single symbols, of pairs and of triples; an n-gram is a string, MARK between its symbols
    rows     of the table: a block for each span, which begins with that of the unknown

    Raises OptionError for n-grams of symbols, or of pairs, that are not known.
    """

    def __init__(self, vocabs: Sequence[Vocab]):
        self.vocabs = single, pairs, triples = tuple(vocabs)
        self.offsets = np.cumsum([0, *(len(self.vocabs[n - 1]) for _, n in SPANS)])
        self.rows = int(self.offsets[-1])
        self._base = len(single)
        self._codes = [_sorted(self._code(pairs, single)), _sorted(self._code(triples, pairs))]

    @classmethod
    def build(cls, texts: Iterable[Sequence[str]], min_count: int) -> Grams:
        """The n-grams that occur ``min_count`` times in some texts, given as symbols."""
        counts = [Counter[str](), Counter[str](), Counter[str]()]
        for text in texts:
            padded = [OUTSIDE] * REACH + list(text) + [OUTSIDE] * REACH
            pairs = list(map(MARK.join, zip(padded, padded[1:])))
            for count, grams in zip(counts, (padded, pairs, map(MARK.join, zip(pairs, padded[2:])))):
                count.update(grams)
        return cls([Vocab(sorted(gram for gram, n in count.items() if n >= min_count)) for count in counts])

    def _code(self, grams: Vocab, heads: Vocab) -> Array:
        """A number for each n-gram, from the ids of all its symbols but the last and of the last."""
        codes = np.full(len(grams), -1, np.int64)
        for i, gram in enumerate(grams.strings[1:], 1):
            head, _, last = gram.rpartition(MARK)
            codes[i] = heads[head] * self._base + self.vocabs[0][last]
            if head not in heads or last not in self.vocabs[0]:
                raise OptionError(f"an n-gram {quote(gram)} of what is not known", "its parts are known")
        return codes

    def around(self, symbols: Array, text: Array) -> Array:
        """The rows of the n-grams around each symbol (N, len(SPANS)), from the ids of the symbols of some texts, one
        text after the other (N,), and the number of each one's text (N,)."""
        where = np.arange(len(symbols)) + REACH + 2 * REACH * text
        padded = np.full(len(symbols) + 2 * REACH * (1 + text[-1]), self.vocabs[0][OUTSIDE], np.int64)
        padded[where] = symbols
        pairs = _found(self._codes[0], padded[:-1] * self._base + padded[1:], padded[:-1])
        triples = _found(self._codes[1], pairs[:-1] * self._base + padded[2:], pairs[:-1])
        sizes = padded, pairs, triples
        return np.stack([sizes[n - 1][where + first] + offset for (first, n), offset in zip(SPANS, self.offsets)],
                        axis=1)


def _sorted(codes: Array) -> tuple[Array, Array]:
    """The codes in order, and the id of each; the first one is that of the unknown."""
    order = np.argsort(codes, kind="stable")
    return codes[order], order


def _found(table: tuple[Array, Array], codes: Array, heads: Array) -> Array:
    """The ids of some codes, 0 where they are not in the table or their head is unknown."""
    known, ids = table
    place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where((known[place] == codes) & (heads > 0), ids[place], 0)
