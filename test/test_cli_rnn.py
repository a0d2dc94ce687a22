"""train-rnn and test-rnn from end to end, in this process and in one of their own."""

import json
import os
import re
import signal
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from conftest import ENVIRONMENT, ROOT
from test_trainer import cue_task

from rnntag.cli.main import COMMANDS
from rnntag.cli.main import main as umbrella
from rnntag.cli.test_rnn import main as TAG
from rnntag.cli.train_rnn import main as TRAIN

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals or permissions")
TINY = ("--hidden", "4", "--embedding", "4", "--epochs", "2")
DIVERGE = ("--cell", "elman", "--activation", "relu", "--optimizer", "sgd", "--clip", "0", "--schedule", "constant",
           "--epochs", "60", "--dropout", "0", "-q")
TEXT = b"the_DT dog_NN runs_VB ._.\na_DT cat_NN sees_VB the_DT dog_NN ._.\ndogs_NN run_VB ._.\n" * 3


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train").write_bytes(TEXT)


def invoke(command, *arguments, input=None, status=0):
    """Run a command in this process; returns (standard output, standard error) once the status is right."""
    result = CliRunner().invoke(command, list(map(str, arguments)), input=input)
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), "an exception came through"
    return result.stdout, result.stderr


def train(*arguments, **kwargs):
    """Train quietly with a tiny network."""
    return invoke(TRAIN, *arguments, *TINY, "-q", **kwargs)


def failure(command, *arguments, status=1, **kwargs):
    """The message of a command that has to fail in one line, and to write no data."""
    out, err = invoke(command, *arguments, status=status, **kwargs)
    lines = [line for line in err.splitlines() if not line.startswith(("Warning: ", "Usage: ", "Try ")) and line]
    assert out == "" and len(lines) == 1 and lines[0].startswith("Error: "), err
    return lines[0].removeprefix("Error: ")


def manifest(model="m"):
    return json.loads(Path(model, "model.json").read_bytes())


def log(model="m"):
    return [json.loads(line) for line in Path(model, "log.jsonl").read_text().splitlines()]


def files(model="m"):
    return {path.name: path.read_bytes() for path in Path(model).iterdir()}


# ------------------------------------------------------------------ training


def test_a_model_is_trained_and_tags():
    out, err = invoke(TRAIN, "train", "m", "--epochs", "8")
    assert out == "" and "9 sentences, 39 tokens, 4 tags" in err and err.count("\nepoch") == 8
    assert err.endswith("Model written to m\n")
    assert invoke(TAG, "m", input="the dog runs .\n\na dog\n") == ("DT NN VB .\n\nDT NN\n", "")
    assert sorted(os.listdir()) == ["m", "train"] and len(log()) == 8
    about = manifest()["info"]["train"]
    assert (about["name"], about["sentences"], about["tokens"]) == ("train", 9, 39) and len(about["sha256"]) == 64


def test_quiet_training_says_nothing():
    assert train("train", "m") == ("", "")


@pytest.mark.parametrize("preset", [param for option in TRAIN.params if option.name == "preset_name"
                                    for param in option.type.choices])
def test_presets(preset):
    invoke(TRAIN, "train", "m", "--preset", preset, "--epochs", "2", "-q")
    assert manifest()["info"]["preset"] == preset and manifest()["options"]["epochs"] == 2
    assert len(invoke(TAG, "m", input="the dog\n")[0].split(" ")) == 2


def test_a_dev_set_chooses_the_epoch_to_keep():
    Path("dev").write_bytes(b"the_DT cat_NN runs_VB\n")
    _, err = invoke(TRAIN, "train", "m", "--dev", "dev", "--epochs", "6", "--learning-rate", "0.005")
    assert "  dev " in err and " *" in err
    scores = [record["dev_accuracy"] for record in log()]
    assert manifest()["info"]["dev"]["accuracy"] == max(scores) and manifest()["info"]["dev"]["kept"] == "best"
    assert [record["best"] for record in log()].count(True) >= 1
    invoke(TRAIN, "train", "last", "--dev", "dev", "--epochs", "6", "--learning-rate", "0.005", "--keep", "last",
           "-q")
    assert manifest("last")["info"]["dev"]["kept"] == "last"
    if not log()[-1]["best"]:
        assert files()["weights.npz"] != files("last")["weights.npz"]


