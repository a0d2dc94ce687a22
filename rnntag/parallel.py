"""Tagging in several processes: the same chunks as in one process, so the same tags, in order."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from .errors import RnntagError
from .modelfile import Tagger, load
from .tagger import CHUNK_TOKENS, chunks

AHEAD = 3  # chunks under way for each process: enough to keep it busy, few enough to bound memory

_tagger: Tagger | None = None  # a worker's own, loaded once


class ParallelTagger:
    """A model in ``jobs`` processes, each of which loads it from its folder once.

    Raises RnntagError when a process dies while it is tagging.
    """

    def __init__(self, model: str | Path, jobs: int, kind: str | None = None):
        load(model, kind)  # what is wrong with it shows here, once
        self.model, self.jobs, self.kind = str(model), jobs, kind

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence, in order; reads a bounded number of chunks ahead."""
        context = multiprocessing.get_context("spawn")  # alike on all systems; threads stay at one
        waiting: deque[Future[list[list[str]]]] = deque()
        with ProcessPoolExecutor(self.jobs, context, _load, (self.model, self.kind)) as pool:
            try:
                for chunk in chunks(sentences, CHUNK_TOKENS):
                    waiting.append(pool.submit(_tag, chunk))
                    if len(waiting) >= AHEAD * self.jobs:
                        yield from waiting.popleft().result()
                while waiting:
                    yield from waiting.popleft().result()
            except BrokenProcessPool:
                raise RnntagError("a tagging process died", hint="Is there enough memory? Try again "
                                  "with fewer --jobs.", place=self.model) from None
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def _load(model: str, kind: str | None) -> None:
    global _tagger
    _tagger = load(model, kind)


def _tag(chunk: list[Sequence[str]]) -> list[list[str]]:
    assert _tagger is not None
    return list(_tagger.tag(chunk))
