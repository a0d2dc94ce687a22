"""Model folders, good and bad; the bad ones may only ever raise ModelError."""

import json

import numpy as np
import pytest
from samples import refusal, seal

from rnntag import files
from rnntag.corpus import Sentence
from rnntag.errors import ModelError, OptionError, RnntagError
from rnntag.models.base import vocabs
from rnntag.models.options import Options
from rnntag.models.tagger import RNNTagger
from rnntag.storage import modelfile
from rnntag.storage.modelfile import (IDS, LOG, MANIFEST, WEIGHTS, load, pack_arrays, read_manifest, save,
                                      trained_field, unpack_arrays)
from rnntag.text.vocab import Vocab


# ------------------------------------------------------------------ good ones


def test_a_model_is_loaded_as_it_was_saved(toy, model):
    again = load(model)
    assert type(again) is type(toy)
    assert again.words == toy.words and again.tags == toy.tags
    for name, array in toy.state()[2].items():
        assert np.array_equal(again.state()[2][name], array) and again.state()[2][name].dtype == array.dtype
    assert list(again.tag([["a", "c", "b"]])) == [["X", "X", "Y"]]


def test_a_model_folder_has_the_documented_files(model):
    assert {path.name for path in model.iterdir()} == {MANIFEST, WEIGHTS, IDS, LOG} == files.MODEL_FILES
    manifest = read_manifest(model)
    assert manifest["format_version"] == 1 and manifest["kind"] == "hmm"
    assert manifest["info"] == {"note": "toy"}
    ids = json.loads((model / IDS).read_text())
    assert ids == {"words": ["", "a", "b", "c"], "tags": ["", "X", "Y", "Z"]}


def test_saving_twice_gives_the_same_bytes(toy, model, tmp_path):
    save(tmp_path / "again", toy)
    for name in files.MODEL_FILES:
        assert (model / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_log_is_kept_an_epoch_a_line(toy, tmp_path):
    save(tmp_path / "m", toy, log=[{"epoch": 1}, {"epoch": 2}])
    assert (tmp_path / "m" / LOG).read_text() == '{"epoch": 1}\n{"epoch": 2}\n'


def test_an_existing_model_is_kept_without_force_and_when_saving_fails(toy, model, monkeypatch):
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    with pytest.raises(RnntagError, match="exists already"):
        save(model, toy)
    write_bytes = modelfile.write_bytes

    def fail(path, data):
        if path.name == LOG:
            raise OSError(28, "No space left on device")
        write_bytes(path, data)

    monkeypatch.setattr(modelfile, "write_bytes", fail)
    with pytest.raises(RnntagError, match="no space left"):
        save(model, toy, force=True)
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    assert [path.name for path in model.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("array", [
    np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2).T, np.arange(12.0)[::2].reshape(2, 3),
    np.arange(6, dtype=">f8").reshape(2, 3)], ids=["plain", "transposed", "strided", "big-endian"])
def test_arrays_come_back_whatever_their_layout(array):
    back = unpack_arrays("place", pack_arrays({"x": array}), {"x": (2, 3)}, "float64")["x"]
    assert np.array_equal(back, array) and back.dtype == np.dtype("float64") and back.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (1, 2, 3)])
def test_arrays_of_every_rank_come_back(shape):
    data = pack_arrays({"x": np.zeros(shape, "float32")})
    assert unpack_arrays("place", data, {"x": shape}, "float32")["x"].shape == shape


def test_what_could_not_be_loaded_is_not_saved(toy, tmp_path, monkeypatch):
    monkeypatch.setitem(modelfile.MAX_JSON_BYTES, IDS, 20)
    with pytest.raises(ModelError, match="id maps of .* bytes; at most 20 are loaded. Raise --min-count."):
        save(tmp_path / "m", toy)
    monkeypatch.undo()
    toy.transitions[0, 1] = np.nan
    with pytest.raises(ModelError, match="transitions has values that are infinite or not a number; such"):
        save(tmp_path / "m", toy)
    toy.words.strings.append("\ud800")
    with pytest.raises(ModelError, match="half a character"):
        save(tmp_path / "m", toy)
    assert not (tmp_path / "m").exists()


TWICE = "an id map that is no list of distinct strings"


