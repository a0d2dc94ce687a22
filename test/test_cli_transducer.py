"""train-transducer and transduce on the command line."""

import re

import pytest
from invoking import failure, files, invoke, manifest

from rnntag.cli.train_transducer import main as TRAIN
from rnntag.cli.transduce import main as TRANSDUCE

TINY = ("--hidden", "16", "--embedding", "8", "--epochs", "60", "--learning-rate", "0.01", "--dropout", "0",
        "--batch-size", "4")
PLURALS = "".join(f"{word}s\t{word}\n" for word in ("dog", "cat", "cog", "dot", "god", "tag", "act", "goat")).encode()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs").write_bytes(PLURALS)


@pytest.fixture
def model(here):
    invoke(TRAIN, "pairs", "m", *TINY, "-q")
    return "m"


def test_a_line_of_output_for_each_line_of_input(model):
    out, err = invoke(TRANSDUCE, model, input=b"dogs\n\ncats\n")
    assert out.split("\n") == ["dog", "", "cat", ""] and err == ""


def test_it_says_what_it_learns_from_and_keeps_where_that_was_from():
    _, err = invoke(TRAIN, "pairs", "m", *TINY)
    assert err.startswith("8 pairs, ") and "epoch  60  loss" in err and err.endswith("Model written to m\n")
    assert manifest()["kind"] == "transducer" and manifest()["info"]["train"]["pairs"] == 8
    assert re.fullmatch("[0-9a-f]{64}", manifest()["info"]["train"]["sha256"])


def test_n_best_gives_answers_with_falling_log_probability(model):
    (line,) = invoke(TRANSDUCE, model, "--n-best", "3", input=b"dogs\n")[0].splitlines()
    fields = line.split("\t")
    assert fields[0] == "dog" and len(fields) == 6
    numbers = [float(field) for field in fields[1::2]]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] <= 0
    assert invoke(TRANSDUCE, model, "--beam", "1", "--n-best", "1", input=b"dogs\n")[0].split("\t")[0] == "dog"


def test_alignments_as_a_table_and_as_a_picture(model, tmp_path):
    for name in ("a.txt", "a.svg"):
        invoke(TRANSDUCE, model, "--alignments", name, input=b"dogs\n\ncats\n")
    table = (tmp_path / "a.txt").read_text()
    assert table.startswith("dogs -> dog\n\td\to\tg\ts\t$\nd\t")
    rows = [line.split("\t")[1:] for line in table.split("\n\n")[0].split("\n")[2:]]
    assert len(rows) == 4 and all(98 <= sum(map(int, row)) <= 102 for row in rows)
    picture = (tmp_path / "a.svg").read_text()
    assert picture.startswith("<svg ") and picture.endswith("</svg>\n")
    assert picture.count("<rect") == 1 + 4 * 5 * 2


def test_what_is_special_in_a_picture_is_escaped(tmp_path):
    (tmp_path / "odd").write_bytes(b"a<\x1b b\tb&\n" * 4)
    invoke(TRAIN, "odd", "m", *TINY, "-q")
    invoke(TRANSDUCE, "m", "--alignments", "a.svg", input=b"a<\x1b b\n")
    picture = (tmp_path / "a.svg").read_text()
    assert "&lt;" in picture and "&amp;" in picture and "\\x1b" in picture and "\x1b" not in picture


def test_tokens_are_symbols_when_asked_for():
    with open("tokens", "w") as stream:
        stream.write("one two\tzwei eins\ntwo one\teins zwei\none\teins\ntwo\tzwei\n" * 4)
    invoke(TRAIN, "tokens", "m", *TINY, "--unit", "token", "-q")
    assert invoke(TRANSDUCE, "m", input=b"two one\n")[0] == "eins zwei\n"
    assert "tokens have single spaces between them" in failure(TRANSDUCE, "m", input=b"two  one\n")