def test_a_share_of_the_corpus_can_be_the_dev_set():
    _, err = invoke(TRAIN, "train", "m", *TINY, "--dev-fraction", "0.34")
    assert "6 sentences" in err and manifest()["info"]["dev"]["sentences"] == 3
    assert "0.01 of 9 sentences is 0" in failure(TRAIN, "train", "n", "--dev-fraction", "0.01", status=2)
    message = failure(TRAIN, "train", "n", "--dev", "train", "--dev-fraction", "0.5", status=2)
    assert message.startswith("--dev and --dev-fraction: given together")


def test_patience_ends_the_training_early():
    invoke(TRAIN, "train", "m", "--dev", "train", "--patience", "2", "--epochs", "200", "-q")
    records = log()
    assert len(records) < 200 and [record["best"] for record in records[-2:]] == [False, False]


def test_tags_only_in_the_dev_set_are_counted():
    Path("dev").write_bytes(b"the_DT dog_NOUN runs_VERB cats_NOUN\n")
    _, err = invoke(TRAIN, "train", "m", *TINY, "--dev", "dev")
    assert "Warning: 3 dev tokens have tags that the training corpus lacks (NOUN, VERB); they count as errors" in err
    assert max(record["dev_accuracy"] for record in log()) <= 0.25


def test_pretrained_vectors_are_used_and_recorded():
    Path("vectors").write_bytes(b"dog 1 0 0.5\ncat 0 1 -0.5\nbird 0.9 0 0.4\n")
    train("train", "m", "--vectors", "vectors")
    assert manifest()["options"]["vectors"] == 3 and len(manifest()["info"]["vectors"]["vectors"]) == 64
    with np.load("m/weights.npz") as arrays:
        assert arrays["vectors.table"].shape == (4, 3)
    Path("mixed").write_bytes(b"dog 1 0 0.5\ncat 0 1\n")
    assert failure(TRAIN, "train", "n", "--vectors", "mixed").startswith("mixed:2: 2 numbers after 'cat'")
    assert "cannot read it" in failure(TRAIN, "train", "n", "--vectors", "nothing")


def test_an_existing_model_is_replaced_only_with_force():
    train("train", "m")
    before = files()
    assert failure(TRAIN, "train", "m", *TINY).startswith(f"{Path('m').resolve()}: exists already")
    assert files() == before
    train("train", "m", "--force", "--seed", "2")
    assert files()["weights.npz"] != before["weights.npz"]


def test_a_folder_that_is_there_is_used_when_it_is_empty_and_nothing_of_it_is_lost_otherwise():
    Path("m").mkdir()
    train("train", "m")
    assert files().keys() == {"model.json", "weights.npz", "ids.json", "log.jsonl"}
    Path("mine").mkdir()
    Path("mine", "notes").write_bytes(b"mine")
    for force in ((), ("--force",)):
        assert "a folder that is not a model" in failure(TRAIN, "train", "mine", *TINY, *force)
    assert files("mine") == {"notes": b"mine"}


def test_a_finished_run_resumed_is_finished_and_another_one_is_not():
    train("train", "m")
    before = files()
    assert invoke(TRAIN, "train", "m", *TINY, "--resume")[1].endswith("m is finished already\n")
    assert files() == before and sorted(os.listdir()) == ["m", "train"]
    _, err = invoke(TRAIN, "train", "m", *TINY, "--resume", "--seed", "2", status=1)
    assert "exists already" in err and "epoch" not in err, "before any work"
    assert files() == before and sorted(os.listdir()) == ["m", "train"]


def test_resuming_nothing_starts_and_says_so():
    assert "No checkpoint to continue from; starting with epoch 1" in invoke(
        TRAIN, "train", "m", *TINY, "--resume")[1]


