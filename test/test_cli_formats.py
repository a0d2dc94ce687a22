"""The commands on every format: train, tag, convert, pass over, probabilities."""

import json
import os
import re
from pathlib import Path

import pytest
from invoking import invoke

from rnntag import api
from rnntag.cli.convert import main as CONVERT
from rnntag.cli.test_hmm import main as TEST_HMM
from rnntag.cli.test_rnn import main as TEST_RNN
from rnntag.cli.train_hmm import main as TRAIN_HMM
from rnntag.cli.train_rnn import main as TRAIN_RNN
from rnntag.storage import modelfile

WORDTAG = "the_DT dog_NN barks_VB\n\na_DT cat_NN\n" * 4
TINY = ["--epochs", "3", "--hidden", "4", "--embedding", "4", "-q"]


def conllu(text, column=3):
    """wordtag text as CoNLL-U, with things around the words that have to survive."""
    blocks = []
    for line in text.splitlines():
        rows = ["# text = x", "1-2\tab" + "\t_" * 8] if line else []
        for i, item in enumerate(line.split(" ") if line else [], 1):
            cells = [str(i), item.split("_")[0], *"________"]
            cells[column] = item.split("_")[1]
            rows.append("\t".join(cells))
        blocks.append("".join(f"{row}\n" for row in rows) + "\n")
    return "".join(blocks)


CORPORA = {"wordtag": WORDTAG, "conllu": conllu(WORDTAG),
           "vertical": WORDTAG.replace("\n", "\n\n").replace(" ", "\n").replace("\n\n\n", "\n\n").replace("_", "\t"),
           "jsonl": "".join(json.dumps({"tokens": [i.split("_")[0] for i in line.split()],
                                        "tags": [i.split("_")[1] for i in line.split()]}) + "\n"
                            for line in WORDTAG.splitlines())}


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in CORPORA.items():
        Path(f"c.{name}").write_text(text)


@pytest.fixture
def rnn(tmp_path):
    tagger = api.train("c.wordtag", epochs=30, learning_rate=0.01, hidden=8, embedding=8, output="crf")
    api.save(tagger, "rnn")
    return "rnn"


@pytest.fixture
def hmm():
    invoke(TRAIN_HMM, "c.wordtag", "hmm", "-q")
    return "hmm"


# ------------------------------------------------------------------ train


@pytest.mark.parametrize("format", CORPORA)
@pytest.mark.parametrize("named", [True, False])
def test_training_on_every_format_gives_the_same_weights(format, named):
    os.rename(f"c.{format}", "corpus" if not named else f"c.{format}")
    name = f"c.{format}" if named else "corpus"
    invoke(TRAIN_RNN, name, "m", "--dev", name, *TINY)
    Path("other").write_text(WORDTAG)
    invoke(TRAIN_RNN, "other", "n", "--dev", "other", *TINY)
    invoke(TRAIN_HMM, name, "h", "-q")
    assert Path("m/weights.npz").read_bytes() == Path("n/weights.npz").read_bytes()
    name = "upos" if format == "conllu" else ""  # the one difference: what the column is called
    assert Path("m/ids.json").read_text() == Path("n/ids.json").read_text().replace('"": [', f'"{name}": [')


def test_the_field_of_training_is_the_field_of_tagging():
    Path("x.conllu").write_text(conllu(WORDTAG, column=4))
    invoke(TRAIN_HMM, "x.conllu", "m", "--field", "xpos", "-q")
    assert modelfile.read_manifest("m")["info"]["field"] == "xpos"
    bare = conllu(WORDTAG).replace("DT", "_").replace("NN", "_").replace("VB", "_")
    out, _ = invoke(TEST_HMM, "m", input=bare)
    assert out == conllu(WORDTAG, column=4)
    assert invoke(TEST_HMM, "m", "--field", "upos", input=bare)[0] == conllu(WORDTAG)
    Path("m/model.json").write_text(Path("m/model.json").read_text().replace('"xpos"', '"../x"'))
    _, err = invoke(TEST_HMM, "m", input=bare, status=1)
    assert "m/model.json: --field is '../x'; it is one of upos, xpos, feats" in err


def test_another_column_of_vertical():
    Path("v").write_text("the\tx\tDT\ndog\ty\tNN\n\n")
    invoke(TRAIN_HMM, "v", "m", "--column", "3", "-q")
    assert invoke(TEST_HMM, "m", "v", "--column", "3")[0] == "the\tx\tDT\ndog\ty\tNN\n\n"
    assert invoke(TEST_HMM, "m", "v")[0] == "the\tDT\tDT\ndog\tNN\tNN\n\n"


