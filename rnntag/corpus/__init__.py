"""Sentences, and the text formats they are read from and written to.

Each format is one small class whose ``read`` and ``write`` mirror each other:

    wordtag    I_PRP read_VBP     a sentence a line, split at single spaces, then at the LAST _
    tokens     I read             a sentence a line, words alone
    tags       PRP VBP            a sentence a line, tags alone
    vertical   read TAB VBP       a token a line, a blank line after each sentence, columns kept
    conllu     CoNLL-U            the same with ten columns; only the tags of words change
    jsonl      {"tokens": ...}    a JSON object a line

Everything streams: a file is never held whole. Lines end in LF and nothing else, and tokens are
split at the format's own separator and nothing else, because corpora have U+00A0, U+3000 and
U+2028 inside words. A blank line is an empty sentence (where it ends a sentence already, the next
one), so that sentence n of an answer belongs to sentence n of its question.

May import: errors, compression, files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import tee
from pathlib import Path
from typing import Any

from ..errors import CorpusError, OptionError, quote
from ..files import open_input, shown
from .base import (ALL, COLUMNS, FIELDS, MAX_SENTENCE_TOKENS, Block, Column, Format, Sentence, count_characters,
                   field_names, instead)
from .detect import detect_format
from .horizontal import LineFormat
from .lines import MAX_LINE_BYTES, Lines, Skipped, Span, whole_lines

__all__ = ["ALL", "COLUMNS", "FIELDS", "FORMATS", "MAX_LINE_BYTES", "MAX_SENTENCE_TOKENS", "TAGGED", "TO_TAG",
           "Block", "Column", "Format", "Layout", "LineFormat", "Lines", "Sentence", "Skipped", "Span",
           "count_characters", "elsewhere", "field_names", "open_corpus", "open_lines", "read", "read_tagged"]

CLASSES = {"wordtag": "horizontal:WordTag", "tokens": "horizontal:Tokens", "tags": "horizontal:Tags",
           "vertical": "columns:Vertical", "conllu": "columns:Conllu", "jsonl": "jsonl:JsonLines"}  # module and class


def _format(place: str) -> type[Format]:
    module, name = place.split(":")
    return getattr(import_module(f".{module}", __name__), name)


FORMATS = {name: _format(place) for name, place in CLASSES.items()}
TAGGED = tuple(name for name, format in FORMATS.items() if format.has_words and format.has_tags)
TO_TAG = tuple(name for name, format in FORMATS.items() if format.has_words)


@dataclass(frozen=True)
class Layout:
    """How a file is to be read. Raises OptionError for what no file can be: misuse shows before a file is read.

    format                     one of FORMATS; None: what the file shows
    separator, field, column   as for ``Format``, where ``field`` is ``fields``
    skipped                    counts sentences that cannot be read, which come as empty ones; None: they are errors
    tag_map                    tags of the first column to replace by others, in a corpus to learn from
    """

    format: str | None = None
    separator: str = "_"
    field: str | Sequence[str] | None = None
    column: int = 2
    skipped: Skipped | None = None
    tag_map: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        Format(self.separator, self.field, self.column)
        if self.format is not None and self.format not in FORMATS:
            raise OptionError(quote(self.format), f"it is one of {', '.join(FORMATS)}", place="--format")
        if not isinstance(self.tag_map or {}, Mapping):
            raise OptionError(quote(self.tag_map), "it is a mapping from tags to tags", place="--tag-map")

    @classmethod
    def of(cls, given: Layout | str | None, **more: Any) -> Layout:
        """``given``, or that of a format and keywords."""
        return given if isinstance(given, Layout) else cls(given, **more)


@contextmanager
def open_corpus(path: str | Path, layout: Layout | str | None = None, choices: Iterable[str] = FORMATS, *,
                want: str = "any", **more: Any) -> Iterator[tuple[Format, Iterator[Sentence]]]:
    """The format of a file (``-``: standard input) and its sentences, one after the other.

    layout    a Layout; or the format, its other fields being ``more``
    choices   the formats that will do. Without a format, it is the one of these that the name or the text shows: a
              file's first 100 lines, but only the first line of standard input, so that a dialogue need not wait
    want      as for ``Format``

    Raises CorpusError (place, line and what was wrong) and RnntagError (the file itself).
    """
    layout = Layout.of(layout, **more)
    with open_lines(path, layout, choices, want=want) as (reader, lines):
        yield reader, reader.read(lines)


@contextmanager
def open_lines(path: str | Path, layout: Layout = Layout(), choices: Iterable[str] = FORMATS, *,
               want: str = "any") -> Iterator[tuple[Format, Lines]]:
    """The format of a file, and its lines for that to read; arguments and errors as for ``open_corpus``."""
    if layout.format is not None and layout.format not in tuple(choices):
        raise OptionError(quote(layout.format), f"it is one of {', '.join(choices)}", place="--format")
    with open_input(path) as stream:
        told: dict[str, int] = {}
        looked_at, spans = tee(whole_lines(stream))
        format = layout.format or detect_format(Lines(looked_at, path, layout.skipped, told), FORMATS, tuple(choices),
                                                layout.separator)
        del looked_at  # from here on only the other one holds what is read
        yield FORMATS[format](layout.separator, layout.field, layout.column, want), Lines(
            spans, path, layout.skipped, told)


def read(path: str | Path, layout: Layout | str | None = None, choices: Iterable[str] = FORMATS, *,
         want: str = "any", **more: Any) -> Iterator[Sentence]:
    """The sentences of a file, as ``open_corpus`` gives them."""
    with open_corpus(path, layout, choices, want=want, **more) as (_, sentences):
        yield from sentences


def elsewhere(sentences: Iterable[Sentence]) -> str:
    """What to do about sentences in which the column that was asked for is empty: another one that they have."""
    first = next((sentence for sentence in sentences if sentence.words), None)
    if first is None or first.columns or first.source is None:
        return ""
    found = instead(FORMATS[first.source.format]().there(first))
    return f"{found}." if found else ""


def read_tagged(path: str | Path, layout: Layout | str | None = None, *, empty: bool = False,
                **more: Any) -> list[Sentence]:
    """A tagged corpus to learn from: its sentences, with those that are ``empty`` or without; other arguments as
    for ``open_corpus``.

    All have the same columns, with "" where there is nothing. Of ``all`` columns, those stay in which words differ.

    Raises CorpusError when nothing is left, also in a column, and what ``open_corpus`` raises.
    """
    layout = Layout.of(layout, **more)
    tag_map, skipped = layout.tag_map, layout.skipped
    sentences, shared = [], dict[str, str]().setdefault
    for sentence in read(path, layout, TAGGED, want="tags"):
        if sentence.words or empty:
            if tag_map and sentence.tags:
                sentence.tags = [tag_map.get(tag, tag) for tag in sentence.tags]
            sentence.source = None  # it will not be written back
            for name, tags in sentence.columns.items():  # one string in memory for all that are equal
                sentence.columns[name] = Column(list(map(shared, tags.values, tags.values)))
            sentences.append(sentence)
    if not any(map(len, sentences)):
        hint = str(skipped) if skipped is not None and skipped.count else ""
        raise CorpusError("no tagged sentences", "at least one is needed", hint, place=shown(path))
    _settle(sentences, layout.field, shown(path))
    return sentences


def _settle(sentences: list[Sentence], field: str | Sequence[str] | None, place: str) -> None:
    """Give all sentences the same columns. Raises CorpusError for one that is asked for and empty."""
    found: dict[str, set[str]] = {}
    for sentence in sentences:
        for name, column in sentence.columns.items():
            found.setdefault(name, set()).update(column.values)
    names = [name for name in field_names(field) if field != ALL or len(found.get(name, set()) - {""}) > 1]
    if "" in found:  # the first column, without a name
        names[:1] = [""]
    if missing := [name for name in names if name not in found]:
        raise CorpusError(f"no word has {missing[0].upper()}", "a column that is learnt has something in it",
                          "Leave it out of --field.", place)
    for sentence in sentences:
        sentence.columns = {name: sentence.columns.get(name) or Column([""] * len(sentence)) for name in names}
