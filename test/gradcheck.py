"""Gradients against central differences, in float64."""

from __future__ import annotations

import numpy as np

STEP = 1e-5
TOLERANCE = 1e-6
LENGTHS = {"mixed": (9, 8, 7, 6, 5, 4, 3, 2, 1, 1), "in any order": (2, 5, 1, 5, 3), "equal": (6, 6), "single": (7,)}


def check(loss, arrays, gradients, sample=None):
    """Every entry of every array: |a - n| / max(1, |a| + |n|) < 1e-6.

    loss       function of nothing; it reads ``arrays``, whose entries are changed in place
    arrays     name to float64 array
    gradients  name to the analytic gradient, shaped like the array
    sample     of an array with more entries, this many at fixed random places
    """
    for name, array in arrays.items():
        gradient = gradients[name]
        assert array.dtype == np.float64, f"{name} is {array.dtype}; a check wants float64"
        assert gradient.shape == array.shape, f"{name} {array.shape} has a gradient {gradient.shape}"
        assert gradient.dtype == array.dtype, f"the gradient of {name} is {gradient.dtype}"
        for index in places(array.shape, sample):
            analytic, numeric = float(gradient[index]), difference(loss, array, index)
            error = abs(analytic - numeric) / max(1, abs(analytic) + abs(numeric))
            place = f"d{name}{[int(i) for i in index]}"
            assert error < TOLERANCE, f"{place}: {analytic} by formula, {numeric} by difference"


def places(shape, sample):
    """All indices of a shape, or a fixed random ``sample`` of them."""
    indices = list(np.ndindex(shape))
    if sample is None or len(indices) <= sample:
        return indices
    rng = np.random.default_rng(len(indices))
    return [indices[k] for k in rng.choice(len(indices), sample, replace=False)]


def difference(loss, array, index):
    """(L(w + e) - L(w - e)) / 2e"""
    value = array[index]
    array[index] = value + STEP
    above = loss()
    array[index] = value - STEP
    below = loss()
    array[index] = value
    return (above - below) / (2 * STEP)


def normal(rng, scale=0.7, /, **shapes):
    """Random arrays of the given shapes, by name."""
    return {name: rng.normal(0, scale, shape) for name, shape in shapes.items()}


def close(a, b, tolerance=1e-12):
    """Are two arrays of one shape the same to within ``tolerance``?"""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, f"shapes {a.shape} and {b.shape}"
    return bool(np.all(np.abs(a - b) <= tolerance * np.maximum(1, np.abs(b))))
