"""vertical, conllu and jsonl: read, written back, refused, and one become another."""

import io

import pytest
from formatted import CONLLU, VERTICAL, back, refusal, row, sentences, tagged

from rnntag import corpus
from rnntag.corpus import FORMATS, Column, Lines, Sentence, Skipped, read
from rnntag.errors import CorpusError, CorpusWarning, OptionError


# ------------------------------------------------------------------ CoNLL-U


def test_the_words_of_conllu_are_the_lines_with_whole_numbers():
    first, comment, blank, last = sentences(CONLLU, "conllu")
    assert first == tagged(["Vamos", "nos", "a", "el", "1 000"], ["VERB", "PRON", "ADP", "DET", "NUM"], 1)
    assert (comment, blank) == (tagged([], [], 12), tagged([], [], 14))
    assert last == tagged(["_"], ["SYM"], 15)


@pytest.mark.parametrize("field, tags", [
    ("upos", ["VERB", "PRON", "ADP", "DET", "NUM"]), ("xpos", ["V", "P", "E", "D", "N"]),
    ("feats", ["Mood=Imp|Number=Plur", "_", "_", "_", "NumForm=Digit"])])
def test_the_field_says_which_column_is_the_tag(field, tags):
    assert sentences(CONLLU, "conllu", fields=field)[0].tags == tags


@pytest.mark.parametrize("text", [
    CONLLU, CONLLU + "\n\n", CONLLU[:-1], CONLLU[:-2], "\n\n" + CONLLU, "# only a comment", "\n", "",
    CONLLU.replace("lemma", "a\u2028b\u0085c\x0cd"), row(1, "a", misc=" spaces  kept ") + "\n",
    "#" + row(1, "a") + row(1, "b", "X"), CONLLU[:-2] + "\r", "# only a comment\r"])
@pytest.mark.filterwarnings("ignore:.* a carriage return")
def test_conllu_is_written_back_byte_for_byte(text):
    for want in ("partial", "words"):
        for field in ("upos", "xpos", "feats"):
            assert back(sentences(text, "conllu", want=want, fields=field), "conllu", fields=field) == text


@pytest.mark.parametrize("field, column", [("upos", 3), ("xpos", 4), ("feats", 5)])
def test_tagging_changes_the_column_of_words_alone(field, column):
    found = sentences(CONLLU, "conllu", want="words", fields=field)
    assert {sentence.tags for sentence in found} == {None}
    for sentence in found:
        sentence.tags = [f"T{i}" for i in range(len(sentence))]
    answer, seen = back(found, "conllu", fields=field), []
    for before, after in zip(CONLLU.split("\n"), answer.split("\n"), strict=True):
        one, two = before.split("\t"), after.split("\t")
        if one[0].isdigit():
            seen.append(two[column])
            one[column] = two[column]
        assert one == two
    assert seen == ["T0", "T1", "T2", "T3", "T4", "T0"]


@pytest.mark.parametrize("text, message", [
    (row(1, "a") + "2\tb\tc\n", "file:2: 3 columns; CoNLL-U has 10. Is it TSV? Try --format vertical."),
    (row(1, "a")[:-1] + "\tmore\n", "file:1: 11 columns; CoNLL-U has 10."),
    (row(1, "a").replace("\t", " "), "file:1: 1 column; CoNLL-U has 10. Are there spaces where tabs"),
    (CONLLU + "   \n", "file:17: 1 column;"),
    ("# c\n" + row(2, "b"), "file:2: ID '2'; the next word has 1"),
    (row(1, "a") + row(1, "a"), "file:2: ID '1'; the next word has 2, a range is 3-4, an empty node 8.1. Is the "
     "blank line before it missing?"),
    (row("x", "a"), "file:1: ID 'x'"), (row("1-", "a"), "file:1: ID '1-'"), (row("", "a"), "file:1: ID ''"),
    (row("\u0661", "a"), "file:1: ID '\u0661'"), (row("01", "a"), "file:1: ID '01'"),
    ("# c\n" + row(1, "a") + row(2, ""), "file:3: an empty FORM"),
    ("# c\n" + row(1, "a", "X") + row("2-3", "bc") + row(2, "b"), "file:4: token 2, 'b', has no tag; column UPOS")])
