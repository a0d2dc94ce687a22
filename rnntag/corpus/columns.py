"""One token a line, columns between single tabs, a blank line after each sentence: vertical, conllu."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..errors import CorpusError, quote
from .base import FIELDS, Block, Format, Sentence
from .lines import Lines

MAX_BLOCK_LINES = 100_000  # of a sentence, with its comments
COLUMNS = 10  # of CoNLL-U
PROBABILITY = re.compile(r"0\.[0-9]{6}|1\.000000")  # a cell of vertical, as it is written


class BlockFormat(Format):
    """A format with one token a line. A blank line more than needed is an empty sentence."""

    def blocks(self, lines: Lines) -> Iterator[tuple[int, Block | CorpusError]]:
        first, texts, bad = 1, list[str](), None
        for number, text in lines:
            if text == "":
                yield (first, bad) if bad else (first if texts else number, Block(self.name, texts))
                first, texts, bad = number + 1, [], None
            elif isinstance(text, CorpusError):
                bad, texts = bad or text, []
            elif bad is None:
                texts.append(text)
                if len(texts) > MAX_BLOCK_LINES:
                    bad, texts = CorpusError(
                        f"no blank line in {MAX_BLOCK_LINES:,} lines", "one ends each sentence",
                        "Is it another format? Try --format.", lines.place(first)), []
                    if lines.skipped is None:
                        raise bad
        if bad or texts:
            yield first, bad or Block(self.name, texts, end="" if lines.unfinished else "\n")

    def line_of(self, sentence: Sentence, position: int) -> int:
        block = sentence.source
        return sentence.line + (block.rows[position] if block else 0)

    def checked(self, cells: Iterable[str], what: str, spaces: bool) -> None:
        """Raise CorpusError for a cell that could not be read back."""
        for cell in cells:
            if not cell.strip(" ") or "\t" in cell or "\n" in cell or cell.endswith("\r") or (
                    not spaces and " " in cell):
                raise CorpusError(f"{what} {quote(cell)} cannot be written as {self.name}",
                                  "a column is not empty and has no tab or line end" + (
                                      "" if spaces else ", a tag no space"), "Choose another format.")


class Vertical(BlockFormat):
    """``read TAB VBP``: the word, and the tag in column ``column``; other columns are kept.

    ``Sentence.best`` is in the columns after the tag's: its probability, with six digits, and then other
    tags with theirs.
    """

    name = "vertical"

    def parse(self, block: Block, number: int, lines: Lines) -> Sentence:
        rows = [line.split("\t") for line in block.lines]
        words = [row[0] for row in rows]
        for position, word in enumerate(words):
            if not word.strip(" "):
                raise CorpusError("a line without a word", "vertical is word TAB tag, and an empty line "
                                  "after each sentence", place=lines.place(number + position))
        block.rows, column = range(len(rows)), self.column - 1
        best = self._best(rows, block) if rows and len(rows[0]) > self.column else None
        if self.want == "words":
            return Sentence(words, None, number, block)
        return Sentence(words, [row[column] if len(row) > column else "" for row in rows], number, block, best)

    def _best(self, rows: list[list[str]], block: Block) -> list[list[tuple[str, float]]] | None:
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

    def explain(self) -> str:
        return f"vertical has it in column {self.column}"

    def _with_best(self, line: str, best: list[tuple[str, float]]) -> str:
        """The line with these probabilities beside the tag: ``_best`` backwards."""
        self.checked((tag for tag, _ in best[1:]), "tag", spaces=True)
        row = line.split("\t")
        row[self.column:self.column] = [cell for tag, p in best for cell in (tag, f"{p:.6f}")][1:]
        return "\t".join(row)

    def write(self, sentence: Sentence) -> str:
        source, tags = sentence.source, sentence.tags
        same = source is not None and source.format == self.name
        lines: list[str] = source.lines if same and source else sentence.words
        if not same:
            self.checked(sentence.words, "word", spaces=True)
        if tags is not None:
            self.checked((tag for tag in set(tags) if tag or not same), "tag", spaces=True)
            column, filled = self.column - 1, []
            for line, tag in zip(lines, tags, strict=True):
                if not tag:  # it had none, and stays as it was
                    filled.append(line)
                    continue
                row = line.split("\t")
                row += ["_"] * (column + 1 - len(row))
                row[column] = tag
                filled.append("\t".join(row))
            lines = filled
        if sentence.best:
            lines = list(map(self._with_best, lines, sentence.best))
        end = source.end if same and source else "\n\n"
        return "\n".join(lines) + end if lines else "\n"


class Conllu(BlockFormat):
    """CoNLL-U: ten columns. Words are the lines whose ID is a whole number; the tag is column UPOS,
    XPOS or FEATS. Everything else, comments, ranges, empty nodes and the other columns, is kept."""

    name = "conllu"

    def parse(self, block: Block, number: int, lines: Lines) -> Sentence:
        texts = block.lines
        where = [i for i, line in enumerate(texts) if line[0] != "#"]
        rows = [texts[i].split("\t") for i in where]
        for i, row in zip(where, rows):
            if len(row) != COLUMNS:
                raise CorpusError(f"{len(row)} column{'s' * (len(row) != 1)}", f"CoNLL-U has {COLUMNS}",
                                  self._guess(texts[i], row), lines.place(number + i))
        ids = [row[0] for row in rows]
        if ids != list(map(str, range(1, len(ids) + 1))):
            keep = self._words(ids, number, where, lines)
            where, rows = [where[i] for i in keep], [rows[i] for i in keep]
        words = [row[1] for row in rows]
        if "" in words:
            raise CorpusError("an empty FORM", "a word is not empty", place=lines.place(
                number + where[words.index("")]))
        block.rows = where
        return Sentence(words, None if self.want == "words" else self._tags(rows), number, block)

    def _tags(self, rows: list[list[str]]) -> list[str]:
        column = FIELDS[self.field]
        tags = [row[column] for row in rows]
        if "_" in tags and self.field != "feats":  # no features is something to be learnt
            tags = ["" if tag == "_" else tag for tag in tags]
        return tags

    @staticmethod
    def _guess(text: str, row: list[str]) -> str:
        if len(row) == 1 and text.count(" ") >= COLUMNS - 1:
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

    def explain(self) -> str:
        return f"column {self.field.upper()} has one for each word"

    def write(self, sentence: Sentence) -> str:
        source, column = sentence.source, FIELDS[self.field]
        same = source is not None and source.format == self.name
        tags = ["" for _ in sentence.words] if sentence.tags is None else sentence.tags
        self.checked((tag for tag in set(tags) if tag), "tag", spaces=False)
        if "_" in tags and self.field != "feats":
            raise CorpusError("tag '_' cannot be written as conllu", f"in {self.field.upper()} it means no tag",
                              "Choose another format.")
        if not (same and source):
            self.checked(sentence.words, "word", spaces=True)
            source = Block(self.name, [f"{i}\t{word}" + "\t_" * (COLUMNS - 2)
                                       for i, word in enumerate(sentence.words, 1)], range(len(sentence)))
        lines = source.lines
        if sentence.tags is not None or not same:
            lines = lines.copy()
            for i, tag in zip(source.rows, tags, strict=True):
                row = lines[i].split("\t", column + 1)
                row[column] = tag or "_"
                lines[i] = "\t".join(row)
        return "\n".join(lines) + source.end if lines else "\n"
