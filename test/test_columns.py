"""Several columns from one encoder: classes and back, parts, lemmas; trained, tagged, stored."""

import json

import numpy as np
import pytest
from gradcheck import check, close
from samples import SMALL

from rnntag.corpus import Column, Sentence
from rnntag.errors import CorpusError, OptionError
from rnntag.models.columns import learnt
from rnntag.models.constraints import ConstrainedTagger
from rnntag.models.options import Options
from rnntag.models.tagger import RNNTagger
from rnntag.nn.output import CRF, Softmax
from rnntag.nn.packing import pack
from rnntag.parallel import ParallelTagger
from rnntag.storage.modelfile import load, save
from rnntag.training.tagging import TaggingTask, train_tagger

FIELDS = ("upos", "feats", "lemma")


def rows(*lines):
    """Sentences from ``form upos feats lemma`` with ; between the words."""
    made = []
    for number, line in enumerate(lines, 1):
        words, *columns = zip(*(token.split(" ") for token in line.split(";")))
        made.append(Sentence(list(words), {name: Column(["" if value == "?" else value for value in values])
                                           for name, values in zip(FIELDS, columns)}, number))
    return made


CORPUS = rows("Dogs NOUN Number=Plur dog;run VERB _ run",
              "a DET _ a;dog NOUN Number=Sing dog;runs VERB Number=Sing|Person=3 run",
              "cats NOUN Number=Plur cat;see VERB _ see;dogs NOUN Number=Plur dog") * 4
WORDS = [["Dogs", "run"], [], ["a", "cat", "sees", "dogs"], ["horses"]]


@pytest.fixture(scope="module", params=["softmax", "crf", "members"])
def tagger(request):
    more = {"members": 2} if request.param == "members" else {"output": request.param}
    return train_tagger(CORPUS, Options(**{**SMALL, "epochs": 12, "learning_rate": 0.2, **more}))


# ------------------------------------------------------------------ classes


def test_parts_of_values_are_those_between_bars():
    labels = learnt(CORPUS)["feats"]
    assert labels.vocab.strings[1:] == ["Number=Plur", "Number=Sing", "Number=Sing|Person=3", "_"]
    assert labels.parts.strings[1:] == ["Number=Plur", "Number=Sing", "Person=3", "_"]
    assert labels.membership().tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert learnt(CORPUS)["upos"].parts is None and learnt(CORPUS)["upos"].membership() is None


def test_the_class_of_a_lemma_is_its_script():
    lemmas = learnt(CORPUS)["lemma"]
    assert lemmas.vocab.strings[1:] == ["lower 0 0 0 ", "lower 0 1 0 "]
    assert lemmas.classes(["Dogs", "run", "x", "y"], ["dog", "run", "", "whole"]).tolist() == [1, 0, -1, -1]
    assert lemmas.lexicon.strings[1:] == ["a", "cat", "dog", "run", "see"] and len(lemmas.seen) == 5


def test_scripts_that_are_too_rare_are_not_learnt_and_have_no_loss(monkeypatch):
    monkeypatch.setattr("rnntag.models.columns.COMMON", 8)  # 33 words: a script occurs 4 times at least
    given = [*CORPUS, *rows("went VERB _ go")]
    tagger = RNNTagger.create(given, Options(**SMALL), np.random.default_rng(1))
    lemmas = tagger.columns["lemma"]
    assert lemmas.vocab.strings[1:] == ["lower 0 0 0 ", "lower 0 1 0 "] and "go" in lemmas.lexicon
    assert TaggingTask(tagger, given).targets[-1][0, 2] == -1


M = np.array([[1, 1, 0, 0], [0, 1, 1, 0]], np.float64)


@pytest.mark.parametrize("kind", [Softmax, CRF])
def test_the_gradients_of_classes_with_parts(kind):
    rng, packing = np.random.default_rng(1), pack((3, 2))
    layer, targets = kind("output", 5, 4, M), rng.integers(0, 4, 5)
    params = {name: rng.normal(size=shape) for name, shape in layer.shapes().items()} | {"x": rng.normal(size=(5, 5))}

    def loss():
        scores, cache = layer.forward(params, params["x"], packing)
        total, dscores, more = layer.loss(params, scores, targets, packing)
        dx, grads = layer.backward(params, dscores, cache)
        return total, {**grads, **more, "x": dx}

    check(lambda: loss()[0], params, loss()[1])


