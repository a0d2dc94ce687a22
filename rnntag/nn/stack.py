"""Several layers as one layer; the recurrent ones among them may begin with a given state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .layers import Array, Layer, Shapes
from .packing import Packing
from .recurrent import Recurrent, RecurrentPass


class Stack(Layer):
    """y = f_n( ... f_1(x)), each layer reading what the one before it wrote.

    A text that is read in pieces gives the same as one that is read whole, when each piece begins with the states
    (``states``) in which the one before it ended.
    """

    def __init__(self, layers: Sequence[Layer]):
        self.layers = layers
        self.pointwise = all(layer.pointwise for layer in layers)

    def shapes(self) -> Shapes:
        return {name: shape for layer in self.layers for name, shape in layer.shapes().items()}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        return {name: array for layer in self.layers for name, array in layer.initialise(rng).items()}

    def forward(self, params: dict[str, Array], x: Any, packing: Packing, rng: np.random.Generator | None = None,
                initial: Sequence[Array] = ()) -> tuple[Array, list[Any]]:
        """y and the caches; ``initial`` has the state (S, D, B, H) of each recurrent layer, or nothing for zeros."""
        caches, states = [], iter(initial)
        for layer in self.layers:
            given = {"initial": next(states, None)} if isinstance(layer, Recurrent) else {}
            x, cache = layer.forward(params, x, packing, rng, **given)
            caches.append(cache)
        return x, caches

    def backward(self, params: dict[str, Array], dy: Array, cache: list[Any]) -> tuple[Any, dict[str, Any]]:
        """dx and the gradients; what comes after the states that it ended in has no say."""
        grads: dict[str, Any] = {}
        for layer, of_layer in zip(reversed(self.layers), reversed(cache)):
            dy, found = layer.backward(params, dy, of_layer)
            grads |= found
        return dy, grads


def states(caches: list[Any]) -> list[Array]:
    """The state after each sentence's last step, of each recurrent layer: what ``forward`` takes to go on."""
    return [cache.final for cache in caches if isinstance(cache, RecurrentPass)]
