"""Several networks as one: what each gets wrong by chance, the mean of all gets right more often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..nn.layers import Array, Shapes, softmax
from ..nn.packing import Lookup, Packing
from ..text.features import WordTable
from .network import Network


class Ensemble:
    """Several networks with the same options and other random weights: P(y | x) is the mean of theirs.

    They are trained side by side on the same batches, each by its own loss. It has the methods of
    Network; the parameters of member m are named ``net0.`` and so on. Frozen vectors are shared.
    """

    def __init__(self, members: list[Network], shared: tuple[str, ...] = ()):
        self.members, self.shared, self.outputs = members, shared, members[0].outputs

    def shapes(self) -> Shapes:
        """Name and shape of every parameter."""
        return {self._name(m, name): shape for m, network in enumerate(self.members)
                for name, shape in network.shapes().items()}

    def initialise(self, rng: np.random.Generator, dtype: str = "float32") -> dict[str, Array]:
        """Random parameters, others for each member."""
        return {self._name(m, name): array for m, network in enumerate(self.members)
                for name, array in network.initialise(rng, dtype).items()}

    def networks(self, params: dict[str, Array]) -> list[tuple[Network, dict[str, Array]]]:
        """Each member with its parameters under their plain names."""
        return [(network, {name: params[self._name(m, name)] for name in network.shapes()})
                for m, network in enumerate(self.members)]

    def separate(self, grads: dict[str, Any]) -> list[dict[str, Any]]:
        """The gradients of each member, which is trained as if it were alone."""
        return [{name: gradient for name, gradient in grads.items() if name.startswith(f"net{m}.")}
                for m in range(len(self.members))]

    def input_projection(self, params: dict[str, Array], words: WordTable, types: Array) -> Array:
        """What the ``input_projection`` of each member gives, side by side."""
        return np.concatenate([network.input_projection(alone, words, types)
                               for network, alone in self.networks(params)], axis=1)

    def projected(self, params: dict[str, Array], x: Array) -> Array:
        """The same from what the inputs give, side by side (N, M E)."""
        parts = np.split(x, len(self.members), axis=1)
        return np.concatenate([network.projected(alone, part)
                               for (network, alone), part in zip(self.networks(params), parts)], axis=1)

    def scores(self, params: dict[str, Array], z: Array, packing: Packing, tokens: Array | None = None,
               which: Sequence[int] = (0,)) -> list[Array]:
        """log of the mean of the members' probabilities, as scores (N, K) of some columns."""
        M = len(self.members)
        z, tokens = z.reshape(-1, z.shape[1] // M), np.arange(len(z)) if tokens is None else tokens
        answers = [network.scores(alone, z, packing, tokens * M + m, which)  # a word has a row for each member
                   for m, (network, alone) in enumerate(self.networks(params))]
        return [_log_mean(column) for column in zip(*answers)]

    def loss_and_gradient(self, params: dict[str, Array], words: WordTable, types: Array, targets: Array,
                          packing: Packing, rng: np.random.Generator | None) -> tuple[float, dict[str, Any]]:
        """The mean of the members' losses; the gradient of each member's loss."""
        total, grads = 0.0, dict[str, Any]()
        for m, (network, alone) in enumerate(self.networks(params)):
            loss, of_member = network.loss_and_gradient(alone, words, types, targets, packing, rng)
            total += loss / len(self.members)
            grads |= {self._name(m, name): gradient for name, gradient in of_member.items()}
        return total, grads

    def _name(self, m: int, name: str) -> str:
        return name if name in self.shared else f"net{m}.{name}"


class Cascade(Ensemble):
    """An ensemble whose first member answers alone where it is sure (Wang et al. 2022, "Wisdom of Committees").

    sure   the others are asked about a column of a token where the first gives none of its classes this probability

    Its members are convolutions of one layer, which can score a token without the others. Of a word, the first one's
    projection is kept, and what the inputs of the other members give, for they are asked about few words again.
    """

    def __init__(self, members: list[Network], shared: tuple[str, ...], sure: float):
        super().__init__(members, shared)
        self.sure = sure

    def input_projection(self, params: dict[str, Array], words: WordTable, types: Array) -> Array:
        return self.projected(params, np.concatenate([network.inputs.forward(alone, words, types)[0]
                                                      for network, alone in self.networks(params)], axis=1))

    def projected(self, params: dict[str, Array], x: Array) -> Array:
        E, (first, alone) = x.shape[1] // len(self.members), self.networks(params)[0]
        return first.first.beside(first.projected(alone, x[:, :E]), x[:, E:])

    def scores(self, params: dict[str, Array], z: Array, packing: Packing, tokens: Array | None = None,
               which: Sequence[int] = (0,)) -> list[Array]:
        """log of the mean of the members' probabilities, as scores (N, K) of some columns; where the first is sure,
        its scores."""
        (first, alone), *others = self.networks(params)
        tokens, width, E = np.arange(len(z)) if tokens is None else tokens, first.first.width, first.first.I
        found = first.scores(alone, z, packing, tokens, which)
        unsure = [~_reached(scores, self.sure) for scores in found]
        rows = np.flatnonzero(np.logical_or.reduce(unsure))
        if len(rows):
            inputs = z[:, width:width + E * len(others)]
            windows = np.split(first.first.around(Lookup(inputs, tokens), rows, packing), len(others), axis=2)
            more = [network.scores_of(alone, network.first.answer(alone, window), packing, which)
                    for (network, alone), window in zip(others, windows)]
            for scores, here, *column in zip(found, unsure, *more):
                scores[here] = _log_mean([scores[here], *(part[here[rows]] for part in column)])
        return found


def _reached(scores: Array, p: float) -> Array:
    """Of which tokens (N,) has a class at least the probability p? Of none whose scores are out of exp's range."""
    exp, K = np.exp(scores), scores.shape[1]
    total = exp @ np.ones(K, exp.dtype)  # products take less time than a sum, or any, of many short rows
    return (exp >= p * total[:, None]) @ np.ones(K, bool) & (0 < total) & (total < np.inf)


def _log_mean(scores: Sequence[Array]) -> Array:
    """log of the mean of the probabilities that several scores (N, K) are of."""
    p = softmax(scores[0])
    for more in scores[1:]:
        p += softmax(more)
    p /= len(scores)
    np.maximum(p, np.finfo(p.dtype).tiny, out=p)
    return np.log(p, out=p)