@pytest.mark.parametrize("change, message", [
    (lambda t: t.tags.strings.append("DT"), TWICE),
    (lambda t: t.features.vocabs["shape"].strings.append(""), TWICE),
    (lambda t: t.words.strings.append("new"),
     "features.table is float32 (27, 3); options and id maps make it float32 (28, 3)"),
    (lambda t: t.params.pop("output.b_o"), "output.b_o is absent; options and id maps make it float32 (3,)"),
    (lambda t: t.params.update(more=np.zeros(1, "float32")), "more is float32 (1,); options and id maps make"),
    (lambda t: t.params.update({"output.b_o": np.zeros(3)}), "output.b_o is float64 (3,); options"),
    (lambda t: setattr(t, "temperatures", {"": 9.0}), "temperature 9.0; it is at least 0.5"),
    (lambda t: t.params["output.b_o"].fill(np.inf), "output.b_o has values that are infinite")])
def test_an_rnn_that_could_not_be_loaded_is_not_saved(tmp_path, change, message):
    tagger = RNNTagger.create([Sentence("a dog runs".split(), "DT NN VB".split())],
                              Options(embedding=3, hidden=2, features="form,shape,suffixes"),
                              np.random.default_rng(1))
    save(tmp_path / "good", tagger)
    change(tagger)
    with pytest.raises(ModelError) as error:
        save(tmp_path / "m", tagger)
    assert str(error.value).startswith(f"{tmp_path / 'm'}: {message}")
    assert [path.name for path in tmp_path.iterdir()] == ["good"]


def test_an_hmm_of_counts_that_do_not_agree_is_not_saved(toy, tmp_path):
    toy.transitions[0, 1] += 1
    with pytest.raises(ModelError, match="counts that do not agree"):
        save(tmp_path / "m", toy)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("info, message", [
    ({"tag_map": {"T" * 10: "x" * 1_000_000}}, "a manifest of 1,000,"), ({"x": np.nan}, "not JSON"),
    ({"x": {1: "", "1": ""}}, "a key stands twice"), ({"x": eval("[" * 40 + "]" * 40)}, "nested more than 32 deep")])
def test_a_manifest_that_could_not_be_read_is_not_written(toy, tmp_path, info, message):
    toy.info = info
    with pytest.raises(ModelError, match=message):
        save(tmp_path / "m", toy)
    assert list(tmp_path.glob("*m*")) == []


# ------------------------------------------------------------------ folders


def test_a_missing_folder_a_file_and_an_empty_folder_are_no_models(tmp_path, write):
    assert "no such folder; a model is the folder that" in refusal(tmp_path / "missing")
    assert "not a folder" in refusal(write("file", b""))
    (tmp_path / "empty").mkdir()
    assert "a folder without model.json" in refusal(tmp_path / "empty")


@pytest.mark.parametrize("name", [WEIGHTS, IDS])
def test_a_missing_file_is_named(model, name):
    (model / name).unlink()
    assert f"{name}: cannot read it: no such file" in refusal(model)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, IDS])
def test_a_folder_in_place_of_a_file_is_refused(model, name):
    (model / name).unlink()
    (model / name).mkdir()
    assert f"{name}: not a regular file" in refusal(model)


@pytest.mark.parametrize("name", [WEIGHTS, IDS])
def test_a_changed_file_does_not_match_its_checksum(model, name):
    data = bytearray((model / name).read_bytes())
    data[len(data) // 2] ^= 1
    (model / name).write_bytes(data)
    assert f"{name}: its checksum is not the one in model.json" in refusal(model)


def test_a_model_of_another_kind_is_refused_with_the_command_for_it(model):
    assert load(model, kind="hmm").kind == "hmm"
    with pytest.raises(ModelError, match="a model of kind hmm; this command takes rnn. Use test-hmm."):
        load(model, kind="rnn")


# ------------------------------------------------------------------ manifest and ids


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", "{}", '{"format": "other"}', '{"format": "rnntag", "format": "rnntag"}',
    "[" * 100_000, "1" * 5000, "NaN", "\0", "\ufeff{}"], ids=lambda text: text[:40])
def test_a_manifest_of_something_else_is_refused(model, text):
    (model / MANIFEST).write_text(text, "utf-8")
    assert f"{model / MANIFEST}: not " in refusal(model)


def test_a_manifest_that_is_not_utf8_is_refused(model):
    (model / MANIFEST).write_bytes(b'{"format": "\xff"}')
    assert "not readable as JSON" in refusal(model)


def test_a_key_that_stands_twice_is_refused(model):
    text = (model / MANIFEST).read_text()
    (model / MANIFEST).write_text(text.replace('"kind"', '"kind": "rnn", "kind"'))
    assert "a key stands twice" in refusal(model)


