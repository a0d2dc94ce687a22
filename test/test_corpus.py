import io
import itertools
import warnings

import pytest

from rnntag import corpus
from rnntag.corpus import FORMATS, Column, LineFormat, Lines, Sentence, open_corpus, read, read_tagged
from rnntag.errors import CorpusError, CorpusWarning, OptionError, RnntagError

ODD = ["under_score", "_", "a__b", "ideographic\u3000space", "no\u00a0break", "line\u2028separator",
       "next\u0085line", "form\x0cfeed", "tab\tbed", "vertical\x0bx", "e\u0301", "\U0001f600",
       "re\rturn", "\ufeff"]


def lines(data):
    return list(Lines(io.BytesIO(data), "file"))


def sentences(data, format, separator="_"):
    return list(FORMATS[format](separator).read(Lines(io.BytesIO(data), "file")))


def refusal(data, format, separator="_"):
    with pytest.raises(CorpusError) as error:
        sentences(data, format, separator)
    return str(error.value)


LINE_FORMATS = [name for name, format in FORMATS.items() if issubclass(format, LineFormat)]

# ------------------------------------------------------------------ sentences


def test_the_tags_of_a_sentence_are_its_first_column():
    assert Sentence(["a"], ["X"]) == Sentence(["a"], {"": Column(["X"])}) != Sentence(["a"], {"upos": Column(["X"])})
    two = Sentence(["a"], {"xpos": Column(["X"]), "lemma": Column(["b"])})
    assert (two.tags, two.first) == (["X"], Column(["X"]))
    assert (Sentence(["a"]).tags, Sentence(["a"]).first, Sentence([], []).tags) == (None, None, [])
    assert "'xpos': Column(values=['X'])" in repr(two)


def test_new_tags_keep_their_column_and_no_confidence():
    sentence = Sentence(["a"], {"xpos": Column(["X"], [[("X", 0.5)]]), "lemma": Column(["b"], [[("b", 1.0)]])})
    sentence.tags = ["Y"]
    assert list(sentence.columns) == ["xpos", "lemma"] and sentence.tags == ["Y"]
    assert sentence.first.best is None and sentence.columns["lemma"].best == [[("b", 1.0)]]
    sentence.tags = None
    assert sentence == Sentence(["a"])
    sentence.tags = ["Z"]
    assert sentence == Sentence(["a"], ["Z"])


def test_sentences_share_no_columns():
    one, two = Sentence(["a"]), Sentence(["a"])
    one.tags = ["X"]
    assert two.tags is None


# ------------------------------------------------------------------ lines


@pytest.mark.parametrize("data, expected", [
    (b"", []), (b"\n", [""]), (b"a\nb\n", ["a", "b"]), (b"a\nb", ["a", "b"]),
    (b"\n\na\n\n", ["", "", "a", ""]),
    ("a\u2028b\u0085c\x0cd\x1ce\n".encode(), ["a\u2028b\u0085c\x0cd\x1ce"]), (b"a\rb\n", ["a\rb"])])
@pytest.mark.filterwarnings("ignore:.* a carriage return")
def test_lines_end_in_lf_and_nothing_else(data, expected):
    assert lines(data) == list(enumerate(expected, 1))


def test_crlf_is_read_as_lf_with_one_warning():
    with pytest.warns(CorpusWarning, match=r"file:2: Windows line ends") as caught:
        assert lines(b"a\nb c\r\n\r\nd\r") == [(1, "a"), (2, "b c"), (3, ""), (4, "d")]
    assert len(caught) == 1


@pytest.mark.parametrize("data, texts, line", [
    (b"a b\rc d\r", ["a b\rc d\r"], 1), (b"a\nb\r", ["a", "b\r"], 2), (b"\n\r", ["", "\r"], 2),
    (b"a\nb\rc\nd\re\n", ["a", "b\rc", "d\re"], 2), (b"a\r\r\n", ["a\r"], 1)])
