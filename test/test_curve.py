import math

import numpy as np
import pytest

from rnntag.evaluation.curve import LEAST, QUANTILES, Curve, fit, forecast

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


def test_the_variance_of_the_slope_is_scipy_s():
    optimize = pytest.importorskip("scipy.optimize")
    data = [(1000, 300, 1000), (2000, 260, 1000), (4000, 120, 1000), (8000, 160, 1000)]  # far from any line
    x, y = np.log([n for n, _, _ in data]), np.log([w / t for _, w, t in data])
    sigma = [w ** -0.5 for _, w, _ in data]
    _, expected = optimize.curve_fit(lambda x, c, d: c + d * x, x, y, sigma=sigma, absolute_sigma=False)
    law = fit(data)
    assert law.scatter * law.variance == pytest.approx(expected[1][1], rel=1e-4)


def test_the_quantiles_are_scipy_s():
    stats = pytest.importorskip("scipy.stats")
    assert QUANTILES == pytest.approx({df: stats.t.ppf(0.975, df) for df in range(2, 10)}, abs=6e-4)


def test_a_forecast_starts_from_the_last_point_and_falls_as_the_line_does():
    data = [*points(3.0, 0.4)[:-1], (16_000, 2 * points(3.0, 0.4)[-1][1], 10**9)]  # twice the errors of the law
    error, (low, high) = forecast(data, 64_000)
    assert error == pytest.approx(2 * 3.0 * 16_000 ** -0.4 * 4 ** -fit(data).b, rel=1e-5)
    assert low < error < high and low * high == pytest.approx(error ** 2)


def test_points_far_from_the_line_make_the_interval_wide_and_points_on_it_never_make_it_nothing():
    exact, (low, high) = forecast(points(3.0, 0.4, 100_000), 32_000)
    wrong = 3.0 * 16_000 ** -0.4 * 100_000
    assert high / low > math.exp(2 * QUANTILES[3] * math.sqrt(LEAST * 2 / wrong))
    _, (less, more) = forecast([(n, round(w * (1.3 if k % 2 else 1)), t)
                                for k, (n, w, t) in enumerate(points(3.0, 0.4, 100_000))], 32_000)
    assert more / less > 1.5 * high / low


def test_three_sizes_are_too_few_for_an_interval():
    assert forecast(points(3.0, 0.4)[:3], 8000).interval is None
    assert forecast(points(3.0, 0.4)[:4], 16_000).interval is not None


def test_the_interval_holds_the_next_measured_size_about_as_often_as_it_says():
    """All sizes are tagged on one test set, whose hard and easy tokens they share, and the parts of the corpus
    are better or worse than others by chance."""
    rng = np.random.default_rng(2)
    hits = np.zeros(2)
    for _ in range(400):
        hard = rng.normal(0, 1, 3000)  # of each token; it is wrong below a threshold
        wrong = [hard + rng.normal(0, 0.5, 3000) < -1.25 * (n / 300) ** 0.1 * rng.normal(1, 0.02)
                 for n in (*SIZES, 32_000)]
        data = [(n, int(tokens.sum()), 3000) for n, tokens in zip((*SIZES, 32_000), wrong)]
        curve = Curve.of("x", data[:-1], 1)
        for k, (found, (_, wrong, total)) in enumerate([(curve.check(), data[-2]), (curve.doubled(), data[-1])]):
            hits[k] += found.interval.low <= wrong / total <= found.interval.high
    assert (0.91 * 400 <= hits).all() and (hits < 400).all()


def test_repeats_are_pooled_by_size():
    data = [point for n, wrong, total in points(3.0, 0.4, 1000) for point in [(n - 10, wrong + 9, total),
                                                                              (n + 10, wrong - 9, total)]]
    curve = Curve.of("x", data, 2)
    assert curve.means == [(n, 2 * wrong, 2000) for n, wrong, _ in points(3.0, 0.4, 1000)]
    assert curve.law == fit(curve.means) and len(curve.to_dict()["points"]) == 10


def test_no_errors_at_a_size_can_be_fitted():
    law = fit([(1000, 10, 100), (2000, 0, 100)])
    assert law.b > 0 and math.isfinite(law.error(4000))


def test_one_size_is_no_curve():
    with pytest.raises(ValueError):
        fit([(1000, 10, 100), (1000, 12, 100)])
