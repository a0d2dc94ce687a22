"""Optimisers against hand-worked numbers; rows against dense; clipping, schedules, averaging."""

import math

import numpy as np
import pytest
from gradcheck import close

from rnntag.nn.layers import Rows
from rnntag.nn.optim import STATES, Optimizer, clip, norm, schedule

# One weight that starts at 1, step size 0.1; (gradient, weight after the step). The epsilon of 1e-8 is
# too small to be seen here.
STEPS = {
    # Robbins and Monro 1951, seed 000: w - a g
    "sgd": [(2, 0.8),                 # 1 - 0.1 * 2
            (-1, 0.9)],               # 0.8 + 0.1 * 1
    # Polyak 1964: m = 0.9 m + g
    "momentum": [(2, 0.8),            # m = 2
                 (-1, 0.72),          # m = 0.9 * 2 - 1 = 0.8;   0.8 - 0.08
                 (0, 0.648)],         # m = 0.9 * 0.8 = 0.72;    0.72 - 0.072
    # Duchi, Hazan and Singer 2011, diagonal: g / sqrt(sum of g^2); 3-4-5 and 5-12-13
    "adagrad": [(3, 0.9),             # s = 9;     1 - 0.1 * 3/3
                (4, 0.82),            # s = 25;    0.9 - 0.1 * 4/5
                (-12, 0.912307692)],  # s = 169;   0.82 + 0.1 * 12/13 (= 0.923076923)
    # Tieleman and Hinton 2012, lecture 6e, decay 0.9
    "rmsprop": [(10, 0.683772234),    # s = 0.1 * 100 = 10;        10 / 3.16227766 = 3.16227766
                (1, 0.650622557)],    # s = 0.9 * 10 + 0.1 = 9.1;  1 / 3.01662063 = 0.331496773
    # Kingma and Ba 2015, algorithm 1, b1 = 0.9, b2 = 0.999
    "adam": [(2, 0.9),                # m' = 0.2 / 0.1 = 2, s' = 0.004 / 0.001 = 4;   2 / 2 = 1
             (-1, 0.873366292)],      # m = 0.9 * 0.2 - 0.1 = 0.08, m' = 0.08 / 0.19 = 0.421052632
                                      # s = 0.999 * 0.004 + 0.001 = 0.004996
                                      # s' = s / 0.001999 = 2.499249625, its root 1.580901522
                                      # 0.421052632 / 1.580901522 = 0.266337077
}


@pytest.mark.parametrize("rule", STATES)
def test_updates_equal_the_numbers_worked_by_hand(rule):
    params = {"W": np.array([[1.0]])}
    optimizer = Optimizer(rule, params, ["W"])
    for gradient, weight in STEPS[rule]:
        optimizer.step(params, {"W": np.array([[float(gradient)]])}, 0.1)
        assert params["W"].item() == pytest.approx(weight, abs=1e-8)


@pytest.mark.parametrize("rule, expected", [("adagrad", 0.5), ("rmsprop", 0.759746927), ("adam", 0.5)])
def test_epsilon_is_added_to_the_root(rule, expected):
    # g = e = 1e-8: adagrad and adam  e / (e + e) = 1/2;  rmsprop  e / (sqrt(0.1) e + e) = 1 / 1.316227766
    params = {"W": np.zeros(1)}
    Optimizer(rule, params, ["W"]).step(params, {"W": np.array([1e-8])}, 1.0)
    assert -params["W"].item() == pytest.approx(expected)


# ------------------------------------------------------------------ rows


def random_rows(rng, ids, width=3):
    return Rows(np.array(ids), rng.normal(size=(len(ids), width)))


def both(rule, touched, **options):
    """The same updates row by row and dense; returns both tables and both optimisers' states."""
    start = np.random.default_rng(1).normal(size=(6, 3))
    rows, dense = {"W": start.copy()}, {"W": start.copy()}
    lazy, full = (Optimizer(rule, params, ["W"], **options) for params in (rows, dense))
    rng = np.random.default_rng(2)
    for ids in touched:
        gradient = random_rows(rng, ids)
        full.step(dense, {"W": gradient.dense(dense["W"])}, 0.1)
        lazy.step(rows, {"W": gradient}, 0.1)
    return start, rows["W"], dense["W"], lazy.state["W"], full.state["W"]


@pytest.mark.parametrize("rule", STATES)
def test_touched_rows_are_updated_as_in_a_dense_table_and_the_others_left(rule):
    start, rows, dense, lazy, full = both(rule, [[1, 4]] * 3)
    assert close(rows[[1, 4]], dense[[1, 4]])
    assert all(close(a[[1, 4]], b[[1, 4]]) for a, b in zip(lazy, full))
    assert (rows[[0, 2, 3, 5]] == start[[0, 2, 3, 5]]).all()
    assert not (rows[[1, 4]] == start[[1, 4]]).any()