def test_a_corpus_from_a_pipe_trains_the_same_and_is_known_again():
    train("train", "m")
    train("-", "n", input=TEXT)
    assert files()["weights.npz"] == files("n")["weights.npz"]
    assert len(manifest("n")["info"]["train"]["sha256_of_sentences"]) == 64
    invoke(TRAIN, "-", "n", *TINY, "--resume", input=TEXT)
    assert "exists already" in failure(TRAIN, "-", "n", *TINY, "-q", "--resume", input=TEXT.replace(b"dog", b"cow"))


@posix
def test_a_corpus_from_a_named_pipe_does_not_wait_for_ever(run):
    os.mkfifo("pipe")
    writer = subprocess.Popen([sys.executable, "-c", "open('pipe', 'wb').write(open('train', 'rb').read())"])
    assert run("train-rnn", "pipe", "m", *TINY, "-q").returncode == 0
    writer.wait(60)


@pytest.mark.parametrize("direction", ["--bidirectional", "--one-direction"])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_each_network_learns_to_copy_the_first_token(cell, direction):
    for name, count, seed in (("cues", 60, 1), ("test", 40, 2)):
        Path(name).write_text("".join(" ".join(map("_".join, zip(s.words, s.tags))) + "\n"
                                      for s in cue_task(count, seed, 1)))
    invoke(TRAIN, "cues", "m", "--cell", cell, direction, "--embedding", 8, "--hidden", 8, "--epochs", 25,
           "--dropout", 0, "--features", "form", "--batch-size", 4, "--learning-rate", 0.02, "--word-dropout", 0,
           "--embedding-rate", 1, "-q")
    text = Path("test").read_text()
    assert invoke(TAG, "m", "test", "--output-format", "wordtag", "--format", "wordtag")[0] == text


# ------------------------------------------------------------------ what does not fit


@pytest.mark.parametrize("arguments, message", [
    (["--hidden", "0"], "--hidden: 0; it is at least 1 and at most 4096"),
    (["--hidden", "5000"], "--hidden: 5000; it is at least 1 and at most 4096"),
    (["--hidden", "x"], "Invalid value for '--hidden'"), (["--epochs", "0"], "--epochs: 0; it is"),
    (["--learning-rate", "-1"], "--learning-rate: -1.0; it is at"), (["--clip", "-1"], "--clip: -1.0; it is at"),
    (["--learning-rate", "nan"], "--learning-rate: nan; it is at"), (["--dropout", "1"], "--dropout: 1.0; it is"),
    (["--bptt", "3", "--encoder", "cnn"], "--bptt: 3 with --encoder cnn; a convolution has no time"),
    (["--window", "4", "--encoder", "cnn"], "--window: 4; the window is odd"),
    (["--dense", "0"], "--dense: 0:tanh; a dense layer is 1 to 4096"), (["--dense", "x"], "--dense: 'x'; it is N"),
    (["--dense", "4:cos"], "--dense: 4:cos; a dense layer is"), (["--cell", "rnn"], "Invalid value for '--cell'"),
    (["--features", "shoe"], "--features: 'shoe'; it is some of"),
    (["--features", ""], "--features: no features, no --char-rnn and no"), (["--seed", "-1"], "--seed: -1; it is"),
    (["--dev-fraction", "1"], "Invalid value for '--dev-fraction'"), (["--nonsense"], "No such option"),
    (["--separator", ""], "the separator ''"), (["--window", "3"], "--window: 3 without --encoder cnn"),
    (["--embedding", "0", "--encoder", "cnn"], "--embedding: 0 with --encoder cnn")])
def test_nonsense_is_misuse_and_the_message_says_what_fits(arguments, message):
    assert message in failure(TRAIN, "train", "m", *arguments, status=2)
    assert os.listdir() == ["train"]


@pytest.mark.parametrize("data, message", [
    (b"", "corpus: no tagged sentences"), (b"\n\n", "corpus: no tagged sentences"),
    (b"the_DT dog\n", "corpus:1: token 2, 'dog', has no tag"),
    (b"a_X\nthe_DT dog_\n", "corpus:2: token 2, 'dog_', has no tag"),
    (b"a_X  b_Y\n", "corpus:1: two spaces in a row"), (b"a_X\n\xff_Y\n", "corpus:2: byte 0xff at byte 1 of the line"),
    (b"a_X\n" + b"b_Y " * 300_000, "corpus:2: a line of more than 1,000,000 bytes")])
