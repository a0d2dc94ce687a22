"""The scripts for measuring: they run, the adapters tag, and the yardstick is what it claims to be."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import ENVIRONMENT, ROOT

from rnntag.corpus import Sentence, read_tagged
from rnntag.models.hmm import HMMTagger
from rnntag.models.options import preset
from rnntag.models.tagger import RNNTagger
from rnntag.storage.modelfile import save
from rnntag.training.tagging import TaggingTask
from rnntag.training.trainer import Trainer

sys.path.insert(0, str(ROOT / "scripts"))

import peers  # noqa: E402
from bench import measure, networks  # noqa: E402

STILL = {"dropout": 0.0, "word_dropout": 0.0, "average": 0.0}  # nothing random
SAMPLE = read_tagged(ROOT / "data" / "sample-train.wordtag", "wordtag")
FEW = SAMPLE[:100]


def script(name, *arguments):
    """Run a script on the sample; what it wrote on standard output and standard error."""
    ran = subprocess.run([sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)],
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
    out, _ = script("compare.py", *small, *small, "--seeds", 2, "--run", "tutorial --epochs 1 --hidden 5")
    header, _, names, hmm, rnn, _, second, *_ = out.splitlines()
    assert header == second == "small.wordtag: 40 sentences, {0} tokens;  small.wordtag: 40 sentences, {0} tokens" \
        .format(sum(map(len, SAMPLE[:40])))
    assert [cell.strip() for cell in names.split("|")] == [
        "tagger", "accuracy %", "sd", "known %", "unknown %", "training CPU s", "tokens/CPU s"]
    assert hmm.startswith("HMM ") and rnn.startswith("RNN tutorial --epochs 1 --hidden 5 ")
    assert 90 < float(hmm.split("|")[1]) <= 100 and rnn.split("|")[2].strip()
    assert hmm.split("|")[4].strip() == "-"  # no unknown words


def test_compare_prints_a_row_for_each_column_and_for_all_together(tmp_path):
    (tmp_path / "c.conllu").write_text("".join(
        f"{i}\t{word}\t{lemma}\t{tag}\t_\t_\t0\troot\t_\t_\n" for i, (word, lemma, tag) in enumerate(
            [("Dogs", "dog", "NOUN"), ("run", "run", "VERB")], 1)) + "\n")
    corpus = tmp_path / "c.conllu"
    out, _ = script("compare.py", "--train", corpus, "--test", corpus, "--seeds", 1, "--field", "upos,lemma",
                    "--run", "columns --epochs 1 --hidden 5")
    names = [line.split(" | ")[0].strip() for line in out.splitlines()[3:]]
    assert names == ["HMM", *(f"RNN columns --epochs 1 --hidden 5, {name}" for name in ("upos", "lemma", "all"))]


def test_what_compare_measured_is_saved_and_can_be_drawn(small, tmp_path):
    results, figure = tmp_path / "results.json", tmp_path / "plane.svg"
    results.write_text("what was there before")
    pytest.importorskip("matplotlib", reason="the figure needs matplotlib")
    run = ["--seeds", 2, "--run", "tutorial --epochs 1 --hidden 5", "-o", results, "--plot", figure, "--force"]
    out, _ = script("compare.py", *small, *run)
    hmm, rnn = json.loads(results.read_text("utf-8"))["rows"]
    assert len(rnn["runs"]) == 2 and f"{hmm['runs'][0]['accuracy']:.2f}" in out
    drawn = figure.read_text("utf-8")
    assert ">1  HMM<" in drawn and ">2  tutorial --epochs 1 --hidden 5<" in drawn
    assert ">CPU seconds of training<" in drawn and ">tokens tagged in a CPU second<" in drawn
    script("compare.py", *small, *run, "--least", hmm["runs"][0]["accuracy"])
    assert ">1  HMM<" in figure.read_text("utf-8") and "tutorial --ep" not in figure.read_text("utf-8")


def test_compare_does_not_overwrite_its_figures_and_says_so_before_it_trains(small, tmp_path):
    (tmp_path / "results.json").write_text("what was there before")
    ran = subprocess.run([sys.executable, str(ROOT / "scripts" / "compare.py"), *map(str, small), "-o",
                          str(tmp_path / "results.json")], capture_output=True, text=True, env=ENVIRONMENT)
    assert ran.returncode == 1 and ran.stdout == "" and "results.json: exists already" in ran.stderr
    assert (tmp_path / "results.json").read_text() == "what was there before"


def test_compare_gives_the_same_accuracy_in_two_processes(small):
    runs = ["--seeds", 2, "--run", "tutorial --epochs 1 --hidden 5"]
    one, two = (script("compare.py", *small, *runs, "--jobs", jobs)[0] for jobs in (1, 2))
    assert [line.split("|")[:5] for line in one.splitlines()] == [line.split("|")[:5] for line in two.splitlines()]


def test_compare_trains_again_with_raw_text(small):
    raw = ROOT / "data" / "sample-test.tokens"
    out, _ = script("compare.py", *small, "--seeds", 1, "--run", "default --epochs 1", "--raw-text", raw)
    assert [line.split("|")[0].strip() for line in out.splitlines()[3:]] == [
        "HMM", "RNN default --epochs 1", "RNN default --epochs 1 + raw text"]


def test_compare_trains_again_from_another_model(small, tmp_path):
    save(tmp_path / "other", RNNTagger.create(FEW, preset("default"), np.random.default_rng(1)))
    out, _ = script("compare.py", *small, "--seeds", 1, "--run", "default --epochs 1", "--init", tmp_path / "other")
    rows = [line.split("|") for line in out.splitlines()[4:]]
    assert [row[0].strip() for row in rows] == ["RNN default --epochs 1", "RNN default --epochs 1 from other"]
    assert rows[0][1] != rows[1][1]


# ------------------------------------------------------------------ bench


def test_bench_prints_a_table_for_each_section(small):
    sections = "bdefg" if measure.MEASURES_CHILDREN else "bf"
    out, _ = script("bench", *small, "--rounds", 1, "--tokens", 500, "--stream", 1000, "--growth", 2,
                    *(part for name in sections for part in ("--section", name)))
    assert out.startswith("small.wordtag, 40 sentences") and re.findall("^### (.)", out, re.M) == list(sections)
    rows = [line.split("|")[1:-1] for line in out.splitlines() if line.startswith("| ") and "unit" not in line]
    assert len(rows) > 30 if measure.MEASURES_CHILDREN else 20
    assert all(len(row) == 6 and float(row[2].replace(",", "")) > 0 for row in rows)


def test_bench_sets_us_beside_a_peer(tmp_path, monkeypatch):
    class Peer:
        slow = False

        def train(self, sentences, seed):
            return HMMTagger.train(sentences)

    monkeypatch.setattr(peers, "available", lambda: {"an HMM": Peer()})
    monkeypatch.setattr(networks, "preset", lambda name: preset(name, epochs=1))
    bench = measure.Bench(FEW, FEW, tmp_path, rounds=2, tokens=300, stream=300, growth=1)
    figures = list(networks.taggers(bench))
    for name, training, tagging in zip(("default", "fast"), figures[::2], figures[1::2], strict=True):
        assert training.what.startswith(f"training, {name} / an HMM")
        assert training.ratio < 1  # counting takes less than learning
        assert len(tagging.ratios) == 2 and tagging.ours > 0 < tagging.other
    assert len((tmp_path / "answer").read_text().split()) >= 300


def test_bench_says_what_it_leaves_out(small):
    _, err = script("bench", *small, "--rounds", 1, "--section", "a")
    assert ("skipped, needs torch" in err) == (not peers.installed("torch"))


@pytest.mark.parametrize("training", [True, False])
def test_the_operations_of_the_products_are_those_of_the_formula(training):
    """2 (sum over layers of D I nH + D H nH  +  D H K) a token; training: three times that; tagging: without the
    first layer's D I nH."""
    o = preset("default", cell="lstm", hidden=6, embedding=4, layers=2)
    tagger = RNNTagger.create(FEW, o, np.random.default_rng(1))
    first, second = 2 * 4 * 24 * training + 2 * 6 * 24, 2 * 12 * 24 + 2 * 6 * 24
    token = (6 if training else 2) * (first + second + 12 * (len(tagger.tags) - 1))
    assert networks.products(tagger, [[5, 3, 1], [2]], training)() == 11 * token


