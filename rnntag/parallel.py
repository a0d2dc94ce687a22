"""Tagging in several processes: the same chunks as in one process, so the same tags, in order."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from .constraints import ConstrainedTagger
from .corpus import Sentence
from .errors import RnntagError
from .modelfile import load
from .output import Posteriors
from .tagger import CHUNK_TOKENS, chunks

AHEAD = 3  # chunks under way for each process: enough to keep it busy, few enough to bound memory

_tagger: Any = None  # a worker's own, loaded once


class ParallelTagger:
    """A model in ``jobs`` processes, each of which loads it from its folder once.

    constraints   the lexicon and the name of ConstrainedTagger, whose methods these then are; None for none

    Raises RnntagError when a process dies while it is tagging.
    """

    def __init__(self, model: str | Path, jobs: int, kind: str | None = None,
                 constraints: tuple[Mapping[str, Iterable[str]] | None, str] | None = None):
        self.model, self.jobs, self._given = str(model), jobs, (str(model), kind, constraints)
        self.words = _made(*self._given).words  # what is wrong with it shows here, once

    def tag(self, sentences: Iterable[Sequence[str] | Sentence]) -> Iterator[list[str]]:
        """The tags of each sentence, in order; reads a bounded number of chunks ahead."""
        return self._answers("tag", sentences)

    def probabilities(self, sentences: Iterable[Sequence[str] | Sentence]) -> Iterator[Posteriors]:
        """The same with the probabilities of all tags."""
        return self._answers("probabilities", sentences)

    def _answers(self, method: str, sentences: Iterable[Sequence[str] | Sentence]) -> Iterator[Any]:
        context = multiprocessing.get_context("spawn")  # alike on all systems; threads stay at one
        waiting: deque[Future[list[Any]]] = deque()
        with ProcessPoolExecutor(self.jobs, context, _load, self._given) as pool:
            try:
                for chunk in chunks(map(_bare, sentences), CHUNK_TOKENS):
                    waiting.append(pool.submit(_answer, method, chunk))
                    if len(waiting) >= AHEAD * self.jobs:
                        yield from waiting.popleft().result()
                while waiting:
                    yield from waiting.popleft().result()
            except BrokenProcessPool:
                raise RnntagError("a tagging process died", hint="Is there enough memory? Try again "
                                  "with fewer --jobs.", place=self.model) from None
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def _bare(sentence: Sequence[str] | Sentence) -> Sequence[str] | Sentence:
    """A sentence without the lines that it was read from, which no worker needs."""
    return Sentence(sentence.words, sentence.tags, sentence.line) if isinstance(sentence, Sentence) else sentence


def _made(model: str, kind: str | None, constraints: tuple[Any, str] | None) -> Any:
    tagger: Any = load(model, kind)
    return tagger if constraints is None else ConstrainedTagger(tagger, *constraints)


def _load(*given: Any) -> None:
    global _tagger
    _tagger = _made(*given)


def _answer(method: str, chunk: list[Sequence[str] | Sentence]) -> list[Any]:
    return list(getattr(_tagger, method)(chunk))