def test_conllu_that_is_wrong_is_refused_with_its_line(text, message):
    assert refusal(text, "conllu").startswith(message)


def test_a_file_without_blank_lines_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(corpus.Format, "max_lines", 5)
    assert "file:2: no blank line in 5 lines" in refusal("\n" + "a\n" * 7 + "\xff", "vertical")
    skipped = Skipped()
    found = sentences("a\n" * 7 + "\nb\n\n", "vertical", skipped)
    assert [s.words for s in found] == [[], ["b"]] and skipped.count == 1


@pytest.mark.parametrize("column, line, filled", [(2, "a", "a\tX"), (4, "a", "a\t_\t_\tX"), (3, "a\tb", "a\tb\tX"),
                                                  (4, "a\tb", "a\tb\t_\tX"), (2, "a\tb\tc", "a\tX\tc")])
def test_a_tag_goes_into_its_column_of_vertical_whatever_stands_there(column, line, filled):
    (found,) = sentences(line + "\n\n", "vertical", want="words", column=column)
    found.tags = ["X"]
    assert back([found], "vertical", column=column) == filled + "\n\n"


def test_a_sentence_of_too_many_rows_is_refused(monkeypatch):
    monkeypatch.setattr(corpus.base, "MAX_SENTENCE_TOKENS", 3)
    assert refusal("a\nb\nc\nd\n", "vertical").startswith("file:1: a sentence of 4 tokens")


def test_conllu_longer_than_the_table_of_numbers_is_read():
    text = "".join(row(i, f"w{i}", "X") for i in range(1, 20_002)) + "\n"
    assert refusal(text, "conllu").startswith("file:1: a sentence of 20,001 tokens")
    assert len(sentences("".join(row(i, "w") for i in range(1, 20_001)), "conllu")[0]) == 20_000


def test_windows_line_ends_are_written_as_lf():
    with pytest.warns(CorpusWarning, match="CRLF"):
        found = sentences(CONLLU.replace("\n", "\r\n"), "conllu", want="partial")
    assert back(found, "conllu") == CONLLU


def test_untagged_words_become_conllu():
    text = back([Sentence(["a", "b c"]), Sentence([])], "conllu")
    assert text == "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n2\tb c\t_\t_\t_\t_\t_\t_\t_\t_\n\n\n"
    assert "\tNN\t_" in back([Sentence(["a"], ["NN"])], "conllu", fields="xpos")


def test_real_conllu_is_written_back_byte_for_byte(corpora):
    path = corpora / "ewt" / "dev.conllu"
    if not path.exists():
        pytest.skip("no ewt/dev.conllu")
    found = list(read(path))
    assert sum(map(len, found)) == 25_147 and len(found) == 2_001
    assert back(found, "conllu").encode() == path.read_bytes()


# ------------------------------------------------------------------ vertical


def test_vertical_has_the_tag_in_its_column():
    assert sentences(VERTICAL, "vertical") == [
        Sentence(["a", "b"], ["X", "Y"], 1), Sentence([], [], 4), Sentence(["c d"], ["Z"], 5)]
    assert sentences("a\t1\tX\nb\t2\tY\n", "vertical", column=3)[0].tags == ["X", "Y"]


@pytest.mark.parametrize("text", [VERTICAL, VERTICAL[:-1], VERTICAL[:-2], "\n\n" + VERTICAL, "", "a", "a\n\n\n",
                                  "a\tX\nb\n", "a\t\t\nb\tX"])
def test_vertical_is_written_back_byte_for_byte(text):
    assert back(sentences(text, "vertical", want="partial"), "vertical") == text


def test_missing_columns_are_filled():
    (sentence,) = sentences("a\nb\t1\t2\t3\t4\n", "vertical", want="words", column=4)
    sentence.tags = ["X", "Y"]
    assert back([sentence], "vertical", column=4) == "a\t_\t_\tX\nb\t1\t2\tY\t4\n"


