"""The learning curve: how the error falls as the corpus grows, and what more of it should bring.

    error(n) = a n^-b        n training tokens

Two parameters, a straight line in logarithms. A third one, the error that no corpus size takes away
(error = a n^-b + c), cannot be told from b with five sizes that span a factor of 16: its estimate
swings between 0 and the last error, and what it predicts with it. Without it the prediction is an
optimistic one: where an inconsistent annotation sets a limit, more text of the same kind brings less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from .significance import LEVEL, Interval


@dataclass(frozen=True)
class PowerLaw:
    """error(n) = a n^-b, and the covariance of (log a, -b)."""

    a: float
    b: float
    covariance: tuple[tuple[float, float], tuple[float, float]]

    def error(self, n: float) -> float:
        """The error expected of n training tokens, at most 1."""
        return min(1.0, self.a * n ** -self.b)

    def interval(self, n: float) -> Interval:
        """Where the error of n training tokens should lie, as far as the fit knows (95 %)."""
        x = np.array([1, math.log(n)])
        half = NormalDist().inv_cdf((1 + LEVEL) / 2) * math.sqrt(x @ np.array(self.covariance) @ x)
        middle = math.log(self.a) - self.b * math.log(n)
        return Interval(min(1.0, math.exp(middle - half)), min(1.0, math.exp(middle + half)))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def fit(points: Sequence[tuple[int, int, int]]) -> PowerLaw:
    """The power law through points (n, wrong, total): weighted least squares in logarithms.

        log(wrong / total) = log a - b log n,   weights = wrong

    because the logarithm of a count of w errors has about the variance 1 / w. A point without an
    error counts as half an error. Where the points lie further from the line than that variance
    allows, the covariance is scaled up to what they show.

    Raises ValueError for fewer than two sizes.
    """
    if len({n for n, _, _ in points}) < 2:
        raise ValueError("a line needs two sizes")
    wrong = np.array([max(w, 0.5) for _, w, _ in points])
    x = np.stack((np.ones(len(points)), [math.log(n) for n, _, _ in points]), axis=1)
    y = np.log(wrong / [total for _, _, total in points])
    inverse = np.linalg.inv(x.T @ (wrong[:, None] * x))
    (intercept, slope) = coefficients = inverse @ (x.T @ (wrong * y))
    spare = len(points) - 2
    excess = float((wrong * (y - x @ coefficients) ** 2).sum()) / spare if spare else 1.0
    covariance = inverse * max(1.0, excess)
    return PowerLaw(math.exp(intercept), -float(slope), tuple(map(tuple, covariance.tolist())))
