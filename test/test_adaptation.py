"""A tagger that starts from another: what both have keeps its weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from invoking import files, invoke
from samples import KINDS, SMALL, sentences

import rnntag
from rnntag.cli.inspect import main as INSPECT
from rnntag.cli.test_rnn import main as TAG
from rnntag.cli.train_rnn import main as TRAIN
from rnntag.corpus import Sentence
from rnntag.errors import ModelError, OptionError
from rnntag.models.adaptation import adapted, adapted_options, difference
from rnntag.models.options import PRESETS, Options, preset
from rnntag.models.tagger import RNNTagger
from rnntag.text.vocab import Vocab
from rnntag.training.tagging import train_tagger

ALL_KINDS = {**KINDS, "ensemble": {"members": 2},
             "tuned ensemble": {"members": 2, "vectors": 3, "freeze_vectors": False}}
MEMBERS = PRESETS["accurate"]["members"]
NEW = [Sentence(["zebra", "to", "read"], ["NN", "TO", "VB"]), Sentence(["the", "Zebra", "read"], ["DT", "NN", "VB"])]


@pytest.fixture(scope="module", params=ALL_KINDS)
def model(request):
    """A trained tagger with the tags DT NN TO VB."""
    options = Options(**{**SMALL, **ALL_KINDS[request.param]})
    table = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
    table[0] = 0
    return train_tagger(sentences(20), options, vectors=(Vocab(["read", "walk", "unseen"]), table)
                        if options.vectors else None)


def start(model, corpus, table=None, **given):
    options = adapted_options(model.options, given)
    return adapted(model, corpus, options, np.random.default_rng(9), table)


def chances(tagger, words):
    (found,) = tagger.probabilities([words])
    return {tag: found.probabilities[:, k] for k, tag in enumerate(found.tag_set)}


def known(model):
    """Sentences of which the model knows every feature."""
    return [s.words for s in sentences(30, seed=3)]


# ------------------------------------------------------------------ weights


def test_before_any_training_it_tags_what_the_model_knows_as_the_model_does(model):
    begun = start(model, NEW)
    assert len(begun.features.vocabs.get("form", begun.words)) > len(model.words)
    for words in known(model):
        for tag, p in chances(model, words).items():
            assert np.allclose(chances(begun, words)[tag], p, atol=1e-6)


def test_words_of_both_corpora_are_known(model):
    begun = start(model, NEW)
    assert all(word in begun.words for word in [*model.words.strings[1:], "zebra", "Zebra"])
    assert begun.words.strings[:len(model.words)] == model.words.strings
    if model.alphabet:
        assert "z" in begun.alphabet and "z" not in model.alphabet and all(c in begun.alphabet for c in "readthe")


def test_the_tags_are_those_of_the_new_corpus_and_shared_ones_keep_their_weights(model):
    # AA comes before all, so each shared tag has another place; NN and VB are gone
    begun = start(model, [Sentence(["the", "to", "me"], ["DT", "TO", "AA"])])
    assert begun.tags.strings[1:] == ["AA", "DT", "TO"]
    for name, array in begun.params.items():
        plain, old = name.split(".", 1)[1] if name.startswith("net") else name, model.params[name]
        if plain == "output.W_o":
            assert (array[:, 1:] == old[:, [0, 2]]).all()
        elif plain in ("output.b_o", "output.start", "output.end"):
            assert (array[1:] == old[[0, 2]]).all() and array[0] == 0
        elif plain == "output.transition":
            assert (array[1:, 1:] == old[np.ix_([0, 2], [0, 2])]).all() and not array[0].any()
        elif array.shape == old.shape:
            assert (array == old).all(), name


def test_rows_are_found_by_the_feature_they_belong_to():
    model = train_tagger(sentences(20), Options(**SMALL))
    begun = start(model, NEW)
    for slot, offset, new in zip(model.features.slots, model.features.offsets, begun.features.offsets):
        for string in begun.features.vocabs[slot].strings:
            row = begun.params["features.table"][new + begun.features.vocabs[slot][string]]
            if string in model.features.vocabs[slot] or not string:
                assert (row == model.params["features.table"][offset + model.features.vocabs[slot][string]]).all()
            else:
                assert not (row == model.params["features.table"]).all(axis=1).any()  # one of its own


def test_a_model_keeps_its_own_affix_slots():
    # one of another version may have others than this one
    model = train_tagger(sentences(5), Options(**SMALL))
    options, ids, _ = model.state()
    del ids["features"]["suf5"]
    older = RNNTagger.restore(options, ids, {name: np.ones(shape, np.float32) for name, shape
                                             in RNNTagger.shapes(options, ids).items()})
    assert start(older, NEW).features.slots == older.features.slots


def test_features_are_learnt_from_what_occurs_often_enough():
    model = train_tagger(sentences(5), Options(**SMALL))
    begun = start(model, [Sentence(["zebra", "zebra", "gnu"], ["NN"] * 3)], min_count=2)
    assert "zebra" in begun.words and "gnu" not in begun.words


def test_the_model_itself_is_not_changed(model):
    before = {name: array.tobytes() for name, array in model.params.items()}
    train_tagger(NEW, adapted_options(model.options, {"epochs": 2}), init=model)
    assert before == {name: array.tobytes() for name, array in model.params.items()}


def test_training_goes_on_from_there():
    model = train_tagger(sentences(40), Options(**SMALL))
    near = train_tagger(NEW, adapted_options(model.options, {"epochs": 1, "learning_rate": 1e-6}), init=model)
    assert list(near.tag(known(model))) == list(model.tag(known(model)))
    assert not (near.params["output.W_o"] == model.params["output.W_o"]).all()


# ------------------------------------------------------------------ vectors


VECTORS = Vocab(["zebra", "read"]), np.array([[0, 0], [3, 4], [1, 0]], np.float32)


@pytest.mark.parametrize("own", [0, 3])
def test_vectors_that_are_given_replace_those_of_the_model(own):
    table = np.random.default_rng(2).normal(size=(3, 3)).astype(np.float32)
    model = train_tagger(sentences(20), Options(**SMALL, vectors=own), vectors=(Vocab(["read", "walk"]), table)
                         if own else None)
    begun = start(model, NEW, VECTORS, vectors=2)
    assert begun.vectors == VECTORS[0] and begun.options.vectors == 2
    assert np.allclose(begun.params["vectors.table"], [[0, 0], [3.6, 4.8], [6, 0]])
    assert begun.params["vectors.W"].shape == (2, 8)
    assert (begun.params["output.W_o"] == model.params["output.W_o"]).all()


def test_without_new_ones_the_vectors_stay_as_they_are():
    table = np.random.default_rng(2).normal(size=(3, 3)).astype(np.float32)
    model = train_tagger(sentences(20), Options(**SMALL, vectors=3), vectors=(Vocab(["read", "walk"]), table))
    begun = train_tagger(NEW, adapted_options(model.options, {}), init=model)
    assert begun.vectors == model.vectors
    assert (begun.params["vectors.table"] == model.params["vectors.table"]).all()


# ------------------------------------------------------------------ options


def test_options_that_are_not_given_are_those_of_the_model():
    model = Options(hidden=7, epochs=3, dense=("5",), seed=4)
    assert adapted_options(model, {}) == model
    assert adapted_options(model, {"epochs": 9, "hidden": 7}) == Options(hidden=7, epochs=9, dense=("5",), seed=4)


def test_a_preset_says_how_to_train_and_the_model_what_the_network_is():
    model = Options(hidden=7, epochs=3, learning_rate=0.5)
    assert adapted_options(model, {"seed": 5}, "default") == Options(hidden=7, seed=5)
    accurate = preset("accurate", epochs=2)
    assert adapted_options(accurate, {}, "accurate") == preset("accurate")


@pytest.mark.parametrize("given, preset_name, message", [
    ({"hidden": 8}, None, "--hidden: 8; the model that training starts from has 7. Leave it out, or train "
                          "without --init."),
    ({"dense": ("5",)}, None, "--dense: 5; the model that training starts from has none."),
    ({"normalize": "nfc"}, None, "--normalize: nfc;"), ({"bidirectional": False}, "default", "False"),
    ({}, "tutorial", "--preset tutorial: --features: form;"),
    ({}, "accurate", f"--preset accurate: --members: {MEMBERS};")])
def test_an_option_of_the_network_that_is_not_the_models_is_refused(given, preset_name, message):
    with pytest.raises(OptionError) as error:
        adapted_options(Options(hidden=7), given, preset_name)
    assert message in str(error.value)


def test_what_is_shared_is_told():
    model = train_tagger(sentences(20), Options(**SMALL))
    assert difference(start(model, [Sentence(["the", "gnu"], ["DT", "X"])]), model) == (
        f"From the model: {len(model.words) - 1} words, and 1 new; 1 tag, and 1 new; "
        "3 left out (NN, TO, VB)")


# ------------------------------------------------------------------ the command, the program


TINY = ("--hidden", "4", "--embedding", "4", "--epochs", "2", "-q")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a model ``old`` and a corpus ``new``."""
    monkeypatch.chdir(tmp_path)
    Path("train").write_bytes(b"the_DT dog_NN runs_VB\n" * 3)
    Path("new").write_bytes("der_ART Hund_NN läuft_VB\nthe_ART\n".encode())
    invoke(TRAIN, "train", "old", *TINY)
    return tmp_path


