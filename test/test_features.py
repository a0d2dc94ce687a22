"""Words to features, features to rows, words to characters."""

from collections import Counter

import numpy as np
import pytest

from rnntag.text import features
from rnntag.text.features import (MAX_CHARACTERS, FeatureMap, WordTable, characters, ngrams, normalized, shape,
                                  slots_of, stored_slots, word_features)
from rnntag.text.vocab import Vocab

ALL = ("form", "lower", "prefixes", "suffixes", "shape")


@pytest.mark.parametrize("word, outline", [
    ("dog", "xx"), ("Dog", "Xxx"), ("USA", "XX"), ("a", "x"), ("1999", "dd"), ("3", "d"),
    ("McDonald's-98", "XxXxx'x-dd"), ("...", ".."), ("--", "--"), ("U.S.", "X.X."), ("", ""),
    ("Straße", "Xxx"), ("Ёлка", "Xxx"), ("Ὀδυσσεύς", "Xxx"), ("東京都", "oo"), ("ال", "oo"), ("ไทย", "oo"),
    ("٣٤", "dd"), ("Ⅷ", "d"), ("ǅ", "X"), ("a\u00a0b", "x\u00a0x"), ("\U0001d400\U0001d41a", "Xx")])
def test_the_shape_is_the_outline_of_a_word(word, outline):
    assert shape(word) == outline


def test_a_run_of_one_kind_is_cut_after_two():
    assert shape("aaa") == shape("aa") != shape("a")
    assert shape("aaaBBB111") == "xxXXdd"


def test_affixes_are_those_of_the_lower_cased_word():
    slots = slots_of(("prefixes", "suffixes"))
    assert dict(zip(slots, word_features("Reading", slots))) == {
        "pre1": "r", "pre2": "re", "pre3": "rea", "pre4": "read",
        "suf1": "g", "suf2": "ng", "suf3": "ing", "suf4": "ding", "suf5": "ading"}


def test_affixes_of_a_short_word_are_the_word():
    slots = slots_of(("prefixes", "suffixes"))
    assert word_features("Ab", slots) == ["a", "ab", "ab", "ab", "b", "ab", "ab", "ab", "ab"]
    assert word_features("I", slots) == ["i"] * 9


def test_affixes_count_characters_in_any_script():
    slots = slots_of(("prefixes", "suffixes"))
    assert word_features("東京都庁前", slots) == [
        "東", "東京", "東京都", "東京都庁", "前", "庁前", "都庁前", "京都庁前", "東京都庁前"]
    assert word_features("ДОМ", slots)[:2] == ["д", "до"]


def test_slots_follow_the_order_of_the_names():
    assert slots_of(("shape", "form")) == ("shape", "form")
    assert slots_of(ALL) == ("form", "lower", "pre1", "pre2", "pre3", "pre4", "suf1", "suf2", "suf3", "suf4", "suf5",
                             "shape")
    assert word_features("Dog", ("shape", "form", "lower")) == ["Xxx", "Dog", "dog"]


def test_each_slot_has_a_block_of_rows_and_an_unknown_row_of_its_own():
    features = FeatureMap.build(["ab", "ba", "ab"], ("form", "shape", "suffixes"))
    # form: unknown, ab, ba; shape: unknown, xx; suf1: unknown, b, a; suf2 .. suf5: unknown, ab, ba
    assert features.offsets.tolist() == [0, 3, 5, 8, 11, 14, 17]
    assert features.rows == 20
    assert features(["ab", "ba"]).tolist() == [[1, 4, 6, 9, 12, 15, 18], [2, 4, 7, 10, 13, 16, 19]]
    assert features(["Q9"])[0].tolist() == features.offsets.tolist()
    assert features(["bb"])[0].tolist() == [0, 4, 6, 8, 11, 14, 17]  # shape and last letter are known


def test_rare_features_are_unknown():
    features = FeatureMap.build(["the", "the", "The", "dog"], ("form", "lower"), min_count=2)
    assert features(["the", "The", "dog"]).tolist() == [[1, 3], [0, 3], [0, 2]]