@pytest.mark.parametrize("rule", ["sgd", "adagrad"])
def test_rules_that_rest_without_a_gradient_update_rows_as_the_whole_table(rule):
    _, rows, dense, lazy, full = both(rule, [[1, 4], [0, 1, 2], [4], [5]])
    assert close(rows, dense)
    assert all(close(a, b) for a, b in zip(lazy, full))


def test_the_embedding_rate_scales_rows_and_nothing_else():
    params = {"table": np.ones((2, 1)), "W": np.ones((2, 1))}
    grads = {"table": Rows(np.array([1]), np.array([[2.0]])), "W": np.full((2, 1), 2.0)}
    Optimizer("sgd", params, params, embedding_rate=5.0).step(params, grads, 0.1)
    assert params["table"].ravel().tolist() == [1, 0]          # 1 - 0.1 * 5 * 2
    assert params["W"].ravel() == pytest.approx([0.8, 0.8])    # 1 - 0.1 * 2


@pytest.mark.parametrize("rule", STATES)
def test_weights_keep_float32_and_gradients_their_values(rule):
    params = {"table": np.ones((3, 2), np.float32), "W": np.ones((2, 2), np.float32)}
    optimizer = Optimizer(rule, params, params, 2.0)
    optimizer.start_average(params)
    grads = {"table": Rows(np.array([1]), np.ones((1, 2), np.float32)), "W": np.ones((2, 2), np.float32)}
    for _ in range(2):
        optimizer.step(params, grads, 0.1)
    assert (grads["W"] == 1).all() and (grads["table"].values == 1).all()
    average, state = optimizer.averaged_weights(params), sum(optimizer.state.values(), [])
    assert {a.dtype for a in (*params.values(), *average.values(), *state)} == {np.dtype(np.float32)}


# ------------------------------------------------------------------ averaging


@pytest.mark.parametrize("rule", STATES)
@pytest.mark.parametrize("begin", [0, 3])
def test_averaged_weights_are_the_mean_of_snapshots(rule, begin):
    rng = np.random.default_rng(3)
    params = {"table": rng.normal(size=(6, 3)), "W": rng.normal(size=(3, 2)), "frozen": np.ones(2)}
    optimizer = Optimizer(rule, params, ["table", "W"], 3.0)
    snapshots = []
    for number in range(8):
        if number == begin:
            optimizer.start_average(params)
        ids = np.unique(rng.integers(0, 6, 3))
        grads = {"table": random_rows(rng, ids), "W": rng.normal(size=(3, 2))}
        optimizer.step(params, grads, 0.1 / (1 + number))
        if number < begin:
            continue
        snapshots.append({name: array.copy() for name, array in params.items()})
        mean = optimizer.averaged_weights(params)
        assert all(close(mean[name], np.mean([s[name] for s in snapshots], axis=0)) for name in params)


def test_averaged_weights_are_copies_also_before_the_first_update():
    params = {"W": np.ones(2)}
    optimizer = Optimizer("sgd", params, ["W"])
    for _ in range(2):
        mean = optimizer.averaged_weights(params)
        mean["W"] += 1
        assert params["W"].tolist() == [1, 1]
        optimizer.start_average(params)


# ------------------------------------------------------------------ clipping and schedules


def three_and_four():
    return {"W": np.array([[3.0, 0.0]]), "table": Rows(np.array([7]), np.array([[0.0, 4.0]]))}


def test_the_norm_is_over_all_gradients_together():
    assert norm(three_and_four()) == 5


def test_clipping_scales_all_gradients_by_one_factor():
    grads = three_and_four()
    assert clip(grads, 2.5) == 5
    assert grads["W"].tolist() == [[1.5, 0]] and grads["table"].values.tolist() == [[0, 2]]
    assert norm(grads) == 2.5


@pytest.mark.parametrize("threshold", [0, 5, 6, math.inf])
def test_a_gradient_within_the_limit_is_left_alone(threshold):
    grads = three_and_four()
    assert clip(grads, threshold) == 5
    assert grads["W"].tolist() == [[3, 0]] and grads["table"].values.tolist() == [[0, 4]]


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_clipping_does_not_hide_a_gradient_that_is_not_finite(bad):
    grads = {"W": np.array([bad, 1.0])}
    assert not math.isfinite(clip(grads, 1.0))
    assert grads["W"][1] == 1


def test_schedules_fall_as_their_formulas_say():
    assert [schedule("constant", p) for p in (0, 0.5, 1)] == [1, 1, 1]
    assert [schedule("linear", p) for p in (0, 0.25, 1)] == [1, 0.75, 0]
    # (1 + cos(pi p)) / 2 at p = 0, 1/3, 1/2, 1
    assert [schedule("cosine", p) for p in (0, 1 / 3, 0.5, 1)] == pytest.approx([1, 0.75, 0.5, 0])
