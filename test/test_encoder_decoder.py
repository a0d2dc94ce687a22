"""The encoder-decoder: gradients against differences, one pass with teacher forcing against step by step."""

import numpy as np
import pytest
from gradcheck import check, close, normal

from rnntag.models.encoder_decoder import EncoderDecoder
from rnntag.nn.attention import Additive, Dot
from rnntag.nn.cells import GRU, LSTM, Elman
from rnntag.nn.layers import Rows

CELLS = {"elman": Elman(), "gru": GRU(), "lstm": LSTM()}
END = 4


def network(cell="gru", attention=Dot, tags=4, dropout=0.0):
    return EncoderDecoder(CELLS[cell], attention, 6, END + 1, tags, 3, 2, dropout)


SOURCES = [np.array(ids) for ids in ([1, 2], [3, 4, 5, 1], [2])]  # neither these nor their targets by length
TARGETS = [np.array([*ids, END]) for ids in ([1, 2, 3, 1], [], [3, 0])]
TAGS = np.array([[1, 3], [2, 0], [0, 0]])


def params(net):
    found = normal(np.random.default_rng(1), **net.shapes())
    if net.tags:
        found["tags.table"][0] = 0
    return found


@pytest.mark.parametrize("cell, attention, tags", [
    ("gru", Dot, 4), ("elman", Additive, 4), ("lstm", Additive, 0), ("lstm", Dot, 4)])
def test_gradients_of_every_parameter_are_those_of_differences(cell, attention, tags):
    net = network(cell, attention, tags)
    arrays = params(net)

    def run():
        return net.loss_and_gradient(arrays, SOURCES, TAGS, TARGETS, None)
    grads = {name: gradient.dense(arrays[name]) if isinstance(gradient, Rows) else gradient
             for name, gradient in run()[1].items()}
    assert grads.keys() == arrays.keys()
    if tags:  # row 0 is no tag: it stays as it is
        assert not grads["tags.table"][0].any()
        check(lambda: run()[0], {"tags": arrays["tags.table"][1:]}, {"tags": grads.pop("tags.table")[1:]})
    check(lambda: run()[0], {name: arrays[name] for name in grads}, grads)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("attention", [Dot, Additive])
def test_the_whole_target_in_one_pass_is_the_same_as_step_by_step(cell, attention):
    net = network(cell, attention)
    arrays = params(net)
    loss = net.loss_and_gradient(arrays, SOURCES, TAGS, TARGETS, None)[0]
    encoded, _ = net.encode(arrays, SOURCES, TAGS)
    total = 0.0
    for k, target in enumerate(TARGETS):
        state, before = encoded.initial[:, :, k:k + 1], END
        for symbol in target:
            log_p, state = net.step(arrays, encoded, state, np.array([[before]]), np.array([k]))
            total -= log_p[0, 0, symbol]
            before = symbol
    assert loss == pytest.approx(total / 3)


def test_sources_and_targets_of_a_batch_do_not_meet():
    net = network()
    arrays = params(net)
    together = net.loss_and_gradient(arrays, SOURCES, TAGS, TARGETS, None)[0]
    alone = [net.loss_and_gradient(arrays, [x], t[None], [y], None)[0] for x, t, y in zip(SOURCES, TAGS, TARGETS)]
    assert together == pytest.approx(np.mean(alone))


def test_alignments_have_a_row_for_each_symbol_and_sum_to_one():
    net = network()
    found = net.alignments(params(net), SOURCES, TAGS, TARGETS)
    assert [a.shape for a in found] == [(len(y), len(x)) for x, y in zip(SOURCES, TARGETS)]
    assert all(close(a.sum(axis=1), np.ones(len(a))) for a in found)


def test_dropout_changes_the_loss_only_in_training():
    net = network(dropout=0.5)
    arrays = params(net)
    losses = [net.loss_and_gradient(arrays, SOURCES, TAGS, TARGETS, rng)[0]
              for rng in (None, None, np.random.default_rng(1), np.random.default_rng(2))]
    assert losses[0] == losses[1] and len(set(losses)) == 3
