"""Tagging in several processes: the same answer as in one."""

import json
import os
import signal

import pytest

from rnntag.corpus import Sentence
from rnntag.errors import ModelError, RnntagError
from rnntag.modelfile import load, save
from rnntag.options import Options
from rnntag.parallel import ParallelTagger
from rnntag.trainer import train_tagger

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
    assert list(ParallelTagger(model, 2).tag(text)) == list(load(model).tag(text))


def test_sentences_are_read_a_bounded_number_ahead(model):
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield WORDS

    answers = ParallelTagger(model, 1).tag(endless())
    assert len(next(answers)) == len(WORDS)
    answers.close()
    assert read < 10_000


def test_what_is_wrong_with_a_model_shows_before_any_process_starts(tmp_path):
    with pytest.raises(ModelError):
        ParallelTagger(tmp_path / "none", 2)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_the_death_of_a_process_is_told(model, monkeypatch):
    import multiprocessing

    answers = ParallelTagger(model, 1).tag(sentences(200_000))
    next(answers)
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(RnntagError, match="a tagging process died"):
        list(answers)


def test_jobs_go_without_a_stream(model, run):
    result = run("test-rnn", model, "--jobs", "2", "--stream", input=b"the dog\n")
    assert result.returncode == 2
    assert b"--jobs: 2, with --stream; each sentence waits" in result.stderr


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
    assert result.returncode == 1 and b"Error: 'dog' has none of the model's tags" in result.stderr
    result = run("test-rnn", model, "--jobs", "2", "--partial", input=b"the dog_XYZ\n")
    assert result.returncode == 1 and b"Error: standard input:1: token 2, 'dog', has the tag 'XYZ'" in result.stderr


def test_jobs_on_the_command_line_give_the_same_answer(model, run):
    text = "".join(" ".join(words) + "\n" for words in sentences(3000)).encode()
    one, two = (run("test-rnn", model, "--jobs", jobs, input=text) for jobs in "12")
    assert one.returncode == two.returncode == 0
    assert one.stdout == two.stdout