def test_a_class_scores_what_its_parts_score_and_its_own():
    rng = np.random.default_rng(1)
    layer = Softmax("output", 3, 4, M)
    params, x = {name: rng.normal(size=shape) for name, shape in layer.shapes().items()}, rng.normal(size=(2, 3))
    parts = x @ params["output.W_p"] + params["output.b_p"]
    own = x @ params["output.W_o"] + params["output.b_o"]
    added = np.stack([own[:, 0] + parts[:, 0], own[:, 1] + parts.sum(axis=1), own[:, 2] + parts[:, 1], own[:, 3]], 1)
    assert close(layer.forward(params, x)[0], added)


# ------------------------------------------------------------------ training and tagging


def test_all_columns_are_learnt_and_filled(tagger):
    assert tagger.fields == FIELDS
    found = list(tagger.annotate(sentence.words for sentence in CORPUS[:3]))
    assert [{name: column.values for name, column in s.columns.items()} for s in found] == [
        {name: column.values for name, column in s.columns.items()} for s in CORPUS[:3]]
    assert list(tagger.tag(WORDS)) == [s.columns["upos"].values for s in tagger.annotate(WORDS)]


def test_a_column_does_not_depend_on_which_others_are_asked_for(tagger):
    whole = list(tagger.annotate(WORDS))
    for fields in (["lemma"], ["feats"], ["feats", "lemma"]):
        for alone, sentence in zip(tagger.annotate(WORDS, fields), whole, strict=True):
            assert alone.columns == {name: sentence.columns[name] for name in fields}


def test_the_probabilities_of_each_column_begin_with_its_answer(tagger):
    for plain, sure in zip(tagger.annotate(WORDS), tagger.annotate(WORDS, best=2), strict=True):
        assert plain == sure
        for column in sure.columns.values():
            assert [row[0][0] for row in column.best] == column.values
            assert all(0 < p <= 1 + 1e-6 for row in column.best for _, p in row)


def test_a_value_that_is_missing_is_not_learnt():
    given = rows("Dogs NOUN Number=Plur dog;run VERB ? ?")
    tagger = RNNTagger.create(given, Options(**SMALL), np.random.default_rng(1))
    assert tagger.columns["feats"].vocab.strings == ["", "Number=Plur"]
    task = TaggingTask(tagger, given)
    assert task.targets[0].tolist() == [[0, 0, 0], [1, -1, -1]]
    loss, (grads,) = task.loss_and_gradient([0], np.random.default_rng(1))
    assert np.isfinite(loss) and grads["output.feats.W_o"].any() == 0  # one class: nothing to be learnt


def test_what_is_needed_and_missing_is_refused():
    with pytest.raises(CorpusError, match="a sentence without tags"):
        train_tagger(rows("Dogs NOUN Number=Plur dog;run ? _ run"), Options(**SMALL))
    with pytest.raises(CorpusError, match="a sentence without tags"):
        train_tagger(rows("Dogs NOUN Number=Plur dog;run VERB ? run"), Options(**SMALL, output="crf"))
    train_tagger(rows("Dogs NOUN Number=Plur dog;run VERB _ ?"), Options(**{**SMALL, "epochs": 1}, output="crf"))


def test_what_the_input_says_is_kept_in_every_column(tagger):
    given = Sentence(["Dogs", "run"], {"upos": Column(["", "NOUN"]), "feats": Column(["_", ""]),
                                       "lemma": Column(["", "ran!"])})
    for best in (0, 1):
        (found,) = ConstrainedTagger(tagger).annotate([given], best=best)
        assert found.columns["upos"].values[1] == "NOUN" and found.columns["feats"].values[0] == "_"
        assert found.columns["lemma"].values == ["dog", "ran!"]
    assert found.columns["lemma"].best[1] == [("ran!", 1.0)] and found.columns["upos"].best[1][0] == ("NOUN", 1.0)


def test_a_lexicon_is_of_the_first_column_that_is_asked_for(tagger):
    bound = ConstrainedTagger(tagger, {"run": ["Number=Sing"]}, field="feats,lemma")
    (found,) = bound.annotate([["Dogs", "run"]])
    assert found.columns["feats"].values[1] == "Number=Sing" and found.columns["upos"].values[1] == "VERB"
    with pytest.raises(OptionError, match="--lexicon: lemmas"):
        ConstrainedTagger(tagger, {"run": ["run"]}, field="lemma")


# ------------------------------------------------------------------ stored


@pytest.fixture
def folder(tagger, tmp_path):
    save(tmp_path / "m", tagger.with_params(tagger.params, {"feats": 1.5}))
    return tmp_path / "m"