@pytest.mark.parametrize("text, message", [
    ("a\tX\n\tY\n", "file:2: a line without a word; vertical is word TAB tag"),
    ("a\tX\n \n", "file:2: a line without a word"),
    ("a\tX\nb\n", "file:2: token 2, 'b', has no tag; vertical has one for each word in column 2."),
    ("\n\na\tX\nb\t\n", "file:4: token 2")])
def test_vertical_that_is_wrong_is_refused_with_its_line(text, message):
    assert refusal(text, "vertical").startswith(message)


def test_probabilities_become_columns_of_vertical():
    sentence = sentences("a\t_\tmore\n", "vertical", want="words")[0]
    sentence.columns = {"": Column(["X"], [[("X", 0.75), ("Y", 0.25)]])}
    assert back([sentence], "vertical") == "a\tX\t0.750000\tY\t0.250000\tmore\n"


CONFIDENT = {"vertical": "a\tX\t0.750000\tY\t0.250000\tmore\nb\tY\t1.000000\tX\t0.000000\n\n",
             "jsonl": '{"id": 3, "tokens": ["a", "b"], "tags": ["X", "Y"], "probabilities": [0.75, 1], "n_best": '
                      '[[["X", 0.75], ["Y", 0.25]], [["Y", 1], ["X", 0]]]}\n'}


@pytest.mark.parametrize("format", CONFIDENT)
def test_confidence_is_read_and_written_as_it_was(format):
    (sentence,) = found = sentences(CONFIDENT[format], format)
    assert sentence.first.best == [[("X", 0.75), ("Y", 0.25)], [("Y", 1), ("X", 0)]]
    assert back(found, format) == CONFIDENT[format]
    sentence.first.best = [best[:1] for best in sentence.first.best]
    assert back(found, format) == {
        "vertical": "a\tX\t0.750000\tmore\nb\tY\t1.000000\n\n",
        "jsonl": '{"id": 3, "tokens": ["a", "b"], "tags": ["X", "Y"], "probabilities": [0.75, 1]}\n'}[format]


@pytest.mark.parametrize("format", CONFIDENT)
def test_new_tags_without_confidence_take_the_old_one_away(format):
    (sentence,) = found = sentences(CONFIDENT[format], format, want="words")
    assert sentence.first is None
    sentence.tags = ["Z", "Z"]
    assert back(found, format) == {
        "vertical": "a\tZ\tmore\nb\tZ\n\n", "jsonl": '{"id": 3, "tokens": ["a", "b"], "tags": ["Z", "Z"]}\n'}[format]


def test_confidence_goes_from_one_format_to_the_other():
    there = back(sentences(CONFIDENT["jsonl"], "jsonl"), "vertical")
    assert there == CONFIDENT["vertical"].replace("\tmore", "")
    assert sentences(back(sentences(there, "vertical"), "jsonl"), "jsonl")[0].first.best == [
        [("X", 0.75), ("Y", 0.25)], [("Y", 1), ("X", 0)]]


@pytest.mark.parametrize("line", ["a\tX", "a\tX\t1", "a\tX\t0.5", "a\tX\t0.500000\nb\tX", "a\tX\tlemma\t0.500000"])
def test_other_columns_of_vertical_are_no_confidence(line):
    (sentence,) = found = sentences(line, "vertical")
    assert sentence.first.best is None
    sentence.tags = ["Z"] * len(sentence)
    assert back(found, "vertical") == line.replace("X", "Z")


def test_the_confidence_of_vertical_is_that_of_the_chosen_column():
    (sentence,) = sentences("a\tlemma\tX\t0.500000\n", "vertical", column=3)
    assert sentence.first.best == [[("X", 0.5)]]


def test_confidence_stays_with_the_tags_that_are_there():
    text = "a\t\t0.500000\nb\tY\t0.750000\n"
    assert back(sentences(text, "vertical", want="partial"), "vertical") == text
    (sentence,) = found = sentences(text, "vertical", want="partial")
    sentence.tags = ["X", "Y"]
    assert back(found, "vertical") == "a\tX\nb\tY\n"
    assert sentences('{"tokens": ["a"], "tags": [null], "probabilities": [0.5]}', "jsonl")[0].first is None


