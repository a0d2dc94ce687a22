"""Sections d and e of bench.py: the commands, each in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import measure
from measure import ROOT, Figure, child
from speed import Bench

from rnntag.corpus import Sentence

WIDTHS = (50, 100, 200, 400)
IMPORTS = "import numpy, click"


def command(name: str, *arguments: object) -> list[str]:
    """The command line of train_rnn or test_rnn with this Python, from this checkout."""
    return [sys.executable, str(ROOT / f"{name}.py"), *map(str, arguments)]


def write_corpus(sentences: list[Sentence], path: Path, times: int = 1) -> Path:
    """The sentences so many times as wordtag, with a separator that is in no word or tag."""
    lines = [" ".join(f"{word}\x1f{tag}" for word, tag in zip(s.words, s.tags or [])) + "\n" for s in sentences]
    with open(path, "wb") as file:
        for _ in range(times):
            file.writelines(line.encode() for line in lines)
    return path


def train(bench: Bench, corpus: Path, *options: object) -> measure.Usage:
    """What ``train-rnn`` used for one epoch; the model is in the folder ``model``."""
    return child(command("train_rnn", corpus, bench.folder / "model", "--separator", "\x1f", "--epochs", 1,
                         "--quiet", "--force", *options))


# ------------------------------------------------------------------ d: growth


def growth(bench: Bench) -> Iterator[Figure]:
    """An epoch of train-rnn on 1, 2, 4 ... copies of the corpus, and with wider and wider networks.

    The ratio of times is to that many times the time of one copy: 1 is linear, more is better than
    linear. Start-up is in all of them, so small corpora flatter.
    """
    if not measure.MEASURES_CHILDREN:
        click.echo("d: skipped, this system does not tell what a child process used", err=True)
        return
    sizes = [2 ** k for k in range(bench.growth.bit_length())]
    corpora = {n: write_corpus(bench.train, bench.folder / f"{n}.wordtag", n) for n in sizes}
    runs = [{n: train(bench, path) for n, path in corpora.items()} for _ in range(min(3, bench.rounds))]
    tokens = sum(map(len, bench.train))
    for n in sizes:
        times = ([run[n].cpu for run in runs], [n * run[1].cpu for run in runs])
        yield measure.compared("d", f"an epoch, {n * tokens:,} tokens / {n} x the time of 1", "CPU s", *times,
                               less_is_better=True)
    for n in sizes:
        extra = max(run[n].memory for run in runs) - max(run[1].memory for run in runs)
        yield Figure("d", f"peak memory, {n * tokens:,} tokens", "MB", max(run[n].memory for run in runs),
                     note=f"{extra * 2 ** 20 / ((n - 1) * tokens):,.0f} bytes a token more" if n > 1 else "")
    for width in WIDTHS:
        wide = [(train(bench, corpora[1], "--hidden", width), train(bench, corpora[1], "--hidden", WIDTHS[1]))
                for _ in range(min(3, bench.rounds))]
        yield measure.compared("d", f"an epoch, H {width} / H {WIDTHS[1]}", "CPU s", [a.cpu for a, _ in wide],
                               [b.cpu for _, b in wide], note=f"peak memory {max(a.memory for a, _ in wide):.0f} MB")


# ------------------------------------------------------------------ e: running


def running(bench: Bench) -> Iterator[Figure]:
    """Start-up of test-rnn, tagging a file, two jobs, memory on a stream."""
    if not measure.MEASURES_CHILDREN:
        click.echo("e: skipped, this system does not tell what a child process used", err=True)
        return
    train(bench, write_corpus(bench.train, bench.folder / "1.wordtag"))
    yield from _start_up(bench)
    yield from _tagging(bench)
    yield from _jobs(bench)
    yield from _memory(bench)


def _tag(bench: Bench, source: Path, answer: str, *options: object) -> measure.Usage:
    return child(command("test_rnn", bench.folder / "model", source, "-o", bench.folder / answer, "--force",
                         "--format", "tokens", *options))


def _start_up(bench: Bench) -> Iterator[Figure]:
    sentence = bench.folder / "one.tokens"
    sentence.write_text(" ".join(bench.test[0].words) + "\n", "utf-8")
    pairs = [(child(command("test_rnn", bench.folder / "model", sentence, "--format", "tokens")),
              child([sys.executable, "-c", IMPORTS])) for _ in range(2 * bench.rounds + 1)][1:]
    for unit, which in (("wall s", "wall"), ("CPU s", "cpu")):
        ours, other = ([getattr(usage, which) for usage in column] for column in zip(*pairs))
        yield measure.compared("e", f"test-rnn, one sentence / python -c '{IMPORTS}'", unit, ours, other,
                               at_most=True, target=1.6 if which == "wall" else None)


def _tagging(bench: Bench) -> Iterator[Figure]:
    source = bench.tokens_file(bench.tokens)
    runs = [_tag(bench, source, "answer") for _ in range(bench.rounds)]
    rates = sorted(bench.tokens / run.cpu for run in runs)
    yield Figure("e", f"test-rnn, {bench.tokens:,} tokens, start-up included", "tokens/CPU s",
                 rates[len(rates) // 2], rounds=len(rates))


def _jobs(bench: Bench) -> Iterator[Figure]:
    """Two jobs against one, on the clock: this wants a machine with two free cores."""
    try:
        child(command("test_rnn", bench.folder / "model", bench.folder / "one.tokens", "--format", "tokens",
                      "--jobs", 2))
    except RuntimeError as error:
        click.echo(f"e: jobs: skipped, {str(error).splitlines()[-1]}", err=True)
        return
    tokens = 5 * bench.tokens
    source = bench.tokens_file(tokens)
    one, two = [], []
    for _ in range(min(3, bench.rounds)):
        one.append(_tag(bench, source, "one.tags", "--jobs", 1))
        two.append(_tag(bench, source, "two.tags", "--jobs", 2))
    same = (bench.folder / "one.tags").read_bytes() == (bench.folder / "two.tags").read_bytes()
    what = f"test-rnn, {tokens:,} tokens, two jobs / one"
    yield measure.compared("e", what, "wall s", [usage.wall for usage in two], [usage.wall for usage in one],
                           less_is_better=True, target=1.8, note="same answers" if same else "DIFFERENT ANSWERS")
    yield measure.compared("e", what, "CPU s", [usage.cpu for usage in two], [usage.cpu for usage in one],
                           less_is_better=True, note="1 is no overhead")


def _memory(bench: Bench) -> Iterator[Figure]:
    short, long = (_tag(bench, bench.tokens_file(n), "answer") for n in (max(1, bench.stream // 10), bench.stream))
    yield measure.compared("e", f"peak memory, {bench.stream:,} tokens / {bench.stream // 10:,}", "MB",
                           [long.memory], [short.memory], at_most=True, target=1.1,
                           note=f"{bench.stream / long.cpu:,.0f} tokens/CPU s")
