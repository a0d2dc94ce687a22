"""The pieces of a text (places.py) as numbers: the features of each, as a word's, and the n-grams around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .features import FeatureMap, WordTable
from .grams import KINDS, Grams
from .places import Array


class PieceMap(FeatureMap):
    """As of words; but a piece of one character has no affixes and no lower case, which would all be itself."""

    def __call__(self, words: Sequence[str]) -> Array:
        ids = super().__call__(words)
        single = np.array([len(word.lstrip(" ")) == 1 for word in words])
        others = np.array([slot not in ("form", "shape") for slot in self.slots])
        return np.where(single[:, None] & others, self.offsets, ids)


class Pieces:
    """The distinct pieces that were met so far: what the network reads of each, row by row.

    table     their features
    symbols   (n,) for each kind of n-gram, the id of the piece's symbol
    """

    def __init__(self, features: FeatureMap, grams: Sequence[Grams]):
        self.table, self.grams = WordTable(features), grams
        self.symbols = [np.empty(0, np.int64) for _ in grams]
        self._rows = np.cumsum([0, *(kind.rows for kind in grams)])

    def rows(self, pieces: list[str], text: Array) -> Array:
        """The row of each piece of some texts and those of the n-grams around it (N, 1 + G); text (N,) as for
        ``Grams.around``."""
        rows, met = self.table.ids(pieces), len(self.symbols[0])
        if len(self.table) > met:
            new = list(self.table.words())[met:]
            self.symbols = [np.concatenate((known, kind.vocabs[0].ids(map(symbol, new))))
                            for known, kind, symbol in zip(self.symbols, self.grams, KINDS.values())]
        around = [kind.around(known[rows], text) + first
                  for known, kind, first in zip(self.symbols, self.grams, self._rows)]
        return np.concatenate((rows[:, None], *around), axis=1)
