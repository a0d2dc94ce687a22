"""Models that are parts of others: saved in the same files, loaded with the same suspicion."""

import copy
import json

import numpy as np
import pytest
from samples import THREE, seal

from rnntag.errors import ModelError
from rnntag.models.options import Options
from rnntag.models.tagger import RNNTagger
from rnntag.storage import kinds
from rnntag.storage.modelfile import IDS, MANIFEST, WEIGHTS, load, read_manifest, save

TINY = {"embedding": 3, "hidden": 2, "features": "form,shape"}


@pytest.fixture
def whole(monkeypatch):
    """A tagger with another as its part."""
    monkeypatch.setitem(kinds.KINDS, "rnn", kinds.KINDS["rnn"]._replace(parts={"helper": "rnn"}))
    whole, part = (RNNTagger.create(THREE, Options(**TINY, char_rnn=width), np.random.default_rng(width))
                   for width in (0, 2))
    whole.parts["helper"] = part
    return whole


@pytest.fixture
def folder(whole, tmp_path):
    save(tmp_path / "m", whole)
    return tmp_path / "m"


def change(folder, name, edit):
    """Edit a JSON file of the folder, and seal it."""
    value = json.loads((folder / name).read_text())
    edit(value["options"] if name == MANIFEST else value)
    (folder / name).write_text(json.dumps(value))
    seal(folder)


def test_a_part_is_saved_in_the_files_of_the_whole_and_comes_back(whole, folder):
    again = load(folder)
    assert {path.name for path in folder.iterdir()} == {MANIFEST, WEIGHTS, IDS, "log.jsonl"}
    assert again.parts.keys() == {"helper"} and again.parts["helper"].parts == {}
    for own, other in ((again, whole), (again.parts["helper"], whole.parts["helper"])):
        assert own.options == other.options and own.words == other.words and own.place == folder
        assert own.params.keys() == other.params.keys()
        assert all(np.array_equal(own.params[name], array) for name, array in other.params.items())


def test_a_model_with_parts_is_of_format_2_and_an_hmm_of_format_1(toy, folder, tmp_path):
    assert read_manifest(folder)["format_version"] == 2
    save(tmp_path / "alone", toy)
    assert read_manifest(tmp_path / "alone")["format_version"] == 1
    seal(folder, format_version=1)
    with pytest.raises(ModelError, match="format version 1; what it says of the model came with version 2"):
        load(folder)


def test_parts_go_with_a_copy(whole):
    assert copy.deepcopy(whole).parts["helper"].tags == whole.tags


@pytest.mark.parametrize("edit, message", [
    (lambda options: options.update(parts=[]), "parts a list; it is an object of models"),
    (lambda options: options["parts"].update(other=options["parts"]["helper"]), "a part 'other'; a model of kind"),
    (lambda options: options["parts"].update({"": {}}), "a part ''; a model of kind rnn has none"),
    (lambda options: options["parts"].update(helper=None), "part 'helper' is not described"),
    (lambda options: options["parts"]["helper"].update(kind="hmm"), "it has kind, which is rnn, and options"),
    (lambda options: options["parts"]["helper"].update(kind=["rnn"]), "it has kind, which is rnn"),
    (lambda options: options["parts"]["helper"].update(more=1), "it has kind, which is rnn, and options"),
    (lambda options: options["parts"]["helper"].update(options=3), "it has kind, which is rnn, and options"),
    (lambda options: options["parts"]["helper"]["options"].update(hidden=10 ** 9), "--hidden is 1000000000"),
    (lambda options: options["parts"]["helper"]["options"].update(parts={}), "'parts' is no option"),
    (lambda options: options["parts"]["helper"]["options"].update(hidden=4), "the options make it"),
    (lambda options: options.pop("parts"), "id maps that do not fit")])
def test_parts_that_do_not_fit_are_refused(folder, edit, message):
    change(folder, MANIFEST, edit)
    with pytest.raises(ModelError) as error:
        load(folder)
    assert message in str(error.value) and str(error.value).startswith(str(folder))


@pytest.mark.parametrize("edit", [
    lambda ids: ids.pop("helper/columns"), lambda ids: ids.update({"helper/more": [""]}),
    lambda ids: ids.update({"other/tags": [""]}), lambda ids: ids["helper/words"].append("more"),
    lambda ids: ids.update({"helper/tags": ["", "X", "X"]}), lambda ids: ids.update({"helper/tags": ["x"]})])
def test_id_maps_of_parts_that_do_not_fit_are_refused(folder, edit):
    change(folder, IDS, edit)
    with pytest.raises(ModelError, match="id map|features.table|bytes"):
        load(folder)


def test_a_kind_of_model_that_has_no_parts_gets_none(model):
    seal(model, format_version=2, options={"pairs": 4, "parts": {"helper": {"kind": "hmm", "options": {"pairs": 4}}}})
    with pytest.raises(ModelError, match="a part 'helper'; a model of kind hmm has none of this name"):
        load(model)


@pytest.mark.parametrize("edit, message", [
    (lambda part: part.params["output.b_o"].fill(np.nan), "helper/output.b_o has values"),
    (lambda part: part.params.pop("output.b_o"), "helper/output.b_o is absent"),
    (lambda part: part.tags.strings.append("DT"), "no list of distinct strings")])
def test_a_part_that_could_not_be_loaded_is_not_saved(whole, tmp_path, edit, message):
    edit(whole.parts["helper"])
    with pytest.raises(ModelError, match=message):
        save(tmp_path / "m", whole)
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_the_whole_cannot_have_is_not_saved(whole, tmp_path):
    whole.parts["other"] = whole.parts["helper"]
    with pytest.raises(ModelError, match="a part 'other'"):
        save(tmp_path / "m", whole)
