"""Raw text as a stream."""

import io

import pytest

from rnntag.corpus import rawtext
from rnntag.corpus.rawtext import Parts, characters
from rnntag.errors import CorpusError


def parts(*blocks, lines=False):
    return [part.text for part in Parts(blocks, lines)]


def test_a_paragraph_ends_at_a_blank_line_of_any_kind():
    assert parts("a\nb\n\nc") == ["a\nb\n\n", "c"]
    assert parts("a\r\nb\r\n \t\r\n\nc\r\rd\u2029e") == ["a\r\nb\r\n \t\r\n\n", "c\r\r", "d\u2029", "e"]
    assert parts("a\r\nb") == ["a\r\nb"]


def test_a_line_is_a_part_where_lines_are_asked_for():
    assert parts("a b\nc\r\n\n d\n", lines=True) == ["a b\n", "c\r\n\n ", "d\n"]


def test_blocks_may_end_anywhere():
    text = "one\ntwo\r\n\r\nthree\n\n\nfour"
    whole = parts(text)
    for at in range(len(text)):
        assert "".join(parts(text[:at], text[at:])) == text
        assert [part.strip() for part in parts(text[:at], text[at:]) if part.strip()] == [
            part.strip() for part in whole]


def test_what_is_given_back_begins_the_next_part(monkeypatch):
    monkeypatch.setattr(rawtext, "MAX_PART", 4)
    source, found = Parts(["abcdefg\n\nh"]), []
    for part in source:
        found.append((part.text, part.offset, part.ends))
        if len(found) == 1:
            source.give_back("d")
    assert found == [("abcd", 0, False), ("defg", 3, False), ("\n\n", 7, True), ("h", 9, True)]


def test_parts_know_the_line_in_which_they_begin():
    assert [part.line for part in Parts(["a\nb\n\n\nc\n\nd"])] == [1, 5, 7]


class Dripping(io.BytesIO):
    """A stream that gives few bytes at once, as a pipe may."""

    def read1(self, size=-1):
        return super().read1(3)


def test_characters_may_be_cut_by_the_blocks_they_come_in():
    text = "\ufeffa\u00e9\U0001f600\x00\r\n\u2028" * 9
    assert "".join(characters(Dripping(text.encode()), "x")) == text


@pytest.mark.parametrize("data, message", [
    (b"a\nb\xffc", "x:2: byte 0xff (offset 3 in the file) is not UTF-8"),
    (b"abcd\xc3", "x:1: byte 0xc3 (offset 4 in the file) is not UTF-8"),
    (b"ab\n\xe2\x82", "x:2: byte 0xe2 (offset 3 in the file) is not UTF-8")])
def test_what_is_not_utf8_is_named_with_its_place(data, message):
    for kind in (io.BytesIO, Dripping):
        with pytest.raises(CorpusError) as error:
            list(characters(kind(data), "x"))
        assert str(error.value).startswith(message)