def test_a_model_folder_has_all_columns(folder, tagger):
    again, manifest = load(folder), json.loads((folder / "model.json").read_text())
    assert manifest["format_version"] == 2 and manifest["options"]["columns"] == list(FIELDS)
    assert again.temperatures == {"feats": 1.5} and list(again.annotate(WORDS)) == list(tagger.annotate(WORDS))
    with ParallelTagger(load(folder), 2) as parallel:
        assert parallel.fields == FIELDS
        assert list(parallel.annotate(WORDS, best=1)) == list(again.annotate(WORDS, best=1))


@pytest.mark.parametrize("change, message", [
    (lambda o, i: o.update(columns=[]), "columns"), (lambda o, i: o.update(columns=["upos", "upos"]), "columns"),
    (lambda o, i: o.update(columns=["upos", "feats"]), "id maps"), (lambda o, i: o.update(columns="upos"), "columns"),
    (lambda o, i: o.update(columns=["upos", "feats", "sense"]), "columns"),
    (lambda o, i: o.update(columns=[["upos"]]), "columns"), (lambda o, i: o.pop("lemmas"), "lemmas 'None'"),
    (lambda o, i: o.update(lemmas=0), "lemmas '0'"), (lambda o, i: o.update(lemmas=True), "lemmas 'True'"),
    (lambda o, i: o.pop("lemma_gain"), "lemma_gain None"), (lambda o, i: o.update(lemma_gain=1), "lemma_gain 1"),
    (lambda o, i: o.update(lemma_gain=-0.5), "gain -0.5"), (lambda o, i: o.update(lemma_gain=21.0), "from 0 to 20"),
    (lambda o, i: o.update(lemma_gain=[2.0]), "lemma_gain"), (lambda o, i: o.update(lemma_gain=np.nan), "gain nan"),
    (lambda o, i: o.update(lemmas=10**15), "lemmas '1000"), (lambda o, i: i.pop("lemmas"), "id maps"),
    (lambda o, i: i["columns"].pop("feats"), "id maps"), (lambda o, i: i.pop("columns"), "id maps"),
    (lambda o, i: i["columns"].update(xpos=["", "X"]), "id maps"), (lambda o, i: i.update(tags=["", "X"]), "id maps"),
    (lambda o, i: i["columns"].update(upos=[""]), "empty tag set"), (lambda o, i: i.update(lemmas={}), "id maps"),
    (lambda o, i: i["columns"].update(upos={"a": ["", "b"]}), "id maps"),
    (lambda o, i: i.update(value_parts=["", "a"]), "id maps"),
    (lambda o, i: i.update(value_parts={"lemma": ["", "a"]}), "id maps"),
    (lambda o, i: i["columns"].update(lemma=["", "lower x"]), "no edit script"),
    (lambda o, i: o.update(temperature={"upos": 9.0}), "temperature 9.0"),
    (lambda o, i: o.update(temperature={"xpos": 1.5}), "temperature"),
    (lambda o, i: o.update(temperature=1.5), "temperature"),
])
def test_columns_that_do_not_fit_are_refused(change, message):
    tagger = RNNTagger.create(CORPUS, Options(**SMALL), np.random.default_rng(1))
    options, ids, _ = tagger.state()
    options, ids = json.loads(json.dumps([options, ids]))
    RNNTagger.shapes(options, ids)
    change(options, ids)
    with pytest.raises(OptionError, match=message):
        RNNTagger.shapes(options, ids)


def test_parts_that_would_take_more_memory_than_the_file_are_refused(monkeypatch):
    from rnntag.models import stored
    tagger = RNNTagger.create(CORPUS, Options(**SMALL), np.random.default_rng(1))
    options, ids, _ = tagger.state()
    monkeypatch.setattr(stored, "MAX_MEMBERSHIP", 24)
    with pytest.raises(OptionError, match="too many parts of values"):
        RNNTagger.shapes(options, ids)


@pytest.mark.parametrize("row", [[0, 1], [9, 1], [1, -1], [1, 9], [1.5, 1], [5, 2]])
def test_lemmas_that_training_cannot_have_seen_are_refused(row):
    tagger = RNNTagger.create(CORPUS, Options(**SMALL), np.random.default_rng(1))
    options, ids, arrays = tagger.state()
    RNNTagger.restore(options, ids, arrays)
    wrong = arrays["lemmas"].copy()
    wrong[0] = row
    with pytest.raises(OptionError, match="lemmas"):
        RNNTagger.restore(options, ids, {**arrays, "lemmas": wrong})
