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
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import CorpusError, OptionError, quote
from ..files import open_input, shown
from .base import FIELDS, MAX_SENTENCE_TOKENS, Block, Column, Format, Sentence, count_characters
from .detect import detect_format
from .horizontal import LineFormat
from .lines import MAX_LINE_BYTES, Lines, Skipped

__all__ = ["FIELDS", "FORMATS", "MAX_LINE_BYTES", "MAX_SENTENCE_TOKENS", "TAGGED", "TO_TAG", "Block", "Column",
           "Format", "LineFormat", "Lines", "Sentence", "Skipped", "check_layout", "count_characters", "open_corpus",
           "read", "read_tagged"]

CLASSES = {"wordtag": "horizontal:WordTag", "tokens": "horizontal:Tokens", "tags": "horizontal:Tags",
           "vertical": "columns:Vertical", "conllu": "columns:Conllu", "jsonl": "jsonl:JsonLines"}  # module and class


def _format(place: str) -> type[Format]:
    module, name = place.split(":")
    return getattr(import_module(f".{module}", __name__), name)


FORMATS = {name: _format(place) for name, place in CLASSES.items()}
TAGGED = tuple(name for name, format in FORMATS.items() if format.has_words and format.has_tags)
TO_TAG = tuple(name for name, format in FORMATS.items() if format.has_words)


def check_layout(format: str | None = None, separator: str = "_", field: str | Sequence[str] | None = None,
                 column: int = 2, choices: Iterable[str] = TAGGED) -> None:
    """Raise OptionError unless a corpus can be read so: misuse shows before the file is read."""
    Format(separator, field, column)
    if format is not None and format not in tuple(choices):
        raise OptionError(quote(format), f"it is one of {', '.join(choices)}", place="--format")


@contextmanager
def open_corpus(path: str | Path, format: str | None = None, choices: Iterable[str] = FORMATS,
                separator: str = "_", *, field: str | Sequence[str] | None = None, column: int = 2,
                want: str = "any", skipped: Skipped | None = None) -> Iterator[tuple[Format, Iterator[Sentence]]]:
    """The format of a file (``-``: standard input) and its sentences, one after the other.

    Without ``format``, it is the one of ``choices`` that the name or the text shows: a file's first
    100 lines, but only the first line of standard input, so that a dialogue need not wait.

    separator, field, column, want   as for ``Format``, where ``field`` is ``fields``
    skipped   counts the sentences that cannot be read, which come as empty ones; None: they are errors

    Raises CorpusError (place, line and what was wrong) and RnntagError (the file itself).
    """
    check_layout(format, separator, field, column, choices)
    with open_input(path) as stream:
        lines = Lines(stream, path, skipped)
        if format is None:
            format = detect_format(lines, FORMATS, tuple(choices), separator)
        reader = FORMATS[format](separator, field, column, want)
        yield reader, reader.read(lines)


def read(path: str | Path, format: str | None = None, separator: str = "_",
         choices: Iterable[str] = FORMATS, **more: Any) -> Iterator[Sentence]:
    """The sentences of a file, as ``open_corpus`` gives them."""
    with open_corpus(path, format, choices, separator, **more) as (_, sentences):
        yield from sentences


def read_tagged(path: str | Path, format: str | None = None, separator: str = "_", *,
                field: str | Sequence[str] | None = None, column: int = 2, skipped: Skipped | None = None,
                tag_map: Mapping[str, str] | None = None) -> list[Sentence]:
    """A tagged corpus to learn from: its sentences, empty ones left out.

    tag_map   tags of the first column to replace by others

    Raises CorpusError when nothing is left, and what ``open_corpus`` raises.
    """
    sentences, shared = [], dict[str, str]().setdefault
    for sentence in read(path, format, separator, TAGGED, field=field, column=column, want="tags", skipped=skipped):
        if sentence.words:
            if tag_map and sentence.tags:
                sentence.tags = [tag_map.get(tag, tag) for tag in sentence.tags]
            sentence.source = None  # it will not be written back
            for name, tags in sentence.columns.items():  # one string in memory for all that are equal
                sentence.columns[name] = Column(list(map(shared, tags.values, tags.values)))
            sentences.append(sentence)
    if not sentences:
        hint = str(skipped) if skipped is not None and skipped.count else ""
        raise CorpusError("no tagged sentences", "at least one is needed", hint, place=shown(path))
    return sentences
