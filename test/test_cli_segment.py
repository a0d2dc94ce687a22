"""``rnntag train-segmenter`` and ``rnntag segment``."""

import json

import pytest
from invoking import failure, files, invoke, manifest
from test_segmented import CONLLU

from rnntag.cli.segment import main as SEGMENT
from rnntag.cli.train_segmenter import main as TRAIN
from rnntag.storage import modelfile

TINY = ("--hidden", "8", "--embedding", "8", "--epochs", "20", "--learning-rate", "0.02", "-q")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segment")
    (folder / "c.conllu").write_text(CONLLU * 30)
    invoke(TRAIN, folder / "c.conllu", folder / "m", *TINY)
    return folder


@pytest.fixture(autouse=True)
def there(place, monkeypatch):
    monkeypatch.chdir(place)


def segment(text, *options, **kwargs):
    return invoke(SEGMENT, "m", *options, input=text, **kwargs)[0]


def test_the_model_says_what_it_was_trained_on():
    assert manifest()["kind"] == "segmenter"
    assert manifest()["info"]["train"].items() >= {"name": "c.conllu", "sentences": 90, "tokens": 180}.items()


def test_the_same_command_gives_the_same_bytes_and_resumes(tmp_path):
    invoke(TRAIN, "c.conllu", tmp_path / "again", *TINY)
    assert files(tmp_path / "again") == files("m")
    invoke(TRAIN, "c.conllu", tmp_path / "again", *TINY, "--resume")


def test_conllu_is_the_default_and_has_the_text():
    text = segment("Don't go. Go!\n\nYes\n")
    assert text.startswith("# newdoc\n# newpar\n# sent_id = 1\n# text = ")
    assert "1-2\tDon't\t" in text and text.endswith("\tSpacesAfter=\\n\n\n")


def test_tokens_are_words_between_spaces():
    assert segment("Don't go.\nYes\n", "--output-format", "tokens", "--lines").split("\n")[1:] == ["Yes", ""]
    assert segment("Don't go .\nYes !\n", "--presegmented", "--output-format", "tokens") == "Do n't go .\nYes !\n"


def test_offsets_are_characters_of_the_text():
    text = "\n\u00e9\U0001f600 Don't\n"
    (line,) = segment(text, "--presegmented", "--output-format", "jsonl", "--offsets").splitlines()
    values = json.loads(line)
    assert values["tokens"] == ["\u00e9\U0001f600", "Do", "n't"] and values["offsets"] == [[1, 3], [4, 9], [4, 9]]
    assert "TokenRange=4:9" in segment(text, "--presegmented", "--offsets")


def test_output_goes_into_a_file_that_is_not_overwritten(tmp_path):
    segment("Go!\n", "-o", tmp_path / "out")
    assert "exists already" in failure(SEGMENT, "m", "-o", tmp_path / "out", input="Go!")


def test_no_text_gives_no_sentences():
    assert segment("") == segment("\n \n") == ""


def test_text_that_is_not_utf8_is_an_error_with_its_place(tmp_path):
    (tmp_path / "t").write_bytes(b"Go!\n\xff")
    assert failure(SEGMENT, "m", tmp_path / "t", "-o", tmp_path / "out").startswith(f"{tmp_path}/t:2: byte 0xff")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options, message", [
    (("--offsets", "--output-format", "tokens"), "there is no place for them"),
    (("--lines", "--presegmented"), "given together")])
def test_options_that_do_not_fit_are_misuse(options, message):
    assert message in failure(SEGMENT, "m", *options, input="", status=2)


@pytest.mark.parametrize("options, message", [
    (("--patience", "3"), "without a dev set"), (("--keep", "last"), "without a dev set"),
    (("--dev", "c.conllu", "--dev-fraction", "0.1"), "given together"), (("--hidden", "0"), "at least 1")])
def test_options_of_training_that_do_not_fit_are_misuse(options, message, tmp_path):
    assert message in failure(TRAIN, "c.conllu", tmp_path / "m", *options, "-q", status=2)


def test_a_dev_set_scores_each_epoch(tmp_path):
    _, err = invoke(TRAIN, "c.conllu", tmp_path / "m", *TINY[:-1], "--dev-fraction", "0.2")
    assert "dev " in err and manifest(tmp_path / "m")["info"]["dev"]["f1"] > 0
    invoke(TRAIN, "c.conllu", tmp_path / "n", *TINY, "--dev", "c.conllu", "--keep", "last")
    assert modelfile.load(tmp_path / "n").info["dev"]["kept"] == "last"


def test_another_kind_of_model_is_refused_with_the_command_for_it():
    from rnntag.cli.test_rnn import main as TEST
    assert "kind segmenter" in (message := failure(TEST, "m", input="")) and "Use rnntag segment" in message
