"""Options: what fits is taken, what does not is refused with a message that says what fits."""

import json
import math
from dataclasses import fields, replace

import numpy as np
import pytest

from rnntag.corpus import Sentence
from rnntag.errors import OptionError
from rnntag.models.adaptation import adapted
from rnntag.models.options import PRESETS, Options, flag, preset, refuse_unused
from rnntag.models.tagger import RNNTagger
from rnntag.training.tagging import train_tagger

REFUSED = [
    # (options, what the message says)
    ({"hidden": 0}, "--hidden: 0; it is at least 1 and at most 4096"),
    ({"hidden": 4097}, "at most 4096"),
    ({"layers": 0}, "--layers: 0; it is at least 1"),
    ({"embedding": -1}, "--embedding: -1; it is at least 0"),
    ({"batch_size": 0}, "--batch-size: 0; it is at least 1"),
    ({"epochs": -1}, "--epochs: -1; it is at least 0"),
    ({"learning_rate": -0.1}, "--learning-rate: -0.1; it is at least 1e-12"),
    ({"learning_rate": 0}, "--learning-rate: 0; it is at least 1e-12"),
    ({"learning_rate": math.nan}, "--learning-rate: nan; it is at least 1e-12"),
    ({"learning_rate": math.inf}, "--learning-rate: inf; it is at least 1e-12"),
    ({"learning_rate": 10 ** 400}, "it is at least 1e-12 and at most 1000000"),
    ({"embedding_rate": math.nan}, "--embedding-rate: nan"),
    ({"clip": math.nan}, "--clip: nan"),
    ({"clip": -1.0}, "--clip: -1.0; it is at least 0"),
    ({"dropout": 1.0}, "--dropout: 1.0; it is at least 0 and at most 0.99"),
    ({"word_dropout": math.nan}, "--word-dropout: nan"),
    ({"average": 1.5}, "--average: 1.5; it is at least 0 and at most 1"),
    ({"seed": -1}, "--seed: -1; it is at least 0"),
    ({"bptt": -1}, "--bptt: -1; it is at least 0"),
    # types
    ({"hidden": True}, "--hidden: True"),
    ({"hidden": 10.0}, "--hidden: 10.0"),
    ({"hidden": "10"}, "--hidden: '10'"),
    ({"learning_rate": True}, "--learning-rate: True"),
    ({"learning_rate": "0.1"}, "--learning-rate: '0.1'"),
    ({"bidirectional": 1}, "--bidirectional: 1"),
    ({"features": None}, "--features: None"),
    ({"dense": "8"}, "--dense: '8'"),
    # choices
    ({"cell": "rnn"}, "--cell: 'rnn'; it is one of elman, gru, lstm"),
    ({"activation": "linear"}, "it is one of tanh, sigmoid, relu"),
    ({"optimizer": "adamw"}, "it is one of sgd, momentum, adagrad, rmsprop, adam"),
    ({"output": "hmm"}, "it is one of softmax, crf"),
    ({"encoder": "transformer"}, "it is one of rnn, cnn"),
    ({"schedule": "step"}, "it is one of constant, linear, cosine"),
    # features
    ({"features": "form,stem"}, "it is some of form, lower, prefixes, suffixes, shape, ngrams, each once"),
    ({"features": "form,form"}, "each once"),
    ({"features": ""}, "a network needs some input"),
    # combinations
    ({"bptt": 3, "encoder": "cnn"}, "--bptt: 3 with --encoder cnn; a convolution has no time"),
    ({"embedding": 0, "encoder": "cnn"}, "Give --embedding a width"),
    ({"embedding": 0, "char_rnn": 5}, "Give --embedding a width"),
    ({"embedding": 0, "vectors": 5}, "Give --embedding a width"),
    ({"window": 4, "encoder": "cnn"}, "--window: 4; the window is odd"),
    ({"members": 2, "output": "crf"}, "--members: 2 with --output crf; probabilities of tokens are averaged. Use "
                                      "--output softmax, or --members 1."),
    # dense layers
    ({"dense": ("0",)}, "a dense layer is 1 to 4096"),
    ({"dense": ("5000",)}, "a dense layer is 1 to 4096"),
    ({"dense": ("wide",)}, "it is N or N:tanh, N:relu, N:sigmoid"),
    ({"dense": ("-3",)}, "it is N or N:tanh, N:relu, N:sigmoid"),
    ({"dense": ("\u00b2",)}, "it is N or N:tanh, N:relu, N:sigmoid"),
    ({"dense": ("8:gelu",)}, ":tanh, :relu or :sigmoid"),
    ({"dense": ("8",) * 9}, "9 layers; at most 8"),
]


