"""Tagging in several processes: the same answer as in one."""

import io
import json
import os
import signal
import subprocess
import sys
from multiprocessing import active_children

import pytest
from conftest import ENVIRONMENT

from rnntag.cli.tagging import tag_file
from rnntag.corpus import Block, Column, Layout, Sentence
from rnntag.errors import RnntagError
from rnntag.models.options import Options
from rnntag.parallel import ParallelTagger
from rnntag.storage.modelfile import load, save
from rnntag.training.tagging import train_tagger

WORDS = "the dog runs to a small red house and sleeps".split()
TAGS = "DT NN VB TO DT JJ JJ NN CC VB".split()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parallel") / "model"
    save(folder, train_tagger([Sentence(WORDS, TAGS)], Options(embedding=8, hidden=6, epochs=3)))
    return folder


def sentences(count):
    return [WORDS[i % 7:] for i in range(count)] + [[]]


def test_two_processes_give_the_tags_of_one_in_the_same_order(model):
    text = sentences(6000)  # several chunks
    assert list(ParallelTagger(load(model), 2).tag(text)) == list(load(model).tag(text))


def test_whole_sentences_come_back_with_their_lines_and_sources(model):
    given = [Sentence(words, {"": Column(["?"] * len(words))}, line, Block("x"))
             for line, words in enumerate(sentences(2500))]
    found = list(ParallelTagger(load(model), 2).annotate(given, best=1))
    assert found == list(load(model).annotate(given, best=1)) and [s.line for s in found] == list(range(2501))
    assert all(after.source is before.source for after, before in zip(found, given))


def test_the_processes_are_started_once(model):
    before = set(active_children())  # those of other tests may be ending
    with ParallelTagger(load(model), 1) as tagger:
        seen = [(list(tagger.tag([words])), set(active_children()) - before) for words in sentences(3)]
    assert [tags for tags, _ in seen] == [[tags] for tags in load(model).tag(sentences(3))]
    assert all(children == seen[0][1] and len(children) == 1 for _, children in seen)
    assert not seen[0][1] & set(active_children())


def test_sentences_are_read_a_bounded_number_ahead(model):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield WORDS

    answers = ParallelTagger(load(model), 1).tag(endless())
    assert len(next(answers)) == len(WORDS)
    answers.close()
    assert read < 10_000


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_the_death_of_a_process_is_told(model, monkeypatch):
    answers = ParallelTagger(load(model), 1).tag(sentences(200_000))
    next(answers)
    for child in active_children():
        os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(RnntagError, match="a tagging process died"):
        list(answers)


def test_jobs_go_without_a_stream(model, run):
    result = run("test-rnn", model, "--jobs", "2", "--stream", input=b"the dog\n")
    assert result.returncode == 2
    assert b"--jobs: 2, with --stream; what comes is answered before more is read" in result.stderr


@pytest.mark.parametrize("options", [["--probabilities"], ["--lexicon", "lexicon"],
                                     ["--partial", "--lexicon", "lexicon", "--n-best", "2"]])
def test_probabilities_and_constraints_are_those_of_one_process(model, run, write, options):
    write("lexicon", b"dog\tVB JJ\nthe\tDT\n")
    write("in.conllu", "".join("".join(
        f"{n}\t{word}\t_\t{'JJ' if n % 3 == i % 4 else '_'}\t_\t_\t_\t_\t_\t_\n" for n, word in enumerate(words, 1))
        + "\n" for i, words in enumerate(sentences(3000))).encode())
    one, two = (run("test-rnn", model, "in.conllu", "--jobs", jobs, *options) for jobs in "12")
    assert one.returncode == two.returncode == 0, two.stderr
    assert len(one.stdout) > 10_000
    if options[0] == "--lexicon":
        assert one.stdout == two.stdout
        return
    for first, second in zip(one.stdout.splitlines(), two.stdout.splitlines(), strict=True):
        first, second = json.loads(first), json.loads(second)
        assert first["tags"] == second["tags"]
        assert first["probabilities"] == pytest.approx(second["probabilities"], abs=1e-5)