def test_a_corpus_that_is_wrong_is_refused_with_its_line(data, message):
    Path("corpus").write_bytes(data)
    assert failure(TRAIN, "corpus", "m", "--format", "wordtag").startswith(message)
    assert sorted(os.listdir()) == ["corpus", "train"], "no model, no checkpoint"


@pytest.mark.parametrize("data, input, answer", [
    (b"go_VB\n", "go\nstay\n", "VB\nVB\n"), (b"go_X home_X\n", "go a b\n", "X X X\n"),
    (b"a_X\n\n\nb_X\n", "a\n\nb\n", "X\n\nX\n"), (b"a_X b_X\r\nb_X\r\n", "a\n", "X\n"),
    (b"\xef\xbb\xbfa_X\n", "\ufeffa\n", "X\n"), ("a_b_X c\u3000d_X\n".encode(), "a_b c\u3000d\n", "X X\n"),
    (b"a_X", "a", "X\n")], ids=["one word", "one tag", "blank lines", "CRLF", "BOM", "_ and U+3000", "no line end"])
def test_odd_but_right_corpora_train_and_tag(data, input, answer):
    Path("corpus").write_bytes(data)
    train("corpus", "m", "--format", "wordtag")
    assert invoke(TAG, "m", "--format", "tokens", input=input.encode())[0] == answer
    assert set(json.loads(Path("m/ids.json").read_text())["words"]).isdisjoint({"a_", "c", "\ufeffa", "b\r"})


@pytest.mark.parametrize("arguments, message", [
    (("nothing", "m"), "nothing: cannot read it: no such file"), ((".", "m"), ".: cannot read it"),
    (("train", "no/m"), "no/m: there is no folder"), (("train", "train"), "train: a file stands there"),
    (("train", "m", "--dev", "nothing"), "nothing: cannot read it: no such file")])
def test_files_that_are_missing_or_in_the_way_are_named(arguments, message):
    assert message in failure(TRAIN, *arguments)


def test_what_cannot_be_tagged_is_refused(tmp_path):
    train("train", "m")
    assert "no such folder" in failure(TAG, "nothing", input="a\n")
    assert "a model is the folder that" in failure(TAG, "train", input="a\n")
    assert failure(TAG, "m", "--format", "tokens", input=b"a \xff\n").startswith("standard input:1: byte 0xff")
    assert "cannot read it" in failure(TAG, "m", "nothing")
    invoke(TAG, "m", "train", "-o", "out", "--format", "tokens")
    assert "out: exists already" in failure(TAG, "m", "train", "-o", "out", "--format", "tokens")
    hmm = __import__("rnntag.cli.train_hmm", fromlist=["main"]).main
    invoke(hmm, "train", "h", "-q")
    assert "this command takes rnn. Use test-hmm." in failure(TAG, "h", input="a\n")


def test_a_loss_that_is_not_finite_stops_with_advice_and_the_last_good_weights():
    def diverge(name, *more):
        message = failure(TRAIN, "train", name, *DIVERGE, *more)
        assert "no longer finite" in message and "Lower --learning-rate, or set --clip." in message
        assert not Path(f"{name}.training").exists()
        return message

    diverge("none", "--learning-rate", "1e6", "--batch-size", "1")
    assert not Path("none").exists(), "there was no epoch with good weights"
    message = diverge("m", "--learning-rate", "1e6", "--batch-size", "16")  # one update an epoch
    assert message.endswith(f"The weights of epoch {len(log())} are kept in m.")
    assert "no longer finite" in manifest()["info"]["stopped"] and len(log()) >= 1
    assert invoke(TAG, "m", input="the dog\n")[0].count(" ") == 1
    before = files()
    again = ["m", "--learning-rate", "1e6", "--batch-size", "16", "--resume"]
    assert "exists already" in failure(TRAIN, "train", *again, *DIVERGE), "it is not what the run should end with"
    assert files() == before


# ------------------------------------------------------------------ processes


