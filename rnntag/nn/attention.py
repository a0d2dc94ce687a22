"""Attention: at each step of a decoder, a mean of what an encoder has read, weighed by how well it fits.

    e_ij = score(s_i, h_j)        a_ij = softmax_j e_ij        c_i = sum_j a_ij h_j

s_i are queries, h_j the memory. How well they fit is

    additive    e_ij = v . tanh(s_i W_q + h_j W_k + b)     (Bahdanau et al. 2015)
    dot         e_ij = s_i . (h_j W_k)                     (Luong et al. 2015, there "general")

Sizes: B sentences of T queries and S memories, padded to the longest; Q and M their widths, A the width of the
layer. W_k does not depend on the query, so ``remember`` works it out once for all steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .layers import Array, Layer, Shapes, glorot, softmax


class Memory(NamedTuple):
    """What can be attended to.

    values  (B, S, M)  the h_j
    keys    (B, S, A)  h_j W_k
    inside  (B, S)     which are there; the others are padding
    """

    values: Array
    keys: Array
    inside: Array

    def rows(self, which: Array) -> Memory:
        """The memory of these sentences."""
        return Memory(*(array[which] for array in self))


class AttentionPass(NamedTuple):
    """What attention keeps for the way back; ``hidden`` is what the additive score keeps, tanh(.) (B, T, S, A)."""

    x: Array
    memory: Memory
    weights: Array
    hidden: Array | None


class Attention(Layer):
    """c (B, T, M) and the weights a (B, T, S); a subclass has the score and its gradient."""

    pointwise = False

    def __init__(self, name: str, Q: int, M: int, A: int):
        self.name, self.Q, self.M, self.A = name, Q, M, A

    def remember(self, params: dict[str, Array], values: Array, inside: Array) -> Memory:
        """What ``forward`` attends to, for values (B, S, M), of which those ``inside`` (B, S) are there."""
        return Memory(values, values @ params[f"{self.name}.W_k"], inside)

    def forward(self, params: dict[str, Array], x: Array, memory: Any,
                rng: np.random.Generator | None = None) -> tuple[Array, AttentionPass]:
        """c from queries x (B, T, Q)."""
        scores, hidden = self.scores(params, x, memory.keys)
        weights = softmax(np.where(memory.inside[:, None], scores, -np.inf))
        return weights @ memory.values, AttentionPass(x, memory, weights, hidden)

    def backward(self, params: dict[str, Array], dy: Array, cache: AttentionPass) -> tuple[Any, dict[str, Any]]:
        """(dx, dvalues), and the gradients of the parameters, from dy (B, T, M)."""
        x, memory, a, hidden = cache
        da = dy @ memory.values.swapaxes(1, 2)
        de = a * (da - (a * da).sum(axis=2, keepdims=True))
        dx, dkeys, grads = self.scores_backward(params, de, x, memory.keys, hidden)
        W_k = params[f"{self.name}.W_k"]
        dvalues = a.swapaxes(1, 2) @ dy + dkeys @ W_k.T
        grads[f"{self.name}.W_k"] = memory.values.reshape(-1, self.M).T @ dkeys.reshape(-1, self.A)
        return (dx, dvalues), grads

    def scores(self, params: dict[str, Array], x: Array, keys: Array) -> tuple[Array, Array | None]:
        """e (B, T, S), and what ``scores_backward`` needs besides."""
        raise NotImplementedError

    def scores_backward(self, params: dict[str, Array], de: Array, x: Array, keys: Array,
                        hidden: Any) -> tuple[Array, Array, dict[str, Any]]:
        """dx, dkeys and the gradients of the parameters of the score."""
        raise NotImplementedError


class Dot(Attention):
    """e_ij = s_i . k_j; the width A is that of the queries."""

    def __init__(self, name: str, Q: int, M: int, A: int):
        super().__init__(name, Q, M, Q)

    def shapes(self) -> Shapes:
        return {f"{self.name}.W_k": (self.M, self.A)}

    def scores(self, params: dict[str, Array], x: Array, keys: Array) -> tuple[Array, None]:
        return x @ keys.swapaxes(1, 2), None

    def scores_backward(self, params: dict[str, Array], de: Array, x: Array, keys: Array,
                        hidden: None) -> tuple[Array, Array, dict[str, Any]]:
        return de @ keys, de.swapaxes(1, 2) @ x, {}


class Additive(Attention):
    """e_ij = v . tanh(s_i W_q + k_j + b)."""

    def shapes(self) -> Shapes:
        return {f"{self.name}.W_q": (self.Q, self.A), f"{self.name}.W_k": (self.M, self.A),
                f"{self.name}.b": (self.A,), f"{self.name}.v": (self.A,)}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random weights, v too: with v = 0 neither it nor W_q would have a gradient."""
        return {**super().initialise(rng), f"{self.name}.v": glorot((self.A, 1), rng)[:, 0]}

    def scores(self, params: dict[str, Array], x: Array, keys: Array) -> tuple[Array, Array]:
        hidden = (x @ params[f"{self.name}.W_q"] + params[f"{self.name}.b"])[:, :, None] + keys[:, None]
        np.tanh(hidden, out=hidden)
        return hidden @ params[f"{self.name}.v"], hidden

    def scores_backward(self, params: dict[str, Array], de: Array, x: Array, keys: Array,
                        hidden: Array) -> tuple[Array, Array, dict[str, Any]]:
        W_q, v = params[f"{self.name}.W_q"], params[f"{self.name}.v"]
        da = (1 - hidden * hidden) * v
        da *= de[..., None]
        dquery = da.sum(axis=2)
        flat = dquery.reshape(-1, self.A)
        return dquery @ W_q.T, da.sum(axis=1), {
            f"{self.name}.W_q": x.reshape(-1, self.Q).T @ flat, f"{self.name}.b": flat.sum(axis=0),
            f"{self.name}.v": de.ravel() @ hidden.reshape(-1, self.A)}