def test_the_ratio_is_the_median_over_pairs_and_above_one_when_ours_is_ahead():
    faster = measure.compared("rates", "tokens/s", [20, 30, 100], [10, 10, 10], target=3)
    assert str(faster) == "| rates | tokens/s | 30 | 10 | 3 (2 - 10) | >= 3 met |"
    quicker = measure.compared("times", "s", [1.0], [4.0], less_is_better=True, target=5)
    assert quicker.ratio == 4 and not quicker.met
    assert measure.compared("memory", "MB", [11], [10], at_most=True, target=1.1).met
    assert not measure.compared("memory", "MB", [12], [10], at_most=True, target=1.1).met


def test_contestants_take_turns():
    order = []
    rates = measure.interleaved(2, **{name: lambda name=name: order.append(name) or 1 for name in "AB"})
    assert order == ["A", "B"] * 3 and len(rates["A"]) == 2  # the first turns are to warm up


@pytest.mark.skipif(not measure.MEASURES_CHILDREN, reason="this system does not tell what a child used")
def test_a_child_is_measured_alone():
    big = np.ones(40_000_000)  # 320 MB in this process
    small = measure.child("-c", "pass")
    large = measure.child("-c", "x = b'x' * 100_000_000")
    assert big.sum() and 2 < small.memory < 100 and 80 < large.memory - small.memory < 120
    with pytest.raises(RuntimeError, match="no such thing"):
        measure.child("-c", "raise SystemExit('no such thing')")


