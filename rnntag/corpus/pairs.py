"""Pairs of strings, a pair a line: SOURCE TAB TARGET, and perhaps TAB and tags with single spaces between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import CorpusError, quote
from ..files import open_input
from .lines import Lines

UNITS = ("char", "token")


class Question(NamedTuple):
    """What is to be transduced: symbols, and tags that go with them."""

    source: Sequence[str]
    tags: tuple[str, ...] = ()


class Pair(NamedTuple):
    """A question with its answer."""

    source: Sequence[str]
    target: Sequence[str]
    tags: tuple[str, ...] = ()


def symbols(text: str, unit: str) -> list[str]:
    """The symbols of a string: its characters, or the tokens between single spaces.

    Raises CorpusError for an empty token.
    """
    if unit == "char":
        return list(text)
    found = text.split(" ") if text else []
    if "" in found:
        raise CorpusError(quote(text), "tokens have single spaces between them")
    return found


def string(symbols: Sequence[str], unit: str) -> str:
    """The inverse of ``symbols``."""
    return ("" if unit == "char" else " ").join(symbols)


def read_pairs(path: str | Path, unit: str) -> list[Pair]:
    """The pairs of a file; blank lines are passed over.

    Raises CorpusError for a line that is no pair, and when there is none, or only some have tags.
    """
    found = []
    with open_input(path) as stream:
        lines = Lines(stream, path)
        for number, text in lines.texts():
            if not text:
                continue
            source, *rest = text.split("\t")
            if not source or not 1 <= len(rest) <= 2:
                raise CorpusError(quote(text), "a line is SOURCE, a tab, TARGET, and perhaps a tab and tags",
                                  place=lines.place(number))
            place = lines.place(number)
            found.append(Pair(_symbols(source, unit, place), _symbols(rest[0], unit, place), _tags(rest[1:], place)))
            if bool(found[-1].tags) != bool(found[0].tags):
                raise CorpusError("tags in some lines and not in others", "all pairs have them, or none",
                                  place=lines.place(number))
    if not found:
        raise CorpusError("no pairs", "at least one is needed", place=path)
    return found


def read_questions(lines: Lines, unit: str, tags: bool) -> Iterator[Question]:
    """The questions of lines of SOURCE, or with ``tags`` of SOURCE TAB tags; a blank line is an empty question.

    Raises CorpusError for other lines.
    """
    for number, text in lines.texts():
        source, *rest = text.split("\t")
        if text and len(rest) != tags:
            wanted = "SOURCE, a tab and tags, as in the training of the model" if tags else "SOURCE, without a tab"
            raise CorpusError(quote(text), f"a line is {wanted}", place=lines.place(number))
        yield Question(_symbols(source, unit, lines.place(number)), _tags(rest, lines.place(number)))


def _symbols(text: str, unit: str, place: str) -> list[str]:
    try:
        return symbols(text, unit)
    except CorpusError as error:
        error.place = place
        raise


def _tags(rest: list[str], place: str) -> tuple[str, ...]:
    tags = tuple(rest[0].split(" ")) if rest else ()
    if "" in tags:
        raise CorpusError(quote(rest[0]), "tags have single spaces between them", place=place)
    return tags
