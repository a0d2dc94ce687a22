"""Recurrent cells: one time step forward, one step back.

A cell sees the rows of one step (or, for truncated back-propagation, of all steps at once); rnn.py
owns time. Sizes: D directions, b rows, H hidden width, n gates. Row vectors: a step is ``h W``.

    z      (D, b, nH)    x_t W_x + b, computed for all steps beforehand; gated cells overwrite it
                         with the values of their gates
    prev   (S, D, b, H)  the S state vectors of step t-1: h alone, or h and c
    now    (S, D, b, H)  the state vectors of step t, written by ``forward``
    W_h    (D, H, nH)    recurrent weights, gates side by side
    room   (D, b, nH)    scratch space

``slopes`` takes what backward needs of the local derivatives, for the whole sequence in a few
array operations. ``backward`` reads d loss / d now, writes dz, and ADDS to d loss / d prev; it is
linear in its input, so the order of steps does not matter to it.
"""

from __future__ import annotations

import numpy as np

from .layers import ACTIVATIONS, Array, sigmoid

FORGET_BIAS = 1.0  # keeps the cell open at the start: Jozefowicz et al. 2015


class Elman:
    """h_t = f(z_t + h_{t-1} W_h)     (seed 000, "RNN Calculation"; f = tanh there)"""

    gates, states = 1, 1

    def __init__(self, activation: str = "tanh"):
        self.f, self.derivative = ACTIVATIONS[activation]

    def forward(self, W_h: Array, z: Array, prev: Array, now: Array, room: Array) -> None:
        h = now[0]
        np.matmul(prev[0], W_h, out=h)
        h += z
        self.f(h, out=h)

    def slopes(self, z: Array, prev: Array, now: Array) -> tuple[Array, ...]:
        return (self.derivative(now[0]),)  # f'(a) from h = f(a): 1 - h^2 for tanh

    def backward(self, W_h: Array, slopes: tuple[Array, ...], dnow: Array, dprev: Array, dz: Array) -> None:
        (df,) = slopes
        np.multiply(dnow[0], df, out=dz)  # dz_t = dh_t * f'
        dh = dprev[0]
        dh += np.matmul(dz, W_h.transpose(0, 2, 1))  # dh_{t-1} += dz_t W_h'

    def recurrent_gradient(self, z: Array, prev: Array, dz: Array) -> Array:
        """dW_h = sum_t h_{t-1}' dz_t."""
        return prev[0].transpose(0, 2, 1) @ dz


class LSTM(Elman):
    """Gates in the order i f o g     (seed 002, equations 12-17)

    i, f, o = sigmoid(z + h_{t-1} W_h)      g = tanh(z + h_{t-1} W_h)
    c_t = f * c_{t-1} + i * g               h_t = o * tanh(c_t)
    """

    gates, states = 4, 2

    def __init__(self, activation: str = "tanh"):
        pass

    def forward(self, W_h: Array, z: Array, prev: Array, now: Array, room: Array) -> None:
        H = W_h.shape[1]
        h, c = now
        z += np.matmul(prev[0], W_h, out=room)
        sigmoid(z[..., :3 * H], out=z[..., :3 * H])
        np.tanh(z[..., 3 * H:], out=z[..., 3 * H:])
        i, f, o, g = (z[..., k * H:(k + 1) * H] for k in range(4))
        np.multiply(f, prev[1], out=c)
        c += np.multiply(i, g, out=h)
        np.tanh(c, out=h)
        h *= o

    def slopes(self, z: Array, prev: Array, now: Array) -> tuple[Array, ...]:
        H = now.shape[-1]
        i, f, o, g = (z[..., k * H:(k + 1) * H] for k in range(4))
        tanh_c = np.tanh(now[1])
        gate = np.empty_like(z)  # d now / d (z + h W_h): for o through h, for i, f, g through c
        np.multiply(g, i * (1 - i), out=gate[..., :H])
        np.multiply(prev[1], f * (1 - f), out=gate[..., H:2 * H])
        np.multiply(tanh_c, o * (1 - o), out=gate[..., 2 * H:3 * H])
        np.multiply(i, 1 - g * g, out=gate[..., 3 * H:])
        return gate, o * (1 - tanh_c * tanh_c), f

    def backward(self, W_h: Array, slopes: tuple[Array, ...], dnow: Array, dprev: Array, dz: Array) -> None:
        gate, dh_dc, f = slopes
        H = W_h.shape[1]
        dh, dc = dnow[0], dnow[1] + dnow[0] * dh_dc  # c is read by h, and by step t+1
        for k, error in enumerate((dc, dc, dh, dc)):
            block = slice(k * H, (k + 1) * H)
            np.multiply(error, gate[..., block], out=dz[..., block])
        dh_prev, dc_prev = dprev
        dc_prev += dc * f
        dh_prev += np.matmul(dz, W_h.transpose(0, 2, 1))


