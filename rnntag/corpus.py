"""Sentences, and the text formats they are read from and written to.

Each format is one small class whose ``read`` and ``write`` mirror each other:

    wordtag    I_PRP read_VBP     a sentence a line, split at single spaces, then at the LAST _
    tokens     I read             a sentence a line, words alone
    tags       PRP VBP            a sentence a line, tags alone

Everything streams: a file is never held whole. Lines end in LF and nothing else, and tokens are
split at the format's own separator and nothing else, because corpora have U+00A0, U+3000 and
U+2028 inside words. A blank line is an empty sentence, so that line n of an answer belongs to
line n of its question.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .errors import CorpusError, CorpusWarning, OptionError, quote
from .files import STANDARD, open_input, shown

MAX_LINE_BYTES = 1_000_000  # a longer line is a corpus without line ends
MAX_SENTENCE_TOKENS = 20_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Sentence:
    """Words, their tags (None when untagged), and the line of the file where they begin."""

    words: list[str]
    tags: list[str] | None = None
    line: int = 0

    def __len__(self) -> int:
        return len(self.words)


class Lines:
    """The lines of a byte stream as text, with their numbers: ``(1, "I_PRP read_VBP")``.

    A byte order mark and CRLF are dropped with a CorpusWarning.
    Raises CorpusError for a line over MAX_LINE_BYTES and for bytes that are not UTF-8.
    """

    def __init__(self, stream: BinaryIO, name: str | Path):
        self.stream, self.name = stream, shown(name)
        self._rest = self._decoded()
        self._ahead: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while self._ahead:
            yield self._ahead.popleft()
        yield from self._rest

    def peek(self, limit: int) -> list[str]:
        """The next ``limit`` lines that are not blank, or what there is; they will be read again."""
        found = []
        for number, text in self._rest:
            self._ahead.append((number, text))
            if text:
                found.append(text)
            if len(found) == limit:
                break
        return found

    def _decoded(self) -> Iterator[tuple[int, str]]:
        offset, crlf = 0, False
        for number, raw in enumerate(iter(lambda: self.stream.readline(MAX_LINE_BYTES + 2), b""), 1):
            line, skipped = raw.removesuffix(b"\n"), 0
            if len(line) > MAX_LINE_BYTES:
                raise CorpusError(f"a line of more than {MAX_LINE_BYTES:,} bytes",
                                  "a sentence goes on a line of its own",
                                  "Split the text into sentences first.", self.place(number))
            if number == 1 and line.startswith(BYTE_ORDER_MARK):
                self.warn(number, "a byte order mark; ignored")
                skipped = len(BYTE_ORDER_MARK)
            if line.endswith(b"\r"):
                if not crlf:
                    self.warn(number, "Windows line ends (CRLF); read as LF")
                crlf, line = True, line[:-1]
            try:
                yield number, line[skipped:].decode("utf-8")
            except UnicodeDecodeError as error:
                at = error.start + skipped
                raise CorpusError(
                    f"byte 0x{line[at]:02x} at byte {at + 1} of the line (offset {offset + at} in the "
                    "file) is not UTF-8", "corpora are UTF-8",
                    "Convert it, for example with iconv -t UTF-8.", self.place(number)) from None
            offset += len(raw)

    def place(self, number: int) -> str:
        return f"{self.name}:{number}"

    def warn(self, number: int, text: str) -> None:
        warnings.warn(f"{self.place(number)}: {text}", CorpusWarning, stacklevel=3)


class LineFormat:
    """A format with one sentence a line and one space between items."""

    name: str
    has_words = True
    has_tags = False

    def __init__(self, separator: str = "_"):
        if not separator or any(char in separator for char in " \r\n"):
            raise OptionError(f"the separator {quote(separator)}",
                              "it is at least one character and no space or line end")
        self.separator = separator

    def read(self, lines: Lines) -> Iterator[Sentence]:
        """The sentences of ``lines``, one a line, blank lines as empty sentences."""
        for number, text in lines:
            items = text.split(" ") if text else []
            place = lines.place(number)
            if "" in items:
                raise CorpusError(self._stray_space(text), "single spaces stand between tokens",
                                  "Remove the extra one.", place)
            if len(items) > MAX_SENTENCE_TOKENS:
                raise CorpusError(f"a sentence of {len(items):,} tokens",
                                  f"at most {MAX_SENTENCE_TOKENS:,} are read",
                                  "Split the text into sentences first.", place)
            sentence = self.parse(items, place)
            sentence.line = number
            yield sentence

    def write(self, sentence: Sentence) -> str:
        """``sentence`` as its line, line end included.

        Raises CorpusError when the line could not be read back as the same sentence.
        """
        items = self.items(sentence)
        for item in items:
            if not item or " " in item or "\n" in item:
                raise CorpusError(f"{quote(item)} cannot be written as {self.name}",
                                  "an item is not empty and has no space or line end",
                                  "Choose another format.")
        if items and items[-1].endswith("\r"):  # it would be read back as a Windows line end
            raise CorpusError(f"{quote(items[-1])} ends the line with a carriage return",
                              "that would be lost", "Remove it.")
        return " ".join(items) + "\n"

    def parse(self, items: list[str], place: str) -> Sentence:
        """The items of one line as a sentence."""
        raise NotImplementedError

    def items(self, sentence: Sentence) -> list[str]:
        """What stands between the spaces of the sentence's line: the inverse of ``parse``."""
        raise NotImplementedError

    @staticmethod
    def _stray_space(text: str) -> str:
        if text.startswith(" "):
            return "a space at the start of the line"
        if text.endswith(" "):
            return "a space at the end of the line"
        return f"two spaces in a row at column {text.index('  ') + 1}"


