"""Commands as processes: signals, full disks, closed pipes, permissions, names that are not UTF-8."""

import os
import re
import signal
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest
from conftest import ENVIRONMENT, ROOT
from invoking import TINY, failure, files, invoke, manifest, train
from samples import TEXT

from rnntag.cli.common import Command
from rnntag.cli.progress import Progress
from rnntag.cli.test_rnn import main as TAG
from rnntag.cli.train_rnn import main as TRAIN
from rnntag.storage import modelfile

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals or permissions")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train").write_bytes(TEXT)


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


def into_a_closed_pipe(name, *arguments):
    """A command whose ``name``, stdout or stderr, is a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as closed:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, name: closed}
        return subprocess.run([sys.executable, "-m", "rnntag", *arguments], stdin=subprocess.DEVNULL, timeout=60,
                              env=ENVIRONMENT, **streams)


@posix
@pytest.mark.parametrize("arguments", [
    ["test-rnn", "m", "text"], ["test-rnn", "m", "text", "-o", "/dev/stdout"],
    ["test-hmm", "hmm", "text", "--stream"],
    ["convert", "train", "-", "--from", "wordtag", "--to", "vertical"], ["check", "train"], ["inspect", "m"],
    ["grade-pos", "train", "train"], ["vectors", "text", "-", "-q", "--width", "1"], ["diagnose", "m", "train"],
    ["--help"], ["--version"], ["test-rnn", "--help"], ["test-rnn", "--version"]], ids=" ".join)
def test_a_reader_that_closes_the_pipe_ends_the_command_quietly(arguments, toy):
    train("train", "m")
    modelfile.save("hmm", toy)
    Path("text").write_bytes(b"the dog runs\n" * 50_000)
    result = into_a_closed_pipe("stdout", *arguments)
    assert (result.returncode, result.stderr) == (0, b"")


@posix
def test_a_training_that_nobody_can_follow_is_not_called_done():
    result = into_a_closed_pipe("stderr", "train-rnn", "train", "m", *TINY)
    assert (result.returncode, result.stdout) == (1, b"") and not Path("m").exists()


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


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", [["test-rnn", "m", "-", "--format", "tokens", "-o", "out", "--force"],
                                     ["convert", "-", "out", "--from", "tokens", "--to", "vertical", "--force"],
                                     ["vectors", "-", "out", "-q", "--force"]])
def test_a_command_that_is_told_to_end_leaves_nothing_behind(number, command, tmp_path):
    train("train", "m")
    Path("out").write_bytes(b"old")
    with subprocess.Popen([sys.executable, "-m", "rnntag", *command], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=tmp_path, env=ENVIRONMENT) as process:
        process.stdin.write(b"the dog\n")
        process.stdin.flush()
        while not list(tmp_path.glob(".out.*.part")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        assert process.communicate(timeout=60)[1].decode() == f"Error: ended by {number.name}\n"
    assert process.returncode == 128 + number
    assert sorted(os.listdir()) == ["m", "out", "train"] and Path("out").read_bytes() == b"old"


def test_a_bar_that_a_signal_met_half_made_closes_in_silence():
    Progress.__new__(Progress).close()


@posix
def test_a_reader_that_does_not_read_keeps_no_command_from_ending(tmp_path):
    train("train", "m")
    Path("text").write_bytes(b"the dog runs\n" * 50_000)
    with subprocess.Popen([sys.executable, "-m", "rnntag", "test-rnn", "m", "text"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT) as process:
        assert process.stdout.readline()
        process.terminate()
        try:
            assert process.wait(timeout=20) == 143
        finally:
            process.kill()


@posix
def test_a_signal_that_is_ignored_stays_so(tmp_path):
    """As nohup has it."""
    train("train", "m")
    with subprocess.Popen([sys.executable, "-m", "rnntag", "test-rnn", "m", "--stream"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, cwd=tmp_path, env=ENVIRONMENT,
                          preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
        for _ in range(2):
            process.stdin.write(b"the dog\n")
            process.stdin.flush()
            assert process.stdout.readline().count(b" ") == 1
            process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == 0


@click.command(cls=Command)
def ended():
    """A command that is told to end, and once more while it tidies up."""
    try:
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("the command goes on")
    finally:
        signal.raise_signal(signal.SIGHUP)
        click.echo("tidied up")


@posix
def test_a_second_signal_does_not_disturb_the_tidying_up_and_handlers_are_restored():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    out, err = invoke(ended, status=143)
    assert (out, err) == ("tidied up\n", "Error: ended by SIGTERM\n")
    assert before == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]


def test_commands_run_in_any_thread_and_where_there_are_few_signals(monkeypatch):
    train("train", "m")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(invoke, TAG, "m", input="the dog\n").result()[0].count(" ") == 1
        pool.submit(train, "train", "other").result()
    monkeypatch.delattr(signal, "SIGHUP", raising=False)
    assert invoke(TAG, "m", input="the dog\n")[0].count(" ") == 1
    train("train", "third")
    assert files() == files("other") == files("third")


ENTRIES = {name: [str(ROOT / name)] for name in ("train_rnn.py", "test_rnn.py", "scripts/train_hmm.py",
                                                 "scripts/test_hmm.py", "scripts/grade_pos.py")}
ENTRIES["-m rnntag"] = ["-m", "rnntag", "train-rnn"]
for name, module, function in re.findall(r"^ +(\w+-\w+) = (rnntag[\w.]+):(\w+)$",  # as installed scripts begin
                                         (ROOT / "setup.cfg").read_text("utf-8"), re.MULTILINE):
    ENTRIES[name] = ["-c", f"import sys; from {module} import {function}; sys.exit({function}())"]


@posix
@pytest.mark.parametrize("name, module", [*((name, "click") for name in ENTRIES), ("train-rnn", "numpy"),
                                          ("-m rnntag", "numpy")])
def test_an_interrupt_while_modules_are_imported_is_one_line(name, module, tmp_path, write):
    write(f"{module}.py", b"import signal\nsignal.raise_signal(signal.SIGINT)\n")
    result = subprocess.run([sys.executable, *ENTRIES[name], "train", "new"], cwd=tmp_path, capture_output=True,
                            env={**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, timeout=60)
    assert (result.returncode, result.stderr) == (130, b"Error: interrupted\n")


@posix
def test_importing_the_command_line_leaves_interrupts_alone():
    program = ("import signal, rnntag.__main__, rnntag.cli.main, rnntag.cli.train_rnn; "
               "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler")
    assert subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, timeout=60).returncode == 0


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


def test_a_corpus_whose_name_is_not_utf8_trains(tmp_path):
    try:
        name = os.fsdecode(b"\xff.pos")
        Path(name).write_bytes(TEXT)
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    train(name, "m", "--format", "wordtag")
    assert manifest()["info"]["train"]["name"] == name
    assert invoke(TAG, "m", input="the dog\n")[0]
