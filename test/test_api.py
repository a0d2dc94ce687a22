"""What programs get from ``import rnntag``: train, load, save, tag, probabilities."""

import copy
import json
import multiprocessing
import pickle
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from invoking import TRAIN, files, invoke
from samples import KINDS, SMALL, TEXT, sentences, text

import rnntag
from rnntag.corpus import Sentence
from rnntag.errors import CorpusError, ModelError, OptionError, RnntagError
from rnntag.models import tagger as module
from rnntag.models.answers import Posteriors
from rnntag.models.hmm import HMMTagger
from rnntag.models.options import Options
from rnntag.training.tagging import train_tagger

PAIRS = [[("the", "DT"), ("dog", "NN")], [], [("dogs", "NN"), ("bark", "VB")]]


@pytest.fixture(params=["softmax", "crf"])
def tagger(request):
    return train_tagger(sentences(20), Options(**SMALL, output=request.param))


def test_a_tagger_is_trained_saved_loaded_and_used(tmp_path):
    tagger = rnntag.train(PAIRS, epochs=40, hidden=8, embedding=8)
    assert list(tagger.tag([["the", "dog"], []])) == [["DT", "NN"], []]
    rnntag.save(tagger, tmp_path / "m")
    assert list(rnntag.load(tmp_path / "m").tag([["dogs", "bark"]])) == [["NN", "VB"]]
    with pytest.raises(RnntagError, match="exists already"):
        rnntag.save(tagger, tmp_path / "m")
    with pytest.raises(ModelError):
        rnntag.load(tmp_path)


@pytest.mark.parametrize("preset", ["tutorial", "fast"])
def test_a_preset_learns_a_corpus(preset):
    tagger = rnntag.train(PAIRS, preset=preset, epochs=60)
    assert list(tagger.tag([["the", "dog"], ["dogs", "bark"]])) == [["DT", "NN"], ["NN", "VB"]]


def test_files_sentences_and_pairs_train_the_same_tagger(write):
    path = write("f", b"the_DT dog_NN\n\ndogs_NN bark_VB\n")
    options = {"epochs": 3, "hidden": 4, "embedding": 4}
    found = [rnntag.train(corpus, dev=corpus, **options) for corpus in (
        path, str(path), PAIRS, [Sentence([w for w, _ in pairs], [t for _, t in pairs]) for pairs in PAIRS])]
    found.append(rnntag.train(pairs for pairs in PAIRS))
    for other in found[1:-1]:
        assert all((array == other.params[name]).all() for name, array in found[0].params.items())


@pytest.mark.parametrize("corpus, error", [
    ([], "no tagged sentences"), ([[]], "no tagged sentences"), ([Sentence(["a"])], "sentence 1: a word without a"),
    ([Sentence(["a"], ["X", "Y"])], "1: a word without a tag"), ([[("a", "")]], "sentence 1: a word without a tag"),
    (PAIRS[:1] + [["a", "b"]], "sentence 2: 'a'; it is a pair"), (["ab"], "sentence 1: 'ab'; a sentence is a list"),
    ([[("a", None)]], "sentence 1: token 1 is None"), ([[(7, "X")]], "sentence 1: token 1 is 7"),
    ([[("a", "X", "Y")]], "is a pair"), ([None], "a sentence is a list"), (7, "7; a corpus is a file, or sentences")])
def test_a_corpus_that_is_wrong_is_refused(corpus, error):
    with pytest.raises(CorpusError, match=re.escape(error)):
        rnntag.train(corpus)
    if corpus != []:  # no dev set
        with pytest.raises(CorpusError, match=re.escape(error)):
            rnntag.train(PAIRS, dev=corpus)


def test_options_that_are_wrong_are_refused():
    for wrong, message in [
            ({"epochs": -1}, "--epochs: -1; it is at least 0"), ({"epoch": 1}, "'epoch' is no option"),
            ({"preset": "big"}, "--preset: 'big'; it is one of tutorial, default, fast, columns, accurate"),
            ({"preset": ["default"]}, "--preset: "), ({"keep": "first"}, "--keep: 'first'; it is best or last"),
            ({"dev_fraction": "0.1"}, "--dev-fraction: '0.1'; it is at least 0 and at most 0.9"),
            ({"dev_fraction": 1}, "--dev-fraction: 1; it is at least 0 and at most 0.9"),
            ({"dev": PAIRS, "dev_fraction": 0.5}, "--dev and --dev-fraction: given together"),
            ({"vectors": WORDS, "raw_text": [["a"]]}, "--vectors and --raw-text: given together"),
            ({"vectors": (["a"], [[1], [3]])}, "--vectors: "), ({"vectors": (["a"], [[np.nan]])}, "--vectors: "),
            ({"vectors": (["a", "a"], [[1], [2]])}, "distinct words"), ({"vectors": 7}, "--vectors: 7; it is"),
            ({"vectors": ([7], [[1]])}, "--vectors: "), ({"init": 7}, "--init: 7; it is an RNN tagger"),
            ({"init": HMMTagger.train(sentences(3))}, "--init: "), ({"tag_map": 7}, "--tag-map: 7; it is"),
            ({"format": "csv"}, "--format: 'csv'"), ({"column": "2"}, "--column: '2'"), ({"column": 1}, "column"),
            ({"field": "form"}, "--field: 'form'"), ({"field": 7}, "--field: 7"), ({"separator": 7}, "separator")]:
        with pytest.raises(OptionError, match=re.escape(message)):
            rnntag.train(PAIRS, **wrong)
    with pytest.raises(CorpusError, match="sentence 1: token 1 is 7; a token is a string"):
        rnntag.train(PAIRS, raw_text=[[7]])
    for wrong in (7, None):
        with pytest.raises(OptionError, match="path: "):
            rnntag.load(wrong)
        with pytest.raises(OptionError, match="tagger: "):
            rnntag.save(wrong, "m")


