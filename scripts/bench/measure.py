"""Measuring fairly on a busy machine: interleaved runs, CPU seconds, ratios with their spread.

A machine that does other work is now fast, now slow, so a figure alone says little. Contestants take turns
(A B A B ...), each turn is timed in CPU seconds of the process, and the figure to report is the median of the ratios
of turns that followed each other.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from rnntag.corpus import FORMATS, Sentence

ROOT = Path(__file__).resolve().parents[2]
MEASURES_CHILDREN = hasattr(os, "wait4")  # not on Windows
# A small process between: the peak memory of a process starts from that of the one it was forked from.
LAUNCHER = """
import os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""
HEADER = "| | unit | ours | other | ratio (low - high) | target |\n|---|---|---|---|---|---|"


@dataclass
class Figure:
    """One line of a table: ours against something timed beside it.

    ours, other   medians, in ``unit``
    ratios        their quotients, so that more is better for us, of turns that followed each other
    target        the ratio to reach, or, with ``at_most``, not to exceed; None without one
    """

    what: str
    unit: str
    ours: float
    other: float | None = None
    ratios: Sequence[float] = ()
    target: float | None = None
    at_most: bool = False

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def met(self) -> bool:
        """Does the ratio reach the target?"""
        return self.target is None or (self.ratio <= self.target if self.at_most else self.ratio >= self.target)

    def __str__(self) -> str:
        """The line, in Markdown."""
        ratio = target = ""
        if self.ratios:
            ratio = f"{number(self.ratio)} ({number(min(self.ratios))} - {number(max(self.ratios))})"
        if self.target is not None:
            target = f"{'<' if self.at_most else '>'}= {self.target:g} {'met' if self.met else 'missed'}"
        other = "" if self.other is None else number(self.other)
        return f"| {self.what} | {self.unit} | {number(self.ours)} | {other} | {ratio} | {target} |"


def compared(what: str, unit: str, ours: Sequence[float], other: Sequence[float], less_is_better: bool = False,
             **rest: Any) -> Figure:
    """The figure for turns of ours and of another: ours / other, or, where less is better, other / ours."""
    ratios = [b / a if less_is_better else a / b for a, b in zip(ours, other, strict=True)]
    return Figure(what, unit, statistics.median(ours), statistics.median(other), ratios, **rest)


def number(value: float) -> str:
    """A number with three significant digits, large ones with thousands set off."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def interleaved(rounds: int, **contestants: Callable[[], float]) -> dict[str, list[float]]:
    """Work done in a CPU second, for each contestant and round.

    A contestant returns how much it did (tokens, floating point operations). They take turns; before the rounds that
    count, each has one to warm up.
    """
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds + 1):
        for name, work in contestants.items():
            start = time.process_time()
            done = work()
            rates[name].append(done / max(time.process_time() - start, 1e-9))
    return {name: found[1:] for name, found in rates.items()}


class Usage(NamedTuple):
    """What a child process used: seconds on the clock, seconds of CPU, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def child(*arguments: object) -> Usage:
    """Run Python with these arguments to its end and say what it used, its own children included in the CPU time.

    Raises RuntimeError, with what it wrote, when it fails. Only where MEASURES_CHILDREN.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", LAUNCHER, sys.executable, *map(str, arguments)],
                         capture_output=True, text=True, env=environment)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {ran.stderr.strip() or ran.returncode}")
    wall, cpu, memory = map(float, ran.stdout.split())
    return Usage(wall, cpu, memory / (2 ** 20 if sys.platform == "darwin" else 2 ** 10))


def repeated(source: Path, target: Path, tokens: int) -> int:
    """Write the lines of ``source`` again and again until there are ``tokens`` tokens; how many there are."""
    written = 0
    with open(target, "wb") as file:
        for line in cycle(source.read_bytes().splitlines(keepends=True)):  # bytes: only LF, CR and CRLF end a line
            if written >= tokens:
                return written
            file.write(line)
            written += line.count(b" ") + 1
    return written


@dataclass
class Bench:
    """What all sections share: the corpora, and how much is to be done.

    rounds      turns of each contestant
    tokens      of a file to tag; stream of a longer one, to look at memory
    growth      copies of the corpus, at most
    peers       names of those to run; none: those that do not take minutes
    raw         text to tag, instead of the test corpus again and again
    """

    train: list[Sentence]
    test: list[Sentence]
    folder: Path
    rounds: int
    tokens: int
    stream: int
    growth: int
    peers: tuple[str, ...] = ()
    raw: Path | None = None

    def tokens_file(self, tokens: int) -> Path:
        """A file of about so many tokens: the raw text, or else the test corpus, again and again."""
        path = self.folder / f"{tokens}.tokens"
        source = self.raw or self.folder / "test.tokens"
        if self.raw is None:
            source.write_text("".join(" ".join(s.words) + "\n" for s in self.test), "utf-8", newline="\n")
        repeated(source, path, tokens)
        return path

    def corpus_file(self, times: int = 1) -> Path:
        """A file with the training corpus so many times."""
        path, write = self.folder / f"{times}.wordtag", FORMATS["wordtag"]("\x1f").write
        path.write_bytes(times * "".join(map(write, self.train)).encode())
        return path
