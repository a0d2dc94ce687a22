"""What all formats share: the Sentence, the lines of a file, and one way to refuse or to pass over."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from ..errors import CorpusError, CorpusWarning, OptionError, quote
from ..files import shown

MAX_LINE_BYTES = 1_000_000  # a longer line is a corpus without line ends
MAX_SENTENCE_TOKENS = 20_000
BLOCK_BYTES = 65_536  # taken from the file at once, when there is so much
OLD_MAC = "Are these line ends of old Macs? Convert them with tr '\\r' '\\n'."
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FIELDS = {"upos": 3, "xpos": 4, "feats": 5}  # the columns of CoNLL-U that can be filled, from 0

Line = tuple[int, "str | CorpusError"]  # its number and its text, or why it has none


@dataclass(slots=True)
class Block:
    """The lines that a sentence was read from, for its format to write it back as it was.

    format   the name of that format
    lines    without line ends
    rows     which of them, from 0, hold the words, one after the other
    end      what comes after the last one: its line end and a blank line, or less at the file's end
    values   for jsonl: the object that the line holds
    """

    format: str
    lines: list[str] = field(default_factory=list)
    rows: list[int] | range = range(0)
    end: str = "\n\n"
    values: dict | None = None


@dataclass(slots=True)
class Sentence:
    """Words, their tags (None when untagged), and the line of the file where they begin.

    source   what it was read from, in formats with more than words and tags
    best     for each word its most probable tags with their probabilities, the answered one first
    """

    words: list[str]
    tags: list[str] | None = None
    line: int = 0
    source: Block | None = field(default=None, compare=False, repr=False)
    best: list[list[tuple[str, float]]] | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.words)


def count_characters(sentence: Any, number: int) -> int:
    """The characters of a sentence that a program gave, a list of words or a ``Sentence``: the border where it
    is checked.

    Raises CorpusError, with the sentence's number and the token's, for what is not a list of strings.
    """
    words = sentence.words if isinstance(sentence, Sentence) else sentence
    if isinstance(words, str) or not isinstance(words, Collection):
        raise CorpusError(quote(words), "a sentence is a list of words", "Split it into words first.",
                          f"sentence {number}")
    try:
        return len("".join(words))
    except TypeError:
        position, word = next((i, word) for i, word in enumerate(words, 1) if not isinstance(word, str))
        raise CorpusError(f"token {position} is {quote(word)}", "a token is a string",
                          place=f"sentence {number}") from None


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
        head = f"{self.count:,} sentence{'s' * (self.count != 1)} skipped that could not be read"
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
        self._rest = self._read()
        self._ahead: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        while self._ahead:
            yield self._ahead.popleft()
        yield from self._rest

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

    def _read(self) -> Iterator[Line]:
        """All lines. The stream is taken in blocks that end wherever they may, as they come; ``rest``
        is what has come of the last line. A line within one block is short enough by that alone."""
        size = min(BLOCK_BYTES, MAX_LINE_BYTES)
        number, offset, rest = 1, 0, b""
        while block := self.stream.read1(size):
            data = rest + block
            first = data.find(b"\n", len(rest))
            if (first if first >= 0 else len(data)) > MAX_LINE_BYTES:
                yield number, self._refused(CorpusError(
                    f"a line of more than {MAX_LINE_BYTES:,} bytes", "a sentence goes on a line of its own",
                    OLD_MAC if b"\r" in data else "Split the text into sentences first.", self.place(number)))
                while first < 0 and block:  # to where the next line begins
                    offset += len(data)
                    data = block = self.stream.read1(size)
                    first = data.find(b"\n")
                data, offset, number = data[first + 1:], offset + first + 1, number + 1
            end = data.rfind(b"\n") + 1
            yield from self._decoded(number, offset, data[:end])
            number, offset, rest = number + data.count(b"\n"), offset + end, data[end:]
        if rest:
            self.unfinished = True
            yield from self._decoded(number, offset, rest + b"\n")

    def _decoded(self, number: int, offset: int, data: bytes) -> Iterator[Line]:
        """Whole lines, the first being line ``number``, ``offset`` bytes into the file."""
        if offset == 0 and data.startswith(BYTE_ORDER_MARK):
            self.warn(number, "a byte order mark; ignored")
            data, offset = data[len(BYTE_ORDER_MARK):], len(BYTE_ORDER_MARK)
        try:
            texts = data.decode("utf-8").split("\n")[:-1]
        except UnicodeDecodeError:
            yield from self._line_by_line(number, offset, data)
            return
        if b"\r" in data:
            texts = [self._without_cr(i, text) for i, text in enumerate(texts, number)]
        yield from enumerate(texts, number)

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


class Format:
    """A way to write sentences down; ``read`` and ``write`` mirror each other.

    separator   between word and tag in wordtag
    field       the column of CoNLL-U that holds the tag: upos, xpos or feats
    column      the column of vertical that holds the tag, counted from 1
    want        which tags ``read`` looks for: ``any``, all of a sentence or none; ``words``, no tags;
                ``tags``, a tag for every word; ``some``, those that there are, "" for the others;
                ``partial``, the same, and in wordtag too words may lack theirs
    """

    name: str
    has_words = True
    has_tags = True

    def __init__(self, separator: str = "_", field: str = "upos", column: int = 2, want: str = "any"):
        if not isinstance(separator, str) or not separator or any(char in separator for char in " \r\n"):
            raise OptionError(f"the separator {quote(separator)}",
                              "it is at least one character and no space or line end")
        if not isinstance(field, str) or field not in FIELDS:
            raise OptionError(quote(field), f"it is one of {', '.join(FIELDS)}", place="--field")
        if type(column) is not int or column < 2:
            raise OptionError(quote(column), "the word is in column 1, the tag in one from 2", place="--column")
        self.separator, self.field, self.column, self.want = separator, field, column, want

    def read(self, lines: Lines) -> Iterator[Sentence]:
        """The sentences of ``lines``; what is passed over (``lines.skipped``) gives an empty one.

        Raises CorpusError for what is not as the format says.
        """
        for number, block in self.blocks(lines):
            try:
                if isinstance(block, CorpusError):
                    raise block
                sentence = self.parse(block, number, lines)
                if len(sentence.words) > MAX_SENTENCE_TOKENS:
                    raise CorpusError(f"a sentence of {len(sentence):,} tokens",
                                      f"at most {MAX_SENTENCE_TOKENS:,} are read",
                                      "Split the text into sentences first.", lines.place(number))
                self.settle(sentence, lines)
            except CorpusError as error:
                if lines.skipped is None:
                    raise
                lines.skipped.add(error)
                sentence = Sentence([], None, number)
            yield sentence

    def settle(self, sentence: Sentence, lines: Lines) -> None:
        """See that the tags are those wanted; "" stands for a tag that is missing."""
        if self.want == "words":
            sentence.tags = None
        elif sentence.tags is not None and "" in sentence.tags and not (
                self.want in ("some", "partial") and any(sentence.tags)):
            if any(sentence.tags):
                at = sentence.tags.index("")
                raise CorpusError(f"token {at + 1}, {quote(sentence.words[at])}, has no tag", self.explain(),
                                  self._hint(), lines.place(self.line_of(sentence, at)))
            sentence.tags = sentence.best = None
        if self.want == "tags" and sentence.tags is None and sentence.words:
            raise CorpusError("a sentence without tags", self.explain(), self._hint(), lines.place(sentence.line))

    def _hint(self) -> str:
        """What to do about a sentence that has not all the tags that it needs."""
        return "Pass over such sentences with --on-error skip." if self.want == "tags" else ""

    def explain(self) -> str:
        """Where this format has the tags, for messages."""
        return f"{self.name} has one for each word"

    def line_of(self, sentence: Sentence, position: int) -> int:
        """The line of the file in which a token stands."""
        return sentence.line

    def blocks(self, lines: Lines) -> Iterator[tuple[int, Any]]:
        """The number of the first line of each sentence, and its line or its Block (or the error)."""
        raise NotImplementedError

    def parse(self, block: Any, number: int, lines: Lines) -> Sentence:
        """A sentence from what ``blocks`` gave."""
        raise NotImplementedError

    def write(self, sentence: Sentence) -> str:
        """``sentence`` as it stands in a file, line ends included.

        Raises CorpusError when it could not be read back as the same sentence.
        """
        raise NotImplementedError
