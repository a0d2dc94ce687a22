"""Several networks as one: what each gets wrong by chance, the mean of all gets right more often."""

from __future__ import annotations

from typing import Any

import numpy as np

from .features import WordTable
from .layers import Array, softmax
from .network import VECTORS, Network
from .rnn import Packing


class Committee:
    """Several networks with the same options and other random weights: P(y | x) is the mean of theirs.

    They are trained side by side on the same batches, each by its own loss. It has the methods of
    Network; the parameters of member m are named ``net0.`` and so on, frozen vectors are shared.
    """

    def __init__(self, members: list[Network]):
        self.members, self.output = members, members[0].output
        self.options = members[0].options

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every parameter."""
        return {self._name(m, name): shape for m, network in enumerate(self.members)
                for name, shape in network.shapes().items()}

    def initialise(self, rng: np.random.Generator, dtype: str = "float32") -> dict[str, Array]:
        """Random parameters, others for each member."""
        return {self._name(m, name): array for m, network in enumerate(self.members)
                for name, array in network.initialise(rng, dtype).items()}

    def embed(self, params: dict[str, Array], words: WordTable, types: Array,
              rng: np.random.Generator | None = None) -> tuple[list[Array], Any]:
        """What each member's first layer gets of each word."""
        return [network.embed(own, words, types, rng)[0] for network, own in self.each(params)], None

    def first(self, params: dict[str, Array], x: list[Array]) -> Array:
        """What each member's ``first`` gives, side by side: (N, M DnH), for a convolution (N, M E)."""
        return np.concatenate([network.first(own, x_m) for (network, own), x_m in zip(self.each(params), x)], axis=1)

    def encode(self, params: dict[str, Array], z: Array, packing: Packing,
               rng: np.random.Generator | None = None, tokens: Array | None = None) -> tuple[Array, Any]:
        """log of the mean of the members' probabilities, as scores (N, K)."""
        parts = np.split(z if tokens is None else z[tokens], len(self.members), axis=1)
        p = np.mean([softmax(network.encode(own, z_m, packing, rng)[0])
                     for (network, own), z_m in zip(self.each(params), parts)], axis=0)
        return np.log(np.maximum(p, np.finfo(p.dtype).tiny)), None

    def scores(self, params: dict[str, Array], words: WordTable, types: Array, packing: Packing) -> Array:
        """Scores (N, K) of packed tokens, nothing dropped."""
        x, _ = self.embed(params, words, types)
        return self.encode(params, self.first(params, x), packing)[0]

    def loss_and_gradient(self, params: dict[str, Array], words: WordTable, types: Array, targets: Array,
                          packing: Packing, rng: np.random.Generator | None) -> tuple[float, dict[str, Any]]:
        """The mean of the members' losses; the gradient of each member's own loss."""
        total, grads = 0.0, dict[str, Any]()
        for m, (network, own) in enumerate(self.each(params)):
            loss, found = network.loss_and_gradient(own, words, types, targets, packing, rng)
            total += loss / len(self.members)
            grads |= {self._name(m, name): gradient for name, gradient in found.items()}
        return total, grads

    def separate(self, grads: dict[str, Any]) -> list[dict[str, Any]]:
        """The gradients of each member, which is trained as if it were alone."""
        return [{name: gradient for name, gradient in grads.items() if name.startswith(f"net{m}.")}
                for m in range(len(self.members))]

    def _name(self, m: int, name: str) -> str:
        shared = name == VECTORS and self.options.freeze_vectors
        return name if shared else f"net{m}.{name}"

    def each(self, params: dict[str, Array]) -> list[tuple[Network, dict[str, Array]]]:
        """Each member with its own parameters under their plain names."""
        return [(network, {name: params[self._name(m, name)] for name in network.shapes()})
                for m, network in enumerate(self.members)]
