"""Tokens of several words: as seen, by the rule of the most similar, or not at all."""

import pytest

from rnntag.corpus.segmented import Paragraph
from rnntag.errors import OptionError
from rnntag.text import multiword
from rnntag.text.multiword import Endings, Splitter, apply, cased, entries, from_entries, rule_of


def corpus(**tokens):
    """A paragraph of tokens, each with its words, ``do+n't``, or with "" for one word."""
    paragraph, at = Paragraph(" ".join(tokens)), 0
    for i, (token, words) in enumerate(tokens.items()):
        paragraph.tokens.append((at, at + len(token)))
        at += len(token) + 1
        if words:
            paragraph.splits[i] = tuple(words.split("+"))
    paragraph.sentences.append(len(tokens))
    return paragraph


NOUNS = "dog cat man child king queen farmer baker".split()
ENGLISH = corpus(**{noun: "" for noun in NOUNS}, **{f"{noun}'s": f"{noun}+'s" for noun in NOUNS}, grass="", glass="")
FRENCH = corpus(**{f"l'{noun}": f"l'+{noun}" for noun in NOUNS}, **{noun: "" for noun in NOUNS}, du="de+le", lait="")


def test_a_rule_exchanges_an_ending_for_words():
    assert rule_of("don't", ("do", "n't")) == ("n't", "", "n't")
    assert rule_of("du", ("de", "le")) == ("u", "e", "le")
    assert rule_of("dog", ()) == ()
    assert apply(("u", "e", "le"), "du") == ("de", "le")
    assert apply(("u", "e", "le"), "u") == apply(("u", "e", "le"), "dan") == apply((), "du") == ()


def test_a_token_that_was_seen_is_split_as_there():
    splitter = Splitter.learnt([FRENCH])
    assert [splitter(token) for token in ("du", "Du", "DU", "lait")] == [
        ("de", "le"), ("De", "le"), ("DE", "LE"), ()]


def test_a_token_that_is_split_now_and_then_follows_the_majority():
    more = [corpus(dos=""), corpus(dos=""), corpus(dos="de+os"), corpus(des="de+les"), corpus(des="de+les"),
            corpus(des="")]
    splitter = Splitter.learnt(more)
    assert (splitter("dos"), splitter("des")) == ((), ("de", "les"))


def test_an_unseen_token_is_split_as_those_with_the_same_ending_or_beginning():
    assert Splitter.learnt([ENGLISH])("witch's") == ("witch", "'s")
    assert Splitter.learnt([ENGLISH])("WITCH'S") == ("WITCH", "'S")
    assert Splitter.learnt([ENGLISH])("mess") == ()
    assert Splitter.learnt([FRENCH])("l'ami") == ("l'", "ami")
    assert Splitter.learnt([FRENCH])("L'ami") == ("L'", "ami")


def test_without_a_rule_that_is_right_for_what_was_left_out_no_unseen_token_is_split():
    odd = corpus(ab="x+y", cb="z+w", db="", eb="", fb="", gb="", hb="r+s", ib="")
    splitter = Splitter.learnt([odd])
    assert splitter.unseen == [] and splitter("ab") == ("x", "y") and splitter("qb") == ()


def test_a_token_that_was_one_word_stays_one():
    splitter = Splitter.learnt([ENGLISH, corpus(**{"Dog's": ""})])
    assert splitter.whole == {"Dog's"} and splitter("Dog's") == () and splitter("DOG'S") == ("DOG", "'S")


def test_a_corpus_without_such_tokens_splits_nothing():
    splitter = Splitter.learnt([corpus(dog="", cat="")])
    assert (splitter.seen, splitter.unseen, splitter("dog's")) == ({}, [], ())


@pytest.mark.parametrize("token, words, found", [
    ("DON'T", ("do", "n't"), ("DO", "N'T")), ("Don't", ("do", "n't"), ("Do", "n't")),
    ("Du", ("de", "le"), ("De", "le")), ("DU", ("de", "le"), ("DE", "LE")), ("A", ("a", "x"), ("A", "x")),
    ("\u0130x", ("i\u0307", "x"), ("I\u0307", "x")), ("a", (), ())])
def test_words_have_the_case_of_their_token(token, words, found):
    assert cased(token, words) == found


def test_tables_are_strings_and_back():
    table = {"don't": ("do", "n't"), "whole": ()}
    assert from_entries(entries(table), 2) == table
    for wrong in (["a\tb"], ["\tb\tc"], ["a", "a\tb\tc"], ["a\t\t"][:0] or [""]):
        with pytest.raises(OptionError):
            from_entries(wrong, 2)


def test_endings_are_few():
    rules = Endings.learnt({"dog's": ("dog", "'s"), "cat's": ("cat", "'s"), "dogs": (), "cats": ()}, False).rules
    assert rules == {"'s": ("'s", "", "'s")}


def test_a_token_counts_once_for_each_of_its_endings():
    assert Endings.learnt({"ab": ("a", "b"), "xab": (), "yab": ()}, False).rules == {}


def test_few_tokens_are_remembered(monkeypatch):
    monkeypatch.setattr(multiword, "REMEMBERED", 2)
    splitter = Splitter.learnt([ENGLISH])
    assert all(splitter(f"{n}'s") == (n, "'s") and len(splitter._words) <= 2 for n in "abcde")
