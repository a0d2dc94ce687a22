"""Everything composed: gradients of whole networks, and their parameters."""

import numpy as np
import pytest
import reference
from gradcheck import check, close
from networks import COLUMNS, DROPS, MIXED, ONE_COLUMN, WORDS, Case

from rnntag.models.network import build
from rnntag.models.options import Options
from rnntag.nn.layers import softmax
from rnntag.nn.packing import pack

COMPOSITIONS = {
    "elman": {}, "gru": {"cell": "gru"}, "lstm": {"cell": "lstm"},
    "one direction": {"bidirectional": False},
    "elman, two layers": {"layers": 2, "activation": "sigmoid"},
    "gru, two layers, characters": {"cell": "gru", "layers": 2, "char_rnn": 2},
    "lstm, two layers, crf": {"cell": "lstm", "layers": 2, "output": "crf"},
    "elman, characters alone": {"features": "", "char_rnn": 3},
    "lstm, characters": {"cell": "lstm", "char_rnn": 2, "bidirectional": False},
    "frozen vectors": {"vectors": 6, "freeze_vectors": True},
    "trained vectors": {"vectors": 6, "freeze_vectors": False},
    "vectors alone": {"features": "", "vectors": 6, "freeze_vectors": False, "vector_dropout": 0.4},
    "dense layers": {"dense": ("6:tanh", "3:sigmoid", "4:relu"), "cell": "gru"},
    "convolution": {"encoder": "cnn", "window": 3, "filters": 7},
    "two convolutions, crf": {"encoder": "cnn", "window": 5, "filters": 7, "layers": 2, "output": "crf"},
    "one-hot": {"embedding": 0}, "one-hot lstm, two layers": {"embedding": 0, "cell": "lstm", "layers": 2},
    "one-hot words, one direction": {"embedding": 0, "features": "form", "bidirectional": False},
    "dropout": {"dropout": 0.4, "word_dropout": 1.0, "cell": "gru", "layers": 2, "dense": ("6",)},
    "three columns": {"columns": COLUMNS}, "n-grams": {"features": "form,ngrams"},
    "everything": {"cell": "lstm", "layers": 2, "char_rnn": 2, "vectors": 6, "freeze_vectors": False,
                   "dense": ("6",), "output": "crf", "dropout": 0.4, "word_dropout": 1.0,
                   "vector_dropout": 0.3},
}


@pytest.mark.parametrize("options", COMPOSITIONS.values(), ids=COMPOSITIONS)
def test_network_gradients_match_finite_differences(options):
    case = Case(**options)
    gradients = case.gradients()
    again = case.gradients()
    assert all((gradients[name] == again[name]).all() for name in gradients)
    arrays = {name: case.params[name] for name in gradients}
    if "vectors.table" in gradients:  # row 0 stays zero: it means no vector
        assert not gradients["vectors.table"][0].any()
        for some in (gradients, arrays):
            some["vectors.table"] = some["vectors.table"][1:]
    check(lambda: case.run()[0], arrays, gradients, sample=8)


@pytest.mark.parametrize("lengths", [(6, 6), (7,), (1,)], ids=str)
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_gradients_hold_for_equal_lengths_and_for_one_sentence(cell, lengths):
    case = Case(lengths, cell=cell, layers=2, char_rnn=2, output="crf")
    check(lambda: case.run()[0], case.params, case.gradients(), sample=6)


@pytest.mark.parametrize("options", COMPOSITIONS.values(), ids=COMPOSITIONS)
def test_every_trained_parameter_gets_a_gradient_of_its_dtype(options):
    case = Case(dtype="float32", **options)
    gradients = case.gradients()
    wanted = {name: array for name, array in case.params.items()
              if not (name == "vectors.table" and case.options.freeze_vectors)}
    assert {name: (g.shape, g.dtype) for name, g in gradients.items()} == {
        name: (array.shape, np.dtype(np.float32)) for name, array in wanted.items()}
    assert all(g.any() for g in gradients.values())


@pytest.mark.parametrize("options", COMPOSITIONS.values(), ids=COMPOSITIONS)
def test_a_batch_is_the_mean_of_its_sentences(options):
    case = Case(**{**options, **dict.fromkeys(DROPS, 0.0)})
    loss, rest, B = case.run()[0], case.gradients(), len(case.lengths)
    types, targets = (reference.split(a, case.lengths) for a in (case.types, case.targets))
    for s, length in enumerate(case.lengths):
        case.types, case.targets, case.packing = np.array(types[s]), np.array(targets[s]), pack((length,))
        loss -= case.run()[0] / B
        for name, gradient in case.gradients().items():
            rest[name] = rest[name] - gradient / B
    assert abs(loss) < 1e-10
    assert all(close(gradient, np.zeros_like(gradient), 1e-10) for gradient in rest.values())


