"""The lines of a file as text, read with suspicion: bytes, line ends, lengths; what is passed over is counted."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from itertools import chain
from pathlib import Path

from ..errors import CorpusError, CorpusWarning, plural
from ..files import shown

MAX_LINE_BYTES = 1_000_000  # a longer line is a corpus without line ends
BLOCK_BYTES = 65_536  # taken from the file at once, when there is so much
OLD_MAC = "Are these line ends of old Macs? Convert them with tr '\\r' '\\n'."
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Line = tuple[int, "str | CorpusError"]  # its number and its text, or why it has none


class Skipped:
    """The sentences that could not be read and were passed over: how many, and the first errors."""

    SHOWN = 3

    def __init__(self) -> None:
        self.count = 0
        self.first: list[CorpusError] = []

    def add(self, error: CorpusError) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < self.SHOWN:
            self.first.append(error)

    def __str__(self) -> str:
        """A line for the sum, and one for each of the first errors."""
        head = f"{plural(self.count, 'sentence')} skipped that could not be read"
        more = [f"and {self.count - len(self.first):,} more"] if self.count > len(self.first) else []
        return "\n  ".join([f"{head}:", *map(str, self.first), *more])


class Lines:
    """The lines of a byte stream as text, with their numbers: ``(1, "I_PRP read_VBP")``.

    A byte order mark and CRLF are dropped with a CorpusWarning; CR elsewhere is kept with one.
    ``unfinished`` tells, at the end, that the last line had no line end.
    Raises CorpusError for a line over MAX_LINE_BYTES and for bytes that are not UTF-8; with
    ``skipped`` such a line is given as the error instead of its text, and reading goes on.
    """

    def __init__(self, stream: BufferedIOBase, name: str | Path, skipped: Skipped | None = None):
        self.stream, self.name, self.skipped = stream, shown(name), skipped
        self.unfinished = False
        self._crlf = self._cr = False
        self._rest = chain.from_iterable(self._read())
        self._ahead: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        return chain(self._seen(), self._rest)

    def _seen(self) -> Iterator[Line]:
        while self._ahead:
            yield self._ahead.popleft()

    def texts(self) -> Iterator[tuple[int, str]]:
        """The lines of a file in which none is passed over."""
        for number, text in self:
            assert isinstance(text, str)
            yield number, text

    def peek(self, limit: int) -> list[str]:
        """The next ``limit`` lines that are not blank, or what there is; they will be read again."""
        return [text for text in self.preview(limit) if text]

    def preview(self, limit: int) -> list[str]:
        """The same with the blank lines between them, from the first line not yet looked at."""
        found, lines = 0, []
        for number, text in self._rest:
            self._ahead.append((number, text))
            if isinstance(text, str):
                lines.append(text)
                found += bool(text)
            if found == limit:
                break
        return lines

    def place(self, number: int) -> str:
        """Line ``number`` as messages name it."""
        return f"{self.name}:{number}"

    def warn(self, number: int, text: str) -> None:
        """Tell about line ``number`` what deserves a look."""
        warnings.warn(f"{self.place(number)}: {text}", CorpusWarning, stacklevel=3)

    def _read(self) -> Iterator[Iterable[Line]]:
        """All lines, some at a time. The stream is taken in blocks that end wherever they may, as they come; ``rest``
        is what has come of the last line. A line within one block is short enough by that alone."""
        size = min(BLOCK_BYTES, MAX_LINE_BYTES)
        number, offset, rest = 1, 0, b""
        while block := self.stream.read1(size):
            data = rest + block
            first = data.find(b"\n", len(rest))
            if (first if first >= 0 else len(data)) > MAX_LINE_BYTES:
                yield [(number, self._refused(CorpusError(
                    f"a line of more than {MAX_LINE_BYTES:,} bytes", "a sentence goes on a line of its own",
                    OLD_MAC if b"\r" in data else "Split the text into sentences first.", self.place(number))))]
                while first < 0 and block:  # to where the next line begins
                    offset += len(data)
                    data = block = self.stream.read1(size)
                    first = data.find(b"\n")
                data, offset, number = data[first + 1:], offset + first + 1, number + 1
            end = data.rfind(b"\n") + 1
            yield self._decoded(number, offset, data[:end])
            number, offset, rest = number + data.count(b"\n"), offset + end, data[end:]
        if rest:
            self.unfinished = True
            yield self._decoded(number, offset, rest + b"\n")

    def _decoded(self, number: int, offset: int, data: bytes) -> Iterable[Line]:
        """Whole lines, the first being line ``number``, ``offset`` bytes into the file."""
        if offset == 0 and data.startswith(BYTE_ORDER_MARK):
            self.warn(number, "a byte order mark; ignored")
            data, offset = data[len(BYTE_ORDER_MARK):], len(BYTE_ORDER_MARK)
        try:
            texts = data.decode("utf-8").split("\n")[:-1]
        except UnicodeDecodeError:
            return self._line_by_line(number, offset, data)
        if b"\r" in data:
            texts = [self._without_cr(i, text) for i, text in enumerate(texts, number)]
        return enumerate(texts, number)

    def _line_by_line(self, number: int, offset: int, data: bytes) -> Iterator[Line]:
        """The lines one by one, those that are not UTF-8 refused."""
        skipped = offset if number == 1 else 0  # a byte order mark
        for number, raw in enumerate(data.split(b"\n")[:-1], number):
            try:
                yield number, self._without_cr(number, raw.decode("utf-8"))
            except UnicodeDecodeError as error:
                at = error.start
                yield number, self._refused(CorpusError(
                    f"byte 0x{raw[at]:02x} at byte {at + skipped + 1} of the line (offset {offset + at} in the "
                    "file) is not UTF-8", "corpora are UTF-8",
                    "Convert it, for example with iconv -t UTF-8.", self.place(number)))
            offset, skipped = offset + len(raw) + 1, 0

    def _without_cr(self, number: int, text: str) -> str:
        """A line without the rest of its Windows line end. One warning is given about these, one about CR elsewhere,
        which is kept; at the end of the file, without LF, it is the rest of a line end only where others are."""
        if text.endswith("\r") and (self._crlf or not self.unfinished):
            if not self._crlf:
                self.warn(number, "Windows line ends (CRLF); read as LF")
            text, self._crlf = text[:-1], True
        if "\r" in text and not self._cr:
            self.warn(number, f"a carriage return (CR) within a line; lines end at LF. {OLD_MAC}")
            self._cr = True
        return text

    def _refused(self, error: CorpusError) -> CorpusError:
        """The error, when such lines are passed over; otherwise it is raised."""
        if self.skipped is None:
            raise error
        return error