def outcome(result):
    """Exit status, and the one line about what is wrong."""
    text = result.stderr.decode()
    assert "Traceback" not in text and "Exception" not in text
    return result.returncode, text.splitlines()[-1] if text else ""


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed(run, monkeypatch):
    for seed in ("1", "2", "random"):
        monkeypatch.setitem(ENVIRONMENT, "PYTHONHASHSEED", seed)
        arguments = ["train", f"m{seed}", *TINY, "--char-rnn", "2", "--dev-fraction", "0.3"]
        assert run("train-rnn", *arguments).returncode == 0
    assert files("m1") == files("m2") == files("mrandom")


@posix
def test_progress_is_shown_on_a_terminal_only(tmp_path):
    import fcntl
    import pty
    import termios
    command = [sys.executable, "-m", "rnntag", "train-rnn", "train", "m", *TINY, "--force"]
    piped = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=60)
    assert piped.returncode == 0 and b"\r" not in piped.stderr and b"%|" not in piped.stderr
    for more, shown in (([], True), (["-q"], False)):
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        with subprocess.Popen(command + more, cwd=tmp_path, env=ENVIRONMENT, stderr=child, stdout=child) as process:
            os.close(child)
            seen = b""
            try:
                while block := os.read(parent, 4096):
                    seen += block
            except OSError:  # how Linux says that the other end is closed
                pass
            os.close(parent)
        assert process.returncode == 0 and (b"%|" in seen) == shown, seen


