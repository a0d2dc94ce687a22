"""What the adapters share: what a tagger is, shuffling, files and messages that go away."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from rnntag.corpus import Sentence


class Tags(Protocol):
    """Anything that tags."""

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]: ...


def shuffled(sentences: Sequence[Sentence], seed: int) -> list[Sentence]:
    """The sentences in an order drawn from the seed."""
    return random.Random(seed).sample(list(sentences), len(sentences))


class Each:
    """A tagger from a function that tags one sentence."""

    def __init__(self, answer: Callable[[Sequence[str]], Iterable[str]]):
        self.answer = answer

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence."""
        for words in sentences:
            yield list(self.answer(words)) if words else []


class temporary:
    """The name of a file that is gone afterwards."""

    def __enter__(self) -> str:
        self.folder = tempfile.TemporaryDirectory(prefix="peer-")
        return os.path.join(self.folder.name, "model")

    def __exit__(self, *_: Any) -> None:
        self.folder.cleanup()


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """What compiled code writes to standard error meanwhile goes nowhere."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
