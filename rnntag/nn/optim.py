"""Optimisers, clipping, schedules, averaging.

A gradient is an array, or Rows for a table of which few rows were looked up; then only these rows,
and only their part of the optimiser's state, are touched ("lazy" updates).

With g the gradient, a the step size, m and s state that starts at zero:

    sgd       delta = g                                                    (seed 000, "Weight Update")
    momentum  m = 0.9 m + g                      delta = m                 (Polyak 1964)
    adagrad   s = s + g^2                        delta = g / (sqrt(s) + e) (Duchi et al. 2011)
    rmsprop   s = 0.9 s + 0.1 g^2                delta = g / (sqrt(s) + e) (Tieleman and Hinton 2012)
    adam      m = 0.9 m + 0.1 g                  delta = m' / (sqrt(s') + e)    (Kingma and Ba 2015)
              s = 0.999 s + 0.001 g^2            m' = m / (1 - 0.9^t), s' = s / (1 - 0.999^t)

    W = W - a delta
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .layers import Array, Rows

EPSILON = 1e-8
STATES = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adam": 2}


def change(rule: str, g: Array, state: list[Array], t: int, a: float) -> Array:
    """a delta of one update, a being the step size; the arrays in ``state`` are brought up to date in place.

    t counts updates from 1. What can be written over is: large matrices go through memory each time.
    """
    if rule == "sgd":
        return g * g.dtype.type(a)
    if rule == "momentum":
        (m,) = state
        m *= 0.9
        m += g
        return m * g.dtype.type(a)
    square = g * g
    if rule == "adam":
        m, s = state
        root = math.sqrt(1 - 0.999 ** t)
        step = g - m
        m += np.multiply(step, 0.1, out=step)
        square -= s
        s += np.multiply(square, 0.001, out=square)
        size = np.sqrt(s, out=square)
        size += EPSILON * root
        np.divide(m, size, out=step)
        return np.multiply(step, a * root / (1 - 0.9 ** t), out=step)
    (s,) = state
    if rule == "rmsprop":
        square -= s
        square *= 0.1
    s += square
    size = np.sqrt(s, out=square)
    size += EPSILON
    step = np.divide(g, size, out=size)
    return np.multiply(step, a, out=step)


class Optimizer:
    """One update rule with its state.

    rule            a key of STATES
    embedding_rate  factor on the step size where the gradient is Rows
    t               updates so far
    state           name of a parameter to the rule's arrays, each shaped like it
    average         name to the sum of t * update over the averaged updates, or None
    """

    def __init__(self, rule: str, params: dict[str, Array], trained: Any, embedding_rate: float = 1.0):
        self.rule, self.embedding_rate = rule, embedding_rate
        self.t = 0
        self.state = {name: [np.zeros_like(params[name]) for _ in range(STATES[rule])] for name in trained}
        self.averaged = 0
        self.average: dict[str, Array] | None = None

    def start_average(self, params: dict[str, Array]) -> None:
        """From the next update on, keep what the average of the weights needs."""
        self.average = {name: np.zeros_like(params[name]) for name in self.state}

    def step(self, params: dict[str, Array], grads: dict[str, Array | Rows], rate: float) -> None:
        """Change ``params`` in place by one update with step size ``rate``."""
        self.t += 1
        for name, gradient in grads.items():
            if isinstance(gradient, Rows):
                self._step_rows(name, params[name], gradient, rate * self.embedding_rate)
                continue
            W = params[name]
            step = change(self.rule, gradient, self.state[name], self.t, rate)
            W -= step
            if self.average is not None:
                self.average[name] += np.multiply(step, self.averaged, out=step)
        if self.average is not None:
            self.averaged += 1

    def _step_rows(self, name: str, W: Array, gradient: Rows, rate: float) -> None:
        ids = gradient.ids
        state = [array[ids] for array in self.state[name]]
        step = change(self.rule, gradient.values, state, self.t, rate)
        for array, rows in zip(self.state[name], state):
            array[ids] = rows
        W[ids] -= step
        if self.average is not None:
            self.average[name][ids] += np.multiply(step, self.averaged, out=step)

    def averaged_weights(self, params: dict[str, Array]) -> dict[str, Array]:
        """The mean of the weights after each of the n averaged updates (Polyak and Juditsky 1992).

        With u_i the i-th update, W_k = W_n + sum_{i>k} u_i, hence mean = W_n + sum_i (i-1)/n u_i
        for updates counted from 1: one running sum, of touched rows only.
        """
        if self.average is None or self.averaged == 0:
            return {name: array.copy() for name, array in params.items()}
        mean = {name: array.copy() for name, array in params.items()}
        for name, total in self.average.items():
            mean[name] += total / total.dtype.type(self.averaged)
        return mean


def norm(grads: dict[str, Array | Rows]) -> float:
    """The Euclidean norm of all gradients together."""
    total = 0.0
    for gradient in grads.values():
        flat = (gradient.values if isinstance(gradient, Rows) else gradient).ravel()
        total += float(np.dot(flat, flat))
    return math.sqrt(total)


def clip(grads: dict[str, Array | Rows], threshold: float) -> float:
    """Scale gradients in place so that their norm is at most ``threshold``; returns the norm before.

    g <- g threshold / ||g|| where ||g|| > threshold (seed 002; Pascanu et al. 2013); 0: no limit.
    """
    size = norm(grads)
    if threshold and size > threshold and math.isfinite(size):
        for gradient in grads.values():
            values = gradient.values if isinstance(gradient, Rows) else gradient
            values *= values.dtype.type(threshold / size)
    return size


def schedule(name: str, progress: float) -> float:
    """The factor on the step size when ``progress`` (0 .. 1) of the training is done."""
    if name == "linear":
        return 1 - progress
    if name == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    return 1.0