def test_repeated_text_has_about_the_tokens_asked_for(tmp_path):
    source = tmp_path / "two"
    source.write_bytes("a b c\nd\u2028e f\n".encode())
    assert measure.repeated(source, tmp_path / "many", 12) == 13
    assert (tmp_path / "many").read_bytes() == source.read_bytes() * 2 + b"a b c\n"


# ------------------------------------------------------------------ peers


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_learns_the_sample_and_answers_every_sentence(name):
    if name not in peers.available():
        pytest.skip(f"{peers.PEERS[name].packages} is not installed")
    training = SAMPLE[:60]
    answers = list(peers.PEERS[name].train(training, 1).tag([["The", "dog", "sleeps", "."], [], ["Stop"]]))
    assert [len(answer) for answer in answers] == [4, 0, 1]
    assert {tag for answer in answers for tag in answer} <= {tag for s in training for tag in s.tags}


def test_peers_that_are_not_installed_are_named():
    named = {line.partition(":")[0] for line in peers.missing()}
    assert named | peers.available().keys() == peers.PEERS.keys() and not named & peers.available().keys()


# ------------------------------------------------------------------ the network in PyTorch


SGD = {"optimizer": "sgd", "learning_rate": 0.05}
CASES = [("tutorial", {}), ("tutorial", {"bidirectional": True}), ("tutorial", {"cell": "gru"}),
         ("default", SGD), ("default", {"cell": "lstm", **SGD}),
         ("default", {"cell": "elman", "bidirectional": False, **SGD}), ("default", {"clip": 0.5})]


@pytest.mark.parametrize("size, epochs", [(1, 1), (7, 3)])
@pytest.mark.parametrize("name, changes", CASES)
def test_the_twin_in_pytorch_is_the_same_network_and_learns_the_same(name, changes, size, epochs):
    """A corpus of one batch, so that both see the same batches."""
    pytest.importorskip("torch")
    from peers.pytorch import Twin

    options = preset(name, **STILL, epochs=epochs, batch_size=size, **changes)
    sentences = sorted(FEW[:size], key=lambda sentence: -len(sentence))
    task = TaggingTask(RNNTagger.create(FEW, options, np.random.default_rng(1)), sentences)
    trainer = Trainer(task)
    before = {key: array.copy() for key, array in task.params.items()}
    twin = Twin(task.tagger, sentences)
    for number, record in enumerate(trainer.epochs()):
        assert twin.update(range(size), number / epochs) == pytest.approx(record.loss * trainer.tokens, rel=1e-4)
    tagger = trainer.result()
    assert twin.weights().keys() == before.keys()
    least = 0.99 if options.optimizer == "adam" else 1  # it divides tiny gradients by their size: not all are close
    for key, array in twin.weights().items():
        assert np.mean(np.abs(array - tagger.params[key]) < 1e-5) >= least, key
    moved = [np.abs(tagger.params[key] - array).max() > 1e-4 for key, array in before.items()]
    assert sum(moved) >= len(moved) - 1
    words = [sentence.words for sentence in SAMPLE[:50]] + [[]]
    answers = list(zip(twin.tag(words), tagger.tag(words), strict=True))
    assert sum(one != other for one, other in answers) <= 1


