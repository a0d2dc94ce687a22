"""Attention: weights from the formula term by term, gradients against differences, padding without effect."""

import numpy as np
import pytest
from gradcheck import check, close, normal

from rnntag.nn.attention import Additive, Dot

KINDS = {"additive": Additive, "dot": Dot}
B, T, S, Q, M, A = 2, 3, 4, 5, 6, 7


class Setting:
    """A layer with random weights, queries, values and upstream gradient; the second sentence has two memories."""

    def __init__(self, kind):
        rng = np.random.default_rng(1)
        self.layer = KINDS[kind]("a", Q, M, A)
        self.arrays = normal(rng, x=(B, T, Q), values=(B, S, M), **self.layer.shapes())
        self.inside = np.array([[True] * 4, [True, True, False, False]])
        self.up = rng.normal(size=(B, T, M))

    def forward(self):
        return self.layer.forward(self.arrays, self.arrays["x"],
                                  self.layer.remember(self.arrays, self.arrays["values"], self.inside))

    def loss(self):
        return float((self.forward()[0] * self.up).sum())

    def score(self, kind, s, h):
        """e_ij from the formula."""
        k = h @ self.arrays["a.W_k"]
        if kind == "dot":
            return s @ k
        return np.tanh(s @ self.arrays["a.W_q"] + k + self.arrays["a.b"]) @ self.arrays["a.v"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_context_is_the_formula_term_by_term(kind):
    setting = Setting(kind)
    c, cache = setting.forward()
    for b in range(B):
        there = np.flatnonzero(setting.inside[b])
        for i in range(T):
            s, h = setting.arrays["x"][b, i], setting.arrays["values"][b]
            e = np.array([setting.score(kind, s, h[j]) for j in there])
            a = np.exp(e) / np.exp(e).sum()
            assert close(cache.weights[b, i, there], a) and cache.weights[b, i].sum() == pytest.approx(1)
            assert close(c[b, i], sum(a_j * h[j] for a_j, j in zip(a, there)))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_differences_on_the_same_object_twice(kind):
    setting = Setting(kind)
    for _ in range(2):
        (dx, dvalues), grads = setting.layer.backward(setting.arrays, setting.up, setting.forward()[1])
        check(setting.loss, setting.arrays, {**grads, "x": dx, "values": dvalues})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_padding_changes_nothing_and_gets_no_gradient(kind):
    setting = Setting(kind)
    before = setting.forward()[0]
    setting.arrays["values"][1, 2:] = 1e3
    after, cache = setting.forward()
    assert np.array_equal(before, after)
    assert not setting.layer.backward(setting.arrays, setting.up, cache)[0][1][1, 2:].any()


def test_random_weights_leave_no_parameter_without_a_gradient():
    setting = Setting("additive")
    setting.arrays |= setting.layer.initialise(np.random.default_rng(2))
    setting.arrays["a.b"][0] = 0.1
    grads = setting.layer.backward(setting.arrays, setting.up, setting.forward()[1])[1]
    assert all(np.abs(gradient).max() > 1e-6 for gradient in grads.values())