@pytest.mark.parametrize("keys, wrong", [
    *((f'"probabilities": {value}', "probabilities") for value in ("[0.5, 0.5]", "[2]", '["a"]', "3", "[true]")),
    *((f'"probabilities": [0.5], "n_best": {value}', "n_best")
      for value in ("3", "[]", "[3]", "[[]]", '[["X"]]', '[[["X", 2]]]', '[[["X", "0"]]]', "[[[1, 0.5]]]")),
    ('"n_best": [[["X", 0.5]]]', "probabilities")])
def test_confidence_that_is_none_is_refused(keys, wrong):
    text = '{"tokens": ["a"], "tags": ["X"], ' + keys + "}\n"
    assert f'file:1: wrong "{wrong}"' in refusal(text, "jsonl")
    assert sentences(text, "jsonl", want="words")[0].words == ["a"]


# ------------------------------------------------------------------ jsonl


def test_jsonl_keeps_other_keys():
    text = '{"id": 7, "tokens": ["a b", "\u3000"], "tags": ["X", "Y"], "more": {"x": [null]}}\n'
    assert sentences(text, "jsonl") == [Sentence(["a b", "\u3000"], ["X", "Y"], 1)]
    assert back(sentences(text, "jsonl"), "jsonl") == text


def test_jsonl_may_lack_tags_or_tokens():
    text = '{"tokens": ["a"]}\n{"tags": ["X", null]}\n{"tokens": [], "tags": []}\n\n'
    assert sentences(text, "jsonl", want="partial") == [
        Sentence(["a"], None, 1), Sentence(["", ""], ["X", ""], 2), Sentence([], [], 3), Sentence([], None, 4)]
    assert back(sentences(text, "jsonl", want="partial"), "jsonl") == text[:-1] + '{"tokens": [], "tags": []}\n'


@pytest.mark.parametrize("line, message", [
    ("[1]", "file:1: '[1]'; jsonl has an object with"), ("{}", "file:1: '{}'; jsonl"), ('{"a": 1}', "file:1: "),
    ("a b", "file:1: not JSON ("), ('{"tokens": "a b"}', "file:1: \"tokens\" is 'a b'; it is a list of strings"),
    ('{"tokens": ["a", 1]}', "file:1: \"tokens\""), ('{"tokens": ["a", ""]}', "file:1: an empty token"),
    ('{"tokens": ["a", null]}', "file:1: an empty token"),
    ('{"tokens": ["a"], "tags": []}', 'file:1: "tags" has 0 values; "tokens" has 1'),
    ('{"tokens": ["\\ud800"]}', "file:1: \"tokens\" has half a character"), ('{"tokens": [NaN]}', "file:1: not JSON"),
    ("[" * 100_000, "file:1: not JSON"), ("1" * 5000, "file:1: ")])
def test_jsonl_that_is_wrong_is_refused_with_its_line(line, message):
    assert refusal(line + "\n", "jsonl").startswith(message)


def test_what_jsonl_cannot_hold_is_refused():
    (sentence,) = sentences('{"tokens": ["a"], "x": 1e999}\n', "jsonl")
    for wrong in (sentence, Sentence(["\ud800"])):
        with pytest.raises(CorpusError, match="cannot be written as jsonl"):
            back([wrong], "jsonl")


def test_jsonl_has_the_probabilities():
    sentence = Sentence(["a"], {"": Column(["X"], [[("X", 0.7500001), ("Y", 0.25)]])})
    assert back([sentence], "jsonl") == ('{"tokens": ["a"], "tags": ["X"], "probabilities": [0.75], '
                                         '"n_best": [[["X", 0.75], ["Y", 0.25]]]}\n')


# ------------------------------------------------------------------ all of them

ODD = ["under_score", "#", "a  b", "\u3000", "no\u00a0break", "line\u2028separator", "next\u0085line", "form\x0cfeed",
       "e\u0301", "\U0001f600", '"', "\\", "{", "\ufeff", "_", "a\rb"]


@pytest.mark.parametrize("format", ["vertical", "conllu", "jsonl"])
@pytest.mark.filterwarnings("ignore:.* a carriage return")
def test_what_is_written_is_sentences(format):
    tags = [f"T{i}\u00a0" for i in range(len(ODD))]
    originals = [Sentence(words, tags[:len(words)]) for words in (["x"], ODD, [], ODD[::-1], ["y"])]
    found = sentences(back(originals, format), format)
    assert [(s.words, s.tags or []) for s in found] == [(s.words, s.tags) for s in originals]


