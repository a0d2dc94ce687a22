"""Does text look tokenised? Punctuation that stands alone is counted, and punctuation that sticks to words."""

from __future__ import annotations

from collections.abc import Container, Sequence

from ..errors import quote

MARKS = frozenset(".,;:!?\u2026\u3002\u3001\uff01\uff1f\u060c\u061f\u0964")  # also of Chinese, Arabic and Hindi
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

    @property
    def lacking(self) -> bool:
        """Is the text rather not tokenised?"""
        return self.stuck >= max(FEW, SHARE * self.tokens) and self.stuck > self.alone

    def __str__(self) -> str:
        return (f"{self.stuck:,} of {self.tokens:,} tokens end in punctuation, such as {quote(self.example)}; in the "
                "training corpus it is a token. Put a space before it, and between all tokens.")
