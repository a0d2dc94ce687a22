"""The convolution over words (seed 004)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .layers import Array, Dense, Layer, Shapes
from .packing import Lookup, Packing


class ConvolutionPass(NamedTuple):
    """What a convolution keeps for the way back: rows (N, window) of the neighbours, and what its product keeps."""

    rows: Array
    dense: Any


class Convolution(Layer):
    """y_t = relu([x_{t-w} ... x_{t+w}] W + b), zeros beyond the sentence (seed 004); W (window I, O)."""

    pointwise = False

    def __init__(self, name: str, window: int, I: int, O: int):
        self.window, self.dense = window, Dense(f"{name}.W", f"{name}.b", window * I, O, "relu")

    def shapes(self) -> Shapes:
        return self.dense.shapes()

    def input_projection(self, params: dict[str, Array], x: Array) -> Array:
        """What is worked out of each token alone: nothing."""
        return x

    def run(self, params: dict[str, Array], x: Array | Lookup, packing: Packing) -> tuple[Array, ConvolutionPass]:
        """y (N, O) from x (N, I)."""
        x = x.values[x.tokens] if isinstance(x, Lookup) else x
        rows = packing.neighbours(self.window)
        padded = np.concatenate((x, np.zeros_like(x[:1])))
        y, dense = self.dense.forward(params, padded[rows].reshape(len(x), -1))
        return y, ConvolutionPass(rows, dense)

    def forward(self, params: dict[str, Array], x: Array, packing: Packing,
                rng: np.random.Generator | None = None) -> tuple[Array, ConvolutionPass]:
        return self.run(params, x, packing)

    def backward(self, params: dict[str, Array], dy: Array, cache: ConvolutionPass) -> tuple[Array, dict[str, Any]]:
        dwindows, grads = self.dense.backward(params, dy, cache.dense)
        dwindows = dwindows.reshape(*cache.rows.shape, -1)
        padded = np.zeros((len(dy) + 1, dwindows.shape[2]), dy.dtype)
        for k in range(cache.rows.shape[1]):  # at one offset no two tokens have the same neighbour
            inside = cache.rows[:, k] < len(dy)
            padded[cache.rows[inside, k]] += dwindows[inside, k]
        return padded[:-1], grads
