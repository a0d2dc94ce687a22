"""The documentation: its links lead somewhere, its commands and options exist, its messages are given."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from conftest import ROOT

from rnntag.cli.main import main


def load(path):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(f"documentation_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sys.path.insert(0, str(ROOT / ".ci"))  # fill.py imports its neighbour readme.py
links, readme, fill = (load(ROOT / ".ci" / f"{name}.py") for name in ("links", "readme", "fill"))
DOCUMENTS = links.documents(ROOT)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

# ------------------------------------------------------------------ links


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_links_lead_to_files_sections_and_names_that_exist(document):
    assert not list(links.check(document))


@pytest.fixture
def small(tmp_path):
    """A document beside a program: the function writes a text into it and tells the reasons why links are wrong."""
    (tmp_path / "code.py").write_text("# once\nclass A:\n    def f(self):\n        x = 1\n        return x\n\n"
                                      "def f():\n    x = 1\n")
    (tmp_path / "other.md").write_text("# A heading, with *signs*\n\n```sh\n# not a heading\n```\n")

    def reasons(text):
        (tmp_path / "page.md").write_text(text)
        return [reason for _, _, reason in links.check(tmp_path / "page.md")]

    return reasons


@pytest.mark.parametrize("text, reason", [
    ("[gone](gone.py)", "no such file"), ("![picture](gone.svg)", "no such file"),
    ("[section](other.md#no-such)", "no such section"), ("[section](#nowhere)", "no such section"),
    ("[`not a heading`](other.md#not-a-heading)", "no such section"), ("[`f`](code.py#L7)", "no such section"),
    ("[`A.g`](code.py)", "`A.g` is not defined"), ("[`once`](code.py)", "`once` is not defined"),
    ("[`x = 1`](code.py)", "2 times"), ("[`A.f`: `x = 2`](code.py)", "0 times")])
def test_a_broken_link_is_seen(small, text, reason):
    (seen,) = small(text)
    assert reason in seen


@pytest.mark.parametrize("text", [
    "[code](code.py)", "[`A.f`](code.py)", "[`A.f`: `return x`](code.py)", "[`class A`](code.py)",
    "[`code.py`](code.py)", "[h](other.md#a-heading-with-signs)", "[far](https://example.org/x#L3)",
    "# Title\n\n[up](#title)", "```\n[gone](gone.py)\n```"])
def test_a_right_link_is_not_complained_of(small, text):
    assert small(text) == []


# ------------------------------------------------------------------ commands and options

CONTEXT = click.Context(main)
COMMANDS = {name: main.get_command(CONTEXT, name) for name in main.list_commands(CONTEXT)}
OWN = {name: {"-h", "--help", *(opt for parameter in command.params  # get_params would settle the names of --help
                                for opt in (*parameter.opts, *parameter.secondary_opts))}
       for name, command in COMMANDS.items()}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
SCRIPTS = {str(path.relative_to(ROOT)): {*OPTION.findall(path.read_text("utf-8")), "--help"}
           for path in [*ROOT.glob("scripts/*.py"), *ROOT.glob(".ci/*.py")]}
SCRIPTS["scripts/bench"] = {*OPTION.findall((ROOT / "scripts" / "bench" / "__main__.py").read_text("utf-8"))}
FOREIGN = {"--editable", "--py-files", "--version"}  # pip's, spark-submit's, and of all commands


def simple_commands(text):
    """The words of each command in the code of a document, those with quoting that goes on left out."""
    code = [block for block in re.findall(r"^ *```(?:sh|text)?\n(.*?)^ *```", text, re.M | re.S)]
    code += re.findall(r"^    (.+)$", re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S), re.M)
    code += re.findall(r"`([^`\n]+)`", text)
    for block in code:
        for line in block.replace("\\\n", " ").split("\n"):
            try:
                lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
                lexer.whitespace_split = True
                words = list(lexer)
            except ValueError:
                continue
            while words:
                end = next((i for i, word in enumerate(words) if set(word) <= set("|&;()")), len(words))
                yield words[:end]
                words = words[end + 1:]


def unknown_options(text):
    """What a document's commands are given that they do not have: (command, option)."""
    for words in simple_commands(text):
        words = words[2:] if words[:2] == ["python", "-m"] else words[words[:1] in (["python"], ["python3"]):]
        words = words[1:] if words[:1] == ["rnntag"] else words
        known = OWN.get(words[0].rsplit("/", 1)[-1], SCRIPTS.get(words[0])) if words else None
        if known is not None:
            yield from ((words[0], option) for word in words for option in OPTION.findall(word.partition("=")[0])
                        if word.startswith("--") and option not in known)


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_options_in_documents_are_options_of_their_commands(document):
    assert not list(unknown_options(document.read_text("utf-8")))


@pytest.mark.parametrize("text, wrong", [
    ("```sh\ntrain-rnn a b --cell gru --colour \\\n    --hue 3 | test-rnn m --seed 1\n```",
     [("train-rnn", "--colour"), ("train-rnn", "--hue"), ("test-rnn", "--seed")]),
    ("    rnntag data x --jobs 2", [("data", "--jobs")]), ("use `grade-pos a b --dev c`", [("grade-pos", "--dev")]),
    ("```sh\npython scripts/compare.py --nonsense 'a --b'\n```", [("scripts/compare.py", "--nonsense")]),
    ("`pip install --nonsense x`", []), ("```sh\ntrain-rnn a b --dev c && echo --done\n```", [])])
