"""The softmax over a vocabulary: all words, or candidates; a table that is shared with the input."""

import numpy as np
import pytest
from gradcheck import check, close, normal

from rnntag.nn.layers import Rows, add_rows, log_sum_exp
from rnntag.nn.vocabulary import VocabularySoftmax

N, I, V = 7, 3, 11


def case(candidates, seed=1, shared=False):
    rng = np.random.default_rng(seed)
    layer = VocabularySoftmax("output", "table", I, V, shared, candidates)
    arrays = normal(rng, **layer.shapes(), **({"table": (V, I)} if shared else {}), h=(N, I))
    return layer, arrays, rng.integers(0, V, N)


def dense(gradient, like):
    return gradient.dense(like) if isinstance(gradient, Rows) else gradient


def sampled(layer, arrays, targets, seed=0):
    return layer.sampled_loss(arrays, arrays["h"], targets, np.random.default_rng(seed))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("candidates", [0, 2, 5, 6, 10, V])
def test_gradients_match_finite_differences(candidates, shared):
    layer, arrays, targets = case(candidates, candidates, shared)
    for _ in range(2):
        _, dh, grads = sampled(layer, arrays, targets)
        found = {name: dense(gradient, arrays[name]) for name, gradient in grads.items()} | {"h": dh}
        assert found.keys() == arrays.keys()
        check(lambda: sampled(layer, arrays, targets)[0], arrays, found)


def test_without_candidates_it_is_the_softmax_of_all_words():
    layer, arrays, targets = case(0)
    scores, _ = layer.forward(arrays, arrays["h"])
    close(scores, arrays["h"] @ arrays["table"].T + arrays["output.b_o"])
    loss, _, grads = sampled(layer, arrays, targets)
    assert abs(loss - (log_sum_exp(scores) - scores[np.arange(N), targets]).sum()) < 1e-12
    assert all(isinstance(gradient, np.ndarray) for gradient in grads.values())


@pytest.mark.parametrize("seed", range(5))
def test_the_sum_with_candidates_is_that_of_the_formula(seed):
    layer, arrays, targets = case(6, seed)
    drawn = 3 + np.sort(np.random.default_rng(seed).choice(V - 3, 3, replace=False))
    scores, _ = layer.forward(arrays, arrays["h"])
    expected = 0.0
    for s, y in zip(scores, targets):
        total = np.exp(s[:3]).sum() + sum((V - 3) / 3 * np.exp(s[v]) for v in drawn if v != y)
        expected += np.log(total + (np.exp(s[y]) if y >= 3 else 0)) - s[y]
    assert abs(sampled(layer, arrays, targets, seed)[0] - expected) < 1e-9


def test_a_step_with_candidates_touches_their_rows_alone():
    layer, arrays, targets = case(4)
    _, _, grads = sampled(layer, arrays, targets)
    drawn = 2 + np.sort(np.random.default_rng(0).choice(V - 2, 2, replace=False))
    wanted = sorted({0, 1, *drawn, *targets})
    assert all(gradient.ids.tolist() == wanted for gradient in grads.values())


def test_a_shared_table_is_a_parameter_of_the_layer_that_looks_up_in_it():
    assert case(0, shared=True)[0].shapes() == {"output.b_o": (V,)}
    assert case(0)[0].shapes() == {"table": (V, I), "output.b_o": (V,)}


def test_gradients_of_one_table_add_up():
    rng = np.random.default_rng(3)
    one, other = Rows(np.array([0, 2, 5]), rng.normal(size=(3, 2))), Rows(np.array([2, 4]), rng.normal(size=(2, 2)))
    like = np.zeros((6, 2))
    total = one.dense(like) + other.dense(like)
    both = add_rows(one, other)
    assert both.ids.tolist() == [0, 2, 4, 5]
    close(both.dense(like), total)
    close(add_rows(one.dense(like), other), total)


def test_float32_stays_float32():
    layer, arrays, targets = case(6)
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    _, dh, grads = sampled(layer, arrays, targets)
    assert {dh.dtype, *(gradient.values.dtype for gradient in grads.values())} == {np.dtype(np.float32)}
