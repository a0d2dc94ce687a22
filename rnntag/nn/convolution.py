"""The convolution over words (seed 004)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .layers import ACTIVATIONS, BLOCK, Array, Dense, Layer, Shapes
from .packing import Lookup, Packing


class ConvolutionPass(NamedTuple):
    """What a convolution keeps for the way back: rows (N, window) of the neighbours, and what its product keeps."""

    rows: Array
    dense: Any


class Convolution(Layer):
    """y_t = relu([x_{t-w} ... x_{t+w}] W + b), zeros beyond the sentence (seed 004); W (window I, O).

    The same as relu(sum_k x_{t+k} W_k + b), W_k being the rows of W for the neighbour at k. What a word adds to those
    around it depends on the word alone, so in tagging there is no product left for each token.
    """

    pointwise = False

    def __init__(self, name: str, window: int, I: int, O: int):
        self.window, self.I, self.width = window, I, window * O  # of ``input_projection``
        self.dense = Dense(f"{name}.W", f"{name}.b", window * I, O, "relu")

    def shapes(self) -> Shapes:
        return self.dense.shapes()

    def input_projection(self, params: dict[str, Array], x: Array) -> Array:
        """What each token adds to its neighbours and itself, which gets b too: (N, window O)."""
        O, W = self.dense.O, params[self.dense.W]
        z = x @ W.reshape(self.window, -1, O).swapaxes(0, 1).reshape(-1, self.window * O)
        middle = self.window // 2 * O
        z[:, middle:middle + O] += params[self.dense.b]
        return z

    def beside(self, z: Array, more: Array) -> Array:
        """``input_projection`` with more columns (N, C), which ``run`` passes over: what it takes is a multiple of O
        wide."""
        return np.concatenate((z, more, np.zeros((len(z), -more.shape[1] % self.dense.O), z.dtype)), axis=1)

    def run(self, params: dict[str, Array], z: Array | Lookup, packing: Packing) -> tuple[Array, None]:
        """y (N, O) from what ``input_projection`` gives, or from that of words and the word of each token, from which
        there is no way back."""
        N, rows = len(packing), packing.neighbours(self.window)
        values, tokens = z if isinstance(z, Lookup) else Lookup(z, np.arange(N))
        table, inside = values.reshape(-1, self.dense.O), rows >= 0
        places = tokens[rows] * (values.shape[1] // self.dense.O) + np.arange(self.window)
        y = np.empty((N, self.dense.O), values.dtype)
        for start in range(0, N, BLOCK):
            block = slice(start, start + BLOCK)
            _sum(table, places[block], inside[block], y[block])
            ACTIVATIONS["relu"][0](y[block], out=y[block])
        return y, None

    def forward(self, params: dict[str, Array], x: Array, packing: Packing,
                rng: np.random.Generator | None = None) -> tuple[Array, ConvolutionPass]:
        """y (N, O) from x (N, I)."""
        rows = packing.neighbours(self.window)
        padded = np.concatenate((x, np.zeros_like(x[:1])))
        y, dense = self.dense.forward(params, padded[rows].reshape(len(x), -1))
        return y, ConvolutionPass(rows, dense)

    def around(self, x: Lookup, rows: Array, packing: Packing) -> Array:
        """What stands around some tokens, by their rows: (n, window, I)."""
        neighbours = packing.neighbours(self.window)[rows]
        found = x.values[x.tokens[neighbours]]
        found[neighbours < 0] = 0
        return found

    def answer(self, params: dict[str, Array], windows: Array) -> Array:
        """y (n, O) from what stands around some tokens (n, window, I)."""
        return self.dense.forward(params, windows.reshape(len(windows), -1))[0]

    def backward(self, params: dict[str, Array], dy: Array, cache: ConvolutionPass) -> tuple[Array, dict[str, Any]]:
        dwindows, grads = self.dense.backward(params, dy, cache.dense)
        dwindows = dwindows.reshape(*cache.rows.shape, -1)
        padded = np.zeros((len(dy) + 1, dwindows.shape[2]), dy.dtype)
        for k in range(cache.rows.shape[1]):  # at one offset no two tokens have the same neighbour
            inside = cache.rows[:, k] >= 0
            padded[cache.rows[inside, k]] += dwindows[inside, k]
        return padded[:-1], grads


def _sum(table: Array, places: Array, inside: Array, y: Array) -> None:
    """y = sum_k table[places_k] of those neighbours that are there; places and inside (n, window)."""
    room, middle = np.empty_like(y), places.shape[1] // 2
    np.take(table, places[:, middle], axis=0, out=y, mode="clip")
    for k in (k for k in range(places.shape[1]) if k != middle):
        np.take(table, places[:, k], axis=0, out=room, mode="clip")
        room[~inside[:, k]] = 0
        y += room