def test_unseen_rows_are_those_of_a_word_that_the_corpus_lacks():
    names = ("form", "lower", "suffixes")
    table = WordTable(FeatureMap.build(["Aab", "aab", "xab"], names))
    table.ids(["Aab", "aab", "xab"])
    table.set_dropout(1.0, Counter())
    without = FeatureMap.build(["aab", "xab"], names)
    kept = [row != offset for row, offset in zip(table.unseen[0], table.map.offsets)]
    assert kept == [row != offset for row, offset in zip(without(["Aab"])[0], without.offsets)]
    assert kept == [False, True, True, True, True, True, True]  # as "aab" is still there
    assert (table.unseen[2, 4:] == table.map.offsets[4:]).all()  # xab shares b and ab, no more


def test_no_words_and_no_features_give_arrays_of_that_shape():
    assert FeatureMap.build(["a"], ("form", "shape"))([]).shape == (0, 2)
    assert FeatureMap.build(["a"], ())(["a", "b"]).shape == (2, 0)


# ------------------------------------------------------------------ characters


def test_characters_are_ids_and_the_unknown_is_0():
    assert [ids.tolist() for ids in characters(["ab", "b?", ""], Vocab("ab"))] == [[1, 2], [2, 0], [0]]


def test_of_a_long_word_both_ends_are_read():
    half = MAX_CHARACTERS // 2
    (ids,) = characters(["a" * 100 + "c" * 100 + "b" * 100], Vocab("abc"))
    assert ids.tolist() == [1] * half + [2] * half
    (whole,) = characters(["a" * MAX_CHARACTERS], Vocab("abc"))
    assert len(whole) == MAX_CHARACTERS


# ------------------------------------------------------------------ the table of words


def table(names=("form", "shape"), **kwargs):
    return WordTable(FeatureMap.build(["dog", "Cat"], names), **kwargs)


def test_a_word_has_one_row_whenever_it_is_asked_for():
    words = table()
    assert words.ids(["dog", "cow", "dog"]).tolist() == [0, 1, 0]
    assert words.ids(["Cat", "cow"]).tolist() == [2, 1]
    assert len(words) == 3
    assert (words.features == words.map(["dog", "cow", "Cat"])).all()
    assert words.ids([]).dtype == np.intp


def test_characters_and_vectors_are_looked_up_for_each_new_word():
    words = table(alphabet=Vocab("dog"), vectors=Vocab(["dog", "Dog", "cat"]))
    words.ids(["dog", "Dog", "DOG", "Cat", "cow"])
    words.ids(["god"])
    assert [ids.tolist() for ids in words.characters][:2] == [[1, 2, 3], [0, 2, 3]]
    assert len(words.characters) == 6
    assert words.vectors.tolist() == [1, 2, 1, 3, 0, 0]  # as written, then lower-cased, then none


def test_words_are_dropped_the_more_often_the_rarer_they_are():
    words = table()
    words.ids(["the", "dog", "unseen"])
    words.set_dropout(0.25, Counter({"the": 99, "dog": 1}))
    assert words.dropout == pytest.approx([0.25 / 99.25, 0.2, 0.2])
    words.set_dropout(0.0, Counter())
    assert words.dropout.tolist() == [0, 0, 0]


def test_cleared_words_begin_again():
    words = table(alphabet=Vocab("dog"), vectors=Vocab(["dog"]))
    words.ids(["dog", "cow"])
    words.clear()
    assert (len(words), len(words.features), len(words.characters), len(words.vectors)) == (0, 0, 0, 0)
    assert words.ids(["cow"]).tolist() == [0]


def test_signs_that_combine_with_a_letter_leave_no_mark_in_the_shape():
    assert shape("e\u0301te\u0301") == "xx"
    assert shape("\u0939\u093f\u0928\u094d\u0926\u0940") == "oo"  # Hindi: letters, vowel signs, a virama


