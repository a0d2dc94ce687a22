"""Several layers as one, and a text read in pieces."""

import numpy as np
import pytest
from gradcheck import LENGTHS, check, close, normal

from rnntag.nn.cells import GRU, LSTM
from rnntag.nn.layers import Dense, Dropout
from rnntag.nn.packing import Packing
from rnntag.nn.recurrent import Recurrent
from rnntag.nn.stack import Stack, states

I, H, O = 3, 4, 2


def stack(dropout=0.0):
    return Stack([Dropout(dropout), Recurrent("a", LSTM(), I, H, 1), Recurrent("b", GRU(), H, O, 1),
                  Dense("W", "b", O, I, "tanh")])


def test_it_has_the_parameters_of_its_layers():
    layers = stack()
    params = layers.initialise(np.random.default_rng(1))
    assert {name: array.shape for name, array in params.items()} == layers.shapes()
    assert [*layers.shapes()] == ["a.fwd.W_x", "a.fwd.W_h", "a.fwd.b", "b.fwd.W_x", "b.fwd.W_h", "b.fwd.b", "W", "b"]
    assert not layers.pointwise and Stack([Dropout(0.5)]).pointwise


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=list(LENGTHS))
def test_gradients_match_finite_differences(lengths, dropout):
    layers, packing, rng = stack(dropout), Packing(lengths), np.random.default_rng(2)
    B = len(lengths)
    arrays = normal(rng, **layers.shapes(), x=(len(packing), I))
    initial = [rng.normal(size=(2, 1, B, H)), rng.normal(size=(1, 1, B, O))]
    upstream = rng.normal(size=(len(packing), I))

    def run():
        return layers.forward(arrays, arrays["x"], packing, np.random.default_rng(5), initial)
    for _ in range(2):
        dx, grads = layers.backward(arrays, upstream, run()[1])
        check(lambda: (run()[0] * upstream).sum(), arrays, grads | {"x": dx}, sample=12)


def test_a_text_in_pieces_is_the_text_in_one():
    layers, rng = stack(), np.random.default_rng(3)
    params, x = normal(rng, **layers.shapes()), rng.normal(size=(9, I))
    whole, caches = layers.forward(params, x, Packing((9,)))
    given, pieces = [], []
    for piece in np.split(x, [2, 3, 7]):
        y, own = layers.forward(params, piece, Packing((len(piece),)), initial=given)
        given = states(own)
        pieces.append(y)
    close(np.concatenate(pieces), whole)
    for one, other in zip(given, states(caches), strict=True):
        close(one, other)
