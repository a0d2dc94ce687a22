"""Several networks as one: the mean of their probabilities, the gradients of each."""

import numpy as np
import pytest
from gradcheck import close
from networks import Case

from rnntag.models.ensemble import Ensemble
from rnntag.models.network import build
from rnntag.nn.layers import Rows, softmax


def ensemble(**options):
    case = Case(**options)
    shared = ("vectors.table",) if case.options.freeze_vectors else ()
    return case, Ensemble([build(case.options, *case.sizes) for _ in range(3)], shared)


def test_an_ensemble_answers_with_the_mean_of_its_members_probabilities():
    case, three = ensemble(members=3)
    params = three.initialise(np.random.default_rng(5), "float64")
    scores, = three.scores(params, three.input_projection(params, case.words, case.types), case.packing)
    alone = []
    for _, case.params in three.networks(params):
        alone.append(softmax(case.scores()))
    assert close(np.exp(scores), sum(alone) / 3)
    assert not close(alone[0], alone[1])


def test_each_member_of_an_ensemble_has_the_gradient_of_its_own_loss():
    case, three = ensemble(members=3)
    params = three.initialise(np.random.default_rng(5), "float64")
    batch = (case.words, case.types, case.targets, case.packing)
    loss, grads = three.loss_and_gradient(params, *batch, None)
    assert grads.keys() == params.keys()
    losses = []
    for m, (network, params_m) in enumerate(three.networks(params)):
        alone, of_member = network.loss_and_gradient(params_m, *batch, None)
        losses.append(alone)
        for name, gradient in of_member.items():
            other = grads[f"net{m}.{name}"]
            assert close(*(g.values if isinstance(g, Rows) else g for g in (gradient, other)))
    assert close(loss, np.mean(losses))


@pytest.mark.parametrize("freeze", [True, False])
def test_members_share_vectors_that_are_frozen_and_no_others(freeze):
    _, three = ensemble(members=3, vectors=4, freeze_vectors=freeze)
    tables = [name for name in three.shapes() if name.endswith("vectors.table")]
    assert tables == (["vectors.table"] if freeze else [f"net{m}.vectors.table" for m in range(3)])


def test_the_mean_of_probabilities_that_are_too_small_has_a_logarithm():
    case, three = ensemble(members=3)
    params = {name: 1000 * array for name, array in three.initialise(np.random.default_rng(5), "float64").items()}
    scores, = three.scores(params, three.input_projection(params, case.words, case.types), case.packing)
    assert scores.min() < -700 and np.isfinite(scores).all()
