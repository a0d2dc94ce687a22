"""Sections a to c of bench.py, in one process: PyTorch, the machine's limit, other taggers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import measure
import numpy as np
import peers
from measure import Figure

from rnntag.nn.cells import CELLS
from rnntag.cli.tagging import tag_file
from rnntag.corpus import Sentence
from rnntag.models.options import Options, preset
from rnntag.models.tagger import RNNTagger
from rnntag.training.tagging import TaggingTask, train_tagger
from rnntag.training.trainer import Trainer

LSTM = {"cell": "lstm", "hidden": 128, "batch_size": 32}
TARGETS = {"nltk-crf": 1.3, "crfsuite-ap": 10, "crfsuite-lbfgs": 10, "udpipe": 15, "spacy": 15,
           "spacy-3-epochs": 15}
PEAK = 1000  # size of the square matrices whose product gives the machine's rate


@dataclass
class Bench:
    """What all sections share.

    rounds      turns of each contestant
    sentences   of a turn of training, at most
    tokens      of a file to tag; stream of a longer one, to look at memory and jobs
    growth      copies of the corpus, at most
    peers       names of those to run; none: those that do not take minutes
    raw         text to tag, instead of the test corpus again and again
    """

    train: list[Sentence]
    test: list[Sentence]
    rounds: int
    sentences: int
    tokens: int
    stream: int
    growth: int
    peers: tuple[str, ...]
    folder: Path
    raw: Path | None = None

    def tokens_file(self, tokens: int) -> Path:
        """A file of about so many tokens: the raw text, or else the test corpus, again and again."""
        path = self.folder / f"{tokens}.tokens"
        if not path.exists():
            source = self.raw or self.folder / "test.tokens"
            if self.raw is None and not source.exists():
                source.write_text("".join(" ".join(s.words) + "\n" for s in self.test), "utf-8", newline="\n")
            measure.repeated(source, path, tokens)
        return path


@dataclass(frozen=True)
class Job:
    """A network to train: its name in the table, its options, and the ratio to reach against PyTorch."""

    name: str
    options: Options
    target: float | None = None


def jobs() -> list[Job]:
    """The networks of sections a and b; averaging, which begins late in a training, is left out."""
    default = preset("default", average=0.0)
    found = [Job("tutorial preset, batch 1", preset("tutorial"), 6),
             Job("default preset's network, batch 1", replace(default, batch_size=1), 5),
             Job("LSTM both ways, H 128, batch 32", replace(default, output="softmax", layers=1, **LSTM), 1.5)]
    if default.batch_size > 1:
        found.insert(2, Job(f"default preset, batch {default.batch_size}", default))
    return found


class Turns:
    """Training in turns: ``plan(k)`` has the batches of turn k; ``train(k)`` is our turn."""

    def __init__(self, options: Options, corpus: list[Sentence], sentences: int):
        rng = np.random.default_rng(options.seed)
        self.options, self.corpus = replace(options, epochs=100_000), corpus
        self.trainer = Trainer(TaggingTask(RNNTagger.create(corpus, self.options, rng), corpus), rng)
        self.epochs = self.trainer.epochs()
        self.plans, self.sentences = [], min(sentences, len(corpus))

    def plan(self, turn: int) -> list[list[int]]:
        """Batches of similar length, longest sentence first, of random sentences."""
        while len(self.plans) <= turn:
            rng = np.random.default_rng(len(self.plans))
            chosen = rng.permutation(len(self.corpus))[:self.sentences]
            size = self.options.batch_size
            if size > 1:
                chosen = sorted(chosen, key=lambda i: -len(self.corpus[i]))
            batches = [[int(i) for i in chosen[k:k + size]] for k in range(0, len(chosen), size)]
            self.plans.append([batches[k] for k in rng.permutation(len(batches))])
        return self.plans[turn]

    def tokens(self, turn: int) -> int:
        """How many tokens a turn has."""
        return sum(len(self.corpus[i]) for batch in self.plan(turn) for i in batch)

    def train(self, turn: int) -> int:
        """Train on the batches of a turn; returns its tokens."""
        self.trainer.at.plan = self.plan(turn)
        next(self.epochs)
        return self.tokens(turn)


# ------------------------------------------------------------------ a: PyTorch


def training(bench: Bench) -> Iterator[Figure]:
    """Tokens trained on in a CPU second, against the same network in PyTorch (twins.py)."""
    if not peers.installed("torch"):
        click.echo("a: skipped, needs torch (pip install torch)", err=True)
        return
    from twins import WAYS, Twin, unsupported

    for job in jobs():
        turns = Turns(job.options, bench.train, bench.sentences)
        ways = [way for way in WAYS if unsupported(turns.options, way) is None]
        if not ways:
            click.echo(f"a: {job.name}: skipped, {unsupported(turns.options)}", err=True)
            continue
        twins = {way: Twin(turns.trainer.task.tagger, bench.train, way) for way in ways}

        def turn(twin: Twin) -> Callable[[int], float]:
            def work(number: int) -> float:
                for batch in turns.plan(number):
                    twin.update(batch)
                return turns.tokens(number)
            return work

        rates = measure.interleaved({"ours": turns.train, **{way: turn(twins[way]) for way in ways}}, bench.rounds)
        figures = [measure.compared("a", f"{job.name} / PyTorch {way}", "tokens/CPU s", rates["ours"], rates[way])
                   for way in ways]
        fastest = min(figures, key=lambda figure: figure.ratio)
        fastest.target, fastest.note = job.target, "the fastest way in PyTorch"
        yield from figures


# ------------------------------------------------------------------ b: the machine's limit


def operations(o: Options, tags: int, training: bool) -> int:
    """Floating point operations of the matrix products for one token; an addition and a
    multiplication count two.

        forward   2 (sum over layers of D I nH + D H nH  +  D H K)
        training  3 times that: back through each product to its input and to its weights
        tagging   without the first layer's D I nH: that is computed once a word type

    One-hot input is looked up: I = 0. Everything that is no matrix product counts nothing.
    """
    D, H, nH, total = o.directions, o.hidden, CELLS[o.cell].gates * o.hidden, 0
    for layer in range(o.layers):
        I = D * H if layer else o.embedding * training
        total += D * (I + H) * nH
    return (6 if training else 2) * (total + D * H * tags)


def products(o: Options, tags: int, batches: Sequence[Sequence[int]], training: bool) -> Callable[[], int]:
    """The matrix products of some batches (lengths of their sentences) and nothing else, of the
    sizes and in the order that the network needs; the function returns its operations."""
    D, H, nH = o.directions, o.hidden, CELLS[o.cell].gates * o.hidden
    rng = np.random.default_rng(1)

    def matrix(*shape: int) -> np.ndarray:
        return rng.random(shape, dtype=np.float32)

    work: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    weights = {I: matrix(D, I, nH) for I in (o.embedding, D * H)}
    W_h, W_o = matrix(D, H, nH), matrix(D * H, tags)
    for lengths in batches:
        L = np.array(lengths)
        N, sizes = int(L.sum()), (np.arange(L.max())[:, None] < L).sum(axis=1)
        h, z, s, y = matrix(D, N, H), matrix(D, N, nH), matrix(N, tags), matrix(N, D * H)
        dh, out_z, dy, out_s = (np.empty_like(a) for a in (h, z, y, s))
        rows = [slice(end - b, end) for end, b in zip(np.cumsum(sizes), sizes)]
        for layer in range(o.layers):
            I = D * H if layer else o.embedding * training
            if I:
                x, W_x = matrix(N, I), weights[I]
                work.append((x, W_x, out_z))
                if training:
                    work += [(z, W_x.transpose(0, 2, 1), matrix(D, N, I)), (x.T, z, matrix(D, I, nH))]
            work += [(h[:, t], W_h, out_z[:, t]) for t in rows]
            if training:
                work += [(z[:, t], W_h.transpose(0, 2, 1), dh[:, t]) for t in reversed(rows)]
                work.append((h.transpose(0, 2, 1), z, matrix(D, H, nH)))
        work.append((y, W_o, out_s))
        work += [(s, W_o.T, dy), (y.T, s, matrix(D * H, tags))] if training else []
    count = operations(o, tags, training) * sum(map(sum, batches))

    def run() -> int:
        for a, b, out in work:
            np.matmul(a, b, out=out)
        return count
    return run


def square(size: int) -> Callable[[int], int]:
    """One product of two square float32 matrices; returns its operations."""
    a, b, out = (np.full((size, size), 0.5, np.float32) for _ in range(3))

    def run(_turn: int) -> int:
        np.matmul(a, b, out=out)
        return 2 * size ** 3
    return run


def limit(bench: Bench) -> Iterator[Figure]:
    """The rate of the network's matrix products in training and tagging, against the rate of a large
    product, and against these products alone."""
    seen: set[Options] = set()
    for job in jobs():
        turns = Turns(job.options, bench.train, bench.sentences)
        o, tagger = turns.options, turns.trainer.task.tagger
        if o.encoder != "rnn":
            click.echo(f"b: {job.name}: skipped, operations are counted for recurrent networks", err=True)
            continue
        tags = len(tagger.tags) - 1
        lengths = [[len(bench.train[i]) for i in batch] for batch in turns.plan(0)]
        each, goal = operations(o, tags, True), 0.4 if job.target == 1.5 else None
        yield from _limits(f"training, {job.name}", lambda turn: each * turns.train(turn),
                           products(o, tags, lengths, True), bench.rounds, goal)
        if replace(o, batch_size=1) in seen:  # tagging does not depend on it
            continue
        seen.add(replace(o, batch_size=1))
        words = [sentence.words for sentence in bench.test]
        words *= max(1, bench.tokens // 4 // sum(map(len, words)))

        def tag(_turn: int, o: Options = o, tagger: RNNTagger = tagger) -> int:
            return operations(o, tags, False) * sum(len(answer) for answer in tagger.tag(words))

        yield from _limits(f"tagging, {job.name}", tag,
                           products(o, tags, _budgeted(map(len, words), 2048), False), bench.rounds)


def _limits(name: str, ours: Callable[[int], int], alone: Callable[[], int], rounds: int,
            goal: float | None = None) -> Iterator[Figure]:
    rates = measure.interleaved({"ours": ours, "alone": lambda _turn: alone(), "peak": square(PEAK)}, rounds)
    giga = {who: [rate / 1e9 for rate in found] for who, found in rates.items()}
    yield measure.compared("b", f"{name} / {PEAK} x {PEAK} product", "GFLOP/s", giga["ours"], giga["peak"],
                           target=goal)
    yield measure.compared("b", f"{name} / its products alone", "GFLOP/s", giga["ours"], giga["alone"])


def _budgeted(lengths: Any, tokens: int) -> list[list[int]]:
    """Sentences sorted by length, in batches of about so many tokens, longest first."""
    batches: list[list[int]] = [[]]
    for n in sorted((n for n in lengths if n), reverse=True):
        if batches[-1] and sum(batches[-1]) + n > tokens:
            batches.append([])
        batches[-1].append(n)
    return batches


# ------------------------------------------------------------------ c: other taggers


def taggers(bench: Bench) -> Iterator[Figure]:
    """Training time (one run each, one after the other) and tagging from file to file."""
    for line in peers.missing():
        click.echo(f"c: {line}", err=True)
    source, target = bench.tokens_file(bench.tokens), bench.folder / "answer"
    for name, peer in peers.available().items():
        if name not in bench.peers and "all" not in bench.peers and (bench.peers or peer.slow):
            if not bench.peers:
                click.echo(f"c: {name}: skipped, takes minutes (--peer {name})", err=True)
            continue
        trained = []
        for train in (lambda: train_tagger(bench.train, preset("default")), lambda: peer.train(bench.train, 1)):
            start = time.process_time()
            tagger = train()
            trained.append((tagger, time.process_time() - start, _accuracy(tagger, bench.test)))
        (ours, own, own_score), (other, seconds, score) = trained
        yield measure.compared("c", f"training / {name}", "CPU s", [own], [seconds], less_is_better=True,
                               note=f"accuracy {own_score:.2f} against {score:.2f} %")

        def tag_ours(_turn: int, tagger: Any = ours) -> int:
            tagger = tagger.with_params(tagger.params)  # it has seen no word yet, as in a process of its own
            return tag_file(tagger, source, target, layout={"format": "tokens"}, force=True)[1]

        rates = measure.interleaved({"ours": tag_ours, "other": lambda _turn: file_to_file(other, source, target)},
                                    bench.rounds)
        yield measure.compared("c", f"tagging, file to file / {name}", "tokens/CPU s", rates["ours"],
                               rates["other"], target=TARGETS.get(name))


def _accuracy(tagger: Any, test: list[Sentence]) -> float:
    answers = tagger.tag([sentence.words for sentence in test])
    right = sum(sum(map(str.__eq__, s.tags, answer)) for s, answer in zip(test, answers, strict=True))
    return 100 * right / sum(map(len, test))


def file_to_file(tagger: Any, source: Path, target: Path) -> int:
    """Tag a file of tokens, a sentence a line, into a file of tags; returns the number of tokens."""
    tokens = 0
    with open(source, encoding="utf-8", newline="\n") as lines, open(target, "w", encoding="utf-8") as output:
        sentences = (line.rstrip("\n").split(" ") for line in lines if line != "\n")
        for tags in tagger.tag(sentences):
            output.write(" ".join(tags) + "\n")
            tokens += len(tags)
    return tokens
