"""Raw text in one step: test-rnn --raw and --segmenter, train-rnn --segmenter, tagger.read."""

import json

import pytest
from invoking import TINY, failure, files, invoke
from test_segmented import CONLLU

import rnntag
from rnntag.cli.test_rnn import main as TEST
from rnntag.cli.train_rnn import main as TRAIN
from rnntag.cli.train_segmenter import main as TRAIN_SEGMENTER
from rnntag.errors import ModelError

LEARNING = ("--hidden", "8", "--embedding", "8", "--epochs", "20", "--learning-rate", "0.02", "-q")
TAGS = {"Do": "AUX", "n't": "PART", "go": "VERB", ".": "PUNCT", "Go": "VERB", "!": "PUNCT", "Yes": "INTJ"}
TEXT = "Don't go. Go!\n\nYes\n"


def tagged(text):
    """CoNLL-U with these tags, and the words as lemmas."""
    rows = []
    for line in text.split("\n"):
        cells = line.split("\t")
        if cells[0].isdigit():
            cells[2:4] = [cells[1], TAGS[cells[1]]]
        rows.append("\t".join(cells))
    return "\n".join(rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    (folder / "c.conllu").write_text(tagged(CONLLU) * 30)
    (folder / "t.txt").write_text(TEXT)
    invoke(TRAIN_SEGMENTER, folder / "c.conllu", folder / "s", *LEARNING)
    invoke(TRAIN, folder / "c.conllu", folder / "m", *TINY, "-q")
    return folder


@pytest.fixture(autouse=True)
def there(place, monkeypatch):
    monkeypatch.chdir(place)


def words(conllu):
    return [line.split("\t")[1] for line in conllu.split("\n") if line.split("\t")[0].isdigit()]


def test_raw_text_is_answered_in_conllu_with_its_tags():
    out, _ = invoke(TEST, "m", "t.txt", "--segmenter", "s")
    assert out.startswith("# newdoc\n# newpar\n# sent_id = 1\n# text = Don't go.\n1-2\tDon't\t_\t_\t")
    assert words(out) == ["Do", "n't", "go", ".", "Go", "!", "Yes"]
    assert all(line.split("\t")[3] in TAGS.values() for line in out.split("\n") if line.split("\t")[0].isdigit())


def test_other_formats_have_the_same_words():
    out, _ = invoke(TEST, "m", "t.txt", "--segmenter", "s", "--output-format", "wordtag")
    assert [item.rsplit("_", 1)[0] for line in out.splitlines() for item in line.split(" ")] == [
        "Do", "n't", "go", ".", "Go", "!", "Yes"]
    out, _ = invoke(TEST, "m", "t.txt", "--segmenter", "s", "--n-best", "2", "--offsets")
    first = json.loads(out.splitlines()[0])
    assert first["offsets"] == [[0, 5], [0, 5], [6, 8], [8, 9]] and len(first["n_best"]["tags"][0] if isinstance(
        first["n_best"], dict) else first["n_best"][0]) == 2


def test_several_processes_and_files_give_the_same():
    alone, _ = invoke(TEST, "m", "t.txt", "--segmenter", "s")
    assert invoke(TEST, "m", "t.txt", "--segmenter", "s", "--jobs", "2")[0] == alone
    invoke(TEST, "m", "t.txt", "--segmenter", "s", "--output-dir", "out")
    with open("out/t.conllu", encoding="utf-8") as stream:
        assert stream.read() == alone


def test_lines_of_raw_text_may_be_sentences():
    out, _ = invoke(TEST, "m", "--segmenter", "s", "--lines", "--output-format", "tags", input="Go! Go!\nYes\n")
    assert len(out.splitlines()) == 2
    out, _ = invoke(TEST, "m", "--segmenter", "s", "--presegmented", "--stream", input="Go!\nDon't go\n")
    assert words(out) == ["Go!", "Do", "n't", "go"]


@pytest.mark.parametrize("options, message, status", [
    (("--raw",), "a model without a segmenter", 1), (("--lines",), "given without --raw or --segmenter", 2),
    (("--segmenter", "s", "--format", "tokens"), "given with raw text", 2),
    (("--segmenter", "s", "--partial"), "given with raw text", 2), (("--segmenter", "m"), "kind rnn", 1),
    (("--segmenter", "s", "--lines", "--presegmented"), "given together", 2),
    (("--segmenter", "s", "--offsets", "--output-format", "tags"), "there is no place for them", 2)])
def test_what_does_not_fit_is_refused(options, message, status):
    assert message in failure(TEST, "m", "t.txt", *options, status=status)


def test_programs_read_raw_text():
    tagger, segmenter = rnntag.load("m"), rnntag.load("s")
    with pytest.raises(ModelError, match="without a segmenter"):
        next(tagger.read(TEXT))
    first, *_ = sentences = list(tagger.read(TEXT, segmenter, best=2))
    assert [sentence.text for sentence in sentences] == ["Don't go.", "Go!", "Yes"]
    assert (first.tokens, first.offsets, first.words) == (
        ["Don't", "go", "."], [(0, 5), (6, 8), (8, 9)], ["Do", "n't", "go", "."])
    assert len(first.tags) == 4 and len(first.first.best[0]) == 2
    tagger.parts["segmenter"] = segmenter
    assert [sentence.tags for sentence in tagger.read(TEXT)] == [sentence.tags for sentence in sentences]


def test_a_tagger_keeps_its_segmenter_as_a_part(tmp_path):
    tagger = rnntag.load("m")
    tagger.parts["segmenter"] = rnntag.load("s")
    rnntag.save(tagger, tmp_path / "both")
    whole, _ = invoke(TEST, tmp_path / "both", "t.txt", "--raw")
    assert whole == invoke(TEST, "m", "t.txt", "--segmenter", "s")[0]


def test_train_rnn_trains_both_into_one_folder(tmp_path):
    _, err = invoke(TRAIN, "c.conllu", tmp_path / "both", *TINY, "--segmenter")
    assert "Training the segmenter" in err
    both = rnntag.load(tmp_path / "both")
    assert both.parts["segmenter"].options.epochs == 10
    out, _ = invoke(TEST, tmp_path / "both", "t.txt", "--raw")
    assert "".join(words(out)) == "Don'tgo.Go!Yes"
    invoke(TRAIN, "c.conllu", tmp_path / "again", *TINY, "--segmenter", "-q")
    assert files(tmp_path / "again") == files(tmp_path / "both")


def test_a_corpus_without_text_trains_no_segmenter(tmp_path):
    (tmp_path / "c.wordtag").write_text("a_X b_Y\n")
    assert failure(TRAIN, tmp_path / "c.wordtag", tmp_path / "m", "--segmenter", "-q").startswith(
        f"--segmenter: {tmp_path / 'c.wordtag'}: it looks like wordtag; conllu or tokens is wanted here. Change it")
    assert "TRAIN is read twice" in failure(TRAIN, "-", tmp_path / "m", "--segmenter", "-q", "--format", "conllu",
                                            input=tagged(CONLLU), status=2)
    assert not (tmp_path / "m").exists()
