"""Text whose words and sentences are known: paragraphs to learn from, and the sentences that were found in raw text.

A token is what stands in the text, a word what is tagged: ``don't`` is one token and two words in many corpora.
CoNLL-U has a range line (3-4) for such a token, and says in MISC what stands beside it where that is not one space:
``SpaceAfter=No``, ``SpacesAfter=\\s\\n``, and before the first token of a text ``SpacesBefore``. So the text can be
put together again, character by character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..errors import CorpusError
from ..files import shown
from . import open_corpus
from .base import Block, Sentence
from .columns import WIDTH

LEARNT_FROM = ("conllu", "tokens")  # formats
SPACE = r"\s\ufeff"  # in brackets of a regular expression: what stands between tokens; U+FEFF is a byte order mark
ESCAPES = {" ": r"\s", "\t": r"\t", "\n": r"\n", "\r": r"\r", "|": r"\p", "\\": r"\\"}
UNESCAPED = {escape: char for char, escape in ESCAPES.items()}
ESCAPE = re.compile(r"\\[stnrp\\]")
BEGINNING = re.compile(r"#\s*new(doc|par)\b")


# ------------------------------------------------------------------ found in raw text


@dataclass(slots=True, init=False)
class Segmented(Sentence):
    """A sentence that was found in raw text.

    tokens    what stands in the text
    offsets   (start, end) of each, in characters from the beginning of the text
    spaces    what stands after each
    before    what stands before the first, when no token is there to have it after it
    splits    {position of a token: its words}, for tokens of several words
    opens     "# newdoc" and "# newpar" of the sentences that begin a text or a paragraph
    number    from 1, in the text
    """

    tokens: list[str]
    offsets: list[tuple[int, int]]
    spaces: list[str]
    before: str
    splits: dict[int, tuple[str, ...]]
    opens: tuple[str, ...]
    number: int

    def __init__(self, tokens: list[str], offsets: list[tuple[int, int]], spaces: list[str], before: str = "",
                 splits: dict[int, tuple[str, ...]] | None = None, opens: tuple[str, ...] = (), number: int = 1,
                 line: int = 0):
        self.tokens, self.offsets, self.spaces, self.before = tokens, offsets, spaces, before
        self.splits, self.opens, self.number = splits or {}, opens, number
        words = [word for i, token in enumerate(tokens) for word in self.splits.get(i, (token,))]
        Sentence.__init__(self, words if splits else tokens, line=line)

    def prepare(self, format: str, offsets: bool = False) -> None:
        """Make ready what ``write`` of a format needs; with ``offsets`` it has these too."""
        make = {"conllu": self.conllu, "jsonl": self.jsonl}.get(format)
        self.source = make(offsets) if make else None

    @property
    def text(self) -> str:
        """The sentence on one line: spaces of any kind are one space."""
        parts = [part for token, space in zip(self.tokens, self.spaces) for part in (token, " " if space else "")]
        return "".join(parts[:-1])

    def conllu(self, offsets: bool = False) -> Block:
        """The sentence in CoNLL-U, the columns of its words empty."""
        lines = [*self.opens, f"# sent_id = {self.number}", f"# text = {self.text}"]
        rows, empty, splits, word = [], "\t_" * (WIDTH - 3), self.splits, 1
        for i, (token, space) in enumerate(zip(self.tokens, self.spaces)):
            misc = "_" if space == " " else "SpaceAfter=No" if not space else f"SpacesAfter={escaped(space)}"
            if offsets or self.before and i == 0:
                misc = self._more(i, misc, offsets)
            if i in splits:
                lines.append(f"{word}-{word + len(splits[i]) - 1}\t{token}{empty}\t{misc}")
                misc = "_"
            for form in splits.get(i, (token,)):
                rows.append(len(lines))
                lines.append(f"{word}\t{form}{empty}\t{misc}")
                word += 1
        return Block("conllu", lines, rows)

    def _more(self, i: int, misc: str, offsets: bool) -> str:
        more = [f"SpacesBefore={escaped(self.before)}"] if i == 0 and self.before else []
        more += [misc] if misc != "_" else []
        more += ["TokenRange={}:{}".format(*self.offsets[i])] if offsets else []
        return "|".join(more)

    def jsonl(self, offsets: bool = False) -> Block:
        """The sentence as an object of jsonl; ``offsets`` are those of the words, a token's for all its words."""
        values: dict = {"text": self.text} | ({"newpar": True} if self.opens else {})
        if offsets:
            values["offsets"] = [list(place) for i, place in enumerate(self.offsets)
                                 for _ in self.splits.get(i, ("",))]
        return Block("jsonl", values=values)


def escaped(spaces: str) -> str:
    """Spaces as they stand in MISC: ``\\s\\n``."""
    return "".join(ESCAPES.get(char, char) for char in spaces)


# ------------------------------------------------------------------ to learn from


