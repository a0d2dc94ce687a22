"""From the states of a sentence to one vector."""

import numpy as np
import pytest
from gradcheck import LENGTHS, check, close, normal

from rnntag.nn.packing import Packing
from rnntag.nn.pooling import Attention, Last, Max, Mean

I = 4
KINDS = [Last, Mean, Max, Attention]


def rows(x, packing, sentence):
    """The rows of one sentence, in order."""
    return x[packing.sentence == sentence]


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=list(LENGTHS))
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_match_finite_differences(kind, lengths, directions):
    layer, packing, rng = kind("pool", I, directions), Packing(lengths), np.random.default_rng(1)
    arrays = normal(rng, **layer.shapes(), x=(len(packing), I))
    upstream = rng.normal(size=(len(lengths), I))
    for _ in range(2):
        y, cache = layer.forward(arrays, arrays["x"], packing)
        assert y.shape == upstream.shape
        dx, grads = layer.backward(arrays, upstream, cache)
        assert grads.keys() == layer.shapes().keys()
        check(lambda: (layer.forward(arrays, arrays["x"], packing)[0] * upstream).sum(), arrays, grads | {"x": dx})


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_in_a_batch_is_the_sentence_alone(kind):
    layer, packing, rng = kind("pool", I, 2), Packing((5, 3, 1)), np.random.default_rng(2)
    params, x = normal(rng, **layer.shapes()), rng.normal(size=(9, I))
    together, _ = layer.forward(params, x, packing)
    for sentence, length in enumerate(packing.lengths):
        alone, _ = layer.forward(params, rows(x, packing, sentence), Packing((int(length),)))
        close(alone[0], together[sentence])


def test_by_hand():
    packing, x = Packing((3, 1)), np.array([[1., 5.], [7., 8.], [2., 4.], [3., 6.]])  # the second row is a sentence
    for kind, first in ((Last, [3, 5]), (Mean, [2, 5]), (Max, [3, 6])):
        y, _ = kind("pool", 2, 2).forward({}, x, packing)
        assert y.tolist() == [first, [7, 8]]
    assert Last("pool", 2, 1).forward({}, x, packing)[0].tolist() == [[3, 6], [7, 8]]


def test_attention_is_a_mean_with_weights_that_add_up_to_1():
    layer, packing, rng = Attention("pool", I, 1), Packing((4, 2)), np.random.default_rng(3)
    params, x = normal(rng, **layer.shapes()), rng.normal(size=(6, I))
    y, cache = layer.forward(params, x, packing)
    e = np.tanh(x @ params["pool.W"] + params["pool.b"]) @ params["pool.v"]
    for sentence in (0, 1):
        a = np.exp(rows(e, packing, sentence))
        close(rows(cache.a, packing, sentence), a / a.sum())
        close(y[sentence], (a / a.sum()) @ rows(x, packing, sentence))


def test_attention_to_scores_that_are_far_apart_stays_finite():
    layer, packing = Attention("pool", 1, 1), Packing((2,))
    params = {"pool.W": np.ones((1, 1)), "pool.b": np.zeros(1), "pool.v": np.array([1e4])}
    y, cache = layer.forward(params, np.array([[-9.], [9.]]), packing)
    assert y.tolist() == [[9]] and cache.a.tolist() == [0, 1]


def test_of_equal_maxima_each_has_its_share_of_the_gradient():
    layer, packing = Max("pool", 1, 1), Packing((3,))
    _, cache = layer.forward({}, np.array([[2.], [1.], [2.]]), packing)
    dx, _ = layer.backward({}, np.array([[4.]]), cache)
    assert dx.ravel().tolist() == [2, 0, 2]
