"""vertical, conllu and jsonl: read, written back, refused, passed over, found out."""

import io

import pytest

from rnntag import corpus
from rnntag.corpus import FORMATS, TAGGED, TO_TAG, Column, Lines, Sentence, Skipped, open_corpus, read, read_tagged
from rnntag.corpus.detect import detect_format
from rnntag.errors import CorpusError, CorpusWarning, OptionError


def row(number, word, upos="_", xpos="_", feats="_", misc="_"):
    return f"{number}\t{word}\tlemma\t{upos}\t{xpos}\t{feats}\t0\troot\t_\t{misc}\n"


CONLLU = ("# newdoc id = a\n# text = Vámonos al mar_\n"
          + row("1-2", "Vámonos", misc="SpaceAfter=No") + row(1, "Vamos", "VERB", "V", "Mood=Imp|Number=Plur")
          + row(2, "nos", "PRON", "P") + row("2.1", "empty", "NOUN") + row("3-4", "al") + row(3, "a", "ADP", "E")
          + row(4, "el", "DET", "D") + row(5, "1 000", "NUM", "N", "NumForm=Digit", "Gloss=a b") + "\n"
          + "# a comment alone\n\n\n" + row(1, "_", "SYM", "S") + "\n")
VERTICAL = "a\tX\textra\t\nb\tY\n\n\nc d\tZ\n\n"


