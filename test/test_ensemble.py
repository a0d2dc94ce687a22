"""Several networks as one: the mean of their probabilities, the gradients of each."""

import numpy as np
import pytest
from gradcheck import close
from networks import COLUMNS, Case

from rnntag.corpus import Sentence
from rnntag.models.ensemble import Cascade, Ensemble
from rnntag.models.network import build
from rnntag.models.options import preset
from rnntag.models.tagger import RNNTagger
from rnntag.nn.layers import Rows, softmax


def ensemble(**options):
    case = Case(**options)
    shared = ("vectors.table",) if case.options.freeze_vectors else ()
    return case, Ensemble([build(case.options, *case.sizes) for _ in range(case.options.members)], shared)


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


CONVOLUTIONS = [{"window": 3, "filters": 5}, {"window": 5, "filters": 4, "dense": ("6",), "vectors": 3},
                {"window": 1, "filters": 7, "char_rnn": 2}]  # the embeddings, of 5, are multiples of O or not


@pytest.mark.parametrize("options", CONVOLUTIONS)
@pytest.mark.parametrize("columns", [{"": COLUMNS["upos"]}, COLUMNS])
def test_a_cascade_asks_all_where_the_first_is_unsure_and_the_first_alone_elsewhere(options, columns):
    case, three = ensemble(members=3, encoder="cnn", columns=columns, **options)
    params, which = three.initialise(np.random.default_rng(5), "float64"), range(len(columns))
    words, packing = (case.words, np.arange(len(case.words))), case.packing
    means = three.scores(params, three.input_projection(params, *words), packing, case.types, which)
    first, alone = three.networks(params)[0]
    firsts = first.scores(alone, first.input_projection(alone, *words), packing, case.types, which)
    least = np.min([softmax(scores).max(axis=1) for scores in firsts], axis=0)
    values = np.unique(least)
    cascade = Cascade(three.members, three.shared, sure=values[len(values) // 2 - 1:][:2].mean())
    found = cascade.scores(params, cascade.input_projection(params, *words), packing, case.types, which)
    assert any(0 < (softmax(scores).max(axis=1) < cascade.sure).sum() < len(scores) for scores in firsts)
    for number, scores, mean, of_first in zip(which, found, means, firsts, strict=True):
        unsure = softmax(of_first).max(axis=1) < cascade.sure
        asked_alone, = cascade.scores(params, cascade.input_projection(params, *words), packing, case.types, [number])
        assert close(scores, asked_alone), "whatever other columns are asked for"
        assert close(scores[unsure], mean[unsure]) and close(scores[~unsure], of_first[~unsure])
        assert not close(mean[~unsure], of_first[~unsure])


def test_a_first_network_that_is_always_sure_is_alone():
    case, three = ensemble(members=3, encoder="cnn")
    params = three.initialise(np.random.default_rng(5), "float64")
    cascade = Cascade(three.members, three.shared, sure=0.0)
    z = cascade.input_projection(params, case.words, case.types)
    first, alone = three.networks(params)[0]
    of_first, = first.scores(alone, first.input_projection(alone, case.words, case.types), case.packing)
    assert close(cascade.scores(params, z, case.packing)[0], of_first)


@pytest.mark.parametrize("factor", [1e4, -1e4])
def test_scores_beyond_what_can_be_exponentiated_are_not_sure(factor):
    case, two = ensemble(members=2, encoder="cnn")
    params = two.initialise(np.random.default_rng(5), "float64")
    params["net0.output.b_o"][:] = factor  # all classes alike
    cascade = Cascade(two.members[:2], two.shared, sure=0.9)
    z = cascade.input_projection(params, case.words, case.types)
    with np.errstate(over="ignore", invalid="ignore"):
        scores, = cascade.scores(params, z, case.packing)
    assert close(scores, two.scores(params, two.input_projection(params, case.words, case.types), case.packing)[0])


def test_the_fast_preset_is_a_cascade_unless_it_has_one_member():
    corpus = [Sentence(["a", "b"], ["X", "Y"])]
    for changes, kind in (({}, True), ({"sure": 1.0}, False), ({"members": 1}, False), ({"layers": 2}, False)):
        tagger = RNNTagger.create(corpus, preset("fast", **changes), np.random.default_rng(1))
        assert isinstance(tagger.network, Cascade) == kind, changes