def test_deep_nesting_is_refused_in_ids_too(model):
    (model / IDS).write_text('{"words":' * 50_000)
    seal(model)
    assert "ids.json: more than 64 lists and objects" in refusal(model)
    (model / MANIFEST).write_text('{"info":' * 50_000)
    assert "model.json: not readable as JSON" in refusal(model)
    (model / MANIFEST).write_text('{"info":' * 40 + "{}" + "}" * 40)
    assert "model.json: nested more than 32 deep" in refusal(model)


def test_strict_json_has_no_nan(model):
    text = (model / MANIFEST).read_text()
    (model / MANIFEST).write_text(text.replace('"toy"', "NaN"))
    assert "NaN is not JSON" in refusal(model)


@pytest.mark.parametrize("strings", [["", "a", "a"], ["a", "b"], [], [""] * 2, ["", None], "", None,
                                     {"x": {"y": {}}}])
def test_an_id_map_is_a_list_of_distinct_strings(strings):
    with pytest.raises(ModelError, match="an id map that is no list of distinct strings"):
        modelfile.check_ids({"words": strings})


@pytest.mark.parametrize("change, message", [
    ({"format_version": 3}, "format version 3; this program reads up to 2. Install a newer rnntag."),
    ({"format_version": 0}, "it is a number from 1"), ({"format_version": True}, "it is a number from 1"),
    ({"format_version": "1"}, "it is a number from 1"), ({"format_version": 1.0}, "it is a number from 1"),
    ({"format_version": None}, "it is a number from 1"),
    ({"kind": "svm"}, "kind 'svm'; it is one of rnn, hmm"), ({"kind": ["hmm"]}, "kind a list; it is one of rnn"),
    ({"kind": "os.system"}, "it is one of rnn, hmm"),
    ({"options": []}, "an incomplete manifest"), ({"info": None}, "an incomplete manifest"),
    ({"sha256": {}}, "an incomplete manifest"),
    ({"sha256": {WEIGHTS: 1, IDS: 2, LOG: 3}}, "an incomplete manifest"),
    ({"sha256": {WEIGHTS: "", IDS: "", "../x": ""}}, "an incomplete manifest"),
    ({"options": {}}, "options of another kind"),
    ({"options": {"pairs": 10 ** 30}}, "options of another kind"),
    ({"options": {"pairs": 3}}, "the options make it"),
    ({"kind": "rnn"}, "model.json: ")])
def test_a_manifest_that_does_not_fit_is_refused(model, change, message):
    seal(model, **change)
    assert message in refusal(model)


@pytest.mark.parametrize("ids", [
    [], {}, None, {"words": ["", "a"]}, {"words": {}, "tags": ["", "X"]}, {"words": "a", "tags": ["", "X"]},
    {"words": ["a"], "tags": ["", "X"]}, {"words": ["", 1], "tags": ["", "X"]},
    {"words": ["", "a", "a"], "tags": ["", "X"]}, {"words": ["", ["a"]], "tags": ["", "X"]},
    {"words": [""], "tags": [""]}, {"words": ["", "\ud800"], "tags": ["", "X"]},
    {"words": ["", "a"], "tags": ["", "X"]}, {"words": {"x": {"y": {"z": [""]}}}, "tags": [""]}])
def test_id_maps_that_do_not_fit_are_refused(model, ids):
    (model / IDS).write_text(json.dumps(ids))
    seal(model)
    refusal(model)


# ------------------------------------------------------------------ what is read out of info


def test_the_field_of_training_is_told_when_there_is_one(model):
    assert trained_field(modelfile.load(model)) is None
    seal(model, info={"field": "xpos"})
    assert trained_field(modelfile.load(model)) == "xpos"


@pytest.mark.parametrize("field", ["sense", 3, [], "", True, "upos,upos", ["upos"]])
def test_a_field_that_is_none_is_a_fault_of_the_model(model, field):
    seal(model, info={"field": field})
    with pytest.raises(ModelError) as error:
        modelfile.load(model)
    assert str(error.value).startswith(str(model / MANIFEST)) and "upos, xpos, feats, lemma" in str(error.value)


@pytest.mark.parametrize("ids, fits", [({"a": ["", "x"], "n": {"s": ["", "y"]}}, True), ({"a": ["", "x"]}, False),
                                       ({"a": {"s": [""]}, "n": {"s": [""]}}, False), ({"a": [""], "n": [""]}, False),
                                       ({"a": [""], "n": {"s": {"t": [""]}}}, False)])
def test_id_maps_are_those_that_the_options_call_for(ids, fits):
    if fits:
        assert vocabs(ids, ["a"], ["n"]) == {"a": Vocab(["x"]), "n": {"s": Vocab(["y"])}}
    else:
        with pytest.raises(OptionError, match="these call for a, n"):
            vocabs(ids, ["a"], ["n"])
