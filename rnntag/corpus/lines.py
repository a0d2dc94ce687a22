"""The lines of a file as text, read with suspicion: bytes, line ends, lengths; what is passed over is counted."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from io import BufferedIOBase, BytesIO
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ..errors import CorpusError, CorpusWarning, plural
from ..files import shown

MAX_LINE_BYTES = 1_000_000  # a longer line is a corpus without line ends
BLOCK_BYTES = 65_536  # taken from the file at once, when there is so much
OLD_MAC = "Are these line ends of old Macs? Convert them with tr '\\r' '\\n'."
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Line = tuple[int, "str | CorpusError"]  # its number and its text, or why it has none


class Span(NamedTuple):
    """Whole lines as bytes: the number of the first one, how far into the file it is, and the lines with their ends.

    One that lacks its end, and stands alone, is the last of the file, or one of more than MAX_LINE_BYTES, cut off.
    """

    number: int
    offset: int
    data: bytes

    def cut(self, end: int) -> tuple[Span, Span]:
        """The first ``end`` bytes, whole lines, and the rest."""
        return (Span(self.number, self.offset, self.data[:end]),
                Span(self.number + self.data.count(b"\n", 0, end), self.offset + end, self.data[end:]))


def whole_lines(stream: BufferedIOBase) -> Iterator[Span]:
    """All lines of a file, some at a time. The stream is taken in blocks that end wherever they may, as they come;
    ``rest`` is what has come of the last line. A line within one block is short enough by that alone.

    At the end of the file, without LF, CR is the rest of a line end only where others are, and is dropped there.
    """
    size = min(BLOCK_BYTES, MAX_LINE_BYTES)
    number, offset, rest, windows = 1, 0, b"", False
    while block := stream.read1(size):
        data = rest + block
        first = data.find(b"\n", len(rest))
        if (first if first >= 0 else len(data)) > MAX_LINE_BYTES:
            yield Span(number, offset, data[:first] if first >= 0 else data)
            while first < 0 and block:  # to where the next line begins
                offset += len(data)
                data = block = stream.read1(size)
                first = data.find(b"\n")
            data, offset, number = data[first + 1:], offset + first + 1, number + 1
        end = data.rfind(b"\n") + 1
        if end:
            yield Span(number, offset, data[:end])
        windows = windows or b"\r\n" in data
        number, offset, rest = number + data.count(b"\n"), offset + end, data[end:]
    if rest:
        yield Span(number, offset, rest.removesuffix(b"\r") if windows else rest)


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

    def update(self, later: Skipped) -> None:
        """Count those of what comes after, too."""
        self.count += later.count
        self.first = (self.first + later.first)[:self.SHOWN]

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

    stream   a file; or Spans of one
    told     what was told about it already, once a file, and in which line that was
    quiet    warn about nothing, leave that to whoever looks at ``told``
    """

    def __init__(self, stream: BufferedIOBase | Iterable[Span], name: str | Path, skipped: Skipped | None = None,
                 told: dict[str, int] | None = None, quiet: bool = False):
        self.spans = whole_lines(stream) if isinstance(stream, BufferedIOBase) else iter(stream)
        self.first = stream[0].number if isinstance(stream, list) else 1
        self.name, self.skipped, self.quiet = shown(name), skipped, quiet
        self.told = {} if told is None else told
        self.unfinished = False
        self._rest = chain.from_iterable(map(self._decoded, self.spans))
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

    def note(self, number: int, text: str) -> None:
        """The same once a file."""
        if text not in self.told:
            self.told[text] = number
            if not self.quiet:
                self.warn(number, text)

    def _decoded(self, span: Span) -> Iterable[Line]:
        number, offset, data = span
        if not data.endswith(b"\n"):
            if len(data) > MAX_LINE_BYTES:
                return [(number, self._refused(CorpusError(
                    f"a line of more than {MAX_LINE_BYTES:,} bytes", "a sentence goes on a line of its own",
                    OLD_MAC if b"\r" in data else "Split the text into sentences first.", self.place(number))))]
            self.unfinished = True
        if offset == 0 and data.startswith(BYTE_ORDER_MARK):
            self.note(number, "a byte order mark; ignored")
            data, offset = data[len(BYTE_ORDER_MARK):], len(BYTE_ORDER_MARK)
        try:
            return enumerate(self._texts(number, data), number)
        except UnicodeDecodeError:
            return self._line_by_line(number, offset, data)

    def _line_by_line(self, number: int, offset: int, data: bytes) -> Iterator[Line]:
        """The lines one by one, those that are not UTF-8 refused."""
        skipped = offset if number == 1 else 0  # a byte order mark
        for number, raw in enumerate(BytesIO(data), number):
            try:
                yield number, self._texts(number, raw)[0]
            except UnicodeDecodeError as error:
                at = error.start
                yield number, self._refused(CorpusError(
                    f"byte 0x{raw[at]:02x} at byte {at + skipped + 1} of the line (offset {offset + at} in the "
                    "file) is not UTF-8", "corpora are UTF-8",
                    "Convert it, for example with iconv -t UTF-8.", self.place(number)))
            offset, skipped = offset + len(raw), 0

    def _texts(self, number: int, data: bytes) -> list[str]:
        """The lines, the first being line ``number``, without their ends. CR elsewhere is kept."""
        text = data.decode("utf-8")
        if "\r\n" in text:
            self.note(number + text.count("\n", 0, text.index("\r\n")), "Windows line ends (CRLF); read as LF")
            text = text.replace("\r\n", "\n")
        if "\r" in text:
            self.note(number + text.count("\n", 0, text.index("\r")),
                      f"a carriage return (CR) within a line; lines end at LF. {OLD_MAC}")
        return text.removesuffix("\n").split("\n")

    def _refused(self, error: CorpusError) -> CorpusError:
        """The error, when such lines are passed over; otherwise it is raised."""
        if self.skipped is None:
            raise error
        return error