def test_parameters_are_left_alone():
    case = Case(**COMPOSITIONS["everything"])
    before = {name: array.copy() for name, array in case.params.items()}
    features = case.words.features.copy()
    case.run()
    assert all((before[name] == array).all() for name, array in case.params.items())
    assert (case.words.features == features).all()


# ------------------------------------------------------------------ the slow twin


@pytest.mark.parametrize("lengths", [(7,), MIXED], ids=["one sentence", "batch"])
def test_the_tutorials_network_has_the_gradient_of_its_pseudo_code(lengths):
    case = Case(lengths, embedding=0, features="form", cell="elman", bidirectional=False)
    names = ("rnn0.fwd.W_x", "rnn0.fwd.W_h", "rnn0.fwd.b", "output.W_o", "output.b_o")
    weights = [case.params[name] for name in names]
    expected, loss = [np.zeros_like(w) for w in weights], 0.0
    for types, y in zip(*(reference.split(each, lengths) for each in (case.types, case.targets[:, 0]))):
        x = [reference.one_hot(case.words.features[word, 0], len(weights[0])) for word in types]
        h, p = reference.forward_rnn(*weights, x)
        loss -= sum(np.log(p[t][y[t]]) for t in range(len(x)))
        for total, delta in zip(expected, reference.gradient_rnn(*weights, x, h, p, y)):
            total -= delta  # the seed climbs the likelihood, the network descends the loss
    assert close(case.run()[0], loss / len(lengths))
    found = case.gradients()
    for name, gradient in zip(names, expected):
        assert close(found[name], gradient / len(lengths)), name


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_scores_of_a_deep_network_equal_the_slow_twins(cell):
    case = Case(cell=cell, layers=2, char_rnn=2, vectors=6, dense=("6:relu",))
    slow, params = reference.CELLS[cell](), case.params

    def layer(name, xs, H):
        W = [{key: params[f"{name}.{d}.{key}"] for key in ("W_x", "W_h", "b")} for d in ("fwd", "bwd")]
        start = tuple(np.zeros(H) for _ in range(slow.states))
        return reference.both_directions(slow, *W, xs, start, start)

    def word(n):
        x = reference.embedding_sum(params["features.table"], case.words.features[n])
        x = x + params["vectors.table"][case.words.vectors[n]] @ params["vectors.W"]
        letters = layer("characters", [params["characters.table"][c] for c in case.words.characters[n]], 2)
        final = np.hstack([letters[-1][:2], letters[0][2:]])  # of each direction, where it ends
        return x + final @ params["characters.W"]

    expected = []
    for types in reference.split(case.types, case.lengths):
        hs = layer("rnn1", layer("rnn0", [word(n) for n in types], 4), 4)
        hs = [np.maximum(0, h @ params["dense0.W"] + params["dense0.b"]) for h in hs]
        expected.append([h @ params["output.W_o"] + params["output.b_o"] for h in hs])
    assert close(case.scores(), reference.join(expected))


def test_the_convolution_equals_windows_written_out():
    case = Case(encoder="cnn", window=5, filters=7)
    W, b = case.params["cnn0.W"], case.params["cnn0.b"]
    expected = []
    for types in reference.split(case.types, case.lengths):
        x = [reference.embedding_sum(case.params["features.table"], case.words.features[n]) for n in types]
        x = [np.zeros(5), np.zeros(5), *x, np.zeros(5), np.zeros(5)]
        h = [np.maximum(0, np.hstack(x[t:t + 5]) @ W + b) for t in range(len(types))]
        expected.append([row @ case.params["output.W_o"] + case.params["output.b_o"] for row in h])
    assert close(case.scores(), reference.join(expected))


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_truncation_reaches_the_network(cell):
    full, cut = Case(cell=cell), Case(cell=cell, bptt=2)
    same = Case(cell=cell, bptt=8)  # the longest sentence has 9 words
    assert not close(cut.gradients()["rnn0.fwd.W_h"], full.gradients()["rnn0.fwd.W_h"])
    assert close(cut.gradients()["output.W_o"], full.gradients()["output.W_o"])
    assert all(close(same.gradients()[name], gradient) for name, gradient in full.gradients().items())


# ------------------------------------------------------------------ parameters