class WordTag(LineFormat):
    """``I_PRP read_VBP``: word, separator, tag; the LAST separator counts."""

    name = "wordtag"
    has_tags = True

    def parse(self, items: list[str], place: str) -> Sentence:
        words, tags = [], []
        for position, item in enumerate(items, 1):
            word, separator, tag = item.rpartition(self.separator)
            if not word or not tag:
                missing = "tag" if not separator or not tag else "word"
                raise CorpusError(f"token {position}, {quote(item)}, has no {missing}",
                                  f"wordtag is word{self.separator}TAG",
                                  "For another separator give --separator.", place)
            words.append(word)
            tags.append(tag)
        return Sentence(words, tags)

    def items(self, sentence: Sentence) -> list[str]:
        if sentence.tags is None:
            raise CorpusError("a sentence without tags", "wordtag needs them")
        return [self._item(word, tag) for word, tag in zip(sentence.words, sentence.tags, strict=True)]

    def _item(self, word: str, tag: str) -> str:
        item = f"{word}{self.separator}{tag}"
        if not word or not tag:
            raise CorpusError(f"{quote(item)} lacks a word or a tag", "wordtag has both",
                              "Choose another format.")
        if item.rpartition(self.separator)[::2] != (word, tag):
            raise CorpusError(f"tag {quote(tag)} contains {quote(self.separator)}, or begins like it ends",
                              "the last separator ends the word", "Choose another one with --separator.")
        return item


class Tokens(LineFormat):
    """``I read``: words alone."""

    name = "tokens"

    def parse(self, items: list[str], place: str) -> Sentence:
        return Sentence(items)

    def items(self, sentence: Sentence) -> list[str]:
        return sentence.words


class Tags(LineFormat):
    """``PRP VBP``: tags alone; the words of a sentence read from it are empty strings."""

    name = "tags"
    has_words = False
    has_tags = True

    def parse(self, items: list[str], place: str) -> Sentence:
        return Sentence([""] * len(items), items)

    def items(self, sentence: Sentence) -> list[str]:
        if sentence.tags is None:
            raise CorpusError("a sentence without tags", "tags needs them")
        return sentence.tags


FORMATS: dict[str, type[LineFormat]] = {cls.name: cls for cls in (WordTag, Tokens, Tags)}


@contextmanager
def open_corpus(path: str | Path, format: str | None = None, choices: Iterable[str] = FORMATS,
                separator: str = "_") -> Iterator[tuple[LineFormat, Iterator[Sentence]]]:
    """The format of a file (``-``: standard input) and its sentences, one after the other.

    Without ``format``, it is the one of ``choices`` that the text itself shows: a file's first 100
    lines, but only the first line of standard input, so that a dialogue need not wait.

    Raises CorpusError (place, line and what was wrong) and RnntagError (the file itself).
    """
    with open_input(path) as stream:
        lines = Lines(stream, path)
        if format is None:
            format = _judge(lines, 1 if str(path) == STANDARD else 100, list(choices), separator)
        reader = FORMATS[format](separator)
        yield reader, reader.read(lines)


def read(path: str | Path, format: str | None = None, separator: str = "_",
         choices: Iterable[str] = FORMATS) -> Iterator[Sentence]:
    """The sentences of a file, as ``open_corpus`` gives them."""
    with open_corpus(path, format, choices, separator) as (_, sentences):
        yield from sentences


def read_tagged(path: str | Path, format: str = "wordtag", separator: str = "_") -> list[Sentence]:
    """A tagged corpus to learn from: its sentences, blank lines left out.

    Raises CorpusError when nothing is left, and what ``read`` raises.
    """
    sentences = [sentence for sentence in read(path, format, separator) if len(sentence)]
    if not sentences:
        raise CorpusError("no tagged sentences", "at least one is needed", place=shown(path))
    return sentences


def detect(path: str | Path, choices: Iterable[str], separator: str = "_") -> str:
    """Which of the formats ``choices`` a file is in. Not for standard input: it is read up.

    Raises CorpusError when it cannot be told.
    """
    with open_input(path) as stream:
        return _judge(Lines(stream, path), 100, list(choices), separator)


def _judge(lines: Lines, limit: int, choices: list[str], separator: str) -> str:
    """wordtag when every token could be one; the other choice when few could, because then
    wordtag it cannot be; between the two, a damaged file of either kind, the user is asked."""
    if len(choices) == 1:
        return choices[0]
    items = [item for text in lines.peek(limit) for item in text.split(" ") if item]
    joined = sum(all(item.rpartition(separator)[::2]) for item in items)
    if "wordtag" in choices and 0 < joined == len(items):
        return "wordtag"
    plain = [choice for choice in choices if choice != "wordtag"]
    if len(plain) == 1 and joined <= len(items) / 10:
        return plain[0]
    raise CorpusError(f"{joined} of its first {len(items)} tokens look like word{separator}TAG; "
                      f"it could be {' or '.join(choices)}", hint="Say which with --format.",
                      place=lines.name)
