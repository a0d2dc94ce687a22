"""Sections a to c, in one process: PyTorch, the machine's limit, other taggers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import peers

from bench.measure import Bench, Figure, compared, interleaved
from rnntag.cli.tagging import tag_file
from rnntag.corpus import Layout, Sentence
from rnntag.evaluation import Pair, accuracy
from rnntag.models.options import Options, preset
from rnntag.models.tagger import BATCH_TOKENS, RNNTagger, batches
from rnntag.training.tagging import TaggingTask, train_tagger
from rnntag.training.trainer import Trainer

SENTENCES = 300  # of a turn of training, at most
PRESETS = ("default", "fast")  # of ours that tag beside other taggers
TARGETS = {"default": {"nltk-crf": 1.3, "crfsuite-ap": 10, "crfsuite-lbfgs": 10, "udpipe": 15, "spacy": 15,
                       "spacy-3-epochs": 15},
           "fast": {"nltk-crf": 2, "crfsuite-ap": 15, "crfsuite-lbfgs": 15, "udpipe": 40, "spacy": 40,
                    "spacy-3-epochs": 40}}
PEAK = 1000  # size of the square matrices whose product gives the machine's rate


class Job(NamedTuple):
    """A network to train: its name in the tables, its options; the ratios to reach against PyTorch and a product."""

    name: str
    options: Options
    pytorch: float | None = None
    peak: float | None = None


JOBS = [Job("tutorial preset, batch 1", preset("tutorial"), 6),
        Job("default preset's network, batch 1", preset("default", batch_size=1), 5),
        Job(f"default preset, batch {preset('default').batch_size}", preset("default")),
        Job("LSTM both ways, H 128, batch 32", preset("default", **peers.LSTM), 1.5, 0.4)]


class Training:
    """A network in training, an epoch on a few random sentences after the other."""

    def __init__(self, job: Job, corpus: list[Sentence]):
        rng = np.random.default_rng(1)
        self.sentences = [corpus[i] for i in rng.permutation(len(corpus))[:SENTENCES]]
        self.tokens = sum(map(len, self.sentences))
        options = replace(job.options, epochs=100_000)
        task = TaggingTask(RNNTagger.create(corpus, options, rng), self.sentences)
        self.tagger, self.epochs = task.tagger, Trainer(task, rng).epochs()

    def turn(self) -> int:
        """One epoch; returns its tokens."""
        next(self.epochs)
        return self.tokens


def training(bench: Bench) -> Iterator[Figure]:
    """Tokens trained on in a CPU second, against the same network in PyTorch (peers/pytorch.py)."""
    if not peers.installed("torch"):
        click.echo("a: skipped, needs torch (pip install torch)", err=True)
        return
    from peers.pytorch import Twin

    for job in JOBS:
        ours = Training(job, bench.train)
        twin, rng = Twin(ours.tagger, ours.sentences), np.random.default_rng(2)
        rates = interleaved(bench.rounds, ours=ours.turn, twin=lambda: twin.epoch(rng) or ours.tokens)
        yield compared(f"{job.name} / PyTorch", "tokens/CPU s", rates["ours"], rates["twin"], target=job.pytorch)


# ------------------------------------------------------------------ b: the machine's limit


def products(tagger: RNNTagger, lengths: Iterable[Sequence[int]], training: bool) -> Callable[[], int]:
    """The matrix products that the network needs for some batches (lengths of their sentences), and nothing else, in
    these sizes and this order; the function returns its floating point operations.

    An addition and a multiplication count two. Going back, each product has two more, to its input and to its
    weights. What depends on a word alone is computed once a word type when tagging; one-hot input is looked up.
    """
    o, (H, nH), K = tagger.options, tagger.params["rnn0.fwd.W_h"].shape, len(tagger.tags) - 1
    D, work = o.directions, []

    def ones(*shape: int) -> np.ndarray:
        return np.ones(shape, np.float32)

    weights = {I: ones(D, I, nH) for I in (o.embedding, D * H)}
    W_h, W_o = ones(D, H, nH), ones(D * H, K)
    for L in map(np.array, lengths):
        N, ends = L.sum(), np.cumsum(np.sum(np.arange(L.max())[:, None] < L, axis=1))
        steps = [slice(start, end) for start, end in zip((0, *ends), ends)]
        forward, back = [], []
        for layer in range(o.layers):
            x, z, h = ones(N, D * H if layer else o.embedding), ones(D, N, nH), ones(D, N, H)
            if x.size and (layer or training):
                W_x = weights[x.shape[1]]
                forward.append((x, W_x))
                back += [(x.T, z), (z, W_x.swapaxes(1, 2))]
            forward += [(h[:, t], W_h) for t in steps]
            back += [(h.swapaxes(1, 2), z), *((z[:, t], W_h.swapaxes(1, 2)) for t in steps)]
        y, s = ones(N, D * H), ones(N, K)
        forward.append((y, W_o))
        back += [(y.T, s), (s, W_o.T)]
        work += [(a, b, np.matmul(a, b)) for a, b in forward + back[::-1] * training]
    count = sum(2 * out.size * a.shape[-1] for a, _, out in work)

    def run() -> int:
        for a, b, out in work:
            np.matmul(a, b, out=out)
        return count
    return run


def limit(bench: Bench) -> Iterator[Figure]:
    """The rate of the network's matrix products in training and in tagging, against the rate of a large product, and
    against these products alone."""
    words = [sentence.words for sentence in bench.test]
    words *= max(1, bench.tokens // 4 // sum(map(len, words)))
    tokens = sum(map(len, words))
    seen: list[Options] = []
    for job in JOBS:
        ours = Training(job, bench.train)
        size, lengths = job.options.batch_size, sorted(map(len, ours.sentences), reverse=True)
        learnt = [lengths[k:k + size] for k in range(0, len(lengths), size)]
        yield from _limits(f"training, {job.name}", ours.turn, ours.tokens, products(ours.tagger, learnt, True),
                           bench.rounds, job.peak)
        if replace(job.options, batch_size=1) not in seen:  # tagging does not depend on it
            seen.append(replace(job.options, batch_size=1))
            tagged = [packing.lengths for _, packing in batches(list(map(len, words)), BATCH_TOKENS)]
            yield from _limits(f"tagging, {job.name}", lambda: sum(map(len, ours.tagger.tag(words))), tokens,
                               products(ours.tagger, tagged, False), bench.rounds)


def _limits(name: str, turn: Callable[[], int], tokens: int, alone: Callable[[], int], rounds: int,
            target: float | None = None) -> Iterator[Figure]:
    a, each = np.ones((PEAK, PEAK), np.float32), alone() / tokens  # operations a token

    def peak() -> int:
        np.matmul(a, a, out=np.empty_like(a))
        return 2 * PEAK ** 3

    rates = interleaved(rounds, ours=lambda: each * turn() / 1e9, alone=lambda: alone() / 1e9,
                        peak=lambda: peak() / 1e9)
    yield compared(f"{name} / {PEAK} x {PEAK} product", "GFLOP/s", rates["ours"], rates["peak"], target=target)
    yield compared(f"{name} / its products alone", "GFLOP/s", rates["ours"], rates["alone"])


# ------------------------------------------------------------------ c: other taggers


def taggers(bench: Bench) -> Iterator[Figure]:
    """Training time (one run each, one after the other) and tagging from file to file."""
    for line in peers.missing():
        click.echo(f"c: {line}", err=True)
    source, target = bench.tokens_file(bench.tokens), bench.folder / "answer"
    ours = {name: _trained(partial(train_tagger, bench.train, preset(name)), bench) for name in PRESETS}

    def tag_ours(tagger: RNNTagger) -> int:
        fresh = tagger.with_params(tagger.params)  # it has met no word yet, as in a process of its own
        return tag_file(fresh, source, target, layout=Layout("tokens"), force=True)[1]

    for name, peer in peers.available().items():
        if name not in bench.peers and "all" not in bench.peers and (bench.peers or peer.slow):
            continue
        other, others_seconds, others_score = _trained(partial(peer.train, bench.train, 1), bench)
        rates = interleaved(bench.rounds, other=partial(file_to_file, other, source, target),
                            **{own: partial(tag_ours, tagger) for own, (tagger, *_) in ours.items()})
        for own, (_, seconds, score) in ours.items():
            yield compared(f"training, {own} / {name} (accuracy {score:.2f} against {others_score:.2f} %)", "CPU s",
                           [seconds], [others_seconds], less_is_better=True)
            yield compared(f"tagging, file to file, {own} / {name}", "tokens/CPU s", rates[own], rates["other"],
                           target=TARGETS[own].get(name))


def _trained(train: Callable[[], Any], bench: Bench) -> tuple[Any, float, float]:
    """What was trained, in how many CPU seconds, its accuracy in %."""
    start = time.process_time()
    tagger = train()
    seconds = time.process_time() - start
    answers = tagger.tag([sentence.words for sentence in bench.test])
    score = accuracy(Pair(None, s.tags or [], answer) for s, answer in zip(bench.test, answers, strict=True))
    return tagger, seconds, 100 * score.accuracy


def file_to_file(tagger: Any, source: Path, target: Path) -> int:
    """Tag a file of tokens, a sentence a line, into a file of tags; returns the number of tokens."""
    tokens = 0
    with open(source, encoding="utf-8", newline="\n") as lines, open(target, "w", encoding="utf-8") as output:
        for tags in tagger.tag(line.rstrip("\n").split(" ") for line in lines if line != "\n"):
            output.write(" ".join(tags) + "\n")
            tokens += len(tags)
    return tokens
