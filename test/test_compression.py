"""Compressed files: read whatever they are called, written where their name says so, refused when damaged."""

import bz2
import gzip
import hashlib
import io
import lzma
import random
import tracemalloc

import pytest
from invoking import failure, invoke, train
from samples import TEXT

from rnntag import compression, corpus
from rnntag.cli.convert import main as CONVERT
from rnntag.cli.grade_pos import main as GRADE
from rnntag.cli.test_hmm import main as TEST_HMM
from rnntag.cli.train_hmm import main as TRAIN_HMM
from rnntag.cli.vectors import main as VECTORS
from rnntag.compression import decompressed, plain
from rnntag.corpus import read, read_tagged
from rnntag.corpus.lists import read_lexicon, read_tag_map
from rnntag.errors import CorpusError, RnntagError
from rnntag.files import digest, open_output
from rnntag.text.vectorfile import read_vectors

KINDS = {"gz": gzip, "bz2": bz2, "xz": lzma}
KIND = pytest.mark.parametrize("kind", KINDS)


class Dripping(io.BytesIO):
    """A pipe that gives a byte at a time."""

    def read1(self, size=-1):
        return super().read1(1)


def contents(data, stream=io.BytesIO):
    return decompressed(stream(data), "x").read()


@KIND
@pytest.mark.parametrize("stream", [io.BytesIO, Dripping])
def test_what_is_compressed_is_read_in_one_piece_or_several(kind, stream):
    one, two = KINDS[kind].compress(b"a_X\n"), KINDS[kind].compress(b"")
    assert contents(one, stream) == b"a_X\n" and contents(two, stream) == b""
    assert contents(one + two + one, stream) == b"a_X\na_X\n"
    assert contents(one + bytes(512), stream) == b"a_X\n"


@pytest.mark.parametrize("data", [b"", b"B", b"BZ", b"BZh9", b"BZh91AY\n", b"BZh0_X\n", b"a_X\n" * 50_000, b"\x1f"])
@pytest.mark.parametrize("stream", [io.BytesIO, Dripping])
def test_what_is_not_compressed_stays_as_it_is(data, stream):
    assert contents(data, stream) == data


def test_a_line_is_read_when_it_is_there():
    stream = decompressed(Dripping(b"BZ a\nb"), "x")
    assert stream.read1(100) == b"BZ " and stream.read1(100) == b"a"


@KIND
def test_a_file_cut_off_or_damaged_anywhere_is_refused_with_its_name(kind):
    text = b"the_DT dog_NN runs_VB ._.\n" * 3
    data = KINDS[kind].compress(text)
    magic = {"gz": 3, "bz2": 10, "xz": 6}[kind]
    for end in range(magic, len(data)):
        with pytest.raises(RnntagError, match="^x: the .* data end early. Is the file cut off?"):
            contents(data[:end])
    refused = 0
    for at in range(magic, len(data)):
        try:
            assert contents(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]) == text
        except RnntagError:
            refused += 1
    assert refused > len(data) / 2
    with pytest.raises(RnntagError, match="^x: the .* data cannot be read (.*). Is the file damaged?"):
        contents(data + b"more of something else")


@KIND
def test_a_small_file_that_becomes_a_long_line_is_refused_in_little_memory(kind, write):
    path = write("bomb.tokens", KINDS[kind].compress(b"a" * 50_000_000))
    tracemalloc.start()
    with pytest.raises(CorpusError, match="bomb.tokens:1: a line of more than 1,000,000 bytes"):
        list(read(path))
    assert tracemalloc.get_traced_memory()[1] < 15_000_000
    tracemalloc.stop()
    assert path.stat().st_size < 100_000


def test_xz_that_needs_too_much_memory_is_refused(monkeypatch):
    monkeypatch.setattr(compression, "MAX_XZ_BYTES", 1_000_000)
    with pytest.raises(RnntagError, match="^x: the xz data cannot be read .Memory"):
        contents(lzma.compress(b"a"))


