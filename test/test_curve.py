import math

import numpy as np
import pytest

from rnntag.evaluation.curve import fit

SIZES = [1000, 2000, 4000, 8000, 16000]


def points(a, b, total=10**9):
    return [(n, round(a * n ** -b * total), total) for n in SIZES]


def test_an_exact_power_law_is_found():
    law = fit(points(3.0, 0.4))
    assert (law.a, law.b) == pytest.approx((3.0, 0.4), rel=1e-5)
    assert law.error(32_000) == pytest.approx(3.0 * 32_000 ** -0.4, rel=1e-5)
    assert law.error(0.001) == 1.0


def test_the_fit_is_the_weighted_line_of_numpy():
    rng = np.random.default_rng(1)
    for _ in range(20):
        data = [(n, int(rng.integers(20, 900)), 1000) for n in SIZES]
        x, w = np.log([n for n, _, _ in data]), np.array([w for _, w, _ in data])
        slope, intercept = np.polyfit(x, np.log(w / 1000), 1, w=np.sqrt(w))
        law = fit(data)
        assert (-law.b, math.log(law.a)) == pytest.approx((slope, intercept))


def test_the_covariance_is_scipy_s():
    optimize = pytest.importorskip("scipy.optimize")
    data = [(1000, 300, 1000), (2000, 260, 1000), (4000, 120, 1000), (8000, 160, 1000)]  # far from any line
    x, y = np.log([n for n, _, _ in data]), np.log([w / t for _, w, t in data])
    sigma = [w ** -0.5 for _, w, _ in data]
    _, expected = optimize.curve_fit(lambda x, c, d: c + d * x, x, y, sigma=sigma, absolute_sigma=False)
    assert np.allclose(fit(data).covariance, expected, rtol=1e-4)


def test_points_nearer_to_the_line_than_chance_do_not_make_it_surer():
    assert fit(points(3.0, 0.4, 1000)).covariance[1][1] > 10 * fit(points(3.0, 0.4, 100_000)).covariance[1][1]


def test_the_interval_holds_the_next_size_about_as_often_as_it_says():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(400):
        law = fit([(n, int(rng.poisson(4000 * 3.0 * n ** -0.4)), 4000) for n in SIZES])
        low, high = law.interval(32_000)
        hits += low <= 3.0 * 32_000 ** -0.4 <= high
    assert 0.93 * 400 <= hits


def test_no_errors_at_a_size_can_be_fitted():
    law = fit([(1000, 10, 100), (2000, 0, 100)])
    assert law.b > 0 and math.isfinite(law.error(4000))


def test_one_size_is_no_curve():
    with pytest.raises(ValueError):
        fit([(1000, 10, 100), (1000, 12, 100)])
