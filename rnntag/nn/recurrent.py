"""The recurrent layer: a cell over time, in one or both directions; full gradient or truncated back-propagation.

Input products for all steps are one matrix product before the loop, and weight gradients one after it; only the
product with W_h stays inside (and its transpose on the way back). packing.py says in which order rows stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .cells import Cell
from .layers import Array, Layer, Shapes, glorot, look_up, rows_gradient
from .packing import Lookup, Packing, blocks, looked_up, to_rows, to_tokens
from .penalty import propagation_penalty

DIRECTIONS = ("fwd", "bwd")


class RecurrentPass(NamedTuple):
    """What a recurrent layer keeps for the way back.

    x        (N, I) its input; None when it began with z
    z        (n, R, H) as the cell left it
    states   (S, DB + R, H)
    """

    x: Any
    z: Any
    states: Array
    W_h: Array
    packing: Packing

    @property
    def final(self) -> Array:
        """The state after each sentence's last step (S, D, B, H); the backward direction's is at the first token."""
        return self.states[:, self.packing.read(self.W_h.shape[1]).last]


class Recurrent(Layer):
    """h_t = [h_t forward, h_t backward] (seed 002, equations 22-24), from z_t = x_t W_x + b.

    bptt      0: the full gradient; N > 0 stops each output's error after N steps back
    penalty   weight of ``propagation_penalty``, its mean over the sentences, in the gradient of W_h; with the full
              gradient of a cell with one gate
    """

    pointwise = False

    def __init__(self, name: str, cell: Cell, I: int, H: int, directions: int, bptt: int = 0,
                 penalty: float = 0.0):
        self.name, self.cell, self.I, self.H, self.bptt, self.penalty = name, cell, I, H, bptt, penalty
        self.directions = DIRECTIONS[:directions]

    def shapes(self) -> Shapes:
        n, H = self.cell.gates, self.H
        return {f"{self.name}.{d}.{key}": shape for d in self.directions
                for key, shape in (("W_x", (self.I, n * H)), ("W_h", (H, n * H)), ("b", (n * H,)))}

    def initialise(self, rng: np.random.Generator) -> dict[str, Array]:
        """Random weights, in the order of ``shapes``; biases are the cell's."""
        return {name: self.cell.initial_bias(self.H) if name.endswith(".b") else
                self.random_input(shape, rng) if name.endswith(".W_x") else glorot(shape, rng)
                for name, shape in self.shapes().items()}

    def random_input(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """A W_x before training."""
        return glorot(shape, rng)

    # -------------------------------------------------------------- of each token alone

    def input_projection(self, params: dict[str, Array], x: Array) -> Array:
        """z_t = x_t W_x + b for all steps, x (N, I): (N, DnH), the directions side by side."""
        z = x @ np.concatenate([params[f"{self.name}.{d}.W_x"] for d in self.directions], axis=1)
        z += np.concatenate([params[f"{self.name}.{d}.b"] for d in self.directions])
        return z

    def input_projection_backward(self, params: dict[str, Array], dz: Array, x: Array) -> tuple[Any, dict[str, Any]]:
        """The gradient of ``input_projection``: dx = dz W_x', dW_x = x' dz, for dz (N, DnH)."""
        W_x = [params[f"{self.name}.{d}.W_x"] for d in self.directions]
        dW_x = x.T @ dz.reshape(len(dz), len(W_x), -1).swapaxes(0, 1)
        grads = {f"{self.name}.{d}.W_x": dW for d, dW in zip(self.directions, dW_x)}
        return dz @ np.concatenate(W_x, axis=1).T, grads

    # -------------------------------------------------------------- over time

    def forward(self, params: dict[str, Array], x: Any, packing: Packing, rng: np.random.Generator | None = None,
                initial: Array | None = None) -> tuple[Array, RecurrentPass]:
        """h (N, DH) from x (N, I); ``initial`` is the state before the first step (S, D, B, H), by default 0."""
        h, passed = self.run(params, self.input_projection(params, x), packing, initial)
        return h, passed._replace(x=x)

    def run(self, params: dict[str, Array], z: Array | Lookup, packing: Packing,
            initial: Array | None = None) -> tuple[Array, RecurrentPass]:
        """h (N, DH) from what ``input_projection`` gives, or from that of words and the word of each token, from
        which there is no way back."""
        n, H, D, B = self.cell.gates, self.H, len(self.directions), len(packing.lengths)
        reading, W_h = packing.read(D), self._stacked(params)
        if isinstance(z, Lookup):
            steps: Iterable[Array] = looked_up(z.values.reshape(-1, D, n, H), z.tokens, reading)
        else:
            z = to_rows(z.reshape(-1, D, n, H), reading)
            steps = blocks(z, reading)
        states = run(self.cell, W_h, steps, packing, initial)
        h = to_tokens(states[:1, D * B:], reading).reshape(len(packing), -1)
        return h, RecurrentPass(None, z, states, W_h, packing)

    def step(self, params: dict[str, Array], x: Array, state: Array | None = None) -> tuple[Array, Array]:
        """One step forward alone: h (B, H) and the new state (S, 1, B, H), from x (B, I) and the state before.

        As ``forward``, one token at a time; in one direction only, for the other begins at the end.
        """
        h, passed = self.forward(params, x, Packing((1,) * len(x)), initial=state)
        return h, passed.final

    def backward(self, params: dict[str, Array], dy: Array, cache: RecurrentPass) -> tuple[Any, dict[str, Any]]:
        dx, grads, _ = self.backward_through(params, dy, cache)
        return dx, grads

    def backward_through(self, params: dict[str, Array], dh: Array, cache: RecurrentPass,
                         dfinal: Array | None = None) -> tuple[Any, dict[str, Any], Array]:
        """The gradient of ``forward``: dx, those of the parameters, and dinitial (S, D, B, H), from dh (N, DH)
        and the gradient at the final state (S, D, B, H)."""
        D, N, packing = len(self.directions), len(cache.packing), cache.packing
        reading = packing.read(D)
        previous, local, dh = self._back(dh, cache)
        dW_h, dpenalty = [], None
        if self.bptt:
            dz, dinitial = truncated(self.cell, cache.W_h, local, dh, packing, dfinal, self.bptt)
        else:
            dz, dstates = run_back(self.cell, cache.W_h, local, dh, packing, dfinal)
            first = D * len(packing.lengths)
            dinitial = dstates[:, :first].reshape(len(dstates), D, -1, self.H)[:, :, packing.rank]
            if self.penalty:
                dpenalty = propagation_penalty(cache.W_h, dz, dstates[0, first:], packing)[1][0]
        dz = to_tokens(dz, reading)
        for gates, h in self.cell.recurrent_inputs(cache.z, previous):
            h, of_gates = to_tokens(h[None], reading)[:, :, 0], dz[:, :, gates]  # (N, D, H), (N, D, gates, H)
            dW_h.append(h.transpose(1, 2, 0) @ of_gates.transpose(1, 0, 2, 3).reshape(D, N, -1))
        if dpenalty is not None:
            dW_h[0] += dpenalty * dpenalty.dtype.type(self.penalty / len(packing.lengths))
        grads: dict[str, Any] = {}
        for d, of_W_h, of_b in zip(self.directions, np.concatenate(dW_h, axis=2), dz.reshape(N, D, -1).sum(axis=0)):
            grads |= {f"{self.name}.{d}.W_h": of_W_h, f"{self.name}.{d}.b": of_b}
        dx, of_W_x = self.input_projection_backward(params, dz.reshape(N, -1), cache.x)
        return dx, grads | of_W_x, dinitial

    def errors_back(self, dh: Array, cache: RecurrentPass, steps: int) -> Iterator[tuple[Array, Array, Array]]:
        """What the function ``errors_back`` gives for an upstream gradient dh (N, DH)."""
        _, local, dh = self._back(dh, cache)
        return errors_back(self.cell, cache.W_h, local, dh, cache.packing, steps)

    def _back(self, dh: Array, cache: RecurrentPass) -> tuple[Array, Any, Array]:
        """The states before each row (S, R, H), the cell's local gradients, and dh (N, DH) in rows (R, H)."""
        D, packing = len(self.directions), cache.packing
        reading = packing.read(D)
        previous = np.take(cache.states, reading.previous, axis=1)
        local = self.cell.local_gradients(cache.z, previous, cache.states[:, D * len(packing.lengths):])
        (dh,) = to_rows(dh.reshape(len(packing), D, 1, self.H), reading)
        return previous, local, dh

    def _stacked(self, params: dict[str, Array]) -> Array:
        """W_h of all gates and directions (n, D, H, H)."""
        n, H = self.cell.gates, self.H
        return np.stack([params[f"{self.name}.{d}.W_h"].reshape(H, n, H).swapaxes(0, 1) for d in self.directions],
                        axis=1)


class OneHotRecurrent(Recurrent):
    """The same with one-hot input: x are ids (N, F), and W_x is a table whose rows are looked up."""

    def random_input(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.normal(0, 0.1, shape)

    def input_projection(self, params: dict[str, Array], x: Array) -> Array:
        return np.concatenate([look_up(params[f"{self.name}.{d}.W_x"], x) + params[f"{self.name}.{d}.b"]
                               for d in self.directions], axis=1)

    def input_projection_backward(self, params: dict[str, Array], dz: Array, x: Array) -> tuple[None, dict[str, Any]]:
        of_directions = dz.reshape(len(dz), len(self.directions), -1).swapaxes(0, 1)
        return None, {f"{self.name}.{d}.W_x": rows_gradient(dz_d, x)
                      for d, dz_d in zip(self.directions, of_directions)}


# ------------------------------------------------------------------ one cell over time


def _step_axes(a: Array, D: int) -> Array:
    """a (k, D, b, H) as a step of the loop takes it: an axis for one direction alone would only cost time."""
    return a if D > 1 else a[:, 0]


def run(cell: Cell, W_h: Array, z: Iterable[Array], packing: Packing, initial: Array | None = None) -> Array:
    """All states of a sequence.

    W_h (n, D, H, H), z the steps (``blocks``), overwritten by gated cells, initial (S, D, B, H) or None for
    zeros; returns states (S, DB + R, H).
    """
    n, D, H, _ = W_h.shape
    S, B, reading = cell.states, len(packing.lengths), packing.read(D)
    states = np.empty((S, D * (B + len(packing)), H), W_h.dtype)
    first = states[:, :D * B].reshape(S, D, B, H)
    first[:, :, packing.rank] = 0 if initial is None else initial
    previous, W_h, scratch = (_step_axes(a, D) for a in (first, W_h, np.empty((n, D, B, H), W_h.dtype)))
    for (b, _), z_t, state in zip(reading.steps, z, blocks(states[:, D * B:], reading)):
        if b < B:  # some sentences have ended
            B, previous, scratch = b, previous[..., :b, :], np.empty((*scratch.shape[:-2], b, H), W_h.dtype)
        cell.forward(W_h, z_t, previous, state, scratch)
        previous = state
    return states


def run_back(cell: Cell, W_h: Array, local: Any, dh: Array, packing: Packing,
             dfinal: Array | None = None) -> tuple[Array, Array]:
    """The full gradient of ``run`` by dynamic programming: from d loss / d h_t to d loss / d z_t.

    local   the cell's local gradients, arrays (..., R, H); dh (R, H)
    dfinal  (S, D, B, H)  d loss / d the final states

    Returns dz (n, R, H) and d loss / d all states (S, DB + R, H), those before the first step in front.
    """
    n, D, H, _ = W_h.shape
    S, B, reading = cell.states, len(packing.lengths), packing.read(D)
    dz = np.empty((n, *dh.shape), dh.dtype)
    dstates = np.zeros((S, D * B + len(dh), H), dh.dtype)
    dstates[0, D * B:] = dh
    if dfinal is not None:
        dstates[:, reading.last] += dfinal
    dinitial = dstates[:, :D * B].reshape(S, D, B, H)
    W_T = _step_axes(W_h.swapaxes(-1, -2), D)
    dsteps = blocks(dstates[:, D * B:], reading)
    dbefore = [_step_axes(dinitial, D), *dsteps[:-1]]
    if not reading.even:
        dbefore = [dprevious[..., :b, :] for dprevious, (b, _) in zip(dbefore, reading.steps)]
    local_steps = map(type(local)._make, zip(*(blocks(part, reading) for part in local)))
    for step in reversed(list(zip(local_steps, dsteps, dbefore, blocks(dz, reading)))):
        cell.backward(W_T, *step)
    return dz, dstates


def truncated(cell: Cell, W_h: Array, local: Any, dh: Array, packing: Packing, dfinal: Array | None,
              bptt: int) -> tuple[Array, Array]:
    """As ``run_back``, each output's error stopped after ``bptt`` steps back (seed 000, "BPTT? Full Gradient?"): dz,
    and dinitial (S, D, B, H)."""
    D, B = W_h.shape[1], len(packing.lengths)
    dz = np.zeros((cell.gates, *dh.shape), dh.dtype)
    dinitial = np.zeros((cell.states, D, B, dh.shape[1]), dh.dtype)
    order = packing.read(D).order
    for _, dz_k, dbefore in errors_back(cell, W_h, local, dh, packing, bptt, dfinal):
        dz[:, order] += dz_k
        dinitial += dbefore[:, :, :B]
    return dz, dinitial[:, :, packing.rank]


def errors_back(cell: Cell, W_h: Array, local: Any, dh: Array, packing: Packing, steps: int,
                dfinal: Array | None = None) -> Iterator[tuple[Array, Array, Array]]:
    """The errors of all outputs, one step further back each time, all outputs at once.

    local, dh, dfinal as for ``run_back``. Yields for k = 0 .. steps: d loss_{t+k} / d state_t (S, D, N, H) for
    every t, each direction in the order in which it reads, the same at z (n, D, N, H), and at the states before
    (S, D, B + N, H). Each k is one product with W_h over the whole batch (seed 003, "Backpropagation Through
    Time": the sum over i of the part from j).
    """
    B, N, D = len(packing.lengths), len(packing), W_h.shape[1]
    order = packing.read(D).order
    local = type(local)._make(part[..., order, :] for part in local)
    dstates = np.zeros((cell.states, D, N, dh.shape[1]), dh.dtype)
    dstates[0] = dh[order]
    if dfinal is not None:
        dstates[:, :, packing.last - B] += dfinal
    for _ in range(min(steps, len(packing.steps) - 1) + 1):
        dz = np.empty((cell.gates, *dstates.shape[1:]), dh.dtype)
        dprevious = np.zeros_like(dstates)
        cell.backward(W_h.swapaxes(-1, -2), local, dstates, dprevious, dz)
        before = np.zeros((cell.states, D, B + N, dh.shape[1]), dh.dtype)
        before[:, :, packing.previous] = dprevious  # each state has one successor at most
        yield dstates, dz, before
        dstates = before[:, :, B:]
