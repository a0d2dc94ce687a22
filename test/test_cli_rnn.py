"""train-rnn and test-rnn from end to end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from invoking import TINY, failure, files, invoke, manifest, train
from samples import TEXT, cue_task, written

from rnntag.cli.test_rnn import main as TAG
from rnntag.cli.train_rnn import main as TRAIN
from rnntag.storage.modelfile import load, save

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals or permissions")
DIVERGE = ("--cell", "elman", "--activation", "relu", "--optimizer", "sgd", "--clip", "0", "--schedule", "constant",
           "--epochs", "60", "--dropout", "0", "-q")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train").write_bytes(TEXT)


def log(model="m"):
    return [json.loads(line) for line in Path(model, "log.jsonl").read_text().splitlines()]


# ------------------------------------------------------------------ training


def test_a_model_is_trained_and_tags():
    out, err = invoke(TRAIN, "train", "m", "--epochs", "8")
    assert out == "" and "9 sentences, 39 tokens, 4 tags" in err and err.count("\nepoch") == 8
    assert err.endswith("Model written to m\n")
    assert invoke(TAG, "m", input="the dog runs .\n\na dog\n") == ("DT NN VB .\n\nDT NN\n", "")
    assert sorted(os.listdir()) == ["m", "train"] and len(log()) == 8
    about = manifest()["info"]["train"]
    assert (about["name"], about["sentences"], about["tokens"]) == ("train", 9, 39) and len(about["sha256"]) == 64


def test_a_token_of_accents_alone_is_learnt_and_tagged():
    Path("accents").write_text("a_X \u0301_Y\nb_X c_Y\n", "utf-8")
    invoke(TRAIN, "accents", "m", "--epochs", "20", "-q")
    assert invoke(TAG, "m", input="a \u0301\n") == ("X Y\n", "")


def test_a_model_that_could_not_be_loaded_is_refused_before_it_is_trained():
    Path("map").write_text("".join(f"{'x' * 100}{number}\tNN\n" for number in range(10_000)))
    assert "a manifest of 1," in failure(TRAIN, "train", "m", "--tag-map", "map", "-q")
    assert sorted(os.listdir()) == ["map", "train"]


@pytest.mark.parametrize("options", [(), ("--probabilities",), ("--lexicon", "words"), ("--jobs", "2")], ids=str)
def test_a_model_whose_scores_overflow_is_named(options):
    train("train", "m")
    tagger = load("m")
    tagger.params["output.b_o"][...] = 3e38
    save("big", tagger)
    Path("words").write_text("dog\tNN\n")
    assert failure(TAG, "big", *options, input="the dog\n").startswith("big: weights so large that scores overflow; ")


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
    Path("odd").write_bytes(b"the_XX\n")  # no epoch is better than the first
    for keep in ("best", "last"):
        train("train", keep, "--dev", "odd", "--keep", keep)
        assert manifest(keep)["info"]["dev"]["kept"] == keep and not log(keep)[-1]["best"]
    assert files("best")["weights.npz"] != files("last")["weights.npz"]


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


@pytest.mark.parametrize("arguments, message", [
    (["--keep", "best"], "--keep: best without a dev set"), (["--keep", "last"], "--keep: last without a dev set"),
    (["--patience", 3], "--patience: 3 without a dev set"), (["--window", 3], "--window: 3 without --encoder cnn"),
    (["--vector-dropout", 0.5], "--vector-dropout: 0.5 without vectors"),
    *((["--preset", "fast", *other, "--sure", 0.5],
       "--sure: 0.5 without --encoder cnn, --layers 1 and several --members")
      for other in (["--members", 1], ["--layers", 2], ["--encoder", "rnn"]))])
def test_what_would_change_nothing_is_refused(arguments, message):
    assert failure(TRAIN, "train", "m", *arguments, status=2).startswith(f"{message}; it would change nothing.")


@pytest.mark.parametrize("arguments, place", [
    (["--hidden", 10, "--hidden", 20], "--hidden"), (["--seed=1", "--seed=1"], "--seed"),
    (["--bidirectional", "--one-direction"], "--bidirectional/--one-direction")])
def test_an_option_of_one_value_is_given_once(arguments, place):
    assert failure(TRAIN, "train", "m", *arguments, status=2).startswith(f"{place}: given twice; it has one value.")
    assert not Path("m").exists()


def test_options_of_several_values_and_flags_can_be_given_twice():
    train("train", "m", "--dense", 3, "--dense", 2, "-q")
    assert manifest()["options"]["dense"] == ["3", "2"]


def test_tags_only_in_the_dev_set_are_counted():
    Path("dev").write_bytes(b"the_DT dog_NOUN runs_VERB cats_NOUN\n")
    _, err = invoke(TRAIN, "train", "m", *TINY, "--dev", "dev")
    assert "Warning: the training corpus lacks the tags of 3 dev tokens (NOUN, VERB); they count as errors" in err
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
        Path(name).write_bytes(written(cue_task(count, seed, 1)))
    invoke(TRAIN, "cues", "m", "--cell", cell, direction, "--embedding", 8, "--hidden", 8, "--epochs", 25,
           "--dropout", 0, "--features", "form", "--batch-size", 4, "--learning-rate", 0.02, "--word-dropout", 0,
           "--embedding-rate", 1, "-q")
    text = Path("test").read_text()
    assert invoke(TAG, "m", "test", "--output-format", "wordtag", "--format", "wordtag")[0] == text


# ------------------------------------------------------------------ what does not fit


@pytest.mark.parametrize("arguments, message", [
    (["--hidden", "0"], "--hidden: 0; it is at least 1 and at most 4096"),
    (["--hidden", "5000"], "--hidden: 5000; it is at least 1 and at most 4096"),
    (["--hidden", "x"], "Invalid value for '--hidden'"), (["--epochs", "-1"], "--epochs: -1; it is"),
    (["--learning-rate", "-1"], "--learning-rate: -1.0; it is at"), (["--clip", "-1"], "--clip: -1.0; it is at"),
    (["--learning-rate", "nan"], "--learning-rate: nan; it is at"), (["--dropout", "1"], "--dropout: 1.0; it is"),
    (["--bptt", "3", "--encoder", "cnn"], "--bptt: 3 with --encoder cnn; a convolution has no time"),
    (["--window", "4", "--encoder", "cnn"], "--window: 4; the window is odd"),
    (["--dense", "0"], "--dense: 0:tanh; a dense layer is 1 to 4096"), (["--dense", "x"], "--dense: 'x'; it is N"),
    (["--dense", "4:cos"], "--dense: 4:cos; a dense layer is"), (["--cell", "rnn"], "Invalid value for '--cell'"),
    (["--features", "shoe"], "--features: 'shoe'; it is some of"),
    (["--features", ""], "--features: no features, no --char-rnn and no"), (["--seed", "-1"], "--seed: -1; it is"),
    (["--dev-fraction", "1"], "Invalid value for '--dev-fraction'"), (["--nonsense"], "No such option"),
    (["--separator", ""], "--separator: ''; it is"), (["--window", "3"], "--window: 3 without --encoder cnn"),
    (["--embedding", "0", "--encoder", "cnn"], "--embedding: 0 with --encoder cnn")])
def test_nonsense_is_misuse_and_the_message_says_what_fits(arguments, message):
    assert message in failure(TRAIN, "train", "m", *arguments, status=2)
    assert os.listdir() == ["train"]


def test_standard_input_is_asked_for_once():
    for more in (["--dev", "-"], ["--vectors", "-"], ["--raw-text", "-"]):
        assert "asked for twice" in failure(TRAIN, "-", "m", *more, input=b"a_X\n", status=2)
    train("train", "m")
    for source in ([], ["-"]):
        assert "asked for twice" in failure(TAG, "m", *source, "--lexicon", "-", input=b"a\n", status=2)


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
