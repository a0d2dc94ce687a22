"""From the top layer to tags: softmax and linear-chain CRF; loss, gradient, decoding, probabilities.

An output layer is a dense layer whose values are scores (N, K), and what is made of them. scores are packed
(packing.py), targets (N,) are classes 0 .. K-1. The loss is the negative log-likelihood summed over the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .layers import Array, Dense, Shapes, glorot, log_sum_exp, softmax
from .packing import Packing

SAFE = 1e-280  # a sum of products of numbers up to 1 that is larger has lost nothing to underflow


class Softmax(Dense):
    """Each token by itself: p_t = softmax(s_t), s_t = h_t W_o + b_o     (seed 000, "softmax Function")

    Classes may consist of parts, as Case=Nom|Number=Sing does. With M (P, K), M_pk = 1 where class k has part p, the
    score of a class is its own and that of its parts; so a rare class is scored by what common ones taught of them:

        s_t = h_t (W_o + W_p M) + b_o + b_p M;   dW_p = dW_o M', db_p = db_o M'
    """

    def __init__(self, name: str, I: int, K: int, M: Array | None = None):
        super().__init__(f"{name}.W_o", f"{name}.b_o", I, K)
        self.name, self.M = name, M
        self.W_p, self.b_p = f"{name}.W_p", f"{name}.b_p"

    def shapes(self) -> Shapes:
        """W_o (I, K) and b_o (K,); for classes with parts W_p (I, P) and b_p (P,), too."""
        own = {self.W: (self.I, self.O), self.b: (self.O,)}
        return own if self.M is None else {**own, self.W_p: (self.I, len(self.M)), self.b_p: (len(self.M),)}

    def forward(self, params: dict[str, Array], x: Array, packing: Any = None,
                rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        if self.M is None:
            return super().forward(params, x)
        W = params[self.W] + params[self.W_p] @ self.M
        scores = x @ W
        scores += params[self.b] + params[self.b_p] @ self.M
        return scores, (x, W)

    def backward(self, params: dict[str, Array], dy: Array, cache: Any) -> tuple[Array, dict[str, Any]]:
        if self.M is None:
            return super().backward(params, dy, cache)
        x, W = cache
        dW, db = x.T @ dy, dy.sum(axis=0)
        return dy @ W.T, {self.W: dW, self.b: db, self.W_p: dW @ self.M.T, self.b_p: self.M @ db}

    def loss(self, params: dict[str, Array], scores: Array, targets: Array,
             packing: Packing) -> tuple[float, Array, dict[str, Any]]:
        """- sum_t log p_t(y_t), its gradient p - p' with p' one-hot, and those of parameters beyond those of scores.

        (seed 000, "softmax Function Gradient"; the seed's delta is p' - p, the negative.)
        """
        rows = np.arange(len(targets))
        p = scores - scores.max(axis=1, keepdims=True)
        gold = p[rows, targets].sum()
        np.exp(p, out=p)  # in place: with a large vocabulary this is large
        total = p.sum(axis=1, keepdims=True)
        loss = float(np.log(total).sum() - gold)  # -log p, also where p underflows
        p /= total
        p[rows, targets] -= 1
        return loss, p, {}

    def decode(self, params: dict[str, Array], scores: Array, packing: Packing) -> Array:
        """The best class of each token (seed 000, "find_best"): (N,)."""
        return scores.argmax(axis=1)

    def probabilities(self, params: dict[str, Array], scores: Array, packing: Packing, T: float = 1.0) -> Array:
        """P(y_t = k | x) at temperature T, which all scores are divided by: (N, K)."""
        return softmax(scores / T)


class CRF(Softmax):
    """All tags of a sentence together     (Lafferty et al. 2001)

    s(y) = start[y_1] + sum_t scores[t, y_t] + sum_t transition[y_{t-1}, y_t] + end[y_T]
    P(y | x) = exp s(y) / Z,  Z = sum over all tag sequences, by the forward algorithm

    Computed in float64: the recursions multiply as many factors as a sentence has words. Weights may be as far
    apart as floats are: what is lost then is what a sum of them does not hold in its 16 digits.
    """

    def shapes(self) -> Shapes:
        """Besides those of the scores: transition (K, K) from row to column, start (K,), end (K,)."""
        K = self.O
        return {**super().shapes(), f"{self.name}.transition": (K, K), f"{self.name}.start": (K,),
                f"{self.name}.end": (K,)}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random weights of the scores; transitions 0."""
        zeros = {name: np.zeros(shape) for name, shape in self.shapes().items()}
        return {**zeros, **{name: glorot(zeros[name].shape, rng) for name in (self.W, self.W_p) if name in zeros}}

    def loss(self, params: dict[str, Array], scores: Array, targets: Array,
             packing: Packing) -> tuple[float, Array, dict[str, Any]]:
        """log Z - s(y), its gradient for the scores (marginals - one-hot) and for the transitions."""
        dtype, scores = scores.dtype, scores.astype(np.float64)
        transition, start, end = self._transitions(params)
        alpha, beta, log_z = forward_backward(transition, start, end, scores, packing)
        B, N = len(packing.lengths), len(packing)
        rows, last = np.arange(N), packing.last - B
        after = np.flatnonzero(packing.time)  # tokens with a token before them
        before = packing.previous[after] - B

        gold = (scores[rows, targets].sum() + start[targets[:B]].sum() + end[targets[last]].sum()
                + transition[targets[before], targets[after]].sum())
        dscores = softmax(alpha + beta)  # marginals
        dstart, dend = dscores[:B].sum(axis=0), dscores[last].sum(axis=0)
        dtransition = _pairs(alpha[before], transition, scores[after] + beta[after])
        dscores[rows, targets] -= 1
        np.subtract.at(dstart, targets[:B], 1)
        np.subtract.at(dend, targets[last], 1)
        np.subtract.at(dtransition, (targets[before], targets[after]), 1)
        grads = {"transition": dtransition, "start": dstart, "end": dend}
        return float(log_z.sum() - gold), dscores.astype(dtype), {
            f"{self.name}.{key}": gradient.astype(dtype) for key, gradient in grads.items()}

    def decode(self, params: dict[str, Array], scores: Array, packing: Packing) -> Array:
        """The best tag sequence of each sentence (Viterbi 1967): (N,) classes."""
        transition, start, end = self._transitions(params)
        scores = scores.astype(np.float64)
        B = len(packing.lengths)
        best = scores.copy()  # best[t, k]: score of the best sequence that ends in k at t
        best[:B] += start
        came = np.zeros(scores.shape, np.intp)  # the tag before on that sequence
        for rows, before in packing.steps[1:]:
            paths = best[before, :, None] + transition
            came[rows] = paths.argmax(axis=1)
            best[rows] += np.take_along_axis(paths, came[rows][:, None], axis=1)[:, 0]
        tags = np.empty(len(packing), np.intp)
        last = packing.last - B
        tags[last] = (best[last] + end).argmax(axis=1)
        for rows, before in reversed(packing.steps[1:]):
            here = np.arange(rows.start, rows.stop)
            tags[before] = came[here, tags[here]]
        return tags

    def probabilities(self, params: dict[str, Array], scores: Array, packing: Packing, T: float = 1.0) -> Array:
        """Marginals P(y_t = k | x) at temperature T, which scores and transitions are divided by: (N, K)."""
        transition, start, end = self._transitions(params)
        alpha, beta, _ = forward_backward(transition / T, start / T, end / T, scores.astype(np.float64) / T, packing)
        return softmax(alpha + beta)

    def _transitions(self, params: dict[str, Array]) -> tuple[Array, Array, Array]:
        transition, start, end = (params[f"{self.name}.{key}"].astype(np.float64)
                                  for key in ("transition", "start", "end"))
        return transition, start, end


