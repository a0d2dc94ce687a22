"""Events: for programs by the module logging, for commands by --log-json; several threads with one tagger."""

import json
import logging
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest
from invoking import failure, invoke
from samples import TEXT, text

import rnntag
from rnntag.cli.main import main
from rnntag.cli.test_rnn import main as RNN
from rnntag.cli.train_rnn import main as TRAIN
from rnntag.models.constraints import ConstrainedTagger
from rnntag.parallel import ParallelTagger

QUICK = ("--preset", "tutorial", "--epochs", "3", "-q")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.wordtag").write_bytes(TEXT)
    (tmp_path / "text.tokens").write_bytes(b"the dog\n\na cat sees\n")
    return tmp_path


def events(path="log"):
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def test_a_program_that_listens_is_told(here, caplog):
    with caplog.at_level(logging.INFO, "rnntag"):
        tagger = rnntag.train("train.wordtag", epochs=2, hidden=4)
        rnntag.save(tagger, "m")
        rnntag.load("m")
    assert [(record.event, record.levelname) for record in caplog.records] == [
        (name, "INFO") for name in ("epoch", "epoch", "saved", "loaded")]
    assert caplog.records[0].values["epoch"] == 1 and caplog.records[0].values["tokens_per_second"] > 0
    assert caplog.records[-1].getMessage() == "loaded model=m kind=rnn"


def test_a_program_that_does_not_is_not_disturbed(here, capfd):
    assert "logging" in sys.modules
    rnntag.train("train.wordtag", epochs=1, hidden=4)
    assert capfd.readouterr() == ("", "")


def test_training_and_tagging_log_json(here):
    invoke(TRAIN, "train.wordtag", "m", *QUICK, "--checkpoint-every", "0", "--log-json", "log")
    found = events()
    assert [event["event"] for event in found if event["event"] != "checkpoint"] == [
        "begin", "epoch", "epoch", "epoch", "saved", "end"]
    epochs = [event for event in found if event["event"] == "epoch"]
    log = [json.loads(line) for line in (here / "m" / "log.jsonl").read_text().splitlines()]
    assert [{name: event[name] for name in log[0]} for event in epochs] == log
    assert found[0]["command"] == "train-rnn" and found[0]["version"] == rnntag.__version__
    assert {event["folder"] for event in found if event["event"] == "checkpoint"}
    assert found[-1]["status"] == 0 and found[-1]["cpu_seconds"] > 0 and found[-1]["seconds"] > 0
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"]) for event in found)
    assert [event["time"] for event in found] == sorted(event["time"] for event in found)
    if sys.platform != "win32":
        assert found[-1]["peak_memory_mb"] > 10

    invoke(RNN, "m", "text.tokens", "-o", "out", "--log-json", "log")
    more = events()[len(found):]  # the file is added to
    assert [event["event"] for event in more] == ["begin", "loaded", "tagged", "end"]
    assert {name: more[2][name] for name in ("input", "output", "sentences", "tokens")} == {
        "input": "text.tokens", "output": "out", "sentences": 3, "tokens": 5}
    assert not logging.getLogger("rnntag").handlers and logging.getLogger("rnntag").level == logging.NOTSET


def test_warnings_errors_and_the_exit_status_are_events(here):
    (here / "windows").write_bytes(b"a_X\r\n")
    (here / "bad").write_bytes(b"a_X  b_Y\n")
    invoke(TRAIN, "windows", "m", *QUICK, "--log-json", "log")
    assert [event["message"] for event in events() if event["event"] == "warning"] == [
        "windows:1: Windows line ends (CRLF); read as LF"]
    for options, status in (((), 1), (("--window", "3"), 2)):
        invoke(TRAIN, "bad" if status == 1 else "train.wordtag", "n", *QUICK, *options, "--log-json", f"log{status}",
               status=status)
        begin, error, end = events(f"log{status}")
        assert (begin["event"], error["event"], end["status"]) == ("begin", "error", status)
    assert events("log1")[1]["message"].startswith("bad:1: two spaces in a row")


def test_a_traceback_is_an_end_with_an_error(here):
    from click.testing import CliRunner
    result = CliRunner().invoke(RNN, ["gone", "--debug", "--log-json", "log"])
    assert isinstance(result.exception, rnntag.errors.ModelError) and events()[-1]["status"] == 1


def test_a_log_that_cannot_be_written(here):
    assert failure(RNN, "m", "text.tokens", "--log-json", "gone/log").startswith("gone/log: cannot write it: no such")
    assert failure(RNN, "m", "text.tokens", "--log-json", "-", status=2).startswith("--log-json: standard output")
    if Path("/dev/full").exists():
        assert failure(RNN, "m", "text.tokens", "--log-json", "/dev/full").startswith("/dev/full: cannot write it")


def test_every_command_has_it():
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert "--log-json" in [opt for option in command.params for opt in option.opts], name


# ------------------------------------------------------------------ threads


@pytest.mark.parametrize("kind", ["rnn", "crf", "hmm", "constrained", "parallel"])
def test_one_tagger_serves_many_threads(here, monkeypatch, kind):
    from rnntag.models import tagger as module

    monkeypatch.setattr(module, "CACHE_BYTES", 2_000)  # room for few words: it starts anew all the time
    if kind == "hmm":
        from rnntag.cli.train_hmm import main as HMM
        invoke(HMM, "train.wordtag", "m")
        tagger = rnntag.load("m")
    else:
        tagger = rnntag.train("train.wordtag", epochs=3, hidden=8, output="crf" if kind == "crf" else "softmax")
        if kind == "constrained":
            tagger = ConstrainedTagger(tagger, {"dog": ["NN"], "the": ["DT", "NN"]})
        if kind == "parallel":
            tagger = ParallelTagger(tagger, 2)
    texts = [[[f"{word}{i if i % 3 else ''}" for word in words] for words in text()[i % 5:]] for i in range(24)]
    expected = [list(tagger.annotate(each, best=1)) for each in texts]
    interval = sys.getswitchinterval()
    start = threading.Barrier(8)

    def work(each):
        if each < 8:
            start.wait(60)
        return list(tagger.annotate(texts[each], best=1))

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(work, range(24)))
    finally:
        sys.setswitchinterval(interval)
    assert found == expected
