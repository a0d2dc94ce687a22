"""The vanishing gradient: the norms against the lecture's recursion, written out; the command."""

import numpy as np
import pytest
from click.testing import CliRunner
from invoking import failure, invoke
from samples import SMALL, THREE, written

from rnntag.analysis.diagnose import gradient_norms, text_gradient_norms
from rnntag.cli.diagnose import main
from rnntag.corpus.labelled import Text
from rnntag.errors import ModelError, OptionError
from rnntag.models.classifier import Classifier, ClassifierOptions
from rnntag.models.options import preset
from rnntag.models.tagger import RNNTagger
from rnntag.nn.layers import softmax
from rnntag.nn.packing import pack
from rnntag.nn.recurrent import Recurrent, run_back
from rnntag.storage.modelfile import save

STEPS = 4


def untrained(sentences, **options):
    options = preset("default", **{"hidden": 5, "embedding": 4, "cell": "elman", **options})
    return RNNTagger.create(sentences, options, np.random.default_rng(1))


def by_the_formula(tagger, sentences, direction):
    """|| d loss_t / d h_(t-k) || for each k, one number for each t that has a state k steps before it:
    delta_t = p - p', d loss_t / d h_t = delta_t W_o', d loss_t / d h_(k-1) = (d loss_t / d h_k * f') W_h'."""
    p, H, found = tagger.params, tagger.options.hidden, [[] for _ in range(STEPS + 1)]
    for sentence in sentences:
        x = p["features.table"][tagger.features(sentence.words)].sum(axis=1)
        states = []
        for name in ("fwd", "bwd"):
            h, own = np.zeros(H), []
            for x_t in x if name == "fwd" else x[::-1]:
                h = np.tanh(x_t @ p[f"rnn0.{name}.W_x"] + p[f"rnn0.{name}.b"] + h @ p[f"rnn0.{name}.W_h"])
                own.append(h)
            states.append(own if name == "fwd" else own[::-1])
        scores = np.concatenate(states, axis=1) @ p["output.W_o"] + p["output.b_o"]
        delta = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        delta[np.arange(len(x)), np.array(tagger.tags.ids(sentence.tags)) - 1] -= 1
        step = 1 if direction == "bwd" else -1
        for t in range(len(x)):
            dh = delta[t] @ p["output.W_o"][H:].T if direction == "bwd" else delta[t] @ p["output.W_o"][:H].T
            for k in range(STEPS + 1):
                at = t + step * k
                if not 0 <= at < len(x):
                    break
                found[k].append(np.linalg.norm(dh))
                dh = (dh * (1 - states[direction == "bwd"][at] ** 2)) @ p[f"rnn0.{direction}.W_h"].T
    return [np.mean(norms) for norms in found]


def test_norms_are_those_of_the_lecture_s_recursion():
    tagger = untrained(THREE)
    forward, backward = gradient_norms(tagger, THREE, STEPS)
    np.testing.assert_allclose(forward, by_the_formula(tagger, THREE, "fwd"), rtol=1e-4)
    np.testing.assert_allclose(backward, by_the_formula(tagger, THREE, "bwd"), rtol=1e-4)


def test_distances_that_no_sentence_has_are_not_a_number():
    norms = gradient_norms(untrained(THREE, bidirectional=False), THREE, 8)  # the longest has 6 words
    assert norms.shape == (1, 9) and np.isnan(norms[0]).tolist() == [False] * 6 + [True] * 3


@pytest.mark.parametrize("options, message", [({"encoder": "cnn"}, "--encoder rnn"), ({"members": 2}, "--members 1")])
def test_a_network_without_one_recurrence_is_refused(options, message):
    with pytest.raises(OptionError, match=message):
        gradient_norms(untrained(THREE, **options), THREE, STEPS)


@pytest.mark.filterwarnings("error")
def test_weights_that_are_too_large_are_an_error():
    tagger = untrained(THREE, activation="relu")
    for array in tagger.params.values():
        array *= np.float32(1e30)
    with pytest.raises(ModelError, match="scores overflow"):
        gradient_norms(tagger, THREE, STEPS)


