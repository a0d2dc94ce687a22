"""A cell over time: packing, direction, full gradient or truncated back-propagation.

A batch of B sentences, longest first, is packed time-major: step t is a block of the b_t sentences
that are at least t+1 long, and the blocks follow each other, N rows in all. A batch of one sentence
is the same thing with b_t = 1. States have B rows more, in front: the state before the first step.

    tokens   step 0: b_0 rows | step 1: b_1 rows | ...                       (N rows)
    states   before: B rows   | step 0: b_0 rows | step 1: b_1 rows | ...    (B + N rows)

The backward direction runs the same loop over the same blocks; only its input and output are
permuted by an index array that reverses each sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from .cells import Elman
from .layers import Array

DIRECTIONS = ("fwd", "bwd")


class Packing:
    """Where the tokens of a batch stand.

    lengths   (B,)  of the sentences, descending, each at least 1
    time, sentence  (N,)  of each token row: its step, and which sentence it is of
    reverse   (N,)  token row of the mirrored position in the same sentence; its own inverse
    previous  (N,)  state row of the step before each token
    last      (B,)  state row of each sentence's last step
    steps     for each t: slices of token rows, of state rows before, of state rows after
    """

    def __init__(self, lengths: tuple[int, ...]):
        L = self.lengths = np.array(lengths)
        B = len(L)
        self.time, self.sentence = np.nonzero(np.arange(L[0])[:, None] < L)
        sizes = np.bincount(self.time)
        starts = np.cumsum(sizes) - sizes
        before = np.concatenate(([-B], starts[:-1]))  # start of the block before, among tokens
        self.reverse = starts[L[self.sentence] - 1 - self.time] + self.sentence
        self.previous = B + before[self.time] + self.sentence
        self.last = B + starts[L - 1] + np.arange(B)
        self.steps = [(slice(s, s + b), slice(B + p, B + p + b), slice(B + s, B + s + b))
                      for s, p, b in zip(starts.tolist(), before.tolist(), sizes.tolist())]

    def __len__(self) -> int:
        return len(self.time)


@lru_cache(maxsize=512)
def pack(lengths: tuple[int, ...]) -> Packing:
    """The packing of a batch whose sentences have these lengths, longest first."""
    return Packing(lengths)


# ------------------------------------------------------------------ one cell over time


def run(cell: Elman, W_h: Array, z: Array, packing: Packing, initial: Array | None = None) -> Array:
    """All states of a sequence, each direction in its own reading order.

    W_h (n, D, H, H), z (n, D, N, H) in reading order, overwritten by gated cells,
    initial (S, D, B, H) or None for zeros; returns states (S, D, B + N, H).
    """
    n, D, _, H = z.shape
    B = len(packing.lengths)
    states = np.empty((cell.states, D, B + len(packing), H), z.dtype)
    states[:, :, :B] = 0 if initial is None else initial
    room = np.empty((n, D, B, H), z.dtype)
    forward = cell.forward
    for rows, prev, now in packing.steps:
        forward(W_h, z[:, :, rows], states[:, :, prev], states[:, :, now],
                room[:, :, :rows.stop - rows.start])
    return states


def run_back(cell: Elman, W_h: Array, z: Array, states: Array, dh: Array, packing: Packing,
             bptt: int = 0) -> tuple[Array, Array, Array]:
    """The gradient of ``run``: from d loss / d h_t to d loss / d z_t, the start, and W_h.

    dh (D, N, H) in reading order. ``bptt`` 0 is the full gradient by dynamic programming; N > 0
    stops each output's error after N steps back (seed 000, "BPTT? Full Gradient?").
    Returns dz (n, D, N, H), dinitial (S, D, B, H), dW_h (n, D, H, H).
    """
    B = len(packing.lengths)
    prev_states = states[:, :, packing.previous]
    slopes = cell.slopes(z, prev_states, states[:, :, B:])
    if bptt:
        dz, dinitial = np.zeros_like(z), np.zeros_like(states[:, :, :B])
        for _, dz_k, dbefore in errors_back(cell, W_h, slopes, dh, packing, bptt):
            dz += dz_k
            dinitial += dbefore[:, :, :B]
    else:
        dz = np.empty_like(z)
        dstates = np.zeros_like(states)
        dstates[0, :, B:] = dh
        backward = cell.backward
        for rows, prev, now in reversed(packing.steps):
            backward(W_h, [slope[:, rows] for slope in slopes],
                     dstates[:, :, now], dstates[:, :, prev], dz[:, :, rows])
        dinitial = dstates[:, :, :B]
    return dz, dinitial, cell.recurrent_gradient(z, prev_states, dz)


def errors_back(cell: Elman, W_h: Array, slopes: tuple[Array, ...], dh: Array, packing: Packing,
                steps: int) -> Iterator[tuple[Array, Array, Array]]:
    """The errors of all outputs, one step further back each time, all outputs at once.

    Yields for k = 0 .. steps: d loss_{t+k} / d state_t (S, D, N, H) for every t, the same at z
    (n, D, N, H), and at the states before (S, D, B + N, H). Each k is one product with W_h over the
    whole batch (seed 003, "Backpropagation Through Time": the sum over i of the part from j).
    """
    B, N = len(packing.lengths), len(packing)
    dstates = np.zeros((cell.states, *dh.shape), dh.dtype)
    dstates[0] = dh
    for _ in range(min(steps, len(packing.steps) - 1) + 1):
        dz = np.empty((cell.gates, *dh.shape), dh.dtype)
        dprev = np.zeros_like(dstates)
        cell.backward(W_h, slopes, dstates, dprev, dz)
        before = np.zeros((cell.states, dh.shape[0], B + N, dh.shape[2]), dh.dtype)
        before[:, :, packing.previous] = dprev  # each state has one successor at most
        yield dstates, dz, before
        dstates = before[:, :, B:]


# ------------------------------------------------------------------ a layer in one or two directions


def by_gate(params: dict[str, Array], name: str, which: str, D: int, H: int) -> Array:
    """Weights ``which`` of D directions, (..., nH) each, as one array (n, D, ..., H)."""
    found = np.stack([params[f"{name}.{direction}.{which}"] for direction in DIRECTIONS[:D]])
    split = found.reshape(*found.shape[:-1], -1, H)  # (D, ..., n, H)
    return np.ascontiguousarray(np.moveaxis(split, -2, 0))


def beside(a: Array) -> Array:
    """The inverse of the split by gates: (n, D, ..., H) to (D, ..., nH), gates side by side."""
    moved = np.moveaxis(a, 0, -2)
    return moved.reshape(*moved.shape[:-2], -1)


def reading_order(a: Array, packing: Packing) -> Array:
    """a (..., D, N, H) with the second direction's rows reversed in each sentence; its own inverse."""
    if a.shape[-3] == 2:
        a[..., 1, :, :] = a[..., 1, packing.reverse, :]
    return a