@dataclass
class Paragraph:
    """A text without a break, and what is in it.

    tokens      (start, end) of each
    sentences   how many tokens there are up to the end of each sentence
    splits      {position of a token: its words}, for tokens of several words
    """

    text: str
    tokens: list[tuple[int, int]] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)
    splits: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def parts(self, count: int) -> Iterator[Paragraph]:
        """The paragraph in parts of ``count`` sentences, the last one of fewer."""
        begin = 0
        for i in range(0, len(self.sentences), count):
            sentences = self.sentences[i:i + count]
            own = self.tokens[begin:sentences[-1]]
            start = own[0][0]
            yield Paragraph(self.text[start:own[-1][1]], [(a - start, b - start) for a, b in own],
                            [end - begin for end in sentences],
                            {k - begin: words for k, words in self.splits.items() if begin <= k < sentences[-1]})
            begin = sentences[-1]


class Surface(NamedTuple):
    """What a sentence of CoNLL-U says of the text: its tokens, the spaces after each, those before the first, and
    the words of tokens with several."""

    tokens: list[str]
    spaces: list[str]
    before: str
    splits: dict[int, tuple[str, ...]]


def surface(block: Block) -> Surface:
    """The tokens of a sentence of CoNLL-U. Spaces are as SpacesAfter and SpaceAfter say, or ``# text`` where that
    says more."""
    tokens, miscs, text = list[str](), list[str](), ""
    splits: dict[int, tuple[str, ...]] = {}
    last = 0  # word of the range
    for line in block.lines:
        if line[0] == "#":
            name, mark, value = line.partition("=")
            text = value.strip(" ") if mark and name[1:].strip() == "text" else text
            continue
        number, form, *_, misc = line.split("\t")
        if "-" in number:
            last, splits[len(tokens)] = int(number.split("-")[1]), ()
        elif "." in number:
            continue
        elif int(number) <= last:
            splits[len(tokens) - 1] += (form,)
            continue
        tokens.append(form)
        miscs.append(misc)
    spaces, before = _spaces(tokens, [_attributes(misc) for misc in miscs], text)
    splits = {i: words for i, words in splits.items() if words != (tokens[i],)}
    return Surface(tokens, spaces, before, splits)


def _attributes(misc: str) -> dict[str, str]:
    if misc == "_":
        return {}
    return {name: value for name, _, value in (part.partition("=") for part in misc.split("|"))}


def _spaces(tokens: list[str], attributes: list[dict[str, str]], text: str) -> tuple[list[str], str]:
    shown, at = list[str | None](), 0
    for token in tokens:
        start = at + len(text[at:]) - len(text[at:].lstrip()) if text[at:at + 1].isspace() else at
        if not text.startswith(token, start):
            shown = []
            break
        shown.append(text[at:start])
        at = start + len(token)
    after = [*shown[1:], None] if shown else [None] * len(tokens)
    spaces = [ESCAPE.sub(lambda escape: UNESCAPED[escape[0]], known["SpacesAfter"]) if "SpacesAfter" in known
              else seen if seen is not None else "" if known.get("SpaceAfter") == "No" else " "
              for known, seen in zip(attributes, after)]
    before = attributes[0].get("SpacesBefore", "") if attributes else ""
    return spaces, ESCAPE.sub(lambda escape: UNESCAPED[escape[0]], before)


def paragraphs(path: str | Path, format: str | None = None) -> Iterator[Paragraph]:
    """The paragraphs of a corpus to learn segmentation from.

    conllu   from newdoc or newpar to the next; without any, the whole file is one
    tokens   segmented text: a sentence a line, words between spaces, which are not of the text; from blank line to
             blank line

    Raises CorpusError for what is not as the format says, and when there is nothing.
    """
    parts, found = list[Surface](), False
    with open_corpus(path, format, LEARNT_FROM, want="words") as (_, sentences):
        for sentence in sentences:
            if parts and _begins(sentence):
                yield joined(parts)
                parts = []
            if sentence.words:
                found = True
                parts.append(surface(sentence.source) if sentence.source else
                             Surface(sentence.words, [""] * len(sentence), "", {}))
    if not found:
        raise CorpusError("no sentences", "at least one is needed", place=shown(path))
    if parts:
        yield joined(parts)


def _begins(sentence: Sentence) -> bool:
    """Does a paragraph begin with this sentence?"""
    if sentence.source is None:
        return not sentence.words
    return any(BEGINNING.match(line) for line in sentence.source.lines if line[0] == "#")


def joined(sentences: Iterable[Surface]) -> Paragraph:
    """The paragraph of these sentences."""
    paragraph, parts, at = Paragraph(""), list[str](), 0
    for tokens, spaces, before, splits in sentences:
        parts.append(before if at else "")
        at += len(parts[-1])
        for i, (token, space) in enumerate(zip(tokens, spaces)):
            if i in splits:
                paragraph.splits[len(paragraph.tokens)] = splits[i]
            paragraph.tokens.append((at, at + len(token)))
            parts += token, space
            at += len(token) + len(space)
        paragraph.sentences.append(len(paragraph.tokens))
    paragraph.text = "".join(parts)[:paragraph.tokens[-1][1]]
    return paragraph
