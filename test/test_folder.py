"""test-rnn and test-hmm on many files: answers in a folder, resumed runs, what is refused."""

import gzip
import json
import os
import subprocess
import sys
import time

import pytest
from conftest import ENVIRONMENT
from invoking import failure, invoke
from samples import TEXT

from rnntag.cli.test_hmm import main as HMM
from rnntag.cli.test_rnn import main as RNN
from rnntag.cli.train_rnn import main as TRAIN

LINES = b"the dog runs .\na cat sees the dog .\n\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    (folder / "train.wordtag").write_bytes(TEXT)
    invoke(TRAIN, folder / "train.wordtag", folder / "m", "--preset", "tutorial", "--epochs", "2", "-q")
    return folder / "m"


@pytest.fixture
def texts(tmp_path, monkeypatch):
    """A folder of files of several formats, in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.tokens").write_bytes(LINES)
    (tmp_path / "in" / "deep" / "b.tokens.gz").write_bytes(gzip.compress(2 * LINES))
    (tmp_path / "in" / "c.conllu").write_bytes(b"# x\n1\tthe\t_\t_\t_\t_\t_\t_\t_\t_\n\n")
    (tmp_path / "in" / "plain").write_bytes(LINES)
    (tmp_path / "in" / ".hidden").write_bytes(b"\xff")
    return tmp_path / "in"


def answers(folder):
    """The files in a folder of answers, decompressed."""
    return {str(path.relative_to(folder)): gzip.decompress(data) if path.suffix == ".gz" else data
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "_rnntag.json"
            for data in [path.read_bytes()]}


def table(out):
    """The rows of the table, without the seconds: file to the other cells."""
    rows = [line.split("  ") for line in out.splitlines()[1:]]
    return {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in rows}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_is_answered_file_by_file_as_each_would_be_alone(trained, texts, tmp_path, jobs):
    out, err = invoke(RNN, trained, "in", "--output-dir", "out", "--jobs", jobs)
    alone = {name: invoke(RNN, trained, texts / source)[0].encode() for name, source in (
        ("a.tags", "a.tokens"), ("c.conllu", "c.conllu"), ("deep/b.tags.gz", "deep/b.tokens.gz"), ("plain", "plain"))}
    assert answers(tmp_path / "out") == alone
    assert err == ""
    rows = table(out)
    assert rows["in/a.tokens"][:2] == ["3", "10"] and rows["in/a.tokens"][-1] == "out/a.tags"
    assert rows["in/deep/b.tokens.gz"][:2] == ["6", "20"]
    assert rows["4 of 4 files"][:2] == ["13", "41"]


def test_files_by_name_and_an_hmm(model, texts, tmp_path):
    (texts / "a.tokens").write_bytes(b"a b\nc\n")
    invoke(HMM, model, "in/a.tokens", "in/deep/b.tokens.gz", "--output-dir", "new/out", "--output-format", "jsonl")
    found = answers(tmp_path / "new" / "out")
    assert [*found] == ["a.jsonl", "b.jsonl.gz"]
    assert json.loads(found["a.jsonl"].splitlines()[0])["tags"] == ["X", "Y"]


def test_probabilities_change_the_format_and_so_the_name(trained, texts, tmp_path):
    invoke(RNN, trained, "in/a.tokens", "--output-dir", "out", "--n-best", "2")
    assert [*answers(tmp_path / "out")] == ["a.jsonl"]


def test_a_file_with_an_error_does_not_stop_the_others_and_is_told(trained, texts, tmp_path):
    (texts / "bad.wordtag").write_bytes(b"a_X  b_Y\n")
    out, err = invoke(RNN, trained, "in", "gone.tokens", "--output-dir", "out", status=1)
    assert "in/bad.wordtag:1: two spaces in a row" in err and "gone.tokens: cannot read it" in err
    assert err.splitlines()[-1] == ("Error: out: 2 of 6 files could not be tagged. Mend them, then go on with "
                                    "--resume.")
    rows = table(out)
    assert rows["in/bad.wordtag"] == ["none, see the error"] and rows["4 of 6 files"][:2] == ["13", "41"]
    assert len(answers(tmp_path / "out")) == 4


def test_an_error_of_a_word_tagged_in_advance_names_its_file(trained, texts):
    (texts / "x.wordtag").write_bytes(b"a_NN\nthe_FOO dog\n")
    for more in ((), ("--jobs", "2")):
        _, err = invoke(RNN, trained, "in/x.wordtag", "--partial", "--output-dir", "out", "--force", *more, status=1)
        assert err.startswith("Error: in/x.wordtag:2: token 1, 'the', has the tag 'FOO'")


def test_resuming_passes_over_what_is_finished_and_tags_what_is_new_or_changed(trained, texts, tmp_path):
    invoke(RNN, trained, "in", "--output-dir", "out", "--resume")  # the first time there is nothing to pass over
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir() if path.is_file()}
    (tmp_path / "out" / "plain").unlink()
    (texts / "new.tokens").write_bytes(b"the cat\n")
    (texts / "c.conllu").write_bytes(b"1\tdogs\t_\t_\t_\t_\t_\t_\t_\t_\n\n")
    os.utime(texts / "c.conllu", ns=(0, before[tmp_path / "out" / "c.conllu"] + 1))
    out, _ = invoke(RNN, trained, "in", "--output-dir", "out", "--resume")
    rows = table(out)
    assert rows["in/a.tokens"] == ["out/a.tags, finished before"]
    assert not [name for name in ("plain", "c.conllu", "new.tokens") if "before" in rows[f"in/{name}"][-1]]
    assert (tmp_path / "out" / "a.tags").stat().st_mtime_ns == before[tmp_path / "out" / "a.tags"]
    assert b"dogs" in answers(tmp_path / "out")["c.conllu"]


def test_nothing_is_overwritten_and_nothing_mixed(trained, texts, tmp_path):
    invoke(RNN, trained, "in", "--output-dir", "out")
    assert failure(RNN, trained, "in", "--output-dir", "out/a.tags").startswith(
        "out/a.tags: a file stands there; the answers go into a folder.")
    assert "exists already. Go on with --resume" in failure(RNN, trained, "in", "--output-dir", "out")
    assert "another model or other options" in failure(
        RNN, trained, "in", "--output-dir", "out", "--resume", "--probabilities", status=2)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.tags").write_bytes(b"mine\n")
    assert "other/a.tags: exists already" in failure(RNN, trained, "in", "--output-dir", "other")
    assert "other/a.tags: exists already" in failure(RNN, trained, "in", "--output-dir", "other", "--resume")
    assert [*answers(tmp_path / "other").values()] == [b"mine\n"]
    invoke(RNN, trained, "in", "--output-dir", "other", "--force")
    assert answers(tmp_path / "other") == answers(tmp_path / "out")


@pytest.mark.parametrize("arguments, message", [
    (["in/a.tokens", "in/plain"], "2 INPUTs; each has an answer of its own."),
    (["in"], "in: a folder; each of its files"),
    (["in/a.tokens", "--resume"], "--resume: given without --output-dir"),
    (["in", "--output-dir", "in/out"], "--output-dir: in/out; it is in in,"),
    (["in", "--output-dir", "in"], "--output-dir: in; it is in in,"),
    (["--output-dir", "out"], "--output-dir: standard input;"),
    (["in/plain", "-", "--output-dir", "out"], "--output-dir: standard input;"),
    (["in", "--output-dir", "out", "-o", "x"], "--output: given with --output-dir"),
    (["in", "--output-dir", "out", "--stream"], "--stream: given with --output-dir"),
    (["in/a.tokens", "in/deep/a.tokens", "--output-dir", "out"], "in/a.tokens and in/deep/a.tokens; both answers"),
    (["in", "--output-dir", "out", "--probabilities", "--output-format", "conllu"], "--output-format: conllu;")])
def test_misuse(trained, texts, tmp_path, arguments, message):
    (texts / "deep" / "a.tokens").write_bytes(LINES)
    assert message in invoke(RNN, trained, *arguments, status=2)[1]
    assert not answers(tmp_path / "out")


def test_a_folder_without_files_and_one_that_cannot_be_written(trained, texts, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty: a folder without files" in failure(RNN, trained, "empty", "--output-dir", "out")
    assert "in/plain" in failure(RNN, trained, "empty/../in/a.tokens", "--output-dir", "in/plain")


def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_bytes(trained, texts, tmp_path):
    for i in range(20):
        (texts / f"n{i:02}.tokens").write_bytes(100 * LINES)
    invoke(RNN, trained, "in", "--output-dir", "whole")
    command = [sys.executable, "-m", "rnntag", "test-rnn", str(trained), "in", "--output-dir", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    while not (tmp_path / "out" / "n05.tags").exists() and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.wait()
    done = {path.name for path in (tmp_path / "out").rglob("[!._]*") if path.is_file()}
    assert 5 <= len(done) < 24
    (tmp_path / "out" / ".n07.tags.0123abcd.part").touch()  # as if it had been killed while it wrote this
    out, _ = invoke(RNN, trained, "in", "--output-dir", "out", "--resume")
    assert out.count("finished before") == len(done)
    assert answers(tmp_path / "out") == answers(tmp_path / "whole")
