"""The baseline against the tutorial's figures and against the enumeration of all paths."""

import itertools
import math

import numpy as np
import pytest

from rnntag import corpus
from rnntag.corpus import Sentence
from rnntag.errors import CorpusError, ModelError
from rnntag.evaluation import accuracy, pair
from rnntag.models.hmm import END, IMPOSSIBLE, START, HMMTagger


def tagged(*lines):
    pairs = [[item.rpartition("_")[::2] for item in line.split()] for line in lines]
    return [Sentence([word for word, _ in line], [tag for _, tag in line], number)
            for number, line in enumerate(pairs, 1)]


@pytest.mark.parametrize("previous, tag, probability", [
    (START, "X", 1), ("X", "X", 1 / 3), ("X", "Y", 2 / 3), ("Y", "Z", 0.5), ("Y", END, 0.5), ("Z", END, 1),
    ("X", "Z", 0), ("X", END, 0), (START, "Y", 0), (START, END, 0), ("Q", "X", 0), ("X", "Q", 0)])
def test_transitions_of_the_tutorial(toy, previous, tag, probability):
    assert toy.transition(previous, tag) == pytest.approx(probability, abs=1e-15)


@pytest.mark.parametrize("tag, word, probability", [
    ("X", "a", 0.666667), ("X", "c", 0.333333), ("Y", "b", 1), ("Z", "a", 1), ("Z", "b", 0), ("X", "q", 0),
    ("Q", "a", 0)])
def test_emissions_of_the_tutorial(toy, tag, word, probability):
    relative = toy.relative_emission(tag, word)
    assert relative == pytest.approx(probability, abs=1e-6)
    assert toy.emission(tag, word) == pytest.approx(0.95 * relative + 0.05 / 1_000_000, rel=1e-12)


def test_the_toy_sentences_are_tagged_as_in_the_tutorial(toy):
    assert list(toy.tag([["a", "b", "a"], ["a", "c", "b"]])) == [["X", "Y", "Z"], ["X", "X", "Y"]]


def test_probabilities_of_each_tag_sum_to_one(toy):
    for tag in "XYZ":
        assert sum(toy.transition(tag, after) for after in ["X", "Y", "Z", END]) == pytest.approx(1)
        assert sum(toy.relative_emission(tag, word) for word in "abc") == pytest.approx(1)


def log_probability(tagger, words, tags):
    """The logarithm of the joint probability, one factor after the other."""
    factors = [tagger.transition(s, t) for s, t in zip([START, *tags], [*tags, END])]
    return (sum(math.log(p) if p else IMPOSSIBLE for p in factors)
            + sum(math.log(tagger.emission(t, w)) for t, w in zip(tags, words)))


@pytest.mark.parametrize("seed", range(30))
def test_viterbi_finds_the_best_of_all_paths(seed):
    rng = np.random.default_rng(seed)
    names, words = "ABCD"[:rng.integers(1, 5)], "uvwxyz"

    def sentence():
        size = rng.integers(1, 6)
        return Sentence([str(w) for w in rng.choice(list(words), size)],
                        [str(t) for t in rng.choice(list(names), size)])

    tagger = HMMTagger.train([sentence() for _ in range(rng.integers(1, 8))])
    known = tagger.tags.strings[1:]
    for size in (1, 2, 3, 5):
        text = [str(w) for w in rng.choice(list(words) + ["new"], size)]
        best = max(log_probability(tagger, text, path) for path in itertools.product(known, repeat=size))
        (found,) = tagger.tag([text])
        assert log_probability(tagger, text, found) == pytest.approx(best, rel=1e-12)


def test_impossible_steps_are_as_few_as_can_be():
    tagger = HMMTagger.train(tagged("a_X"))
    assert list(tagger.tag([["a", "a"], ["q"] * 500])) == [["X", "X"], ["X"] * 500]
    tagger = HMMTagger.train(tagged("a_X b_Y", "c_Z"))
    assert list(tagger.tag([["a"], ["a", "a"], ["a", "a", "b"]])) == [["Z"], ["X", "Y"], ["X", "X", "Y"]]


def test_ties_go_to_the_first_of_the_most_frequent_tags():
    assert list(HMMTagger.train(tagged("a_B", "a_A")).tag([["a"], ["q"]])) == [["A"], ["A"]]
    tagger = HMMTagger.train(tagged("a_A", "b_B", "c_B"))
    assert tagger.tags.strings == ["", "B", "A"]
    assert list(tagger.tag([["q"]])) == [["B"]]


def test_an_unknown_word_gets_its_tag_from_its_neighbours(toy):
    assert list(toy.tag([["a", "unheard-of", "a"]])) == [["X", "Y", "Z"]]


def test_an_empty_sentence_has_no_tags(toy):
    assert list(toy.tag([[], ["a", "c", "b"], []])) == [[], ["X", "X", "Y"], []]


def test_tagging_streams(toy):
    endless = toy.tag(itertools.repeat(["a", "c", "b"]))
    assert [next(endless) for _ in range(3)] == [["X", "X", "Y"]] * 3


