"""Recurrent cells: one time step forward, one step back.

A cell sees the rows of one step (or, for truncated back-propagation, of all steps at once); rnn.py
owns time. Sizes: n gates, D directions, b rows, H hidden width. Row vectors: a step is ``h W``. Each gate
has a block of its own, so that ``i, f, o, g = z`` are the letters of the formula.
An Elman cell, which has n = S = 1, takes steps of one direction without the axes n, S and D as well.

    z      (n, D, b, H)  x_t W_x + b, computed for all steps beforehand; gated cells overwrite it
                         with the values of their gates
    prev   (S, D, b, H)  the S state vectors of step t-1: h alone, or h and c
    now    (S, D, b, H)  the state vectors of step t, written by ``forward``
    W_h    (n, D, H, H)  recurrent weights; W_T, each matrix of them transposed, on the way back
    room   (n, D, b, H)  scratch space

``slopes`` takes what backward needs of the local derivatives, for the whole sequence in a few
array operations. ``backward`` reads d loss / d now, writes dz, and ADDS to d loss / d prev; it is
linear in its input, so the order of steps does not matter to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .layers import ACTIVATIONS, Array, sigmoid

FORGET_BIAS = 1.0  # keeps the cell open at the start: Jozefowicz et al. 2015


def product(a: Array, W: Array, out: Array | None = None) -> Array:
    """a W, matrix by matrix; of two matrices by the method that takes least time to begin."""
    return a.dot(W, out) if W.ndim == 2 else np.matmul(a, W, out)


class Elman:
    """h_t = f(z_t + h_{t-1} W_h)     (seed 000, "RNN Calculation"; f = tanh there)"""

    gates, states = 1, 1

    def __init__(self, activation: str = "tanh"):
        self.f, self.derivative = ACTIVATIONS[activation]

    def forward(self, W_h: Array, z: Array, prev: Array, now: Array, room: Array) -> None:
        product(prev, W_h, now)  # prev and now are h_{t-1} and h_t: there is no other state
        now += z
        self.f(now, out=now)

    def slopes(self, z: Array, prev: Array, now: Array) -> tuple[Array, ...]:
        return (self.derivative(now[0]),)  # f'(a) from h = f(a): 1 - h^2 for tanh

    def backward(self, W_T: Array, slopes: Sequence[Array], dnow: Array, dprev: Array, dz: Array) -> None:
        np.multiply(dnow, slopes[0], out=dz)  # dz_t = dh_t * f'
        dprev += product(dz, W_T)  # dh_{t-1} += dz_t W_h'

    def multiplied(self, z: Array, prev: Array) -> list[tuple[slice, Array]]:
        """What W_h is multiplied with: gates, and for these the rows h in dW_h = sum_t h_{t-1}' dz_t."""
        return [(slice(None), prev[0])]


class LSTM(Elman):
    """Gates in the order i f o g     (seed 002, equations 12-17)

    i, f, o = sigmoid(z + h_{t-1} W_h)      g = tanh(z + h_{t-1} W_h)
    c_t = f * c_{t-1} + i * g               h_t = o * tanh(c_t)
    """

    gates, states = 4, 2

    def __init__(self, activation: str = "tanh"):
        pass

    def forward(self, W_h: Array, z: Array, prev: Array, now: Array, room: Array) -> None:
        h_prev, c_prev = prev
        h, c = now
        np.matmul(h_prev, W_h, out=room)
        z += room
        i, f, o, g = z
        sigmoid(z[:3], out=z[:3])
        np.tanh(g, out=g)
        np.multiply(f, c_prev, out=c)
        c += np.multiply(i, g, out=h)
        np.tanh(c, out=h)
        h *= o

    def slopes(self, z: Array, prev: Array, now: Array) -> tuple[Array, ...]:
        i, f, o, g = z
        tanh_c = np.tanh(now[1])
        return (g * i * (1 - i), prev[1] * f * (1 - f), tanh_c * o * (1 - o), i * (1 - g * g),  # of z
                o * (1 - tanh_c * tanh_c), f)  # dh/dc, dc/dc_{t-1}

    def backward(self, W_T: Array, slopes: Sequence[Array], dnow: Array, dprev: Array, dz: Array) -> None:
        di, df, do, dg, dh_dc, f = slopes
        dh, dc = dnow
        dc = dc + dh * dh_dc  # c is read by h, and by step t+1
        np.multiply(dc, di, out=dz[0])
        np.multiply(dc, df, out=dz[1])
        np.multiply(dh, do, out=dz[2])
        np.multiply(dc, dg, out=dz[3])
        dh_prev, dc_prev = dprev
        dc_prev += dc * f
        for back in np.matmul(dz, W_T):
            dh_prev += back


class GRU(Elman):
    """Gates in the order r u n, u being the lectures' z     (seeds 001 and 002, equations 18-21)

    r, u = sigmoid(z + h_{t-1} W_h)         n = tanh(z + (r * h_{t-1}) W_h)
    h_t = (1 - u) * h_{t-1} + u * n

    The reset gate multiplies the state before the matrix product, and u weighs the NEW value.
    """

    gates, states = 3, 1

    def __init__(self, activation: str = "tanh"):
        pass

    def forward(self, W_h: Array, z: Array, prev: Array, now: Array, room: Array) -> None:
        n, h_prev, h = z[2], prev[0], now[0]
        gates = np.matmul(h_prev, W_h[:2], out=room[:2])
        gates += z[:2]
        r, u = z[:2] = sigmoid(gates, out=gates)  # room is in one piece, as z, cut from all steps, is not
        np.multiply(r, h_prev, out=h)
        n += np.matmul(h, W_h[2], out=room[2])
        np.tanh(n, out=n)
        np.subtract(n, h_prev, out=h)  # h_prev + u (n - h_prev)
        h *= u
        h += h_prev

    def slopes(self, z: Array, prev: Array, now: Array) -> tuple[Array, ...]:
        r, u, n = z
        h_prev = prev[0]
        return h_prev * r * (1 - r), (n - h_prev) * u * (1 - u), u * (1 - n * n), 1 - u, r

    def backward(self, W_T: Array, slopes: Sequence[Array], dnow: Array, dprev: Array, dz: Array) -> None:
        dr, du, dn, kept, r = slopes
        dh, dh_prev = dnow[0], dprev[0]
        dreset = np.matmul(np.multiply(dh, dn, out=dz[2]), W_T[2])  # at r * h_{t-1}
        np.multiply(dreset, dr, out=dz[0])
        np.multiply(dh, du, out=dz[1])
        dh_prev += dh * kept
        dreset *= r
        dh_prev += dreset
        for back in np.matmul(dz[:2], W_T[:2]):
            dh_prev += back

    def multiplied(self, z: Array, prev: Array) -> list[tuple[slice, Array]]:
        return [(slice(0, 2), prev[0]), (slice(2, 3), z[0] * prev[0])]


CELLS = {"elman": Elman, "gru": GRU, "lstm": LSTM}
