"""From raw text to sentences, in a stream: parts of the text, the segmenter's labels, sentences with their spaces.

Every character of the text is in a token, or in the spaces after one; those before the first token of a text are in
its ``before``. Of a paragraph longer than a part, the sentences that end MARGIN characters before the part's end are
settled; the rest is read again with what follows. Where no sentence ends, one is ended there, or where it has
MAX_TOKENS tokens, so that memory is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np

from ..corpus.rawtext import BLANK_LINE, MAX_PART, Part, Parts
from ..corpus.segmented import Segmented
from ..nn.layers import Array
from ..text.multiword import Splitter
from ..text.places import Cut, Places

INSIDE, END, SENTENCE = range(3)  # labels: of what is at the end of a piece of text
CHUNK = 2 * MAX_PART  # characters of parts that are segmented together, at least
MARGIN = 2_048  # characters that are read before it is settled where a sentence ends
MAX_TOKENS = 5_000  # of a sentence


class Tokens(NamedTuple):
    """The tokens of some text: where they start and end, and which are the last of a sentence (n,)."""

    starts: Array
    ends: Array
    last: Array


class Block(NamedTuple):
    """Some text that is settled: what stands before its first sentence, and its sentences."""

    before: str
    sentences: Iterator[Segmented]


class Reader:
    """What reads text by labels.

    places     where a token may end
    splitter   which tokens are several words
    """

    places: Places
    splitter: Splitter

    def labels(self, text: str, stops: Sequence[int]) -> tuple[Cut, Array]:
        """The pieces of some texts that stand together in one string, up to the characters ``stops``, and the label
        of each (N,). The end of a text is that of a sentence."""
        raise NotImplementedError

    def read(self, text: str | Iterable[str], lines: bool = False, presegmented: bool = False,
             eager: bool = False) -> Iterator[Segmented]:
        """The sentences of a text, which may come in blocks.

        lines          each line is a sentence
        presegmented   each line is a sentence, spaces separate its tokens
        eager          a sentence need not wait for the spaces after its paragraph, or its line: they are then
                       ``before`` the next, and lost where there is none

        Raises what ``labels`` raises.
        """
        parts = Parts([text] if isinstance(text, str) else text, lines or presegmented)
        return _joined(self._blocks(parts, lines, presegmented, eager), eager)

    def read_each(self, texts: Iterable[str]) -> Iterator[list[Segmented]]:
        """The sentences of each of some texts, as ``read`` gives them; short texts go through the network together.

        Raises what ``labels`` raises.
        """
        for group in _groups(texts):
            if len(group[0]) >= MAX_PART:
                yield list(self.read(group[0]))
                continue
            parts = [list(Parts([text])) for text in group]
            tokens = self._tokens("".join(group), list(chain.from_iterable(parts)))
            borders = [0, *accumulate(map(len, group))]
            places = np.searchsorted(tokens.starts, borders).tolist()
            for text, own, border, first, end in zip(group, parts, borders, places, places[1:]):
                found = Tokens(tokens.starts[first:end] - border, tokens.ends[first:end] - border,
                               tokens.last[first:end])
                yield list(_joined([self._block(found, text, own[0])] if own else []))

    def _blocks(self, parts: Parts, lines: bool, presegmented: bool, eager: bool) -> Iterator[Block]:
        """The text, as far as it is settled, block by block."""
        for chunk in _chunks(parts, 1 if eager else CHUNK):
            text = "".join(part.text for part in chunk)
            tokens = self._tokens(text, chunk, lines, presegmented)
            if not chunk[-1].ends:
                settled = int(tokens.ends[-1]) if len(tokens.ends) else len(text)
                parts.give_back(text[settled:])
                text = text[:settled]
            yield self._block(tokens, text, chunk[0])

    def _block(self, tokens: Tokens, text: str, first: Part) -> Block:
        """A text that begins as its first part does."""
        return Block(text[:int(tokens.starts[0])] if len(tokens.starts) else text,
                     self._sentences(tokens, text, first))

    def _tokens(self, text: str, chunk: list[Part], lines: bool = False, presegmented: bool = False) -> Tokens:
        """The tokens of a chunk that are settled."""
        stops = list(accumulate(len(part.text) for part in chunk))
        if presegmented:
            cut = self.places.cut(text, stops)
            labels = np.where(cut.space, END, INSIDE)
        else:
            cut, labels = self.labels(text, stops)
        if lines or presegmented:
            labels = np.minimum(labels, END)
            labels[_last(cut)] = SENTENCE
        at = np.flatnonzero(labels != INSIDE)
        first = np.concatenate(([0], at[:-1] + 1))[:len(at)]
        tokens = Tokens(cut.starts[first], cut.ends[at], labels[at] == SENTENCE)
        if not chunk or chunk[-1].ends:
            return tokens
        return _settled(tokens, len(text) - len(chunk[-1].text), len(text) - MARGIN)

    def _sentences(self, tokens: Tokens, text: str, first: Part) -> Iterator[Segmented]:
        """The sentences of a text that begins as its first part does."""
        starts, ends = tokens.starts.tolist(), tokens.ends.tolist()
        forms = [text[start:end] for start, end in zip(starts, ends)]
        spaces = [text[end:start] for end, start in zip(ends, [*starts[1:], len(text)])]
        words = list(map(self.splitter, forms)) if self.splitter.seen else []
        offsets = list(zip((tokens.starts + first.offset).tolist(), (tokens.ends + first.offset).tolist()))
        begin, line, at = 0, first.line, 0
        for end in _cut(np.flatnonzero(tokens.last).tolist()):
            own = slice(begin, end)
            splits = {i: several for i, several in enumerate(words[own]) if several}
            line, at = line + text.count("\n", at, starts[begin]), starts[begin]
            yield Segmented(forms[own], offsets[own], spaces[own], splits=splits, line=line)
            begin = end


def _joined(blocks: Iterable[Block], eager: bool = False) -> Iterator[Segmented]:
    """The sentences of a text, each with its number, the spaces between them and what begins with it."""
    held: Segmented | None = None  # until it is known what stands after it
    spaces, number = "", 0
    for before, sentences in blocks:
        if held is not None and not eager:
            held.spaces[-1] += before
        else:
            spaces += before
        for sentence in sentences:
            number += 1
            sentence.number, sentence.before, spaces = number, spaces, ""
            between = (held.spaces[-1] if held else "") + sentence.before
            sentence.opens = ("# newdoc", "# newpar") if number == 1 else (
                "# newpar",) if BLANK_LINE.search(between) else ()
            if held is not None and not eager:
                yield held
            held = sentence
            if eager:
                yield sentence
    if held is not None and not eager:
        yield held


def _groups(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts that together have CHUNK characters, about; one that is as long as a part is alone."""
    group, characters = list[str](), 0
    for text in texts:
        if group and (characters >= CHUNK or len(text) >= MAX_PART):
            yield group
            group, characters = [], 0
        group.append(text)
        characters += len(text) if len(text) < MAX_PART else CHUNK
    if group:
        yield group


