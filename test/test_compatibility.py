"""Models of every format version so far are loaded, and tag as they did when they were made.

model-v1/ was written by version 0.1.0 from the first six lines of data/sample-train.wordtag and is
never written again: when a later version cannot load it, that version is wrong.
"""

import json
import shutil
from pathlib import Path

import pytest

from rnntag.models.options import RETIRED
from rnntag.storage.archive import pack_arrays
from rnntag.storage.modelfile import load, read_manifest

FOLDER = Path(__file__).parent / "model-v1"
TEXT = [["That", "book", "is", "mine", "."], ["She", "opened", "the", "key"], []]


@pytest.mark.parametrize("name, kind, answer", [
    ("hmm", "hmm", ["DT NN VBZ PRP .", "PRP DT NN .", ""]), ("rnn", "rnn", ["DT VBZ VBZ PRP .", "PRP PRP DT NN", ""]),
    ("crf", "rnn", ["DT NN VBZ PRP .", "PRP VBD DT NN", ""])])
def test_models_of_format_1_are_loaded_and_tag_as_they_did(name, kind, answer):
    assert read_manifest(FOLDER / name)["format_version"] == 1
    assert [" ".join(tags) for tags in load(FOLDER / name, kind).tag(TEXT)] == answer


def test_the_step_size_of_version_0_1_0_was_divided_by_the_batch_size(tmp_path):
    shutil.copytree(FOLDER / "rnn", tmp_path / "m")
    text = (tmp_path / "m" / "model.json").read_text()
    stored = json.loads(text)["options"]
    assert (stored["learning_rate"], stored["batch_size"]) == (0.05, 2)
    assert load(tmp_path / "m").options.learning_rate == 0.025
    (tmp_path / "m" / "model.json").write_text(text.replace('"program": "0.1.0"', '"program": "0.2.0"'))
    assert load(tmp_path / "m").options.learning_rate == 0.05


@pytest.mark.parametrize("name", ["hmm", "rnn", "crf"])
def test_they_are_written_again_as_they_are(name):
    """What is stored is what the model is: options, id maps and arrays come out as they went in; the one column of
    an RNN is now one of several that there could be, without a name."""
    options, ids, arrays = load(FOLDER / name).state()
    stored = read_manifest(FOLDER / name)["options"]
    assert {option: options[option] for option in stored.keys() - RETIRED} == {
        option: value for option, value in stored.items() if option not in RETIRED}
    before = json.loads((FOLDER / name / "ids.json").read_text("utf-8"))
    if name != "hmm":
        assert options["columns"] == [""] and load(FOLDER / name).fields == ("",)
        before["columns"] = {"": before.pop("tags")}
    assert ids == before
    assert pack_arrays(arrays) == (FOLDER / name / "weights.npz").read_bytes()