def test_what_has_no_twin_is_refused():
    pytest.importorskip("torch")
    from peers.pytorch import Twin

    tagger = RNNTagger.create([Sentence(["a"], ["X"])], preset("default", output="crf"), np.random.default_rng(1))
    with pytest.raises(ValueError, match="no twin"):
        Twin(tagger)


# ------------------------------------------------------------------ segmentation.py


def test_segmentation_grades_segmenters_and_rules_by_udeval():
    pytest.importorskip("udtools")
    data = ROOT / "data"
    out, _ = script("segmentation.py", "ud", data / "sample-train.conllu", data / "sample-test.conllu", "--rules",
                    "--seeds", 1, "--epochs", 4, "--hidden", 8)
    header, rules, one, mean = out.splitlines()
    assert header.split()[:3] == ["Tokens", "Sentences", "Words"]
    assert rules.startswith("rules ") and float(one.split()[2]) > float(rules.split()[1]) > 90
    assert mean.split()[1:3] == one.split()[2:4]


def test_segmentation_cross_validates_words_beside_a_crf(tmp_path):
    pytest.importorskip("pycrfsuite")
    (tmp_path / "c.word").write_text("\u8a00\u8a9e \u306f \u3053\u3068\u3070 \u3002\n" * 20, "utf-8")
    out, _ = script("segmentation.py", "words", tmp_path / "c.word", "--crf", "--seeds", 1, "--epochs", 3)
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["crfsuite", "seed", "mean"]
    assert all("100.00" in line for line in out.splitlines()[1:])


def test_segmentation_measures_memory(tmp_path):
    from rnntag.corpus.segmented import paragraphs
    from rnntag.models.segmenter import SegmenterOptions
    from rnntag.storage import modelfile
    from rnntag.training.segmenting import train_segmenter
    texts = list(paragraphs(ROOT / "data" / "sample-test.conllu"))
    modelfile.save(tmp_path / "m", train_segmenter(texts, SegmenterOptions(epochs=1, hidden=2, embedding=2)))
    out, _ = script("segmentation.py", "memory", tmp_path / "m", "--megabytes", 1, "--first", 1)
    assert len(out.splitlines()) == 2 * 5 and all("MB at most" in line for line in out.splitlines())


# ------------------------------------------------------------------ the annotator's loop


def test_errors_made_on_purpose_are_counted_in_the_list(small):
    out, err = script("injected_errors.py", small[1], "--model", "hmm", "--share", 0.05, "--seeds", 2)
    tokens = sum(map(len, SAMPLE[:40]))
    assert f"40 sentences, {tokens:,} tokens, {round(0.05 * tokens)} of them made wrong (frequent); 2 seeds" in out
    rows = {line[:18].strip(): line for line in out.splitlines()[2:]}
    assert list(rows) == ["hmm", "same context alone", "chance"] and err.count("seed ") == 2


def test_both_orders_are_scored_from_the_same_beginning():
    out, _ = script("active_learning.py", ROOT / "data" / "sample-train.wordtag", "--test",
                    ROOT / "data" / "sample-test.wordtag", "--model", "hmm", "--seeds", 1, "--json")
    record = json.loads(out.splitlines()[0])
    (random,), (chosen,) = record["random"], record["suggest"]
    assert random[0] == chosen[0] and random[1:] != chosen[1:] and len(random) == len(record["shares"]) == 7
    assert random[-1] > random[0] and "gain" in out


def test_malformed_requests_bring_no_server_down(tmp_path):
    pytest.importorskip("uvicorn", reason="the extra web is not installed")
    save(tmp_path / "m", HMMTagger.train(FEW))
    out, _ = script("stress.py", "malformed", tmp_path / "m", ROOT / "data" / "sample-test.wordtag",
                    "--requests", 40)
    assert out.count("0 tracebacks, 0 other errors, answers still") == 2 and "every byte as it was" in out
    out, _ = script("stress.py", "latency", tmp_path / "m", ROOT / "data" / "sample-test.tokens", "--requests", 40)
    assert "POST /tag, 8 clients: p50 " in out and "plain call: p50 " in out