def _chunks(parts: Parts, size: int) -> Iterator[list[Part]]:
    """Parts that together have ``size`` characters, or of which the last is not the end of its paragraph."""
    chunk, characters = list[Part](), 0
    for part in parts:
        chunk.append(part)
        characters += len(part.text)
        if characters >= size or not part.ends:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _last(cut: Cut) -> Array:
    """Which pieces are the last of their texts."""
    return np.flatnonzero(np.append(np.diff(cut.text), 1)[:len(cut.ends)])


def _settled(tokens: Tokens, start: int, limit: int) -> Tokens:
    """The tokens up to the last sentence that ends before ``limit``; where none does after ``start``, the last token
    that does ends one, and if there is no such token, one is cut."""
    starts, ends, last = tokens
    count = int(np.searchsorted(ends, limit, side="right"))
    sentences = np.flatnonzero(last[:count])
    if len(sentences) and ends[sentences[-1]] > start:
        count = sentences[-1] + 1
    elif count and ends[count - 1] > start:
        last[count - 1] = True
    elif count < len(starts) and starts[count] < limit:
        ends[count], last[count] = limit, True
        count += 1
    return Tokens(starts[:count], ends[:count], last[:count])


def _cut(lasts: list[int]) -> Iterator[int]:
    """Where sentences end, from the last tokens of those that were found."""
    begin = 0
    for last in lasts:
        while last + 1 - begin > MAX_TOKENS:
            begin += MAX_TOKENS
            yield begin
        yield last + 1
        begin = last + 1
