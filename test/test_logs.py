"""The log of a model folder."""

import json

import numpy as np
import pytest
from samples import seal

from rnntag.corpus import Sentence
from rnntag.errors import ModelError
from rnntag.models.options import Options
from rnntag.models.tagger import RNNTagger
from rnntag.storage import logs
from rnntag.storage.logs import read_log
from rnntag.storage.modelfile import LOG, save


@pytest.fixture
def logged(tmp_path):
    """logged(text): a model of 3 epochs with this log."""
    tagger = RNNTagger.create([Sentence(["a"], ["X"])], Options(embedding=3, hidden=2, epochs=3),
                              np.random.default_rng(1))
    save(tmp_path / "m", tagger)

    def logged(text):
        (tmp_path / "m" / LOG).write_text(text)
        seal(tmp_path / "m")
        return tmp_path / "m"
    return logged


def test_a_log_is_read_from_its_folder_and_by_itself(logged):
    folder = logged('{"epoch": 1, "loss": 2.5, "dev_accuracy": null}\n\n{"epoch": 2, "best": true}')
    wanted = [{"epoch": 1, "loss": 2.5, "dev_accuracy": None}, {"epoch": 2, "best": True}]
    assert read_log(folder) == read_log(folder / LOG) == wanted
    assert read_log(logged("")) == []


@pytest.mark.parametrize("text, message", [
    ('{"epoch": 1}\n' * 4, "log.jsonl: 4 lines; the options allow 3 epochs"),
    ("\n" * 4, "log.jsonl: 4 lines; the options allow 3 epochs"),
    ("1" * 3001, "log.jsonl: 3,001 bytes; the options make it at most 3,000"),
    ("[" * 1001, "log.jsonl:1: not an epoch; a log has"), ("\n{}", "log.jsonl:2: not an epoch"),
    ("[]", "not an epoch"), ("{", "not an epoch"), ("\0", "not an epoch"), ('{"epoch": true}', "not an epoch"),
    ('{"epoch": 0}', "not an epoch"), ('{"epoch": 100001}', "not an epoch"), ('{"epoch": 1.0}', "not an epoch"),
    ('{"epoch": 1, "epoch": 2}', "not an epoch"), ('{"epoch": 1, "loss": NaN}', "not an epoch"),
    ('{"epoch": 1, "loss": 1e999}', "not an epoch"), ('{"epoch": 1, "loss": 1' + "0" * 900 + "}", "not an epoch"),
    ('{"epoch": 1, "loss": "x"}', "not an epoch"), ('{"epoch": 1, "loss": [1]}', "not an epoch"),
    (json.dumps({"epoch": 1} | {str(i): i for i in range(40)}), "not an epoch")])
def test_a_log_that_no_training_writes_is_refused(logged, text, message):
    folder = logged(text)
    with pytest.raises(ModelError) as error:
        read_log(folder)
    assert message in str(error.value) and len(str(error.value)) < 200 + len(str(folder))


def test_a_log_by_itself_has_as_many_lines_as_there_can_be_epochs(write):
    assert logs.MAX_EPOCHS == Options.__dataclass_fields__["epochs"].metadata["high"]
    with pytest.raises(ModelError, match="100,001 lines; the options allow 100,000 epochs"):
        read_log(write("log.jsonl", b"\n" * 100_001))


@pytest.mark.parametrize("epochs", [0, 100_001, "3", None, True, 10 ** 30])
def test_a_log_of_no_possible_number_of_epochs_is_not_read(logged, epochs):
    folder = logged('{"epoch": 1}\n')
    seal(folder, options={"epochs": epochs})
    with pytest.raises(ModelError, match="model.json: epochs .*; it is a number from 1 to 100,000"):
        read_log(folder)


def test_a_log_with_another_checksum_is_refused(logged):
    folder = logged("")
    (folder / LOG).write_text('{"epoch": 1}')
    with pytest.raises(ModelError, match="log.jsonl: its checksum is not the one in model.json"):
        read_log(folder)