def test_sentences_that_cannot_be_read_are_passed_over_when_training():
    Path("dirty").write_bytes(b"x\n\xff_Y\n" + WORDTAG.encode() + b"a__ \n")
    assert "dirty:1: token 1" in invoke(TRAIN_HMM, "dirty", "m", "--format", "wordtag", status=1)[1]
    _, err = invoke(TRAIN_HMM, "dirty", "m", "--format", "wordtag", "--on-error", "skip", "-q")
    lines = err.splitlines()
    assert lines[0] == "Warning: 3 sentences skipped that could not be read:"
    assert lines[1].startswith("  dirty:1: ") and lines[2].startswith("  dirty:2: byte 0xff") and len(lines) == 4
    invoke(TRAIN_HMM, "c.wordtag", "n", "-q")
    assert Path("m/weights.npz").read_bytes() == Path("n/weights.npz").read_bytes()


def test_tags_are_mapped_before_learning():
    Path("map").write_text("DT\tD\nNN\tN\n")
    Path("mapped").write_text(WORDTAG.replace("DT", "D").replace("NN", "N"))
    for command in (TRAIN_HMM, TRAIN_RNN):
        more = TINY if command is TRAIN_RNN else ["-q"]
        invoke(command, "c.conllu", "m", "--tag-map", "map", "--force", *more)
        invoke(command, "mapped", "n", "--force", *more)
        assert Path("m/weights.npz").read_bytes() == Path("n/weights.npz").read_bytes()
        assert modelfile.load("m").tags == modelfile.load("n").tags
        assert modelfile.read_manifest("m")["info"]["tag_map"] == {"DT": "D", "NN": "N"}


# ------------------------------------------------------------------ tag


@pytest.mark.parametrize("format", CORPORA)
@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_the_answer_has_the_shape_of_its_input(format, stream, hmm):
    assert invoke(TEST_HMM, hmm, f"c.{format}", *stream)[0] == CORPORA[format]
    assert invoke(TEST_HMM, hmm, *stream, input=CORPORA[format])[0] == CORPORA[format]


@pytest.mark.parametrize("format", CORPORA)
@pytest.mark.parametrize("output", ["tags", *CORPORA])
def test_every_input_gives_every_output(format, output, rnn):
    out, _ = invoke(TEST_RNN, rnn, f"c.{format}", "--output-format", output)
    expected = "DT NN VB\n\nDT NN\n" * 4 if output == "tags" else CORPORA[output]
    if output == "conllu" and format != "conllu":
        expected = "".join(line + "\n" for line in expected.splitlines() if line[:1] != "#" and line[:2] != "1-")
    assert out == expected


@pytest.mark.parametrize("bad, text, blank", [
    (b"a  b\n", b"a cat\n", "\n"), (b"\xff\n", b"a cat\n", "\n"),
    (b"1\tx\n\n", conllu("a_X cat_Y\n").encode(), "\n"), (b"\tx\n\n", b"a\ncat\tX\n\n", "\n"),
    (b"{}\n", b'{"tokens": ["a", "cat"]}\n', '{"tokens": [], "tags": []}\n')])
def test_a_sentence_passed_over_is_answered_by_a_blank_one(bad, text, blank, hmm):
    format = {b"a": "tokens", b"\xff": "tokens", b"1": "conllu", b"\t": "vertical", b"{": "jsonl"}[bad[:1]]
    one, _ = invoke(TEST_HMM, hmm, "--format", format, input=text)
    out, err = invoke(TEST_HMM, hmm, "--format", format, "--on-error", "skip", input=bad + text + bad + text)
    assert out == (blank + one) * 2 and err.startswith("Warning: 2 sentences skipped")


def test_ewt_comes_back_as_it_was_but_for_the_tags(corpora, tmp_path):
    dev = corpora / "ewt" / "dev.conllu"
    if not dev.exists():
        pytest.skip("no ewt/dev.conllu")
    invoke(TRAIN_HMM, dev, "m", "-q")
    invoke(TEST_HMM, "m", dev, "-o", "out.conllu")
    changed = 0
    for one, two in zip(dev.read_bytes().split(b"\n"), Path("out.conllu").read_bytes().split(b"\n"), strict=True):
        if one != two:
            before, after = one.split(b"\t"), two.split(b"\t")
            assert before[:3] + before[4:] == after[:3] + after[4:] and before[0].isdigit()
            changed += 1
    assert 0 < changed < 1500


# ------------------------------------------------------------------ probabilities


def test_probabilities_come_as_jsonl_with_the_same_tags(rnn):
    out, _ = invoke(TEST_RNN, rnn, "--probabilities", input="the cat\n\nq\n")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["tokens"] for record in records] == [["the", "cat"], [], ["q"]]
    tags, _ = invoke(TEST_RNN, rnn, input="the cat\n\nq\n")
    assert [" ".join(record["tags"]) for record in records] == tags.splitlines()
    assert all(0 < p <= 1 for record in records for p in record["probabilities"])
    assert all("n_best" not in record for record in records)
    streamed, _ = invoke(TEST_RNN, rnn, "--probabilities", "--stream", input="the cat\n\nq\n")
    assert [json.loads(line)["tags"] for line in streamed.splitlines()] == [r["tags"] for r in records]


