"""Edit scripts: a lemma is made of its form again, and what is no script is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnntag.text.scripts import Script, lowered, script

EXAMPLES = [
    ("studies", "study", "lower 0 3 0 y"), ("Talking", "talk", "lower 0 3 0 "),
    ("gekauft", "kaufen", "lower 2 1 0 en"),
    ("NASA's", "NASA", "keep 0 2 0 "), ("LONDON", "London", "title 0 0 0 "), ("nato", "NATO", "upper 0 0 0 "),
    ("better", "good", "whole good"), ("the", "the", "lower 0 0 0 "), ("\u0130ki", "iki", "lower 0 0 0 "),
    ("iphones", "iPhone", "whole iPhone"), ("a b", "c a", "lower 0 2 2 c "), ("x" * 300, "x" * 300, "lower 0 0 0 "),
    ("x" * 300, "x" * 299, "whole " + "x" * 299)]


@pytest.mark.parametrize("form, lemma, text", EXAMPLES)
def test_a_script_says_what_is_cut_off_and_what_is_put_there(form, lemma, text):
    assert str(script(form, lemma)) == text and script(form, lemma).apply(form) == lemma


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(WORDS, WORDS)
def test_a_script_makes_its_lemma_of_its_form_and_is_read_back(form, lemma):
    found = script(form, lemma)
    assert found.apply(form) == lemma and Script.parse(str(found)) == found


@given(st.text("abAB", min_size=1, max_size=8), st.text("abAB", min_size=1, max_size=8), st.text("abAB", max_size=8))
def test_a_script_leaves_something_of_a_form_or_is_not_possible(form, lemma, other):
    found = script(form, lemma)
    made = found.apply(other)
    assert (made is None) == (len(other) < found.least) and made != ""


def test_lower_case_keeps_the_number_of_characters():
    assert all(len(lowered(chr(code))) == 1 for code in range(0x110000) if not 0xd800 <= code < 0xe000)


@pytest.mark.parametrize("text", [
    "", "lower", "whole", "whole ", "lower 0 0 0", "lower 0 0 1 ", "lower -1 0 0 x", "lower 0 0 -1 xy",
    "lower 00 0 0 x", "lower 0 0 x", "Lower 0 0 0 x", "lower +1 0 0 x", "lower 1000000 0 0 x",
    "lower " + "9" * 5000 + " 0 0 x", "lower 1_0 0 0 x"])
def test_what_is_no_script_is_refused(text):
    with pytest.raises(ValueError):
        Script.parse(text)