@KIND
def test_a_file_is_compressed_where_its_name_says_so(kind, tmp_path):
    for name in (f"a.jsonl.{kind}", f"b.{kind.upper()}"):
        with open_output(tmp_path / name) as stream:
            stream.write(b"text")
            assert not stream.isatty()
        data = (tmp_path / name).read_bytes()
        assert KINDS[kind].decompress(data) == b"text"
    with open_output(tmp_path / "again", force=True) as stream:
        stream.write(b"text")
    assert (tmp_path / "again").read_bytes() == b"text"
    assert b"jsonl" not in (tmp_path / f"a.jsonl.{kind}").read_bytes()
    assert digest(tmp_path / f"b.{kind.upper()}") == hashlib.sha256(data).hexdigest()


@KIND
def test_the_same_text_gives_the_same_bytes_and_nothing_is_half_written(kind, tmp_path, monkeypatch):
    def written(name):
        with open_output(tmp_path / name) as stream:
            stream.write(TEXT)
        return (tmp_path / name).read_bytes()
    first = written(f"a.{kind}")
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert written(f"b.{kind}") == first
    with pytest.raises(ZeroDivisionError), open_output(tmp_path / f"c.{kind}") as stream:
        stream.write(TEXT)
        1 / 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{kind}", f"b.{kind}"]


def test_the_format_is_told_by_the_name_before_the_compression(write):
    assert [plain(name) for name in ("a.conllu.gz", "a.XZ", "gz", "a.gz.b")] == ["a.conllu", "a", "gz", "a.gz.b"]
    path = write("a.tokens.gz", gzip.compress(b"a_X b_Y\n"))
    with corpus.open_corpus(path) as (reader, _):
        assert reader.name == "tokens"


@KIND
def test_all_that_is_read_may_be_compressed(kind, write):
    def packed(name, text):
        return write(name, KINDS[kind].compress(text))
    assert len(read_tagged(packed("corpus", TEXT))) == 9
    assert read_tag_map(packed("map", b"A\tB\n")) == {"A": "B"}
    assert read_lexicon(packed("lexicon", b"a\tX Y\n")) .keys() == {"a"}
    assert read_vectors(packed("vectors", b"a 1 2\n"))[0].strings == ["", "a"]


@KIND
def test_commands_read_and_write_compressed_text(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    unpack, pack = KINDS[kind].decompress, KINDS[kind].compress
    (tmp_path / f"train.wordtag.{kind}").write_bytes(pack(TEXT))
    invoke(TRAIN_HMM, f"train.wordtag.{kind}", "m", "-q")
    invoke(CONVERT, f"train.wordtag.{kind}", f"text.tokens.{kind}")
    invoke(TEST_HMM, "m", f"text.tokens.{kind}", "-o", f"answer.tags.{kind}", "--stream")
    out, _ = invoke(TEST_HMM, "m", input=pack(b"dogs run .\n\n"))
    assert (out, unpack((tmp_path / f"answer.tags.{kind}").read_bytes()).count(b"\n")) == ("NN VB .\n\n", 9)
    assert invoke(GRADE, f"train.wordtag.{kind}", f"answer.tags.{kind}")[0].startswith("Accuracy: 100.00% (39/39)")
    invoke(VECTORS, f"text.tokens.{kind}", f"v.txt.{kind}", "--width", "2", "-q")
    assert unpack((tmp_path / f"v.txt.{kind}").read_bytes()).startswith(b"9 2\n")
    train(f"train.wordtag.{kind}", "rnn", "--vectors", f"v.txt.{kind}")
    (tmp_path / "cut").write_bytes(pack(TEXT)[:-9])
    assert failure(TRAIN_HMM, "cut", "x").startswith("cut: the ") and not (tmp_path / "x").exists()
    assert failure(TEST_HMM, "m", "cut", "--format", "tokens", "-o", "y").endswith("Is the file cut off?")
    assert not (tmp_path / "y").exists()


def test_an_error_of_the_disk_is_not_called_damage(write):
    class Broken(io.BytesIO):
        def read1(self, size=-1):
            if self.tell() > 20:
                raise OSError(5, "Input/output error")
            return super().read1(21)
    with pytest.raises(OSError, match="Input/output"):
        contents(gzip.compress(b"a b c d e f g h i j k l m n o p"), Broken)


@KIND
@pytest.mark.parametrize("text", [bytes(range(256)) * 4000, bytes(10**6), random.Random(1).randbytes(300_000)],
                         ids=["repeated", "zeros", "random"])
def test_long_texts_lose_nothing(kind, text):
    assert contents(KINDS[kind].compress(text)) == text
