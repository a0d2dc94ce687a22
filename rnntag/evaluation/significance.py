"""How sure one can be of a score: intervals and tests.

The tokens of a sentence are not independent of each other: one wrong tag brings the next. What
resamples whole sentences (the bootstrap) takes that into account; what counts tokens one by one
(Wilson's interval, McNemar's test) does not, and is overconfident on text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

LEVEL = 0.95  # of intervals
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)  # half of a normal interval, in standard deviations
ALPHA = 0.05  # a difference is called more than chance below this probability
RESAMPLES = 10_000
EXACT_LIMIT = 1_000  # McNemar: up to so many tokens that one answer alone has right, the exact test
BLOCK = 1 << 20  # numbers drawn at once
NORMAL = 50_000  # degrees of freedom beyond which Student's t is a normal variable to four digits


class Interval(NamedTuple):
    """From ``low`` to ``high``, ends included."""

    low: float
    high: float


@dataclass
class Contrast:
    """Two scores of the same sentences.

    difference      the second less the first
    interval        of it, 95 %
    p, p_adjusted   the probability of so large a difference if there were none; after Holm, for all contrasts made
    """

    first: str
    second: str
    difference: float
    interval: Interval
    p: float
    p_adjusted: float = field(default=math.nan, kw_only=True)

    @property
    def significant(self) -> bool:
        """Is the difference more than chance?"""
        return self.p_adjusted < ALPHA

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"first": self.first, "second": self.second, "difference": self.difference,
                "interval": list(self.interval), "p": self.p, "p_adjusted": self.p_adjusted,
                "more_than_chance": self.significant}


def wilson(correct: int, total: int, level: float = LEVEL) -> Interval:
    """The score interval for a share p = correct / total (Wilson 1927), z the normal quantile:

        (p + z^2 / 2n  -+  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    Not a number at both ends for nothing (n = 0).
    """
    if not total:
        return Interval(math.nan, math.nan)
    z = NormalDist().inv_cdf((1 + level) / 2)
    p, spread = correct / total, z * z / total
    middle = (p + spread / 2) / (1 + spread)
    half = z * math.sqrt(p * (1 - p) / total + spread / (4 * total)) / (1 + spread)
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def resample(columns: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Column sums (R, C) over S sentences drawn with replacement, R times, from columns (S, C).

    Every row uses one draw for all columns, so scores computed from a row are paired. A draw is
    written as the number of times each sentence was drawn; the sums are then one matrix product.
    """
    S, C = columns.shape
    small = columns.sum(axis=0).max(initial=0) < 1 << 21  # sums stay whole in float32 even at 8 times that
    columns = np.ascontiguousarray(columns, np.float32 if small else np.float64)
    sums = np.empty((resamples, C))
    step = max(1, BLOCK // S)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, S, (rows, S), np.int32) + S * np.arange(rows)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=rows * S).reshape(rows, S)
        sums[start:start + rows] = weights.astype(columns.dtype) @ columns
    return sums


def percentile(samples: np.ndarray, level: float = LEVEL) -> Interval:
    """The percentile interval of bootstrap samples (Efron and Tibshirani 1993, chapter 13).

    Samples that are not a number (resamples without a token of the kind) are left out.
    """
    samples = samples[~np.isnan(samples)]
    if not len(samples):
        return Interval(math.nan, math.nan)
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def ratio(correct: np.ndarray, total: np.ndarray) -> np.ndarray:
    """correct / total, not a number where total is 0."""
    return np.divide(correct, total, out=np.full(np.shape(correct), np.nan), where=total > 0)


def bootstrap_p(differences: np.ndarray) -> float:
    """The probability, from both sides, of no difference, from R bootstrap samples of it:

        2 (1 + min(#{d <= 0}, #{d >= 0})) / (R + 1),  at most 1

    so it is never 0 (Davison and Hinkley 1997, 4.2.3); with R = 10,000 it is at least 0.0002.
    """
    fewer = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (1 + fewer) / (len(differences) + 1))


class McNemar(NamedTuple):
    """McNemar's test: tokens that only one of two answers has right, p, and whether the test is exact."""

    only_first: int
    only_second: int
    p: float
    exact: bool


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Are the two counts more different than a fair coin would make them? (McNemar 1947)

    Exact (binomial, two-sided) up to EXACT_LIMIT tokens; above that, where both forms agree, chi-square with
    one degree of freedom and the continuity correction of Edwards (1948):

        chi2 = (|b - c| - 1)^2 / (b + c)
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    if total > EXACT_LIMIT:
        chi2 = max(0, abs(only_first - only_second) - 1) ** 2 / total
        return McNemar(only_first, only_second, math.erfc(math.sqrt(chi2 / 2)), False)
    tail = sum(math.comb(total, i) for i in range(fewer + 1))
    return McNemar(only_first, only_second, min(1.0, 2 * tail / 2 ** total), True)


def holm(probabilities: Sequence[float]) -> list[float]:
    """Probabilities adjusted for multiple comparisons (Holm 1979): the i-th smallest of m times m - i + 1,
    no smaller than the one before, at most 1."""
    adjusted = [0.0] * len(probabilities)
    highest = 0.0
    for rank, i in enumerate(sorted(range(len(probabilities)), key=lambda i: probabilities[i])):
        highest = max(highest, min(1.0, probabilities[i] * (len(probabilities) - rank)))
        adjusted[i] = highest
    return adjusted


def adjust(contrasts: Sequence[Contrast]) -> None:
    """Fill in the adjusted probability of each."""
    for contrast, p in zip(contrasts, holm([contrast.p for contrast in contrasts])):
        contrast.p_adjusted = p


def t_probability(t: float, freedom: float) -> float:
    """The probability, from both sides, of a value of Student's t at least as far from 0:

        I_x(v / 2, 1 / 2),  x = v / (v + t^2),  v degrees of freedom

    Beyond NORMAL of these it is a normal variable.
    """
    if freedom > NORMAL:
        return math.erfc(abs(t) / math.sqrt(2))
    return incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def t_quantile(share: float, freedom: float) -> float:
    """The value that Student's t stays below with probability ``share``, above 1/2; by bisection."""
    low, high = 0.0, 1.0
    while t_probability(high, freedom) > 2 * (1 - share):
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_probability(middle, freedom) > 2 * (1 - share) else (low, middle)
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), the regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun
    26.5.8), evaluated from its far end, where it converges fast: for x below (a + 1) / (a + b + 2)."""
    if not 0 < x < 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    fraction = 1.0
    for m in range(200, 0, -1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m - 1) * (a + b + m - 1) * x / ((a + 2 * m - 2) * (a + 2 * m - 1))
        fraction = 1 + odd / (1 + even / fraction)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / a / fraction
