"""Sections d to g: the commands, each in a process of its own, and the formats."""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from bench.measure import ROOT, Bench, Figure, Usage, child, compared, interleaved
from rnntag.corpus import FORMATS, Lines, Sentence

SEPARATOR = "\x1f"  # in no word or tag
WIDTHS = (50, 100, 200, 400)
IMPORTS = "import numpy, click"


def train(bench: Bench, corpus: Path, *options: object) -> Usage:
    """What ``train-rnn`` used for one epoch; the model is in the folder ``model``."""
    return child(ROOT / "train_rnn.py", corpus, bench.folder / "model", "--separator", SEPARATOR, "--epochs", 1,
                 "--quiet", "--force", *options)


def tag(bench: Bench, source: Path, *options: object) -> Usage:
    """What ``test-rnn`` used."""
    return child(ROOT / "test_rnn.py", bench.folder / "model", source, "--force", "--format", "tokens", *options)


def growth(bench: Bench) -> Iterator[Figure]:
    """An epoch of train-rnn on 1, 2, 4 ... copies of the corpus, and with wider and wider networks.

    The ratio of times is to that many times the time of one copy: 1 is linear, more is better than linear. Start-up
    is in all of them, so small corpora flatter.
    """
    sizes = [2 ** k for k in range(bench.growth.bit_length())]
    corpora = {n: bench.corpus_file(n) for n in sizes}
    rounds, tokens = range(min(3, bench.rounds)), sum(map(len, bench.train))
    runs = [{n: train(bench, path) for n, path in corpora.items()} for _ in rounds]
    for n in sizes:
        yield compared(f"an epoch, {n * tokens:,} tokens / {n} x the time of 1", "CPU s",
                       [run[n].cpu for run in runs], [n * run[1].cpu for run in runs], less_is_better=True)
    peak = {n: max(run[n].memory for run in runs) for n in sizes}
    for n in sizes:
        more = f" ({(peak[n] - peak[1]) * 2 ** 20 / ((n - 1) * tokens):,.0f} bytes a token more)" if n > 1 else ""
        yield Figure(f"peak memory, {n * tokens:,} tokens{more}", "MB", peak[n])
    for width in WIDTHS:
        wide, usual = zip(*([train(bench, corpora[1], "--hidden", H) for H in (width, WIDTHS[1])] for _ in rounds))
        memory = max(usage.memory for usage in wide)
        yield compared(f"an epoch, H {width} / H {WIDTHS[1]} (peak memory {memory:.0f} MB)", "CPU s",
                       [a.cpu for a in wide], [b.cpu for b in usual])


def running(bench: Bench) -> Iterator[Figure]:
    """Start-up of test-rnn, tagging a file, two jobs, memory on a stream."""
    train(bench, bench.corpus_file())
    one = bench.folder / "one.tokens"
    one.write_text(" ".join(bench.test[0].words) + "\n", "utf-8")
    ours, imports = zip(*[(tag(bench, one), child("-c", IMPORTS)) for _ in range(2 * bench.rounds + 1)][1:])
    for unit, which, target in (("wall s", "wall", 1.6), ("CPU s", "cpu", None)):
        yield compared(f"test-rnn, one sentence / python -c '{IMPORTS}'", unit, [getattr(a, which) for a in ours],
                       [getattr(b, which) for b in imports], at_most=True, target=target)
    answer, source = ("-o", bench.folder / "answer"), bench.tokens_file(bench.tokens)
    rates = [bench.tokens / tag(bench, source, *answer).cpu for _ in range(bench.rounds)]
    yield Figure(f"test-rnn, {bench.tokens:,} tokens, start-up included", "tokens/CPU s", statistics.median(rates))
    yield from _jobs(bench)
    short, long = (tag(bench, bench.tokens_file(n), *answer) for n in (bench.stream // 10, bench.stream))
    yield compared(f"peak memory, {bench.stream:,} tokens / {bench.stream // 10:,} "
                   f"({bench.stream / long.cpu:,.0f} tokens/CPU s)", "MB", [long.memory], [short.memory],
                   at_most=True, target=1.1)


def _jobs(bench: Bench) -> Iterator[Figure]:
    """Two jobs against one, on the clock: this wants a machine with two free cores."""
    try:
        tag(bench, bench.folder / "one.tokens", "--jobs", 2)
    except RuntimeError as error:
        click.echo(f"e: jobs: skipped, {str(error).splitlines()[-1]}", err=True)
        return
    source, answers = bench.tokens_file(5 * bench.tokens), {jobs: bench.folder / f"{jobs}.tags" for jobs in (1, 2)}
    one, two = zip(*([tag(bench, source, "--jobs", jobs, "-o", answer) for jobs, answer in answers.items()]
                     for _ in range(min(3, bench.rounds))))
    same = "same" if answers[1].read_bytes() == answers[2].read_bytes() else "DIFFERENT"
    what = f"test-rnn, {5 * bench.tokens:,} tokens, two jobs / one"
    yield compared(f"{what} ({same} answers)", "wall s", [a.wall for a in two], [b.wall for b in one],
                   less_is_better=True, target=1.85)
    yield compared(f"{what} (1 is no overhead)", "CPU s", [a.cpu for a in two], [b.cpu for b in one],
                   less_is_better=True)


def formats(bench: Bench) -> Iterator[Figure]:
    """How fast each format is read, with and without tags, and written."""
    plain = [Sentence([word.replace(" ", "\u00a0") for word in s.words], s.tags) for s in bench.train]  # for wordtag
    tokens = sum(map(len, plain))
    for name, format in FORMATS.items():
        data = "".join(map(format(SEPARATOR).write, plain)).encode()

        def read(want: str) -> int:
            deque(format(SEPARATOR, want=want).read(Lines(io.BytesIO(data), name)), 0)
            return tokens

        work: dict[str, Callable[[], float]] = {"read": lambda: read("any")}
        if format.has_words:
            work["read words"] = lambda: read("words")
        work["write"] = lambda: deque(map(format(SEPARATOR).write, plain), 0) or tokens
        for what, rates in interleaved(bench.rounds, **work).items():
            yield Figure(f"{name}, {what}", "tokens/CPU s", max(rates))


def latency(bench: Bench) -> Iterator[Figure]:
    """How long a line takes through ``test-rnn --stream``: written, tagged, read back, before the next is written.
    On the clock, both pipes and their waiting included."""
    train(bench, bench.corpus_file())
    lines = bench.tokens_file(bench.tokens).read_bytes().splitlines(keepends=True)[:5000]
    start, times = time.perf_counter(), []
    command = [sys.executable, ROOT / "test_rnn.py", bench.folder / "model", "--stream", "--format", "tokens"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as program:
        for line in lines:
            program.stdin.write(line)
            answer = b""
            while not answer.endswith(b"\n"):
                answer += program.stdout.read(1 << 16) or sys.exit("test-rnn ended early")
            times.append(1000 * (time.perf_counter() - start))
            start = time.perf_counter()
        program.stdin.close()
    first, *others = times
    yield Figure("test-rnn --stream, start to first answer", "wall ms", first)
    for share in (50, 90, 99):
        yield Figure(f"{len(others):,} lines, {share} % take at most", "wall ms",
                     sorted(others)[len(others) * share // 100])