def test_tags_are_asked_for_when_there_were_some_and_refused_when_not(model):
    with open("tagged", "w") as stream:
        stream.write("run\tran\tPAST\nrun\trun\tPRES Sing\n" * 6)
    invoke(TRAIN, "tagged", "t", *TINY, "-q")
    assert invoke(TRANSDUCE, "t", input=b"run\tPAST\n\nrun\tPRES Sing\n")[0] == "ran\n\nrun\n"
    assert failure(TRANSDUCE, "t", input=b"run\tPAST\nrun\n") == (
        "standard input:2: 'run'; a line is SOURCE, a tab and tags, as in the training of the model.")
    assert "a line is SOURCE, without a tab" in failure(TRANSDUCE, model, input=b"dogs\tX\n")
    with open("dev", "w") as stream:
        stream.write("run\tran\n")
    assert "both files have them, or none" in failure(TRAIN, "tagged", "u", "--dev", "dev")


def test_the_best_epoch_on_a_dev_set_is_kept():
    _, err = invoke(TRAIN, "pairs", "m", *TINY, "--dev", "pairs")
    assert re.search(r"epoch +\d+ .* dev \d+\.\d\d% \*", err)
    dev = manifest()["info"]["dev"]
    assert dev["kept"] == "best" and 0 < dev["accuracy"] <= 1
    invoke(TRAIN, "pairs", "n", *TINY, "--dev-fraction", "0.25", "--keep", "last", "-q")
    assert manifest("n")["info"]["dev"]["pairs"] == 2 and manifest("n")["info"]["dev"]["kept"] == "last"


def test_the_same_run_gives_the_same_bytes_and_is_finished_when_resumed(model):
    invoke(TRAIN, "pairs", "n", *TINY, "-q")
    assert files("m") == files("n")
    assert invoke(TRAIN, "pairs", "m", *TINY, "--resume")[1].endswith("m is finished already\n")


@pytest.mark.parametrize("data, message", [
    (b"", "pairs: no pairs; at least one is needed."), (b"\n\n", "pairs: no pairs"),
    (b"a\tb\nabc\n", "pairs:2: 'abc'; a line is SOURCE, a tab, TARGET, and perhaps a tab and tags."),
    (b"\tb\n", "pairs:1: '\\tb'; a line is SOURCE"), (b"a\tb\tX\tY\n", "pairs:1: "),
    (b"a\tb\tX\nb\tc\n", "pairs:2: tags in some lines and not in others; all pairs have them, or none."),
    (b"a\tb\tX  Y\n", "pairs:1: 'X  Y'; tags have single spaces between them."),
    (b"a\tb\t\n", "pairs:1: ''; tags have"), (b"a\t\xff\n", "pairs:1: byte 0xff at byte 3")])
def test_what_is_no_file_of_pairs_is_refused(tmp_path, data, message):
    (tmp_path / "pairs").write_bytes(data)
    assert failure(TRAIN, "pairs", "m", *TINY).startswith(message)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("arguments, message", [
    (["--patience", "2"], "--patience: 2 without a dev set; it would change nothing. Leave it out."),
    (["--keep", "last"], "--keep: last without a dev set"), (["--hidden", "0"], "--hidden: 0; it is at least 1"),
    (["--dev", "pairs", "--dev-fraction", "0.1"], "--dev and --dev-fraction: given together")])
def test_misuse_in_training_is_refused(arguments, message):
    assert failure(TRAIN, "pairs", "m", *arguments, status=2).startswith(message)


def test_misuse_in_asking_is_refused(model):
    assert "--n-best: 5 with --beam 4; a beam finds no more" in failure(TRANSDUCE, model, "--n-best", "5", status=2)
    assert "--alignments: standard output is asked for twice" in failure(
        TRANSDUCE, model, "--alignments", "-", status=2)


def test_a_model_of_another_kind_is_refused_with_the_command_for_it(model, toy, tmp_path):
    from rnntag.cli.inspect import main as INSPECT
    from rnntag.cli.test_rnn import main as TEST
    from rnntag.storage.modelfile import save
    save(tmp_path / "h", toy)
    assert "a model of kind hmm; this command takes transducer. Use test-hmm." in failure(TRANSDUCE, "h")
    assert "Use rnntag transduce." in failure(TEST, "m", input=b"a\n")
    assert "a model of kind transducer; taggers and classifiers know words" in failure(INSPECT, "m", "dogs", status=2)
    assert invoke(INSPECT, "m")[0].startswith("m: a model of kind transducer")
