"""train-classifier, classify, grade-labels, and inspect on the command line."""

import json
from pathlib import Path

import pytest
from invoking import failure, files, invoke

from rnntag.cli.classify import main as CLASSIFY
from rnntag.cli.grade_labels import main as GRADE
from rnntag.cli.inspect import main as INSPECT
from rnntag.cli.train_classifier import main as TRAIN

TSV = "".join(f"{'yes' if k % 3 else 'no'}\t{'good' if k % 3 else 'bad'} {'dog' if k % 2 else 'cat'} .\n"
              for k in range(30))
TINY = ("--hidden", 4, "--embedding", 4, "--epochs", 8, "--learning-rate", 0.05, "--dropout", 0, "-q")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.tsv").write_text(TSV)
    Path("text").write_text("good dog\n\nbad cat .\n")


@pytest.fixture
def model():
    invoke(TRAIN, "train.tsv", "m", *TINY, "--pooling", "attention")


def test_texts_are_labelled_line_for_line(model):
    assert invoke(CLASSIFY, "m", "text")[0] == "yes\n\nno\n"
    assert invoke(CLASSIFY, "m", "-", input=b"good\n")[0] == "yes\n"
    assert invoke(CLASSIFY, "m", "text", "--output-format", "tsv")[0] == "yes\tgood dog\n\nno\tbad cat .\n"
    assert invoke(CLASSIFY, "m", "text", "--output-format", "fasttext")[0].startswith("__label__yes good dog\n\n")
    invoke(CLASSIFY, "m", "text", "-o", "out")
    assert Path("out").read_text() == "yes\n\nno\n"
    assert failure(CLASSIFY, "m", "text", "-o", "out").startswith("out: exists already")


def test_probabilities_add_up_to_1(model):
    first, blank, second = invoke(CLASSIFY, "m", "text", "--probabilities")[0].splitlines()
    cells = first.split("\t")
    assert cells[::2] == ["yes", "no"] and float(cells[1]) > 0.5 and blank == ""
    assert abs(float(cells[1]) + float(cells[3]) - 1) < 1e-5
    lines = invoke(CLASSIFY, "m", "text", "--probabilities", "--output-format", "jsonl")[0].splitlines()
    record = json.loads(lines[0])
    assert record["label"] == "yes" and record["text"] == "good dog"
    assert record["probabilities"] == {"yes": float(cells[1]), "no": float(cells[3])}


def test_answers_are_graded_and_compared(model):
    invoke(CLASSIFY, "m", "train.tsv", "-o", "good")
    Path("bad").write_text("yes\t0.7\n" * 30)
    out, _ = invoke(GRADE, "train.tsv", "good", "--per-label")
    assert out.startswith("Accuracy: 100.00% (30/30)\n") and "yes" in out and "Macro-F1: 100.00%" in out
    out, _ = invoke(GRADE, "train.tsv", "bad", "good")
    assert "Accuracy: 66.67% (20/30)" in out and "no --> yes\t10" in out
    assert "good against bad: McNemar p = 0.00195; 10 right in good alone, 0 in bad alone" in out
    record = json.loads(invoke(GRADE, "train.tsv", "bad", "good", "--json")[0])
    assert [answer["correct"] for answer in record["answers"]] == [20, 30]
    assert record["comparisons"][0]["only_second"] == 10


def test_inspect_draws_what_each_word_weighs(model):
    out, _ = invoke(INSPECT, "m", "a", "good", "dog")
    lines = out.splitlines()
    assert lines[0].startswith("label:  yes ") and [line.split()[0] for line in lines[2:]] == ["a", "good", "dog"]
    record = json.loads(invoke(INSPECT, "m", "a", "good", "dog", "--json")[0])
    longest = max(range(3), key=lambda k: lines[2 + k].count("\u2588"))
    assert lines[2 + longest].count("\u2588") == 40 and longest == max(range(3), key=record["attention"].__getitem__)
    assert abs(sum(record["attention"]) - 1) < 1e-5
    out, _ = invoke(INSPECT, "m")
    assert "Tags: 2" in out and "dev accuracy" in out and "* pooling" in " ".join(out.split())


def test_without_attention_inspect_says_what_would_show_it():
    invoke(TRAIN, "train.tsv", "m", *TINY)
    assert "--pooling attention" in invoke(INSPECT, "m", "good")[0]


def test_a_second_run_gives_the_same_bytes_and_resume_finds_it_finished(model):
    first = files("m")
    invoke(TRAIN, "train.tsv", "m", *TINY, "--pooling", "attention", "--resume")
    invoke(TRAIN, "train.tsv", "m2", *TINY, "--pooling", "attention")
    assert files("m") == files("m2") == first


@pytest.mark.parametrize("arguments, message, status", [
    (("one.tsv", "m2"), "one.tsv: all texts to learn from have the label 'yes'; a classifier tells", 1),
    (("text", "m2"), "text: no labels; a line is label TAB text, __label__LABEL text, or a JSON object", 1),
    (("train.tsv", "m2", "--encoder", "cnn", "--pooling", "last"), "--pooling: last with --encoder cnn", 2),
    (("train.tsv", "m2", "--window", 3), "--window: 3 without --encoder cnn", 2),
    (("empty", "m2", "--format", "tsv"), "empty: no texts; at least one is needed", 1)])
def test_training_refuses(arguments, message, status):
    Path("empty").write_text("\n")
    Path("one.tsv").write_text("yes\tgood\n" * 3)
    assert failure(TRAIN, *arguments, status=status).startswith(message)
    assert not Path("m2").exists()


def test_the_other_commands_refuse(model):
    Path("short").write_text("yes\n")
    Path("long").write_text("yes\n" * 31)
    assert failure(GRADE, "train.tsv", "short") == (
        "short: no label 2; train.tsv has one, in line 2. Is it cut short, or of other texts?")
    assert failure(GRADE, "train.tsv", "long").startswith("train.tsv: no label 31; long has one, in line 31.")
    assert failure(CLASSIFY, "m", "text", "--probabilities", "--output-format", "tsv", status=2).startswith(
        "--output-format: tsv; probabilities are written as labels or jsonl")
