"""Lists that go with a corpus: a lexicon of the tags that words may have, a map from tags to tags."""

from __future__ import annotations

from pathlib import Path

from ..errors import CorpusError, quote
from ..files import open_input, shown
from .lines import Lines


def read_lexicon(path: str | Path) -> dict[str, dict[str, str]]:
    """The tags that each word may have, with their places, from lines of word TAB tag SPACE tag ...

    The lines of a word add up. Raises CorpusError for a line that is otherwise.
    """
    found: dict[str, dict[str, str]] = {}
    with open_input(path) as stream:
        lines = Lines(stream, path)
        for number, text in lines.texts():
            if not text:
                continue
            word, tab, rest = text.partition("\t")
            tags = rest.split(" ")
            if not word or not tab or "" in tags or "\t" in rest:
                raise CorpusError(f"{quote(text)}", "a lexicon has word TAB tags, single spaces between them",
                                  place=lines.place(number))
            places, place = found.setdefault(word, {}), lines.place(number)
            for tag in tags:
                places.setdefault(tag, place)
    if not found:
        raise CorpusError("no words", "a lexicon has word TAB tags", place=shown(path))
    return found


def read_tag_map(path: str | Path) -> dict[str, str]:
    """A file of ``FROM TAB TO`` lines; blank lines are passed over, ``#`` is a tag like others.

    Raises CorpusError for other lines, and for a tag that is mapped to two.
    """
    mapping: dict[str, str] = {}
    with open_input(path) as stream:
        lines = Lines(stream, path)
        for number, text in lines.texts():
            parts = text.split("\t")
            if parts == [""]:
                continue
            if len(parts) != 2 or not all(parts):
                raise CorpusError(f"{quote(text)}", "a line of a tag map is FROM, one tab, TO",
                                  place=lines.place(number))
            if mapping.setdefault(*parts) != parts[1]:
                raise CorpusError(f"{quote(parts[0])} is mapped to {quote(mapping[parts[0]])} before",
                                  "each tag is mapped once", place=lines.place(number))
    return mapping
