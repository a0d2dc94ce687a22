"""From the states of a sentence to one vector: the last ones, their mean, their maximum, or attention to them.

x (N, I) are packed (packing.py), y (B, I) has a row for each sentence, in the order of the batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .layers import Array, Dense, DensePass, Layer, Shapes, glorot
from .packing import Packing


class Pooling(Layer):
    """What all poolings have; of the I values of a state each direction has as many."""

    pointwise = False

    def __init__(self, name: str, I: int, directions: int):
        self.name, self.I, self.directions = name, I, directions


class Last(Pooling):
    """y = [h_T forward, h_1 backward], where each direction has read the whole sentence (seed 001, "Bi-directional
    RNNs")."""

    def forward(self, params: dict[str, Array], x: Array, packing: Packing,
                rng: np.random.Generator | None = None) -> tuple[Array, Packing]:
        return np.concatenate([x[rows, part] for rows, part in self._places(packing)], axis=1), packing

    def backward(self, params: dict[str, Array], dy: Array, cache: Packing) -> tuple[Array, dict[str, Any]]:
        dx = np.zeros((len(cache), self.I), dy.dtype)
        for rows, part in self._places(cache):
            dx[rows, part] = dy[:, part]
        return dx, {}

    def _places(self, packing: Packing) -> list[tuple[Array, slice]]:
        """The rows at which each direction ends, and its values."""
        B, H = len(packing.lengths), self.I // self.directions
        ends = [packing.last - B, packing.rank][:self.directions]
        return [(rows, slice(d * H, (d + 1) * H)) for d, rows in enumerate(ends)]


class Mean(Pooling):
    """y = 1/T sum_t x_t"""

    def forward(self, params: dict[str, Array], x: Array, packing: Packing,
                rng: np.random.Generator | None = None) -> tuple[Array, Packing]:
        return sums(x, packing) / packing.lengths[:, None].astype(x.dtype), packing

    def backward(self, params: dict[str, Array], dy: Array, cache: Packing) -> tuple[Array, dict[str, Any]]:
        return (dy / cache.lengths[:, None].astype(dy.dtype))[cache.sentence], {}


class MaxPass(NamedTuple):
    """Which of the values (N, I) were the largest of their sentence, equal ones sharing it, and the packing."""

    share: Array
    packing: Packing


class Max(Pooling):
    """y = max_t x_t, each value by itself     (seed 004, "GlobalMaxPooling1D")"""

    def forward(self, params: dict[str, Array], x: Array, packing: Packing,
                rng: np.random.Generator | None = None) -> tuple[Array, MaxPass]:
        order, starts = packing.by_sentence
        y = np.maximum.reduceat(x[order], starts)
        share = (x == y[packing.sentence]).astype(x.dtype)
        share /= sums(share, packing)[packing.sentence]
        return y, MaxPass(share, packing)

    def backward(self, params: dict[str, Array], dy: Array, cache: MaxPass) -> tuple[Array, dict[str, Any]]:
        return cache.share * dy[cache.packing.sentence], {}


class AttentionPass(NamedTuple):
    """What attention keeps for the way back: x, the weights a (N,), and what its dense layer keeps."""

    x: Array
    a: Array
    dense: DensePass
    packing: Packing


class Attention(Pooling):
    """y = sum_t a_t x_t,  a = softmax(e),  e_t = tanh(x_t W + b) v, over the steps of a sentence     (seed 002,
    "Attention", without a decoder's state: Yang et al. 2016)"""

    def __init__(self, name: str, I: int, directions: int):
        super().__init__(name, I, directions)
        self.dense, self.v = Dense(f"{name}.W", f"{name}.b", I, I, "tanh"), f"{name}.v"

    def shapes(self) -> Shapes:
        return {**self.dense.shapes(), self.v: (self.I,)}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        return {**self.dense.initialise(rng), self.v: glorot((self.I, 1), rng)[:, 0]}

    def forward(self, params: dict[str, Array], x: Array, packing: Packing,
                rng: np.random.Generator | None = None) -> tuple[Array, AttentionPass]:
        u, dense = self.dense.forward(params, x)
        e = u @ params[self.v]
        order, starts = packing.by_sentence
        a = np.exp(e - np.maximum.reduceat(e[order], starts)[packing.sentence])
        a /= sums(a, packing)[packing.sentence]
        return sums(a[:, None] * x, packing), AttentionPass(x, a, dense, packing)

    def backward(self, params: dict[str, Array], dy: Array, cache: AttentionPass) -> tuple[Array, dict[str, Any]]:
        x, a, packing = cache.x, cache.a, cache.packing
        dy = dy[packing.sentence]
        da = (dy * x).sum(axis=1)
        de = a * (da - sums(a * da, packing)[packing.sentence])
        dx, grads = self.dense.backward(params, de[:, None] * params[self.v], cache.dense)
        return dx + a[:, None] * dy, {**grads, self.v: cache.dense.y.T @ de}


def sums(x: Array, packing: Packing) -> Array:
    """The sum of x (N, ...) over each sentence: (B, ...)."""
    order, starts = packing.by_sentence
    return np.add.reduceat(x[order], starts)
