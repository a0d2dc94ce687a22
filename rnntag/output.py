"""From scores to tags: softmax and linear-chain CRF; loss, gradient, decoding, probabilities.

Both have the same methods. scores (N, K) are packed time-major (rnn.py), targets (N,) are classes
0 .. K-1. The loss is the negative log-likelihood summed over the batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .layers import Array, log_sum_exp, softmax
from .rnn import Packing


class Posteriors(NamedTuple):
    """What the network makes of a sentence of T words.

    tags           the decoded tags, those that ``tag`` gives
    probabilities  P(y_t = k | x) for each word and tag (T, K): softmax, or the CRF's marginals
    tag_set        the names of the K tags
    """

    tags: list[str]
    probabilities: Array
    tag_set: list[str]

    def best(self, count: int = 1) -> list[list[tuple[str, float]]]:
        """For each word its decoded tag, then the others by falling probability, ``count`` in all.

        A CRF decodes the best sequence: another tag may be more probable at one word alone, and
        comes second.
        """
        found = []
        for tag, row in zip(self.tags, self.probabilities):
            own = self.tag_set.index(tag)
            order = [own] + [k for k in np.argsort(-row, kind="stable")[:count].tolist() if k != own]
            found.append([(self.tag_set[k], float(row[k])) for k in order[:count]])
        return found


class Softmax:
    """Each token by itself: p_t = softmax(s_t)     (seed 000, "softmax Function")"""

    @staticmethod
    def shapes(tags: int) -> dict[str, tuple[int, ...]]:
        """Softmax has no parameters beyond the output layer's W_o and b_o."""
        return {}

    @staticmethod
    def loss(params: dict[str, Array], scores: Array, targets: Array,
             packing: Packing) -> tuple[float, Array, dict[str, Array]]:
        """- sum_t log p_t(y_t), its gradient p - p' with p' one-hot, and no further gradients.

        (seed 000, "softmax Function Gradient"; the seed's delta is p' - p, the negative.)
        """
        rows = np.arange(len(targets))
        scores = scores - scores.max(axis=1, keepdims=True)
        p = np.exp(scores)
        total = p.sum(axis=1, keepdims=True)
        loss = float(np.log(total).sum() - scores[rows, targets].sum())  # -log p, also where p underflows
        p /= total
        p[rows, targets] -= 1
        return loss, p, {}

    @staticmethod
    def decode(params: dict[str, Array], scores: Array, packing: Packing) -> Array:
        """The best class of each token (seed 000, "find_best"): (N,)."""
        return scores.argmax(axis=1)

    @staticmethod
    def probabilities(params: dict[str, Array], scores: Array, packing: Packing) -> Array:
        """P(y_t = k | x): (N, K)."""
        return softmax(scores)


class CRF:
    """All tags of a sentence together     (Lafferty et al. 2001)

    s(y) = start[y_1] + sum_t scores[t, y_t] + sum_t transition[y_{t-1}, y_t] + end[y_T]
    P(y | x) = exp s(y) / Z,  Z = sum over all tag sequences, by the forward algorithm

    Computed in float64: the recursions multiply as many factors as a sentence has words.
    """

    @staticmethod
    def shapes(tags: int) -> dict[str, tuple[int, ...]]:
        """transition (K, K) from row to column, start (K,), end (K,)."""
        return {"output.transition": (tags, tags), "output.start": (tags,), "output.end": (tags,)}

    @classmethod
    def loss(cls, params: dict[str, Array], scores: Array, targets: Array,
             packing: Packing) -> tuple[float, Array, dict[str, Array]]:
        """log Z - s(y), its gradient for the scores (marginals - one-hot) and for the parameters."""
        dtype, scores = scores.dtype, scores.astype(np.float64)
        transition, start, end = _weights(params)
        alpha, beta, log_z = _forward_backward(params, scores, packing)
        B, N = len(packing.lengths), len(packing)
        rows, last = np.arange(N), packing.last - B
        after = np.flatnonzero(packing.time)  # tokens with a token before them
        before = packing.previous[after] - B

        gold = (scores[rows, targets].sum() + start[targets[:B]].sum() + end[targets[last]].sum()
                + transition[targets[before], targets[after]].sum())
        dscores = np.exp(alpha + beta - log_z[packing.sentence, None])  # marginals
        dstart, dend = dscores[:B].sum(axis=0), dscores[last].sum(axis=0)
        # P(y_{t-1} = i, y_t = j) = exp(alpha_i + transition_ij + score_j + beta_j - log Z); halving
        # log Z between the two factors keeps both in range
        left = alpha[before] - log_z[packing.sentence[after], None] / 2
        right = scores[after] + beta[after] - log_z[packing.sentence[after], None] / 2
        top_l, top_r = left.max(axis=1, keepdims=True), right.max(axis=1, keepdims=True)
        dtransition = np.exp(transition) * ((np.exp(left - top_l) * np.exp(top_l + top_r)).T
                                            @ np.exp(right - top_r))
        dscores[rows, targets] -= 1
        np.subtract.at(dstart, targets[:B], 1)
        np.subtract.at(dend, targets[last], 1)
        np.subtract.at(dtransition, (targets[before], targets[after]), 1)
        grads = {"output.transition": dtransition, "output.start": dstart, "output.end": dend}
        return float(log_z.sum() - gold), dscores.astype(dtype), {k: g.astype(dtype) for k, g in grads.items()}

    @staticmethod
    def decode(params: dict[str, Array], scores: Array, packing: Packing) -> Array:
        """The best tag sequence of each sentence (Viterbi 1967): (N,) classes."""
        transition, start, end = _weights(params)
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

    @staticmethod
    def probabilities(params: dict[str, Array], scores: Array, packing: Packing) -> Array:
        """Marginals P(y_t = k | x): (N, K)."""
        alpha, beta, log_z = _forward_backward(params, scores.astype(np.float64), packing)
        return np.exp(alpha + beta - log_z[packing.sentence, None])


def _weights(params: dict[str, Array]) -> tuple[Array, Array, Array]:
    return tuple(params[f"output.{name}"].astype(np.float64) for name in ("transition", "start", "end"))


def _forward_backward(params: dict[str, Array], scores: Array, packing: Packing) -> tuple[Array, Array, Array]:
    """alpha, beta (N, K) and log Z (B,), all in logarithms:

    alpha_t[k] = score_t[k] + log sum_j exp(alpha_{t-1}[j] + transition[j, k])
    beta_t[k]  = log sum_j exp(transition[k, j] + score_{t+1}[j] + beta_{t+1}[j])
    """
    transition, start, end = _weights(params)
    B = len(packing.lengths)
    E = np.exp(transition - transition.max())
    alpha, beta = scores.copy(), np.empty_like(scores)
    alpha[:B] += start
    for rows, before in packing.steps[1:]:
        alpha[rows] += _log_product(alpha[before], E) + transition.max()
    last = packing.last - B
    beta[last] = end
    for rows, before in reversed(packing.steps[1:]):
        beta[before] = _log_product(scores[rows] + beta[rows], E.T) + transition.max()
    return alpha, beta, log_sum_exp(alpha[last] + end)


def _log_product(x: Array, E: Array) -> Array:
    """log(exp(x) E) for rows x, the maximum of each taken out first."""
    top = x.max(axis=1, keepdims=True)
    return np.log(np.maximum(np.exp(x - top) @ E, np.finfo(x.dtype).tiny)) + top


OUTPUTS: dict[str, type[Softmax] | type[CRF]] = {"softmax": Softmax, "crf": CRF}
