"""Intervals and tests, against scipy and statsmodels where these have them."""

import math
import time

import numpy as np
import pytest

from rnntag.evaluation.significance import (EXACT_LIMIT, bootstrap_p, holm, mcnemar, percentile, ratio, resample,
                                            wilson)

RNG = np.random.default_rng(5)
COUNTS = [(0, 1), (1, 1), (0, 20), (20, 20), (4144, 4563)] + [
    (int(RNG.integers(0, n + 1)), int(n)) for n in RNG.integers(1, 5000, 30)]
PAIRS = [(0, 0), (0, 1), (3, 3), (0, 9), (12, 13), (500, 400), (280, 50)] + RNG.integers(0, 400, (30, 2)).tolist()


@pytest.mark.parametrize("correct, total", COUNTS)
@pytest.mark.parametrize("level", [0.95, 0.9, 0.99])
def test_wilson_s_interval_is_scipy_s(correct, total, level):
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(correct, total).proportion_ci(level, "wilson")
    assert wilson(correct, total, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_s_interval_of_a_published_example():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, table I


def test_wilson_s_interval_of_nothing_is_not_a_number():
    assert all(map(math.isnan, wilson(0, 0)))


@pytest.mark.parametrize("b, c", PAIRS)
def test_the_exact_test_is_scipy_s_binomial_test(b, c):
    stats = pytest.importorskip("scipy.stats")
    result = mcnemar(b, c)
    assert result.exact and result[:2] == (b, c)
    assert result.p == pytest.approx(stats.binomtest(b, b + c).pvalue if b + c else 1.0, rel=1e-9)


@pytest.mark.parametrize("b, c", PAIRS + [(600, 500), (5000, 4700), (1001, 0), (900, 901)])
def test_mcnemar_is_statsmodels_s(b, c):
    table = pytest.importorskip("statsmodels.stats.contingency_tables")
    if b + c == 0:
        pytest.skip("statsmodels divides by zero there")
    result = mcnemar(b, c)
    expected = table.mcnemar([[7, b], [c, 7]], exact=result.exact, correction=True)
    assert result.exact == (b + c <= EXACT_LIMIT)
    assert result.p == pytest.approx(expected.pvalue, rel=1e-9)


def test_the_chi_square_form_continues_the_exact_one():
    for more in (0, 20, 60, 100):
        b, c = (EXACT_LIMIT + more) // 2, (EXACT_LIMIT - more) // 2
        assert mcnemar(b, c).exact and not mcnemar(b + 1, c).exact
        assert mcnemar(b + 1, c + 1).p == pytest.approx(mcnemar(b, c).p, rel=0.05)


def test_mcnemar_s_test_has_two_equal_sides():
    assert mcnemar(3, 14).p == mcnemar(14, 3).p < 0.05 < mcnemar(8, 9).p == 1.0


def test_holm_s_probabilities_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_holm_s_probabilities_are_statsmodels_s(size):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(size).random(size) ** 3
    assert holm(p) == pytest.approx(multitest.multipletests(p, method="holm")[1])


# ------------------------------------------------------------------ bootstrap


def test_a_resample_is_sums_over_sentences_drawn_with_replacement():
    columns = np.eye(4)  # column s counts how often sentence s was drawn
    drawn = resample(columns, 2000, np.random.default_rng(1))
    assert (drawn.sum(axis=1) == 4).all() and set(drawn.ravel().tolist()) == {0, 1, 2, 3, 4}
    assert drawn.mean(axis=0) == pytest.approx([1, 1, 1, 1], abs=0.1)
    assert np.array_equal(drawn, resample(columns, 2000, np.random.default_rng(1)))
    assert not np.array_equal(drawn, resample(columns, 2000, np.random.default_rng(2)))


def test_all_columns_of_a_resample_have_the_same_draw():
    columns = RNG.integers(0, 9, (50, 1))
    drawn = resample(np.concatenate((columns, 3 * columns), axis=1), 100, np.random.default_rng(1))
    assert np.array_equal(3 * drawn[:, 0], drawn[:, 1]) and drawn[:, 0].std() > 0


def test_large_counts_are_summed_exactly():
    columns = np.array([[2.0 ** 33 + 1], [2.0 ** 33 + 3]])
    sums = set(resample(columns, 100, np.random.default_rng(1))[:, 0].tolist())
    assert sums == {2.0 ** 34 + 2, 2.0 ** 34 + 4, 2.0 ** 34 + 6}


@pytest.mark.parametrize("sentences", [30, 171])
def test_the_bootstrap_interval_is_scipy_s(sentences):
    stats = pytest.importorskip("scipy.stats")
    total = RNG.integers(1, 40, sentences)
    correct = RNG.binomial(total, RNG.beta(9, 1, sentences))
    drawn = resample(np.stack((correct, total), axis=1), 10_000, np.random.default_rng(1))
    expected = stats.bootstrap((correct, total), lambda c, t, axis: c.sum(axis) / t.sum(axis), paired=True,
                               vectorized=True, n_resamples=10_000, method="percentile",
                               random_state=np.random.default_rng(2)).confidence_interval
    found = percentile(drawn[:, 0] / drawn[:, 1])
    assert found == pytest.approx((expected.low, expected.high), abs=0.1 * (expected.high - expected.low))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(300):
        total = rng.integers(5, 40, 150)
        correct = rng.binomial(total, rng.beta(9, 1, 150))  # sentences differ: tokens are not independent
        drawn = resample(np.stack((correct, total), axis=1), 500, rng)
        low, high = percentile(drawn[:, 0] / drawn[:, 1])
        hits += low <= 0.9 <= high
    assert 270 <= hits <= 298


def test_samples_that_are_not_a_number_are_left_out():
    assert percentile(np.array([np.nan, 1.0, np.nan, 1.0])) == (1.0, 1.0)
    assert all(map(math.isnan, percentile(np.array([np.nan]))))
    assert np.array_equal(ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0])), [0.5, np.nan], equal_nan=True)


def test_the_bootstrap_probability_counts_from_both_sides_and_is_never_0():
    assert bootstrap_p(np.ones(9_999)) == bootstrap_p(-np.ones(9_999)) == 2 / 10_000
    assert bootstrap_p(np.zeros(99)) == 1.0
    assert bootstrap_p(np.array([-1.0] * 4 + [1.0] * 95)) == 0.1


def test_the_bootstrap_probability_is_near_the_normal_one():
    stats = pytest.importorskip("scipy.stats")
    differences = RNG.normal(0.1, 1, 400)
    drawn = resample(differences[:, None], 20_000, np.random.default_rng(1))[:, 0]
    expected = 2 * stats.norm.sf(abs(differences.mean()) / (differences.std() / 20))
    assert bootstrap_p(drawn) == pytest.approx(expected, abs=0.02)


def test_ten_thousand_resamples_of_a_test_set_take_less_than_a_second():
    columns = RNG.integers(0, 30, (171, 10))
    start = time.perf_counter()
    resample(columns, 10_000, np.random.default_rng(1))
    assert time.perf_counter() - start < 1
