"""What all formats share: the Sentence, and one way to refuse or to pass over."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import CorpusError, OptionError, quote
from .lines import Lines

MAX_SENTENCE_TOKENS = 20_000
FIELDS = {"upos": 3, "xpos": 4, "feats": 5}  # the columns of CoNLL-U that can be filled, from 0


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
