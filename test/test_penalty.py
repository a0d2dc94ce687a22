"""The gradient-propagation regulariser."""

import numpy as np
import pytest
from gradcheck import LENGTHS, check, normal

from rnntag.errors import OptionError
from rnntag.models.network import Classes, build
from rnntag.models.options import Options
from rnntag.nn.cells import Elman
from rnntag.nn.packing import Packing
from rnntag.nn.penalty import propagation_penalty
from rnntag.nn.recurrent import Recurrent

I, H = 3, 4


def case(lengths, directions, activation="tanh", penalty=0.0):
    rng, packing = np.random.default_rng(len(lengths)), Packing(lengths)
    layer = Recurrent("rnn", Elman(activation), I, H, directions, penalty=penalty)
    params = normal(rng, **layer.shapes())
    return layer, params, rng.normal(size=(len(packing), I)), rng.normal(size=(len(packing), directions * H)), packing


def errors(layer, params, x, upstream, packing):
    """dh_t and dz_t of each direction's steps, by sentence: from the formulas, one step at a time."""
    h, _ = layer.forward(params, x, packing)
    for d, direction in enumerate(layer.directions):
        W_h, own = params[f"rnn.{direction}.W_h"], slice(d * H, (d + 1) * H)
        for sentence in range(len(packing.lengths)):
            rows = np.flatnonzero(packing.sentence == sentence)[::-1 if d else 1]
            dh, dz = np.zeros((len(rows), H)), np.zeros((len(rows), H))
            for t in reversed(range(len(rows))):
                dh[t] = upstream[rows[t], own] + (dz[t + 1] @ W_h.T if t + 1 < len(rows) else 0)
                dz[t] = dh[t] * (1 - h[rows[t], own] ** 2)
            yield direction, dh, dz


def omega(params, found):
    """The formula, dh and dz being what they are."""
    total = 0.0
    for direction, dh, dz in found:
        for t in range(1, len(dh)):
            back = dz[t] @ params[f"rnn.{direction}.W_h"].T
            total += (np.linalg.norm(back) / np.linalg.norm(dh[t]) - 1) ** 2
    return total


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=list(LENGTHS))
def test_the_gradient_is_that_of_the_penalty_with_states_and_errors_held_constant(lengths, directions):
    layer, params, x, upstream, packing = case(lengths, directions)
    weight, B = 0.7, len(lengths)
    penalised = Recurrent("rnn", Elman(), I, H, directions, penalty=weight)
    _, cache = layer.forward(params, x, packing)
    for _ in range(2):
        plain, with_penalty = (one.backward(params, upstream, cache)[1] for one in (layer, penalised))
        found = list(errors(layer, params, x, upstream, packing))
        names = [name for name in params if name.endswith("W_h")]
        check(lambda: weight / B * omega(params, found), {name: params[name] for name in names},
              {name: with_penalty[name] - plain[name] for name in names})
        for name in params.keys() - set(names):
            assert np.array_equal(with_penalty[name], plain[name])


def test_the_value_is_that_of_the_formula():
    layer, params, x, upstream, packing = case((5, 3, 1), 2)
    found = list(errors(layer, params, x, upstream, packing))
    rows = {(d, s): k for k, (d, s) in enumerate((d, s) for d in range(2) for s in range(3))}
    reading = packing.read(2)
    dz, dh = np.zeros((1, 2 * len(packing), H)), np.zeros((2 * len(packing), H))
    for (d, s), k in rows.items():
        places = reading.order[d][packing.sentence == s]
        dh[places], dz[0, places] = found[k][1], found[k][2]
    W_h = np.stack([params[f"rnn.{d}.W_h"] for d in layer.directions])[None]
    assert abs(propagation_penalty(W_h, dz, dh, packing)[0] - omega(params, found)) < 1e-9


def test_an_orthogonal_network_without_activation_has_no_penalty_and_no_gradient():
    W_h = np.linalg.qr(np.random.default_rng(1).normal(size=(H, H)))[0]
    dz = np.random.default_rng(2).normal(size=(1, 6, H))
    value, gradient = propagation_penalty(W_h[None, None], dz, dz[0], Packing((6,)))
    assert value < 1e-25 and np.abs(gradient).max() < 1e-12


def test_errors_that_have_vanished_say_nothing():
    dz = np.zeros((1, 4, H))
    dz[0, 3] = 1e-30  # its square is 0 in float32
    value, gradient = propagation_penalty(np.eye(H, dtype=np.float32)[None, None] / 2, dz.astype(np.float32),
                                          dz[0].astype(np.float32), Packing((4,)))
    assert abs(value - 0.25) < 1e-6 and np.isfinite(gradient).all() and gradient.dtype == np.float32


def test_following_the_penalty_brings_the_errors_to_their_length():
    layer, params, x, upstream, packing = case((12,), 1)
    upstream[:-1] = 0  # one error, at the end
    name, before = "rnn.fwd.W_h", None
    for _ in range(300):
        found = list(errors(layer, params, x, upstream, packing))
        before = omega(params, found) if before is None else before
        penalised = Recurrent("rnn", Elman(), I, H, 1, penalty=1.0)
        _, cache = layer.forward(params, x, packing)
        plain, more = (one.backward(params, upstream, cache)[1][name] for one in (layer, penalised))
        params[name] -= 0.02 * (more - plain)
    after = omega(params, list(errors(layer, params, x, upstream, packing)))
    assert after < before / 2, (before, after)


def test_the_penalty_is_of_the_full_gradient_of_an_elman_network():
    with pytest.raises(OptionError, match="--propagation-penalty: 0.1 with --bptt 3; the penalty is of the full"):
        Options(propagation_penalty=0.1, cell="elman", bptt=3)
    for changes in ({"cell": "gru"}, {"encoder": "cnn"}):
        assert Options(propagation_penalty=0.1, **changes).unused()["propagation_penalty"] == "without --cell elman"
    assert "propagation_penalty" not in Options(propagation_penalty=0.1, cell="elman").unused()
    for cell, penalty in (("elman", 0.1), ("lstm", 0.0)):
        network = build(Options(propagation_penalty=0.1, cell=cell), 5, {"": Classes(2)})
        assert [layer.penalty for layer in network.layers if isinstance(layer, Recurrent)] == [penalty]
