"""RNNTagger: words in, tags out, whatever company the sentence is in."""

import json

import numpy as np
import pytest
from samples import KINDS, SMALL, sentences, text

from rnntag.corpus import Block, Column, Sentence
from rnntag.errors import ModelError, OptionError
from rnntag.models import tagger as module
from rnntag.models.answers import chunks, cut
from rnntag.models.constraints import ConstrainedTagger
from rnntag.models.options import Options
from rnntag.models.tagger import VECTOR_NORM, RNNTagger
from rnntag.nn.packing import batches
from rnntag.text.vocab import Vocab
from rnntag.training.tagging import train_tagger


@pytest.fixture(scope="module", params=KINDS)
def trained(request):
    """A tagger after a few epochs: its scores are neither random nor far apart."""
    options = Options(**{**SMALL, **KINDS[request.param]})
    vectors = None
    if options.vectors:
        table = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
        table[0] = 0
        vectors = Vocab(["read", "walk", "unseen"]), table
    return train_tagger(sentences(20), options, vectors=vectors)


# ------------------------------------------------------------------ tagging


def test_tags_do_not_depend_on_the_company(trained):
    together = list(trained.tag(text()))
    assert [list(trained.tag([words]))[0] for words in text()] == together
    assert list(trained.tag(text()[::-1]))[::-1] == together
    fresh = trained.with_params(trained.params)  # nothing remembered from other calls
    assert [list(fresh.tag([words]))[0] for words in text()[::-1]][::-1] == together
    assert len({tag for tags in together for tag in tags}) > 1