@pytest.mark.parametrize("values, message", REFUSED, ids=[str(values)[:40] for values, _ in REFUSED])
def test_what_does_not_fit_is_refused_and_the_message_says_what_fits(values, message):
    with pytest.raises(OptionError) as error:
        Options(**values)
    assert message in str(error.value)


@pytest.mark.parametrize("option", [option for option in fields(Options) if "low" in option.metadata],
                         ids=lambda option: option.name)
def test_bounds_belong_to_what_they_allow(option):
    low, high = option.metadata["low"], option.metadata["high"]
    others = {"encoder": "cnn"} if option.name == "window" else {}
    for value in (low, high):
        assert getattr(Options(**others, **{option.name: value}), option.name) == value
    beyond = [low - 1] + ([high + 1] if math.isfinite(high) else [])
    for value in beyond:
        with pytest.raises(OptionError, match=flag(option.name)):
            Options(**others, **{option.name: value})


@pytest.mark.parametrize("values", [
    {"embedding": 0}, {"bptt": 5}, {"encoder": "cnn", "window": 3, "filters": 7}, {"window": 4},
    {"clip": math.inf}, {"features": "", "char_rnn": 8}, {"features": "", "vectors": 50},
    {"learning_rate": 1}])
def test_what_fits_is_taken(values):
    options = Options(**values)
    assert {name: getattr(options, name) for name in values} == values


def test_dense_layers_are_a_width_and_an_activation():
    options = Options(dense=("8", "5:relu", "3:sigmoid"))
    assert options.dense_layers == [(8, "tanh"), (5, "relu"), (3, "sigmoid")]


def test_directions_and_feature_names_follow_from_the_options():
    assert (Options().directions, Options(bidirectional=False).directions) == (2, 1)
    assert Options(features="form,shape").feature_names == ("form", "shape")
    assert flag("batch_size") == "--batch-size"


@pytest.mark.parametrize("options", [
    Options(), preset("tutorial"), Options(learning_rate=1),
    Options(dense=("8:relu", "4"), bidirectional=False, learning_rate=0.1, seed=2 ** 62),
], ids=["default", "tutorial", "whole number", "many"])
def test_options_survive_json(options):
    assert Options.from_dict(json.loads(json.dumps(options.to_dict(), allow_nan=False))) == options


def test_a_clip_without_limit_is_written_as_a_number_json_has():
    text = json.dumps(Options(clip=math.inf).to_dict(), allow_nan=False)
    assert Options.from_dict(json.loads(text)).clip == 0


def test_absent_options_have_their_default_and_unknown_ones_are_refused():
    assert Options.from_dict({"hidden": 7}) == Options(hidden=7)
    with pytest.raises(OptionError, match="'hiden' is no option; options are .*hidden"):
        Options.from_dict({"hiden": 7})


def test_values_from_json_are_checked_too():
    for values in ({"dense": [[8]]}, {"dense": [None]}, {"hidden": None}, {"cell": ["lstm"]},
                   {"learning_rate": []}):
        with pytest.raises(OptionError):
            Options.from_dict(values)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_options_that_can_be_changed(name):
    assert preset(name, hidden=7) == Options(**{**PRESETS[name], "hidden": 7})


def test_options_cannot_be_changed_afterwards():
    with pytest.raises(AttributeError):
        Options().hidden = 3


