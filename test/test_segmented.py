"""Corpora with their text: what CoNLL-U says of it, paragraphs, and sentences found in raw text."""

import pytest

from rnntag.corpus.base import Block
from rnntag.corpus.columns import Conllu
from rnntag.corpus.segmented import Segmented, escaped, joined, paragraphs, surface
from rnntag.errors import CorpusError

CONLLU = """# newdoc
# newpar
# text = Don't go.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\t_\t_\t_\t_\t_\t_\t_\t_
2\tn't\t_\t_\t_\t_\t_\t_\t_\t_
2.1\tempty\t_\t_\t_\t_\t_\t_\t_\t_
3\tgo\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
4\t.\t_\t_\t_\t_\t_\t_\t_\tSpacesAfter=\\s\\s

1\tGo\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\t!\t_\t_\t_\t_\t_\t_\t_\t_

# newpar
1\tYes\t_\t_\t_\t_\t_\t_\t_\t_

"""


def lines(*tokens, comments=()):
    return Block("conllu", [*comments, *(f"{i}\t{form}" + "\t_" * 7 + f"\t{misc}"
                                         for i, (form, misc) in enumerate(tokens, 1))])


def test_paragraphs_have_the_text_its_tokens_and_the_words_of_ranges(tmp_path):
    (tmp_path / "c.conllu").write_text(CONLLU)
    first, second = paragraphs(tmp_path / "c.conllu")
    assert first.text == "Don't go.  Go!"
    assert [first.text[a:b] for a, b in first.tokens] == ["Don't", "go", ".", "Go", "!"]
    assert (first.sentences, first.splits) == ([3, 5], {0: ("Do", "n't")})
    assert (second.text, second.tokens, second.sentences) == ("Yes", [(0, 3)], [1])


def test_segmented_text_is_without_the_spaces_that_separate_words(tmp_path):
    (tmp_path / "c.word").write_text("自然 言語\n処理 \u3000 。\n\nは\n")
    first, second = paragraphs(tmp_path / "c.word", "tokens")
    assert (first.text, first.tokens, first.sentences) == (
        "自然言語処理\u3000。", [(0, 2), (2, 4), (4, 6), (6, 7), (7, 8)], [2, 5])
    assert second.text == "は"


def test_a_corpus_without_sentences_is_refused(tmp_path):
    (tmp_path / "c.conllu").write_text("\n\n")
    with pytest.raises(CorpusError, match="no sentences"):
        list(paragraphs(tmp_path / "c.conllu"))


def test_the_text_tells_of_spaces_that_misc_does_not():
    assert surface(lines(("a", "_"), ("b", "_"), ("c", "_"), comments=["# text = a\u00a0b c"])).spaces == [
        "\u00a0", " ", " "]
    assert surface(lines(("a", "_"), ("b", "_"), comments=["# text = ab"])).spaces == ["", " "]
    # another text than the tokens': MISC alone counts
    assert surface(lines(("a", "SpaceAfter=No"), ("b", "_"), comments=["# text = a x"])).spaces == ["", " "]
    assert surface(lines(("a", "SpacesAfter=\\n"), ("b", "_"), comments=["# text = a b"])).spaces == ["\n", " "]


def test_spaces_are_escaped_and_read_back():
    spaces = " \t\r\n\u00a0\u2028"
    assert escaped(spaces) == "\\s\\t\\r\\n\u00a0\u2028"
    read = surface(lines(("a", f"SpacesBefore={escaped(spaces)}|SpacesAfter={escaped(spaces)}"), ("b", "_")))
    assert (read.before, read.spaces[0]) == (spaces, spaces)


def test_a_paragraph_comes_in_parts_of_some_sentences():
    whole = joined([surface(lines((a, "SpaceAfter=No"), (".", "_"))) for a in "abc"])
    assert [part.text for part in whole.parts(2)] == ["a. b.", "c."]
    assert [part.sentences for part in whole.parts(2)] == [[2, 4], [2]]
    assert [part.tokens for part in whole.parts(2)] == [[(0, 1), (1, 2), (3, 4), (4, 5)], [(0, 1), (1, 2)]]


def found():
    return Segmented(["Don't", "go", "."], [(1, 6), (7, 9), (9, 10)], [" ", "", "\n\n"], "\t", {0: ("Do", "n't")},
                     ("# newpar",), 7)


def test_a_sentence_found_in_text_is_written_with_what_stands_between_its_tokens():
    sentence = found()
    assert sentence.words == ["Do", "n't", "go", "."]
    sentence.prepare("conllu", offsets=True)
    text = Conllu().write(sentence)
    assert text.split("\n")[:4] == ["# newpar", "# sent_id = 7", "# text = Don't go.",
                                    "1-2\tDon't" + "\t_" * 7 + "\tSpacesBefore=\\t|TokenRange=1:6"]
    assert [line.split("\t")[-1] for line in text.split("\n")[4:8]] == [
        "_", "_", "SpaceAfter=No|TokenRange=7:9", "SpacesAfter=\\n\\n|TokenRange=9:10"]


def test_in_jsonl_the_words_of_a_token_have_its_offsets():
    sentence = found()
    sentence.prepare("jsonl", offsets=True)
    assert sentence.source.values == {"text": "Don't go.", "newpar": True,
                                      "offsets": [[1, 6], [1, 6], [7, 9], [9, 10]]}
    sentence.prepare("tokens")
    assert sentence.source is None
