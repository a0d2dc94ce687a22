"""The learning curve: how the error falls as the corpus grows, and what more of it should bring.

    error(n) = a n^-b        n training tokens

Two parameters, a straight line in logarithms. A third one, the error that remains at any corpus size
(error = a n^-b + c), cannot be told from b with five sizes that span a factor of 16: its estimate
swings between 0 and the last error, and the prediction swings with it.

The forecast starts from the last error measured, not from the line, and falls as the line does:

    error(m) = error(n) (m / n)^-b

Its interval says where the error of m tokens will be measured, on the same test sentences. All sizes are trained
on parts of one corpus and scored on these sentences, so their counts of errors scatter less about the line than
independent counts. How much less is estimated from the residuals, which are few when the sizes are few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .significance import Interval

Point = tuple[float, int, int]  # training tokens, wrong, of all
QUANTILES = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}  # Student's t, 97.5 %
LEAST = 0.1  # scatter of the points that is always assumed: two residuals can be small by chance


@dataclass(frozen=True)
class PowerLaw:
    """error(n) = a n^-b.

    scatter    variance of the points about the line in logarithms, as a share of that of independent counts
    variance   of b, for independent counts (scatter 1)
    spare      sizes beyond the two that a line needs
    """

    a: float
    b: float
    scatter: float
    variance: float
    spare: int

    def error(self, n: float) -> float:
        """The error expected of n training tokens, at most 1."""
        return min(1.0, self.a * n ** -self.b)


class Forecast(NamedTuple):
    """The error to expect, and the 95 % interval of its measurement; None when there are too few sizes."""

    error: float
    interval: Interval | None


def fit(points: Sequence[Point]) -> PowerLaw:
    """The power law through points (n, wrong, total): weighted least squares in logarithms.

        log(wrong / total) = log a - b log n,   weights = wrong

    because the logarithm of a count of w errors has about the variance 1 / w. A point without an
    error counts as half an error.

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
    scatter = float((wrong * (y - x @ coefficients) ** 2).sum()) / spare if spare else math.nan
    return PowerLaw(math.exp(intercept), -float(slope), scatter, float(inverse[1, 1]), spare)


def forecast(points: Sequence[Point], n: float) -> Forecast:
    """What to expect of n training tokens, from a point for each smaller size, the largest last.

        log error(n) -+ t sqrt(scatter (step^2 var(b) + 1 / wrong + 1 / wrong(n))),   step = log(n / last n)

    t is the quantile for as many degrees of freedom as there are sizes beyond two; with fewer than two degrees
    the interval would say nothing.
    """
    law = fit(points)
    last, wrong, total = points[-1][0], max(points[-1][1], 0.5), points[-1][2]
    step = math.log(n / last)
    expected = wrong * math.exp(-law.b * step)
    error = min(1.0, expected / total)
    if law.spare not in QUANTILES:
        return Forecast(error, None)
    scatter = max(LEAST, law.scatter)
    variance = scatter * (step ** 2 * law.variance + 1 / wrong + 1 / expected)
    half = QUANTILES[law.spare] * math.sqrt(variance)
    return Forecast(error, Interval(min(1.0, error * math.exp(-half)), min(1.0, error * math.exp(half))))


@dataclass
class Curve:
    """One model's points, by size, the smallest first, and the power law through their means."""

    name: str
    sizes: list[list[Point]]

    @classmethod
    def of(cls, name: str, points: Sequence[Point], repeats: int) -> Curve:
        """From the points in order, ``repeats`` of each size."""
        return cls(name, [list(points[k:k + repeats]) for k in range(0, len(points), repeats)])

    @property
    def means(self) -> list[Point]:
        """A point for each size: mean training tokens, and the errors of all repeats together."""
        return [(sum(n for n, _, _ in group) / len(group), sum(w for _, w, _ in group), sum(t for _, _, t in group))
                for group in self.sizes]

    @property
    def law(self) -> PowerLaw:
        """The power law through all sizes."""
        return fit(self.means)

    @property
    def last(self) -> tuple[float, float]:
        """(training tokens, error) of the largest size."""
        n, wrong, total = self.means[-1]
        return n, wrong / total

    def check(self) -> Forecast:
        """What the smaller sizes alone say of the largest one."""
        return forecast(self.means[:-1], self.last[0])

    def doubled(self) -> Forecast:
        """What all sizes say of twice the largest one."""
        return forecast(self.means, 2 * self.last[0])

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        (n, error), law, check, doubled = self.last, self.law, self.check(), self.doubled()
        return {"name": self.name, "points": [{"tokens": n, "wrong": w, "total": t}
                                              for group in self.sizes for n, w, t in group],
                "power_law": {"a": law.a, "b": law.b},
                "full_size": {"error": error, "predicted": check.error, "interval": check.interval},
                "doubled": {"tokens": 2 * n, "error": doubled.error, "interval": doubled.interval}}