def sentences(text, format, skipped=None, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return list(FORMATS[format](**options).read(Lines(io.BytesIO(data), "file", skipped)))


def back(found, format, **options):
    return "".join(map(FORMATS[format](**options).write, found))


def tagged(words, tags, line=0, name="upos"):
    return Sentence(words, {name: Column(tags)}, line)


def refusal(text, format, **options):
    with pytest.raises(CorpusError) as error:
        sentences(text, format, **options)
    return str(error.value)


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
    monkeypatch.setattr(corpus.columns, "MAX_BLOCK_LINES", 5)
    assert "file:2: no blank line in 5 lines" in refusal("\n" + "a\n" * 7 + "\xff", "vertical")
    skipped = Skipped()
    found = sentences("a\n" * 7 + "\nb\n\n", "vertical", skipped)
    assert [s.words for s in found] == [[], ["b"]] and skipped.count == 1


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
    ("a\tX\nb\n", "file:2: token 2, 'b', has no tag; vertical has it in column 2."),
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
    ('{"tokens": ["a", null]}', "file:1: an empty token"), ('{"tokens": ["a"], "tags": []}', "file:1: 0 tags"),
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


# ------------------------------------------------------------------ several columns

ALL = ["upos", "xpos", "feats", "lemma"]
SEVERAL = (row(1, "a", "X", "x").replace("lemma", "b c") + row(2, "_").replace("lemma", "_")
           + row(3, "d", "_", "y", "F=1").replace("lemma", "_") + "\n")
NAMED = '{"tokens": ["a", "b"], "lemma": ["c", null], "id": 3, "upos": ["X", "Y"]}\n'
SURE = NAMED[:-2] + (', "probabilities": {"upos": [0.75, 1], "lemma": [0.5, 0.5]}, '
                     '"n_best": {"upos": [[["X", 0.75], ["Y", 0.25]], [["Y", 1]]]}}\n')


def values(sentence):
    return {name: column.values for name, column in sentence.columns.items()}


def test_the_columns_of_conllu_have_their_names_in_the_order_asked_for():
    (sentence,) = sentences(SEVERAL, "conllu", fields=["lemma", "feats", "upos"], want="some")
    assert values(sentence) == {"lemma": ["b c", "_", ""], "feats": ["_", "_", "F=1"], "upos": ["X", "", ""]}
    assert list(sentence.columns) == ["lemma", "feats", "upos"] and sentence.tags == ["b c", "_", ""]


@pytest.mark.parametrize("text", [CONLLU, SEVERAL])
def test_several_columns_of_conllu_are_written_back_byte_for_byte(text):
    for fields in (ALL, ALL[::-1], ["lemma"]):
        assert back(sentences(text, "conllu", want="some", fields=fields), "conllu") == text


def test_conllu_has_each_column_in_its_place_and_one_without_a_name_in_that_of_the_first_field():
    columns = {"lemma": Column(["a b", ""]), "": Column(["X", "Y"]), "other": Column(["no", "place"])}
    text = back([Sentence(["c", "d"], columns)], "conllu", fields=["xpos", "upos"])
    assert text == "1\tc\ta b\t_\tX" + "\t_" * 5 + "\n2\td\t_\t_\tY" + "\t_" * 5 + "\n\n"
    (sentence,) = found = sentences(SEVERAL, "conllu", want="words")
    sentence.columns = {"feats": Column(["_", "A=1", ""]), "lemma": Column(["e", "", "f"])}
    one, two, three = (line.split("\t")[1:6] for line in back(found, "conllu").split("\n")[:3])
    assert (one, two, three) == (["a", "e", "X", "x", "_"], ["_", "_", "_", "_", "A=1"], ["d", "f", "_", "y", "_"])


@pytest.mark.parametrize("name, value, message", [
    ("lemma", "_", "lemma '_' cannot be written as conllu; in LEMMA it means no lemma"),
    ("lemma", "a\tb", "lemma 'a.tb' cannot"), ("xpos", "_", "tag '_' cannot be written as conllu; in XPOS it means"),
    ("upos", "a b", "tag 'a b' cannot")])
def test_a_column_that_could_not_be_read_back_is_not_written(name, value, message):
    with pytest.raises(CorpusError) as error:
        back([Sentence(["a"], {"feats": Column(["_"]), name: Column([value])})], "conllu")
    assert str(error.value).replace("\\", ".").startswith(message)
    assert back([Sentence(["_"], {"lemma": Column(["_"])})], "conllu") == "1\t_" + "\t_" * 8 + "\n\n"


@pytest.mark.parametrize("text, format, message", [
    (row(1, "a") + row(2, "b", "X"), "conllu", "file:1: token 1, 'a', has no tag; column UPOS"),
    (row(1, "a"), "conllu", "file:1: a sentence without tags; column UPOS"),
    ('{"tokens": ["a"], "lemma": ["X"]}', "jsonl", "file:1: a sentence without tags; jsonl has one for each word")])
def test_every_word_has_a_tag_in_the_first_column_that_is_to_be_learnt(text, format, message):
    assert refusal(text, format, fields=["upos", "lemma"], want="tags").startswith(message)


@pytest.mark.parametrize("text, format", [
    (row(1, "a", "X") + row(2, "b", "X").replace("lemma", "_"), "conllu"), (NAMED, "jsonl")])
def test_in_the_other_columns_words_may_lack_theirs(text, format):
    (sentence,) = sentences(text, format, fields=["upos", "lemma"], want="tags")
    assert [bool(value) for value in sentence.columns["lemma"].values] == [True, False]


def test_a_column_without_a_value_is_none_of_the_sentence():
    (sentence,) = sentences(SEVERAL.replace("\tX\t", "\t_\t"), "conllu", fields=ALL, want="some")
    assert list(sentence.columns) == ["xpos", "feats", "lemma"]


@pytest.mark.parametrize("text", [NAMED, SURE])
def test_columns_of_jsonl_with_names_are_read_and_written_as_they_were(text):
    (sentence,) = found = sentences(text, "jsonl", fields=["upos", "lemma"], want="some")
    assert values(sentence) == {"upos": ["X", "Y"], "lemma": ["c", ""]}
    assert back(found, "jsonl", fields=["upos", "lemma"]) == text
    if text == SURE:
        assert sentence.columns["upos"].best == [[("X", 0.75), ("Y", 0.25)], [("Y", 1)]]
        assert sentence.columns["lemma"].best == [[("c", 0.5)], [("", 0.5)]]


def test_a_column_of_jsonl_that_is_not_asked_for_keeps_its_values_and_its_confidence():
    (sentence,) = found = sentences(SURE, "jsonl")
    assert values(sentence) == {"upos": ["X", "Y"]} and back(found, "jsonl") != NAMED
    sentence.tags = ["Z", "Z"]
    assert back(found, "jsonl") == NAMED.replace('["X", "Y"]', '["Z", "Z"]')[:-2] + (
        ', "probabilities": {"lemma": [0.5, 0.5]}}\n')


def test_tags_and_columns_with_names_may_both_have_confidence():
    columns = {"": Column(["X"], [[("X", 0.5)]]), "lemma": Column(["b"], [[("b", 0.25), ("c", 0.125)]])}
    text = back([Sentence(["a"], columns)], "jsonl")
    assert text == ('{"tokens": ["a"], "tags": ["X"], "lemma": ["b"], "probabilities": {"tags": [0.5], "lemma": '
                    '[0.25]}, "n_best": {"lemma": [[["b", 0.25], ["c", 0.125]]]}}\n')
    (sentence,) = found = sentences(text, "jsonl", fields=["upos", "lemma"])
    assert sentence.columns == columns and back(found, "jsonl") == text
    assert [column.best for column in sentence.columns.values()] == [column.best for column in columns.values()]


def test_several_columns_go_from_conllu_to_jsonl_and_back():
    there = sentences(back(sentences(SEVERAL, "conllu", fields=ALL, want="some"), "jsonl", fields=ALL), "jsonl",
                      fields=ALL, want="some")
    assert values(there[0]) == {"upos": ["X", "", ""], "xpos": ["x", "", "y"], "feats": ["_", "_", "F=1"],
                                "lemma": ["b c", "_", ""]}
    assert sentences(back(there, "conllu"), "conllu", fields=ALL, want="some") == there


@pytest.mark.parametrize("format, text", [
    ("wordtag", "a_X\n"), ("tags", "X\n"), ("vertical", "a\tX\t0.500000\n\n"), ("tokens", "a\n"),
    ("jsonl", '{"tokens": ["a"], "upos": ["X"], "lemma": ["b"], "probabilities": {"upos": [0.5]}}\n')])
def test_a_format_with_one_column_has_the_first(format, text):
    sentence = Sentence(["a"], {"upos": Column(["X"], [[("X", 0.5)]]), "lemma": Column(["b"])})
    assert back([sentence], format) == text


def test_one_column_of_conllu_becomes_the_tags_of_jsonl():
    for field in ("upos", "xpos"):
        found = sentences(SEVERAL, "conllu", fields=field, want="some")
        assert '"tags": ["' in back(found, "jsonl", fields=field)


@pytest.mark.parametrize("keys, message", [
    ('"lemma": ["b", "c"]', "file:1: 2 lemma; there are 1 tokens"), ('"lemma": 3', 'file:1: "lemma" is \'3\''),
    ('"lemma": ["b"], "probabilities": {"lemma": 3}', 'file:1: wrong "probabilities"'),
    ('"lemma": ["b"], "n_best": {"lemma": [[["b", 1]]]}', 'file:1: wrong "probabilities"')])
def test_a_column_of_jsonl_that_is_wrong_is_refused(keys, message):
    text = '{"tokens": ["a"], ' + keys + "}\n"
    assert refusal(text, "jsonl", fields=["lemma"]).startswith(message)
    assert sentences(text, "jsonl")[0].columns == {}


# ------------------------------------------------------------------ all of them

ODD = ["under_score", "#", "a  b", "\u3000", "no\u00a0break", "line\u2028separator", "next\u0085line", "form\x0cfeed",
       "e\u0301", "\U0001f600", '"', "\\", "{", "\ufeff", "_", "a\rb"]


@pytest.mark.parametrize("format", ["vertical", "conllu", "jsonl"])
@pytest.mark.filterwarnings("ignore:.* a carriage return")
def test_what_is_written_is_read_back(format):
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
    with pytest.raises(CorpusError, match=r"x\.tags: it looks like tags; wordtag or .* is wanted here\. Change it"):
        detect(write("x.tags", b"NN VB\n"), TO_TAG)  # to tag tags as if they were words helps nobody


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
