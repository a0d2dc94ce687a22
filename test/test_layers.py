"""Embedding, dense, dropout and the functions they share."""

import numpy as np
import pytest
import reference
from gradcheck import check, close, normal

from rnntag.nn.convolution import Convolution
from rnntag.nn.layers import (ACTIVATIONS, BLOCK, Dense, Dropout, Embedding, Rows, log_sum_exp, look_up,
                              rows_gradient, sigmoid, softmax)
from rnntag.nn.packing import Lookup, Packing

IDS = np.array([[3, 0], [1, 3], [3, 3], [5, 1], [0, 5]])  # repeated in a row and between rows; 2, 4 unused


def test_gradcheck_refuses_a_wrong_sign_and_names_the_place():
    x = np.array([1.0, 2.0])
    with pytest.raises(AssertionError, match=r"dx\[1\]: -4.0 by formula, 4.0"):
        check(lambda: float((x ** 2).sum()), {"x": x}, {"x": np.array([2.0, -4.0])})


@pytest.mark.parametrize("features", [1, 2])
def test_embedding_gradient_matches_finite_differences_and_the_one_hot_product(features):
    rng = np.random.default_rng(1)
    ids, table, up = IDS[:, :features], rng.normal(size=(6, 4)), rng.normal(size=(5, 4))
    layer, params = Embedding("table", 6, 4), {"table": table}
    for _ in range(2):
        y, cache = layer.forward(params, ids)
        assert close(y, [reference.embedding_sum(table, row) for row in ids])
        dx, grads = layer.backward(params, up, cache)
        gradient = grads["table"].dense(table)
        assert dx is None
        assert close(gradient, sum(reference.embedding_gradient(table, row, d) for row, d in zip(ids, up)))
        check(lambda: float((layer.forward(params, ids)[0] * up).sum()), params, {"table": gradient})


def test_embedding_gradient_has_each_touched_row_once_in_order():
    rows = rows_gradient(np.ones((5, 4)), IDS)
    assert rows.ids.tolist() == [0, 1, 3, 5]
    assert rows.values[:, 0].tolist() == [2, 2, 4, 2]


def test_embedding_output_does_not_share_memory_with_the_table():
    table = np.ones((6, 4))
    look_up(table, IDS[:, :1])[...] = 9
    assert table.max() == 1


def test_rows_become_a_dense_gradient_of_the_same_dtype():
    dense = Rows(np.array([1]), np.array([[2.0, 3.0]])).dense(np.full((3, 2), 7, np.float32))
    assert dense.dtype == np.float32
    assert dense.tolist() == [[0, 0], [2, 3], [0, 0]]


@pytest.mark.parametrize("activation", ["linear", "tanh", "sigmoid", "relu"])
def test_dense_gradients_match_finite_differences(activation):
    rng = np.random.default_rng(2)
    arrays = normal(rng, W=(3, 4), b=(4,), x=(5, 3))
    up = rng.normal(size=(5, 4))

    layer = Dense("W", "b", 3, 4, activation)

    for _ in range(2):
        y, cache = layer.forward(arrays, arrays["x"])
        dx, grads = layer.backward(arrays, up, cache)
        check(lambda: float((layer.forward(arrays, arrays["x"])[0] * up).sum()), arrays, {**grads, "x": dx})


@pytest.mark.parametrize("activation", ["linear", "tanh", "sigmoid", "relu"])
def test_dense_equals_the_slow_twin_row_by_row(activation):
    rng = np.random.default_rng(3)
    W, b, x, up = (rng.normal(size=shape) for shape in ((3, 4), (4,), (5, 3), (5, 4)))
    f, df = reference.ACTIVATIONS[activation]
    layer, params = Dense("W", "b", 3, 4, activation), {"W": W, "b": b}
    y, cache = layer.forward(params, x)
    dx, grads = layer.backward(params, up, cache)
    da = [up[t] * df(x[t] @ W + b) for t in range(5)]
    assert close(y, [f(x[t] @ W + b) for t in range(5)])
    assert close(dx, [d @ W.T for d in da])
    assert close(grads["W"], sum(np.outer(x[t], da[t]) for t in range(5)))
    assert close(grads["b"], sum(da))