def test_a_carriage_return_that_ends_no_line_is_kept_with_one_warning(data, texts, line):
    with pytest.warns(CorpusWarning) as found:
        assert [text for _, text in lines(data)] == texts
    (message,) = {str(each.message) for each in found} - {"file:1: Windows line ends (CRLF); read as LF"}
    assert message.startswith(f"file:{line}: a carriage return (CR) within a line; lines end at LF. Are these line "
                              "ends of old Macs?")


def test_among_windows_line_ends_the_last_one_may_be_cut_off():
    with pytest.warns(CorpusWarning, match="CRLF") as found:
        assert [text for _, text in lines(b"a\r\nb\r")] == ["a", "b"]
    assert len(found) == 1


def test_an_over_long_line_of_old_line_ends_is_called_so(monkeypatch):
    monkeypatch.setattr(corpus.lines, "MAX_LINE_BYTES", 10)
    with pytest.raises(CorpusError, match="a line of more than 10 bytes; .* Are these line ends of old Macs?"):
        list(lines(b"a b\rc d\re f\rg h"))


def test_a_byte_order_mark_is_dropped_with_a_warning():
    with pytest.warns(CorpusWarning, match="file:1: a byte order mark"):
        assert lines(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n") == [(1, "a"), (2, "\ufeffb")]


@pytest.mark.parametrize("data, place, byte, offset", [
    (b"good\nbad \xff here\n", "file:2", 5, 9), (b"\xff", "file:1", 1, 0),
    (b"a\n\nb\xe3\x81", "file:3", 2, 4)])
def test_bytes_that_are_not_utf8_are_reported_with_line_and_offset(data, place, byte, offset):
    message = refusal(data, "tokens")
    assert message.startswith(f"{place}: byte 0x")
    assert f"at byte {byte} of the line (offset {offset} in the file) is not UTF-8" in message


def test_offsets_count_the_byte_order_mark():
    with pytest.warns(CorpusWarning):
        assert "at byte 5 of the line (offset 4 in the file)" in refusal(b"\xef\xbb\xbfa\xff", "tokens")


def test_an_over_long_line_is_refused_and_the_longest_is_read(monkeypatch):
    monkeypatch.setattr(corpus.lines, "MAX_LINE_BYTES", 100)
    assert len(lines(b"x" * 100 + b"\n" + b"y" * 100)) == 2
    for data in (b"ok\n" + b"x" * 101 + b"\n", b"ok\n" + b"x" * 101, b"ok\n" + b"x" * 500 + b"\nok\n"):
        assert refusal(data, "tokens").startswith("file:2: a line of more than 100 bytes")


def test_an_endless_line_is_not_read_to_its_end():
    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = b"x" * len(buffer)
            return len(buffer)

    with pytest.raises(CorpusError, match="more than 1,000,000 bytes"):
        next(iter(Lines(io.BufferedReader(Endless()), "file")))


def test_lines_peeked_at_are_read_again():
    source = Lines(io.BytesIO(b"\na\n\nb\nc\n"), "file")
    assert source.peek(2) == ["a", "b"]
    assert list(source) == [(1, ""), (2, "a"), (3, ""), (4, "b"), (5, "c")]
    assert Lines(io.BytesIO(b"a\n"), "file").peek(9) == ["a"]


# ------------------------------------------------------------------ formats


def test_wordtag_is_split_at_the_last_separator():
    assert sentences("a_X under_score_NN __SYM ___Y\n".encode(), "wordtag") == [
        Sentence(["a", "under_score", "_", "__"], ["X", "NN", "SYM", "Y"], 1)]


def test_wordtag_may_have_another_separator():
    assert sentences(b"a/X 1/2/CD\n", "wordtag", "/") == [Sentence(["a", "1/2"], ["X", "CD"], 1)]
    assert sentences(b"a||X\n", "wordtag", "||") == [Sentence(["a"], ["X"], 1)]


def test_tokens_have_no_tags_and_tags_have_empty_words():
    assert sentences(b"a b_c\n", "tokens") == [Sentence(["a", "b_c"], None, 1)]
    assert sentences(b"DT NN\n", "tags") == [Sentence(["", ""], ["DT", "NN"], 1)]


@pytest.mark.parametrize("format", LINE_FORMATS)
def test_a_blank_line_is_an_empty_sentence(format):
    found = sentences(b"a_X\n\n\nb_Y\n\n", format)
    assert [len(sentence) for sentence in found] == [1, 0, 0, 1, 0]
    assert [sentence.line for sentence in found] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_file_has_no_sentences(format):
    assert sentences(b"", format) == []


@pytest.mark.parametrize("item, found", [("word", "'word', has no tag"), ("word_", "'word_', has no tag"),
                                         ("_TAG", "'_TAG', has no word"), ("_", "'_', has no tag")])
def test_a_token_without_a_tag_or_word_is_refused(item, found):
    message = refusal(f"a_X\nb_Y {item} c_Z\n".encode(), "wordtag")
    assert message.startswith(f"file:2: token 2, {found}; wordtag is word_TAG.")


@pytest.mark.parametrize("format", LINE_FORMATS)
@pytest.mark.parametrize("line, found", [
    (b" a_X", "a space at the start"), (b"a_X ", "a space at the end"), (b" ", "a space at the start"),
    (b"a_X  b_Y", "two spaces in a row at column 4")])
def test_extra_spaces_are_refused(format, line, found):
    assert refusal(b"a_X\n" + line + b"\n", format).startswith(f"file:2: {found}")


def test_a_sentence_of_too_many_tokens_is_refused(monkeypatch):
    monkeypatch.setattr(corpus.base, "MAX_SENTENCE_TOKENS", 3)
    assert len(sentences(b"a b c\n", "tokens")[0]) == 3
    assert refusal(b"a\na b c d\n", "tokens").startswith("file:2: a sentence of 4 tokens; at most 3")


@pytest.mark.parametrize("separator", ["", " ", "a b", "\n", "\r"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_separator_that_cannot_work_is_refused(format, separator):
    with pytest.raises(OptionError, match="--separator: "):
        FORMATS[format](separator)


# ------------------------------------------------------------------ round trips


@pytest.mark.parametrize("format", LINE_FORMATS)
@pytest.mark.filterwarnings("ignore:.* a carriage return")
def test_what_is_written_is_read_back(format):
    tags = [f"T{i}" for i in range(len(ODD))]
    for words in (ODD, ODD[::-1], ["a"], []):
        original = Sentence(words, tags[:len(words)])
        if format == "tags":  # the same odd strings, as tags
            original = Sentence([""] * len(original), original.words)
        text = FORMATS[format]().write(original)
        (back,) = sentences(b"x_X\n" + text.encode(), format)[1:]
        assert back == Sentence(original.words, None if format == "tokens" else original.tags, 2)


@pytest.mark.parametrize("data, format", [
    ("a_X under_score_NN\n\nno\u00a0break_Y\n", "wordtag"), ("a b_c \u3000\n\n\nd\n", "tokens"),
    ("X\n\nY Z\n", "tags")])
def test_what_is_read_is_written_back(data, format):
    assert "".join(map(FORMATS[format]().write, sentences(data.encode(), format))) == data


@pytest.mark.parametrize("format, sentence", [
    ("tokens", Sentence(["a b"])), ("tokens", Sentence(["a\nb"])), ("tokens", Sentence(["a", ""])),
    ("tokens", Sentence(["a\r"])), ("tags", Sentence(["a"], ["X Y"])), ("tags", Sentence(["a"], [""])),
    ("tags", Sentence(["a"])), ("wordtag", Sentence(["a"])), ("wordtag", Sentence(["a"], ["X_Y"])),
    ("wordtag", Sentence(["a"], [""])), ("wordtag", Sentence([""], ["X"])),
    ("wordtag", Sentence(["a b"], ["X"]))])
def test_what_could_not_be_read_back_is_not_written(format, sentence):
    with pytest.raises(CorpusError):
        FORMATS[format]().write(sentence)


def test_every_short_word_and_tag_is_read_back_or_refused():
    strings = ["".join(chars) for size in (1, 2, 3) for chars in itertools.product("a|", repeat=size)]
    written = 0
    for separator, word, tag in itertools.product(["|", "||", "|a"], strings, strings):
        try:
            text = FORMATS["wordtag"](separator).write(Sentence([word], [tag]))
        except CorpusError:
            continue
        written += 1
        assert sentences(text.encode(), "wordtag", separator) == [Sentence([word], [tag], 1)]
    assert written > 100


# ------------------------------------------------------------------ files


def test_a_file_is_read_one_sentence_after_the_other(write):
    assert [s.words for s in read(write("f", b"a b\n\nc"), "tokens")] == [["a", "b"], [], ["c"]]


def test_a_missing_file_and_a_folder_are_reported(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(RnntagError, match="cannot read it"):
            list(read(path, "tokens"))


def test_a_corpus_to_learn_from_has_no_empty_sentences(write):
    sentences = read_tagged(write("f", b"\na_X\n\n\nb_Y\n"))
    assert sentences == [Sentence(["a"], ["X"], 2), Sentence(["b"], ["Y"], 5)]


def test_a_corpus_to_learn_from_keeps_the_columns_asked_for_without_confidence(write):
    path = write("f", b'{"tokens": ["a", "b"], "upos": ["X", "X"], "lemma": ["X", "c"], "probabilities": '
                 b'{"upos": [1, 1]}}\n')
    (sentence,) = read_tagged(path, field=["upos", "lemma"], tag_map={"X": "Z"})
    assert sentence.columns == {"upos": Column(["Z", "Z"]), "lemma": Column(["X", "c"])}
    assert sentence.first.best is sentence.source is None
    assert read_tagged(path, field=["lemma"])[0].tags == ["X", "c"]
    assert read_tagged(path, field="lemma")[0].tags == ["X", "c"]
    assert list(read_tagged(path, field="upos,lemma")[0].columns) == ["upos", "lemma"]
    assert list(read_tagged(path, field="all")[0].columns) == ["lemma"]  # in upos no two words differ


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_a_corpus_to_learn_from_is_not_empty(write, data):
    with pytest.raises(CorpusError, match="f: no tagged sentences"):
        read_tagged(write("f", data))


@pytest.mark.parametrize("data, choices, format", [
    (b"a_X b_Y\n\nc_Z\n", ["wordtag", "tokens"], "wordtag"), (b"a b\n", ["wordtag", "tokens"], "tokens"),
    (b"a_X b_Y\n", ["wordtag", "tags"], "wordtag"), (b"DT NN\n", ["wordtag", "tags"], "tags"),
    (b"", ["wordtag", "tags"], "tags"), (b"\n\n", ["wordtag", "tokens"], "tokens"),
    (b"a b c d e f g h i j_k\n", ["wordtag", "tokens"], "tokens"),
    (b"_ a_ _b\n", ["wordtag", "tokens"], "tokens"),
    (b"a b\n", ["wordtag"], "wordtag")])
def test_the_format_is_found_out_where_the_text_shows_it(write, data, choices, format):
    path = write("f", data)
    with open_corpus(path, None, choices) as (reader, _):
        assert reader.name == format


@pytest.mark.parametrize("data, choices", [
    (b"a_X b_Y c d_Z\n", ["wordtag", "tokens"]), (b"a b_c d\n", ["wordtag", "tags"]),
    (b"a b\n", ["wordtag", "tokens", "tags"]), (b"a_b\n", ["tokens", "tags"])])
def test_the_format_is_asked_for_where_it_cannot_be_told(write, data, choices):
    with pytest.raises(CorpusError, match="Say which with --format"):
        list(read(write("f", data), choices=choices))


def test_finding_out_the_format_loses_no_sentence(write):
    data = b"\n" + b"a_X b_Y\n" * 250
    assert list(read(write("f", data))) == list(read(write("f", data), "wordtag"))


def test_reading_can_be_left_early(write):
    path = write("f", b"a\nb\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an unclosed file would warn
        assert next(read(path, "tokens")).words == ["a"]


def test_bytes_are_counted_after_a_line_that_is_too_long(monkeypatch):
    monkeypatch.setattr(corpus.lines, "MAX_LINE_BYTES", 10)
    first, second = Lines(io.BytesIO(b"x" * 25 + b"\nb\xff\n"), "file", corpus.Skipped())
    assert (first[0], second[0]) == (1, 2) and "byte 2 of the line (offset 27 in" in str(second[1])
