"""Language models: gradients, probabilities, scoring, generation, and their folders."""

import math
from itertools import islice, product

import numpy as np
import pytest
from gradcheck import check
from samples import edited

from rnntag.errors import CorpusError, ModelError, OptionError
from rnntag.models import language_model
from rnntag.models.language_model import END, LanguageModel, LanguageOptions
from rnntag.models.options import refuse_unused
from rnntag.nn.layers import Rows
from rnntag.nn.packing import Packing
from rnntag.storage import modelfile

TEXT = [line.split(" ") for line in ("the dog runs .", "a cat sees the dog .", "the cat", "",
                                     "dogs run , the cat runs .", "a dog .",
                                     "the dog sees a cat , a dog and a cat .")]
SMALL = {"embedding": 4, "hidden": 3, "dropout": 0.0, "min_count": 1}
KINDS = {"lstm": {}, "gru": {"cell": "gru", "layers": 2}, "elman": {"cell": "elman", "hidden": 4},
         "untied": {"tied": False}, "candidates": {"candidates": 5}, "untied candidates": {
             "tied": False, "candidates": 6}, "characters": {"unit": "char"}, "dropout": {"dropout": 0.3}}


def make(seed=1, **options):
    return LanguageModel.create(TEXT, LanguageOptions(**{**SMALL, **options}), np.random.default_rng(seed))


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_gradients_match_finite_differences(kind):
    made = make(**kind)
    rng = np.random.default_rng(2)
    model = made.with_params({name: array.astype(float) + rng.normal(0, 0.3, array.shape)
                              for name, array in made.params.items()})
    packing = Packing((4, 4, 3))
    ids, targets = rng.integers(0, len(model.units), (2, len(packing)))
    initial = [rng.normal(size=(layer.cell.states, 1, 3, layer.H)) for layer in model.recurrent]

    def run():
        return model.loss_and_gradient(ids, targets, packing, initial, np.random.default_rng(7))
    for _ in range(2):
        _, grads, _ = run()
        assert grads.keys() == model.params.keys()
        grads = {name: gradient.dense(model.params[name]) if isinstance(gradient, Rows) else gradient
                 for name, gradient in grads.items()}
        check(lambda: run()[0], model.params, grads, sample=15)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_probabilities_of_all_continuations_add_up_to_1(kind):
    model = make(**kind)
    V, total = len(model.units), 0.0
    for pair in product(range(V), repeat=2) if V < 15 else ((1, k) for k in range(V)):
        ids = np.array([3, *pair[:-1]])
        logs, _ = model.log_probabilities(ids, np.array(pair), Packing((2,)))
        total += math.exp(logs.sum() if V < 15 else logs[-1])
    assert abs(total - 1) < 1e-5


def test_the_vocabulary_has_the_most_frequent_units():
    assert make(vocabulary=3).units.strings == ["", END, ".", "a", "cat"]
    assert make(vocabulary=0).units.strings[:2] == ["", END] and len(make(vocabulary=0).units) == 13
    assert make(min_count=5).units.strings[2:] == [".", "a", "cat", "dog", "the"]
    characters = make(unit="char", vocabulary=0).units
    assert " " in characters and set(characters.strings[1:]) == {END, *" ".join(map(" ".join, TEXT))}


@pytest.mark.parametrize("unit", ["word", "char"])
@pytest.mark.parametrize("piece", [3, 10, 1000])
def test_a_score_does_not_depend_on_the_pieces_that_are_read(unit, piece, monkeypatch):
    model = make(unit=unit, layers=2)
    expected = {alone: list(model.score(TEXT, alone)) for alone in (False, True)}
    monkeypatch.setattr(language_model, "PIECE", piece)
    for alone, scores in expected.items():
        for one, other in zip(model.score(iter(TEXT), alone), scores, strict=True):
            np.testing.assert_allclose(one.logs, other.logs, atol=1e-5)
            assert one[1:] == other[1:]


@pytest.mark.parametrize("unit", ["word", "char"])
def test_a_sentence_alone_is_scored_as_the_first_one(unit):
    model = make(unit=unit)
    together, alone = list(model.score(TEXT)), list(model.score(TEXT, alone=True))
    np.testing.assert_allclose(together[0].logs, alone[0].logs, atol=1e-6)
    assert not np.allclose(together[1].logs, alone[1].logs, atol=1e-4)
    for words, scored in zip(TEXT, alone, strict=True):
        (first,) = model.score([words])
        np.testing.assert_allclose(first.logs, scored.logs, atol=1e-6)
        assert len(scored.logs) == len(words) + 1


def test_the_characters_of_a_word_and_the_space_after_it_are_its_score():
    model = make(unit="char")
    (scored,) = model.score([["the", "dog", "x"]])
    ids = np.array(model.ids(["the", "dog", "x"]))
    logs, _ = model.log_probabilities(np.array([1, *ids[:-1]]), ids, Packing((len(ids),)))
    np.testing.assert_allclose(scored.logs, [logs[:4].sum(), logs[4:8].sum(), logs[8], logs[9]], atol=1e-9)
    assert scored.units == 10 and scored.unknown == 1