def test_tags_do_not_depend_on_the_size_of_chunks_and_batches(trained, monkeypatch):
    together = list(trained.tag(text()))
    for size in (1, 7, 50):
        monkeypatch.setattr(module, "CHUNK_TOKENS", size)
        monkeypatch.setattr(module, "BATCH_TOKENS", max(1, size // 2))
        assert list(trained.tag(text())) == together


@pytest.mark.parametrize("best", [0, 1, 2])
def test_annotate_fills_the_column_of_the_corpus_and_keeps_line_and_source(trained, best):
    given = [Sentence(words, {"xpos": Column(["?"] * len(words))}, line, Block("x"))
             for line, words in enumerate(text(), 1)]
    found = list(trained.annotate(given, best=best))
    assert [(s.words, s.line, s.source) for s in found] == [(s.words, s.line, s.source) for s in given]
    assert trained.fields == ("",) and [list(s.columns) for s in found] == [[""]] * len(found)
    assert [s.tags for s in found] == list(trained.tag(text()))
    assert [s.first.best for s in found] == (
        [p.best(best) for p in trained.probabilities(text())] if best else [None] * len(found))
    assert list(trained.annotate(text(), best=best)) == [Sentence(s.words, s.columns) for s in found]


def test_columns_that_the_tagger_does_not_have_are_refused_before_a_sentence_is_read(trained):
    with pytest.raises(OptionError, match="--fields: 'xpos'; the model has no named columns"):
        trained.annotate(iter(lambda: pytest.fail("read"), None), ["xpos"]).__next__()


def test_forgetting_words_changes_no_tags(trained, monkeypatch):
    together = list(trained.tag(text()))
    monkeypatch.setattr(module, "CACHE_BYTES", 2)
    monkeypatch.setattr(module, "CHUNK_TOKENS", 5)
    assert list(trained.with_params(trained.params).tag(text())) == together


def test_every_sentence_gets_one_tag_a_word_in_order(trained):
    answers = list(trained.tag(text()))
    assert [len(tags) for tags in answers] == [len(words) for words in text()]
    assert {type(tag) for tags in answers for tag in tags} == {str}
    assert {tag for tags in answers for tag in tags} <= {"DT", "NN", "TO", "VB"}


def test_order_is_kept():
    tagger = train_tagger(sentences(20), Options(**{**SMALL, "epochs": 20, "dropout": 0.0}))
    test = sentences(40, seed=4)
    assert list(tagger.tag(s.words for s in test)) == [s.tags for s in test]


def test_empty_sentences_have_no_tags(trained):
    assert list(trained.tag([])) == []
    assert list(trained.tag([[], []])) == [[], []]
    assert list(trained.with_params(trained.params).tag([[]])) == [[]]


def test_tagging_streams(trained, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_TOKENS", 6)
    taken = []
    answers = trained.tag(taken.append(words) or words for words in [["to", "read"]] * 10)
    next(answers)
    assert len(taken) == 2  # 6 tokens, line ends counted


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [3e38, 1e37, -3e38])
def test_scores_that_overflow_are_an_error_not_an_answer(trained, value):
    """All weights are finite; a model folder may hold them."""
    params = {name: np.where(array > 0, np.float32(value), array) for name, array in trained.params.items()}
    params["output.b_o"] = np.full_like(params["output.b_o"], value)
    tagger = trained.with_params(params)
    for answer in (tagger.tag, tagger.probabilities, ConstrainedTagger(tagger, {"to": ["TO"]}).tag):
        with pytest.raises(ModelError, match="weights so large that scores overflow"):
            list(answer(text()))


@pytest.mark.filterwarnings("error")
def test_large_weights_whose_scores_do_not_overflow_give_probabilities(trained):
    params = {name: array * np.float32(1e34 if name.startswith("output") else 1) for name, array in
              trained.params.items()}
    tagger = trained.with_params(params, {"": 0.5})
    for answer in (tagger, ConstrainedTagger(tagger, {"to": ["TO"]})):
        for found in answer.probabilities(text()):
            assert np.allclose(found.probabilities.sum(axis=1), 1)


def test_tagging_twice_gives_the_same(trained):
    assert list(trained.tag(text())) == list(trained.tag(text()))


# ------------------------------------------------------------------ creation


def test_id_maps_come_from_the_corpus():
    tagger = RNNTagger.create([Sentence(["b", "a", "b"], ["Y", "X", "Y"])], Options(**SMALL, char_rnn=2),
                              np.random.default_rng(1))
    assert tagger.words.strings == ["", "b", "a"]
    assert tagger.tags.strings == ["", "X", "Y"]
    assert tagger.alphabet.strings == ["", "a", "b"]
    assert {name: array.shape for name, array in tagger.params.items()} == tagger.network.shapes()
    assert {array.dtype for array in tagger.params.values()} == {np.dtype("float32")}


def test_min_count_counts_tokens():
    tagger = RNNTagger.create([Sentence(["b", "a", "b"], ["Y", "X", "Y"])], Options(**SMALL, min_count=2),
                              np.random.default_rng(1))
    assert tagger.features.vocabs["form"].strings == ["", "b"]


def test_given_vectors_keep_their_direction_and_get_one_length():
    table = np.array([[0, 0], [1, 2], [3, 4]], np.float32)
    tagger = RNNTagger.create(sentences(3), Options(**SMALL, vectors=2), np.random.default_rng(1),
                              (Vocab(["read", "walk"]), table))
    unit = np.array([[0, 0], [1, 2] / np.sqrt(5), [0.6, 0.8]])
    assert tagger.params["vectors.table"] == pytest.approx(VECTOR_NORM * unit)
    assert tagger.vectors.strings == ["", "read", "walk"]


# ------------------------------------------------------------------ state


def test_a_restored_tagger_gives_the_same_tags(trained):
    options, ids, arrays = trained.state()
    options, ids = json.loads(json.dumps([options, ids]))
    again = RNNTagger.restore(options, ids, {name: array.copy() for name, array in arrays.items()})
    assert RNNTagger.shapes(options, ids) == {name: array.shape for name, array in arrays.items()}
    assert again.options == trained.options
    assert list(again.tag(text())) == list(trained.tag(text()))
    assert again.state()[:2] == trained.state()[:2]


def untrained():
    return RNNTagger.create(sentences(3), Options(**SMALL), np.random.default_rng(1))


def broken(ids, **changes):
    return {**ids, **changes}


@pytest.mark.parametrize("change", [
    lambda ids: {name: ids[name] for name in ("columns", "features")},
    lambda ids: broken(ids, characters=["", "a"]),
    lambda ids: broken(ids, vectors=["", "a"]),
    lambda ids: broken(ids, more=["", "a"]),
    lambda ids: broken(ids, words={"": ["", "a"]}),
    lambda ids: broken(ids, features=["", "a"]),
    lambda ids: broken(ids, features={}),
    lambda ids: broken(ids, features={**ids["features"], "suf10": ["", "a"]}),
    lambda ids: broken(ids, features={**ids["features"], "lower": {"": ["", "a"]}}),
    lambda ids: broken(ids, columns={"": [""]}),
    lambda ids: {},
], ids=["no words", "characters", "vectors", "more", "nested words", "list", "no features", "odd slot",
        "nested slot", "no tags", "nothing"])
def test_id_maps_that_do_not_fit_the_options_are_refused(change):
    options, ids, arrays = untrained().state()
    RNNTagger.restore(options, ids, arrays)
    for function in (lambda: RNNTagger.shapes(options, change(ids)),
                     lambda: RNNTagger.restore(options, change(ids), arrays)):
        with pytest.raises(OptionError):
            function()


def test_options_that_call_for_other_id_maps_are_refused():
    options, ids, _ = untrained().state()
    for change in ({"char_rnn": 3}, {"vectors": 3}, {"features": "form"}, {"hidden": 0}, {"hiden": 5}):
        with pytest.raises(OptionError):
            RNNTagger.shapes({**options, **change}, ids)


# ------------------------------------------------------------------ batches


def test_chunks_are_consecutive_and_bounded():
    lines = [["w"] * n for n in (3, 0, 2, 9, 1, 1)]
    found = list(chunks(lines, 5))
    assert [[len(line) for line in chunk] for chunk in found] == [[3, 0], [2, 9], [1, 1]]
    assert [len(chunk) for chunk in chunks([[]] * 12, 5)] == [5, 5, 2]


def test_batches_hold_every_sentence_once_longest_first():
    lengths = [2, 0, 5, 1, 5, 3, 0, 9]
    found = list(batches(lengths, 8))
    assert sorted(i for members, _ in found for i in members) == [0, 2, 3, 4, 5, 7]
    assert [[lengths[i] for i in members] for members, _ in found] == [[9], [5], [5, 3], [2, 1]]
    assert all(packing.lengths.tolist() == [lengths[i] for i in members] for members, packing in found)


def test_batches_are_as_full_as_they_may_be():
    found = [packing.lengths.tolist() for _, packing in batches([3, 0, 12, 4, 6, 0, 2], 10)]
    assert found == [[12], [6, 4], [3, 2]]  # longer than a batch: alone; exactly full; the rest
    assert list(batches([], 10)) == list(batches([0, 0], 10)) == []


def test_what_belongs_to_all_sentences_is_cut_into_the_parts_of_each():
    found = cut(list(range(6)), [["a", "b"], [], ["c"], ["d", "e", "f"]])
    assert list(found) == [[0, 1], [], [2], [3, 4, 5]]


# ------------------------------------------------------------------ Unicode forms


def test_a_word_has_the_same_tag_in_every_form_and_keeps_its_own():
    """Trained on decomposed words, asked about composed ones, and the other way round."""
    composed = [Sentence(["caf\u00e9", "f\u00fcr"], ["NN", "IN"]),
                Sentence(["f\u00fcr", "caf\u00e9"], ["IN", "NN"])] * 4
    decomposed = [Sentence(["cafe\u0301", "fu\u0308r"], s.tags) for s in composed[:1]] + [
        Sentence(["fu\u0308r", "cafe\u0301"], s.tags) for s in composed[1:2]]
    for train, ask in ((composed, decomposed), (decomposed * 4, composed)):
        options = Options(**{**SMALL, "epochs": 30, "dropout": 0.0, "features": "form"}, normalize="nfc")
        tagger = train_tagger(train, options)
        assert sorted(tagger.words.strings) == ["", "caf\u00e9", "f\u00fcr"]
        assert [list(tagger.probabilities([s.words]))[0].probabilities.tolist() for s in ask[:2]] == [
            list(tagger.probabilities([s.words]))[0].probabilities.tolist() for s in train[:2]]
        assert RNNTagger.restore(*tagger.state()).options.normalize == "nfc"
