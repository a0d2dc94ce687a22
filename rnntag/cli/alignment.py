"""The weights of attention as a table, or as a picture: columns are what was read, rows what was written."""

from __future__ import annotations

from contextlib import ExitStack
from html import escape
from typing import Any

from ..corpus.pairs import Pair, string
from ..nn.layers import Array

END = "$"  # of a string; it is read and written, too
CELL, MARGIN, GAP = 22, 40, 30  # pixels


class Alignments:
    """A file that gets the alignment of one pair after the other; a context manager.

    path   the file; None: nothing is wanted
    """

    def __init__(self, path: str | None, unit: str, force: bool):
        self.wanted, self.path, self.unit, self.force = path is not None, path, unit, force
        self.drawn: list[str] = []
        self.width, self.height = 0, MARGIN

    def __enter__(self) -> Alignments:
        from ..files import open_output
        self._stack = ExitStack()
        if self.path is not None:
            self._target: Any = self._stack.enter_context(open_output(self.path, force=self.force))
        return self

    def __exit__(self, *error: Any) -> None:
        with self._stack:
            if self.picture and error[0] is None:
                self._target.write(self._svg().encode())
            self._stack.__exit__(*error)

    @property
    def picture(self) -> bool:
        """Is it a picture?"""
        return self.path is not None and self.path.lower().endswith(".svg")

    def add(self, pair: Pair, weights: Array) -> None:
        """One more pair, with its weights (I + 1, S + 1)."""
        read, written = [*pair.source, END], [*pair.target, END]
        if self.picture:
            self._draw(pair, read, written, weights)
            return
        rows = [f"{string(pair.source, self.unit)} -> {string(pair.target, self.unit)}",
                "\t".join(["", *read])]
        rows += ["\t".join([symbol, *(f"{100 * a:.0f}" for a in row)]) for symbol, row in zip(written, weights)]
        self._target.write(("\n".join(rows) + "\n\n").encode())

    def _draw(self, pair: Pair, read: list[str], written: list[str], weights: Array) -> None:
        """Squares that are the darker the larger the weight."""
        top = self.height + CELL
        left = MARGIN + 8 * max(map(len, written))
        for j, symbol in enumerate(read):
            self._text(left + (j + 0.5) * CELL, top - 6, symbol, "middle")
        for i, (symbol, row) in enumerate(zip(written, weights)):
            self._text(left - 6, top + (i + 0.7) * CELL, symbol, "end")
            self.drawn += [f'<rect x="{left + j * CELL}" y="{top + i * CELL}" width="{CELL - 1}" height="{CELL - 1}" '
                           f'fill-opacity="{a:.2f}"/>' for j, a in enumerate(row)]
        self.width = max(self.width, left + CELL * len(read) + MARGIN)
        self.height = top + CELL * len(written) + GAP

    def _text(self, x: float, y: float, symbol: str, anchor: str) -> None:
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in symbol).replace(" ", "\N{OPEN BOX}")
        self.drawn.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(shown)}</text>')

    def _svg(self) -> str:
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}" font-family="sans-serif" font-size="14">')
        return "\n".join([head, f'<rect width="{self.width}" height="{self.height}" fill="white"/>',
                          *self.drawn, "</svg>", ""])
