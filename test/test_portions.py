"""Input that is tagged in portions, by one process or several: the answer is that to the whole, and so is what is
told about it."""

import gzip
import io
import pickle
import re
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ENVIRONMENT
from formatted import CONLLU, VERTICAL, back, row
from invoking import train

from rnntag import corpus, parallel
from rnntag.cli import tagging
from rnntag.cli.test_rnn import main as TAG
from rnntag.corpus import FORMATS, Lines, Sentence, Skipped, open_corpus
from rnntag.corpus.lines import whole_lines
from rnntag.storage.modelfile import load

TRAIN = "".join(row(i, word, upos, xpos) for i, (word, upos, xpos) in enumerate(
    [("the", "DET", "D"), ("dog", "NOUN", "N"), ("runs", "VERB", "V"), (".", "PUNCT", "P")], 1)) + "\n"
WORDS = ["the", "dog", "runs", ".", "caf\u00e9", "", "U+2028:\u2028", "a" * 70]
LINES = "".join(" ".join(filter(None, WORDS[i % 5:i % 7 + 2])) + "\n" for i in range(60)).encode()
BLOCKS = {"conllu": 4 * CONLLU, "vertical": 4 * VERTICAL,
          "jsonl": back([Sentence(line.split()) for line in LINES.decode().split("\n")[:20]], "jsonl")}
LONG = b"x" * 1_000_001

GOOD = {  # data and options
    "nothing": b"", "blank": b"\n\n\n", "tokens": LINES, "no last line end": LINES + b"the dog",
    "Windows": LINES.replace(b"\n", b"\r\n") + b"the dog\r", "old Macs": LINES[:-1] + b"\r",
    "CR": b"a\rb c\n" + LINES, "mark": b"\xef\xbb\xbf" + LINES, "mark alone": b"\xef\xbb\xbf",
    "marks within": b"the dog\n" + b"\xef\xbb\xbfthe dog\n" * 20,
    "not tokenised": b"the dog, runs, and: runs.\n" * 40,
    "wordtag": b"the_X dog_Y\n\nruns_Z\n" * 9,
    "skipped": (LINES + b"a  b\n\xff\n" + LONG + b"\nthe dog\n" + b" c\n" * 3 + LINES, "--on-error", "skip"),
    "skipped rows": ((4 * (CONLLU + "1\ta\n\n")).encode() + b"1\t\xff\n\n", "--on-error", "skip"),
    "Windows blocks": CONLLU.replace("\n", "\r\n").encode(),
    "blank lines first": b"\n\n" + CONLLU.encode(), "no last blank line": CONLLU.rstrip("\n").encode(),
    "lexicon": (LINES, "--lexicon", "lexicon", "--fields", "xpos"),
    "partial": (6 * re.sub(r"\b(ADP|NUM|PRON|SYM)\b", "_", CONLLU).encode(), "--partial", "--fields", "upos"),
    "partial words": (b"the dog_VERB\n\nruns\n" * 9, "--partial", "--format", "wordtag"),
    "columns": (LINES, "--output-format", "conllu"), "one column": (LINES, "--fields", "xpos"),
    **{f"{name} as {other}": (text.encode(), "--output-format", other)
       for name, text in BLOCKS.items() for other in ("tags", "vertical", "jsonl", name)},
    "probabilities": (LINES, "--probabilities"), "best": (2 * VERTICAL.encode(), "--n-best", "3")}
BAD = {
    "two spaces": LINES + b"a  b\n" + LINES, "not UTF-8": b"\xef\xbb\xbf" + 2 * LINES + b"a \xff\n" + LINES,
    "long line": 2 * LINES + LONG, "rows": 3 * CONLLU.encode() + b"1\ta\n\n" + CONLLU.encode(),
    "tag": (LINES + b"\ndog_X\n", "--partial", "--format", "wordtag"),
    "unwritable": (VERTICAL.encode(), "--output-format", "wordtag")}
CASES = {name: case if isinstance(case, tuple) else (case,) for name, case in (GOOD | BAD).items()}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("portions")
    (folder / "train.conllu").write_text(TRAIN)
    train(folder / "train.conllu", folder / "m", "--field", "upos,xpos")
    return folder / "m"


@pytest.fixture(autouse=True)
def in_a_folder_with_a_lexicon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lexicon").write_bytes(b"dog\tV D\n")


