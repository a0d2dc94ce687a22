"""Lemmas by edit scripts, and what speaks for those that training saw."""

import numpy as np
import pytest

from rnntag.corpus import Column, Sentence
from rnntag.models.columns import FORGOTTEN, MAX_GAIN, SURER, Lemmas, Scored, learnt
from rnntag.nn.layers import softmax
from rnntag.text.vocab import Vocab

GAIN = 6.0


def answer(lemmas, words, context, p, best=0, T=1.0):
    scores = np.log(np.array(p))
    return lemmas.answer(Scored(None, {}, scores, None, T, words, context), best)


def lemmas_with(seen):
    lexicon, contexts = Vocab(["walk"]), Vocab(["NOUN", "VERB"])
    pairs = np.array([[lexicon["walk"], contexts[tag]] for tag in seen], np.float32).reshape(-1, 2)
    return Lemmas(Vocab(["lower 0 0 0 ", "lower 0 2 0 ", "lower 0 6 0 "]), lexicon, pairs, contexts, GAIN)


@pytest.mark.parametrize("p, value", [([0.6, 0.4, 0], "walked"), ([0.9, 0.1, 0], "walked")])
def test_a_lemma_that_was_seen_is_preferred(p, value):
    with np.errstate(divide="ignore"):
        assert answer(lemmas_with(["VERB"]), ["walked"], ["VERB"], [p])[0] == ["walk"]
        assert answer(lemmas_with(["VERB"]), ["talked"], ["VERB"], [p])[0] == ["talked"]
        sure = [1 - 1e-12, 1e-12, 0]
        assert answer(lemmas_with(["VERB"]), ["walked"], ["VERB"], [sure])[0] == [value]


def test_one_seen_with_another_part_of_speech_is_not_preferred():
    few = np.exp(-GAIN + 1)
    p = [[1 - few, few, 1e-30]]
    assert answer(lemmas_with(["VERB"]), ["walked"], ["VERB"], p)[0] == ["walk"]
    assert answer(lemmas_with(["VERB"]), ["walked"], ["NOUN"], p)[0] == ["walked"]
    assert answer(lemmas_with(["NOUN", "VERB"]), ["walked"], ["NOUN"], p)[0] == ["walk"]


def test_a_script_that_cuts_off_too_much_is_passed_over():
    p = [[0.1, 0.2, 0.7]]
    assert answer(lemmas_with([]), ["talk"], ["VERB"], p)[0] == ["ta"]
    assert answer(lemmas_with([]), ["go"], ["VERB"], p)[0] == ["go"]
    nothing = Lemmas(Vocab(["lower 0 6 0 "]), Vocab([]), np.zeros((0, 2)), Vocab([]))
    assert answer(nothing, ["Go"], [""], [[1.0]], best=2) == (["Go"], [[("Go", 1.0)]])


@pytest.mark.parametrize("T", [0.5, 1.0, 3.0])
def test_the_probabilities_of_lemmas_begin_with_the_answer_and_add_up_to_one(T):
    p = [[0.7, 0.25, 0.05], [0.2, 0.2, 0.6]]
    words, context = ["walked", "walking"], ["VERB", "NOUN"]
    plain, _ = answer(lemmas_with(["VERB"]), words, context, p)
    values, ranks = answer(lemmas_with(["VERB"]), words, context, p, best=3, T=T)
    assert values == plain == [rank[0][0] for rank in ranks]
    for rank in ranks:
        assert [q for _, q in rank] == sorted((q for _, q in rank), reverse=True)
        assert sum(q for _, q in rank) == pytest.approx(1)


@pytest.mark.parametrize("best", [0, 9])
def test_the_answer_is_the_best_of_all_scripts(best):
    rng = np.random.default_rng(1)
    scripts = Vocab([f"{case} 0 {n} 0 " for case in ("lower", "title") for n in range(4)])
    lexicon, contexts = Vocab(["abcd", "abcde", "abc", "ab", "xy", "X", "Ab"]), Vocab(["NOUN", "VERB"])
    for spread in (1, 4, 16):
        pairs = np.array([(l, rng.integers(3)) for l in range(1, len(lexicon.strings))])
        lemmas = Lemmas(scripts, lexicon, pairs.astype(np.float32), contexts, GAIN)
        known = {(lexicon.strings[l], contexts.strings[t]) for l, t in pairs.tolist()}
        for word in ["Abcd", "abcde", "XYZX"] * 20:
            log_p = np.log(softmax(spread * rng.normal(size=8)))
            sums = {lemma: log + GAIN * ((lemma, "NOUN") in known)
                    for k, log in sorted(enumerate(log_p), key=lambda pair: pair[1])
                    if (lemma := lemmas.scripts[k].apply(word)) is not None}
            found = answer(lemmas, [word], ["NOUN"], [np.exp(log_p)], best)
            assert found[0] == [max(sums, key=sums.get)]


