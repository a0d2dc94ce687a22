"""Tagging in several processes: the same chunks as in one process, so the same tags, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .corpus import Sentence
from .models.answers import Posteriors
from .models.constraints import ConstrainedTagger
from .models.tagger import CHUNK_TOKENS, chunks
from .processes import Pool
from .storage.modelfile import load

AHEAD = 3  # chunks under way for each process: enough to keep it busy, few enough to bound memory


class ParallelTagger:
    """A model in ``jobs`` processes, each of which loads it from its folder once.

    constraints   the lexicon and the name of ConstrainedTagger, whose methods these then are; None for none

    The processes are started when there is something to tag, and kept until the end of the ``with`` block
    or of this object.

    Raises RnntagError when a process dies while it is tagging.
    """

    def __init__(self, model: str | Path, jobs: int, kind: str | None = None,
                 constraints: tuple[Mapping[str, Iterable[str]] | None, str] | None = None):
        given = str(model), kind, constraints
        self.words = _made(*given).words  # what is wrong with it shows here, once
        self._pool = Pool(jobs, "a tagging process", _made, *given)

    def __enter__(self) -> ParallelTagger:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.close()

    def tag(self, sentences: Iterable[Sequence[str] | Sentence]) -> Iterator[list[str]]:
        """The tags of each sentence, in order; reads a bounded number of chunks ahead."""
        return self._answers("tag", sentences)

    def probabilities(self, sentences: Iterable[Sequence[str] | Sentence]) -> Iterator[Posteriors]:
        """The same with the probabilities of all tags."""
        return self._answers("probabilities", sentences)

    def _answers(self, method: str, sentences: Iterable[Sequence[str] | Sentence]) -> Iterator[Any]:
        tasks = ((method, chunk) for chunk in chunks(map(_bare, sentences), CHUNK_TOKENS))
        for answers in self._pool.map(_answer, tasks, AHEAD * self._pool.jobs):
            yield from answers


def _bare(sentence: Sequence[str] | Sentence) -> Sequence[str] | Sentence:
    """A sentence without the lines that it was read from, which no worker needs."""
    return Sentence(sentence.words, sentence.tags, sentence.line) if isinstance(sentence, Sentence) else sentence


def _made(model: str, kind: str | None, constraints: tuple[Any, str] | None) -> Any:
    tagger: Any = load(model, kind)
    return tagger if constraints is None else ConstrainedTagger(tagger, *constraints)


def _answer(tagger: Any, task: tuple[str, list[Sequence[str] | Sentence]]) -> list[Any]:
    method, chunk = task
    return list(getattr(tagger, method)(chunk))
