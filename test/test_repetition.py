"""Configurations compared over seeds: the test against its formula, on made-up answers, and on trained taggers."""

import math

import numpy as np
import pytest
from samples import noisy
from scipy import stats

from rnntag.evaluation import Pair
from rnntag.evaluation.crossval import CrossValidation
from rnntag.evaluation.repetition import Repeated, compare
from rnntag.evaluation.significance import t_probability, t_quantile
from rnntag.models.options import preset
from rnntag.training.validation import Recipe, cross_validate


def repeated(name, right, tokens):
    """Runs in which sentence s of ``tokens[s]`` tokens has ``right[j][s]`` right ones."""
    runs = []
    for row in right:
        pairs = [Pair(["w"] * n, ["X"] * n, ["X"] * r + ["Y"] * (n - r)) for n, r in zip(tokens, row)]
        runs.append(CrossValidation.of(name, [pairs], [{"w"}]))
    return Repeated(name, runs)


def simulated(rng, N, S, gain=0.0, luck=0.01):
    """Right tokens (N, S): hard and easy sentences, lucky and unlucky seeds, and chance."""
    hard = np.random.default_rng(5).normal(0, 0.05, S)
    p = np.clip(0.9 + gain + hard + rng.normal(0, luck, (N, 1)), 0, 1)
    return rng.binomial(10, p)


@pytest.mark.parametrize("freedom", [1, 1.7, 2, 9, 40.5, 3_000, 80_000])
def test_students_t_is_that_of_scipy(freedom):
    for t in (0, 0.02, -0.7, 1.96, 4, 25):
        assert t_probability(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-3, abs=1e-12)
    assert t_quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-4)


def test_a_difference_is_that_of_the_formula():
    tokens, one, other = [9, 6, 5], [[3, 5, 2], [7, 6, 3]], [[9, 5, 2], [9, 6, 3]]
    (found,) = compare([repeated("a", one, tokens), repeated("b", other, tokens)])
    d = [[b - a for a, b in zip(*rows)] for rows in zip(one, other)]
    D = (sum(d[0]) + sum(d[1])) / 2 / 20
    mean = [(x + y) / 2 for x, y in zip(*d)]
    sentences = 3 / 2 * sum((m - D * n) ** 2 for m, n in zip(mean, tokens)) / 20 ** 2
    seeds = sum(np.var([sum(row) / 20 for row in rows], ddof=1) / 2 for rows in (one, other))
    rest = sum((d[j][s] - mean[s] - sum(d[j]) / 3 + sum(mean) / 3) ** 2 for j in range(2) for s in range(3))
    variance = sentences + seeds - 3 * rest / 20 ** 2 / 2 / 2
    freedom = variance ** 2 / (sentences ** 2 / 2 + sum(
        (np.var([sum(row) / 20 for row in rows], ddof=1) / 2) ** 2 for rows in (one, other)))
    assert max(sentences, seeds) < variance
    assert (found.difference, found.sentences_sd, found.seeds_sd, found.freedom) == pytest.approx(
        (D, sentences ** 0.5, seeds ** 0.5, freedom))
    assert found.p == found.p_adjusted == pytest.approx(2 * stats.t.sf(D / math.sqrt(variance), freedom))


def test_lucky_seeds_are_not_taken_for_a_difference_and_a_difference_is_seen():
    rng = np.random.default_rng(1)
    tokens, wrong, seen = [10] * 400, 0, 0
    for _ in range(200):
        first = repeated("a", simulated(rng, 3, 400), tokens)
        wrong += compare([first, repeated("b", simulated(rng, 3, 400), tokens)])[0].significant
        seen += compare([first, repeated("c", simulated(rng, 3, 400, gain=0.05), tokens)])[0].significant
    assert wrong <= 14 and seen >= 150  # 5 % of 200 are 10


def test_one_seed_is_not_enough_and_equal_answers_do_not_differ():
    tokens = [2, 3]
    assert compare([repeated("a", [[1, 2]], tokens), repeated("b", [[2, 3]], tokens)]) == []
    (same,) = compare([repeated("a", [[1, 2]] * 2, tokens), repeated("b", [[1, 2]] * 2, tokens)])
    assert (same.difference, same.p, same.significant) == (0, 1, False)


def test_several_comparisons_are_adjusted():
    rng = np.random.default_rng(2)
    found = compare([repeated(name, simulated(rng, 3, 50), [10] * 50) for name in "abc"])
    assert [(each.first, each.second) for each in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert all(each.p_adjusted >= each.p for each in found)


def test_two_sets_of_seeds_of_one_configuration_do_not_differ_and_a_worse_one_does():
    small = Recipe("small", preset("tutorial", hidden=4, epochs=2, dropout=0.2))
    poor = Recipe("poor", preset("tutorial", hidden=4, epochs=1, learning_rate=1e-4))
    results = cross_validate([small, small, poor], noisy(80), 2, 1, seeds=3)
    found = compare([result.scores for result in results])
    assert [each.significant for each in found] == [False, True, True] and found[0].difference != 0