def project(params: dict[str, Array], name: str, x: Array, D: int, H: int) -> Array:
    """z_t = x_t W_x + b for all steps: x (N, I) gives z (n, D, N, H) in the sentence's order."""
    z = np.matmul(x, by_gate(params, name, "W_x", D, H))
    z += by_gate(params, name, "b", D, H)[:, :, None]
    return z


def project_backward(params: dict[str, Array], name: str, dz: Array, x: Array) -> tuple[Array, dict[str, Array]]:
    """The gradient of ``project``: dx = sum over directions dz W_x', dW_x = x' dz."""
    grads, dx = {}, 0
    for dz_d, direction in zip(beside(dz), DIRECTIONS):
        W_x = f"{name}.{direction}.W_x"
        grads[W_x] = x.T @ dz_d
        dx = dx + dz_d @ params[W_x].T
    return dx, grads


def layer_forward(params: dict[str, Array], name: str, z: Array, packing: Packing, cell: Elman,
                  initial: Array | None = None) -> tuple[Array, Any]:
    """h_t = [h_t forward, h_t backward] (seed 002, equations 22-24) from the projected input.

    z (n, D, N, H) in the sentence's order, overwritten; returns h (N, DH) and the cache.
    """
    _, D, N, H = z.shape
    W_h = by_gate(params, name, "W_h", D, H)
    z = reading_order(z, packing)
    states = run(cell, W_h, z, packing, initial)
    h = reading_order(states[0, :, len(packing.lengths):].copy(), packing)
    return h.transpose(1, 0, 2).reshape(N, -1), (W_h, z, states, packing, cell)


def layer_backward(name: str, dh: Array, cache: Any, bptt: int = 0) -> tuple[Array, dict[str, Array], Array]:
    """The gradient of ``layer_forward``: dh (N, DH) to dz (n, D, N, H), W_h's and b's, the start's."""
    W_h, z, states, packing, cell = cache
    D = z.shape[1]
    dh = reading_order(dh.reshape(len(packing), D, -1).transpose(1, 0, 2).copy(), packing)
    dz, dinitial, dW_h = run_back(cell, W_h, z, states, dh, packing, bptt)
    dz = reading_order(dz, packing)
    grads = {}
    for direction, of_W_h, of_b in zip(DIRECTIONS, beside(dW_h), beside(dz.sum(axis=2))):
        grads |= {f"{name}.{direction}.W_h": of_W_h, f"{name}.{direction}.b": of_b}
    return dz, grads, dinitial
