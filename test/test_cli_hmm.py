"""train-hmm, test-hmm and grade-pos as a user meets them."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ENVIRONMENT, ROOT
from invoking import invoke
from samples import TOY

from rnntag.cli import grade_pos, test_hmm, train_hmm
from rnntag.cli.main import main as umbrella

TRAIN, TAG, GRADE = train_hmm.main, test_hmm.main, grade_pos.main
posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def failure(command, *arguments, status=1, **kwargs):
    """The message of a command that has to fail, and to write no data."""
    out, err = invoke(command, *arguments, status=status, **kwargs)
    assert out == "" and err.startswith("Error: ") and err.count("\n") == 1
    return err.removeprefix("Error: ").rstrip("\n")


# ------------------------------------------------------------------ train-hmm


def test_training_writes_a_model_and_reports_to_standard_error(write):
    out, err = invoke(TRAIN, write("toy", TOY), "m")
    assert out == "" and err == "2 sentences, 6 tokens, 3 words, 3 tags -> m\n"
    manifest = json.loads(Path("m/model.json").read_text())
    assert manifest["kind"] == "hmm"
    assert manifest["info"]["train"].items() >= {"name": "toy", "sentences": 2, "tokens": 6}.items()
    assert len(manifest["info"]["train"]["sha256"]) == 64


def test_training_from_standard_input_gives_the_same_model(write):
    invoke(TRAIN, write("toy", TOY), "m")
    invoke(TRAIN, "-", "n", input=TOY)
    for name in ("weights.npz", "ids.json"):
        assert Path("m", name).read_bytes() == Path("n", name).read_bytes()


def test_quiet_training_says_nothing(write):
    assert invoke(TRAIN, write("toy", TOY), "m", "-q") == ("", "")


def test_training_on_another_separator(write):
    invoke(TRAIN, write("toy", TOY.replace(b"_", b"/")), "m", "--separator", "/")
    assert invoke(TAG, "m", input="a c b\n")[0] == "X X Y\n"


def test_a_model_is_replaced_only_with_force(write):
    invoke(TRAIN, write("toy", TOY), "m")
    assert "exists already" in failure(TRAIN, write("one", b"q_Q\n"), "m")
    assert invoke(TAG, "m", input="a c b\n")[0] == "X X Y\n"
    invoke(TRAIN, "one", "m", "--force")
    assert invoke(TAG, "m", input="a c b\n")[0] == "Q Q Q\n"


@pytest.mark.parametrize("data, message", [
    (b"", "corpus: no tagged sentences; at least one is needed."),
    (b"a_X\nb\n", "corpus:2: token 1, 'b', has no tag; wordtag is word_TAG."),
    (b"a_X\n\xff_Y\n", "corpus:2: byte 0xff at byte 1 of the line (offset 4 in the file) is not UTF-8")])
def test_a_corpus_that_is_wrong_is_refused_and_no_model_written(write, data, message):
    write("corpus", data)
    assert failure(TRAIN, "corpus", "m").startswith(message)
    assert os.listdir() == ["corpus"]


def test_a_missing_corpus_is_refused():
    assert failure(TRAIN, "nothing", "m").startswith("nothing: cannot read it: no such file")


# ------------------------------------------------------------------ test-hmm


def test_the_answer_has_a_line_for_each_line(model):
    out, err = invoke(TAG, model, input="a b a\n\na c b\n\n")
    assert out == "X Y Z\n\nX X Y\n\n" and err == ""


@pytest.mark.parametrize("input, out", [
    ("", ""), ("\n", "\n"), ("a c b", "X X Y\n"), ("\n\n\na", "\n\n\nZ\n")])
def test_blank_lines_and_a_missing_line_end(model, input, out):
    assert invoke(TAG, model, input=input)[0] == out


def test_input_and_output_may_be_files(model, write):
    write("text", b"a b a\n")
    invoke(TAG, model, "text", "-o", "tags")
    assert Path("tags").read_bytes() == b"X Y Z\n"
    assert "tags: exists already" in failure(TAG, model, "text", "-o", "tags")
    invoke(TAG, model, write("more", b"a\n"), "-o", "tags", "--force")
    assert Path("tags").read_bytes() == b"Z\n"


def test_an_output_is_absent_when_the_input_is_wrong(model, write):
    failure(TAG, model, write("text", b"a b a\n" * 200 + b"a  b\n"), "-o", "tags")
    assert not Path("tags").exists()


def test_tags_of_the_input_are_ignored_and_the_answer_has_its_shape(model):
    out, err = invoke(TAG, model, input="a_Q c_Q b_Q\n")
    assert out == "a_X c_X b_Y\n" and "Note: the input is read as wordtag" in err
    assert invoke(TAG, model, "--format", "wordtag", input="a_Q\n") == ("a_Z\n", "")


@pytest.mark.parametrize("format, out", [("tags", "Z\n"), ("wordtag", "a_Z\n")])
@pytest.mark.parametrize("input", ["a\n", "a_Q\n"])
def test_the_format_of_the_output_can_be_chosen(model, input, format, out):
    assert invoke(TAG, model, "--output-format", format, input=input)[0] == out


def test_words_with_the_separator_in_them(model):
    assert "Say which with --format" in failure(TAG, model, input="a b_c\n")
    out, _ = invoke(TAG, model, "--format", "tokens", "--output-format", "wordtag", input="a b_c\n")
    assert out == "a_X b_c_Y\n"


def test_odd_characters_stay_in_their_words(model):
    words = "ideographic\u3000space no\u00a0break line\u2028separator next\u0085line"
    out, _ = invoke(TAG, model, "--output-format", "wordtag", input=f"a {words}\n".encode())
    assert [item.rpartition("_")[0] for item in out[:-1].split(" ")] == ["a", *words.split(" ")]


def test_crlf_and_a_byte_order_mark_are_dropped_with_a_warning(model):
    out, err = invoke(TAG, model, input=b"\xef\xbb\xbfa b a\r\na c b\r\n")
    assert out == "X Y Z\nX X Y\n"
    assert err.splitlines() == ["Warning: standard input:1: a byte order mark; ignored",
                                "Warning: standard input:1: Windows line ends (CRLF); read as LF"]


@pytest.mark.parametrize("input, message", [
    (b"a  b\n", "standard input:1: two spaces in a row at column 2"),
    (b"a\n b\n", "standard input:2: a space at the start of the line"),
    (b"a \n", "standard input:1: a space at the end of the line"),
    (b"\xff\n", "standard input:1: byte 0xff")])
def test_wrong_input_is_reported_with_its_line(model, input, message):
    result = CliRunner().invoke(TAG, [str(model)], input=input)
    assert result.exit_code == 1 and message in result.stderr


@pytest.mark.parametrize("name, message", [
    ("nothing", "no such folder"), (".", "a folder without model.json"), ("toy.wordtag", "not a folder")])
def test_what_is_no_model_is_refused(model, name, message):
    assert message in failure(TAG, name, input="a\n")


def test_a_tag_that_would_break_the_lines_is_refused(write):
    invoke(TRAIN, write("toy", b"a_X|Y b_Z\n"), "m")
    assert invoke(TAG, "m", input="a b\n")[0] == "X|Y Z\n"
    message = failure(TAG, "m", "--separator", "|", "--output-format", "wordtag", input="a b\n")
    assert message.startswith("standard input:1: tag 'X|Y' contains '|'")


# ------------------------------------------------------------------ grade-pos

REFERENCE = b"X Y Z\n\nX X Y\n"


def test_grading_prints_what_the_tutorial_s_script_prints(write):
    out, err = invoke(GRADE, write("ref", REFERENCE), write("ans", b"X X Z\n\nZ X X\n"))
    assert out == "Accuracy: 50.00% (3/6)\n\nMost common mistakes:\nY --> X\t2\nX --> Z\t1\n"
    assert err == ""


def test_tags_and_wordtag_may_stand_on_either_side(write):
    names = [write("tags", REFERENCE), write("wordtag", b"a_X b_Y a_Z\n\na_X c_X b_Y\n")]
    for reference in names:
        for answer in names:
            assert invoke(GRADE, reference, answer)[0].startswith("Accuracy: 100.00% (6/6)\n")


def test_the_number_of_mistakes_listed_can_be_chosen(write):
    files = write("ref", REFERENCE), write("ans", b"X X Z\n\nZ X X\n")
    assert invoke(GRADE, *files, "--errors", "1")[0].endswith("mistakes:\nY --> X\t2\n")
    assert invoke(GRADE, *files, "--errors", "0")[0] == "Accuracy: 50.00% (3/6)\n"


def test_ten_mistakes_are_listed_by_default(write):
    files = write("ref", b"A B C D E F G H I J K L\n"), write("ans", b"B C D E F G H I J K L A\n")
    assert invoke(GRADE, *files)[0].count(" --> ") == 10


def test_several_answers_have_headings(write):
    write("one", b"X Y Z\n\nX X X\n")
    out, _ = invoke(GRADE, write("ref", REFERENCE), "one", "ref", "--errors", 0)
    assert out.startswith("one:\nAccuracy: 83.33% (5/6)\n\nref:\nAccuracy: 100.00% (6/6)\n\n")


def test_known_and_unknown_words_are_graded_apart(write):
    write("ref", b"a_X q_Y a_Z\n")
    out, _ = invoke(GRADE, "ref", write("ans", b"X X Z\n"), "--train", write("toy", TOY))
    assert "\nKnown words      100.00% (2/2) " in out and "\nUnknown words    0.00% (0/1) " in out


def test_known_words_need_words(write):
    files = write("ref", REFERENCE), write("ans", REFERENCE)
    assert "no words on either side" in failure(GRADE, *files, "--train", write("toy", TOY))


def test_answers_of_another_length_are_refused(write):
    write("ref", REFERENCE)
    for name, data, message in [
            ("short", b"X Y Z\n\n", "short: no sentence 3; ref has one, in line 3."),
            ("long", REFERENCE + b"X\n", "ref: no sentence 4; long has one, in line 4."),
            ("cut", b"X Y Z\n\nX X\n", "cut:3: 2 tokens; ref:3 has 3.")]:
        write(name, data)
        assert failure(GRADE, "ref", name).startswith(message)
    message = failure(GRADE, "ref", "-", input=b"X Y Z\n")
    assert message.startswith("standard input: no sentence 2; ref has one, in line 2")


def test_standard_input_is_graded_and_asked_for_only_once(write):
    assert invoke(GRADE, write("ref", REFERENCE), "-", input=REFERENCE)[0].startswith("Accuracy: 100.00%")
    assert "asked for twice" in failure(GRADE, "-", "-", input=REFERENCE, status=2)


# ------------------------------------------------------------------ all of them


@pytest.mark.parametrize("arguments", [
    ["train-hmm"], ["train-hmm", "a"], ["test-hmm"], ["grade-pos", "a"], ["nonsense"],
    ["grade-pos", "a", "b", "--errors", "-1"], ["test-hmm", "m", "--nonsense"],
    ["test-hmm", "m", "--output-format", "tokens"], ["train-hmm", "toy", "b", "--separator", ""]])
def test_misuse_exits_with_2(arguments, write):
    write("toy", TOY)
    out, err = invoke(umbrella, *arguments, status=2)
    assert out == "" and "Error: " in err


def test_debug_shows_the_traceback(run):
    result = run("test-hmm", "nothing", "--debug")
    assert result.returncode == 1 and b"Traceback" in result.stderr
    assert b"Traceback" not in run("test-hmm", "nothing").stderr


def test_an_hmm_needs_no_network(model):
    program = ("import sys; from rnntag.storage.modelfile import load; load(sys.argv[1]); "
               "assert not {'rnntag.models.tagger', 'rnntag.models.network'} & sys.modules.keys()")
    subprocess.run([sys.executable, "-c", program, model], cwd=ROOT, check=True, timeout=60)


@pytest.mark.parametrize("script", ["train_hmm", "test_hmm", "grade_pos"])
def test_scripts_run_from_a_checkout(script, tmp_path):
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}
    result = subprocess.run([sys.executable, ROOT / "scripts" / f"{script}.py", "-h"], cwd=tmp_path,
                            env=environment, capture_output=True, timeout=60)
    assert result.returncode == 0 and result.stdout.startswith(f"Usage: {script}.py".encode())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("command", ["train-hmm", "test-hmm", "grade-pos"])
def test_help_on_a_full_disk_is_an_error_in_one_line(run, command):
    with open("/dev/full", "wb") as full:
        result = run(command, "-h", stdout=full)
    assert (result.returncode, result.stderr) == (1, b"Error: no space left on device\n")


@posix
def test_a_reader_that_closes_the_pipe_ends_the_command_quietly(model, write, shell, run):
    text = write("text", b"a b a c b\n" * 50_000)
    script = f'"{sys.executable}" -m rnntag test-hmm "{model}" "{text}" | head -1'
    result = subprocess.run([shell, "-c", script], capture_output=True, timeout=60,
                            env=ENVIRONMENT)
    assert result.stdout.count(b"\n") == 1 and result.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("lines", [1, 10_000])
def test_a_full_disk_behind_standard_output_is_an_error(model, write, run, lines):
    with open("/dev/full", "wb") as full:
        result = run("test-hmm", model, write("text", b"a\n" * lines), stdout=full)
    assert result.returncode == 1
    assert result.stderr.strip() == b"Error: standard output: cannot write it: no space left on device."


@pytest.fixture
def dialogue(model):
    """test-hmm --stream as a running process with pipes."""
    with subprocess.Popen([sys.executable, "-m", "rnntag", "test-hmm", model, "--stream"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=ENVIRONMENT) as process:
        alarm = threading.Timer(20, process.kill)  # an answer that never comes fails, and does not hang
        alarm.start()
        yield process
        alarm.cancel()
        process.kill()


def ask(process, line):
    process.stdin.write(line)
    process.stdin.flush()
    return process.stdout.readline()


def test_each_line_is_answered_at_once_when_streaming(dialogue):
    assert [ask(dialogue, b"a c b\n") for _ in range(3)] == [b"X X Y\n"] * 3
    assert dialogue.communicate(timeout=60) == (b"", b"") and dialogue.returncode == 0


@posix
def test_an_interrupt_exits_with_130(dialogue):
    ask(dialogue, b"a\n")  # the command is under way now
    dialogue.send_signal(signal.SIGINT)
    assert dialogue.communicate(timeout=60)[1] == b"Error: interrupted\n"
    assert dialogue.returncode == 130


def test_the_commands_give_the_tutorial_s_result(corpora):
    folder = corpora / "wiki-en"
    invoke(TRAIN, folder / "wiki-en-train.norm_pos", "m")
    invoke(TAG, "m", folder / "wiki-en-test.norm", "-o", "my_answer.pos")
    out, _ = invoke(GRADE, folder / "wiki-en-test.pos", "my_answer.pos")
    assert out.startswith("Accuracy: 90.82% (4144/4563)\n\nMost common mistakes:\nNNS --> NN\t45\n")
    assert len(out.splitlines()) == 13
