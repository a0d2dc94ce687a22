"""Texts with labels: formats read and written, and what is refused."""

import json

import pytest

from rnntag.corpus.labelled import LABELLED, Text, read_labelled, read_labels, write_labelled
from rnntag.errors import CorpusError, OptionError

FILES = {"tsv": "up\tthe dog\ndown\tit 's  a_b  .\n", "fasttext": "__label__up the dog\n__label__down it 's a_b .\n",
         "jsonl": """{"text": "the dog", "label": "up"}
{"label": "down", "tokens": ["it", "'s", "a_b", "."], "n": 1}
"""}


@pytest.fixture
def file(tmp_path):
    def file(text, name="file"):
        (tmp_path / name).write_bytes(text.encode())
        return tmp_path / name
    return file


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("format", LABELLED)
def test_all_formats_say_the_same(format, named, file):
    texts = list(read_labelled(file(FILES[format], f"file.{format}" if named else "file"), learning=True))
    assert [(text.label, text.words, text.line) for text in texts] == [
        ("up", ["the", "dog"], 1), ("down", ["it", "'s", "a_b", "."], 2)]


@pytest.mark.parametrize("format", LABELLED)
def test_what_is_written_is_read_back(format, file):
    texts = [Text(["the", "dog"], "up", 1), Text(["a"], "x", 2), Text(["caf\u00e9", "\u3000"], "y\u00df", 3)]
    path = file("".join(write_labelled(text, format) for text in texts), f"f.{format}")
    again = list(read_labelled(path))
    assert [(text.words, text.label) for text in again] == [(text.words, text.label) for text in texts]


def test_other_keys_of_jsonl_are_kept(file):
    _, text = read_labelled(file(FILES["jsonl"]))
    text.label = "new"
    assert json.loads(write_labelled(text, "jsonl")) == {"label": "new", "tokens": ["it", "'s", "a_b", "."], "n": 1}


def test_text_without_labels_keeps_its_blank_lines(file):
    texts = list(read_labelled(file("the dog\n\na  cat \n")))
    assert [text.words for text in texts] == [["the", "dog"], [], ["a", "cat"]]
    assert [text.blank for text in texts] == [False, True, False]
    assert [write_labelled(text, "labels") for text in texts[1:2]] == ["\n"]


def test_labels_alone_are_what_stands_before_a_tab(file):
    assert list(read_labels(file("up\n\na b\t0.9\tc\t0.1\n"))) == [("up", 1), ("a b", 3)]


@pytest.mark.parametrize("text, format, message", [
    ("up the dog\n", "tsv", ":1: no tab; a line is label TAB text"), ("up\ta\tb\n", "tsv", ":1: two tabs"),
    ("up\ta\n\ta\n", "tsv", ":2: no label"), ("up\t \n", "tsv", ":1: no words"),
    ("__label__up\n", None, ":1: no words"),
    ("the dog\n", "fasttext", ":1: no label"), ("__label__a __label__b x\n", None, ":1: several labels"),
    ("the dog\n", None, "no labels; a line is"), ('{"text": 3}\n', None, 'an object has "text"'),
    ('{"text": "a", "label": 3}\n', None, 'an object has "text"'), ('{"text": "a"\n', "jsonl", ":1: not JSON"),
    ('{"text": "a", "x": NaN}\n', "jsonl", ":1: not JSON"), ("[" * 5000 + "\n", "jsonl", ":1: not JSON"),
    ('{"text": "\\ud800"}\n', "jsonl", ":1: not JSON"), ("\n", "tsv", None)])
def test_what_cannot_be_learnt_from_is_refused(text, format, message, file):
    if message is None:
        assert list(read_labelled(file(text), format, learning=True)) == []
        return
    with pytest.raises(CorpusError) as error:
        list(read_labelled(file(text), format, learning=True))
    assert message in str(error.value)


def test_labels_that_could_not_be_read_back_are_refused():
    for label, format in (("a\tb", "tsv"), ("a b", "fasttext"), ("a\nb", "labels")):
        with pytest.raises(CorpusError, match="cannot be written as"):
            write_labelled(Text(["x"], label), format)
    assert write_labelled(Text(["x"], "a b"), "tsv") == "a b\tx\n"


def test_an_unknown_format_is_misuse(file):
    with pytest.raises(OptionError, match="--format: 'csv'; it is one of"):
        list(read_labelled(file("a\tb\n"), "csv"))