def test_the_command_shows_each_direction_of_each_model_and_its_share(write, tmp_path):
    for name, options in (("both", {}), ("one", {"bidirectional": False, "cell": "lstm"})):
        save(tmp_path / name, untrained(THREE, **options))
    write("corpus", written(THREE))
    result = CliRunner().invoke(main, [str(tmp_path / "both"), str(tmp_path / "corpus"), "--beside",
                                       str(tmp_path / "one"), "--steps", "2"])
    head, *rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert head == ["distance", "both forward", "share", "both backward", "share", "one forward", "share"]
    assert [row[0] for row in rows] == ["0", "1", "2"] and rows[0][2::2] == ["1.0000"] * 3
    for row in rows:
        assert float(row[2]) == pytest.approx(float(row[1]) / float(rows[0][1]), abs=1e-3)


def test_an_hmm_is_told_what_would_do_instead(model, write):
    result = CliRunner().invoke(main, [str(model), str(write("corpus", b"a_X\n"))])
    assert result.exit_code == 1
    assert "a model of kind hmm; this command takes rnn. Give one that train-rnn or train-classifier wrote." \
        in result.stderr


# ------------------------------------------------------------------ classifiers


def classifier(**options):
    return Classifier.create([s.words for s in THREE], ["up", "down", "up"], ClassifierOptions(
        **{**SMALL, "dropout": 0.0, "pooling": "last", **options}), np.random.default_rng(1))


TEXTS = [Text(s.words, label) for s, label in zip(THREE, ["up", "down", "new"])]


@pytest.mark.parametrize("options", [{"bidirectional": False}, {}, {"cell": "lstm", "layers": 2, "dense": ("5",)}])
def test_norms_of_a_text_are_those_of_the_full_gradient(options):
    """One text has one loss: the gradient at each state is what ``run_back`` has, step by step."""
    made = classifier(**options)
    for text, known in zip(TEXTS, [True, True, False]):
        measured = text_gradient_norms(made, [text], 3)
        network, packing, table = made.network, pack((len(text.words),)), made.word_table()
        h, caches = network.forward(made.params, table, table.ids(text.words), packing)
        scores, cache = network.outputs[0].forward(made.params, h)
        dx = softmax(scores)
        dx[0, made.labels[text.label] - 1] -= 1
        for layer, kept in reversed(list(zip([*network.layers, network.outputs[0]], [*caches[1:], cache]))):
            if isinstance(layer, Recurrent):
                break
            dx, _ = layer.backward(made.params, dx, kept)
        _, local, dh = layer._back(dx, kept)
        _, dstates = run_back(layer.cell, kept.W_h, local, dh, packing)
        D = len(layer.directions)
        rows = dstates[:, D + packing.read(D).order[:, ::-1]]  # (S, D, T, H), the last step first
        norms = np.sqrt((rows ** 2).sum(axis=(0, 3)))
        T = len(text.words)
        if known:
            np.testing.assert_allclose(measured[:, :T], norms[:, :4], rtol=1e-4)
        else:
            assert not measured[:, :T].any(), "a label that the model does not have says nothing"
        assert np.isnan(measured[:, T:]).all()


def test_other_poolings_are_refused_and_the_command_takes_texts(tmp_path):
    with pytest.raises(OptionError, match="a classifier with --pooling max; its label is answered from all states"):
        text_gradient_norms(classifier(pooling="max"), TEXTS, 3)
    save(tmp_path / "m", classifier())
    (tmp_path / "texts").write_text("up\tthe dog runs\n")
    out, _ = invoke(main, tmp_path / "m", tmp_path / "texts", "--steps", "3")
    assert out.startswith("distance\tm forward\tshare\tm backward\tshare\n") and len(out.splitlines()) == 5
    assert failure(main, tmp_path / "m", tmp_path / "texts", "--format", "jsonl", status=2).startswith(
        "--format: given for a classifier")
