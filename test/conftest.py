"""Fixtures for all tests."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from samples import TOY

from rnntag import corpus
from rnntag.models.hmm import HMMTagger
from rnntag.storage import modelfile

ROOT = Path(__file__).resolve().parent.parent
# For commands in a process of their own: this checkout, and output buffered as users have it.
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
               "PYTHONPATH": str(ROOT)}

# A job in the background ignores interrupts, one under nohup hang-ups: the commands under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def killed_late(process, seconds=30):
    """What a process should say is read; one that does not say it is killed, so that the test fails and ends."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@pytest.fixture(scope="session")
def corpora():
    """The folder of real corpora: $RNNTAG_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("RNNTAG_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "wiki-en").is_dir():
        pytest.skip(f"no real corpora in {folder}; RNNTAG_DATA names their folder")
    return folder


@pytest.fixture
def write(tmp_path):
    """write(name, bytes): a file in the test's own folder; returns its path."""
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path
    return write


@pytest.fixture
def toy(write):
    """The HMM of the tutorial's toy corpus."""
    tagger = HMMTagger.train(corpus.read_tagged(write("toy.wordtag", TOY)))
    tagger.info = {"note": "toy"}
    return tagger


@pytest.fixture
def model(toy, tmp_path):
    """A folder with the toy HMM."""
    modelfile.save(tmp_path / "model", toy)
    return tmp_path / "model"


@pytest.fixture
def run(tmp_path):
    """run("test-hmm", "model", input=b"..."): a command in a process of its own, in tmp_path."""
    def run(command, *arguments, input=b"", **kwargs):
        kwargs.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([sys.executable, "-m", "rnntag", command, *map(str, arguments)], input=input,
                              stderr=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT, timeout=60, **kwargs)
    return run


@pytest.fixture
def shell():
    """The path of sh, for tests of pipelines."""
    return shutil.which("sh") or pytest.skip("no sh on this system")