TINY = {"epochs": 2, "hidden": 4, "embedding": 4}
WORDS = ["dog", "cat"], [[1.0, 0.5, 0.0], [0.9, 0.4, 0.1]]


def test_programs_train_what_the_command_trains(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train, dev = write("train", TEXT), write("dev", b"the_DT cat_NN runs_VB\n")
    vectors, raw = write("vectors", b"dog 1 0.5 0\ncat 0.9 0.4 0.1\n"), write("raw", TEXT.replace(b"_", b" "))
    flags = ["--epochs", "2", "--hidden", "4", "--embedding", "4", "-q"]
    invoke(TRAIN, train, "first", *flags)
    for number, (options, values) in enumerate([
            ({"dev": dev, "keep": "last"}, ["--dev", dev, "--keep", "last"]),
            ({"dev_fraction": 0.34, "seed": 3}, ["--dev-fraction", "0.34", "--seed", "3"]),
            ({"vectors": vectors}, ["--vectors", vectors]), ({"raw_text": raw}, ["--raw-text", raw]),
            ({"raw_text": [raw, str(raw)]}, ["--raw-text", raw, "--raw-text", raw]),
            ({"init": "first", "seed": 2}, ["--init", "first", "--seed", "2"])]):
        size = {} if "init" in options else {"hidden": 4, "embedding": 4}
        invoke(TRAIN, train, f"m{number}", *(flags if size else ["--epochs", "2", "-q"]), *values)
        rnntag.save(rnntag.train(train, epochs=2, **size, **options), f"p{number}")
        assert files(f"m{number}")["weights.npz"] == files(f"p{number}")["weights.npz"], options
        command, program = (rnntag.load(name).info for name in (f"m{number}", f"p{number}"))
        assert command == program and program["train"]["sentences"] == 9


def test_vectors_and_text_come_from_programs_too(write):
    one = rnntag.train(PAIRS, vectors=WORDS, **TINY)
    other = rnntag.train(PAIRS, vectors=write("v", b"dog 1 0.5 0\ncat 0.9 0.4 0.1\n"), **TINY)
    assert all((array == other.params[name]).all() for name, array in one.params.items())
    text = [["the", "dog", "runs"], ["the", "cat", "runs"]] * 4
    one = rnntag.train(PAIRS, raw_text=text, **TINY)
    raw = write("raw", "".join(" ".join(words) + "\n" for words in text).encode())
    for raw_text in (raw, iter(text), [text[0], *text[1:]]):
        other = rnntag.train(PAIRS, raw_text=raw_text, **TINY)
        assert all((array == other.params[name]).all() for name, array in one.params.items())


def test_a_tagger_knows_where_it_is_from(tmp_path):
    tagger = rnntag.train(PAIRS, dev=PAIRS, **TINY)
    assert tagger.info["train"]["tokens"] == 4 and 0 <= tagger.info["dev"]["accuracy"] <= 1
    rnntag.save(tagger, tmp_path / "m")
    assert rnntag.load(tmp_path / "m").info == tagger.info == json.loads(
        (tmp_path / "m" / "model.json").read_text())["info"]
    assert repr(tagger).startswith("<RNNTagger: 3 tags, 4 words; rnn, softmax; ")
    assert repr(HMMTagger.train(sentences(3))).startswith("<HMMTagger: ")


@pytest.mark.parametrize("kind", ["hmm", *KINDS, "ensemble"])
def test_taggers_can_be_pickled_and_copied(kind):
    options = Options(**{**SMALL, **KINDS.get(kind, {"members": 2}), "vectors": 0})
    tagger = HMMTagger.train(sentences(20)) if kind == "hmm" else train_tagger(sentences(20), options)
    tagger.info["note"] = "mine"
    expected = list(tagger.tag(text()))
    for again in (pickle.loads(pickle.dumps(tagger)), copy.deepcopy(tagger), copy.copy(tagger)):
        assert list(again.tag(text())) == expected and again.info == {"note": "mine"}
        assert [a.tags for a in again.probabilities(text())] == expected
    assert copy.deepcopy(tagger).tags is not tagger.tags


def _tags(tagger, words):
    return list(tagger.tag([words]))


@pytest.mark.parametrize("method", [pytest.param("fork", marks=pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")), "spawn"])
def test_a_tagger_goes_into_a_pool_of_processes(tagger, method):
    expected = list(tagger.tag(text()))
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.starmap(_tags, [(tagger, words) for words in text()]) == [[tags] for tags in expected]


@pytest.mark.parametrize("options", [{"window": 3}, {"preset": "tutorial", "char_embedding": 4}, {"patience": 2},
                                     {"cell": "lstm", "activation": "relu"}])
def test_options_that_would_change_nothing_are_refused(options):
    with pytest.raises(OptionError, match="it would change nothing"):
        rnntag.train(PAIRS, **options)


def test_patience_changes_something_with_a_dev_set():
    assert rnntag.train(PAIRS, dev=PAIRS, patience=1, hidden=4, embedding=4, epochs=2).options.patience == 1


def test_a_string_is_no_sentence(tagger):
    for method in (tagger.tag, tagger.probabilities):
        with pytest.raises(CorpusError, match="sentence 1: 'I read'; a sentence is a list of words"):
            list(method(["I read"]))


@pytest.mark.parametrize("sentence, message", [
    (["price", None], "sentence 2: token 2 is None; a token is a string."),
    (["price", float("nan")], "sentence 2: token 2 is nan; a token is a string."),
    ([b"price"], "sentence 2: token 1 is b'price'; a token is a string."),
    (["price", ["a"]], "sentence 2: token 2 is ['a']; a token is a string."),
    (7, "sentence 2: 7; a sentence is a list of words. Split it into words first.")])
@pytest.mark.parametrize("kind", ["rnn", "hmm"])
def test_a_token_that_is_no_string_is_refused_and_spoils_nothing(tagger, kind, sentence, message):
    tagger = tagger if kind == "rnn" else HMMTagger.train(sentences(20))
    before = list(tagger.tag([["read", "to", "walk"]]))
    with pytest.raises(CorpusError) as caught:
        list(tagger.tag([["Read", "the", "price"], sentence]))
    assert str(caught.value) == message
    assert list(tagger.tag([["read", "to", "walk"], ["price", "walk"], ["to", "price"]]))[0] == before[0]


def test_a_call_that_is_interrupted_spoils_no_later_one(tagger, monkeypatch):
    expected = list(tagger.with_params(tagger.params).tag(text()))
    list(tagger.tag([["to", "read"]]))

    def interrupt(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tagger.network, "input_projection", interrupt)
        with pytest.raises(KeyboardInterrupt):
            list(tagger.tag(text()))
    assert list(tagger.tag(text())) == expected == list(tagger.tag(text()))


# ------------------------------------------------------------------ probabilities


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_come_with_the_tags_that_tagging_gives(kind):
    options = Options(**{**SMALL, **KINDS[kind], "vectors": 0})
    tagger = train_tagger(sentences(20), options)
    found = list(tagger.probabilities(text()))
    assert [answer.tags for answer in found] == list(tagger.tag(text()))
    for words, answer in zip(text(), found):
        assert answer.probabilities.shape == (len(words), 4) and answer.tag_set == ["DT", "NN", "TO", "VB"]
        assert np.allclose(answer.probabilities.sum(axis=1), 1, atol=1e-5)
        for row, ((tag, p), *rest) in zip(answer.probabilities, answer.best(4)):
            assert p == row[answer.tag_set.index(tag)] and (p == row.max() or options.output == "crf")
            assert [q for _, q in rest] == sorted((q for _, q in rest), reverse=True) and len(rest) == 3
        assert [[tag] for tag in answer.tags] == [[tag for tag, _ in best] for best in answer.best()]


def test_under_a_crf_the_probability_is_that_of_the_decoded_tag():
    # tag 1 is a little better at each token alone, but 1 may not follow 1: the best sequence is 1 0 1
    p = np.array([[0.4, 0.6], [0.45, 0.55], [0.4, 0.6]])
    answer = Posteriors(["B", "A", "B"], p, ["A", "B"])
    assert answer.best(2)[1] == [("A", 0.45), ("B", 0.55)]
    assert answer.best(1) == [[("B", 0.6)], [("A", 0.45)], [("B", 0.6)]]


def test_probabilities_stream(tagger, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_TOKENS", 6)
    taken = []
    next(tagger.probabilities(taken.append(words) or words for words in [["to", "read"]] * 10))
    assert len(taken) == 2


# ------------------------------------------------------------------ threads


def test_threads_share_a_tagger_and_get_the_same_tags(tagger, monkeypatch):
    monkeypatch.setattr(module, "CACHE_BYTES", 50)  # forgotten and remembered all the time
    monkeypatch.setattr(module, "CHUNK_TOKENS", 20)
    texts = [[[f"w{(7 * t + i) % 90}", "to", "read", f"Q{i % 13}"] for i in range(60)] for t in range(6)]
    alone = [list(tagger.with_params(tagger.params).tag(each)) for each in texts]
    barrier = threading.Barrier(6)

    def work(each):
        barrier.wait(20)
        return list(tagger.tag(each)), [answer.tags for answer in tagger.probabilities(each)]

    with ThreadPoolExecutor(6) as pool:
        for found, expected in zip(pool.map(work, texts), alone):
            assert found == (expected, expected)