def test_a_model_is_adapted_and_says_where_it_is_from(folder):
    _, err = invoke(TRAIN, "new", "m", "--init", "old", "--epochs", "60")
    assert "From the model: 3 words, and 3 new; 2 tags, and 1 new; 1 left out (DT)\n" in err
    assert invoke(TAG, "m", input="der Hund läuft\n")[0] == "ART NN VB\n"
    manifest = json.loads(Path("m/model.json").read_bytes())
    assert manifest["info"]["init"]["name"] == "old" and "preset" not in manifest["info"]
    assert manifest["options"]["hidden"] == 4 and manifest["options"]["epochs"] == 60
    assert "init name        old\n" in invoke(INSPECT, "m")[0]


def test_an_ensemble_is_adapted_member_by_member(folder):
    invoke(TRAIN, "train", "several", "--preset", "accurate", "--epochs", "1", "-q")
    invoke(TRAIN, "new", "m", "--init", "several", "--preset", "accurate", "--epochs", "2", "-q")
    assert json.loads(Path("m/model.json").read_bytes())["options"]["members"] == MEMBERS > 1
    assert len(invoke(TAG, "m", input="der Hund\n")[0].split(" ")) == 2


def test_tags_are_read_from_the_column_that_the_model_learnt(folder):
    rows = "1\tdog\t_\tNOUN\tNN\t_\t_\t_\t_\t_\n\n"
    Path("x.conllu").write_bytes(rows.encode())
    invoke(TRAIN, "x.conllu", "xpos", "--field", "xpos", *TINY)
    invoke(TRAIN, "x.conllu", "m", "--init", "xpos", "-q")
    assert "NN" in Path("m/ids.json").read_text() and "NOUN" not in Path("m/ids.json").read_text()
    invoke(TRAIN, "x.conllu", "u", "--init", "xpos", "--field", "upos", "-q")
    assert "NOUN" in Path("u/ids.json").read_text()
    record = json.loads(Path("xpos/model.json").read_bytes())
    record["info"]["field"] = {}, 1
    Path("xpos/model.json").write_text(json.dumps(record))
    _, err = invoke(TRAIN, "x.conllu", "v", "--init", "xpos", "-q", status=1)
    assert "xpos/model.json: --field is [[{}, 1]]; it is one of" in err


