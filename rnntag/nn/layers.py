"""The contract of a layer, the plain ones (embedding, dense, dropout), and the functions they share.

A layer is an object that knows its name and its sizes. It keeps nothing between ``forward`` and ``backward``:
parameters come in a flat dict of named arrays, and what ``backward`` needs goes out of ``forward`` as the cache.
Sizes: N tokens, F features a token, V rows of a table, E width of an embedding, I and O widths of input and output.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray
Shapes = dict[str, tuple[int, ...]]
BLOCK = 512  # rows whose sum is made before the next ones: they stay in the processor's cache
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


class Layer:
    """What every layer has; a network is a list of them.

    pointwise   is the output for a token made from that token alone?
    """

    pointwise = True

    def shapes(self) -> Shapes:
        """Name and shape of each parameter."""
        return {}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random parameters: matrices uniform in +-sqrt(6 / (in + out)) (Glorot and Bengio 2010), biases 0."""
        return {name: glorot(shape, rng) if len(shape) > 1 else np.zeros(shape)
                for name, shape in self.shapes().items()}

    def forward(self, params: dict[str, Array], x: Any, packing: Any,
                rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        """y (N, O) and the cache, from x (N, I); with a generator as in training."""
        raise NotImplementedError

    def backward(self, params: dict[str, Array], dy: Array, cache: Any) -> tuple[Any, dict[str, Any]]:
        """dx, and the gradient of each parameter: an array, or Rows for a table."""
        raise NotImplementedError


def glorot(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Uniform in +-sqrt(6 / (in + out)) (Glorot and Bengio 2010)."""
    bound = math.sqrt(6 / sum(shape))
    return rng.uniform(-bound, bound, shape)


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


def log_softmax(x: Array) -> Array:
    """log p_k of ``softmax``, also where p_k underflows."""
    return x - log_sum_exp(x)[..., None]


def softmax(x: Array) -> Array:
    """p_k = exp(x_k) / sum_j exp(x_j) along the last axis (seed 000, "softmax Function")."""
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p


# ------------------------------------------------------------------ layers


class Embedding(Layer):
    """y_n = sum_f table[ids_nf]: with one feature a row look-up, which is one-hot times matrix.

    nothing   row 0 is zero and stays so: it pads sets of ids that are not equally large
    """

    def __init__(self, name: str, V: int, E: int, nothing: bool = False):
        self.name, self.V, self.E, self.nothing = name, V, E, nothing

    def shapes(self) -> Shapes:
        return {self.name: (self.V, self.E)}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        table = rng.normal(0, 0.3, (self.V, self.E))
        table[:int(self.nothing)] = 0
        return {self.name: table}

    def forward(self, params: dict[str, Array], x: Array, packing: Any = None,
                rng: np.random.Generator | None = None) -> tuple[Array, Array]:
        """x (N, F) are ids."""
        return look_up(params[self.name], x), x

    def backward(self, params: dict[str, Array], dy: Array, cache: Array) -> tuple[None, dict[str, Any]]:
        rows = rows_gradient(dy, cache)
        start = int(self.nothing and len(rows.ids) > 0 and rows.ids[0] == 0)
        return None, {self.name: Rows(rows.ids[start:], rows.values[start:])}


def look_up(table: Array, ids: Array) -> Array:
    """sum_f table[ids_nf], for table (V, E) and ids (N, F): (N, E)."""
    x = np.empty((len(ids), table.shape[1]), table.dtype)
    room = np.empty_like(x[:BLOCK])
    for start in range(0, len(ids), BLOCK):
        y = x[start:start + BLOCK]
        first, *others = ids[start:start + BLOCK].T
        y[:] = table[first]
        for column in others:
            y += np.take(table, column, axis=0, out=room[:len(y)], mode="clip")
    return x


def rows_gradient(dy: Array, ids: Array) -> Rows:
    """The gradient of the table in ``look_up``: dtable[v] = sum of dy_n over all n, f with ids_nf = v.

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


def add_rows(gradient: Array | Rows, more: Rows) -> Array | Rows:
    """The sum of two gradients of one table; an array is changed in place."""
    if isinstance(gradient, Rows):
        ids, values = (np.concatenate(parts) for parts in zip(gradient, more))
        return rows_gradient(values, ids[:, None])
    gradient[more.ids] += more.values
    return gradient


class DensePass(NamedTuple):
    """What a dense layer keeps for the way back."""

    x: Array
    y: Array


class Dense(Layer):
    """y = f(x W + b) (seed 004, "Dense-Layer"); dx = da W', dW = x' da, db = sum da with da = dy f'(a)."""

    def __init__(self, W: str, b: str, I: int, O: int, activation: str = "linear"):
        self.W, self.b, self.I, self.O, self.activation = W, b, I, O, activation

    def shapes(self) -> Shapes:
        return {self.W: (self.I, self.O), self.b: (self.O,)}

    def forward(self, params: dict[str, Array], x: Array, packing: Any = None,
                rng: np.random.Generator | None = None) -> tuple[Array, DensePass]:
        y = x @ params[self.W]
        y += params[self.b]
        y = ACTIVATIONS[self.activation][0](y, out=y)
        return y, DensePass(x, y)

    def backward(self, params: dict[str, Array], dy: Array, cache: DensePass) -> tuple[Array, dict[str, Any]]:
        da = dy if self.activation == "linear" else dy * ACTIVATIONS[self.activation][1](cache.y)
        return da @ params[self.W].T, {self.W: cache.x.T @ da, self.b: da.sum(axis=0)}


class Dropout(Layer):
    """y = x m / (1 - rate), m_i = 0 with probability ``rate``: the expectation stays x (Srivastava et al. 2014).

    Without a generator (tagging), or with rate 0, nothing happens. dx = dy m / (1 - rate).
    """

    def __init__(self, rate: float):
        self.rate = rate

    def forward(self, params: dict[str, Array], x: Array, packing: Any = None,
                rng: np.random.Generator | None = None) -> tuple[Array, Array | None]:
        if rng is None or self.rate == 0:
            return x, None
        keep = rng.random(x.shape, dtype=np.float32) >= self.rate
        mask = keep * x.dtype.type(1 / (1 - self.rate))
        return x * mask, mask

    def backward(self, params: dict[str, Array], dy: Array, cache: Array | None) -> tuple[Array, dict[str, Any]]:
        return (dy if cache is None else dy * cache), {}
