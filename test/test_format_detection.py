"""The format of a file found out, and sentences that cannot be read passed over."""

import io

import pytest
from formatted import CONLLU, VERTICAL, refusal, row, sentences, tagged

from rnntag import corpus
from rnntag.corpus import FORMATS, TAGGED, TO_TAG, Lines, Skipped, open_corpus, read_tagged
from rnntag.corpus.detect import detect_format
from rnntag.errors import CorpusError


# ------------------------------------------------------------------ passing over


@pytest.mark.parametrize("format, good, bad", [
    ("wordtag", b"a_X\n", b"b\n"), ("wordtag", b"a_X\n", b"\xff_X\n"), ("tokens", b"a\n", b"b  c\n"),
    ("vertical", b"a\tX\n\n", b"b\tY\nc\n\n"), ("vertical", b"a\tX\n\n", b"b\tY\n\xff\tZ\nc\tX\n\n"),
    ("conllu", row(1, "a", "X").encode() + b"\n", b"# text\n1\tb\n\n"), ("jsonl", b'{"tokens": ["a"]}\n', b"{\n")])
def test_a_sentence_that_cannot_be_read_is_passed_over_and_counted(format, good, bad):
    skipped = Skipped()
    found = sentences(good + bad + good + bad, format, skipped)
    assert [s.words for s in found] == [["a"], [], ["a"], []]
    assert skipped.count == 2 and str(skipped).startswith("2 sentences skipped that could not be read:\n  file:")
    with pytest.raises(CorpusError):
        sentences(good + bad, format)


def test_an_over_long_line_is_passed_over(monkeypatch):
    monkeypatch.setattr(corpus.lines, "MAX_LINE_BYTES", 10)
    for size in (10, 11, 25, 1000):
        skipped = Skipped()
        found = sentences(b"a\n" + b"x" * size + b"\nb\n" + b"y" * 11, "tokens", skipped)
        assert [(s.line, len(s)) for s in found] == [(1, 1), (2, int(size == 10)), (3, 1), (4, 0)]
        assert skipped.count == 1 + (size > 10)


def test_only_the_first_errors_are_told():
    skipped = Skipped()
    sentences("a\n" * 5, "wordtag", skipped)
    assert len(str(skipped).splitlines()) == 5 and str(skipped).endswith("\n  and 2 more")


def test_bytes_that_are_not_utf8_are_named_after_many_good_ones(monkeypatch):
    for size in (7, 64, 65_536):
        monkeypatch.setattr(corpus.lines, "BLOCK_BYTES", size)
        message = refusal(b"\xc3\xa9\n" * 50 + b"good \xff\n", "tokens")
        assert message.startswith("file:51: byte 0xff at byte 6 of the line (offset 155 in the file)")


def test_a_corpus_of_nothing_but_errors_says_so(write):
    with pytest.raises(CorpusError, match=r"no tagged sentences.* 2 sentences skipped"):
        read_tagged(write("f", b"a\nb\n"), "wordtag", skipped=Skipped())


def test_untagged_sentences_are_refused_where_tags_are_wanted(write):
    path = write("f", (row(1, "a") + "\n" + row(1, "b", "X")).encode())
    with pytest.raises(CorpusError, match="f:1: a sentence without tags; column UPOS has one for each word. "
                       "Pass over such sentences with --on-error skip."):
        read_tagged(path)
    with pytest.raises(CorpusError, match="f:2: token 2, 'b', has no tag; .*word. Pass over such .* skip."):
        read_tagged(write("f", (row(1, "a", "X") + row(2, "b")).encode()), field="upos")
    path = write("f", (row(1, "a") + "\n" + row(1, "b", "X")).encode())
    assert read_tagged(path, skipped=Skipped()) == [tagged(["b"], ["X"], 3)]
    with pytest.raises(CorpusError, match="f:1: a sentence without tags; column XPOS"):
        read_tagged(path, field="xpos")


# ------------------------------------------------------------------ finding out


def detect(path, choices):
    with open_corpus(path, None, choices, skipped=Skipped()) as (reader, _):
        return reader.name


