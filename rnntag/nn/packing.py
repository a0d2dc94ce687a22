"""Where the tokens of a batch stand in memory.

A batch of B sentences is packed time-major: step t is a block of the b_t sentences that are at least t+1 long, and
the blocks follow each other, N rows in all. In a block the longest sentence comes first, whatever their order is
outside, so those that go on are the first rows of the block before. D directions read it side by side: in each step
first the rows that the forward direction reads, then those of the backward direction, which begins at the end of
each sentence. So a step is one contiguous block of memory, and a direction is nothing but an order of rows. Two
sentences, "a b c" and "x":

                        step 0     step 1   step 2
    tokens              a  x       b        c             N = 4, b_t = 2, 1, 1
    rows, D = 2         a x c x    b b      c a           R = DN = 8: forward, then backward, in each step
    states, D = 2   0 0 0 0 | a x c x | b b | c a         DB + R: in front, those before the first step

A batch of one sentence is the same thing with b_t = 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from .layers import Array


class Packing:
    """The tokens of a batch.

    lengths   (B,)  of the sentences, each at least 1
    rank      (B,)  which row of a block each sentence has
    sizes     (T,)  b_t: how many sentences have a step t
    starts    (T,)  the first token row of each step
    time, row, sentence  (N,)  of each token row: its step, its row in the block, and which sentence it is of
    reverse   (N,)  token row of the mirrored position in the same sentence; its own inverse
    previous  (N,)  state row (of one direction) of the step before each token
    last      (B,)  state row (of one direction) of each sentence's last step
    steps     for each t: slices of its token rows, and of those that the same sentences had before (t > 0)
    """

    def __init__(self, lengths: tuple[int, ...]):
        L = self.lengths = np.array(lengths)
        B, order = len(L), np.argsort(-L, kind="stable")
        self.rank = np.argsort(order)
        self.time, self.row = np.nonzero(np.arange(L[order[0]])[:, None] < L[order])
        self.sentence = order[self.row]
        self.sizes = np.bincount(self.time)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self._before = np.concatenate(([-B], self.starts[:-1]))  # start of the block before, among tokens
        self._readings: dict[int, Reading] = {}
        self._neighbours: dict[int, Array] = {}

    def __len__(self) -> int:
        return len(self.time)

    @cached_property
    def reverse(self) -> Array:
        return self.starts[self.lengths[self.sentence] - 1 - self.time] + self.row

    @cached_property
    def previous(self) -> Array:
        return len(self.lengths) + self._before[self.time] + self.row

    @cached_property
    def last(self) -> Array:
        return len(self.lengths) + self.starts[self.lengths - 1] + self.rank

    @cached_property
    def steps(self) -> list[tuple[slice, slice]]:
        return [(slice(s, s + b), slice(p, p + b)) for s, p, b in
                zip(self.starts.tolist(), self._before.tolist(), self.sizes.tolist())]

    def read(self, D: int) -> Reading:
        """The order in which D directions read it, worked out once."""
        if D not in self._readings:
            self._readings[D] = Reading(self, D)
        return self._readings[D]

    @cached_property
    def by_sentence(self) -> tuple[Array, Array]:
        """The token rows (N,) one sentence after the other, and where in these each begins (B,)."""
        return np.argsort(self.sentence, kind="stable"), np.cumsum(self.lengths) - self.lengths

    def neighbours(self, window: int) -> Array:
        """Token rows (N, window) around each token, -1 where the sentence has ended; worked out once."""
        if window not in self._neighbours:
            time = self.time[:, None] + np.arange(window) - window // 2
            inside = (time >= 0) & (time < self.lengths[self.sentence, None])
            rows = self.starts[np.clip(time, 0, len(self.sizes) - 1)] + self.row[:, None]
            self._neighbours[window] = np.where(inside, rows, -1)
        return self._neighbours[window]


class Reading:
    """The order in which D directions read the tokens of a packing.

    order     (D, N)  the row of each direction's steps, in the order in which it takes them
    place     (N, D)  the row in which each direction reads each token
    source    (R,)    the place of each row in an array (N, D), the inverse of ``place``
    previous  (R,)    state row of the step before each row
    last      (D, B)  state row after each sentence's last step
    steps     for each t: b_t, and the slice of its rows
    even      are all sentences equally long?
    """

    def __init__(self, packing: Packing, D: int):
        B, sizes = len(packing.lengths), packing.sizes
        starts = D * packing.starts
        self.order = (starts + np.arange(D)[:, None] * sizes)[:, packing.time] + packing.rank[packing.sentence]
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
    """The packing of a batch whose sentences have these lengths."""
    return _sentence(*lengths) if len(lengths) == 1 else Packing(lengths)


def batches(lengths: Sequence[int], tokens: int) -> Iterator[tuple[list[int], Packing]]:
    """Non-empty sequences sorted by length into batches of about ``tokens`` tokens, longest first."""
    sizes = np.array(lengths, np.intp)
    order = np.argsort(-sizes, kind="stable")[:np.count_nonzero(sizes)]
    ends = np.cumsum(sizes[order])
    start = before = 0
    while start < len(order):
        stop = max(start + 1, int(np.searchsorted(ends, before + tokens, "right")))
        members = order[start:stop]
        yield members.tolist(), Packing(tuple(sizes[members].tolist()))
        start, before = stop, int(ends[stop - 1])


def interleave(sequences: Sequence[Array], packing: Packing) -> Array:
    """Sequences in the packed order of their tokens."""
    if len(sequences) == 1:
        return sequences[0]
    starts = np.cumsum(packing.lengths) - packing.lengths
    return np.concatenate(sequences)[starts[packing.sentence] + packing.time]


def pad(a: Array, packing: Packing) -> Array:
    """Packed tokens (N, ...) as sentences (B, T, ...) all as long as the longest, zeros beyond their ends."""
    padded = np.zeros((len(packing.lengths), len(packing.sizes), *a.shape[1:]), a.dtype)
    padded[packing.sentence, packing.time] = a
    return padded


def unpad(a: Array, packing: Packing) -> Array:
    """The inverse of ``pad``."""
    return a[packing.sentence, packing.time]


class Lookup(NamedTuple):
    """What the tokens of a batch have, by their words: ``values[tokens]``, not yet looked up."""

    values: Array  # (V, width)
    tokens: Array  # (N,)


def to_rows(a: Array, reading: Reading) -> Array:
    """What D directions read: a (N, D, n, H) of tokens to (n, R, H) of rows, gate by gate."""
    _, D, n, H = a.shape
    if D == 1:  # in the order of the packing
        return np.ascontiguousarray(a[:, 0].transpose(1, 0, 2))
    return np.take(a.reshape(-1, H), reading.source * n + np.arange(n)[:, None], axis=0)


def to_tokens(a: Array, reading: Reading) -> Array:
    """The inverse of ``to_rows``: (n, R, H) to (N, D, n, H)."""
    n, R, H = a.shape
    if reading.place.shape[1] == 1:
        return np.ascontiguousarray(a.transpose(1, 0, 2))[:, None]
    return np.take(a.reshape(-1, H), reading.place[:, :, None] + R * np.arange(n), axis=0)


def blocks(a: Array, reading: Reading) -> list[Array]:
    """The steps of a (..., R, H), one after the other: views (..., D, b_t, H); of one direction without D."""
    *k, _, H = a.shape
    D = [len(reading.order)] if len(reading.order) > 1 else []
    if reading.even:  # all sentences as long as the first: no need to cut step by step
        return list(a.reshape(*k, len(reading.steps), *D, -1, H).swapaxes(0, len(k)))
    return [a[..., rows, :].reshape(*k, *D, b, H) for b, rows in reading.steps]


def looked_up(a: Array, tokens: Array, reading: Reading) -> Iterator[Array]:
    """The blocks of ``to_rows(a[tokens], reading)``, for a (V, D, n, H) of V words and the word of each
    token (N,), one after the other in the same small piece of memory, which a processor's cache can hold."""
    _, D, n, H = a.shape
    source = tokens[reading.source // D] * D + reading.source % D
    places = source * n + np.arange(n)[:, None]
    a, room = a.reshape(-1, H), np.empty((places[:, :reading.steps[0][1].stop].size, H), a.dtype)
    for b, rows in reading.steps:
        z_t = room[:n * D * b].reshape(n, D * b, H)
        a.take(places[:, rows], axis=0, out=z_t, mode="clip")  # the other modes go through a copy
        yield z_t.reshape(n, D, b, H) if D > 1 else z_t
