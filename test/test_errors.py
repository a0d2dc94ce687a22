import pytest

from rnntag.errors import CorpusError, RnntagError, plural, quote


def test_a_message_has_place_found_wanted_and_next_step():
    error = CorpusError("9 columns", "CoNLL-U has 10", "Is it TSV?", "dev.conllu:42")
    assert str(error) == "dev.conllu:42: 9 columns; CoNLL-U has 10. Is it TSV?"


@pytest.mark.parametrize("parts, text", [
    (("gone",), "gone."),
    (("gone", "", "Look elsewhere."), "gone. Look elsewhere."),
    (("gone", "", "", "here"), "here: gone."),
    (("is it gone?",), "is it gone?"),
])
def test_parts_of_a_message_may_be_missing(parts, text):
    assert str(RnntagError(*parts)) == text


def test_a_place_given_later_is_shown():
    error = CorpusError("gone")
    error.place = "file:3"
    assert str(error) == "file:3: gone."


def test_one_is_singular_and_all_else_plural():
    assert [plural(count, "token") for count in (0, 1, 2000)] == ["0 tokens", "1 token", "2,000 tokens"]


def test_quoted_text_is_escaped_and_cut():
    assert quote("a\nb\u2028") == r"'a\nb\u2028'"
    assert quote("x" * 70) == "'" + "x" * 60 + "...'"
    assert quote("x" * 60) == "'" + "x" * 60 + "'"
