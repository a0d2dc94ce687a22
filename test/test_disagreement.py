"""Likely annotation errors from the answers of taggers: the score, the kinds, the command."""

import json
import math

import pytest
from click.testing import CliRunner
from samples import sentences, tagged, written

from rnntag.analysis.disagreement import suspects
from rnntag.cli import cross_validate
from rnntag.cli.check import main
from rnntag.corpus import Column, Sentence


def answered(sentence, *best):
    """An answer to ``sentence`` with these (tag, probability) lists."""
    return Sentence(sentence.words, {"": Column([row[0][0] for row in best], list(best))}, sentence.line)


def surely(sentence, tags, p=0.99):
    """An answer that is sure of these tags."""
    return answered(sentence, *([(tag, p), ("Z", 1 - p)] for tag in tags.split()))


def test_the_score_is_that_of_the_formula():
    corpus = tagged("b_Y a_X b_Y", "b_Y a_Y b_Y", "b_Y a_Y b_Y")
    said = [surely(s, "Y Y Y", 1.0) for s in corpus]
    said[0].columns[""].best[1] = [("Y", 0.7), ("X", 0.2)]
    (found,) = suspects(corpus, said, varying=[])
    word = (2 + 0.7) / (0 + 0.2)
    assert found.score == pytest.approx(math.log(0.7 / 0.2) + math.log(word) / 2)
    assert (found.tag, found.answer, found.p_tag, found.p_answer) == ("X", "Y", 0.2, 0.7)
    (more,) = suspects(corpus, said)  # "b a b" recurs with the other tag: the context says what the word says
    assert more.score == pytest.approx(math.log(0.7 / 0.2) + math.log(word)) and more.kind == "slip"


def test_suspects_are_ranked_and_have_their_place_and_context():
    corpus = tagged("a_X b_Y c_X", "", "d_Y e_X")[::2]
    found = suspects(corpus, [surely(corpus[0], "X Y Y", 0.9), surely(corpus[1], "X X")])
    assert [(each.word, each.sentence, each.line, each.token) for each in found] == [("d", 1, 3, 0), ("c", 0, 1, 2)]
    assert (found[1].before, found[1].after) == (["a", "b"], [])
    assert found[1].to_dict()["token"] == 3 and found[1].to_dict()["sentence"] == 1


def test_the_kinds_are_told_apart():
    corpus = tagged("a_Y b_X", "a_X c_Y", "a_X c_Y", "d_X", "e_X g_Y", "e_Y h_Y", "e_X i_Y", "k_X s_Y t_X",
                    "k_X s_X t_X", "s_Y")
    said = [surely(s, " ".join(s.tags)) for s in corpus]
    said[0], said[3] = surely(corpus[0], "X X"), surely(corpus[3], "Y")
    said[4], said[7] = surely(corpus[4], "Y Y"), surely(corpus[7], "X X X")
    kinds = {(each.word, each.line): each.kind for each in suspects(corpus, said)}
    assert kinds == {("a", 1): "slip", ("d", 4): "rare word", ("e", 5): "ambiguous", ("s", 8): "inconsistent"}


def test_what_recurs_is_a_question_of_the_guideline():
    corpus = tagged(*["a_X b_Y"] * 4, "a_X c_Y", "a_Y d_Y")
    said = [surely(s, "Y Y") for s in corpus]
    found = suspects(corpus, said, varying=[])
    assert len(found) == 5 and {each.kind for each in found} == {"guideline"}


def test_columns_by_name_are_judged_each_and_tokens_without_a_tag_are_not():
    words = ["a", "b"]
    corpus = [Sentence(words, {"upos": Column(["X", ""]), "xpos": Column(["P", "Q"])}, 1)]
    best = [[("Y", 0.9), ("X", 0.1)], [("Y", 0.9), ("X", 0.1)]]
    other = [[("R", 1.0)], [("Q", 1.0)]]
    said = [Sentence(words, {"upos": Column(["Y", "Y"], best), "xpos": Column(["R", "Q"], other)}, 1)]
    assert [(each.field, each.word) for each in suspects(corpus, said)] == [("xpos", "a"), ("upos", "a")]


# ------------------------------------------------------------------ the command


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Three wrong tags in a corpus that is otherwise right: ``the`` is a verb once."""
    monkeypatch.chdir(tmp_path)
    made = sentences(150)
    for number, position in ((20, 0), (70, 1), (110, 0)):
        made[number].tags[position] = "NN" if made[number].tags[position] != "NN" else "VB"
    (tmp_path / "corpus").write_bytes(written(made))
    return {(21, 1), (71, 2), (111, 1)}


QUICK = ("--options", "--hidden 8 --embedding 8 --epochs 4", "-q")


def check(*arguments, status=0):
    result = CliRunner().invoke(main, ["corpus", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result.output


def test_wrong_tags_come_first(corpus):
    found = json.loads(check("--json", *QUICK))["suspects"]
    assert {(each["line"], each["token"]) for each in found[:3]} == corpus
    out = check("--suspects", 2, *QUICK)
    assert "\n    1  line " in out and "\n    2  line " in out and "\n    3  " not in out
    assert "more (--suspects)" in out


def test_answers_of_a_cross_validation_do_instead_of_training(corpus):
    result = CliRunner().invoke(cross_validate.main, ["corpus", "--folds", "3", "-o", "answers.jsonl", *QUICK])
    assert result.exit_code == 0, result.output
    assert check("--answers", "answers.jsonl") == check("--folds", 3, *QUICK)


@pytest.mark.parametrize("arguments, message", [
    (("--folds", 0, "--preset", "default"), "--preset: given without --folds"),
    (("--folds", 1), "--folds: 1; a tagger needs other parts to learn from. Give 2 or more, or 0 for no tagger."),
    (("--answers", "a", "--folds", 3), "--folds: given with --answers"),
    (("--answers", "a", "--jobs", 2), "--jobs: given with --answers"),
    (("--model", "hmm", "--model", "rnn"), "2 configurations; one of them is asked"),
    (("--json", "--suspects", 3), "--suspects: given with --json")])
def test_options_that_would_change_nothing_are_refused(corpus, arguments, message):
    assert message in check(*arguments, status=2)


def test_answers_that_do_not_fit_are_refused(corpus, tmp_path):
    (tmp_path / "other").write_bytes(b"a_X\n")
    assert "other:1: 1 token; corpus:1 has" in check("--answers", "other", status=1)
    assert "no probabilities" in check("--answers", "corpus", status=1)


def test_a_corpus_too_small_for_parts_is_checked_all_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").write_bytes(b"a_X b_Y\n")
    assert "Likely" not in check("-q")