def gain(*words):
    """What is learnt of words given as form, lemma and tag; the gain of their column."""
    forms, lemmas, tags = zip(*(word.split(" ") for word in words))
    given = [Sentence(list(forms), {"upos": Column(list(tags)), "lemma": Column(list(lemmas))})]
    return learnt(given)["lemma"].gain


def test_the_gain_is_the_odds_that_a_right_lemma_was_seen_and_a_wrong_one_not():
    """Of five verbs that occur once, three have a lemma that is seen elsewhere. Their scripts take off 2 characters
    (four of them) or none. So wrong are "walked" and so on, by a share of 1/5 each, never seen, and "be" of "bend",
    4/5, which is seen as a verb, and as a noun in the second corpus."""
    words = ["walked walk V", "bend bend V", *["be be V"] * 2]
    words += [f"{stem}{end} {stem} V" for stem in ("talk", "balk", "stalk") for end in ("ed", "s", "s")]
    right, not_right = 1 + 3, 1 + 2
    assert gain(*words) == pytest.approx(SURER * np.log(right / (1 + 0.8) * (1 + 0.8) / not_right))
    noun = ["be be N" if word.startswith("be ") else word for word in words]
    assert gain(*noun) == pytest.approx(SURER * np.log(right / 1 * (1 + 1.6) / not_right))


def test_the_gain_is_large_where_new_forms_are_of_old_lemmas_and_none_where_they_are_not():
    stems = [f"{a}{b}{c}" for a in "bdgk" for b in "aeiou" for c in "nprt"]
    inflected = [word for stem in stems for word in (f"{stem}ed {stem} V", f"{stem}es {stem} V")]
    assert gain(*inflected) > 5
    assert gain(*(f"{stem}ed {stem} V" for stem in stems)) == 0.0
    assert 0 <= gain("a a X") <= MAX_GAIN
    assert gain(*["a a X"] * 2) == 0.0


def test_a_gain_is_at_most_max_gain():
    assert gain(*(f"{i}x{end} {i}x V" for i in range(600) for end in ("", "ed"))) == MAX_GAIN


def unknowing(*scripts, gain=0.0):
    return Lemmas(Vocab(scripts), Vocab([]), np.zeros((0, 2)), Vocab([]), gain)


def test_a_form_is_its_lemma_when_the_only_script_cuts_off_too_much():
    assert answer(unknowing("lower 0 6 0 "), ["Go"], [""], [[1.0]])[0] == ["Go"]


def test_a_lemma_that_several_scripts_give_counts_as_the_best_of_them():
    lemmas = unknowing("lower 0 0 0 ", "keep 0 0 0 ", "lower 0 1 0 ", gain=GAIN)
    assert answer(lemmas, ["abc"], [""], [[0.5, 0.1, 0.4]])[0] == ["abc"]


def test_without_a_gain_there_are_alternatives_too():
    lemmas = unknowing("lower 0 0 0 ", "lower 0 1 0 ")
    assert answer(lemmas, ["abc"], [""], [[0.75, 0.25]], best=2)[1] == [
        [("abc", pytest.approx(0.75)), ("ab", pytest.approx(0.25))]]


def test_lemmas_that_are_written_and_those_of_scripts_are_weighed_together():
    p, written = np.log([[0.6, 0.4, 1e-9]]), [{"wolk": -0.5, "welk": -3.0}]
    scored = Scored(None, {}, p, None, 1.0, ["walked"], ["VERB"], written, (1.0, 0.5))
    least = -3.0 - FORGOTTEN
    sums = {"walk": np.log(0.4 / 0.6) + least + 0.5 * GAIN, "walked": least, "wolk": -GAIN - 0.5, "welk": -GAIN - 3.0}
    _, (ranks,) = lemmas_with(["VERB"]).answer(scored, 9)
    assert dict(ranks) == dict(zip(sums, map(pytest.approx, softmax(np.array(list(sums.values()))))))


def test_lemmas_of_both_corpora_are_known_without_parts_of_speech_too():
    old, new = (learnt([Sentence([word], {"lemma": Column([word])})])["lemma"] for word in ("a", "b"))
    both = new.with_those_of(old)
    assert both.saw("a", "") and both.saw("b", "")
