"""Does text look tokenised? Punctuation that stands alone is counted, and punctuation that sticks to words. And
simple rules for text that is not."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable, Sequence
from itertools import groupby

from ..errors import quote

MARKS = frozenset(".,;:!?\u2026\u3002\u3001\uff01\uff1f\u060c\u061f\u0964")  # also of Chinese, Arabic and Hindi
ENDS = frozenset(".!?\u2026\u3002\uff01\uff1f\u061f\u0964")  # marks that end a sentence
LOOKED_AT = 10_000  # tokens of a text; more would say the same
FEW = 3  # words that may be abbreviations, ordinal numbers and the like,
SHARE = 0.03  # also so many of all tokens, and as many as there are marks that stand alone


class Tokenisation:
    """What the tokens of a text look like.

    known   the words of training, or MARKS where there are none: words that end in a mark count when they are not
            among them, marks when they are

    Abbreviations and ordinal numbers of tokenised text are far fewer than the marks that stand alone in it; of ten
    sentences that are split at spaces alone it sees that almost always.
    """

    def __init__(self, known: Container[str] = MARKS):
        self.known, self.tokens, self.alone, self.stuck, self.example = known, 0, 0, 0, ""

    def look(self, words: Sequence[str]) -> list[int]:
        """Count a sentence; gives the positions of words with a mark that sticks to them."""
        found = []
        self.tokens += len(words)
        for i, word in enumerate(words):
            if word[-1] in MARKS:
                if len(word) == 1:
                    self.alone += 1
                elif word[-2].isalnum() and word[-1] in self.known and word not in self.known:
                    found.append(i)
                    self.example = self.example or word
        self.stuck += len(found)
        return found

    def enough(self, sentences: Iterable[Sequence[str]]) -> bool:
        """Count sentences up to LOOKED_AT tokens. Were there so many?"""
        for words in sentences:
            self.look(words)
            if self.tokens >= LOOKED_AT:
                return True
        return False

    @property
    def lacking(self) -> bool:
        """Is the text rather not tokenised?"""
        return self.stuck >= max(FEW, SHARE * self.tokens) and self.stuck > self.alone

    def __str__(self) -> str:
        return (f"{self.stuck:,} of {self.tokens:,} tokens end in punctuation, such as {quote(self.example)}; in the "
                "training corpus it is a token. Put a space before it, and between all tokens.")


def split(text: str) -> list[list[str]]:
    """Text as sentences of words, by rules that know no language: punctuation at the edges of what stands between
    spaces is split off, equal marks together; a sentence ends with its line, and after a final mark when no small
    letter follows. A corpus that is tokenised otherwise needs better."""
    sentences: list[list[str]] = []
    for line in text.split("\n"):
        sentence: list[str] = []
        ended = False
        for chunk in line.split():
            words = _edges(chunk)
            if ended and not words[0][0].islower():
                sentences.append(sentence)
                sentence = []
            sentence += words
            ended = any(word[0] in ENDS for word in words)
        sentences += [sentence] if sentence else []
    return sentences


def _edges(chunk: str) -> list[str]:
    """What stands between two spaces, its punctuation split off."""
    marks = [unicodedata.category(character)[0] in "PS" for character in chunk]
    if all(marks):
        return ["".join(run) for _, run in groupby(chunk)]
    first, last = marks.index(False), len(marks) - marks[::-1].index(False)
    return [*("".join(run) for _, run in groupby(chunk[:first])), chunk[first:last],
            *("".join(run) for _, run in groupby(chunk[last:]))]
