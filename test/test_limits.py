"""Small things that would grow large, and large things that must go through: bounded memory, bounded time."""

import io
import json
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib

import pytest
from conftest import ENVIRONMENT
from samples import ODD

from rnntag.models.options import Options
from rnntag.storage import modelfile
from rnntag.storage.archive import sha256
from rnntag.training.tagging import train_tagger

resource = pytest.importorskip("resource", reason="limits need a POSIX system")
HUGE = 400_000_000
# Load the model named in argv with 150 MB more than the interpreter, numpy and rnntag take; print
# what came of it and by how much the peak rose, in kB.
LOAD = """
import re, resource, sys
from rnntag.errors import RnntagError
from rnntag.models import tagger, hmm
from rnntag.storage import modelfile
def status(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
resource.setrlimit(resource.RLIMIT_AS, (status("VmSize") * 1024 + 150_000_000,) * 2)
before = status("VmHWM")  # not ru_maxrss, which begins with that of the process before
try:
    modelfile.load(sys.argv[1])
    print("loaded")
except RnntagError as error:
    print(error)
print(status("VmHWM") - before)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A function that gives a small RNN model with some of its files replaced, sealed again."""
    whole = tmp_path_factory.mktemp("limits") / "m"
    modelfile.save(whole, train_tagger(ODD, Options(embedding=2, hidden=2, epochs=1, features="form")))

    def model(folder, **files):
        folder.mkdir()
        for path in whole.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        for name, data in files.items():
            (folder / name.replace("_", ".")).write_bytes(data)
        manifest = json.loads((folder / "model.json").read_bytes())
        manifest["sha256"] = {name: sha256((folder / name).read_bytes()) for name in manifest["sha256"]}
        (folder / "model.json").write_text(json.dumps(manifest))
        return folder
    return model


