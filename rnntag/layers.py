"""The plain layers: embedding, dense, dropout; and the functions they share.

Each layer is a stateless pair, ``forward(...) -> (y, cache)`` directly above
``backward(dy, cache) -> (dx, gradients)``. Sizes: N tokens, F features a token, V rows of a table,
E width of an embedding, I and O widths of input and output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray
HALF = np.array(0.5, np.float32)  # a number would be made an array in each call


class Rows(NamedTuple):
    """A gradient that is zero but for some rows: ``gradient[ids] == values``, ids ascending."""

    ids: Array  # (R,)
    values: Array  # (R, width)

    def dense(self, like: Array) -> Array:
        """The same gradient as an array with the shape and dtype of ``like``."""
        full = np.zeros_like(like)
        full[self.ids] = self.values
        return full


# ------------------------------------------------------------------ functions


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-x)), as (1 + tanh(x/2)) / 2, which cannot overflow."""
    y = np.multiply(x, HALF, out=out)
    np.tanh(y, out=y)
    y *= HALF
    y += HALF
    return y


def relu(x: Array, out: Array | None = None) -> Array:
    """max(0, x)."""
    return np.maximum(x, 0, out=out)


def identity(x: Array, out: Array | None = None) -> Array:
    """x."""
    if out is not None and out is not x:
        out[...] = x
    return x if out is None else out


# name: (function, its derivative written with the function's value y)
ACTIVATIONS: dict[str, tuple[Callable[..., Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (sigmoid, lambda y: y * (1 - y)),
    "relu": (relu, lambda y: (y > 0).astype(y.dtype)),
    "linear": (identity, np.ones_like),
}


def log_sum_exp(x: Array, axis: int = -1) -> Array:
    """log sum exp(x) along an axis, the maximum taken out first."""
    top = x.max(axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.exp(x - top).sum(axis=axis))


def softmax(x: Array) -> Array:
    """p_k = exp(x_k) / sum_j exp(x_j) along the last axis (seed 000, "softmax Function")."""
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p


# ------------------------------------------------------------------ embedding


def embedding_forward(table: Array, ids: Array) -> tuple[Array, Array]:
    """y_n = sum_f table[ids_nf]: with one feature a row look-up, which is one-hot times matrix.

    table (V, E), ids (N, F); returns y (N, E) and the cache.
    """
    if ids.shape[1] == 1:
        return table[ids[:, 0]], ids
    return table[ids].sum(axis=1), ids


def embedding_backward(dy: Array, ids: Array) -> Rows:
    """The gradient of the table: dtable[v] = sum of dy_n over all n, f with ids_nf = v.

    dy (N, E); only the rows that were looked up are in it.
    """
    flat = ids.ravel()
    order = flat.argsort(kind="stable")
    sorted_ids = flat[order]
    begins = np.empty(len(flat), bool)
    begins[:1] = True
    np.not_equal(sorted_ids[1:], sorted_ids[:-1], out=begins[1:])
    first = begins.nonzero()[0]
    return Rows(sorted_ids[first], np.add.reduceat(dy[order // ids.shape[1]], first))


# ------------------------------------------------------------------ dense


def dense_forward(W: Array, b: Array, x: Array, activation: str) -> tuple[Array, Any]:
    """y = f(x W + b) (seed 004, "Dense-Layer").

    x (N, I), W (I, O), b (O,); returns y (N, O) and the cache.
    """
    y = x @ W
    y += b
    y = ACTIVATIONS[activation][0](y, out=y)
    return y, (x, y)


def dense_backward(W: Array, dy: Array, cache: Any, activation: str) -> tuple[Array, Array, Array]:
    """dx = da W', dW = x' da, db = sum da with da = dy f'(a).

    dy (N, O); returns dx (N, I), dW (I, O), db (O,).
    """
    x, y = cache
    da = dy if activation == "linear" else dy * ACTIVATIONS[activation][1](y)
    return da @ W.T, x.T @ da, da.sum(axis=0)


# ------------------------------------------------------------------ dropout


def dropout_forward(x: Array, rate: float, rng: np.random.Generator | None) -> tuple[Array, Any]:
    """y = x m / (1 - rate), m_i = 0 with probability ``rate``: the expectation stays x.

    Without a generator (tagging), or with rate 0, nothing happens. Source: Srivastava et al. 2014.
    """
    if rng is None or rate == 0:
        return x, None
    keep = rng.random(x.shape, dtype=np.float32) >= rate
    mask = keep * x.dtype.type(1 / (1 - rate))
    return x * mask, mask


def dropout_backward(dy: Array, mask: Any) -> Array:
    """dx = dy m / (1 - rate)."""
    return dy if mask is None else dy * mask