@posix
def test_a_disk_that_is_full_is_an_error_in_one_line_and_the_training_goes_on_from_there(tmp_path):
    """A limit on the size of files is what a full disk is like to a process."""
    program = ("import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
               "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2); "
               "from rnntag.cli.main import main; main(sys.argv[1:], 'rnntag')")

    def limited(size, *arguments):
        return outcome(subprocess.run([sys.executable, "-B", "-c", program, str(size), *arguments], cwd=tmp_path,
                                      env=ENVIRONMENT, capture_output=True, timeout=60))

    small, checkpointed = ("train-rnn", "train", "m", *TINY), ("--checkpoint-every", "0")
    status, said = limited(3000, *small)
    assert status == 1 and said.endswith("m/weights.npz: cannot write it: file too large.")
    assert os.listdir() == ["train"]
    status, said = limited(3000, *small, *checkpointed)
    assert status == 1 and said.endswith("m.training/arrays-0.npz: cannot write it: file too large.")
    assert os.listdir() == ["train"]
    train("train", "whole")
    assert limited(100_000, *small, *checkpointed) == (0, "Model written to m")
    assert files() == files("whole")
    status, said = limited(100, "test-rnn", "m", "train", "--format", "tokens", "-o", "out")
    assert status == 1 and said == "Error: out: cannot write it: file too large." and not Path("out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_behind_the_output_is_an_error_in_one_line(run):
    train("train", "m")
    assert outcome(run("test-rnn", "m", "train", "--format", "tokens", "-o", "/dev/full")) == (
        1, "Error: /dev/full: cannot write it: no space left on device.")
    with open("/dev/full", "wb") as full:
        assert outcome(run("test-rnn", "m", "train", "--format", "tokens", stdout=full)) == (
            1, "Error: standard output: cannot write it: no space left on device.")


@posix
def test_a_reader_that_closes_the_pipe_ends_the_command_quietly(shell):
    train("train", "m")
    Path("text").write_bytes(b"the dog runs\n" * 50_000)
    script = f'"{sys.executable}" -m rnntag test-rnn m text | head -1'
    result = subprocess.run([shell, "-c", script], capture_output=True, timeout=60, env=ENVIRONMENT)
    assert result.stdout.count(b"\n") == 1 and result.stderr == b""


@pytest.fixture
def closed():
    """A folder that others may read, not write, with a corpus, a model, and a file that they may not read."""
    folder = Path(tempfile.mkdtemp())
    (folder / "train").write_bytes(TEXT)
    train(folder / "train", folder / "m")
    (folder / "secret").touch(mode=0o000)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@posix
@pytest.mark.parametrize("arguments, message", [
    (["train-rnn", "secret", "x"], "secret: cannot read it: permission denied."),
    (["train-rnn", "train", "x", *TINY], "{}/x.training: cannot write it: permission denied."),
    (["train-hmm", "train", "x"], "{}/x: cannot write it: permission denied."),
    (["test-rnn", "m", "train", "--format", "tokens", "-o", "x"], "x: cannot write it: permission denied.")])
def test_folders_and_files_without_permission_are_named(closed, arguments, message):
    """Root may do everything, so the process becomes another user once all is imported."""
    program = ("import os, pkgutil, sys, importlib, difflib, encodings.cp437, numpy.random, tqdm, "
               "rnntag\n"
               "for module in pkgutil.walk_packages(rnntag.__path__, 'rnntag.'):\n"
               "    'adapters' in module.name or '__main__' in module.name or importlib.import_module(module.name)\n"
               "os.geteuid() == 0 and os.seteuid(65534)\n"
               "from rnntag.cli.main import main; main(sys.argv[1:], 'rnntag')")
    result = subprocess.run([sys.executable, "-c", program, *arguments], cwd=closed, env=ENVIRONMENT,
                            capture_output=True, timeout=60)
    assert outcome(result) == (1, "Error: " + message.format(closed.resolve()))


@posix
@pytest.mark.parametrize("number", [signal.SIGINT])
def test_an_interrupt_while_tagging_exits_with_130(number, tmp_path):
    train("train", "m")
    with subprocess.Popen([sys.executable, "-m", "rnntag", "test-rnn", "m", "--stream"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT) as process:
        process.stdin.write(b"the dog\n")
        process.stdin.flush()
        assert process.stdout.readline().count(b" ") == 1  # the command is under way now
        process.send_signal(number)
        assert process.communicate(timeout=60)[1] == b"Error: interrupted\n"
    assert process.returncode == 130


def test_two_trainings_of_one_model_are_refused(tmp_path):
    first = subprocess.Popen([sys.executable, "-m", "rnntag", "train-rnn", "train", "m", "--epochs", "100000"],
                             stderr=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT)
    try:
        while not first.stderr.readline().startswith(b"epoch"):
            time.sleep(0)
        message = failure(TRAIN, "train", "./m", *TINY, "-q", "--force")
        assert "m.training: another process is training there. Wait for it, or choose another MODEL." in message
    finally:
        first.kill()
        first.communicate()


# ------------------------------------------------------------------ names and help


def test_a_corpus_whose_name_is_not_utf8_trains(tmp_path):
    try:
        name = os.fsdecode(b"\xff.pos")
        Path(name).write_bytes(TEXT)
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    train(name, "m", "--format", "wordtag")
    assert manifest()["info"]["train"]["name"] == name
    assert invoke(TAG, "m", input="the dog\n")[0]


def commands():
    context = click.Context(umbrella)
    return {name: umbrella.get_command(context, name) for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_version(name):
    for flag in ("-h", "--help"):
        assert invoke(umbrella, name, flag)[0].startswith("Usage: ")
    assert invoke(commands()[name], "--version")[0].startswith("rnntag, version ")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_every_option_once_under_headings(name):
    text = invoke(umbrella, name, "--help")[0]
    assert "INTEGER" not in text and "9223372036854775807" not in text
    wanted = ["Options", "Input", "Network", "Training", "How corpora are read", "General"]
    headings = [line[:-1] for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == [heading for heading in wanted if heading in headings] and headings[-1] == "General"
    for option in commands()[name].params:
        if isinstance(option, click.Option):
            assert len(re.findall(rf"^  (-\w, )?{max(option.opts, key=len)}\b(?!-)", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_with_a_value_names_its_default(name):
    command = commands()[name]
    context = click.Context(command)
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_flag:
            shown = option.get_help_record(context)[1]
            assert re.search(r"[(\[;] ?default: |\(default\)", shown), f"{option.name}: {shown}"


@pytest.mark.parametrize("script", ["train_rnn", "test_rnn"])
def test_scripts_run_from_a_checkout(script, tmp_path):
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}
    result = subprocess.run([sys.executable, ROOT / f"{script}.py", "-h"], cwd=tmp_path, env=environment,
                            capture_output=True, timeout=60)
    assert result.returncode == 0 and result.stdout.startswith(f"Usage: {script}.py".encode())
