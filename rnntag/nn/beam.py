"""Beam search: the most probable sequences of a model that predicts one symbol after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .layers import Array


class Hypothesis(NamedTuple):
    """A whole sequence without its end, and log P of it, the end included."""

    symbols: list[int]
    log_probability: float


Step = Callable[[Array, Array, Array], tuple[Array, Array]]


def search(step: Step, state: Array, limits: Array, end: int, width: int) -> list[list[Hypothesis]]:
    """The ``width`` most probable sequences that a beam of this width finds for each of B sources, best first.

        log P(y) = sum_i log P(y_i | y_1 .. y_{i-1}),  y_I = end

    After every step, the ``width`` best beginnings of each source are kept. A sequence that has ended stays among
    them as it is. With width 1 this is the greedy choice of each symbol.

    step     (state, symbols, sources) to log P of the next symbol (B, width, V) and the new state, for ``width``
             beginnings of each of the sources (B,), of which these are the last symbols (B, width), at first ``end``
    state    (..., B, H) before the first step; from then on (..., B * width, H)
    limits   (B,) the most symbols that each sequence can have before its end
    """
    alive, found = np.arange(len(limits)), [[] for _ in limits]  # type: tuple[Array, list[list[Hypothesis]]]
    state = np.repeat(state, width, axis=-2)
    scores = np.full((len(limits), width), -np.inf)
    scores[:, 0] = 0
    done = np.zeros(scores.shape, bool)
    symbols = np.full((*scores.shape, 1), end)
    while len(alive):
        B, length = len(alive), symbols.shape[2]
        log_p, state = step(state, symbols[:, :, -1], alive)
        V, paths = log_p.shape[2], log_p.astype(np.float64)
        last = limits[alive] < length  # no room for another symbol
        ends = np.where(done, 0.0, paths[..., end])
        paths[done | last[:, None]] = -np.inf
        paths[..., end] = ends
        paths = (paths + scores[..., None]).reshape(B, -1)
        best = _best(paths, width)
        scores = np.take_along_axis(paths, best, axis=1)
        rows = np.arange(B)[:, None]
        parent, new = np.divmod(best, V)
        symbols = np.concatenate((symbols[rows, parent], new[..., None]), axis=2)
        done = new == end
        over = (done | np.isneginf(scores)).all(axis=1)
        for row in np.flatnonzero(over):
            found[alive[row]] = _hypotheses(symbols[row], scores[row], end)
        kept = np.flatnonzero(~over)
        state = state[..., ((rows * width + parent)[kept]).ravel(), :]
        alive, scores, done, symbols = alive[kept], scores[kept], done[kept], symbols[kept]
    return found


def _best(values: Array, count: int) -> Array:
    """Where the ``count`` largest of each row (B, N) are, the largest first."""
    found = np.argpartition(values, -count, axis=1)[:, -count:]
    found.sort(axis=1)  # of equal ones the first comes first
    order = np.argsort(-np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def _hypotheses(symbols: Array, scores: Array, end: int) -> list[Hypothesis]:
    return [Hypothesis([k for k in row if k != end], score)
            for row, score in zip(symbols[:, 1:].tolist(), scores.tolist()) if score > -np.inf]
