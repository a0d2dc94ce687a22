"""What the adapters share: what a tagger is, and the order of the sentences."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from rnntag.corpus import Sentence


class Tags(Protocol):
    """Anything that tags."""

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]: ...


class Each:
    """A tagger from a function that tags one sentence."""

    def __init__(self, answer: Callable[[Sequence[str]], Iterable[str]]):
        self.answer = answer

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence."""
        for words in sentences:
            yield list(self.answer(words)) if words else []


def shuffled(sentences: Sequence[Sentence], seed: int) -> list[Sentence]:
    """The sentences in an order drawn from the seed."""
    return random.Random(seed).sample(list(sentences), len(sentences))