def test_unknown_words_count_as_one_and_are_counted():
    model = make()
    one, other = (next(model.score([["the", word, "runs"]])) for word in ("wombat", "quokka"))
    assert one.unknown == other.unknown == 1 and np.array_equal(one.logs, other.logs)


def test_what_is_no_list_of_words_is_refused():
    with pytest.raises(CorpusError, match="sentence 2: 'the dog'; a sentence is a list of words"):
        list(make().score([["the"], "the dog"]))


# ------------------------------------------------------------------ generation


def drawn(model, count, seed=1, **how):
    return list(islice(model.generate(np.random.default_rng(seed), **how), count))


def test_the_seed_decides_what_is_drawn():
    model = make()
    assert drawn(model, 50) == drawn(model, 50) != drawn(model, 50, seed=2)


def test_units_are_drawn_with_their_probabilities_and_the_unknown_never():
    model = make(vocabulary=3)
    count = 3000
    found = [drawn(model, 1, seed=seed, prefix="cat a")[0] for seed in range(count)]
    logs = [model.log_probabilities(np.array([1, 4, 3]), np.array([4, 3, k]), Packing((3,)))[0][-1]
            for k in range(1, 5)]
    p = np.exp(logs) / np.exp(logs).sum()
    assert "" not in found
    for unit, probability in zip(model.units.strings[1:], p):
        assert abs(found.count(unit) / count - probability) < 4 * math.sqrt(probability / count)


def test_temperature_0_is_the_most_probable_and_low_ones_come_close():
    model = make(seed=3)
    model.params["output.b_o"][3:6] += (1, 2, 3)
    best = drawn(model, 20, temperature=0)
    assert best == drawn(model, 20, seed=2, temperature=0) == drawn(model, 20, temperature=0.001)
    assert best != drawn(model, 20, temperature=10)


def test_a_sentence_ends_in_time():
    model = make()
    model.params["output.b_o"][1] = -50
    found = drawn(model, 12, most=3)
    assert [k for k, unit in enumerate(found) if unit == END] == [3, 7, 11]


# ------------------------------------------------------------------ options, folders


@pytest.mark.parametrize("changes, message", [
    ({"unit": "syllable"}, "--unit: 'syllable'"), ({"bptt": 0}, "--bptt: 0"), ({"tied": 1}, "--tied: 1"),
    ({"vocabulary": -1}, "--vocabulary: -1"), ({"candidates": 2.5}, "--candidates: 2.5")])
def test_options_out_of_range_are_refused(changes, message):
    with pytest.raises(OptionError, match=message):
        LanguageOptions(**changes)


@pytest.mark.parametrize("given, message", [
    ({"patience": 3}, "--patience: 3 without a dev set"),
    ({"candidates": 0, "embedding_rate": 2.0}, "--embedding-rate: 2.0 with --tied and --candidates 0"),
    ({"candidates": 50, "vocabulary": 30}, "--candidates: 50 with so small a --vocabulary")])
def test_options_that_change_nothing_are_refused(given, message):
    with pytest.raises(OptionError, match=message):
        refuse_unused(LanguageOptions(**given), given, dev=False)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_folder_gives_the_same_model_again(kind, tmp_path):
    model = make(**kind)
    model.info = {"note": "small"}
    modelfile.save(tmp_path / "m", model)
    again = modelfile.load(tmp_path / "m", "lm")
    assert (again.options, again.units, again.info) == (model.options, model.units, model.info)
    assert [s.logs.tolist() for s in again.score(TEXT)] == [s.logs.tolist() for s in model.score(TEXT)]
    assert modelfile.read_manifest(tmp_path / "m")["format_version"] == 2


@pytest.mark.parametrize("file, edit, message", [
    ("ids.json", lambda ids: ids.update(units=["", "the", END]), "do not begin with the end of a sentence"),
    ("ids.json", lambda ids: ids.update(units=[""]), "do not begin with the end of a sentence"),
    ("ids.json", lambda ids: ids.update(words=["", "x"]), "these call for units"),
    ("ids.json", lambda ids: ids.update(units={"a": ["", END]}), "these call for units"),
    ("ids.json", lambda ids: ids["units"].append("more"), "units.table is .* the options make it"),
    ("model.json", lambda manifest: manifest["options"].update(hidden=10**9), "at most 4096"),
    ("model.json", lambda manifest: manifest["options"].update(hidden=5), "projection.W|rnn0"),
    ("model.json", lambda manifest: manifest["options"].update(pooling="max"), "'pooling' is no option"),
    ("model.json", lambda manifest: manifest.update(format_version=1), "came with version 2"),
    ("model.json", lambda manifest: manifest.update(kind="rnn"), "is no option"),
])
def test_a_folder_with_other_values_is_refused(file, edit, message, tmp_path):
    edited(tmp_path / "m", make(), file, edit)
    with pytest.raises(ModelError, match=message):
        modelfile.load(tmp_path / "m")


def test_weights_that_are_too_large_are_an_error_with_a_place(tmp_path):
    model = make()
    model.params["output.b_o"][3] = 3e38
    modelfile.save(tmp_path / "m", model)
    again = modelfile.load(tmp_path / "m")
    for use in (lambda: list(again.score(TEXT)), lambda: drawn(again, 3)):
        with pytest.raises(ModelError, match="m: weights so large that scores overflow"):
            use()
