"""The temperature: it changes no tag, and suits the held-out sentences best."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from samples import KINDS, SMALL, noisy, sentences, text, written

from rnntag.analysis.inspection import reasons
from rnntag.cli.train_rnn import main as TRAIN
from rnntag.corpus import Sentence
from rnntag.errors import ModelError
from rnntag.models import calibration
from rnntag.models.calibration import fit_temperatures, token_losses
from rnntag.models.options import Options
from rnntag.models.stored import TEMPERATURES
from rnntag.storage import modelfile
from rnntag.training.tagging import train_tagger


@pytest.fixture(scope="module", params=["elman", "crf", "committee"])
def tagger(request):
    return train_tagger(sentences(20), Options(**{**SMALL, **KINDS.get(request.param, {"members": 2})}))


def test_a_temperature_changes_probabilities_and_no_tag(tagger):
    warm = tagger.with_params(tagger.params, {"": 2.0})
    assert list(warm.tag(text())) == list(tagger.tag(text()))
    for cold, answer in zip(tagger.probabilities(text()), warm.probabilities(text())):
        assert answer.tags == cold.tags
        assert np.allclose(answer.probabilities.sum(axis=1), 1, atol=1e-5)
        if len(answer.tags):
            assert answer.probabilities.max() < cold.probabilities.max()


def test_a_softmax_is_divided_in_the_exponent():
    tagger = train_tagger(sentences(20), Options(**SMALL))
    (cold,), (warm,) = (each.probabilities([["the", "read"]])
                        for each in (tagger, tagger.with_params(tagger.params, {"": 2.0})))
    root = np.sqrt(cold.probabilities)
    assert np.allclose(warm.probabilities, root / root.sum(axis=1, keepdims=True), atol=1e-6)


def test_under_a_crf_each_sequence_has_the_power_of_its_probability():
    tagger = train_tagger(sentences(20), Options(**SMALL, output="crf"))
    params = {name: array / 2 if name.startswith("output.") else array for name, array in tagger.params.items()}
    (half,) = tagger.with_params(params).probabilities([["the", "read"]])
    (warm,) = tagger.with_params(tagger.params, {"": 2.0}).probabilities([["the", "read"]])
    assert np.allclose(warm.probabilities, half.probabilities, atol=1e-6)


def test_it_is_the_temperature_with_the_smallest_loss(tagger, monkeypatch):
    monkeypatch.setattr(calibration, "MIN_TOKENS", 10)
    dev = noisy(60)
    found = fit_temperatures(tagger, dev)
    best = token_losses(found, dev)[0][0]
    assert TEMPERATURES[0] < found.temperatures[""] < TEMPERATURES[1] and found.temperatures[""] != 1
    for T in np.exp(np.linspace(*np.log(TEMPERATURES), 30)):
        assert best <= token_losses(tagger.with_params(tagger.params, {"": float(T)}), dev)[0][0] + 1e-4


def test_a_few_tokens_say_nothing(tagger):
    assert fit_temperatures(tagger, noisy(20)) is tagger and fit_temperatures(tagger, []) is tagger


def test_tags_that_the_tagger_lacks_are_left_out_of_the_loss(tagger):
    dev = [Sentence(["the", "read"], ["DT", "??"])]
    (answer,) = tagger.probabilities([["the", "read"]])
    assert token_losses(tagger, dev)[0][0] == pytest.approx(-np.log(answer.probabilities[0, 0]), abs=1e-5)
    assert token_losses(tagger, [Sentence(["the"], ["??"])])[0][0] == 0


def test_tokens_with_unknown_tags_say_nothing(tagger):
    dev = [Sentence(sentence.words, ["?"] * len(sentence)) for sentence in noisy(400)]
    assert sum(map(len, dev)) > calibration.MIN_TOKENS
    assert fit_temperatures(tagger, dev) is tagger


def test_training_with_a_dev_set_fits_it(monkeypatch):
    monkeypatch.setattr(calibration, "MIN_TOKENS", 10)
    options = Options(**SMALL)
    assert train_tagger(sentences(20), options, noisy(60)).temperatures[""] > 1
    assert train_tagger(sentences(20), options).temperatures == {}


# ------------------------------------------------------------------ the model folder


@pytest.fixture
def model(tagger, tmp_path):
    modelfile.save(tmp_path / "m", tagger.with_params(tagger.params, {"": 1.5}))
    return tmp_path / "m"


def test_it_is_stored_with_the_model(model, tagger):
    found = modelfile.load(model)
    assert found.temperatures == {"": 1.5}
    (one,), (other,) = (each.probabilities([["the", "read"]])
                        for each in (found, tagger.with_params(tagger.params, {"": 1.5})))
    assert (one.probabilities == other.probabilities).all()
    assert reasons(found, "read", 2).tags[0][1] == pytest.approx(
        next(found.probabilities([["read"]])).best()[0][0][1], abs=1e-6)


def test_a_model_without_one_is_written_as_ever(tagger, tmp_path):
    modelfile.save(tmp_path / "m", tagger)
    assert "temperature" not in json.loads((tmp_path / "m/model.json").read_text())["options"]


@pytest.mark.parametrize("wrong", [0, 1, True, "1.5", None, -1.0, 0.1, 1e9, [1.5], {}])
def test_one_that_is_no_temperature_is_refused(model, wrong):
    manifest = json.loads((model / "model.json").read_text())
    manifest["options"]["temperature"] = {"": wrong}
    (model / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="temperature .*; it is at least 0.5 and at most 5.0"):
        modelfile.load(model)


def test_the_command_says_what_it_fitted_and_resuming_a_finished_run_leaves_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train").write_bytes(written(noisy(400)))
    given = ["train", "m", "--dev-fraction", "0.5", "--epochs", "8", "--hidden", "8", "--embedding", "8"]
    result = CliRunner().invoke(TRAIN, given)
    T = json.loads(Path("m/model.json").read_text())["options"]["temperature"][""]
    assert f"Probabilities are those of scores / {T}, which fits the dev set best\n" in result.stderr
    assert "m is finished already" in CliRunner().invoke(TRAIN, [*given, "--resume"]).stderr