def test_dense_leaves_its_arguments_alone():
    rng = np.random.default_rng(4)
    arrays = [rng.normal(size=shape) for shape in ((3, 4), (4,), (5, 3), (5, 4))]
    before = [a.copy() for a in arrays]
    W, b, x, dy = arrays
    layer, params = Dense("W", "b", 3, 4, "tanh"), {"W": W, "b": b}
    layer.backward(params, dy, layer.forward(params, x)[1])
    assert all((a == old).all() for a, old in zip(arrays, before))


def test_dropout_gradient_with_a_fixed_mask_matches_finite_differences():
    rng = np.random.default_rng(5)
    x, up = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))

    def forward():
        return Dropout(0.4).forward({}, x, None, np.random.default_rng(6))

    y, mask = forward()
    assert 0 < (y == 0).sum() < y.size
    check(lambda: float((forward()[0] * up).sum()), {"x": x}, {"x": Dropout(0.4).backward({}, up, mask)[0]})


def test_dropout_keeps_the_expectation_and_the_dtype():
    y, _ = Dropout(0.3).forward({}, np.ones((400, 100), np.float32), None, np.random.default_rng(7))
    assert y.dtype == np.float32
    assert abs((y == 0).mean() - 0.3) < 0.01  # sd 0.0023
    assert y.max() == pytest.approx(1 / 0.7)


def test_dropout_does_nothing_without_a_generator_or_a_rate():
    x = np.ones((5, 4))
    for rate, rng in ((0.5, None), (0.0, np.random.default_rng(8))):
        y, mask = Dropout(rate).forward({}, x, None, rng)
        assert (y == x).all() and (Dropout(rate).backward({}, x, mask)[0] == x).all()


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu", "linear"])
def test_activations_equal_their_formulas_with_and_without_out(name):
    a = np.array([-3.0, -0.5, 0.25, 2.0])
    f, derivative = ACTIVATIONS[name]
    slow, slope = reference.ACTIVATIONS[name]
    out = np.empty(4)
    assert close(f(a), slow(a)) and close(derivative(f(a)), slope(a))
    assert f(a, out=out) is out and close(out, slow(a))


@pytest.mark.filterwarnings("error")
def test_sigmoid_and_softmax_survive_large_numbers():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0, 0.5, 1]
    assert softmax(np.array([[1e4, -1e4, 1e4]])).tolist() == [[0.5, 0, 0.5]]
    assert log_sum_exp(np.array([[1e4, 1e4]]))[0] == pytest.approx(1e4 + np.log(2))
    assert log_sum_exp(np.array([[-1e4, -1e4]]))[0] == pytest.approx(-1e4 + np.log(2))


def test_softmax_and_log_sum_exp_equal_their_formulas():
    s = np.random.default_rng(9).normal(size=(4, 3))
    assert close(softmax(s), [reference.softmax(row) for row in s])
    assert close(log_sum_exp(s), [np.log(np.exp(row).sum()) for row in s])
    assert close(log_sum_exp(s, axis=0), np.log(np.exp(s).sum(axis=0)))


@pytest.mark.parametrize("window", [1, 3, 7])
def test_what_words_add_to_a_convolution_is_added_up_for_each_token(window):
    rng = np.random.default_rng(1)
    layer, packing = Convolution("cnn", window, 4, 6), Packing((*range(60, 30, -1), 2, 1))
    assert len(packing) > BLOCK
    params = {name: rng.normal(size=shape) for name, shape in layer.shapes().items()}
    words, tokens = rng.normal(size=(9, 4)), rng.integers(9, size=len(packing))
    expected, _ = layer.forward(params, words[tokens], packing)
    z = layer.input_projection(params, words)
    assert close(layer.run(params, Lookup(z, tokens), packing)[0], expected)
    assert close(layer.run(params, z[tokens], packing)[0], expected)