def test_a_very_long_sentence_is_tagged(toy):
    (tags,) = toy.tag([["a", *["c"] * 5000, "b"]])
    assert tags == ["X"] * 5001 + ["Y"]


def test_tags_named_like_the_boundaries_do_not_disturb_it():
    tagger = HMMTagger.train(tagged("a_<s> b_</s>", "b_</s>"))
    assert list(tagger.tag([["a", "b"]])) == [["<s>", "</s>"]]


def test_training_again_gives_the_same_arrays():
    one, other = (HMMTagger.train(tagged("b_Y a_X", "c_X a_Z")[::step]) for step in (1, -1))
    for first, second in zip(one.state()[2].values(), other.state()[2].values()):
        assert np.array_equal(first, second)


@pytest.mark.parametrize("sentences", [
    [], [Sentence([], [])], [Sentence(["a"], None)], [Sentence([""], ["X"])], [Sentence(["a"], [""])]])
def test_what_has_no_words_or_tags_cannot_be_trained_on(sentences):
    with pytest.raises(CorpusError):
        HMMTagger.train(sentences)


def test_restoring_gives_back_the_same_tagger(toy):
    options, ids, arrays = toy.state()
    assert {name: array.shape for name, array in arrays.items()} == HMMTagger.shapes(options, ids)
    again = HMMTagger.restore(options, ids, arrays)
    assert list(again.tag([["a", "b", "a", "q"]])) == list(toy.tag([["a", "b", "a", "q"]]))
    assert again.emission("X", "a") == toy.emission("X", "a")


@pytest.mark.parametrize("array, row, column, value, message", [
    ("transitions", 1, 1, -1, "not all counts"), ("transitions", 1, 1, 0.5, "not all counts"),
    ("transitions", 1, 1, 1e308, "not all counts"), ("transitions", 1, 1, 7, "do not agree"),
    ("transitions", 0, 0, 1, "do not agree"),
    ("emissions", 0, 0, 0, "do not exist"), ("emissions", 0, 0, 99, "do not exist"),
    ("emissions", 0, 1, 0, "do not exist"), ("emissions", 0, 1, 99, "do not exist"),
    ("emissions", 0, 2, 0, "do not exist"), ("emissions", 0, 2, 5, "do not agree"),
    ("emissions", 0, 0, 1.5, "not all counts"), ("emissions", 0, 0, 3, "out of order"),
    ("emissions", 0, 2, float("inf"), "not all counts"),
    ("emissions", 0, 0, float("nan"), "not all counts")])
def test_numbers_that_cannot_be_counts_are_refused(toy, array, row, column, value, message):
    options, ids, arrays = toy.state()
    arrays = {name: values.copy() for name, values in arrays.items()}
    if (array, row, column, value) == ("transitions", 0, 0, 1):  # an empty sentence: balanced, but no tag's
        arrays["transitions"][1] = 0
    else:
        arrays[array][row, column] = value
    with pytest.raises(ModelError, match=message):
        HMMTagger.restore(options, ids, arrays)


@pytest.mark.parametrize("options, ids", [
    ({}, None), ({"pairs": 0}, None), ({"pairs": True}, None), ({"pairs": 2.0}, None),
    ({"pairs": "2"}, None),
    ({"pairs": 10}, None), ({"pairs": 2, "more": 1}, None), ({"pairs": 2}, {"words": ["", "a"]}),
    ({"pairs": 1}, {"words": ["", "a"], "tags": {"x": ["", "X"]}})])
def test_options_and_ids_of_something_else_are_refused(toy, options, ids):
    with pytest.raises(ModelError):
        HMMTagger.shapes(options, toy.state()[1] if ids is None else ids)


def test_accuracy_on_the_tutorial_s_corpus_is_the_tutorial_s(corpora):
    folder = corpora / "wiki-en"
    tagger = HMMTagger.train(corpus.read_tagged(folder / "wiki-en-train.norm_pos"))
    text = [sentence.words for sentence in corpus.read(folder / "wiki-en-test.norm", "tokens")]
    answer = [Sentence(words, tags) for words, tags in zip(text, tagger.tag(text))]
    score = accuracy(pair(corpus.read(folder / "wiki-en-test.pos", "tags"), answer))
    assert score == (4144, 4563)


def test_probabilities_are_those_of_all_paths():
    tagger = HMMTagger.train([Sentence("a b a".split(), "X Y Z".split()), Sentence("a c b".split(), "X X Y".split())])
    names = tagger.tags.strings[1:]
    words = ["a", "c", "new", "b"]

    def probability(path):
        steps = zip([START, *path], [*path, END])
        return math.prod(tagger.transition(s, t) for s, t in steps) * math.prod(map(tagger.emission, path, words))

    paths = list(itertools.product(names, repeat=len(words)))
    total = sum(map(probability, paths))
    answer, empty = tagger.probabilities([words, []])
    assert answer.tag_set == names and [answer.tags] == list(tagger.tag([words]))
    for i, row in enumerate(answer.probabilities):
        for tag, p in zip(names, row):
            assert p == pytest.approx(sum(probability(path) for path in paths if path[i] == tag) / total, abs=1e-9)
    assert empty.tags == [] and empty.probabilities.shape == (0, len(names))
