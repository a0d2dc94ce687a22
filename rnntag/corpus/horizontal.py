"""One sentence a line, one space between items: wordtag, tokens, tags."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import CorpusError, quote
from .base import Format, Sentence
from .lines import Line, Lines


class LineFormat(Format):
    """A format with one sentence a line and one space between items; a blank line is an empty sentence."""

    def blocks(self, lines: Lines) -> Iterator[Line]:
        return iter(lines)

    def parse(self, text: str, number: int, lines: Lines) -> Sentence:
        items = text.split(" ") if text else []
        if "" in items:
            raise CorpusError(self._stray_space(text), "single spaces stand between tokens",
                              "Remove the extra one.", lines.place(number))
        words, tags = self.split(items, number, lines)
        return Sentence(words, tags, number)

    def write(self, sentence: Sentence) -> str:
        items = self.items(sentence)
        text = " ".join(items)
        if "" in items or "\n" in text or text.count(" ") > max(0, len(items) - 1):
            odd = next(item for item in items if not item or " " in item or "\n" in item)
            raise CorpusError(f"{quote(odd)} cannot be written as {self.name}",
                              "an item is not empty and has no space or line end",
                              "Choose another format.")
        if text.endswith("\r"):  # it would be read back as a Windows line end
            raise CorpusError(f"{quote(items[-1])} ends the line with a carriage return",
                              "that would be lost", "Remove it.")
        return text + "\n"

    def split(self, items: list[str], number: int, lines: Lines) -> tuple[list[str], list[str] | None]:
        """The words and tags of the items of a line."""
        raise NotImplementedError

    def items(self, sentence: Sentence) -> list[str]:
        """What stands between the spaces of the sentence's line: the inverse of ``split``."""
        raise NotImplementedError

    @staticmethod
    def _stray_space(text: str) -> str:
        if text.startswith(" "):
            return "a space at the start of the line"
        if text.endswith(" "):
            return "a space at the end of the line"
        return f"two spaces in a row at column {text.index('  ') + 1}"


class WordTag(LineFormat):
    """``I_PRP read_VBP``: word, separator, tag; the LAST separator counts. Where tags may be missing
    (``want`` is partial) an item without separator is a word alone."""

    name = "wordtag"

    def split(self, items: list[str], number: int, lines: Lines) -> tuple[list[str], list[str]]:
        words, tags = [], []
        for position, item in enumerate(items, 1):
            word, separator, tag = item.rpartition(self.separator)
            if not separator and self.want == "partial":
                word, tag = item, ""
            elif not word or not tag:
                missing = "tag" if not separator or not tag else "word"
                raise CorpusError(f"token {position}, {quote(item)}, has no {missing}",
                                  f"wordtag is word{self.separator}TAG",
                                  "For another separator give --separator.", lines.place(number))
            words.append(word)
            tags.append(tag)
        return words, tags

    def items(self, sentence: Sentence) -> list[str]:
        tags = sentence.tags
        if tags is None and sentence.words:
            raise CorpusError("a sentence without tags", "wordtag needs them")
        return [self._item(word, tag) for word, tag in zip(sentence.words, tags or [], strict=True)]

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
    has_tags = False

    def split(self, items: list[str], number: int, lines: Lines) -> tuple[list[str], None]:
        return items, None

    def items(self, sentence: Sentence) -> list[str]:
        return sentence.words


class Tags(LineFormat):
    """``PRP VBP``: tags alone; the words of a sentence read from it are empty strings."""

    name = "tags"
    has_words = False

    def split(self, items: list[str], number: int, lines: Lines) -> tuple[list[str], list[str]]:
        return [""] * len(items), items

    def items(self, sentence: Sentence) -> list[str]:
        if sentence.tags is None and sentence.words:
            raise CorpusError("a sentence without tags", "tags needs them")
        return sentence.tags or []
