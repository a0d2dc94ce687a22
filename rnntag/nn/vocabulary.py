"""The softmax over a vocabulary of many words, with some of them as candidates in training; drawing from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .layers import Array, DensePass, Rows, Shapes, add_rows, rows_gradient, softmax
from .output import Softmax


class VocabularySoftmax(Softmax):
    """s_t = h_t W' + b, W (V, I) a table with a row for each word, the most frequent ones first.

    table        the name of W
    shared       is that the table in which the input is looked up? (Press and Wolf 2017; Inan et al. 2017)
    candidates   C words compete in an update (``sampled_loss``), 0: all V
    """

    def __init__(self, name: str, table: str, I: int, V: int, shared: bool, candidates: int = 0):
        super().__init__(name, I, V)
        self.W, self.shared = table, shared
        self.frequent = candidates // 2 if 0 < candidates < V else V
        self.drawn = candidates - self.frequent if self.frequent < V else 0

    def shapes(self) -> Shapes:
        return {**({} if self.shared else {self.W: (self.O, self.I)}), self.b: (self.O,)}

    def forward(self, params: dict[str, Array], x: Array, packing: Any = None,
                rng: np.random.Generator | None = None) -> tuple[Array, DensePass]:
        """The scores of all words (N, V)."""
        scores = x @ params[self.W].T
        scores += params[self.b]
        return scores, DensePass(x, scores)

    def backward(self, params: dict[str, Array], dy: Array, cache: DensePass) -> tuple[Array, dict[str, Any]]:
        return dy @ params[self.W], {self.W: dy.T @ cache.x, self.b: dy.sum(axis=0)}

    def sampled_loss(self, params: dict[str, Array], h: Array, targets: Array,
                     rng: np.random.Generator, B: int = 1) -> tuple[float, Array, dict[str, Any]]:
        """- sum_t log p_t(y_t) / B, dh and the gradients, the sum in p_t estimated     (Bengio and Senecal 2008)

        sum_v exp s_v ~ sum of the C/2 most frequent + (V - C/2) / (C/2) sum of C/2 drawn from the others

        exact for the frequent words; a right answer that is none of them stands for itself alone.
        """
        K, M, V = self.frequent, self.drawn, self.O
        if K == V:
            scores, cache = self.forward(params, h)
            loss, dscores, _ = self.loss(params, scores, targets, None)  # type: ignore[arg-type]
            dscores /= B
            return loss / B, *self.backward(params, dscores, cache)
        drawn = K + np.sort(rng.choice(V - K, M, replace=False))
        ids = np.concatenate((np.arange(K), drawn))
        W, b = params[self.W][ids], params[self.b][ids]
        b[K:] += np.log((V - K) / M)
        scores = np.full((len(h), len(ids) + 1), -np.inf, h.dtype)  # the last one: of a right answer that is rare
        np.matmul(h, W.T, out=scores[:, :-1])
        scores[:, :-1] += b
        rare = np.flatnonzero(targets >= K)
        own = targets[rare]
        W_own, h_own = params[self.W][own], h[rare]
        scores[rare, -1] = (W_own * h_own).sum(axis=1) + params[self.b][own]
        place = np.minimum(np.searchsorted(drawn, own), M - 1)
        twice = drawn[place] == own  # drawn as well
        scores[rare[twice], K + place[twice]] = -np.inf

        loss, dscores, _ = self.loss(params, scores, np.where(targets < K, targets, len(ids)),
                                     None)  # type: ignore[arg-type]
        dscores /= B
        dscores, down = dscores[:, :-1], dscores[rare, -1:]
        dh = dscores @ W
        dh[rare] += down * W_own
        dW = add_rows(Rows(ids, dscores.T @ h), rows_gradient(down * h_own, own[:, None]))
        db = add_rows(Rows(ids, dscores.sum(axis=0)), rows_gradient(down[:, 0], own[:, None]))
        return loss / B, dh, {self.W: dW, self.b: db}


def draw(scores: Array, temperature: float, rng: np.random.Generator) -> int:
    """A class drawn with P(k) = softmax(s / T)_k for scores (K,); with T = 0 the one with the highest score."""
    if temperature == 0:
        return int(scores.argmax())
    return int(rng.choice(len(scores), p=softmax(scores.astype(float) / temperature)))
