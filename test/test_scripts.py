"""The scripts for measuring: they run, the adapters tag, and the yardstick is what it claims to be."""

import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import ENVIRONMENT, ROOT

from rnntag.corpus import Sentence, read_tagged
from rnntag.models.hmm import HMMTagger
from rnntag.storage.modelfile import save
from rnntag.models.options import preset
from rnntag.models.tagger import RNNTagger
from rnntag.training.tagging import TaggingTask
from rnntag.training.trainer import Trainer

sys.path.insert(0, str(ROOT / "scripts"))

import measure  # noqa: E402
import peers  # noqa: E402
from peers.pytorch import CHANGES  # noqa: E402
import speed  # noqa: E402

STILL = {"epochs": 1, "dropout": 0.0, "word_dropout": 0.0, "average": 0.0}  # nothing random
SAMPLE = read_tagged(ROOT / "data" / "sample-train.wordtag", "wordtag")
FEW = SAMPLE[:100]


def script(name, *arguments):
    """Run a script on the sample; what it wrote on standard output and standard error."""
    ran = subprocess.run([sys.executable, str(ROOT / "scripts" / f"{name}.py"), *map(str, arguments)],
                         capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout, ran.stderr


@pytest.fixture
def small(tmp_path):
    """Options for a training and a test corpus of a few sentences."""
    path = tmp_path / "small.wordtag"
    lines = (" ".join(f"{w}_{t}" for w, t in zip(s.words, s.tags)) + "\n" for s in SAMPLE[:40])
    path.write_text("".join(lines), "utf-8")
    return ["--train", path, "--test", path]


# ------------------------------------------------------------------ compare.py


def test_compare_prints_a_row_for_each_tagger_and_a_table_for_each_corpus(small):
    out, _ = script("compare", *small, *small, "--seeds", 2, "--run", "tutorial --epochs 1 --hidden 5")
    header, _, names, hmm, rnn, _, second, *_ = out.splitlines()
    assert header == second == "small.wordtag: 40 sentences, {0} tokens;  small.wordtag: 40 sentences, {0} tokens" \
        .format(sum(map(len, SAMPLE[:40])))
    assert [cell.strip() for cell in names.split("|")] == [
        "tagger", "accuracy %", "sd", "known %", "unknown %", "training CPU s", "tokens/CPU s"]
    assert hmm.startswith("HMM ") and rnn.startswith("RNN tutorial --epochs 1 --hidden 5 ")
    assert 90 < float(hmm.split("|")[1]) <= 100 and rnn.split("|")[2].strip()
    assert hmm.split("|")[4].strip() == "-"  # no unknown words


def test_what_compare_measured_can_be_drawn(small, tmp_path):
    results, figure = tmp_path / "results.json", tmp_path / "plane.svg"
    results.write_text("what was there before")
    out, _ = script("compare", *small, "--seeds", 2, "--run", "tutorial --epochs 1 --hidden 5", "-o", results,
                    "--force")
    hmm, rnn = json.loads(results.read_text("utf-8"))["rows"]
    assert len(rnn["runs"]) == 2 and f"{hmm['runs'][0]['accuracy']:.2f}" in out
    pytest.importorskip("matplotlib", reason="the figure needs matplotlib")
    script("plot", results, "-o", figure)
    drawn = figure.read_text("utf-8")
    assert ">HMM<" in drawn and ">tutorial --epochs 1 --hidden 5<" in drawn
    script("plot", results, "-o", figure, "--force", "--label", "RNN tutorial --epochs 1 --hidden 5=a$x^$",
           "--title", "$b_$")
    assert ">a$x^$<" in figure.read_text("utf-8") and ">$b_$<" in figure.read_text("utf-8")
    script("plot", results, "-o", figure, "--force", "--least", hmm["runs"][0]["accuracy"])
    assert ">tutorial --epochs 1 --hidden 5<" not in figure.read_text("utf-8")


def test_compare_does_not_overwrite_its_figures_and_says_so_before_it_trains(small, tmp_path):
    (tmp_path / "results.json").write_text("what was there before")
    ran = subprocess.run([sys.executable, str(ROOT / "scripts" / "compare.py"), *map(str, small), "-o",
                          str(tmp_path / "results.json")], capture_output=True, text=True, env=ENVIRONMENT)
    assert ran.returncode == 1 and ran.stdout == "" and "results.json: exists already" in ran.stderr
    assert (tmp_path / "results.json").read_text() == "what was there before"


def test_compare_gives_the_same_accuracy_in_two_processes(small):
    runs = ["--seeds", 2, "--run", "tutorial --epochs 1 --hidden 5"]
    one, two = (script("compare", *small, *runs, "--jobs", jobs)[0] for jobs in (1, 2))
    assert [line.split("|")[:5] for line in one.splitlines()] == [line.split("|")[:5] for line in two.splitlines()]


def test_compare_trains_again_with_raw_text(small):
    raw = ROOT / "data" / "sample-test.tokens"
    out, _ = script("compare", *small, "--seeds", 1, "--run", "default --epochs 1", "--raw-text", raw)
    assert [line.split("|")[0].strip() for line in out.splitlines()[3:]] == [
        "HMM", "RNN default --epochs 1", "RNN default --epochs 1 + raw text"]


# ------------------------------------------------------------------ bench.py


def test_bench_prints_and_saves_every_section(small, tmp_path):
    out, _ = script("bench", *small, "--rounds", 1, "--sentences", 4, "--tokens", 500, "--stream", 1000,
                    "--growth", 2, "--section", "b", "--section", "d", "--section", "e", "-o", tmp_path / "speed")
    saved = json.loads((tmp_path / "speed.json").read_text())
    sections = {figure["section"] for figure in saved["figures"]}
    assert sections == ({"b", "d", "e"} if measure.MEASURES_CHILDREN else {"b"})
    text = (tmp_path / "speed.txt").read_text()
    assert all(figure["what"] in out and figure["what"] in text for figure in saved["figures"])
    assert all(figure["ours"] > 0 for figure in saved["figures"])
    assert "small.wordtag" in saved["about"]["corpus"]


def test_bench_sets_us_beside_a_peer(tmp_path, monkeypatch):
    class Peer:
        slow = False

        def train(self, sentences, seed):
            return HMMTagger.train(sentences)

    monkeypatch.setattr(peers, "available", lambda: {"an HMM": Peer()})
    monkeypatch.setattr(speed, "preset", lambda name: preset(name, epochs=1))
    bench = speed.Bench(FEW, FEW, rounds=2, sentences=2, tokens=300, stream=300, growth=1, peers=(),
                        folder=tmp_path)
    training, tagging = speed.taggers(bench)
    assert training.ratio < 1 and training.what == "training / an HMM"  # counting takes less than learning
    assert tagging.rounds == 2 and tagging.ours > 0 < tagging.other
    assert len((tmp_path / "answer").read_text().split()) >= 300


def test_bench_says_what_it_leaves_out(small):
    _, err = script("bench", *small, "--rounds", 1, "--sentences", 2, "--section", "a")
    assert ("skipped, needs torch" in err) == (not peers.installed("torch"))


def test_operations_are_those_of_the_products_that_are_timed():
    options = preset("default", cell="lstm", hidden=6, embedding=4, layers=2)
    lengths = [[5, 3, 1], [2]]
    counted = []

    def matmul(a, b, out):
        rows, inner = a.shape[-2:]
        counted.append(2 * int(np.prod(out.shape[:-2], dtype=int)) * rows * inner * out.shape[-1])

    for training in (True, False):
        counted.clear()
        run = speed.products(options, 7, lengths, training)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(speed.np, "matmul", matmul)
            assert sum(counted) == 0 and run() == sum(counted) == 11 * speed.operations(options, 7, training)


def test_the_ratio_is_the_median_over_pairs_and_above_one_when_ours_is_ahead():
    faster = measure.compared("a", "rates", "tokens/s", [20, 30, 100], [10, 10, 10], target=3)
    assert (faster.ratio, faster.low, faster.high, measure.met(faster)) == (3, 2, 10, True)
    quicker = measure.compared("a", "times", "s", [1.0], [4.0], less_is_better=True, target=5)
    assert quicker.ratio == 4 and not measure.met(quicker)
    assert measure.met(measure.compared("e", "memory", "MB", [11], [10], at_most=True, target=1.1))
    assert not measure.met(measure.compared("e", "memory", "MB", [12], [10], at_most=True, target=1.1))


def test_contestants_take_turns():
    order = []
    measure.interleaved({name: lambda turn, name=name: order.append((name, turn)) or 1 for name in "AB"}, 2)
    assert order == [("A", 0), ("B", 0)] * 2 + [("A", 1), ("B", 1)]  # the first turns are to warm up


@pytest.mark.skipif(not measure.MEASURES_CHILDREN, reason="this system does not tell what a child used")
def test_a_child_is_measured_alone():
    big = np.ones(40_000_000)  # 320 MB in this process
    small = measure.child([sys.executable, "-c", "pass"])
    large = measure.child([sys.executable, "-c", "x = b'x' * 100_000_000"])
    assert big.sum() and 2 < small.memory < 100 and 80 < large.memory - small.memory < 120
    with pytest.raises(RuntimeError, match="no such thing"):
        measure.child([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_repeated_text_has_about_the_tokens_asked_for(tmp_path):
    source = tmp_path / "two"
    source.write_bytes("a b c\nd\u2028e f\n".encode())
    assert measure.repeated(source, tmp_path / "many", 12) == 13
    assert (tmp_path / "many").read_bytes() == source.read_bytes() * 2 + b"a b c\n"


# ------------------------------------------------------------------ peers


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_learns_the_sample_and_answers_every_sentence(name, monkeypatch):
    if name not in peers.available():
        pytest.skip(f"{peers.PEERS[name].packages} is not installed")
    monkeypatch.setitem(CHANGES, "epochs", 2)
    training = SAMPLE[:60]
    answers = list(peers.PEERS[name].train(training, 1).tag([["The", "dog", "sleeps", "."], [], ["Stop"]]))
    assert [len(answer) for answer in answers] == [4, 0, 1]
    assert {tag for answer in answers for tag in answer} <= {tag for s in training for tag in s.tags}


def test_peers_that_are_not_installed_are_named():
    named = {line.partition(":")[0] for line in peers.missing()}
    assert named | peers.available().keys() == peers.PEERS.keys() and not named & peers.available().keys()


# ------------------------------------------------------------------ twins.py


CASES = [("tutorial", {}), ("tutorial", {"bidirectional": True, "batch_size": 5}),
         ("tutorial", {"cell": "lstm", "batch_size": 4}),
         ("default", {"cell": "elman", "optimizer": "sgd", "batch_size": 1}),
         ("default", {"cell": "lstm", "optimizer": "sgd", "batch_size": 8}),
         ("default", {"optimizer": "sgd"})]


@pytest.mark.parametrize("way", ["module", "padded", "loop"])
@pytest.mark.parametrize("name, changes", CASES)
def test_the_twin_in_pytorch_is_the_same_network(name, changes, way):
    pytest.importorskip("torch")
    import twins

    options = preset(name, **{**STILL, "output": "softmax", "layers": 1, **changes})
    if twins.unsupported(options, way):
        pytest.skip(twins.unsupported(options, way))
    trainer = Trainer(TaggingTask(RNNTagger.create(FEW, options, np.random.default_rng(1)), FEW))
    params = trainer.task.tagger.params
    if not twins.same(options, way):
        keep_the_state(params, options.hidden)
    before = {key: array.copy() for key, array in params.items()}
    twin = twins.Twin(trainer.task.tagger, FEW, way)
    batch = sorted(range(options.batch_size), key=lambda i: -len(SAMPLE[i]))

    trainer.at.plan = [batch]
    record = next(trainer.epochs())
    assert twin.update(batch) == pytest.approx(record.loss * trainer.tokens, rel=1e-5)
    found = twin.weights()
    assert found.keys() == params.keys()
    for key in params:
        assert found[key] == pytest.approx(params[key], abs=1e-5), key
    assert sum(np.abs(params[key] - before[key]).max() > 1e-4 for key in params) >= len(params) - 1  # it moved

    words = [sentence.words for sentence in SAMPLE[:50]] + [[]]
    assert list(twin.tag(words)) == list(trainer.result().tag(words))


def keep_the_state(params, H):
    """Weights with which a GRU never resets: then it is the same, where in the product it would."""
    for key, array in params.items():
        if key.endswith(("W_h", "W_x")):
            array[:, :H] = 0
        elif key.endswith(".b"):
            array[:H] = 20


def test_the_twin_clips_and_updates_with_adam_as_we_do():
    pytest.importorskip("torch")
    import twins

    options = preset("default", **{**STILL, "cell": "elman", "optimizer": "adam", "batch_size": 4, "clip": 0.5})
    trainer = Trainer(TaggingTask(RNNTagger.create(FEW, options, np.random.default_rng(1)), FEW))
    twin = twins.Twin(trainer.task.tagger, FEW)
    batches = [sorted(range(4 * k, 4 * k + 4), key=lambda i: -len(SAMPLE[i])) for k in range(5)]
    trainer.at.plan = batches
    next(trainer.epochs())
    for number, batch in enumerate(batches):
        twin.update(batch, number / len(batches))
    for key, array in twin.weights().items():  # Adam divides tiny gradients by their size: not every one is close
        assert np.mean(np.abs(array - trainer.task.tagger.params[key]) < 1e-4) > 0.99, key


def test_what_has_no_twin_is_refused():
    pytest.importorskip("torch")
    import twins

    tagger = RNNTagger.create([Sentence(["a"], ["X"])], preset("default", output="crf"), np.random.default_rng(1))
    with pytest.raises(ValueError, match="no output crf"):
        twins.Twin(tagger)


def test_starting_from_another_model_is_compared_with_training_from_scratch(small, tmp_path):
    out, _ = script("adapt", small[1], "--seeds", 1, "--epochs", 1)
    assert [line[:34].strip() for line in out.splitlines()] == [
        "the model to start from", "the new corpus from scratch", "the new corpus from the model",
        "both corpora as one"]
    out, _ = script("adapt", small[1], "--seeds", 2, "--epochs", 1, "--first", small[1], "--few", 5)
    assert len(out.splitlines()) == 3 and all(0 < float(line.split()[-2]) < 100 for line in out.splitlines())


def test_the_latency_of_a_line_is_measured(tmp_path):
    save(tmp_path / "m", RNNTagger.create(FEW, preset("default"), np.random.default_rng(1)))
    out, _ = script("latency", tmp_path / "m", ROOT / "data" / "sample-test.tokens", 20)
    assert out.startswith("19 lines of ") and "median " in out
