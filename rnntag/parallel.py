"""Tagging in several processes: the same answers as in one, in the same order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from .corpus import Column, Sentence
from .models.answers import CHUNK_TOKENS, Annotator, Posteriors, Words, chunks, filled, words_of
from .processes import Pool

AHEAD = 3  # chunks under way for each process: enough to keep it busy, few enough to bound memory


class ParallelTagger(Annotator):
    """A tagger in ``jobs`` processes, which share its memory where they can, and otherwise have a copy each.

    The processes are started by a ``with`` block, or when there is something to tag, and kept until the end of the
    block or of this object.

    Raises RnntagError when a process dies while it is tagging.
    """

    def __init__(self, tagger: Any, jobs: int):
        self.words, self.fields, self.info = tagger.words, tagger.fields, tagger.info
        self._pool = Pool(jobs, "a tagging process", _itself, tagger)

    def __enter__(self) -> ParallelTagger:
        self._pool.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.close()

    def map(self, do: Callable[[Any, Any], Any], tasks: Iterable[Any], ahead: bool = True) -> Iterator[Any]:
        """``do(tagger, task)`` for each task, in order; ``ahead``: while others are done, not one after the other."""
        return self._pool.map(do, tasks, AHEAD * self._pool.jobs if ahead else 1)

    def tag(self, sentences: Iterable[Words]) -> Iterator[list[str]]:
        """The tags of each sentence, in order; reads a bounded number of chunks ahead."""
        return (answer for _, answer in self._answers(sentences, "tag"))

    def probabilities(self, sentences: Iterable[Words]) -> Iterator[Posteriors]:
        """The same with the probabilities of all tags."""
        return (answer for _, answer in self._answers(sentences, "probabilities"))

    def annotate(self, sentences: Iterable[Words], fields: Collection[str] | None = None,
                 best: int = 0) -> Iterator[Sentence]:
        for sentence, said in self._answers(sentences, "answers", self.chosen(fields), best):
            yield filled(sentence, {name: Column(*of_words) for name, of_words in said.items()})

    def _answers(self, sentences: Iterable[Words], method: str, *arguments: Any) -> Iterator[tuple[Words, Any]]:
        """Each sentence with what a worker's tagger says of it."""
        under_way: deque[list[Words]] = deque()

        def tasks() -> Iterator[tuple[Any, ...]]:
            for chunk in chunks(sentences, CHUNK_TOKENS):
                under_way.append(chunk)
                yield method, list(map(_bare, chunk)), *arguments

        for answers in self.map(_answer, tasks()):
            yield from zip(under_way.popleft(), answers, strict=True)


def _bare(sentence: Words) -> Words:
    """A sentence without what no worker needs: its words alone, where nothing is said of them. Lists are on their way
    in a tenth of the time that objects take."""
    if isinstance(sentence, Sentence) and sentence.columns:
        return Sentence(sentence.words, sentence.columns, sentence.line)
    return words_of(sentence)


def _itself(tagger: Any) -> Any:
    return tagger


def _answer(tagger: Any, task: tuple[Any, ...]) -> list[Any]:
    method, chunk, *arguments = task
    found = getattr(tagger, method)(chunk, *arguments)
    if method == "answers":
        return [{name: (column.values, column.best) for name, column in columns.items()} for columns in found]
    return list(found)
