"""What the first layer gets of each word: the sum of its embeddings, or the ids of its features (one-hot)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..nn.cells import Cell
from ..nn.layers import Array, Embedding, Rows, Shapes, glorot, look_up, rows_gradient
from ..nn.packing import Packing, interleave, pack
from ..nn.recurrent import Recurrent, RecurrentPass
from ..text.features import FeatureMap, WordTable
from ..text.grams import Grams

FEATURES, VECTORS, CHARACTERS, NGRAMS = "features.table", "vectors.table", "characters.table", "ngrams.table"
GRAMS = "grams.table"  # of what stands around a piece of text


class OneHot:
    """The ids of a word's features (N, F), for a layer that looks them up.

    word_dropout   as for ``WordTable.set_dropout``; 0: no word is read as unknown while training
    """

    def __init__(self, word_dropout: float):
        self.word_dropout = word_dropout

    def shapes(self) -> Shapes:
        """Name and shape of each parameter."""
        return {}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random parameters; vectors are 0, for the caller to fill."""
        return {}

    def forward(self, params: dict[str, Array], words: WordTable, types: Array,
                rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        """What the first layer gets of the words in rows ``types`` (N,) of ``words``, and the cache; with a
        generator as in training."""
        ids = words.features[types]
        if rng is not None and self.word_dropout:
            dropped = np.flatnonzero(rng.random(len(types), dtype=np.float32) < words.dropout[types])
            ids[dropped] = words.unseen[types[dropped]]
        return ids, None

    def backward(self, params: dict[str, Array], dx: Any, cache: Any) -> dict[str, Any]:
        """The gradient of each parameter."""
        return {}


class VectorPass(NamedTuple):
    """Which row of the table each token has (N,), and these rows."""

    rows: Array
    v: Array


class Vectors:
    """y = v W, v a word's pretrained vector: 0 for a word without one, and for a share of the tokens in training."""

    def __init__(self, V: int, width: int, E: int, dropout: float, frozen: bool):
        self.V, self.width, self.E, self.dropout, self.frozen = V, width, E, dropout, frozen

    def shapes(self) -> Shapes:
        return {VECTORS: (self.V, self.width), "vectors.W": (self.width, self.E)}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        return {VECTORS: np.zeros((self.V, self.width)), "vectors.W": glorot((self.width, self.E), rng)}

    def forward(self, params: dict[str, Array], words: WordTable, types: Array,
                rng: np.random.Generator | None = None) -> tuple[Array, VectorPass]:
        rows = words.vectors[types]
        if rng is not None and self.dropout:
            rows = rows * (rng.random(len(types), dtype=np.float32) >= self.dropout)
        v = params[VECTORS][rows]
        return v @ params["vectors.W"], VectorPass(rows, v)

    def backward(self, params: dict[str, Array], dy: Array, cache: VectorPass) -> dict[str, Any]:
        grads: dict[str, Any] = {"vectors.W": cache.v.T @ dy}
        if not self.frozen:
            rows = rows_gradient(dy @ params["vectors.W"].T, cache.rows[:, None])
            start = int(len(rows.ids) > 0 and rows.ids[0] == 0)  # row 0 stays 0: no vector
            grads[VECTORS] = Rows(rows.ids[start:], rows.values[start:])
        return grads


class CharacterPass(NamedTuple):
    """Which of the distinct words each token is (N,), their final states, the ids of their characters."""

    which: Array
    final: Array
    ids: Array
    rnn: RecurrentPass


class Characters:
    """y = [h_fwd, h_bwd] W: the final states of an RNN over the characters of each word (seed 002, the
    hierarchical RNN); each distinct word is read once."""

    def __init__(self, V: int, width: int, cell: Cell, H: int, E: int):
        self.table, self.rnn, self.E = Embedding(CHARACTERS, V, width), Recurrent("characters", cell, width, H, 2), E

    def shapes(self) -> Shapes:
        return {**self.table.shapes(), **self.rnn.shapes(), "characters.W": (2 * self.rnn.H, self.E)}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        return {**self.table.initialise(rng), **self.rnn.initialise(rng),
                "characters.W": glorot((2 * self.rnn.H, self.E), rng)}

    def forward(self, params: dict[str, Array], words: WordTable, types: Array,
                rng: np.random.Generator | None = None) -> tuple[Array, CharacterPass]:
        distinct, inverse = np.unique(types, return_inverse=True)
        lengths = np.array([len(words.characters[word]) for word in distinct])
        order = np.argsort(-lengths, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        packing: Packing = pack(tuple(lengths[order].tolist()))
        ids = interleave([words.characters[word] for word in distinct[order]], packing)[:, None]
        x, _ = self.table.forward(params, ids)
        _, rnn = self.rnn.forward(params, x, packing)
        final = rnn.final[0].swapaxes(0, 1).reshape(len(order), -1)
        which = place[inverse]
        return (final @ params["characters.W"])[which], CharacterPass(which, final, ids, rnn)

    def backward(self, params: dict[str, Array], dy: Array, cache: CharacterPass) -> dict[str, Any]:
        B, H = len(cache.final), self.rnn.H
        dwords = rows_gradient(dy, cache.which[:, None]).dense(np.empty((B, self.E), dy.dtype))
        dfinal = np.zeros((self.rnn.cell.states, 2, B, H), dy.dtype)
        dfinal[0] = (dwords @ params["characters.W"].T).reshape(B, 2, H).swapaxes(0, 1)
        dh = np.zeros((len(cache.ids), 2 * H), dy.dtype)
        dx, grads, _ = self.rnn.backward_through(params, dh, cache.rnn, dfinal)
        return {**grads, "characters.W": cache.final.T @ dwords, **self.table.backward(params, dx, cache.ids)[1]}


class NGramPass(NamedTuple):
    """Which of the distinct words each token is (N,), the ids of their n-grams one word after the other, how many
    each has (n,), and what their sum is multiplied by (n, 1)."""

    which: Array
    ids: Array
    counts: Array
    scale: Array


class NGrams:
    """y = sum of the embeddings of a word's n n-grams / sqrt(n) (Bojanowski et al. 2017 take the mean, in which one
    telling n-gram of a long word is lost)."""

    def __init__(self, V: int, E: int):
        self.table, self.E = Embedding(NGRAMS, V, E), E

    def shapes(self) -> Shapes:
        return self.table.shapes()

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        table = self.table.initialise(rng)
        table[NGRAMS][0] = 0
        return table

    def forward(self, params: dict[str, Array], words: WordTable, types: Array,
                rng: np.random.Generator | None = None) -> tuple[Array, NGramPass]:
        distinct, which = np.unique(types, return_inverse=True)
        bags = [words.ngrams[word] for word in distinct.tolist()]
        counts, ids = np.array(list(map(len, bags))), np.concatenate(bags)
        total = _sums(params[NGRAMS], ids, counts)
        scale = (1 / np.sqrt(counts[:, None])).astype(total.dtype)
        return (total * scale)[which], NGramPass(which, ids, counts, scale)

    def backward(self, params: dict[str, Array], dy: Array, cache: NGramPass) -> dict[str, Any]:
        dwords = rows_gradient(dy, cache.which[:, None]).values * cache.scale
        return {NGRAMS: rows_gradient(np.repeat(dwords, cache.counts, axis=0), cache.ids[:, None])}


def _sums(table: Array, ids: Array, counts: Array) -> Array:
    """The sum of the rows of each bag, of which there are ``counts`` (n,), all at least 1; ``ids`` are those of one
    bag after the other. All first ones are added at once, then all second ones; ``np.add.reduceat`` is slower."""
    order = np.argsort(-counts, kind="stable")  # the largest bags first
    starts = (np.cumsum(counts) - counts)[order]
    total = table[ids[starts]]
    for place, left in enumerate(np.searchsorted(-counts[order], -np.arange(1, counts.max())).tolist(), 1):
        total[:left] += table[ids[starts[:left] + place]]
    found = np.empty_like(total)
    found[order] = total
    return found


class Embeddings(OneHot):
    """x (N, E): the sum of the embeddings of a word's features, and of ``others`` (Vectors, Characters)."""

    def __init__(self, rows: int, E: int, word_dropout: float, others: list[Any]):
        super().__init__(word_dropout)
        self.rows, self.E, self.others = rows, E, others

    def shapes(self) -> Shapes:
        table = {FEATURES: (self.rows, self.E)} if self.rows else {}
        return {**table, **{name: shape for part in self.others for name, shape in part.shapes().items()}}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        table = Embedding(FEATURES, self.rows, self.E).initialise(rng) if self.rows else {}
        return {**table, **{name: array for part in self.others for name, array in part.initialise(rng).items()}}

    def forward(self, params: dict[str, Array], words: WordTable, types: Array,
                rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        ids, _ = super().forward(params, words, types, rng)
        dtype = next(iter(params.values())).dtype
        x = look_up(params[FEATURES], ids) if self.rows else np.zeros((len(types), self.E), dtype)
        caches = []
        for part in self.others:
            y, cache = part.forward(params, words, types, rng)
            x += y
            caches.append(cache)
        return x, (ids, caches)

    def backward(self, params: dict[str, Array], dx: Array, cache: Any) -> dict[str, Any]:
        ids, caches = cache
        grads: dict[str, Any] = {FEATURES: rows_gradient(dx, ids)} if self.rows else {}
        for part, cache in zip(self.others, caches):
            grads |= part.backward(params, dx, cache)
        return grads


class PieceInputs(Embeddings):
    """x (N, E): the sum of the embeddings of a piece's features and of the n-grams around it.

    A piece is given as its row in the WordTable and the rows of the n-grams (N, 1 + G).
    """

    def __init__(self, features: FeatureMap, grams: Sequence[Grams], E: int, word_dropout: float,
                 gram_dropout: float):
        super().__init__(features.rows, E, word_dropout, [])
        self.features, self.grams, self.gram_dropout = features, sum(kind.rows for kind in grams), gram_dropout
        starts = np.cumsum([0, *(kind.rows for kind in grams)])
        self.unknown = np.concatenate([kind.offsets[:-1] + start for kind, start in zip(grams, starts)])

    def shapes(self) -> Shapes:
        return {**super().shapes(), GRAMS: (self.grams, self.E)}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random embeddings; those of the unknown are 0, for there is much of it, and it says nothing."""
        params = {**super().initialise(rng), **Embedding(GRAMS, self.grams, self.E).initialise(rng)}
        params[FEATURES][self.features.offsets] = params[GRAMS][self.unknown] = 0
        return params

    def forward(self, params: dict[str, Array], words: WordTable, types: Array,
                rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        x, cache = super().forward(params, words, types[:, 0], rng)
        grams = types[:, 1:]
        if rng is not None and self.gram_dropout:
            grams = np.where(rng.random(grams.shape, dtype=np.float32) < self.gram_dropout, self.unknown, grams)
        x += look_up(params[GRAMS], grams)
        return x, (cache, grams)

    def backward(self, params: dict[str, Array], dx: Array, cache: Any) -> dict[str, Any]:
        return {**super().backward(params, dx, cache[0]), GRAMS: rows_gradient(dx, cache[1])}
