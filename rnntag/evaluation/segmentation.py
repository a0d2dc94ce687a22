"""How much of a segmentation is right: precision, recall and F1 of spans."""

from __future__ import annotations

from collections.abc import Iterable


class Spans:
    """Spans (start, end) of a text that are known, found, and both."""

    def __init__(self) -> None:
        self.known = self.found = self.right = 0

    def count(self, known: Iterable[tuple[int, int]], found: Iterable[tuple[int, int]]) -> None:
        """Count those of one text."""
        ours, theirs = set(known), set(found)
        self.known, self.found, self.right = (total + len(more) for total, more in zip(
            (self.known, self.found, self.right), (ours, theirs, ours & theirs)))

    @property
    def f1(self) -> float:
        """2 right / (known + found); 0 where there is nothing."""
        return 2 * self.right / max(1, self.known + self.found)
