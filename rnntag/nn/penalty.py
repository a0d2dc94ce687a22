"""The gradient-propagation regulariser: errors should keep their length on the way back     (seed 002; Pascanu,
Mikolov and Bengio 2013, equations 9 and 10)."""

from __future__ import annotations

import numpy as np

from .layers import Array
from .packing import Packing

TINY = 1e-150  # a norm below has no direction


def propagation_penalty(W_h: Array, dz: Array, dh: Array, packing: Packing) -> tuple[float, Array]:
    """Omega, summed over all steps of all sentences but the first ones, and its gradient for W_h (1, D, H, H).

    Omega_t = (|| dh_t dh_t/dh_{t-1} || / || dh_t || - 1)^2,    dh_t dh_t/dh_{t-1} = dz_t W_h'

    dh (R, H) is d loss / d h_t, the error of everything that comes after, and dz (1, R, H) that before the
    activation. As in the paper, both are held constant: the gradient is of W_h where it stands in this formula, not
    of the states and the errors that depend on it, too.
    """
    reading, omega, dW_h = packing.read(W_h.shape[1]), 0.0, np.zeros(W_h.shape)
    for d, order in enumerate(reading.order):
        rows = order[packing.time > 0]
        v = dz[0, rows].astype(np.float64)  # squares of vanishing errors
        back = v @ W_h[0, d].T
        before, after = np.linalg.norm(dh[rows].astype(np.float64), axis=1), np.linalg.norm(back, axis=1)
        alive = (before > TINY) & (after > TINY)
        v, back, before, after = v[alive], back[alive], before[alive], after[alive]
        excess = after / before - 1
        omega += float((excess ** 2).sum())
        dW_h[0, d] = (back * (2 * excess / (before * after))[:, None]).T @ v
    return omega, dW_h.astype(W_h.dtype)
