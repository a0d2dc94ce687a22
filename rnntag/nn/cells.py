"""Recurrent cells: one time step forward, one step back.

A cell sees the rows of one step (or, for truncated back-propagation, of all steps at once); recurrent.py owns
time. Sizes: n gates, S state vectors, D directions, b rows, H hidden width. Row vectors: a step is ``h W``. Each
gate has a block of its own, so that ``i, f, o, g = z`` are the letters of the formula.

    z          (n, D, b, H)  x_t W_x + b, computed for all steps beforehand; gated cells overwrite it with the
                             values of their gates
    previous   (S, D, b, H)  the state vectors of step t-1: h alone, or h and c
    state      (S, D, b, H)  the state vectors of step t, written by ``forward``
    W_h        (n, D, H, H)  recurrent weights; W_T, each matrix of them transposed, on the way back
    scratch    (n, D, b, H)  memory to work in

One direction goes without the axis D, which costs time at each step.

``local_gradients`` takes what ``backward`` needs of the local derivatives, for the whole sequence in a few array
operations. ``backward`` reads d loss / d state, writes dz, and ADDS to d loss / d previous; it is linear in its
input, so the order of steps does not matter to it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .layers import ACTIVATIONS, Array, sigmoid

FORGET_BIAS = 1.0  # keeps the cell open at the start: Jozefowicz et al. 2015


class RecurrentInput(NamedTuple):
    """What the W_h of some gates is multiplied with: the rows h in dW_h = sum_t h_{t-1}' dz_t."""

    gates: slice
    h: Array


class Cell:
    """What every cell has; ``gates`` and ``states`` are its n and S, state 0 is its output h."""

    gates = 1
    states = 1

    def __init__(self, activation: str = "tanh"):
        pass

    def initial_bias(self, H: int) -> Array:
        """The bias before training: (n H,)."""
        return np.zeros(self.gates * H)

    def forward(self, W_h: Array, z: Array, previous: Array, state: Array, scratch: Array) -> None:
        """One step: write ``state``."""
        raise NotImplementedError

    def local_gradients(self, z: Array, previous: Array, state: Array) -> Any:
        """A NamedTuple of arrays (..., H), from z as ``forward`` left it."""
        raise NotImplementedError

    def backward(self, W_T: Array, local: Any, dstate: Array, dprevious: Array, dz: Array) -> None:
        """One step back: write ``dz`` and add to ``dprevious``."""
        raise NotImplementedError

    def recurrent_inputs(self, z: Array, previous: Array) -> list[RecurrentInput]:
        """What W_h is multiplied with, gate by gate."""
        return [RecurrentInput(slice(None), previous[0])]


class ElmanGradients(NamedTuple):
    """dh_dz = f'(z_t + h_{t-1} W_h), from h = f(.): 1 - h^2 for tanh."""

    dh_dz: Array


class Elman(Cell):
    """h_t = f(z_t + h_{t-1} W_h)     (seed 000, "RNN Calculation"; f = tanh there)"""

    def __init__(self, activation: str = "tanh"):
        self.f, self.derivative = ACTIVATIONS[activation]

    def forward(self, W_h: Array, z: Array, previous: Array, state: Array, scratch: Array) -> None:
        np.matmul(previous, W_h, out=state)
        state += z
        self.f(state, out=state)

    def local_gradients(self, z: Array, previous: Array, state: Array) -> ElmanGradients:
        return ElmanGradients(self.derivative(state))

    def backward(self, W_T: Array, local: ElmanGradients, dstate: Array, dprevious: Array, dz: Array) -> None:
        np.multiply(dstate, local.dh_dz, out=dz)  # dz_t = dh_t * f'
        dprevious += np.matmul(dz, W_T)  # dh_{t-1} += dz_t W_h'


class LSTMGradients(NamedTuple):
    """dc/dz of the gates i, f and g, dh/dz of the gate o; dh/dc, and dc/dc_{t-1}, which is f."""

    dc_di: Array
    dc_df: Array
    dh_do: Array
    dc_dg: Array
    dh_dc: Array
    dc_dprevious: Array