def test_the_best_tags_are_listed(rnn):
    record = json.loads(invoke(TEST_RNN, rnn, "--n-best", "3", input="the cat\n")[0])
    for tag, p, best in zip(record["tags"], record["probabilities"], record["n_best"], strict=True):
        assert best[0] == [tag, p] and len(best) == 3
        assert best[1][1] >= best[2][1] and sum(p for _, p in best) == pytest.approx(1, abs=1e-5)
    record = json.loads(invoke(TEST_RNN, rnn, "--n-best", "9", input="the cat\n")[0])
    assert [len(best) for best in record["n_best"]] == [3, 3]


def test_vertical_has_probabilities_as_columns(rnn):
    out, _ = invoke(TEST_RNN, rnn, "--n-best", "2", "--format", "vertical", input="the\n\n")
    word, tag, p, second, q = out[:-2].split("\t")
    assert (word, tag) == ("the", "DT") and float(p) > float(q) and second in ("NN", "VB")


@pytest.mark.parametrize("format", ["jsonl", "vertical"])
@pytest.mark.parametrize("options", [[], ["--probabilities"], ["--partial"], ["--partial", "--probabilities"]])
def test_tagging_again_leaves_no_old_confidence(format, options, rnn):
    Path("text").write_text("the cat\n\nq barks\n")
    invoke(TEST_RNN, rnn, "text", "--format", "tokens", "--n-best", "2", "--output-format", format, "-o", "sure")
    old = Path("sure").read_text().replace('"DT"', "null", 1).replace("\tDT\t", "\t\t", 1)
    Path("sure").write_text(re.sub(r"0\.\d+|1\.0+", "0.123456", old))
    arguments = [rnn, "sure", "--format", format, *options, "-o"]
    invoke(TEST_RNN, *arguments, "again")
    invoke(CONVERT, "sure", "plain", "--from", format, "--to", "tokens")
    if "--partial" not in options:
        invoke(TEST_RNN, rnn, "plain", "--format", "tokens", "--output-format", format, *options, "-o", "anew")
        assert Path("again").read_text() == Path("anew").read_text()
    assert "0.123456" not in Path("again").read_text()


def test_converting_keeps_probabilities_where_they_have_a_place(rnn):
    invoke(TEST_RNN, rnn, "--n-best", "2", "-o", "a.jsonl", input="the cat\nq barks\n")
    invoke(CONVERT, "a.jsonl", "b.vertical")
    invoke(CONVERT, "b.vertical", "c.jsonl", "--force")
    assert Path("b.vertical").read_text().count("\t") == 4 * 4
    assert Path("c.jsonl").read_text() == Path("a.jsonl").read_text()


def test_probabilities_have_no_place_in_other_formats(rnn):
    _, err = invoke(TEST_RNN, rnn, "--probabilities", "--output-format", "conllu", input="a\n", status=2)
    assert "probabilities are written as jsonl or vertical" in err


# ------------------------------------------------------------------ convert


@pytest.mark.parametrize("source", CORPORA)
@pytest.mark.parametrize("target", CORPORA)
def test_converting_there(source, target):
    invoke(CONVERT, f"c.{source}", f"out.{target}")
    text = Path(f"out.{target}").read_text()
    if target == "conllu" and source != target:
        text = text.replace("1\t", "# text = x\n1-2\tab" + "\t_" * 8 + "\n1\t")
    assert text == CORPORA[target]


def test_converting_through_pipes_needs_the_format_of_the_output():
    assert "Say which with --to" in invoke(CONVERT, "c.wordtag", "-", status=2)[1]
    assert invoke(CONVERT, "-", "-", "--to", "tags", input="a_X b_Y\n")[0] == "X Y\n"
    assert invoke(CONVERT, "-", "-", "--from", "tokens", "--to", "vertical", input="a_X b\n")[0] == "a_X\nb\n\n"


def test_converting_does_not_overwrite_and_says_what_is_wrong():
    assert "exists already" in invoke(CONVERT, "c.wordtag", "c.conllu", status=1)[1]
    invoke(CONVERT, "c.wordtag", "c.conllu", "--force")
    Path("a.tokens").write_text("a b\n")
    assert "a.tokens:1: a sentence without tags; wordtag needs them" in invoke(
        CONVERT, "a.tokens", "b.wordtag", status=1)[1]
    assert not Path("b.wordtag").exists()
    Path("a.tags").write_text("X Y\n")
    Path("a.conllu").write_text("1\ta\t_\t_\tX" + "\t_" * 5 + "\n\n")
    for arguments, message in ((("a.tags", "b.vertical"), "a.tags:1: a sentence without words cannot be written"),
                               (("a.conllu", "b.wordtag"), "needs them. Its words have xpos: try --field xpos.")):
        assert message in invoke(CONVERT, *arguments, status=1)[1]


def test_converting_passes_over_what_cannot_be_read():
    Path("a").write_bytes(b"a_X\nb\nc_Z\n")
    out, err = invoke(CONVERT, "a", "-", "--from", "wordtag", "--to", "tokens", "--on-error", "skip")
    assert out == "a\n\nc\n" and err.startswith("Warning: 1 sentence skipped that could not be read:\n  a:2: token 1")