class GRU(Elman):
    """Gates in the order r z n     (seeds 001 and 002, equations 18-21)

    r, z = sigmoid(z + h_{t-1} W_h)         n = tanh(z + (r * h_{t-1}) W_h)
    h_t = (1 - z) * h_{t-1} + z * n

    The reset gate multiplies the state before the matrix product, and z weighs the NEW value.
    """

    gates, states = 3, 1

    def __init__(self, activation: str = "tanh"):
        pass

    def forward(self, W_h: Array, z: Array, prev: Array, now: Array, room: Array) -> None:
        H = W_h.shape[1]
        h, h_prev = now[0], prev[0]
        gates, candidate = z[..., :2 * H], z[..., 2 * H:]
        gates += np.matmul(h_prev, W_h[..., :2 * H], out=room[..., :2 * H])
        sigmoid(gates, out=gates)
        np.multiply(z[..., :H], h_prev, out=h)
        candidate += np.matmul(h, W_h[..., 2 * H:], out=room[..., 2 * H:])
        np.tanh(candidate, out=candidate)
        np.subtract(candidate, h_prev, out=h)  # h_prev + z (n - h_prev)
        h *= z[..., H:2 * H]
        h += h_prev

    def slopes(self, z: Array, prev: Array, now: Array) -> tuple[Array, ...]:
        H = now.shape[-1]
        r, u, n = (z[..., k * H:(k + 1) * H] for k in range(3))
        h_prev = prev[0]
        return (h_prev * r * (1 - r), (n - h_prev) * u * (1 - u), u * (1 - n * n), 1 - u, r)

    def backward(self, W_h: Array, slopes: tuple[Array, ...], dnow: Array, dprev: Array, dz: Array) -> None:
        reset, update, candidate, kept, r = slopes
        H = W_h.shape[1]
        dh, dh_prev = dnow[0], dprev[0]
        np.multiply(dh, candidate, out=dz[..., 2 * H:])
        dreset = np.matmul(dz[..., 2 * H:], W_h[..., 2 * H:].transpose(0, 2, 1))  # at r * h_{t-1}
        np.multiply(dreset, reset, out=dz[..., :H])
        np.multiply(dh, update, out=dz[..., H:2 * H])
        dh_prev += dh * kept
        dh_prev += dreset * r
        dh_prev += np.matmul(dz[..., :2 * H], W_h[..., :2 * H].transpose(0, 2, 1))

    def recurrent_gradient(self, z: Array, prev: Array, dz: Array) -> Array:
        """As Elman's, with r * h_{t-1} in place of h_{t-1} in the candidate's block."""
        H = prev.shape[-1]
        gates = prev[0].transpose(0, 2, 1) @ dz[..., :2 * H]
        candidate = (z[..., :H] * prev[0]).transpose(0, 2, 1) @ dz[..., 2 * H:]
        return np.concatenate((gates, candidate), axis=-1)


CELLS = {"elman": Elman, "gru": GRU, "lstm": LSTM}
