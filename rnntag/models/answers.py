"""What taggers answer: probabilities, and whole columns of sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence, Sized
from itertools import tee
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..corpus import Column, Sentence, count_characters
from ..corpus.base import Best
from ..errors import ModelError, OptionError, quote
from ..nn.layers import Array

CHUNK_TOKENS = 16_384  # tokens held at once while tagging
CHUNK_CHARACTERS = 1 << 22  # characters held at once; words may be long

Some = TypeVar("Some", bound=Sized)  # words, or a Sentence
Words = Sequence[str] | Sentence


class Posteriors(NamedTuple):
    """What a tagger makes of a sentence of T words.

    tags           the decoded tags, those that ``tag`` gives
    probabilities  P(y_t = k | x) for each word and tag (T, K): softmax, or marginals
    tag_set        the names of the K tags
    """

    tags: list[str]
    probabilities: Array
    tag_set: list[str]

    def best(self, count: int = 1) -> Best:
        """For each word its decoded tag, then the others by falling probability, ``count`` in all."""
        return ranked(self.tag_set, [self.tag_set.index(tag) for tag in self.tags], self.probabilities, count)


def ranked(names: Sequence[str], first: Iterable[int], p: Array, count: int) -> Best:
    """For each word its decoded class, then the others by falling probability, ``count`` in all, with their names.

    A CRF decodes the best sequence: another tag may be more probable at one word alone, and comes second.
    """
    best = []
    for k, row in zip(first, p):
        order = [k] + [j for j in np.argsort(-row, kind="stable")[:count].tolist() if j != k]
        best.append([(names[j], float(row[j])) for j in order[:count]])
    return best


class Annotator:
    """What all taggers share: they fill columns of sentences.

    fields   the names of the columns that it fills; "" for that of a corpus whose columns have no names
    """

    fields: tuple[str, ...]

    def annotate(self, sentences: Iterable[Words], fields: Collection[str] | None = None,
                 best: int = 0) -> Iterator[Sentence]:
        """New sentences with the words, the line and the source of those given, and the columns filled in; in
        order, streaming.

        fields   which columns (default: all that the tagger has)
        best     how many values a word get their probabilities, the answered one first; 0: none

        A bounded number of sentences is taken ahead. Raises OptionError for a column that the tagger does not have,
        CorpusError for what is no sentence.
        """
        wanted = self.chosen(fields)
        for chunk in chunks(sentences, CHUNK_TOKENS):
            yield from map(filled, chunk, self.answers(chunk, wanted, best))

    def read(self, text: str | Iterable[str], segmenter: Any = None, *, lines: bool = False,
             presegmented: bool = False, fields: Collection[str] | None = None, best: int = 0) -> Iterator[Any]:
        """The sentences of raw text, which may come in blocks, with tokens, offsets and the columns filled in: each
        is a ``corpus.segmented.Segmented``; in order, streaming.

        segmenter             a Segmenter (default: the one that is a part of this model)
        lines, presegmented   as for ``Reader.read``; fields, best: as for ``annotate``

        Raises ModelError where there is no segmenter, and what ``annotate`` raises.
        """
        found, ahead = tee((segmenter or self.segmenter()).read(text, lines, presegmented))
        for sentence, answer in zip(found, self.annotate(ahead, fields, best)):
            sentence.columns = answer.columns
            yield sentence

    def segmenter(self) -> Any:
        """The Segmenter that is a part of this model. Raises ModelError where there is none."""
        parts, place = getattr(self, "parts", {}), getattr(self, "place", "")
        if "segmenter" not in parts:
            raise ModelError("a model without a segmenter", "raw text needs one", "Name one with --segmenter, or "
                             "train again with train-rnn --segmenter.", place)
        return parts["segmenter"]

    def chosen(self, fields: Collection[str] | None) -> tuple[str, ...]:
        """These fields, in the order of the tagger's own; None: all. Raises OptionError as ``annotate``."""
        for name in fields or ():
            if name not in self.fields:
                names = ", ".join(filter(None, self.fields))
                raise OptionError(quote(name), f"the model has {names or 'no named columns'}", place="--fields")
        return tuple(name for name in self.fields if fields is None or name in fields)

    def answers(self, chunk: Sequence[Words], fields: Sequence[str], best: int = 0) -> Iterator[dict[str, Column]]:
        """The columns of each sentence, one after the other; arguments as for ``annotate``."""
        tagger: Any = self
        for given in tagger.probabilities(chunk) if best else tagger.tag(chunk):
            yield {fields[0]: Column(given.tags, given.best(best)) if best else Column(given)}


def words_of(sentence: Words) -> Sequence[str]:
    """The words of what is a Sentence or a list of them."""
    return sentence.words if isinstance(sentence, Sentence) else sentence


def filled(sentence: Words, columns: dict[str, Column]) -> Sentence:
    """A new sentence with these columns."""
    if isinstance(sentence, Sentence):
        return Sentence(sentence.words, columns, sentence.line, sentence.source)
    return Sentence(list(sentence), columns)


def chunks(sentences: Iterable[Some], tokens: int) -> Iterator[list[Some]]:
    """Lists of consecutive sentences with at least ``tokens`` tokens or CHUNK_CHARACTERS characters, the last
    one with fewer.

    Raises CorpusError for what is not a list of words.
    """
    chunk: list[Some] = []
    size = characters = 0
    for number, sentence in enumerate(sentences, 1):
        characters += count_characters(sentence, number)
        size += len(sentence) + 1  # blank lines count, so that a file of them is bounded too
        chunk.append(sentence)
        if size >= tokens or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size, characters = [], 0, 0
    if chunk:
        yield chunk


def cut(values: Any, sentences: Iterable[Sized]) -> Iterator[Any]:
    """The part of each sentence, of values for the tokens of all, one sentence after the other."""
    end = 0
    for sentence in sentences:
        start, end = end, end + len(sentence)
        yield values[start:end]
