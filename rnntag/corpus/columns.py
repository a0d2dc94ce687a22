"""One token a line, columns between single tabs, a blank line after each sentence: vertical, conllu."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat, takewhile
from operator import itemgetter
from typing import Any

from ..errors import CorpusError, plural, quote
from .base import COLUMNS, Best, Block, Column, Format, Sentence
from .lines import Lines

WIDTH = 10  # of CoNLL-U,
CELLS = {"lemma": 2, "upos": 3, "xpos": 4, "feats": 5}  # in which the columns of a sentence are, from 0
NUMBERS = list(map(str, range(1, 201)))  # the IDs of most sentences, which need not be looked at one by one
BLANK = (b"\n\n", b"\n\r\n")  # a line end, and a blank line
END = object()  # stands after the last line
PROBABILITY = re.compile(r"0\.[0-9]{6}|1\.000000")  # a cell of vertical, as it is written


class BlockFormat(Format):
    """A format with one token a line. A blank line more than needed is an empty sentence."""

    token_bytes = 10

    def blocks(self, lines: Lines) -> Iterator[tuple[int, Block | CorpusError]]:
        numbered = iter(lines)
        texts, number, last = chain(map(itemgetter(1), numbered), [END]), lines.first, None
        while last is not END:
            # itertools take no time for each line
            block, first = list(islice(takewhile(bool, texts), self.max_lines + 1)), number
            bad = self._refused(block, first, lines)
            number, last = number + len(block) + 1, block[-1] if block else None
            if len(block) > self.max_lines:  # its other lines are passed over, those that are there
                number, last = next(((at + 1, text) for at, text in numbered if not text), (number, END))
            if last is not END:
                yield first, bad or Block(self.name, block)
            elif bad or len(block) > 1:
                yield first, bad or Block(self.name, block[:-1], end="" if lines.unfinished else "\n")

    def end(self, data: bytes) -> int:
        lines = b"\n" + data
        return max((lines.rfind(blank) + len(blank) - 1 for blank in BLANK if blank in lines), default=0)

    def _refused(self, block: list[Any], first: int, lines: Lines) -> CorpusError | None:
        """What is wrong with the lines of a block, which is raised unless such blocks are passed over."""
        if lines.skipped is not None and (bad := [text for text in block if isinstance(text, CorpusError)]):
            return bad[0]
        if len(block) <= self.max_lines or block[-1] is END:
            return None
        error = CorpusError(f"no blank line in {self.max_lines:,} lines", "one ends each sentence",
                            "Is it another format? Try --format.", lines.place(first))
        if lines.skipped is None:
            raise error
        return error

    def line_of(self, sentence: Sentence, position: int) -> int:
        block = sentence.source
        return sentence.line + (block.rows[position] if block else 0)

    def checked(self, cells: Iterable[str], what: str, spaces: bool) -> None:
        """Raise CorpusError for a cell that could not be read back."""
        for cell in cells:
            if not cell and what == "word":
                raise CorpusError(f"a sentence without words cannot be written as {self.name}",
                                  hint="Choose another format.")
            if not cell.strip(" ") or "\t" in cell or "\n" in cell or cell.endswith("\r") or (
                    not spaces and " " in cell):
                raise CorpusError(f"{what} {quote(cell)} cannot be written as {self.name}",
                                  "a column is not empty and has no tab or line end" + (
                                      "" if spaces else ", a tag no space"), "Choose another format.")


class Vertical(BlockFormat):
    """``read TAB VBP``: the word, and the tag in column ``column``; other columns are kept.

    ``Column.best`` is in the columns after the tag's: its probability, with six digits, and then other
    tags with theirs.
    """

    name = "vertical"

    @classmethod
    def shown_by(cls, texts: list[str]) -> bool:
        """Tabs in all lines, spaces in few; CoNLL-U looks so, too, and is asked before."""
        return bool(texts) and all("\t" in text for text in texts) and sum(" " in text for text in texts) < len(
            texts) / 2

    def parse(self, block: Block, number: int, lines: Lines) -> Sentence:
        rows = [line.split("\t") for line in block.lines]
        words = [row[0] for row in rows]
        if not all(map(str.strip, words, repeat(" "))):
            position = next(i for i, word in enumerate(words) if not word.strip(" "))
            raise CorpusError("a line without a word", "vertical is word TAB tag, and an empty line "
                              "after each sentence", place=lines.place(number + position))
        block.rows, column = range(len(rows)), self.column - 1
        best = self._best(rows, block) if rows and len(rows[0]) > self.column else None
        if self.want == "words":
            return Sentence(words, None, number, block)
        tags = [row[column] if len(row) > column else "" for row in rows]
        return Sentence(words, {"": Column(tags, best)}, number, block)

    def _best(self, rows: list[list[str]], block: Block) -> Best | None:
        """The probabilities beside the tags, taken out of the lines, because new tags bring theirs; None where
        a word has none."""
        if not all(len(row) > self.column and PROBABILITY.fullmatch(row[self.column]) for row in rows):
            return None
        found = []
        for row in rows:
            end = self.column + 1
            while len(row) > end + 1 and PROBABILITY.fullmatch(row[end + 1]):
                end += 2
            cells = row[self.column - 1:end]
            found.append([(tag, float(p)) for tag, p in zip(cells[::2], cells[1::2])])
            del row[self.column:end]
        block.lines = ["\t".join(row) for row in rows]
        return found

    def explain(self, name: str) -> str:
        where = f" in column {self.column}" if name in ("", self.fields[0]) else ""
        return super().explain(name) + where

    def _with_best(self, line: str, best: list[tuple[str, float]]) -> str:
        """The line with these probabilities beside the tag: ``_best`` backwards."""
        self.checked((tag for tag, _ in best[1:]), "tag", spaces=True)
        row = line.split("\t")
        row[self.column:self.column] = [cell for tag, p in best for cell in (tag, f"{p:.6f}")][1:]
        return "\t".join(row)

    def write(self, sentence: Sentence) -> str:
        source, first = sentence.source, sentence.first
        same = source is not None and source.format == self.name
        lines: list[str] = source.lines if same and source else sentence.words
        if not same:
            self.checked(sentence.words, "word", spaces=True)
        if first is not None:
            self.checked((tag for tag in set(first.values) if tag or not same), "tag", spaces=True)
            column, filled = self.column - 1, []
            cells = "\t_" * (column - 1) + "\t"
            for line, tag in zip(lines, first.values, strict=True):
                if tag and "\t" in line:  # without a tag it stays as it was
                    row = line.split("\t")
                    row += ["_"] * (column + 1 - len(row))
                    row[column] = tag
                    line = "\t".join(row)
                elif tag:
                    line = f"{line}{cells}{tag}"
                filled.append(line)
            lines = filled
        if first is not None and first.best:
            lines = list(map(self._with_best, lines, first.best))
        end = source.end if same and source else "\n\n"
        return "\n".join(lines) + end if lines else "\n"


class Conllu(BlockFormat):
    """CoNLL-U: ten columns. Words are the lines whose ID is a whole number; what is said of them is in UPOS, XPOS,
    FEATS and LEMMA. Everything else, comments, ranges, empty nodes and the other columns, is kept."""

    name = "conllu"
    has_columns = True
    token_bytes = 60

    @classmethod
    def shown_by(cls, texts: list[str]) -> bool:
        """Ten columns, the first one with numbers, in most of the lines that are no comments."""
        rows = [text for text in texts if not text.startswith("#")]
        return sum(text.count("\t") == WIDTH - 1 and text[:1].isdigit() for text in rows) > len(rows) / 2

    def parse(self, block: Block, number: int, lines: Lines) -> Sentence:
        texts = block.lines
        where = [i for i, line in enumerate(texts) if line[0] != "#"]
        rows = [texts[i].split("\t") for i in where]
        for i, row in zip(where, rows):
            if len(row) != WIDTH:
                raise CorpusError(plural(len(row), "column"), f"CoNLL-U has {WIDTH}",
                                  self._guess(texts[i], row), lines.place(number + i))
        ids = [row[0] for row in rows]
        if ids != NUMBERS[:len(ids)]:
            keep = self._words(ids, number, where, lines)
            where, rows = [where[i] for i in keep], [rows[i] for i in keep]
        words = [row[1] for row in rows]
        if "" in words:
            raise CorpusError("an empty FORM", "a word is not empty", place=lines.place(
                number + where[words.index("")]))
        block.rows = where
        columns = {name: Column(self._values(name, words, rows))
                   for name in (self.fields if self.want != "words" else ())}
        return Sentence(words, columns, number, block)

    def _values(self, name: str, words: list[str], rows: list[list[str]]) -> list[str]:
        """What a column says of each word, "" where it says nothing."""
        cell = CELLS[name]
        values = [row[cell] for row in rows]
        for i in self._missing(name, words, values):
            values[i] = ""
        return values

    def there(self, sentence: Sentence) -> list[str]:
        block = sentence.source
        rows = [block.lines[i].split("\t") for i in block.rows] if block else []
        return [name for name in COLUMNS
                if all(values := self._values(name, sentence.words, rows)) and {*values} != {"_"}]

    @staticmethod
    def _missing(name: str, words: list[str], values: list[str]) -> list[int]:
        """Where ``_`` stands for no value: in FEATS nowhere, because no features is something to be learnt, and
        not where it is the lemma of the word ``_``."""
        if "_" not in values or name == "feats":
            return []
        return [i for i, value in enumerate(values) if value == "_" and not (name == "lemma" and words[i] == "_")]

    @staticmethod
    def _guess(text: str, row: list[str]) -> str:
        if len(row) == 1 and text.count(" ") >= WIDTH - 1:
            return "Are there spaces where tabs should be?"
        return "Is it TSV? Try --format vertical."

    @staticmethod
    def _words(ids: list[str], number: int, where: list[int], lines: Lines) -> list[int]:
        """Which of the lines with these IDs are words: not ranges (3-4), not empty nodes (8.1)."""
        keep: list[int] = []
        for i, text in enumerate(ids):
            if text == str(len(keep) + 1):
                keep.append(i)
                continue
            first, mark, second = text.partition("-" if "-" in text else ".")
            if not (mark and first.isascii() and first.isdigit() and second.isascii() and second.isdigit()):
                hint = "Is the blank line before it missing?" if text == "1" else ""
                raise CorpusError(f"ID {quote(text)}", f"the next word has {len(keep) + 1}, a range is 3-4, "
                                  "an empty node 8.1", hint, lines.place(number + where[i]))
        return keep

    def explain(self, name: str) -> str:
        return f"column {name.upper()} has one for each word"

    def write(self, sentence: Sentence) -> str:
        source = sentence.source
        if source is None or source.format != self.name:
            self.checked(sentence.words, "word", spaces=True)
            source = Block(self.name, [f"{i}\t{word}" + "\t_" * (WIDTH - 2)
                                       for i, word in enumerate(sentence.words, 1)], range(len(sentence)))
        lines = source.lines.copy()
        for name, column in sentence.columns.items():
            name = name or self.fields[0]
            if name in CELLS:
                self._fill(lines, source.rows, name, sentence.words, column.values)
        return "\n".join(lines) + source.end if lines else "\n"

    def _fill(self, lines: list[str], rows: Iterable[int], name: str, words: list[str], values: list[str]) -> None:
        """Put the values of a column into its cells of the lines ``rows``."""
        kind, cell = self._kind(name), CELLS[name]
        self.checked(filter(None, set(values)), kind, spaces=name == "lemma")
        if self._missing(name, words, values):
            raise CorpusError(f"{kind} '_' cannot be written as conllu", f"in {name.upper()} it means no {kind}",
                              "Choose another format.")
        for i, value in zip(rows, values, strict=True):
            row = lines[i].split("\t", cell + 1)
            row[cell] = value or "_"
            lines[i] = "\t".join(row)