def forward_backward(transition: Array, start: Array, end: Array, scores: Array,
                     packing: Packing) -> tuple[Array, Array, Array]:
    """alpha, beta (N, K), each row less some number, which keeps them near 0, and log Z (B,); all in logarithms:

    alpha_t[k] = score_t[k] + log sum_j exp(alpha_{t-1}[j] + transition[j, k])
    beta_t[k]  = log sum_j exp(transition[k, j] + score_{t+1}[j] + beta_{t+1}[j])
    """
    B = len(packing.lengths)
    last, top = packing.last - B, transition.max()
    E = np.exp(transition - top)
    alpha, beta, less = scores.copy(), np.empty_like(scores), np.empty(len(scores))
    alpha[:B] += start
    less[:B] = _centre(alpha[:B])
    for rows, before in packing.steps[1:]:
        sums, number = _log_product(alpha[before], transition, E, top, scores[rows])
        alpha[rows] += sums
        less[rows] = number + _centre(alpha[rows])
    beta[last] = end
    for rows, before in reversed(packing.steps[1:]):
        x = scores[rows] + beta[rows]
        _centre(x)
        beta[before] = _log_product(x, transition.T, E.T, top, scores[before])[0]
    return alpha, beta, np.bincount(packing.sentence, less) + log_sum_exp(alpha[last] + end)


def _centre(x: Array) -> Array:
    """Take each row's maximum out of it, and return these."""
    top = x.max(axis=1)
    x -= top[:, None]
    return top


def _log_product(x: Array, W: Array, E: Array, top: float, scores: Array) -> tuple[Array, Array | float]:
    """log(exp(x) exp(W)) less a number for each row, and that number; the maximum of each row of x is 0.

    One product with E = exp(W - top), unless underflow can have had a part in it. Then it is done term by term,
    and what is near 0 in the end are the entries that are largest with ``scores`` added.
    """
    y = np.exp(x) @ E
    if y.min() > SAFE:
        return np.log(y), top
    highest = np.stack([(x + column).max(axis=1) for column in W.T], axis=1)
    number = highest[np.arange(len(x)), (scores + highest).argmax(axis=1)]
    sums = [log_sum_exp(x + (column - most[:, None])) for column, most in zip(W.T, highest.T)]
    return np.stack(sums, axis=1) + (highest - number[:, None]), number


def _pairs(left: Array, W: Array, right: Array) -> Array:
    """The expected number of each pair of tags (K, K), for P(i, j) ~ exp(left_i + W_ij + right_j) in each row."""
    _centre(right)
    a, E, b = np.exp(left), np.exp(W - W.max()), np.exp(right)
    total = ((a @ E) * b).sum(axis=1)
    if total.min(initial=1) > SAFE:
        return E * ((a / total[:, None]).T @ b)
    parts = (softmax((W + (i[:, None] + j)).ravel()) for i, j in zip(left, right))
    return sum(parts, np.zeros(W.size)).reshape(W.shape)
