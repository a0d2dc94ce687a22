"""Several columns of conllu and jsonl: read, written, and one format become another."""

import pytest
from formatted import CONLLU, back, refusal, row, sentences

from rnntag.corpus import Column, Sentence
from rnntag.errors import CorpusError


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


@pytest.mark.parametrize("cells, fields, found", [
    ("_ _ x F=1", "upos", "xpos: try --field xpos"), ("b _ x _", "all", "xpos and lemma: try --field xpos,lemma"),
    ("b _ _ _", ["upos", "xpos"], "lemma: try --field lemma"), ("b _ _ F=1", None, "feats: try --field feats"),
    ("b _ _ _", "upos", ""), ("_ _ _ _", "all", "")])
def test_columns_that_could_be_learnt_instead_are_named(cells, fields, found):
    lemma, *tags = cells.split()
    named = '{"tokens": ["a"]' + "".join(f', "{name}": ["{value}"]' for name, value in zip(
        ("lemma", "upos", "xpos", "feats"), cells.split()) if value != "_") + "}"
    end = (f". Its words have {found}, or p" if found else ". P") + "ass over such sentences with --on-error skip."
    for text, format in [(row(1, "a", *tags).replace("lemma", lemma), "conllu"), (named, "jsonl"),
                         (named[:-1] + ', "upos": [null]}', "jsonl")]:
        assert refusal(text, format, fields=fields, want="tags").endswith(end)


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
    ('"lemma": ["b", "c"]', 'file:1: "lemma" has 2 values; "tokens" has 1.'),
    ('"lemma": 3', 'file:1: "lemma" is \'3\''),
    ('"lemma": ["b"], "probabilities": {"lemma": 3}', 'file:1: wrong "probabilities"'),
    ('"lemma": ["b"], "n_best": {"lemma": [[["b", 1]]]}', 'file:1: wrong "probabilities"')])
def test_a_column_of_jsonl_that_is_wrong_is_refused(keys, message):
    text = '{"tokens": ["a"], ' + keys + "}\n"
    assert refusal(text, "jsonl", fields=["lemma"]).startswith(message)
    assert sentences(text, "jsonl")[0].columns == {}