def refusal(folder):
    """The message of a load under the limit, and by how many MB memory rose."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc on this system")
    result = subprocess.run([sys.executable, "-c", LOAD, folder], env=ENVIRONMENT, capture_output=True, text=True,
                            timeout=60)
    assert result.returncode == 0, result.stderr
    message, rise = result.stdout.splitlines()
    print(f"{message}  [{int(rise) / 1024:.1f} MB]")
    return message, int(rise) / 1024


def archive(data, size, compression=zipfile.ZIP_DEFLATED):
    """The archive ``data`` with ``size`` zeros in place of its first member's values, compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", compression) as new:
        for number, name in enumerate(old.namelist()):
            with new.open(name, "w") as member:
                member.write(old.read(name)[:128 if number == 0 else None])
                for _ in range(size // 4_000_000 if number == 0 else 0):
                    member.write(bytes(4_000_000))
    return buffer.getvalue()


def test_an_archive_that_inflates_to_400_MB_is_refused_in_little_memory(model, tmp_path):
    whole = (model(tmp_path / "whole") / "weights.npz").read_bytes()
    assert refusal(tmp_path / "whole")[0] == "loaded"
    data = archive(whole, HUGE)
    assert len(data) < 500_000
    message, rise = refusal(model(tmp_path / "m", weights_npz=data))
    assert "the options make it at most" in message and rise < 10
    small = archive(whole, 40_000_000)  # small enough for its members to be looked at
    message, rise = refusal(model(tmp_path / "n", weights_npz=small))
    assert "features.table is compressed or encrypted; arrays are stored as they are" in message and rise < 10


def test_an_archive_whose_headers_declare_400_MB_is_refused_in_little_memory(model, tmp_path):
    data = bytearray((model(tmp_path / "whole") / "weights.npz").read_bytes())
    start = data.index(b"PK\x01\x02") + 20  # of the sizes in the first entry of the directory
    data[start:start + 8] = struct.pack("<II", HUGE, HUGE)
    message, rise = refusal(model(tmp_path / "m", weights_npz=bytes(data)))
    assert "features.table has 400,000,000 bytes; its shape (14, 2) takes 112" in message and rise < 10
    data = (tmp_path / "whole" / "weights.npz").read_bytes().replace(b"(14, 2), }       ", b"(50000000, 2), } ")
    message, rise = refusal(model(tmp_path / "n", weights_npz=data))
    assert rise < 10 and "damaged archive (Bad CRC-32" in message
    crc = zlib.crc32(data[data.index(b"\x93NUMPY"):][:128 + 112])
    entry = data.index(b"PK\x01\x02") + 16
    data = data[:14] + struct.pack("<I", crc) + data[18:entry] + struct.pack("<I", crc) + data[entry + 4:]
    message, rise = refusal(model(tmp_path / "o", weights_npz=data))
    assert "features.table is <f4 (50000000, 2); the options make it <f4 (14, 2)" in message and rise < 10


def test_options_of_a_huge_network_are_refused_in_little_memory(model, tmp_path):
    folder = model(tmp_path / "m")
    manifest = json.loads((folder / "model.json").read_bytes())
    manifest["options"] |= {"layers": 8, "hidden": 4096, "cell": "lstm", "dense": ["4096"] * 8}
    (folder / "model.json").write_text(json.dumps(manifest))
    message, rise = refusal(folder)
    assert "at most 4,000,000,000 are loaded" in message and rise < 10


def test_weights_are_not_read_when_they_are_larger_than_the_options_make_them(model, tmp_path):
    folder = model(tmp_path / "m")
    with open(folder / "weights.npz", "r+b") as stream:
        stream.truncate(3_000_000_000)  # sparse: it takes no room on the disk
    message, rise = refusal(folder)
    assert "3,000,000,000 bytes; the options make it at most" in message and rise < 10


@pytest.mark.parametrize("data, message", [
    (b'{"words": ["", ' + b"[], " * 12_000_000 + b'""]}', "more than 64 lists and objects"),
    (b"[" * 40_000_000, "more than 64 lists and objects"), (b" " * 100_000_001, "at most 100,000,000 are read")],
    ids=["lists", "nested", "too large"])
def test_id_maps_that_would_grow_when_parsed_are_refused_before(model, tmp_path, data, message):
    found, rise = refusal(model(tmp_path / "m", ids_json=data))
    assert message in found and rise < len(data) / 1e6 + 10


def test_a_manifest_of_many_values_takes_no_more_than_30_MB(model, tmp_path):
    folder = model(tmp_path / "m")
    (folder / "model.json").write_bytes(b'{"info": [' + b"{}," * 333_000 + b"{}]}")
    message, rise = refusal(folder)
    assert "not a manifest" in message and rise < 40
    (folder / "model.json").write_bytes(b" " * 1_000_001)
    assert "at most 1,000,000 are read" in refusal(folder)[0]


# ------------------------------------------------------------------ long lines and sentences


def limited(folder, *arguments, megabytes=250):
    """A command that may not take more memory than that beyond what it starts with."""
    program = ("import resource, sys, re; import numpy, rnntag.models.tagger, rnntag.training.checkpoint; "
               "size = int(re.search(r'VmSize:\\s+(\\d+)', open('/proc/self/status').read())[1]) * 1024; "
               f"resource.setrlimit(resource.RLIMIT_AS, (size + {megabytes} * 1_000_000,) * 2); "
               "from rnntag.cli.main import main; main(sys.argv[1:], 'rnntag')")
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc on this system")
    return subprocess.run([sys.executable, "-c", program, *map(str, arguments)], cwd=folder, env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("command", [["train-rnn", "long", "x"], ["test-rnn", "m", "long"]])
def test_a_line_of_10_million_characters_is_refused_with_the_number(model, tmp_path, command):
    model(tmp_path / "m")
    (tmp_path / "long").write_bytes(b"a_X " * 2_500_000)
    result = limited(tmp_path, *command, "--format", "wordtag", megabytes=60)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].startswith("Error: long:1: a line of more than 1,000,000 bytes")


def test_sentences_of_5000_tokens_train_and_tag(tmp_path):
    line = b"the_DT dog_NN runs_VB ._. " * 1250
    (tmp_path / "train").write_bytes(line[:-1] + b"\n" + b"a_DT dog_NN\n")
    result = limited(tmp_path, "train-rnn", "train", "m", "--epochs", "2", "--hidden", "20", "-q")
    assert (result.returncode, result.stderr) == (0, "")
    (tmp_path / "text").write_bytes(b" ".join([b"the dog runs ."] * 1250) + b"\n")
    result = limited(tmp_path, "test-rnn", "m", "text")
    assert (result.returncode, result.stderr) == (0, "") and len(result.stdout.split(" ")) == 5000


def test_a_sentence_of_more_than_20000_tokens_is_refused_with_the_number(model, tmp_path):
    model(tmp_path / "m")
    (tmp_path / "text").write_bytes(b"a " * 20_000 + b"a\n")
    result = limited(tmp_path, "test-rnn", "m", "text")
    assert result.returncode == 1 and "text:1: a sentence of 20,001 tokens; at most 20,000" in result.stderr


@pytest.mark.parametrize("chunk", ["CHUNK_CHARACTERS", "CHUNK_TOKENS"])
def test_long_words_do_not_pile_up_while_tagging(monkeypatch, chunk):
    from rnntag.models import answers, tagger as module
    where, size = (module, 10) if chunk == "CHUNK_TOKENS" else (answers, 1_000_000)
    monkeypatch.setattr(where, chunk, size)
    monkeypatch.setattr(module, "CACHE_CHARACTERS", 1_000_000)
    monkeypatch.setattr(module, "CACHE_BYTES", 1_000_000)  # room for all words
    tagger = train_tagger(ODD, Options(embedding=2, hidden=2, epochs=1))
    tracemalloc.start()
    try:
        assert len(list(tagger.tag([f"{n}{'x' * 100_000}"] for n in range(250)))) == 250
        assert tracemalloc.get_traced_memory()[1] < 15_000_000  # all words together have 25 MB
    finally:
        tracemalloc.stop()
