"""What goes to standard output: plain aligned text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows of cells as lines, columns two spaces apart; those numbered in ``right`` flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) if i in right else cell.ljust(width)
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]


def percent(value: float) -> str:
    """A share as ``90.82``, or ``-`` for not a number."""
    return "-" if value != value else f"{100 * value:.2f}"


def span(interval: Sequence[float] | None) -> str:
    """An interval of shares as ``89.62 to 91.95``, or ``-`` for none."""
    return "-" if interval is None or interval[0] != interval[0] else " to ".join(map(percent, interval))


def probability(p: float, least: float = 0.0001) -> str:
    """``p = 0.031``, or ``p < 0.0001`` below ``least``."""
    return f"p < {least:.2g}" if p <= least else f"p = {p:.2g}"


def short_names(names: Sequence[str]) -> list[str]:
    """File names without their folders, where they can still be told apart."""
    short = [Path(name).name for name in names]
    return [brief if short.count(brief) == 1 else full for brief, full in zip(short, names)]


def text(lines: Sequence[str]) -> bytes:
    """Lines as the bytes to write; what UTF-8 cannot say is escaped."""
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def json_text(record: Any) -> bytes:
    """A JSON value as the bytes to write, in ASCII: no terminal and no reader can misunderstand it."""
    return json.dumps(record, ensure_ascii=True, indent=1).encode() + b"\n"
