"""Strings to ids and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from itertools import repeat

UNKNOWN = ""  # the string of id 0; no word or tag is empty, and a feature that is says nothing


class Vocab:
    """A two-way map between strings and ids 0 .. len-1; id 0 is whatever is not in it.

    >>> tags = Vocab(["NN", "VB"])
    >>> tags["VB"], tags["XX"], tags.strings[2]
    (2, 0, 'VB')
    """

    def __init__(self, strings: Iterable[str]):
        self.strings = [UNKNOWN, *strings]

    @cached_property
    def _ids(self) -> dict[str, int]:  # made when first asked for: not every map of a model is
        return {string: i for i, string in enumerate(self.strings)}

    def __reduce__(self) -> tuple[type[Vocab], tuple[list[str]]]:
        return Vocab, (self.strings[1:],)

    @classmethod
    def build(cls, strings: Iterable[str], min_count: int = 1) -> Vocab:
        """The strings seen ``min_count`` times or more, the most frequent first, ties sorted."""
        counts = Counter(strings)
        return cls(sorted((s for s, n in counts.items() if n >= min_count and s != UNKNOWN),
                          key=lambda s: (-counts[s], s)))

    def __getitem__(self, string: str) -> int:
        return self._ids.get(string, 0)

    def __contains__(self, string: str) -> bool:
        return self._ids.get(string, 0) > 0

    def __len__(self) -> int:
        return len(self.strings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and self.strings == other.strings

    def ids(self, strings: Iterable[str]) -> list[int]:
        """The id of each string."""
        return list(map(self._ids.get, strings, repeat(0)))  # type: ignore[arg-type]