def test_an_option_that_a_command_does_not_have_is_found(text, wrong):
    assert list(unknown_options(text)) == wrong


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_options_named_in_prose_exist(document):
    known = set().union(*OWN.values(), *SCRIPTS.values(), FOREIGN)
    prose = re.sub(r"^ *```.*?^ *```|^    .*$", "", document.read_text("utf-8"), flags=re.M | re.S)
    assert set(OPTION.findall(re.sub(r"`pip [^`]*`", "", prose))) <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_commands_named_after_rnntag_exist(document):
    named = {words[1] for words in simple_commands(document.read_text("utf-8"))
             if words[:1] == ["rnntag"] and words[1:] and words[1][0] != "-"}
    assert named <= set(COMMANDS)


def test_every_command_is_in_a_document():
    text = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    assert not [name for name in COMMANDS if not re.search(rf"(rnntag |`|^){name}\b", text, re.M)]


bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


@bash
@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md", "docs/guide.md"])
def test_blocks_that_are_run_are_bash(name):
    script = readme.script(name, (ROOT / name).read_text("utf-8"), everything=True)
    found = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")


@bash
@pytest.mark.parametrize("everything, output", [(False, "old"), (True, "3")])
def test_output_is_written_behind_the_commands_that_give_it(everything, output):
    text = ("```sh\nx=1; echo $x\necho no >&2\n```\n\n```text\n{}\n```\n\n```sh\nx=3\n```\n\nWords.\n\n"
            "<!-- not run in CI: a reason -->\n```sh\necho $x\n```\n```text\n{}\n```\n")
    assert fill.fill(text.format("old", "old"), everything) == text.format("1\nno", output)


@bash
def test_a_command_that_fails_leaves_the_document_alone():
    with pytest.raises(SystemExit, match="line 4: a command ended with 1\ngone"):
        fill.fill("```sh\ntrue\n```\n```sh\necho gone; false\n```\n```text\nold\n```\n", False)


# ------------------------------------------------------------------ messages

FILES = {"good": "a_X b_Y\nb_Y a_X\n", "untagged": "a b_X\n", "spaces": "a_X  b_X\n", "space": "a_X \n",
         "short.conllu": "1\ta\n", "narrow.vertical": "a\tX\nb\n", "latin": b"caf\xe9_X\n", "windows": b"a_X\r\n",
         "empty": "", "bare.jsonl": '{"tokens": ["a"]}\n', "text.tokens": "a b\n", "lexicon": "a\tZ\n",
         "partial": "a_Z b\n", "words": "a b\nb a\n", "answer": "a_X b_Y\n", "longer": "a_X b_Y c_X\nb_Y a_X\n",
         "two": "caf\u00e9_X cafe\u0301_X\n"}
TRAIN = "--preset tutorial --epochs 1 --quiet"
MESSAGES = [  # of the table in docs/guide.md, in its order: what is in it, what gives it
    ("has no tag; wordtag is word_TAG", f"train-rnn untagged new {TRAIN}"),
    ("two spaces in a row", f"train-rnn spaces new {TRAIN}"),
    ("a space at the end of the line", f"train-rnn space new {TRAIN}"),
    ("columns; CoNLL-U has 10", f"train-rnn short.conllu new {TRAIN}"),
    ("has no tag; vertical has one for each word in column", f"train-rnn narrow.vertical new {TRAIN}"),
    ("is not UTF-8", f"train-rnn latin new {TRAIN}"),
    ("Windows line ends (CRLF)", f"train-rnn windows new {TRAIN}"),
    ("no tagged sentences", f"train-rnn empty new {TRAIN} --format wordtag"),
    ("cannot read it: no such file or directory", f"train-rnn gone new {TRAIN}"),
    ("exists already", f"train-rnn good rnn {TRAIN}"),
    ("a sentence without tags", f"train-rnn bare.jsonl new {TRAIN}"),
    ("a model of kind hmm; this command takes rnn", "test-rnn hmm text.tokens"),
    ("no such folder; a model is the folder", "test-rnn gone text.tokens"),
    ("a folder without model.json", "test-rnn folder text.tokens"),
    ("its checksum is not the one in model.json", "test-rnn damaged text.tokens"),
    ("its tags are ignored", "test-rnn rnn good"),
    ("the model does not have it", "test-rnn rnn partial --partial"),
    ("has none of the model's tags in the lexicon", "test-rnn rnn text.tokens --lexicon lexicon"),
    ("Is it cut short, or of another text?", "grade-pos good answer"),
    ("Is a line missing before", "grade-pos good longer"),
    ("Has one of them words instead of tags", "grade-pos good words"),
    ("the loss is no longer finite", "train-rnn good new --preset tutorial --quiet --activation relu "
                                     "--learning-rate 1e6 --clip 0 --epochs 30 --schedule constant"),
    ("it would change nothing", f"train-rnn good new {TRAIN} --window 3"),
    ("words written in more than one Unicode normal form", "check two"),
    ("test sentences that are in the training corpus too", "check good --test good"),
]


