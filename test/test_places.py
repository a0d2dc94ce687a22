"""Places at which a token may end, pieces, the n-grams around them."""

import numpy as np
import pytest

from rnntag.corpus.segmented import Surface, joined
from rnntag.errors import OptionError
from rnntag.text.grams import OUTSIDE, SPANS, Grams, symbol, types
from rnntag.text.places import Places, character_type
from rnntag.text.vocab import Vocab


def paragraph(*sentences):
    """Sentences of tokens, ``~`` at the end of one after which no space stands."""
    split = [sentence.split(" ") for sentence in sentences]
    return joined([Surface([token.rstrip("~") for token in tokens],
                           ["" if token[-1] == "~" else " " for token in tokens], "", {}) for tokens in split])


ENGLISH = [paragraph("He~ ,~ who can~ not swim~ ,~ sank~ .", "At 10~ :~ 30 he rose~ ."),
           *[paragraph("Nevertheless everybody understood afterwards~ .")] * 9]


def test_types_are_script_and_category():
    assert [character_type(char) for char in "aÉか漢ア1. \u0301"] == [
        "LATIN Ll", "LATIN Lu", "HIRAGANA Lo", "CJK Lo", "KATAKANA Lo", "Nd", "Po", "Zs", "COMBINING Mn"]


def test_a_word_is_a_piece_and_so_is_a_sign():
    places = Places.learnt(ENGLISH)
    assert places.cut("She, too, swam.").pieces == ["She", ",", " too", ",", " swam", "."]


def test_inside_words_a_place_is_open_where_a_token_did_end():
    places = Places.learnt(ENGLISH)
    assert "LATIN Ll,LATIN Ll" in places.closed and places.pairs == ["nn"]
    assert places.cut("Annoying!").pieces == ["An", "noying", "!"]


def test_every_end_of_a_token_is_a_place():
    places = Places.learnt(ENGLISH)
    for text in ENGLISH:
        assert {end for _, end in text.tokens} <= set(places.cut(text.text).ends.tolist())


def test_pairs_of_types_that_were_never_seen_are_open_but_within_words():
    places = Places.learnt(ENGLISH)
    assert places.cut("слово а\u0301б 漢か१२").pieces == ["слово", " а\u0301б", " 漢", "か१२"]
    assert places.cut("\U0001f468\u200d\U0001f469").pieces == ["\U0001f468\u200d\U0001f469"]


def test_spaces_of_any_kind_stand_before_a_piece_as_one():
    cut = Places.learnt(ENGLISH).cut("  a\u00a0\n b\r\n")
    assert cut.pieces == ["a", " b"]
    assert (cut.starts.tolist(), cut.ends.tolist(), cut.space.tolist()) == ([2, 6], [3, 7], [True, False])


@pytest.mark.parametrize("text", ["", " ", "\n\u2028\ufeff"])
def test_text_without_a_token_has_no_pieces(text):
    assert Places.learnt(ENGLISH).cut(text).pieces == []


def test_several_texts_are_cut_at_once():
    places = Places.learnt(ENGLISH)
    cut = places.cut("a b\n\nc.\n\nd", [5, 9, 10])
    assert cut.pieces == ["a", " b", "c", ".", "d"] and cut.text.tolist() == [0, 0, 1, 1, 2]
    assert places.cut("abcd", [2, 4]).pieces == ["ab", "cd"]


def test_a_space_that_was_a_token_is_no_separator():
    japanese = joined([Surface(["言語", "\u3000", "処理"], ["", "", ""], "", {})])
    places = Places.learnt([japanese])
    assert places.solid == ["\u3000"]
    assert places.cut("語\u3000処 理").pieces == ["語", "\u3000", "処", " 理"]


def test_a_space_may_be_inside_a_token_where_one_was():
    text = joined([Surface(["1 000", "men"], [" ", ""], "", {})])
    cut = Places.learnt([text]).cut("2 500 men 3\n4 5  6 7\u00a08")
    assert cut.pieces == ["2", " 500", " men", " 3", " 4", " 5", " 6", " 7", " 8"]
    assert cut.inner.tolist() == [True, False, False, False, True, False, True, True, False]


def test_characters_that_come_later_do_not_change_what_was_cut_before():
    places, again = Places.learnt(ENGLISH), Places.learnt(ENGLISH)
    before = places.cut("He, who").pieces
    again.cut("漢字 \u0300 \ue000 \U000e0001 0")
    assert again.cut("He, who").pieces == before


# ------------------------------------------------------------------ n-grams


def test_a_symbol_is_a_character_or_a_shape():
    assert [symbol(piece) for piece in ("か", " a", " Smith", "MacDonald's")] == ["か", " a", " Xxx", "XxxXxx'x"]
    assert [types(piece) for piece in ("か", " a", " Smith")] == ["HIRAGANA Lo", " LATIN Ll", " LATIN Lu-LATIN Ll"]


def rows(grams, *texts):
    """The n-grams around each place as strings, by looking up the rows."""
    ids = np.array([i for text in texts for i in grams.vocabs[0].ids(text)])
    number = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    found = grams.around(ids, number)
    return [[grams.vocabs[n - 1].strings[row - first] for row, (_, n), first in zip(place, SPANS, grams.offsets)]
            for place in found.tolist()]


def test_the_rows_are_those_of_the_grams_around_each_place():
    texts = ["abcab", "b"]
    grams = Grams.build(texts, 1)
    for text, own in zip(texts, np.split(np.array(rows(grams, *texts), object), [5])):
        padded = [OUTSIDE] * 2 + list(text) + [OUTSIDE] * 2
        assert own.tolist() == [["\t".join(padded[2 + i + first:2 + i + first + n]) for first, n in SPANS]
                                for i in range(len(text))]


def test_grams_that_were_not_seen_are_unknown():
    grams = Grams.build(["aab", "aab", "c"], 2)
    assert "c" not in grams.vocabs[0] and "a\tb" in grams.vocabs[1]
    (first, _) = rows(grams, "ac")
    assert [first[SPANS.index(span)] for span in ((1, 1), (0, 2), (-1, 2))] == ["", "", "\n\ta"]


@pytest.mark.parametrize("strings", [(["a", OUTSIDE], ["a\tx"], []), (["a", OUTSIDE], ["a"], []),
                                     (["a", OUTSIDE], ["a\ta"], ["a\ta\tx"]), (["a", OUTSIDE], [], ["a\ta\ta"])])
def test_grams_of_what_is_not_known_are_refused(strings):
    with pytest.raises(OptionError):
        Grams([Vocab(own) for own in strings])
