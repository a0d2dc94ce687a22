"""The places of a text at which a token may end, and the pieces between them.

Most places need not be asked about: inside ``word`` no token ends, and before a space one always does, in most
languages. Where a place is open, that is learnt from the types of the two characters that meet there: a type is
script and category (``HIRAGANA Lo``, ``Nd``). A pair of types is open when at least SHARE of its places in training
were ends; of the other pairs, those of characters at which a token did end (``cannot``) are open.

A piece is the text from one open place to the next. It begins with a space where one or more stand before it. In
English a piece is a word or a sign, in Japanese a character; so both are sequences for a network.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np

from ..corpus.segmented import SPACE, Paragraph

SHARE = 0.01
Array = np.ndarray
WORD = "LMN"  # letters, marks and numbers: of one script, a pair of these that was never seen is closed
SPACE_TYPE = "space"
MAX_PAIRS = 4_096  # of characters; there are few
WRITTEN = " \u00a0"  # the spaces that can stand inside a token
CODES = 0x110000  # code points


def character_type(character: str) -> str:
    """Script and category of a letter or mark, the category of anything else (UAX 44).

    The script is the first word of the character's name: unicodedata does not have the property itself.
    """
    category = unicodedata.category(character)
    if category[0] not in "LM":
        return category
    return f"{re.split('[ -]', unicodedata.name(character, '?'), maxsplit=1)[0]} {category}"


class Cut(NamedTuple):
    """Texts in pieces, N in all.

    starts, ends   (N,) where each begins, after the spaces before it, and where it ends
    text    (N,) the number of its text
    inner   (N,) may the space after it be inside a token? At other spaces one ends
    space   (N,) does a space stand after it?
    pieces  N strings
    """

    starts: Array
    ends: Array
    text: Array
    inner: Array
    space: Array
    pieces: list[str]


class Places:
    """Which places of a text are open.

    solid          spaces that are tokens, or parts of them, where they stand, as U+3000 is in some corpora
    open, closed   pairs of types, each as one string: ``Nd,Po``; see the module
    inner          pairs of types between which a space may be inside a token (``1 000``)
    pairs          two characters at which a token may end although the pair of their types is closed
    """

    def __init__(self, solid: Iterable[str], open: Iterable[str], closed: Iterable[str], inner: Iterable[str],
                 pairs: Iterable[str]):
        self.solid, self.pairs = sorted(solid), sorted(pairs)
        self.open, self.closed, self.inner = sorted(open), sorted(closed), sorted(inner)
        self.spaces = re.compile(f"(?![{re.escape(''.join(self.solid))}])[{SPACE}]" if self.solid else f"[{SPACE}]")
        self._rules = {**dict.fromkeys(self.closed, False), **dict.fromkeys(self.open, True)}
        self._inner, self._lock = set(self.inner), Lock()
        self._types = [SPACE_TYPE]
        self._type = np.full(CODES, -1, np.int16)  # of each character that was met so far
        self._type[ord(" ")] = 0
        self._is_open = self._is_inner = np.zeros((1, 1), bool)
        self._halves = np.zeros((2, CODES), np.int16)  # of pairs: which first and which second character it is
        self._paired = np.zeros((1 + len(self.pairs), 1 + len(self.pairs)), bool)
        for pair in self.pairs:
            where = [half[ord(char)] or half.max() + 1 for half, char in zip(self._halves, pair)]
            for half, char, number in zip(self._halves, pair, where):
                half[ord(char)] = number
            self._paired[tuple(where)] = True

    @classmethod
    def learnt(cls, paragraphs: Sequence[Paragraph]) -> Places:
        """The places that are open in a corpus."""
        seen, ends, inner, solid = Counter[tuple[str, str]](), Counter[tuple[str, str]](), set[str](), set[str]()
        space = re.compile(f"[{SPACE}]")
        for text, tokens in ((paragraph.text, paragraph.tokens) for paragraph in paragraphs):
            for start, end in tokens:
                for found in space.finditer(text, start, end):
                    if found.end() == end or found.start() == start:
                        solid |= set(found[0]) - set(" \t\r\n")
                    else:
                        inner.add(_pair(*map(character_type, text[found.start() - 1:found.end() + 1:2])))
        memo = {char: SPACE_TYPE if space.match(char) and char not in solid else character_type(char)
                for char in set().union(*(paragraph.text for paragraph in paragraphs))}
        met = list[tuple[str, str]]()  # characters at which a token ends
        for paragraph in paragraphs:
            text, types = paragraph.text, [memo[char] for char in paragraph.text]
            neighbours = list(zip(types, types[1:]))
            seen.update(neighbours)
            at = [end for _, end in paragraph.tokens if end < len(text)]
            ends.update(neighbours[end - 1] for end in at)
            met += [(text[end - 1], text[end]) for end in at]
        pairs = {pair for pair in seen if SPACE_TYPE not in pair}
        open = {pair for pair in pairs if ends[pair] >= SHARE * seen[pair]}
        closed = pairs - open
        single = Counter(a + b for a, b in met if (memo[a], memo[b]) in closed)
        return cls(solid, (_pair(*pair) for pair in open), (_pair(*pair) for pair in closed), inner,
                   (pair for pair, _ in single.most_common(MAX_PAIRS)))

    def cut(self, text: str, stops: Sequence[int] | None = None) -> Cut:
        """The pieces of a text, or of several that stand together in one string, up to the characters ``stops``."""
        borders = np.array([len(text)] if stops is None else stops)
        given, text = text, self.spaces.sub(" ", text)
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        space = codes == ord(" ")
        solid = np.flatnonzero(~space)
        if not len(solid):
            none = np.empty(0, np.intp)
            return Cut(none, none, none, none.astype(bool), none.astype(bool), [])
        types = self._types_of(codes)
        first, second = self._halves[0, codes[:-1]], self._halves[1, codes[1:]]
        is_open = np.append(self._is_open[types[:-1], types[1:]] | self._paired[first, second] | space[1:], True)
        is_open[borders - 1] = True
        ends = 1 + np.flatnonzero(is_open & ~space)
        number = np.searchsorted(borders, ends)
        before = np.concatenate(([0], ends[:-1]))
        starts = solid[np.searchsorted(solid, before)]
        spaced = starts > before
        spaced[0] = False
        spaced[1:] &= number[1:] == number[:-1]
        pieces = [text[a:b] for a, b in zip((starts - spaced).tolist(), ends.tolist())]
        after = np.append(starts[1:], ends[-1])  # where the next begins
        inner = (after == ends + 1) & self._is_inner[types[ends - 1], types[np.minimum(after, len(types) - 1)]]
        for i in np.flatnonzero(inner):
            inner[i] = given[ends[i]] in WRITTEN
        return Cut(starts, ends, number, inner, after > ends, pieces)

    def _types_of(self, codes: Array) -> Array:
        """The number of each character's type."""
        types = self._type[codes]
        if types.min() < 0:
            with self._lock:
                self._meet(list(map(chr, np.unique(codes[types < 0]).tolist())))
            types = self._type[codes]
        return types

    def _meet(self, characters: list[str]) -> None:
        """Take in characters that were not met before."""
        names = list(map(character_type, characters))
        known = len(self._types)
        self._types += sorted(set(names) - set(self._types))
        size = len(self._types)
        is_open, is_inner = np.zeros((2, size, size), bool)
        is_open[:known, :known], is_inner[:known, :known] = self._is_open, self._is_inner
        for i, a in enumerate(self._types):
            for j in range(known if i < known else 0, size):
                is_open[i, j] = self._opens(a, self._types[j])
                is_inner[i, j] = _pair(a, self._types[j]) in self._inner
        self._is_open, self._is_inner = is_open, is_inner
        number = {name: i for i, name in enumerate(self._types)}
        self._type[list(map(ord, characters))] = [number[name] for name in names]  # last: others may be reading

    def _opens(self, a: str, b: str) -> bool:
        """Is a place between characters of these types open?"""
        if SPACE_TYPE in (a, b):
            return False
        known = self._rules.get(_pair(a, b))
        if known is not None:
            return known
        of_word = a[-2] in WORD and b[-2] in WORD and (a[:-2] == b[:-2] or a[-2] != "L" or b[-2] != "L")
        return not (of_word or b[-2] == "M" or "Cf" in (a, b))


def _pair(a: str, b: str) -> str:
    return f"{a},{b}"