class LSTM(Cell):
    """Gates in the order i f o g     (seed 002, equations 12-17)

    i, f, o = sigmoid(z + h_{t-1} W_h)      g = tanh(z + h_{t-1} W_h)
    c_t = f * c_{t-1} + i * g               h_t = o * tanh(c_t)
    """

    gates, states = 4, 2

    def initial_bias(self, H: int) -> Array:
        """0, and FORGET_BIAS for the gate f."""
        bias = np.zeros((4, H))
        bias[1] = FORGET_BIAS
        return bias.ravel()

    def forward(self, W_h: Array, z: Array, previous: Array, state: Array, scratch: Array) -> None:
        h_previous, c_previous = previous
        h, c = state
        np.matmul(h_previous, W_h, out=scratch)
        z += scratch
        i, f, o, g = z
        sigmoid(z[:3], out=z[:3])
        np.tanh(g, out=g)
        np.multiply(f, c_previous, out=c)
        c += np.multiply(i, g, out=h)
        np.tanh(c, out=h)
        h *= o

    def local_gradients(self, z: Array, previous: Array, state: Array) -> LSTMGradients:
        i, f, o, g = z
        tanh_c = np.tanh(state[1])
        return LSTMGradients(dc_di=g * i * (1 - i), dc_df=previous[1] * f * (1 - f), dh_do=tanh_c * o * (1 - o),
                             dc_dg=i * (1 - g * g), dh_dc=o * (1 - tanh_c * tanh_c), dc_dprevious=f)

    def backward(self, W_T: Array, local: LSTMGradients, dstate: Array, dprevious: Array, dz: Array) -> None:
        dh, dc = dstate
        dc = dc + dh * local.dh_dc  # c is read by h, and by step t+1
        di, df, do, dg = dz
        np.multiply(dc, local.dc_di, out=di)
        np.multiply(dc, local.dc_df, out=df)
        np.multiply(dh, local.dh_do, out=do)
        np.multiply(dc, local.dc_dg, out=dg)
        dh_previous, dc_previous = dprevious
        dc_previous += dc * local.dc_dprevious
        for back in np.matmul(dz, W_T):
            dh_previous += back


class GRUGradients(NamedTuple):
    """dr of r * h_{t-1}, dh/dz of the gates u and n; dh/dh_{t-1} without the gates, which is 1 - u; r."""

    dreset_dr: Array
    dh_du: Array
    dh_dn: Array
    dh_dprevious: Array
    r: Array


class GRU(Cell):
    """Gates in the order r u n, u being the lectures' z     (seeds 001 and 002, equations 18-21)

    r, u = sigmoid(z + h_{t-1} W_h)         n = tanh(z + (r * h_{t-1}) W_h)
    h_t = (1 - u) * h_{t-1} + u * n

    The reset gate multiplies the state before the matrix product, and u weighs the NEW value.
    """

    gates = 3

    def forward(self, W_h: Array, z: Array, previous: Array, state: Array, scratch: Array) -> None:
        n, h_previous, h = z[2], previous[0], state[0]
        gates = np.matmul(h_previous, W_h[:2], out=scratch[:2])
        gates += z[:2]
        r, u = z[:2] = sigmoid(gates, out=gates)  # scratch is in one piece, as z, cut from all steps, is not
        np.multiply(r, h_previous, out=h)
        n += np.matmul(h, W_h[2], out=scratch[2])
        np.tanh(n, out=n)
        np.subtract(n, h_previous, out=h)  # h_previous + u (n - h_previous)
        h *= u
        h += h_previous

    def local_gradients(self, z: Array, previous: Array, state: Array) -> GRUGradients:
        r, u, n = z
        h_previous = previous[0]
        return GRUGradients(dreset_dr=h_previous * r * (1 - r), dh_du=(n - h_previous) * u * (1 - u),
                            dh_dn=u * (1 - n * n), dh_dprevious=1 - u, r=r)

    def backward(self, W_T: Array, local: GRUGradients, dstate: Array, dprevious: Array, dz: Array) -> None:
        dh, dh_previous = dstate[0], dprevious[0]
        dr, du, dn = dz
        dreset = np.matmul(np.multiply(dh, local.dh_dn, out=dn), W_T[2])  # at r * h_{t-1}
        np.multiply(dreset, local.dreset_dr, out=dr)
        np.multiply(dh, local.dh_du, out=du)
        dh_previous += dh * local.dh_dprevious
        dreset *= local.r
        dh_previous += dreset
        for back in np.matmul(dz[:2], W_T[:2]):
            dh_previous += back

    def recurrent_inputs(self, z: Array, previous: Array) -> list[RecurrentInput]:
        return [RecurrentInput(slice(0, 2), previous[0]), RecurrentInput(slice(2, 3), z[0] * previous[0])]