def test_the_slots_of_a_stored_model_may_have_other_affixes():
    assert stored_slots(("form", "suffixes"), {"form", "suf2", "suf1"}) == ("form", "suf1", "suf2")
    assert stored_slots(("suffixes", "form"), {"form", "suf9"}) == ("suf9", "form")


@pytest.mark.parametrize("stored", [{"form"}, {"form", "suf1", "pre1"}, {"form", "suf10"}, {"suf1"}, {"form", "x"}])
def test_slots_that_do_not_fit_the_named_features_are_none(stored):
    assert stored_slots(("form", "suffixes"), stored) is None


# ------------------------------------------------------------------ Unicode forms


@pytest.mark.parametrize("form, known", [("none", [1, 0, 0]), ("nfc", [1, 1, 0]), ("nfkc", [1, 1, 1])])
def test_words_are_looked_up_in_their_normal_form(form, known):
    words = ["\u00e9fi", "e\u0301fi", "\u00e9\ufb01"]  # composed, decomposed, with a ligature
    table = WordTable(FeatureMap.build(words[:1], ("form",)), Vocab(sorted(words[0])), Vocab(words[:1]), form)
    assert table.ids(words).tolist() == [0, 1, 2]  # rows of their own, filled alike
    assert table.features[:, 0].tolist() == table.vectors.tolist() == known
    assert [0 not in ids for ids in table.characters] == [bool(k) for k in known]
    assert normalized(words, form).count(words[0]) == sum(known)


def test_outlines_of_long_words_are_not_kept():
    features._shortened.cache_clear()
    assert features.shape("ab" * 500 + "C") == "xxX" and features.shape("abbaC") == "xxX"
    assert features._shortened.cache_info().currsize == 1


def test_a_word_has_no_row_until_all_of_it_is_known(monkeypatch):
    table = WordTable(FeatureMap.build(["dog", "cat"], ALL), Vocab("acdgot"), Vocab(["dog"]))
    table.ids(["dog"])

    def interrupt(*_args):
        raise KeyboardInterrupt

    for broken in ("normalized", "characters"):
        with monkeypatch.context() as patch:
            patch.setattr(features, broken, interrupt)
            with pytest.raises(KeyboardInterrupt):
                table.ids(["goat", "dog"])
    assert len(table) == 1 and table.ids(["cat", "dog", "cat"]).tolist() == [1, 0, 1]
    fresh = WordTable(table.map, table.alphabet, table.vocab)
    fresh.ids(["dog", "cat"])
    assert (table.features == fresh.features).all() and (table.vectors == fresh.vectors).all()
    assert list(map(list, table.characters)) == list(map(list, fresh.characters))
    assert table.characters_read == 6


# ------------------------------------------------------------------ n-grams


def test_the_n_grams_of_a_word_are_its_runs_of_characters_with_marks_at_both_ends():
    assert ngrams("Ab") == ["<a", "ab", "b>", "<ab", "ab>", "<ab>"]
    assert max(map(len, ngrams("unbelievable"))) == 5 and len(ngrams("x" * 1000)) == len(ngrams("x" * 64))


def test_n_grams_that_few_different_words_have_are_not_kept():
    words = [f"{letter}ing" for letter in "abcde"]
    features = FeatureMap.build([*words, *["thorn"] * 9], ("form", "ngrams"))
    assert set(features.ngrams.strings[1:]) == {"in", "ng", "g>", "ing", "ng>", "ing>"}
    assert features.slots == ("form",) and features.rows == 7
    assert [ids.tolist() for ids in features.ngram_ids(["zing", "q"])] == [
        [features.ngrams[gram] for gram in ("in", "ng", "g>", "ing", "ng>", "ing>")], [0]]


def test_a_word_table_has_the_n_grams_of_each_word():
    table = WordTable(FeatureMap.build([f"{letter}ing" for letter in "abcde"], ("ngrams",)))
    assert table.ids(["sing", "?", "sing"]).tolist() == [0, 1, 0]
    assert [len(ids) for ids in table.ngrams] == [6, 1] and table.features.shape == (2, 0)
