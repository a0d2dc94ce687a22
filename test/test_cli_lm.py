"""train-lm, score and generate on the command line."""

import json
import math
from pathlib import Path

import pytest
from invoking import failure, invoke

from rnntag.cli.generate import main as GENERATE
from rnntag.cli.inspect import main as INSPECT
from rnntag.cli.score import main as SCORE
from rnntag.cli.train_lm import main as TRAIN

TEXT = "the dog runs .\na cat sees the dog .\n\nthe cat\ndogs run , the cat runs .\n" * 5
TINY = ("--hidden", 4, "--embedding", 4, "--epochs", 2, "--batch-size", 3, "--bptt", 5)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text").write_text(TEXT)


@pytest.fixture(params=["word", "char"])
def model(request):
    invoke(TRAIN, "text", "m", *TINY, "-q", "--unit", request.param)
    return request.param


def test_training_says_what_it_does():
    _, err = invoke(TRAIN, "text", "m", *TINY, "--dev-fraction", 0.2)
    lines = err.splitlines()
    assert lines[0].startswith("92 words to predict, 12 known; ") and "dev perplexity" in lines[1]
    assert lines[-1] == "Model written to m"
    info = json.loads(Path("m", "model.json").read_text())["info"]
    assert info["train"]["tokens"] == 95 and info["dev"]["sentences"] == 4
    assert info["dev"]["log_probability"] < 0


def test_the_summary_follows_from_the_words(model):
    out, _ = invoke(SCORE, "m", "text", "--surprisal", "vertical")
    sentences = [[line.split("\t") for line in block.strip("\n").split("\n")] for block in out.split("\n\n")
                 if block.strip("\n")]
    assert [[word for word, _ in sentence] for sentence in sentences] == [
        line.split(" ") for line in TEXT.splitlines() if line]
    lines, _ = invoke(SCORE, "m", "text", "--surprisal", "jsonl")
    records = [json.loads(line) for line in lines.splitlines()]
    assert [float(bits) for sentence in sentences for _, bits in sentence] == [
        bits for record in records for bits in record["surprisal"]]
    summary = json.loads(invoke(SCORE, "m", "text", "--json")[0])
    bits = sum(sum(record["surprisal"]) + record["end"] for record in records if record["tokens"])
    assert summary["sentences"] == 20 and summary["tokens"] == 95 and summary["characters"] == len(TEXT) - 5
    assert summary["predicted"] == (115 if model == "word" else len(TEXT) - 5)
    assert summary["log_probability"] == pytest.approx(-bits * math.log(2), abs=0.02)
    assert summary["perplexity"] == pytest.approx(math.exp(-summary["log_probability"] / summary["predicted"]))
    assert summary["bits_per_character"] == pytest.approx(
        -summary["log_probability"] / math.log(2) / summary["characters"])


def test_the_summary_for_people_has_the_same(model):
    out, _ = invoke(SCORE, "m", "text", "--alone")
    values = json.loads(invoke(SCORE, "m", "text", "--alone", "--json")[0])
    assert f"{values['perplexity']:,.2f}" in out and f"{values['bits_per_character']:.4f}" in out
    _, err = invoke(SCORE, "m", "text", "--alone", "--surprisal", "jsonl")
    assert out in err


def test_a_corpus_in_another_format_is_scored_by_its_words():
    invoke(TRAIN, "text", "m", *TINY, "-q")
    Path("c.vertical").write_text("the\tDT\ndog\tNN\n\n")
    Path("c.tokens").write_text("the dog\n")
    assert invoke(SCORE, "m", "c.vertical")[0] == invoke(SCORE, "m", "c.tokens")[0]


def test_text_is_drawn_and_the_seed_decides(model):
    out, _ = invoke(GENERATE, "m", "--seed", 3, "--sentences", 4, "--longest", 30)
    assert out.count("\n") == 4
    assert invoke(GENERATE, "m", "--seed", 3, "--sentences", 4, "--longest", 30)[0] == out
    assert invoke(GENERATE, "m", "--seed", 4, "--sentences", 4, "--longest", 30)[0] != out
    out, _ = invoke(GENERATE, "m", "--prefix", "the cat", "--sentences", 1, "--longest", 5)
    assert out.startswith("the cat") and len(out) < 60


def test_inspect_shows_a_language_model(model):
    out, _ = invoke(INSPECT, "m")
    assert "a model of kind lm" in out and "Tags" not in out and "hidden" in out and "epoch" in out
    assert failure(INSPECT, "m", "dog", status=2) == (
        "WORD: 'dog', for a model of kind lm; taggers and classifiers know words. Use rnntag score.")


@pytest.mark.parametrize("arguments, message, status", [
    (("text", "m2", "--patience", 2), "--patience: 2 without a dev set; it would change nothing. Leave it out.", 2),
    (("empty", "m2"), "empty: no sentences; at least one is needed", 1),
    (("text", "m2", "--hidden", 0), "--hidden: 0; it is at least 1 and at most 4096", 2),
    (("text", "m2", "--dev-fraction", 0.1, "--dev", "text"), "--dev and --dev-fraction: given together; there is one "
     "dev set", 2),
    (("missing", "m2"), "missing: cannot read it: no such file or directory", 1)])
def test_training_refuses(arguments, message, status):
    Path("empty").write_text("\n\n")
    assert failure(TRAIN, *arguments, status=status).startswith(message)
    assert not Path("m2").exists() and not Path("m2.training").exists()


def test_the_other_commands_refuse():
    invoke(TRAIN, "text", "m", *TINY, "-q")
    Path("empty").write_text("\n\n")
    assert failure(SCORE, "m", "empty") == "empty: no sentences; at least one is needed."
    assert failure(GENERATE, "m", "--prefix", "a\nb", status=2).startswith("--prefix: a line end")
    assert failure(GENERATE, "m", "--temperature", 0, "--seed", 1, status=2).startswith("--seed: given with")
    assert failure(SCORE, "text", "text").startswith("text: not a folder")
