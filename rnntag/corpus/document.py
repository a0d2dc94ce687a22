"""A tagged corpus that somebody corrects: every byte of the file is kept but for the values that change.

The file is held as its lines. A changed value goes into its cell of its line, and what comes out is read again: it
must be the same sentence with the new value and no other difference, or nothing is changed. Saving writes the whole
file aside and moves it into place, unless somebody else has changed it meanwhile.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from ..compression import plain
from ..errors import CorpusError, CorpusWarning, RnntagError, plural, quote
from ..files import STANDARD, reporting, write_bytes
from . import FORMATS, TAGGED, Layout
from .base import COLUMNS, Column, Sentence, field_names
from .columns import CELLS
from .detect import detect_format
from .lines import BYTE_ORDER_MARK, Lines

Values = Mapping[str, Sequence[str]]


class ChangedError(RnntagError):
    """Somebody else has changed the file."""


@dataclass
class Change:
    """A value that became another one: where it is, and the line of the file as it was."""

    sentence: int
    field: str
    token: int
    old: str
    new: str
    line: int
    was: bytes


class Document:
    """A corpus file, its sentences, and the changes made to it.

    sentences   those that have words; values that are missing are ""
    fields      the columns that can be changed: that of the tags, and those that the file has values in
    changes     what was changed by each call of ``change``, for ``undo``

    Raises RnntagError for a file that cannot be read, CorpusError for one that has no place for tags.
    """

    def __init__(self, path: str | Path, layout: Layout | str | None = None, more: Sequence[str] = ()):
        """``more``: columns to have even where the file has no values in them."""
        if str(path) == STANDARD or plain(str(path)) != str(path):
            raise CorpusError("standard input" if str(path) == STANDARD else "a compressed file",
                              "a plain file is needed, to be changed in place", "Unpack it first.", path)
        self.path, self.layout = Path(os.path.realpath(path)), Layout.of(layout)
        self._more = more
        self.changes: list[list[Change]] = []
        self.read()

    def read(self) -> None:
        """Read the file, or read it again; what was changed can then no longer be undone."""
        with reporting(self.path, "read"):
            data = self.path.read_bytes()
            self._stamp = self._stamped()
        layout = self.layout
        lines = Lines(BytesIO(data), self.path, layout.skipped)
        name = layout.format or detect_format(lines, FORMATS, TAGGED, layout.separator)
        if name not in TAGGED:
            raise CorpusError(f"{name} has no place for tags", "they are to be corrected", "Tag it first, for "
                              "example with test-rnn --output-format vertical.", self.path)
        named = field_names(layout.field)
        several = name in ("conllu", "jsonl") and layout.field is None
        fields = [*named, *(field for field in COLUMNS if field not in named)] if several else named
        self.reader = FORMATS[name](layout.separator, fields, layout.column, "partial")
        sentences = [sentence for sentence in self.reader.read(lines) if sentence.words]
        if not sentences:
            raise CorpusError("no sentences", "at least one is needed", place=self.path)
        first = "" if name in ("wordtag", "vertical") or any("" in s.columns for s in sentences) else named[0]
        given = {field for sentence in sentences for field, column in sentence.columns.items()
                 if field != "feats" or any(value != "_" for value in column.values)}
        self.fields = (first, *(field for field in fields if field not in (first, named[0]) and (
            field in given or field in self._more)))
        self._data, self._lines, self.sentences = data, data.split(b"\n"), sentences
        self.changes.clear()

    def values(self, number: int, field: str) -> list[str]:
        """What a column says of each word of a sentence, "" where it says nothing."""
        sentence = self.sentences[number]
        column = sentence.columns.get(field)
        return list(column.values) if column is not None else [""] * len(sentence)

    def change(self, number: int, values: Values) -> list[Change]:
        """Give a sentence these values, and save. Returns what has changed, which may be nothing.

        Raises CorpusError for a value that the format cannot hold, and ChangedError; then nothing is changed.
        """
        wanted = {(field, i): value for field, row in self._checked(number, values).items()
                  for i, value in enumerate(row) if value != self.values(number, field)[i]}
        if self.has_changed():
            raise self._changed()
        changes = []
        try:
            for (field, i), value in wanted.items():
                changes.append(self._put(number, field, i, value))
            if changes:
                self._verify(number)
                self.save()
        except BaseException:
            self._take_back(changes)
            raise
        if changes:
            self.changes.append(changes)
        return changes

    def undo(self) -> list[Change]:
        """Take the last change back, and save. Returns what it was; nothing when there is none."""
        if not self.changes:
            return []
        changes = self.changes.pop()
        lines, before = list(self._lines), [self.values(each.sentence, each.field)[each.token] for each in changes]
        self._take_back(changes)
        try:
            self.save()
        except BaseException:
            self._lines = lines
            for each, value in zip(changes, before):
                self._set(each.sentence, each.field, each.token, value)
            self.changes.append(changes)
            raise
        return changes

    def save(self) -> None:
        """Write the file, whole or not at all.

        Raises ChangedError when it is no longer as it was read or written here, and RnntagError.
        """
        data = b"\n".join(self._lines)
        if self.has_changed():
            raise self._changed()
        write_bytes(self.path, data)
        self._data, self._stamp = data, self._stamped()

    def _changed(self) -> ChangedError:
        return ChangedError("it has changed since it was read here", "nobody's work is overwritten", "Read it again.",
                            self.path)

    def has_changed(self) -> bool:
        """Has somebody else changed the file?"""
        with reporting(self.path, "read"):
            try:
                return self._stamped() != self._stamp and self.path.read_bytes() != self._data
            except FileNotFoundError:
                return True

    def _stamped(self) -> tuple[int, int, int]:
        status = os.stat(self.path)
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _checked(self, number: int, values: Values) -> Values:
        """``values``, when they are one for each word, and none is taken away."""
        place = f"{self.path}:{self.sentences[number].line}"
        for field, row in values.items():
            if field not in self.fields or len(row) != len(self.sentences[number]):
                raise CorpusError(f"{plural(len(row), 'value')} of {quote(field)}",
                                  f"the sentence has {plural(len(self.sentences[number]), 'token')}, and the columns "
                                  + ", ".join(map(quote, self.fields)), place=place)
            for i, (old, new) in enumerate(zip(self.values(number, field), row), 1):
                if old and not new:
                    raise CorpusError(f"no value for token {i}", "it had one", place=place)
        return values

    # -------------------------------------------------------------- lines

    def _put(self, number: int, field: str, i: int, value: str) -> Change:
        """Put a value into its cell, in memory."""
        sentence = self.sentences[number]
        at = self.reader.line_of(sentence, i) - 1
        was = self._lines[at]
        mark = BYTE_ORDER_MARK if at == 0 and was.startswith(BYTE_ORDER_MARK) else b""
        end = b"\r" if was.endswith(b"\r") else b""
        text = was[len(mark):len(was) - len(end)].decode("utf-8")
        place = f"{self.path}:{at + 1}"
        if "\n" in value or "\r" in value:
            raise CorpusError(f"{quote(value)}", "a value has no line end", place=place)
        new = self._with_cell(text, sentence, field, i, value)
        try:
            self._lines[at] = mark + new.encode("utf-8") + end
        except UnicodeEncodeError:
            raise CorpusError(f"{quote(value)}", "text is Unicode", place=place) from None
        change = Change(number, field, i, self.values(number, field)[i], value, at, was)
        self._set(number, field, i, value)
        return change

    def _with_cell(self, text: str, sentence: Sentence, field: str, i: int, value: str) -> str:
        """The text of a line with another value in one of its cells."""
        if self.reader.name == "wordtag":
            items = text.split(" ")
            items[i] = sentence.words[i] + self.reader.separator + value
            return " ".join(items)
        if self.reader.name == "jsonl":
            start, end = _spans(text, field or "tags", sentence, i)
            return text[:start] + json.dumps(value, ensure_ascii=False) + text[end:]
        cells = text.split("\t")
        at = self.reader.column - 1 if self.reader.name == "vertical" else CELLS[field]
        cells += ["_"] * (at + 1 - len(cells))
        cells[at] = value
        return "\t".join(cells)

    def _verify(self, number: int) -> None:
        """Read the lines of a sentence again. Raises CorpusError unless they say what they should."""
        sentence = self.sentences[number]
        at, block = sentence.line - 1, sentence.source
        count = len(block.lines) if block is not None and block.lines else 1
        data = b"\n".join([*self._lines[at:at + count], b""]).removeprefix(BYTE_ORDER_MARK)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CorpusWarning)
                (again,) = self.reader.read(Lines(BytesIO(data), self.path))
        except (CorpusError, ValueError) as error:
            raise self._unfit(sentence, str(error)) from None
        columns = {name: column.values for name, column in sentence.columns.items()
                   if any(column.values)}
        if again.words != sentence.words or {name: column.values for name, column in again.columns.items()
                                             if any(column.values)} != columns:
            raise self._unfit(sentence, "it would be read as something else")

    def _unfit(self, sentence: Sentence, why: str) -> CorpusError:
        return CorpusError(f"a value that {self.reader.name} cannot hold ({why.rstrip('.')})",
                           "it is read back as it was given", "Choose another one.", f"{self.path}:{sentence.line}")

    def _take_back(self, changes: Iterable[Change]) -> None:
        for each in reversed(list(changes)):
            self._lines[each.line] = each.was
            self._set(each.sentence, each.field, each.token, each.old)

    def _set(self, number: int, field: str, i: int, value: str) -> None:
        values = self.values(number, field)
        values[i] = value
        self.sentences[number].columns[field] = Column(values)


def _spans(text: str, key: str, sentence: Sentence, i: int) -> tuple[int, int]:
    """Where in a JSON object the i-th element of the list under ``key`` is.

    Raises CorpusError when there is no such list.
    """
    decoder, space = json.JSONDecoder(), " \t\n\r"

    def skip(at: int, also: str = "") -> int:
        while text[at] in space + also:
            at += 1
        return at

    at, found = skip(skip(0) + 1), None
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        at = skip(at, ":")
        if name == key:  # of a key that is there twice the last one counts
            found = at
        _, at = decoder.raw_decode(text, at)
        at = skip(at, ",")
    if found is None:
        raise CorpusError(f"no {quote(key)}", "its values are to be changed", "Tag it first, for example with "
                          "test-rnn.", f"line {sentence.line}")
    at = skip(found + 1)
    for _ in range(i):
        _, at = decoder.raw_decode(text, at)
        at = skip(at, ",")
    return at, decoder.raw_decode(text, at)[1]