@pytest.mark.parametrize("format, words, tags", [
    ("vertical", ["a\tb"], ["X"]), ("vertical", ["a\n"], ["X"]), ("vertical", [""], ["X"]),
    ("vertical", [" "], ["X"]),
    ("vertical", ["a"], [""]), ("vertical", ["a"], ["X\tY"]), ("vertical", ["a"], ["X\r"]),
    ("vertical", ["a\r"], None),
    ("conllu", ["a\tb"], ["X"]), ("conllu", [""], ["X"]), ("conllu", ["a\nb"], ["X"]), ("conllu", ["a"], ["X Y"]),
    ("conllu", ["a"], ["X\tY"]), ("conllu", ["a"], ["_"]), ("jsonl", ["a", ""], ["X", "X"])])
def test_what_could_not_be_read_back_is_not_written(format, words, tags):
    with pytest.raises(CorpusError, match=f"cannot be written as {format}"):
        back([Sentence(words, tags)], format)


def test_no_features_are_written_as_such():
    assert FORMATS["conllu"](fields="feats").write(Sentence(["a"], ["_"])) == "1\ta" + "\t_" * 8 + "\n\n"


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_every_format_becomes_every_other(source, target):
    """Words and tags that both formats have survive; sentences stay sentences."""
    originals = [Sentence(["a", "b"], ["X", "Y"]), Sentence([], []), Sentence(["c"], ["Z"])]
    found = sentences(back(originals, source), source, want="partial")
    has = FORMATS[source], FORMATS[target]
    if (has[1].name in ("wordtag", "tags") and not has[0].has_tags) or (
            not has[0].has_words and has[1].name not in ("tags", "jsonl")):
        with pytest.raises(CorpusError):
            back(found, target)
        return
    again = sentences(back(found, target), target, want="partial")
    assert [len(s) for s in again] == [2, 0, 1]
    if all(format.has_words for format in has):
        assert [s.words for s in again] == [s.words for s in originals]
    if all(format.has_tags for format in has):
        assert [s.tags or [] for s in again] == [s.tags for s in originals]


@pytest.mark.parametrize("options, place", [
    ({"fields": "lemma,"}, "--field"), ({"fields": []}, "--field"), ({"fields": ["upos", "upos"]}, "--field"),
    ({"fields": ["deps"]}, "--field"), ({"fields": 3}, "--field"), ({"column": 1}, "--column")])
def test_a_column_that_cannot_hold_tags_is_refused(options, place):
    with pytest.raises(OptionError, match=place):
        FORMATS["conllu"](**options)


@pytest.mark.parametrize("format", ["vertical", "conllu", "jsonl"])
def test_blocks_may_end_anywhere(format, monkeypatch):
    text = back([Sentence(["w\u00e9", "x"], ["X", "Y"]), Sentence(["y"], ["Z"])] * 3, format)
    whole = sentences(text, format)
    for size in range(1, 40):
        monkeypatch.setattr(corpus.lines, "BLOCK_BYTES", size)
        assert sentences(text, format) == whole


def test_what_comes_before_a_line_that_cannot_be_read_is_read():
    found = FORMATS["tokens"]().read(Lines(io.BytesIO(b"a\nb\n\xff\n"), "file"))
    assert [next(found).words, next(found).words] == [["a"], ["b"]]
    with pytest.raises(CorpusError, match="file:3"):
        next(found)


def test_lines_are_counted_after_a_block_that_is_passed_over(monkeypatch):
    monkeypatch.setattr(corpus.Format, "max_lines", 5)
    assert [s.line for s in sentences("a\n" * 9 + "\nb\n\n", "vertical", Skipped())] == [1, 11]


def test_a_byte_order_mark_moves_bytes_of_the_first_line_alone():
    with pytest.warns(), pytest.raises(CorpusError, match=r"byte 2 of the line \(offset 6 in"):
        sentences(b"\xef\xbb\xbfa\nb\xff\n\n", "vertical")