class InOneProcess:
    """Stands for ParallelTagger: what would go to a process and come back is made anew from bytes."""

    def __init__(self, tagger, jobs):
        self.tagger, self.ahead = tagger, 3 * jobs
        self.words, self.fields, self.info = tagger.words, tagger.fields, tagger.info

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def map(self, do, tasks, ahead):
        while window := list(islice(tasks, self.ahead if ahead else 1)):
            for do_again, task in map(pickle.loads, [pickle.dumps((do, task)) for task in window]):
                yield pickle.loads(pickle.dumps(do_again(self.tagger, task)))


def small(monkeypatch, block, tokens):
    """The input is read and cut in small pieces."""
    monkeypatch.setattr(corpus.lines, "BLOCK_BYTES", block)
    monkeypatch.setattr(tagging, "PORTION_TOKENS", tokens)


def answered(model, *arguments):
    """Status, answer without probabilities, and messages."""
    result = CliRunner().invoke(TAG, [str(model), *arguments])
    return result.exit_code, re.sub(r"\b[01]\.\d+", "p", result.stdout), result.stderr


@pytest.mark.parametrize("name", CASES)
def test_portions_are_answered_as_the_whole_is(model, monkeypatch, name):
    monkeypatch.setattr(corpus.tokenisation, "LOOKED_AT", 100)
    data, *options = CASES[name]
    Path("in").write_bytes(data)
    whole = answered(model, "in", *options)
    assert whole[0] == (name in BAD) and (whole[1] or name in ("nothing", "tag")), whole[2]
    monkeypatch.setattr(parallel, "ParallelTagger", InOneProcess)
    for block, tokens in ((65_536, 1), (9, 1), (50, 20)):
        small(monkeypatch, block if len(data) < 100_000 else 65_536, tokens)
        for jobs in ("1", "2", "3"):
            status, out, err = answered(model, "in", *options, "--jobs", jobs)
            assert (status, err) == whole[::2]
            assert out.startswith(whole[1]) if name == "tag" else out == whole[1]  # what is tagged with it is lost


@pytest.mark.parametrize("name", [name for name in GOOD if CASES[name][1:2] in ((), ("--output-format",))
                                  and "jsonl" not in name])
def test_the_answer_is_that_to_sentences_that_are_read_and_written(model, monkeypatch, name):
    data, *options = CASES[name]
    Path("in").write_bytes(data)
    small(monkeypatch, 20, 5)
    status, out, _ = answered(model, "in", *options)
    shape = options[options.index("--output-format") + 1] if options else None
    with pytest.warns() if name in ("Windows", "old Macs", "CR", "mark", "mark alone", "Windows blocks") else (
            open("in")), open_corpus("in", None, ("wordtag", "tokens", "vertical", "conllu"), want="words") as (
                reader, sentences):
        writer = FORMATS[shape or ("tags" if reader.name == "tokens" else reader.name)]()
        tagger = load(model)
        fields = tagger.fields if writer.has_columns else tagger.fields[:1]
        assert (status, out) == (0, "".join(map(writer.write, tagger.annotate(sentences, fields))))


# ------------------------------------------------------------------ how they are cut

ANY = {"tokens": LINES, "windows": LINES.replace(b"\n", b"\r\n"), "mark": b"\xef\xbb\xbf\n" + LINES[:-1],
       "conllu": b"\n\n" + BLOCKS["conllu"].encode(), "conllu windows": CONLLU.replace("\n", "\r\n").encode(),
       "vertical": BLOCKS["vertical"].encode()[:-2], "jsonl": BLOCKS["jsonl"].encode()}


@pytest.mark.filterwarnings("ignore::rnntag.errors.CorpusWarning")
@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize("block, tokens", [(1, 0), (7, 1), (40, 0), (40, 4), (65_536, 1)])
def test_each_can_be_read_without_the_others(monkeypatch, name, block, tokens):
    monkeypatch.setattr(corpus.lines, "BLOCK_BYTES", block)
    data, reader = ANY[name], FORMATS.get(name.split()[0], FORMATS["tokens"])()
    found = list(reader.portions(whole_lines(io.BytesIO(data)), tokens))
    spans = [span for portion in found for span in portion]
    assert b"".join(span.data for span in spans) == data
    offset = 0
    for span in spans:
        assert (span.offset, span.number) == (offset, data[:offset].count(b"\n") + 1)
        offset += len(span.data)
    assert all(sum(len(span.data) for span in portion) >= tokens * reader.token_bytes for portion in found[:-1])
    assert len(found) > 1 or block == 65_536
    apart = [sentence for portion in found for sentence in reader.read(Lines(portion, "file"))]
    whole = list(reader.read(Lines(io.BytesIO(data), "file")))
    assert apart == whole and [s.source for s in apart] == [s.source for s in whole]