@pytest.mark.parametrize("name, data, format", [
    ("f", CONLLU, "conllu"), ("f", VERTICAL, "vertical"), ("f", '{"tokens": ["a_X"]}\n', "jsonl"),
    ("f", "\n\n" + CONLLU, "conllu"), ("f", "{ a_X }_Y\n", None), ("f", "{ a b\n", "tokens"),
    ("f", "# a b\n", "tokens"), ("f", "a\n", "tokens"), ("f", "a\nb\nc\n", "tokens"), ("f", "a\n\nb\n", "tokens"),
    ("f", "a\nb\n\nc\nd\n\n", None), ("f", "a\tX\nb c\n" * 9, None), ("f", "a b\tX\n", None),
    ("x.conllu", "1 a b\n", "conllu"), ("x.JSONL", "", "jsonl"), ("x.tokens", "a_X b_Y\n", "tokens"),
    ("x.vertical", "a\nb\n\nc\nd\n\n", "vertical")])
def test_the_format_is_found_out_or_asked_for(write, name, data, format):
    path = write(name, data.encode())
    if format is None:
        with pytest.raises(CorpusError, match="Say which with --format"):
            detect(path, TO_TAG)
    else:
        assert detect(path, TO_TAG) == format


def test_a_new_format_needs_nothing_but_its_line_among_the_formats(write, monkeypatch):
    class Slashes(FORMATS["wordtag"]):
        name = "slashes"

        @classmethod
        def shown_by(cls, texts):
            return all(text.startswith("//") for text in texts)

    monkeypatch.setitem(FORMATS, "slashes", Slashes)
    choices = [*TAGGED, "slashes"]
    assert detect(write("f", b"//_X a_Y\n"), choices) == detect(write("x.slashes", b"a_X\n"), choices) == "slashes"
    assert detect(write("g", b"a_X\n"), choices) == "wordtag"


def test_a_format_that_is_not_wanted_is_named(write):
    with pytest.raises(CorpusError, match="it looks like conllu; wordtag or tags is wanted here"):
        detect(write("f", CONLLU.encode()), ["wordtag", "tags"])


def test_a_name_that_says_another_format_is_no_guess(write):
    with pytest.raises(CorpusError, match=r"x\.tags: it looks like tags, without words; wordtag, .* or jsonl is "
                       r"wanted here\. If it is one of these, say so with --format\."):
        detect(write("x.tags", b"NN VB\n"), TO_TAG)  # to tag tags as if they were words helps nobody
    with pytest.raises(CorpusError, match="it looks like tokens, without tags; wordtag, vertical, conllu or json"):
        detect(write("x.tokens", b"a b\n"), TAGGED)
    with pytest.raises(CorpusError, match="it looks like wordtag; tokens or conllu is wanted here. Change it with"):
        detect(write("x.wordtag", b"a_X\n"), ["tokens", "conllu"])
    with pytest.raises(CorpusError, match="nothing in it; it could be wordtag, tokens or tags. Say"):
        detect(write("x", b"\n"), ["wordtag", "tokens", "tags"])


def test_training_takes_wordtag_where_nothing_else_shows(write):
    with pytest.raises(CorpusError, match="f:1: token 2, 'b', has no tag"):
        read_tagged(write("f", b"a_X b\n"))
    assert detect(write("g", b""), TAGGED) == "wordtag"


def test_lines_that_cannot_be_read_are_no_hindrance(write):
    path = write("f", b"\xff\n" + VERTICAL.encode())
    skipped = Skipped()
    with open_corpus(path, None, TAGGED, skipped=skipped) as (reader, found):
        assert reader.name == "vertical" and [s.words for s in found] == [[], [], ["c d"]]
    assert skipped.count == 1


def test_standard_input_is_judged_by_its_first_line(monkeypatch):
    class Dialogue(io.BytesIO):
        def read1(self, size=-1):
            return self.readline()

    for first, second, format in [("a b\n", None, "tokens"), ("a_X\n", None, "wordtag"), ("# 1 a\n", None, "tokens"),
                                  ("# sent_id = 1\n# text = a\n", row(1, "a"), "conllu")]:
        stream = Dialogue((first + (second or "") + "x\n" * 9).encode())
        lines = Lines(stream, "-")
        assert detect_format(lines, FORMATS, TO_TAG, "_") == format
        assert stream.tell() == len((first + (second or "")).encode())
