"""A cell over time: packing, direction, full gradient or truncated back-propagation.

A batch of B sentences, longest first, is packed time-major: step t is a block of the b_t sentences
that are at least t+1 long, and the blocks follow each other, N rows in all. A batch of one sentence
is the same thing with b_t = 1.

    tokens   step 0: b_0 rows | step 1: b_1 rows | ...                       (N rows)

D directions read them side by side: in each step first the rows that the forward direction reads,
then those of the backward direction, which begins at the end of each sentence. So a step is one
contiguous block of memory, and a direction is nothing but an order of rows. States have DB rows more, in
front: the state before the first step.

    rows     step 0: b_0 forward, b_0 backward | step 1: b_1, b_1 | ...      (R = DN rows)
    states   before: B, B  | step 0: b_0, b_0  | step 1: b_1, b_1 | ...      (DB + R rows)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    steps     for each t: slices of its token rows, and of those that the same sentences had before (t > 0)
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
        self.steps = [(slice(s, s + b), slice(p, p + b)) for s, p, b in
                      zip(starts.tolist(), before.tolist(), sizes.tolist())]
        self._readings: dict[int, Reading] = {}

    def __len__(self) -> int:
        return len(self.time)

    def reading(self, D: int) -> Reading:
        """The order in which D directions read it."""
        if D not in self._readings:
            self._readings[D] = Reading(self, D)
        return self._readings[D]


class Reading:
    """Where D directions read the tokens of a packing.

    order     (D, N)  the row of each direction's steps, in the order in which it takes them
    place     (N, D)  the row in which each direction reads each token
    source    (R,)    the place of each row in an array (N, D), the inverse of ``place``
    previous  (R,)    state row of the step before each row
    last      (D, B)  state row after each sentence's last step
    steps     for each t: b_t, and the slice of its rows
    even      are all sentences equally long?
    """

    def __init__(self, packing: Packing, D: int):
        B, sizes = len(packing.lengths), np.bincount(packing.time)
        starts = D * (np.cumsum(sizes) - sizes)
        self.order = (starts + np.arange(D)[:, None] * sizes)[:, packing.time] + packing.sentence
        self.place = self.order.copy().T
        if D == 2:
            self.place[:, 1] = self.order[1, packing.reverse]
        self.source = np.empty(self.place.size, np.intp)
        self.source[self.place.ravel()] = np.arange(self.place.size)
        states = np.concatenate((np.arange(D * B).reshape(D, B), D * B + self.order), axis=1)
        self.previous = np.empty_like(self.source)
        self.previous[self.order] = states[:, packing.previous]
        self.last = states[:, packing.last]
        self.steps = [(rows.stop - rows.start, slice(D * rows.start, D * rows.stop)) for rows, _ in packing.steps]
        self.even = sizes[-1] == B


@lru_cache(maxsize=512)
def _sentence(length: int) -> Packing:
    return Packing((length,))


def pack(lengths: tuple[int, ...]) -> Packing:
    """The packing of a batch whose sentences have these lengths, longest first."""
    return _sentence(*lengths) if len(lengths) == 1 else Packing(lengths)


def to_rows(a: Array, reading: Reading) -> Array:
    """What D directions read: a (N, D, n, H) of tokens to (n, R, H) of rows, gate by gate."""
    _, D, n, H = a.shape
    if D == 1:  # in the order of the packing
        return np.ascontiguousarray(a[:, 0].transpose(1, 0, 2))
    return np.take(a.reshape(-1, H), reading.source * n + np.arange(n)[:, None], axis=0)


def looked_up(a: Array, tokens: Array, reading: Reading) -> Iterator[Array]:
    """The blocks of ``to_rows(a[tokens], reading)``, for a (V, D, n, H) of V words and the word of each
    token (N,), one after the other in the same small piece of memory, which a processor's cache can hold."""
    _, D, n, H = a.shape
    source = tokens[reading.source // D] * D + reading.source % D
    places = source * n + np.arange(n)[:, None]
    a, room = a.reshape(-1, H), np.empty((places[:, :reading.steps[0][1].stop].size, H), a.dtype)
    for b, rows in reading.steps:
        z_t = room[:n * D * b].reshape(n, D * b, H)
        np.take(a, places[:, rows], axis=0, out=z_t, mode="clip")  # the other modes go through a copy
        yield z_t.reshape(n, D, b, H) if n * D > 1 else z_t[0]


def to_tokens(a: Array, reading: Reading) -> Array:
    """The inverse of ``to_rows``: (n, R, H) to (N, D, n, H)."""
    n, R, H = a.shape
    if reading.place.shape[1] == 1:
        return np.ascontiguousarray(a.transpose(1, 0, 2))[:, None]
    return np.take(a.reshape(-1, H), reading.place[:, :, None] + R * np.arange(n), axis=0)


def blocks(a: Array, reading: Reading, one: bool = False) -> list[Array]:
    """The steps of a (..., R, H), one after the other: views (..., D, b_t, H), or (b_t, H) where there is but
    ``one`` in all other axes."""
    *k, _, H = a.shape
    D = [] if one else [-1]
    if one:
        a, k = a.reshape(-1, H), []
    if reading.even:  # all sentences as long as the first: no need to cut step by step
        return list(a.reshape(*k, len(reading.steps), *D, reading.steps[0][0], H).swapaxes(0, len(k)))
    return [a[..., rows, :].reshape(*k, *D, b, H) for b, rows in reading.steps]


def is_one(cell: Elman, D: int) -> bool:
    """Has the cell one gate, one state and one direction?"""
    return cell.gates * cell.states * D == 1


# ------------------------------------------------------------------ one cell over time


def run(cell: Elman, W_h: Array, z: Iterable[Array], packing: Packing, initial: Array | None = None) -> Array:
    """All states of a sequence.

    W_h (n, D, H, H), z the steps (``blocks``), overwritten by gated cells, initial (S, D, B, H) or None for
    zeros; returns states (S, DB + R, H).
    """
    n, D, H, _ = W_h.shape
    S, B, reading, one = cell.states, len(packing.lengths), packing.reading(D), is_one(cell, D)
    states = np.empty((S, D * (B + len(packing)), H), W_h.dtype)
    prev = states[:, :D * B].reshape(S, D, B, H)
    prev[...] = 0 if initial is None else initial
    room = np.empty((n, D, B, H), W_h.dtype)
    if one:
        prev, W_h = prev[0, 0], W_h[0, 0]
    for (b, _), z_t, now in zip(reading.steps, z, blocks(states[:, D * B:], reading, one)):
        if b < B:  # some sentences have ended
            B, prev, room = b, prev[..., :b, :], np.empty((n, D, b, H), W_h.dtype)
        cell.forward(W_h, z_t, prev, now, room)
        prev = now
    return states


def run_back(cell: Elman, W_h: Array, slopes: tuple[Array, ...], dh: Array, packing: Packing) -> tuple[Array, Array]:
    """The full gradient of ``run`` by dynamic programming: from d loss / d h_t to d loss / d z_t.

    slopes, dh (R, H); returns dz (n, R, H) and dinitial (S, D, B, H).
    """
    n, D, H, _ = W_h.shape
    S, B, reading, one = cell.states, len(packing.lengths), packing.reading(D), is_one(cell, D)
    dz = np.empty((n, *dh.shape), dh.dtype)
    dstates = np.zeros((S, D * B + len(dh), H), dh.dtype)
    dstates[0, D * B:] = dh
    dinitial = dstates[:, :D * B].reshape(S, D, B, H)
    W_T = W_h.swapaxes(-1, -2)
    if one:
        W_T = W_T[0, 0]
    dsteps = blocks(dstates[:, D * B:], reading, one)
    dbefore = [dinitial[0, 0] if one else dinitial, *dsteps[:-1]]
    if not reading.even:
        dbefore = [dprev[..., :b, :] for dprev, (b, _) in zip(dbefore, reading.steps)]
    local = zip(*(blocks(slope, reading, one) for slope in slopes))
    for step in reversed(list(zip(local, dsteps, dbefore, blocks(dz, reading, one)))):
        cell.backward(W_T, *step)
    return dz, dinitial


def truncated(cell: Elman, W_h: Array, slopes: tuple[Array, ...], dh: Array, packing: Packing,
              bptt: int) -> tuple[Array, Array]:
    """As ``run_back``, each output's error stopped after ``bptt`` steps back (seed 000, "BPTT? Full
    Gradient?")."""
    D, B = W_h.shape[1], len(packing.lengths)
    dz = np.zeros((cell.gates, *dh.shape), dh.dtype)
    dinitial = np.zeros((cell.states, D, B, dh.shape[1]), dh.dtype)
    order = packing.reading(D).order
    for _, dz_k, dbefore in errors_back(cell, W_h, slopes, dh, packing, bptt):
        dz[:, order] += dz_k
        dinitial += dbefore[:, :, :B]
    return dz, dinitial


def errors_back(cell: Elman, W_h: Array, slopes: tuple[Array, ...], dh: Array, packing: Packing,
                steps: int) -> Iterator[tuple[Array, Array, Array]]:
    """The errors of all outputs, one step further back each time, all outputs at once.

    slopes, dh (R, H). Yields for k = 0 .. steps: d loss_{t+k} / d state_t (S, D, N, H) for every t, each
    direction in its own order, the same at z (n, D, N, H), and at the states before (S, D, B + N, H).
    Each k is one product with W_h over the whole batch (seed 003, "Backpropagation Through Time": the
    sum over i of the part from j).
    """
    B, N, D = len(packing.lengths), len(packing), W_h.shape[1]
    order = packing.reading(D).order
    slopes = tuple(slope[order] for slope in slopes)
    dstates = np.zeros((cell.states, D, N, dh.shape[1]), dh.dtype)
    dstates[0] = dh[order]
    for _ in range(min(steps, len(packing.steps) - 1) + 1):
        dz = np.empty((cell.gates, *dstates.shape[1:]), dh.dtype)
        dprev = np.zeros_like(dstates)
        cell.backward(W_h.swapaxes(-1, -2), slopes, dstates, dprev, dz)
        before = np.zeros((cell.states, D, B + N, dh.shape[1]), dh.dtype)
        before[:, :, packing.previous] = dprev  # each state has one successor at most
        yield dstates, dz, before
        dstates = before[:, :, B:]


# ------------------------------------------------------------------ a layer in one or two directions


def project(params: dict[str, Array], name: str, x: Array, D: int) -> Array:
    """z_t = x_t W_x + b for all steps, x (N, I): (N, DnH), the directions side by side."""
    z = x @ np.concatenate([params[f"{name}.{d}.W_x"] for d in DIRECTIONS[:D]], axis=1)
    z += np.concatenate([params[f"{name}.{d}.b"] for d in DIRECTIONS[:D]])
    return z


def project_backward(params: dict[str, Array], name: str, dz: Array, x: Array) -> tuple[Array, dict[str, Array]]:
    """The gradient of ``project``: dx = dz W_x', dW_x = x' dz, for dz (N, DnH)."""
    W_x = [params[f"{name}.{d}.W_x"] for d in DIRECTIONS if f"{name}.{d}.W_x" in params]
    dW_x = x.T @ dz.reshape(len(dz), len(W_x), -1).swapaxes(0, 1)
    return dz @ np.concatenate(W_x, axis=1).T, {f"{name}.{d}.W_x": dW for d, dW in zip(DIRECTIONS, dW_x)}


def layer_forward(params: dict[str, Array], name: str, z: Array, packing: Packing, cell: Elman, D: int,
                  initial: Array | None = None, tokens: Array | None = None) -> tuple[Array, Any]:
    """h_t = [h_t forward, h_t backward] (seed 002, equations 22-24) from the projected input.

    z (N, DnH), or (V, DnH) of V words with ``tokens`` (N,), the word of each token, and no way back; returns
    h (N, DH) and the cache.
    """
    n, reading, B = cell.gates, packing.reading(D), len(packing.lengths)
    H = len(params[f"{name}.fwd.W_h"])
    W_h = np.stack([params[f"{name}.{d}.W_h"].reshape(H, n, H).swapaxes(0, 1) for d in DIRECTIONS[:D]], axis=1)
    z = z.reshape(-1, D, n, H)
    if tokens is None:
        z = to_rows(z, reading)
    steps = blocks(z, reading, is_one(cell, D)) if tokens is None else looked_up(z, tokens, reading)
    states = run(cell, W_h, steps, packing, initial)
    h = to_tokens(states[:1, D * B:], reading)
    return h.reshape(len(packing), -1), (W_h, z, states, packing, cell)


def layer_backward(name: str, dh: Array, cache: Any, bptt: int = 0) -> tuple[Array, dict[str, Array], Array]:
    """The gradient of ``layer_forward``: dh (N, DH) to dz (N, DnH), W_h's and b's, the start's.

    bptt 0 is the full gradient; N > 0 stops each output's error after N steps back.
    """
    W_h, z, states, packing, cell = cache
    (_, D, H, _), N = W_h.shape, len(packing)
    reading = packing.reading(D)
    prev = np.take(states, reading.previous, axis=1)
    slopes = cell.slopes(z, prev, states[:, D * len(packing.lengths):])
    (dh,) = to_rows(dh.reshape(N, D, 1, H), reading)
    dz, dinitial = (truncated(cell, W_h, slopes, dh, packing, bptt) if bptt
                    else run_back(cell, W_h, slopes, dh, packing))
    dz = to_tokens(dz, reading)
    dW_h = []
    for gates, h in cell.multiplied(z, prev):
        h, of_gates = to_tokens(h[None], reading)[:, :, 0], dz[:, :, gates]  # (N, D, H), (N, D, gates, H)
        dW_h.append(h.transpose(1, 2, 0) @ of_gates.transpose(1, 0, 2, 3).reshape(D, N, -1))
    grads: dict[str, Array] = {}
    for d, of_W_h, of_b in zip(DIRECTIONS, np.concatenate(dW_h, axis=2), dz.reshape(N, D, -1).sum(axis=0)):
        grads |= {f"{name}.{d}.W_h": of_W_h, f"{name}.{d}.b": of_b}
    return dz.reshape(N, -1), grads, dinitial