def test_the_guide_explains_the_messages_that_are_tried_here():
    text = (ROOT / "docs" / "guide.md").read_text("utf-8").partition("## Troubleshooting")[2]
    assert re.findall(r"^\| `(.+?)` \|", text, re.M) == [message for message, _ in MESSAGES]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("messages")
    for name, content in FILES.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "folder").mkdir()
    for command in (f"train-rnn good rnn {TRAIN}", f"train-rnn good damaged {TRAIN}", "train-hmm good hmm"):
        name, source, model, *options = command.split()
        result = CliRunner().invoke(main, [name, str(folder / source), str(folder / model), *options])
        assert result.exit_code == 0, result.output
    with open(folder / "damaged" / "weights.npz", "ab") as stream:
        stream.write(b"x")
    return folder


@pytest.mark.parametrize("message, command", MESSAGES, ids=[message for message, _ in MESSAGES])
def test_the_guide_s_messages_are_given(message, command, workplace, monkeypatch, tmp_path):
    monkeypatch.chdir(workplace)
    result = CliRunner().invoke(main, command.replace(" new ", f" {tmp_path}/new ").split())
    assert message in result.output


# ------------------------------------------------------------------ the examples of CONTRIBUTING.md


def applied(package):
    """Apply each example to a copy of the package: a new file, and one line of a registry."""
    for block in re.findall(r"^```diff\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M | re.S):
        new, line = re.split(r"^(?=--- a/)", block, flags=re.M)
        path, text = re.fullmatch(r"--- /dev/null\n\+\+\+ b/rnntag/(\S+)\n((?:\+.*\n)+)", new).groups()
        assert not (package / path).exists()
        (package / path).write_text(re.sub(r"^\+", "", text, flags=re.M), "utf-8")
        registry, before, after = re.fullmatch(r"--- a/rnntag/(\S+)\n\+\+\+ .*\n-(.+)\n\+(.+)\n", line).groups()
        source = (package / registry).read_text("utf-8")
        assert source.count(before + "\n") == 1
        (package / registry).write_text(source.replace(before + "\n", after + "\n"), "utf-8")


def test_a_cell_an_output_layer_and_a_format_take_a_file_and_a_line_each(tmp_path):
    shutil.copytree(ROOT / "rnntag", tmp_path / "rnntag", ignore=shutil.ignore_patterns("__pycache__"))
    applied(tmp_path / "rnntag")
    program = """
import numpy as np
from gradcheck import check, normal
from rnntag.nn.leaky import Leaky
from rnntag.nn.packing import pack
from rnntag.nn.recurrent import Recurrent
from rnntag.nn.smoothed import Smoothed
rng = np.random.default_rng(1)
layer, packing = Recurrent("r", Leaky(), 3, 4, 2), pack((3, 2, 1))
arrays, up = normal(rng, x=(6, 3), **layer.shapes()), rng.normal(size=(6, 8))
h, cache = layer.forward(arrays, arrays["x"], packing)
dx, grads = layer.backward(arrays, up, cache)
check(lambda: float((layer.forward(arrays, arrays["x"], packing)[0] * up).sum()), arrays, {**grads, "x": dx})
output, scores, targets = Smoothed("o", 2, 3), rng.normal(size=(6, 3)), rng.integers(0, 3, 6)
_, dscores, _ = output.loss({}, scores, targets, packing)
check(lambda: output.loss({}, scores, targets, packing)[0], {"scores": scores}, {"scores": dscores})
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "test")])}
    train = ROOT / "data" / "sample-train.wordtag"
    small = ["--cell", "leaky", "--output", "smoothed", "--hidden", "8", "--epochs", "2", "-q"]
    for command in (["-c", program], ["-m", "rnntag", "train-rnn", train, "m", *small],
                    ["-m", "rnntag", "convert", train, "sample.slash"],
                    ["-m", "rnntag", "test-rnn", "m", "sample.slash", "-o", "answer.slash"],
                    ["-m", "rnntag", "convert", "sample.slash", "again.wordtag"]):
        result = subprocess.run([sys.executable, *map(str, command)], cwd=tmp_path, env=environment,
                                capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "again.wordtag").read_bytes() == train.read_bytes()
    assert (tmp_path / "sample.slash").read_text("utf-8").startswith("That/DT ")


# ------------------------------------------------------------------ the example in Python


def test_the_python_example_passes_a_strict_type_check(tmp_path):
    pytest.importorskip("mypy")
    text = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
    (example,) = re.findall(r"^## Python\n\n```python\n(.*?)^```", text, re.M | re.S)
    (tmp_path / "example.py").write_text(example)
    check = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir",
                            tmp_path / "cache", "example.py"], cwd=tmp_path, capture_output=True, text=True,
                           env={**os.environ, "MYPYPATH": str(ROOT)}, timeout=300)
    assert check.returncode == 0, check.stdout