def test_what_is_wrong_with_constraints_is_told_with_its_place(model, run, write):
    write("lexicon", b"dog\tXYZ\n")
    result = run("test-rnn", model, "--jobs", "2", "--lexicon", "lexicon", input=b"the dog\n")
    assert result.returncode == 1 and b"Error: lexicon:1: 'dog' has none of the model's tags" in result.stderr
    result = run("test-rnn", model, "--jobs", "2", "--partial", input=b"the dog_XYZ\n")
    assert result.returncode == 1 and b"Error: standard input:1: token 2, 'dog', has the tag 'XYZ'" in result.stderr


def test_jobs_on_the_command_line_give_the_same_answer(model, run):
    text = "".join(" ".join(words) + "\n" for words in sentences(3000)).encode()
    one, two = (run("test-rnn", model, "--jobs", jobs, input=text) for jobs in "12")
    assert one.returncode == two.returncode == 0
    assert one.stdout == two.stdout


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("number, status", [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGHUP, 129),
                                            (signal.SIGINT, 130)])
def test_no_process_outlives_the_command(model, tmp_path, write, number, status):
    text = write("text", (" ".join(WORDS) + "\n").encode() * 15_000)
    with subprocess.Popen([sys.executable, "-m", "rnntag", "test-rnn", model, text, "--jobs", "2"], cwd=tmp_path,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdout.readline().count(b" ") == len(WORDS) - 1  # the processes are at work now
        process.send_signal(number)
        try:
            err = process.communicate(timeout=20)[1]  # until nobody has the pipes open any more
        finally:
            process.kill()
    assert process.returncode == status and err.count(b"\n") == (status > 0)


class Terminal(io.BytesIO):
    def isatty(self):
        return True


class Upper:
    """A tagger that says what it is asked for, and keeps how much has been read by then."""

    fields = ("",)

    def __init__(self):
        self.read = []

    def annotate(self, sentences, fields, best=0):
        self.read.append(sys.stdin.buffer.tell())
        return (Sentence(s.words, [word.upper() for word in s.words]) for s in sentences)


class Several(Upper):
    def map(self, do, tasks, ahead):
        return (do(self, task) for task in (list(tasks) if ahead else tasks))


@pytest.mark.parametrize("kind, typed, read", [(Upper, False, [4, 6, 8]), (Several, False, [8, 8, 8]),
                                               (Several, True, [4, 6, 8])])
def test_a_terminal_is_read_ahead_for_unless_somebody_types(monkeypatch, kind, typed, read):
    class Dialogue(Terminal if typed else io.BytesIO):
        def read1(self, size=-1):
            return self.readline()

    stdout = Terminal()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Dialogue(b"a b\nc\nd\n")))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stdout))
    tagger = kind()
    assert tag_file(tagger, layout=Layout("tokens")) == (3, 4)
    assert stdout.getvalue() == b"A B\nC\nD\n" and tagger.read == read


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_jobs_tag_for_a_terminal_and_at_one(model, run, write):
    import pty
    text = write("text", "".join(" ".join(words) + "\n" for words in sentences(30)).encode())
    wanted = run("test-rnn", model, text).stdout.splitlines()
    command = [sys.executable, "-m", "rnntag", "test-rnn", model, "--jobs", "2", "--format", "tokens"]
    for more in ([text], []):
        parent, child = pty.openpty()
        process = subprocess.Popen(command + more, stdin=child, stdout=child, env=ENVIRONMENT)
        os.close(child)
        try:
            with os.fdopen(parent, "rb", 0) as answers:
                if more:
                    assert [answers.readline().rstrip() for _ in wanted] == wanted
                else:
                    for words, tags in zip(sentences(30)[:3], wanted):
                        typed = " ".join(words).encode()
                        os.write(parent, typed + b"\n")
                        assert [answers.readline().rstrip(), answers.readline().rstrip()] == [typed, tags]
                    os.write(parent, b"\x04")
                assert process.wait(timeout=20) == 0
        finally:
            process.kill()
