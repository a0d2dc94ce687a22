"""Raw text as a stream: characters from bytes, and parts of it that can be segmented one by one.

A part is a paragraph, which ends at a blank line, with the spaces after it; or a line, where lines are asked for. Of
a paragraph longer than MAX_PART characters a part is what has been read of it; what cannot be decided before more of
it is known is given back, and begins the next part. So memory does not grow with the text, nor with its lines.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

from ..errors import CorpusError
from ..files import shown

BLOCK_BYTES = 65_536  # taken from the file at once, when there is so much
MAX_PART = 65_536  # characters
LINE_END = r"(?:\r\n|\n|\r(?!\n))"
BLANK_LINE = re.compile(rf"(?:{LINE_END}[^\S\r\n]*{LINE_END}|\u2029)\s*")
NEW_LINE = re.compile(rf"{LINE_END}\s*")


def characters(stream: BufferedIOBase, name: str | Path) -> Iterator[str]:
    """The text of a byte stream, as it comes.

    Raises CorpusError for bytes that are not UTF-8.
    """
    decoder, offset, line = codecs.getincrementaldecoder("utf-8")(), 0, 1
    while True:
        block = stream.read1(BLOCK_BYTES)
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            data, at = pending + block, error.start
            raise CorpusError(
                f"byte 0x{data[at]:02x} (offset {offset - len(pending) + at} in the file) is not UTF-8", "text is "
                "UTF-8", "Convert it, for example with iconv -t UTF-8.",
                f"{shown(name)}:{line + data.count(10, 0, at)}") from None
        offset, line = offset + len(block), line + text.count("\n")
        if text:
            yield text
        if not block:
            return


class Part(NamedTuple):
    """Text to segment.

    text    with the spaces after it; it may be nothing but spaces
    offset  of its first character in the whole text
    line    in which it begins, from 1
    ends    does a paragraph end with it (or a line, where lines are asked for)?
    """

    text: str
    offset: int
    line: int
    ends: bool


class Parts:
    """The parts of a text that comes in blocks, one after the other; with ``lines`` each line is a part."""

    def __init__(self, blocks: Iterable[str], lines: bool = False):
        self._blocks, self._break = iter(blocks), NEW_LINE if lines else BLANK_LINE
        self._text, self._searched, self._offset, self._line = "", 0, 0, 1

    def __iter__(self) -> Iterator[Part]:
        for block in self._blocks:
            self._text += block
            yield from self._cut()
        while self._text:
            yield self._taken(min(len(self._text), MAX_PART), len(self._text) <= MAX_PART)
            yield from self._cut()

    def _cut(self) -> Iterator[Part]:
        """The parts that end in what has been read."""
        while True:
            if found := self._break.search(self._text, self._searched, MAX_PART):
                yield self._taken(found.end(), True)
            elif len(self._text) >= MAX_PART:
                yield self._taken(MAX_PART, False)
            else:
                break
        self._searched = len(self._text.rstrip())

    def _taken(self, end: int, ends: bool) -> Part:
        part = Part(self._text[:end], self._offset, self._line, ends)
        self._text, self._searched = self._text[end:], 0
        self._offset += end
        self._line += part.text.count("\n")
        return part

    def give_back(self, text: str) -> None:
        """The end of the part that was given last, and that does not end its paragraph: it begins the next part."""
        self._text, self._searched = text + self._text, 0
        self._offset -= len(text)
        self._line -= text.count("\n")