def test_shapes_tell_names_and_sizes():
    options = Options(embedding=5, hidden=4, layers=2, cell="lstm", dense=("6",), bidirectional=False)
    assert build(options, 11, ONE_COLUMN).shapes() == {
        "features.table": (11, 5), "rnn0.fwd.W_x": (5, 16), "rnn0.fwd.W_h": (4, 16), "rnn0.fwd.b": (16,),
        "rnn1.fwd.W_x": (4, 16), "rnn1.fwd.W_h": (4, 16), "rnn1.fwd.b": (16,), "dense0.W": (4, 6),
        "dense0.b": (6,), "output.W_o": (6, 3), "output.b_o": (3,)}


def test_initial_weights_fit_the_shapes_and_open_the_forget_gate():
    case = Case(**COMPOSITIONS["everything"])
    params = case.network.initialise(np.random.default_rng(1))
    assert {name: array.shape for name, array in params.items()} == case.network.shapes()
    assert {array.dtype for array in params.values()} == {np.dtype(np.float32)}
    assert params["rnn1.bwd.b"].tolist() == [0] * 4 + [1] * 4 + [0] * 8
    assert not params["dense0.b"].any() and not params["output.transition"].any()
    assert 0.5 < np.abs(params["rnn0.fwd.W_x"]).max() / np.sqrt(6 / (5 + 16)) <= 1


def test_the_same_generator_gives_the_same_weights():
    network = Case().network
    one, same, other = (network.initialise(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all((one[name] == same[name]).all() for name in one)
    assert not (one["rnn0.fwd.W_x"] == other["rnn0.fwd.W_x"]).all()


@pytest.mark.parametrize("options", COMPOSITIONS.values(), ids=COMPOSITIONS)
def test_tagging_gives_the_scores_that_training_gives_when_nothing_is_dropped(options):
    case = Case(**options)
    h, _ = case.network.forward(case.params, case.words, case.types, case.packing)
    expected, _ = case.network.outputs[0].forward(case.params, h)
    assert close(case.scores(), expected)


def test_dropping_changes_training_and_never_the_scores():
    case, plain = Case(dropout=0.5, word_dropout=1.0), Case()
    assert case.run()[0] != plain.run()[0]
    assert (case.scores() == plain.scores()).all()


def test_a_dropped_word_is_read_as_never_seen_and_keeps_the_features_it_shares():
    case = Case(lengths=(9,), features="form,suffixes", word_dropout=1.0)
    case.words.dropout[...] = 1.0
    _, (ids, _) = case.network.inputs.forward(case.params, case.words, np.arange(9), np.random.default_rng(1))
    assert (ids[:, 0] == case.words.map.offsets[0]).all()
    assert (ids == case.words.unseen).all()


# ------------------------------------------------------------------ several columns


def test_the_loss_of_several_columns_is_the_sum_and_tokens_without_a_class_have_none():
    case = Case(columns=COLUMNS)
    h, _ = case.network.forward(case.params, case.words, case.types, case.packing)
    total = 0.0
    for output, targets in zip(case.network.outputs, case.targets.T):
        scores, _ = output.forward(case.params, h)
        p = softmax(scores)
        total -= sum(np.log(p[i, k]) for i, k in enumerate(targets) if k >= 0)
    assert (case.targets[:, 1:] < 0).any() and close(case.run()[0], total / len(case.packing.lengths))


def test_the_output_layers_are_named_by_their_columns_and_lemmas_have_no_chain():
    network = build(Options(output="crf"), 11, COLUMNS)
    assert [output.name for output in network.outputs] == ["output", "output.feats", "output.lemma"]
    assert [type(output).__name__ for output in network.outputs] == ["CRF", "CRF", "Softmax"]


def test_scores_of_the_columns_that_are_asked_for():
    case = Case(columns=COLUMNS)
    z = case.network.input_projection(case.params, case.words, np.arange(len(WORDS)))
    every = case.network.scores(case.params, z, case.packing, case.types, range(3))
    assert [scores.shape[1] for scores in every] == [3, 4, 5]
    for number in range(3):
        (alone,) = case.network.scores(case.params, z, case.packing, case.types, [number])
        assert (alone == every[number]).all()


def test_n_grams_are_added_by_the_root_of_their_number():
    case = Case(features="form,ngrams")
    bags, table = [case.words.ngrams[word] for word in case.types], case.params["ngrams.table"]
    x, _ = case.network.inputs.forward(case.params, case.words, case.types)
    form = case.params["features.table"][case.words.features[case.types, 0]]
    assert close(x - form, np.stack([table[bag].sum(axis=0) / np.sqrt(len(bag)) for bag in bags]))
