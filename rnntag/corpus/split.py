"""Parts of a corpus, as positions in it: a part to hold out, and folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import OptionError, plural

if TYPE_CHECKING:  # the generator brings numpy along
    from numpy.random import Generator


def hold_out(count: int, fraction: float, rng: Generator,
             place: str = "--dev-fraction") -> tuple[list[int], list[int]]:
    """The positions 0 .. count-1 in two parts, both in order: the rest, and a random ``fraction``.

    Raises OptionError, of the option ``place``, when one part would be empty.
    """
    size = round(count * fraction)
    if not 0 < size < count:
        raise OptionError(f"{fraction:g} of {plural(count, 'sentence')} is {size}", "both parts need at least one",
                          place=place)
    chosen = set(rng.permutation(count)[:size].tolist())
    return [i for i in range(count) if i not in chosen], sorted(chosen)


def folds(count: int, k: int, rng: Generator | None = None) -> list[list[int]]:
    """The positions 0 .. count-1 in k parts of equal size, give or take one: at random, or every k-th position."""
    if rng is None:
        return [list(range(i, count, k)) for i in range(k)]
    order, ends = rng.permutation(count).tolist(), [i * (count // k) + min(i, count % k) for i in range(k + 1)]
    return [sorted(order[start:end]) for start, end in zip(ends, ends[1:])]
