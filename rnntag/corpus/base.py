"""What all formats share: the Sentence, and one way to refuse or to pass over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import CorpusError, OptionError, quote
from .lines import Lines, Span

MAX_SENTENCE_TOKENS = 20_000
FIELDS = ("upos", "xpos", "feats")  # the columns of CoNLL-U that can hold the tags
COLUMNS = (*FIELDS, "lemma")  # all that can be read and filled
ALL = "all"  # names those of them that a corpus has

Best = list[list[tuple[str, float]]]  # for each word its most probable values with their probabilities


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
class Column:
    """What one column says of each word.

    values   "" where it says nothing
    best     for each word its most probable values with their probabilities, that of ``values`` first, or None
    """

    values: list[str]
    best: Best | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, init=False)
class Sentence:
    """Words, what is said of them, and the line of the file where they begin.

    columns   by their names, in order; where a sentence has tags and no more, they may be given as a list, and are
              the column without a name, ""
    source    what it was read from, in formats with more than words and tags
    """

    words: list[str]
    columns: dict[str, Column]
    line: int
    source: Block | None = field(compare=False, repr=False)

    def __init__(self, words: list[str], columns: dict[str, Column] | list[str] | None = None, line: int = 0,
                 source: Block | None = None):
        self.words, self.line, self.source = words, line, source
        self.columns = columns if isinstance(columns, dict) else {} if columns is None else {"": Column(columns)}

    @property
    def first(self) -> Column | None:
        """The first column; None when there is none."""
        return next(iter(self.columns.values()), None)

    @property
    def tags(self) -> list[str] | None:
        """The values of the first column; None when untagged. New ones come without the confidence of the old."""
        for column in self.columns.values():
            return column.values
        return None

    @tags.setter
    def tags(self, values: list[str] | None) -> None:
        if values is None:
            self.columns = {}
        else:
            self.columns[next(iter(self.columns), "")] = Column(values)

    def __len__(self) -> int:
        return len(self.words)


def count_characters(sentence: Any, number: int) -> int:
    """The characters of a sentence that a program gave, a list of words or a ``Sentence``: the border where it
    is checked.

    Raises CorpusError, with the sentence's number and the token's, for what is not a list of strings.
    """
    words = sentence.words if isinstance(sentence, Sentence) else sentence
    if type(words) is not list and (isinstance(words, str) or not isinstance(words, Collection)):
        raise CorpusError(quote(words), "a sentence is a list of words", "Split it into words first.",
                          f"sentence {number}")
    try:
        return len("".join(words))
    except TypeError:
        position, word = next((i, word) for i, word in enumerate(words, 1) if not isinstance(word, str))
        raise CorpusError(f"token {position} is {quote(word)}", "a token is a string",
                          place=f"sentence {number}") from None


def field_names(fields: str | Sequence[str] | None) -> list[str]:
    """The names of columns in a list, or in a text with commas between them; ``all`` are COLUMNS, None is upos.

    Raises OptionError for what is no column, or is one twice.
    """
    if fields == ALL:
        return list(COLUMNS)
    names = fields.split(",") if isinstance(fields, str) else ["upos"] if fields is None else fields
    if not (isinstance(names, (list, tuple)) and names) or any(
            name not in COLUMNS or names.count(name) > 1 for name in names):
        raise OptionError(quote(fields), f"it is one of {', '.join(COLUMNS)}, or several with commas between them",
                          place="--field")
    return list(names)


def instead(there: Sequence[str], several: bool = False) -> str:
    """What to do where words have the columns ``there``, but not the one asked for; "" without any."""
    names = there if several else [name for name in there if name in FIELDS][:1]
    return f"Its words have {' and '.join(names)}: try --field {','.join(names)}" if names else ""


class Format:
    """A way to write sentences down; ``read`` and ``write`` mirror each other.

    separator   between word and tag in wordtag
    fields      the columns of CoNLL-U to read, as for ``field_names``; the first of them is that of the tags, the
                column without a name where a format has no names
    column      the column of vertical that holds the tag, counted from 1
    want        which tags ``read`` looks for: ``any``, all of a column or none; ``words``, no tags;
                ``tags``, to learn from: in the first column a tag for every word, in the others those that there
                are, "" for the rest; ``some``, the same in all columns; ``partial``, the same, and in wordtag too
                words may lack theirs
    """

    name: str
    has_words = True
    has_tags = True
    has_columns = False  # is there a place for more than one?
    token_bytes = 6  # that a token takes in a file, about
    max_lines = 100_000  # of a sentence, with its comments

    def __init__(self, separator: str = "_", fields: str | Sequence[str] | None = None, column: int = 2,
                 want: str = "any"):
        if not isinstance(separator, str) or not separator or any(char in separator for char in " \r\n"):
            raise OptionError(quote(separator), "it is at least one character and no space or line end",
                              place="--separator")
        if type(column) is not int or column < 2:
            raise OptionError(quote(column), "the word is in column 1, the tag in one from 2", place="--column")
        self.separator, self.column, self.want, self.fields = separator, column, want, field_names(fields)

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
                sentence = Sentence([], line=number)
            yield sentence

    def portions(self, spans: Iterable[Span], tokens: int) -> Iterator[list[Span]]:
        """The lines of a file in lists that can be read one without the other: each has about ``tokens`` tokens or
        more, and then ends where a sentence does. Of a sentence with too many lines, not all are there.
        """
        size = tokens * self.token_bytes
        found: list[Span] = []
        held = lines = 0  # bytes; lines since these are enough
        for span in spans:
            held += len(span.data)
            if end := self.end(span.data) if held >= size else 0:
                last, rest = span.cut(end)
                yield [*found, last]
                found, held, lines = [rest] if rest.data else [], len(rest.data), 0
            elif lines <= self.max_lines:
                found.append(span)
                lines += span.data.count(b"\n") if held >= size else 0
        if found:
            yield found

    def end(self, data: bytes) -> int:
        """Where the last sentence that ends in these lines does so; 0: none does."""
        return len(data)

    def settle(self, sentence: Sentence, lines: Lines) -> None:
        """See that the columns are those wanted; "" stands for a tag that is missing."""
        if self.want == "words":
            sentence.columns = {}
            return
        first = next(iter(sentence.columns), "")
        for name, column in list(sentence.columns.items()):
            partly = self.want in ("some", "partial") or self.want == "tags" and name != first
            if "" in column.values and not (partly and any(column.values)):
                if any(column.values):
                    at = column.values.index("")
                    raise CorpusError(f"token {at + 1}, {quote(sentence.words[at])}, has no {self._kind(name)}",
                                      self.explain(name), self._hint(), lines.place(self.line_of(sentence, at)))
                del sentence.columns[name]
        if self.want == "tags" and sentence.words and not {"", self.fields[0]} & sentence.columns.keys():
            raise CorpusError(f"a sentence without {self._kind(self.fields[0])}s", self.explain(self.fields[0]),
                              self._hint(self.there(sentence)), lines.place(sentence.line))

    @staticmethod
    def _kind(name: str) -> str:
        """What the values of a column are called in messages."""
        return name if name == "lemma" else "tag"

    def _hint(self, there: Sequence[str] = ()) -> str:
        """What to do about a sentence that has not all the tags that it needs, but the columns ``there``."""
        other = instead(there, len(self.fields) > 1)
        skip = "pass over such sentences with --on-error skip."
        return (f"{other}, or {skip}" if other else skip.capitalize()) if self.want == "tags" else ""

    def there(self, sentence: Sentence) -> list[str]:
        """The columns of COLUMNS that all words of a sentence have where it was read, also those not asked for."""
        return []

    def explain(self, name: str) -> str:
        """Where this format has the column of this name, for messages."""
        return f"{self.name} has " + ("one for each word" if name in ("", self.fields[0]) else "no place for them")

    def line_of(self, sentence: Sentence, position: int) -> int:
        """The line of the file in which a token stands."""
        return sentence.line

    @classmethod
    def shown_by(cls, texts: list[str]) -> bool:
        """Do the first lines of a file, without the blank ones, look like this format whatever the separator is?"""
        return False

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
