"""Kill trainings, resume them, and compare what they end with.

A ``Run`` is one training in a folder of its own, by any command that trains; ``reference`` says how it ends when
nothing happens to it. ``kill_at_random`` sends signals at random moments, ``fail_at`` kills the process at,
or fills the disk before, a given one of its file operations: no step of writing a checkpoint or a model
is left out. scripts/fuzz.py does this in large numbers, test_checkpoint.py in small ones.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
               "PYTHONPATH": str(ROOT)}
OPTIONS = ("--epochs", "6", "--batch-size", "2", "--hidden", "6", "--embedding", "8", "--dev", "dev", "--average",
           "0.6", "--patience", "5")
SHORT = ("--epochs", "2", "--hidden", "4", "--embedding", "4", "--dev", "dev")  # a few dozen file operations
# The command with one of the process's file operations made to fail: argv is COUNT, what happens, the command.
WRAPPED = """
import errno, os, signal, sys
count, what, *sys.argv[1:] = sys.argv[1:]
left = int(count)
def wrapped(function):
    def call(*arguments, **names):
        global left
        left -= 1
        if left == 0 and what == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if left <= 0 and what == "full" and function.__name__ not in ("unlink", "rmdir"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        try:
            return function(*arguments, **names)
        finally:  # also after one that fails, such as the removal of what is not there
            if left == 0 and what == "after":
                os.kill(os.getpid(), signal.SIGKILL)
    return call
for name in ("fsync", "replace", "rename", "unlink", "mkdir", "rmdir", "chmod"):
    setattr(os, name, wrapped(getattr(os, name)))
from rnntag.cli.main import main
try:
    main(sys.argv[1:], "rnntag")
finally:
    if what == "count":
        print(int(count) - left)
"""


def corpus(command, lines):
    """Lines of word_TAG as a command learns from them."""
    for line in lines:
        words, tags = zip(*(token.rsplit("_", 1) for token in line.split()))
        match command:
            case "train-classifier":
                yield f"{tags[0] == 'DT'}\t{' '.join(words)}\n"
            case "train-transducer":
                yield from (f"{word}\t{tag}\n" for word, tag in zip(words, tags))
            case "train-lm" | "train-segmenter":
                yield " ".join(words) + "\n"
            case _:
                yield line


class Run:
    """A training of MODEL ``m`` in ``folder``, ever the same."""

    def __init__(self, folder, sentences=40, more=OPTIONS, command="train-rnn"):
        lines = (ROOT / "data" / "sample-train.wordtag").read_text("utf-8").splitlines(keepends=True)
        (folder / "train").write_text("".join(corpus(command, lines[:sentences])), "utf-8")
        # long enough to be hit while scoring
        (folder / "dev").write_text("".join(corpus(command, lines[-3 * sentences:])), "utf-8")
        self.folder, self.more, self.command = folder, more, command

    def arguments(self, every, *more):
        return [self.command, "train", "m", "--checkpoint-every", str(every), *self.more, *more]

    def start(self, *arguments):
        return subprocess.Popen([sys.executable, "-m", "rnntag", *arguments], cwd=self.folder, env=ENVIRONMENT,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wrapped(self, count, what, *arguments):
        return subprocess.run([sys.executable, "-c", WRAPPED, str(count), what, *arguments], cwd=self.folder,
                              env=ENVIRONMENT, capture_output=True, timeout=120)

    def finish(self, *more):
        """Run to the end, resuming what is there; returns what was said."""
        process = self.start(*self.arguments(30, "--resume", *more))
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0 and out == b"", err.decode()
        return err.decode()

    def result(self):
        """The model's files; nothing else may be left but the corpora."""
        names = sorted(os.listdir(self.folder))
        assert names == ["dev", "m", "train"], f"left behind: {names}"
        return {path.name: path.read_bytes() for path in sorted((self.folder / "m").iterdir())}

    def clear(self):
        for path in (self.folder / "m").iterdir():
            path.unlink()
        (self.folder / "m").rmdir()


def reference(folder, **kwargs):
    """A Run, the model that it ends with, and the seconds that it takes."""
    run = Run(folder, **kwargs)
    began = time.monotonic()
    run.finish()
    seconds, wanted = time.monotonic() - began, run.result()
    run.clear()
    return run, wanted, seconds


def kill_at_random(run, wanted, seconds, count, seed):
    """Kill trainings ``count`` times, each resumed until it ends or is killed again; Counter of what
    the signals hit and of models that were the same."""
    rng, found = random.Random(seed), Counter()
    hits = 0
    while hits < count:
        process = run.start(*run.arguments(rng.choice((0, 0.02, 0.1, 1)), "--resume"))
        sent = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT))
        try:
            _, err = process.communicate(timeout=rng.uniform(0.1, 1.3 * seconds))
        except subprocess.TimeoutExpired:
            stood = (run.folder / "m.training" / "state.json").exists()
            process.send_signal(sent)
            _, err = process.communicate(timeout=120)
        if process.returncode == 0:
            assert run.result() == wanted, f"another model, seed {seed}"
            found["ended: the same bytes"] += 1
            run.clear()
            continue
        hits += 1
        if sent == signal.SIGKILL:
            assert process.returncode == -sent, err.decode()
        else:
            assert process.returncode in (-sent, 128 + sent), (process.returncode, err.decode())
            assert process.returncode == -sent or err.decode().splitlines()[-1].startswith("Error: "), err.decode()
        found[f"{sent.name}, exit status {process.returncode}, "
              f"{'a checkpoint stood' if stood else 'before the first checkpoint'}"] += 1
    run.finish()
    assert run.result() == wanted, f"another model, seed {seed}"
    found["ended: the same bytes"] += 1
    run.clear()
    return found


def operations(run, every=0):
    """How many file operations a training has."""
    result = run.wrapped(10 ** 9, "count", *run.arguments(every))
    assert result.returncode == 0, result.stderr.decode()
    run.clear()
    return int(result.stdout)


def fail_at(run, wanted, number, what, every=0):
    """Let the training fail at its file operation ``number``, resume it, compare; what was said."""
    result = run.wrapped(number, what, *run.arguments(every))
    said = result.stderr.decode()
    if what == "full" and result.returncode == 0:  # the model was written, and removing takes no room
        said = "no room was needed any more"
    elif what == "full":
        assert result.returncode == 1 and "Traceback" not in said, said
        assert said.count("Error: ") == 1 and "no space left on device" in said.splitlines()[-1], said
    else:
        assert result.returncode == -signal.SIGKILL, said
    run.finish()
    assert run.result() == wanted, f"{what} {number}: another model"
    run.clear()
    return said.splitlines()[-1].replace(f"{run.folder}{os.sep}", "") if what == "full" else what