@pytest.mark.parametrize("arguments, status, message", [
    (["old", "--force", "--init", "old"], 2, "--init: old is the MODEL to be written, too; a model to start from "
                                             "stays as it is. Give MODEL another name."),
    (["m", "--init", "none"], 1, "none: no such folder"),
    (["m", "--init", "hmm"], 1, "hmm: a model of kind hmm; this command takes rnn. Start from a model that "
                                "train-rnn wrote."),
    (["m", "--init", "old", "--cell", "lstm"], 2, "--cell: lstm; the model that training starts from has gru."),
    (["m", "--init", "old", "--window", "5"], 2, "it would change nothing")])
def test_what_cannot_be_a_start_is_refused(folder, arguments, status, message):
    from rnntag.cli.train_hmm import main as TRAIN_HMM
    invoke(TRAIN_HMM, "train", "hmm", "-q")
    assert message in invoke(TRAIN, "new", *arguments, status=status)[1]
    assert not Path("m").exists()


def test_an_interrupted_adaptation_ends_with_the_same_bytes(folder, monkeypatch):
    from rnntag.training.trainer import Trainer
    given = ("new", "m", "--init", "old", "--epochs", "4", "--checkpoint-every", "0", "-q")
    invoke(TRAIN, *given)
    whole = files("m")
    judge, epochs = Trainer._judge, []

    def stop(self):
        epochs.append(1)
        if len(epochs) == 3:
            raise KeyboardInterrupt
        return judge(self)

    monkeypatch.setattr(Trainer, "_judge", stop)
    invoke(TRAIN, *given, "--force", status=130)
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert Path("m.training/state.json").exists()
    invoke(TRAIN, *given, "--resume", "--force")
    assert files("m") == whole

    # and an interrupted one does not go on from another model
    epochs.clear()
    monkeypatch.setattr(Trainer, "_judge", stop)
    invoke(TRAIN, *given, "--force", status=130)
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    invoke(TRAIN, "train", "old", *TINY, "--force", "--seed", "2")
    assert "init sha256 was" in invoke(TRAIN, *given, "--resume", "--force", status=1)[1]


def test_programs_adapt_a_tagger_or_a_model_folder(folder):
    tagger = rnntag.load("old")
    pairs = [[("der", "ART"), ("Hund", "NN")]]
    first, second = (rnntag.train(pairs, init=each, epochs=3) for each in (tagger, "old"))
    assert all((array == second.params[name]).all() for name, array in first.params.items())
    assert first.options.hidden == 4 and "dog" in first.words and first.tags.strings == ["", "ART", "NN"]
    with pytest.raises(OptionError):
        rnntag.train(pairs, init=tagger, hidden=5)
    with pytest.raises(ModelError):
        rnntag.train(pairs, init=folder)
