"""Measuring fairly on a busy machine: interleaved runs, CPU seconds, ratios with their spread.

A machine that does other work is now fast, now slow, so a figure alone says little. Contestants take
turns (A B A B ...), each turn is timed in CPU seconds of the process, and the figure to report is the
median of the ratios of turns that followed each other.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
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


@dataclass
class Figure:
    """One line of the table: ours against something timed beside it.

    ours, other   medians, in ``unit``; ratio their quotient, so that more is better for us
    low, high     smallest and largest ratio of two turns that followed each other
    target        the ratio to reach, or, with ``at_most``, not to exceed; None without one
    """

    section: str
    what: str
    unit: str
    ours: float
    other: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    rounds: int = 1
    target: float | None = None
    at_most: bool = False
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The figure as JSON values, without what is absent."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", False)}


def compared(section: str, what: str, unit: str, ours: Sequence[float], other: Sequence[float],
             less_is_better: bool = False, **rest: Any) -> Figure:
    """The figure for turns of ours and of another, taken in pairs.

    The ratio is ours / other, or, where less is better, other / ours.
    """
    ratios = [b / a if less_is_better else a / b for a, b in zip(ours, other, strict=True)]
    return Figure(section, what, unit, statistics.median(ours), statistics.median(other),
                  statistics.median(ratios), min(ratios), max(ratios), len(ratios), **rest)


def interleaved(contestants: dict[str, Callable[[int], float]], rounds: int) -> dict[str, list[float]]:
    """Work done in a CPU second, for each contestant and round.

    A contestant is called with the number of the round and returns how much it did (tokens, floating
    point operations). They take turns; before the rounds that count, each has one to warm up.
    """
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(-1, rounds):
        for name, work in contestants.items():
            start = time.process_time()
            done = work(max(number, 0))
            seconds = time.process_time() - start
            if number >= 0:
                rates[name].append(done / max(seconds, 1e-9))
    return rates


class Usage(NamedTuple):
    """What a child process used: seconds on the clock, seconds of CPU, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def child(arguments: Sequence[str]) -> Usage:
    """Run a command to its end and say what it used, its own children included in the CPU time.

    Raises RuntimeError, with what it wrote, when it fails. Only where MEASURES_CHILDREN.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", LAUNCHER, *arguments], capture_output=True, text=True,
                         env=environment)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {ran.stderr.strip() or ran.returncode}")
    wall, cpu, memory = map(float, ran.stdout.split())
    return Usage(wall, cpu, memory / (2 ** 20 if sys.platform == "darwin" else 2 ** 10))


def repeated(source: Path, target: Path, tokens: int) -> int:
    """Write the lines of ``source`` again and again until there are ``tokens`` tokens; how many there are."""
    lines = source.read_bytes().splitlines(keepends=True)  # bytes: only LF, CR and CRLF end a line
    size = sum(line.count(b" ") + 1 for line in lines)
    written = 0
    with open(target, "wb") as file:
        while written < tokens:
            if written + size <= tokens:
                file.writelines(lines)
                written += size
                continue
            for line in lines:
                if written >= tokens:
                    break
                file.write(line)
                written += line.count(b" ") + 1
    return written


def environment(packages: Iterable[str]) -> dict[str, str]:
    """The machine and the versions, for the record."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "cores": str(os.cpu_count())}
    try:
        cpu = next(line for line in open("/proc/cpuinfo") if line.startswith("model name"))
        found["cpu"] = cpu.partition(":")[2].strip()
    except (OSError, StopIteration):
        found["cpu"] = platform.processor()
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return found


# ------------------------------------------------------------------ the table


def lines(figures: Iterable[Figure]) -> list[str]:
    """The table as text: a line for each figure."""
    rows = [("", "unit", "ours", "other", "ratio", "(low - high)", "target")]
    for f in figures:
        rows.append((f"{f.section}  {f.what}", f.unit, number(f.ours), number(f.other), number(f.ratio),
                     "" if f.low is None else f"({number(f.low)} - {number(f.high)})",
                     "" if f.target is None else goal(f)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = []
    for row, figure in zip(rows, [None, *figures]):
        cells = [f"{row[0]:{widths[0]}}", f"{row[1]:{widths[1]}}",
                 *(f"{cell:>{width}}" for cell, width in zip(row[2:], widths[2:]))]
        text.append(" | ".join(cells).rstrip() + (f"  {figure.note}" if figure and figure.note else ""))
    return text


def met(figure: Figure) -> bool:
    """Does the figure reach its target?"""
    if figure.target is None or figure.ratio is None:
        return figure.target is None
    return figure.ratio <= figure.target if figure.at_most else figure.ratio >= figure.target


def goal(figure: Figure) -> str:
    """The target in words: ``>= 1.5 met``."""
    return f"{'<' if figure.at_most else '>'}= {figure.target:g} {'met' if met(figure) else 'MISSED'}"


def number(value: float | None) -> str:
    """A number with three significant digits, large ones with thousands set off."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
