"""What is in a model, the library and the command."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from rnntag.analysis.inspection import feature_rows, nearest_features, nearest_words, reasons, seen_as, terms
from rnntag.cli.inspect import main
from rnntag.corpus import Sentence
from rnntag.models.hmm import HMMTagger
from rnntag.models.options import preset
from rnntag.models.tagger import RNNTagger
from rnntag.storage import modelfile
from rnntag.storage.archive import sha256
from rnntag.training.tagging import train_tagger

TRAIN = [Sentence([f"{stem}{ending}", "the", "end"], ["VBG" if ending == "ing" else "VBD", "DT", "NN"], i)
         for i, (stem, ending) in enumerate(((stem, ending) for stem in
                                             ("walk", "talk", "play", "look", "turn", "call", "start", "jump")
                                             for ending in ("ing", "ed")), 1)]
SMALL = {"hidden": 8, "embedding": 8, "epochs": 40, "batch_size": 2, "dropout": 0.0, "word_dropout": 1.0}
KINDS = {"softmax": {}, "crf": {"output": "crf"}, "characters": {"char_rnn": 3}, "lstm": {"cell": "lstm"},
         "one-hot": {"embedding": 0}, "cnn": {"encoder": "cnn", "filters": 8}, "nfc": {"normalize": "nfc"},
         "ensemble": {"members": 2}, "one-hot ensemble": {"members": 2, "embedding": 0}}


@pytest.fixture(scope="module", params=KINDS)
def tagger(request):
    return train_tagger(TRAIN, preset("default", **{**SMALL, **KINDS[request.param]}))


def test_the_tags_of_a_word_alone_are_those_that_tagging_gives(tagger):
    for word in ("walking", "played", "Blorfing", "the", "\u65e5"):
        posteriors, = tagger.probabilities([[word]])
        found = reasons(tagger, word, 3).tags
        best = posteriors.probabilities[0].argsort()[::-1][:3]
        assert [tag for tag, _ in found] == [posteriors.tag_set[k] for k in best]
        assert [p for _, p in found] == pytest.approx(posteriors.probabilities[0][best].tolist(), abs=1e-5)


def test_the_effect_of_a_feature_is_what_taking_it_away_changes(tagger):
    """The same by hand: a map that does not know the feature."""
    why = reasons(tagger, "walking", 2)
    (best, p), (second, q) = why.tags
    for slot in ("suf3", "form"):
        evidence, = [each for each in why.evidence if each.feature == slot]
        vocab = tagger.features.vocabs[slot]
        assert evidence.known and evidence.value == ("ing" if slot == "suf3" else "walking")
        i = vocab._ids.pop(evidence.value)
        try:
            fresh = tagger.with_params(tagger.params)
            posteriors, = fresh.probabilities([["walking"]])
        finally:
            vocab._ids[evidence.value] = i
        row = dict(zip(posteriors.tag_set, posteriors.probabilities[0]))
        assert evidence.effect == pytest.approx(math.log(p / q) - math.log(row[best] / row[second]), abs=1e-3)


def test_an_unknown_feature_has_no_effect(tagger):
    for each in reasons(tagger, "qqqing").evidence:
        if each.feature in ("form", "lower"):
            assert not each.known and each.effect == pytest.approx(0, abs=1e-4)


def test_the_ending_speaks_for_the_tag_of_a_new_word():
    tagger = train_tagger(TRAIN, preset("default", **SMALL))
    why = reasons(tagger, "smoking")
    assert why.tags[0][0] == "VBG"
    endings = [each.effect for each in why.evidence if each.feature.startswith("suf")]
    others = [each.effect for each in why.evidence if each.feature.startswith("pre")]
    assert max(endings) > max(others) and max(endings) > 0.1


def test_the_nearest_words_are_those_with_the_largest_cosine(tagger):
    found = nearest_words(tagger, "walking", 4)
    words = tagger.words.strings[1:]
    table = tagger.word_table()
    ids = table.ids(words)
    if tagger.options.embedding:
        x = np.concatenate([network.inputs.forward(params, table, ids)[0]
                            for network, params in tagger.network.networks(tagger.params)], axis=1)
    else:
        x = np.stack([sum(feature_rows(tagger)[row] for row in table.features[i]) for i in ids])
    own = words.index("walking")
    rest = [k for k in range(len(words)) if k != own]
    x = x - x[rest].mean(axis=0)
    cosines = {words[k]: x[k] @ x[own] / np.linalg.norm(x[k]) / np.linalg.norm(x[own]) for k in rest}
    expected = sorted(cosines.items(), key=lambda item: -item[1])[:4]
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert [c for _, c in found] == pytest.approx([c for _, c in expected], abs=1e-4)


def test_words_are_near_words_with_their_ending():
    tagger = train_tagger(TRAIN, preset("default", **SMALL))
    assert all(word.endswith("ing") for word, _ in nearest_words(tagger, "walking", 3))


def test_the_nearest_features_are_none_of_the_word_s_own_nor_words(tagger):
    found = nearest_features(tagger, "walking", 50)
    assert found and not {"suf3 ing", "pre1 w"} & {name for name, _ in found}
    assert not any(name.startswith(("form", "lower")) for name, _ in found)
    assert [c for _, c in found] == sorted((c for _, c in found), reverse=True) and abs(found[0][1]) <= 1.0001


def test_a_tagger_of_word_forms_alone_has_no_nearest_features():
    tagger = train_tagger(TRAIN, preset("tutorial", hidden=3, epochs=1))
    assert nearest_features(tagger, "walking") == []
    assert [each.feature for each in reasons(tagger, "walking").evidence] == ["form"]


def test_pretrained_vectors_are_evidence_too():
    vocab_and_vectors = _vectors()
    tagger = RNNTagger.create(TRAIN, preset("default", **{**SMALL, "vectors": 5}), np.random.default_rng(1),
                              vocab_and_vectors)
    vectors = {each.value or each.feature: each for word in ("walking", "qqq")
               for each in reasons(tagger, word).evidence if each.feature == "vector"}
    assert set(vectors) == {"vector"}
    known, = [each for each in reasons(tagger, "walking").evidence if each.feature == "vector"]
    unknown, = [each for each in reasons(tagger, "qqq").evidence if each.feature == "vector"]
    assert known.known and known.effect != 0 and not unknown.known and unknown.effect == pytest.approx(0, abs=1e-5)


def _vectors():
    from rnntag.text.vocab import Vocab
    table = np.random.default_rng(2).normal(size=(3, 5)).astype(np.float32)
    table[0] = 0
    return Vocab(["walking", "the"]), table


def test_one_tag_has_nothing_to_speak_against():
    tagger = train_tagger([Sentence(["a"], ["X"], 1)], preset("tutorial", hidden=2, epochs=1))
    assert reasons(tagger, "a").evidence == [] and reasons(tagger, "a").tags == [("X", 1.0)]


# ------------------------------------------------------------------ HMM


def test_an_hmm_s_terms_are_those_of_its_formula(toy):
    found = terms(toy, "a", 9)
    assert {each.tag for each in found} == {"X", "Y", "Z"}
    for each in found:
        assert each.emission == pytest.approx(math.log(toy.emission(each.tag, "a")))
        assert each.start == (pytest.approx(math.log(toy.transition("<s>", each.tag)))
                              if toy.transition("<s>", each.tag) else -1e6)
    assert sum(each.probability for each in found) == pytest.approx(1)


def test_an_hmm_s_best_terms_are_what_it_answers(toy):
    for word in ("a", "b", "c", "new"):
        assert [terms(toy, word)[0].tag] == next(toy.tag([[word]]))


def test_an_hmm_knows_how_often_it_saw_a_word(toy):
    assert seen_as(toy, "a") == {"X": 2, "Z": 1} and seen_as(toy, "new") == {}


# ------------------------------------------------------------------ the command


def invoke(*arguments, status=0):
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


@pytest.fixture(scope="module")
def rnn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "rnn"
    tagger = train_tagger(TRAIN, preset("default", **SMALL))
    tagger.info = {"train": {"name": "toy\x1b[2J", "tokens": 48}}
    modelfile.save(folder, tagger,
                   log=[{"epoch": 1, "loss": 1.5, "dev_accuracy": 0.75}, {"epoch": 2, "loss": 0.5,
                                                                          "dev_accuracy": 0.5}])
    return folder


def test_a_model_is_described(rnn):
    out = invoke(rnn)
    lines = [line.split() for line in out.splitlines()]
    assert ["train", "tokens", "48"] in lines and ["*", "hidden", "8"] in lines and ["layers", "1"] in lines
    assert ["words", "18"] in lines and ["VBD", "VBG"] == lines[lines.index(["Tags:", "4"]) + 1][-2:]
    assert ["output.W_o", "16", "x", "4", "64"] in lines
    assert ["1", "1.5000", "75.00%"] in lines and ["2", "0.5000", "50.00%"] in lines


@pytest.mark.parametrize("epochs, trained, marked", [(18, {"tokens": 48}, False), (9, {"tokens": 240_000}, False),
                                                     (9, {"tokens": 48}, True), (18, "text", False)])
def test_epochs_are_marked_when_they_are_not_those_of_the_corpus(rnn, tmp_path, epochs, trained, marked):
    model = modelfile.load(rnn)
    model.options, model.info = replace(model.options, epochs=epochs), {"train": trained}
    modelfile.save(tmp_path / "m", model)
    lines = [line.split() for line in invoke(tmp_path / "m").splitlines()]
    assert [*["*"] * marked, "epochs", str(epochs)] in lines


def test_a_log_longer_than_the_training_is_refused_unread(rnn, tmp_path):
    shutil.copytree(rnn, tmp_path / "m")
    log = b"1\n" * (SMALL["epochs"] + 1)
    (tmp_path / "m" / "log.jsonl").write_bytes(log)
    about = json.loads((rnn / "model.json").read_text())
    about["sha256"]["log.jsonl"] = sha256(log)
    (tmp_path / "m" / "model.json").write_text(json.dumps(about))
    assert "log.jsonl: 41 lines; the options allow 40 epochs" in invoke(tmp_path / "m", status=1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e30, 1e37, 3e38])
def test_large_weights_give_numbers_or_an_error_that_names_the_model(rnn, tmp_path, scale):
    tagger = modelfile.load(rnn)
    for array in tagger.params.values():
        array[...] = scale * np.tanh(array)
    modelfile.save(tmp_path / "m", tagger)
    result = CliRunner().invoke(main, [str(tmp_path / "m"), "walking", "Blorfing", "--json"])
    assert "NaN" not in result.stdout and result.exit_code == 0 or result.stderr.startswith(
        f"Error: {tmp_path / 'm'}: weights so large that scores overflow")


def test_nothing_of_a_stranger_s_model_reaches_the_terminal_raw(rnn):
    assert "\x1b" not in invoke(rnn) and "toy\\x1b[2J" in invoke(rnn)


def test_an_hmm_is_described(model):
    out = invoke(model)
    assert "a model of kind hmm" in out and "transitions  4 x 4" in out and "Options" not in out


def test_a_word_is_looked_at(rnn):
    out = invoke(rnn, "walking", "Blorfing", "-n", 3)
    assert "walking: a training word\n  alone:    VBG " in out and "Blorfing: not a training word\n" in out
    assert out.count("nearest words: ") == out.count("nearest features: ") == 2
    assert "why VBG and not " in out and "Blorfing (unknown)" in out


def test_how_many_to_show_is_refused_without_a_word(model):
    result = CliRunner().invoke(main, [str(model), "-n", "3"])
    assert result.exit_code == 2 and "--count: given without a WORD; it would change nothing" in result.stderr


def test_an_hmm_is_asked_for_a_word(model):
    out = invoke(model, "a", "new")
    assert "a: a training word\n  seen as:  X 2  Z 1\n" in out and "never" in out
    assert "new: not a training word\n  alone:" in out


def test_everything_is_json(rnn, model):
    for folder in (rnn, model):
        whole = json.loads(invoke(folder, "--json"))
        assert whole["kind"] in ("rnn", "hmm") and whole["arrays"] and whole["tags"]
        found, = json.loads(invoke(folder, "a", "--json"))["words"]
        assert found["word"] == "a" and found["tags"][0]["probability"] <= 1


@pytest.mark.parametrize("word", ["", "a b", "a\nb"])
def test_what_is_no_word_is_misuse(model, word):
    assert "a word is not empty" in invoke(model, word, status=2)


def test_no_model_is_one_line(tmp_path):
    assert "no such folder" in invoke(tmp_path / "nothing", status=1)


def test_an_hmm_tagger_of_one_tag_can_be_asked():
    assert terms(HMMTagger.train([Sentence(["a"], ["X"], 1)]), "b")[0].probability == 1
