"""What programs get from ``import rnntag``: train, load, save, tag, probabilities."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from test_tagger import KINDS, SMALL, sentences, text

import rnntag
from rnntag import tagger as module
from rnntag.corpus import Sentence
from rnntag.errors import CorpusError, ModelError, OptionError, RnntagError
from rnntag.options import Options
from rnntag.trainer import train_tagger

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


def test_files_sentences_and_pairs_train_the_same_tagger(write):
    path = write("f", b"the_DT dog_NN\n\ndogs_NN bark_VB\n")
    options = {"epochs": 3, "hidden": 4, "embedding": 4}
    found = [rnntag.train(corpus, dev=corpus, **options) for corpus in (
        path, str(path), PAIRS, [Sentence([w for w, _ in pairs], [t for _, t in pairs]) for pairs in PAIRS])]
    found.append(rnntag.train(pairs for pairs in PAIRS))
    for other in found[1:-1]:
        assert all((array == other.params[name]).all() for name, array in found[0].params.items())


@pytest.mark.parametrize("corpus, error", [
    ([], CorpusError), ([[]], CorpusError), ([Sentence(["a"])], CorpusError),
    ([Sentence(["a"], ["X", "Y"])], CorpusError), ([[("a", "")]], CorpusError), ([["a", "b"]], TypeError),
    ([["ab"]], TypeError), ([[("a", None)]], TypeError)])
def test_a_corpus_that_is_wrong_is_refused(corpus, error):
    with pytest.raises(error):
        rnntag.train(corpus)


def test_options_that_are_wrong_are_refused():
    with pytest.raises(OptionError):
        rnntag.train(PAIRS, epochs=0)
    with pytest.raises(TypeError):
        rnntag.train(PAIRS, epoch=1)


@pytest.mark.parametrize("options", [{"window": 3}, {"preset": "tutorial", "char_embedding": 4}, {"patience": 2},
                                     {"cell": "lstm", "activation": "relu"}])
def test_options_that_would_change_nothing_are_refused(options):
    with pytest.raises(OptionError, match="it would change nothing"):
        rnntag.train(PAIRS, **options)


def test_patience_changes_something_with_a_dev_set():
    assert rnntag.train(PAIRS, dev=PAIRS, patience=1, hidden=4, embedding=4, epochs=2).options.patience == 1


def test_a_string_is_no_sentence(tagger):
    for method in (tagger.tag, tagger.probabilities):
        with pytest.raises(TypeError, match="a sentence is a list of words, not the string 'I read'"):
            list(method(["I read"]))


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
    answer = module.Posteriors(["B", "A", "B"], p, ["A", "B"])
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
