"""Does text look tokenised? Real text does, and does not when it is split at spaces alone."""

import re

import pytest
from invoking import invoke, train

from rnntag.cli.test_hmm import main as TEST_HMM
from rnntag.cli.test_rnn import main as TEST_RNN
from rnntag.cli.train_hmm import main as TRAIN_HMM
from rnntag.corpus import read
from rnntag.corpus.tokenisation import LOOKED_AT, Tokenisation

KNOWN = {"the", "dog", ".", ",", "Mr."}
RAW = "The dog, a cat.\nYes, he runs.\n"


def seen(*lines, known=KNOWN):
    found = Tokenisation(known)
    for line in lines:
        found.look(line.split(" "))
    return found


def test_punctuation_that_sticks_to_unknown_words_is_counted():
    found = seen("the cat. , Mr. ... dog.. what? 3.14 , 5. .")
    assert (found.tokens, found.alone, found.stuck, found.example) == (11, 3, 2, "cat.")  # ? is not of the training
    assert Tokenisation(KNOWN).look("a b, c d.".split(" ")) == [1, 3]


@pytest.mark.parametrize("lines, lacking", [
    (["a b, c d. e f, g"], True), (["a b, c d."], False), (["a b, c d. e f, g . . ."], False),
    (["a b, c d. e f,"] + ["a"] * 93, True), (["a b, c d. e f,"] + ["a"] * 95, False), ([], False)])
def test_some_are_too_few(lines, lacking):
    assert seen(*lines).lacking == lacking


def test_where_training_has_no_punctuation_nothing_is_said():
    assert not seen("a b, c d. e f, g h.", known={"a", "b"}).lacking


@pytest.mark.parametrize("name", ["ewt/dev.conllu", "wiki-en/wiki-en-test.norm_pos", "ud/tr_imst-dev.conllu",
                                  "ud/hu_szeged-dev.conllu"])
def test_treebanks_look_tokenised_in_all_their_parts_and_their_raw_text_does_not(name, corpora):
    path = corpora / name
    if not path.exists():
        pytest.skip(f"no {name}")
    tokens = [sentence.words for sentence in read(path)]
    for words in (tokens[i:i + 10] for i in range(0, len(tokens), 10)):
        assert not seen(*map(" ".join, words), known=set(".,;:!?")).lacking
    raw = re.findall("^# text = (.*)", path.read_text("utf-8"), re.MULTILINE)
    parts = [raw[i:i + 20] for i in range(0, len(raw), 20)]  # web text has some without punctuation
    assert sum(seen(*part, known=set(".,;:!?")).lacking for part in parts) >= 0.97 * len(parts)


@pytest.mark.parametrize("options", [[], ["--stream"], ["--partial", "--format", "vertical"]])
def test_tagging_warns_once(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train").write_bytes(b"the_D dog_N ,_, runs_V ._.\n" * 3)
    train("train", "m")
    text = RAW.replace("\n", "\n\n").replace(" ", "\n") if "--partial" in options else RAW
    out, err = invoke(TEST_RNN, "m", *options, input=text)
    assert len(out.splitlines()) == len(text.splitlines())
    assert err == ("Warning: standard input: 4 of 7 tokens end in punctuation, such as 'dog,'; in the training "
                   "corpus it is a token. Put a space before it, and between all tokens.\n")
    assert invoke(TEST_RNN, "m", *options, input="the\n" * LOOKED_AT + text)[1] == ""
    invoke(TRAIN_HMM, "train", "hmm", "-q")
    assert invoke(TEST_HMM, "hmm", input=RAW)[1] == err