@pytest.mark.parametrize("options, name", [
    ({"cell": "lstm"}, "activation"), ({}, "window"), ({}, "char_embedding"), ({}, "vector_dropout"),
    ({"encoder": "cnn"}, "hidden"), ({"encoder": "cnn"}, "cell"),
    ({"members": 2}, "sure"), ({"encoder": "cnn"}, "sure"), ({"encoder": "cnn", "members": 2, "layers": 2}, "sure"),
    ({"patience": 2}, "patience"),
    ({"features": "", "char_rnn": 4}, "min_count"), ({"features": "", "char_rnn": 4}, "word_dropout"),
    ({"features": "", "vectors": 4}, "embedding_rate"),
])
def test_an_option_that_changes_nothing_is_told(options, name):
    assert name in Options(**options).unused()


@pytest.mark.parametrize("options, name", [
    ({"encoder": "cnn", "members": 2}, "sure"),
    ({"cell": "elman"}, "activation"), ({"encoder": "cnn"}, "window"), ({"char_rnn": 4}, "char_embedding"),
    ({"vectors": 4}, "vector_dropout"), ({"encoder": "cnn", "char_rnn": 4}, "cell"), ({}, "patience"),
    ({"features": "", "char_rnn": 4}, "embedding_rate"), ({"embedding": 0}, "embedding_rate"),
    ({"features": "", "vectors": 4, "freeze_vectors": False}, "embedding_rate"),
])
def test_an_option_that_changes_something_is_not_told(options, name):
    assert name not in Options(**options).unused()


def test_a_dev_set_and_vectors_make_options_count():
    o = Options(patience=2)
    assert "patience" not in o.unused(dev=True)
    assert {"freeze_vectors", "vector_dropout"} <= o.unused().keys() and not (
        {"freeze_vectors", "vector_dropout"} & o.unused(vectors=True).keys())


@pytest.mark.parametrize("options, name, value", [
    ({}, "window", 3), ({}, "activation", "relu"), ({}, "char_embedding", 3), ({}, "vector_dropout", 0.5),
    ({}, "patience", 1), ({"encoder": "cnn"}, "hidden", 3), ({"encoder": "cnn"}, "bidirectional", False),
    ({"features": "", "char_rnn": 3}, "min_count", 9), ({"features": "", "char_rnn": 3}, "embedding_rate", 1.0),
    ({"embedding": 0}, "embedding_rate", 1.0), ({}, "min_count", 2), ({}, "clip", 0.1)])
def test_exactly_the_options_that_are_told_change_no_weight(options, name, value):
    options = {"hidden": 4, "embedding": 4, "filters": 4, "epochs": 3, **options}
    sentences = [Sentence(["a", "b", "a"], ["X", "Y", "X"]), Sentence(["c", "a"], ["Y", "Y"])]
    with_it, without = (train_tagger(sentences, Options(**{**options, **more})) for more in ({name: value}, {}))
    same = all(np.array_equal(array, without.params.get(key)) for key, array in with_it.params.items())
    assert same == (name in Options(**{**options, name: value}).unused())


def test_what_changes_nothing_is_refused_when_it_was_given():
    with pytest.raises(OptionError, match="--window: 3 without --encoder cnn; it would change nothing"):
        refuse_unused(Options(window=3), ["hidden", "window"], dev=False)
    with pytest.raises(OptionError, match="--freeze-vectors/--tune-vectors: False without vectors"):
        refuse_unused(Options(freeze_vectors=False), ["freeze_vectors"], dev=False)
    refuse_unused(Options(window=3), ["hidden"], dev=False)  # of a preset
    refuse_unused(Options(patience=2), ["patience"], dev=True)


@pytest.mark.parametrize("tokens, epochs", [(0, 18), (60_000, 18), (240_000, 9), (204_577, 10), (10 ** 9, 4)])
def test_a_large_corpus_has_fewer_epochs_unless_it_is_said_how_many(tokens, epochs):
    assert Options(hidden=5).for_corpus(tokens) == Options(hidden=5, epochs=epochs)
    assert Options(epochs=30).for_corpus(tokens).epochs == 30


def test_a_tagger_knows_its_number_of_epochs():
    sentences = [Sentence(["a"] * 1000, ["X"] * 1000)] * 240
    tagger = RNNTagger.create(sentences, Options(hidden=2, embedding=2), np.random.default_rng(1))
    assert tagger.options.epochs == 9
    few = sentences[:1]
    assert adapted(tagger, few, replace(tagger.options, epochs=0), np.random.default_rng(1)).options.epochs == 18