@pytest.mark.parametrize("format", ["tokens", "conllu"])
def test_what_can_be_no_sentence_is_not_held(monkeypatch, format):
    reader, line, lines = FORMATS[format](), b"1\tx\n", 300_000
    monkeypatch.setattr(corpus.Format, "max_lines", 1000)
    data = (line * lines if format == "conllu" else b"x" * 3_000_000) + b"\n\n1\n\nlast"
    later = data.count(b"\n") + 1
    portions = list(reader.portions(whole_lines(io.BytesIO(data)), 1))
    assert max(len(span.data) for portion in portions for span in portion) < 1_100_000
    assert sum(len(span.data) for portion in portions for span in portion) < len(data) / 2
    skipped = Skipped()
    for portion in portions:
        list(reader.read(Lines(portion, "file", skipped)))
    assert re.search("file:1: (a line of more|no blank line in 1,000 lines)", str(skipped.first[0]))
    places = [f"file:{later - 2}", f"file:{later}"] if format == "conllu" else []
    assert [error.place for error in skipped.first[1:]] == places
    last = portions[-1][-1]
    assert last.data.endswith(b"last") and data[last.offset:] == last.data
    assert last.number == 1 + data[:last.offset].count(b"\n")


@pytest.mark.parametrize("block", range(1, 9))
@pytest.mark.parametrize("data, last", [(b"a\r\nb\r", b"b"), (b"a\r\nb\nc\r", b"c"), (b"a\nb\r", b"b\r")])
def test_the_rest_of_a_line_end_is_dropped_wherever_the_blocks_end(monkeypatch, block, data, last):
    monkeypatch.setattr(corpus.lines, "BLOCK_BYTES", block)
    assert [*whole_lines(io.BytesIO(data))][-1].data == last


# ------------------------------------------------------------------ processes


def test_many_portions_in_several_processes_are_in_order(model, run, write):
    text = [WORDS[i % 3:i % 5 + 3] for i in range(20_000)]
    for format, jobs, sentences in (("tokens", "123", text), ("jsonl", "12", text[:9_000]),
                                    ("vertical", "12", text[:9_000]), ("conllu", "12", text[:8_000])):
        data = back([Sentence(list(filter(None, words))) for words in sentences], format).encode()
        write(f"in.{format}.gz", gzip.compress(data, 1))
        one, *more = (run("test-rnn", model, f"in.{format}.gz", "--jobs", n) for n in jobs)
        assert one.returncode == 0 and one.stdout.count(b"\n") >= len(sentences)
        assert all((each.returncode, each.stdout, each.stderr) == (0, one.stdout, one.stderr) for each in more)


def test_an_error_in_a_later_portion_leaves_no_file(model, run, write, tmp_path):
    write("in", b"the dog runs .\n" * 40_000 + b"a  b\n")
    for jobs in "12":
        result = run("test-rnn", model, "in", "--jobs", jobs, "--fields", "upos", "-o", "out")
        assert (result.returncode, result.stderr[:40]) == (1, b"Error: in:40001: two spaces in a row at ")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_input_that_comes_slowly_is_tagged(model, jobs):
    """Lines that come in parts, CRLF in two halves, then an end without a line end."""
    with subprocess.Popen([sys.executable, "-m", "rnntag", "test-rnn", model, "--jobs", jobs, "--fields", "upos"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=ENVIRONMENT) as process:
        for part in [b"the d", b"og\r", b"\nruns\r\n", 12_000 * b"the dog\n", b"."]:
            process.stdin.write(part)
            process.stdin.flush()
            threading.Event().wait(0.05)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and out.count(b"\n") == 12_003
    assert err == b"Warning: standard input:1: Windows line ends (CRLF); read as LF\n"


def test_a_program_that_waits_gets_the_answers_to_all_that_it_wrote(model):
    with subprocess.Popen([sys.executable, "-m", "rnntag", "test-rnn", model, "--stream", "--format", "vertical"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=ENVIRONMENT) as process:
        for text, answers in ((b"the\n", 0), (b"dog\n\nruns\n\n.", 5), (b"\n\n\n", 3), (b"a\n\n\tX\n\n", 2)):
            process.stdin.write(text)
            process.stdin.flush()
            assert [process.stdout.readline().count(b"\n") for _ in range(answers)] == [1] * answers
        process.stdin.close()
        assert b"\nError: standard input:11: a line without a word; vertical is" in process.stderr.read()
        assert process.wait(20) == 1
