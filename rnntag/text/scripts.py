"""Edit scripts: how a lemma is made from its form, so that a tagger can learn lemmas as it learns tags.

    form        lemma      script                  case    cut off the front, the end; put there
    studies     study      lower 0 3 0 y           lower   -, ies;  -, y
    Talking     talk       lower 0 3 0             lower   -, ing;  -, -
    gekauft     kaufen     lower 2 1 0 en          lower   ge, t;   -, en
    NASA's      NASA       keep 0 2 0              as in the form
    LONDON      London     title 0 0 0             Upper lower
    better      good       whole good              nothing is left of the form

There are a few hundred scripts where there are tens of thousands of lemmas, and a new word has the script of other
words like it. What stays of a form is the longest part that it shares with the lemma, case apart; what is cut off is
counted, so that Turkish ``-ler`` and ``-lar`` are one script. (Chrupala 2006; in this form UDPipe's, Straka 2018.)
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

WHOLE = "whole"  # the case of a script that gives the same lemma whatever the form is
MAX_ALIGNED = 200  # characters of a form or lemma; longer ones are not worth the search


def lowered(word: str) -> str:
    """The word in lower case, each character by itself: Python makes two of the Turkish capital I with a dot."""
    return word.replace("\u0130", "i").lower()


# what becomes of a lemma in lower case, the first that gives the lemma's own case
CASES: dict[str, Callable[[str], str]] = {
    "lower": str, "keep": str, "title": lambda text: text[:1].upper() + text[1:], "upper": str.upper}


class Script(NamedTuple):
    """An edit script: ``front`` and ``end`` characters are cut off, ``prefix`` and ``suffix`` put there.

    case   one of CASES: ``keep`` works on the form as it is written, the others in lower case; or WHOLE, then
           ``prefix`` is the lemma
    """

    case: str
    front: int
    end: int
    prefix: str
    suffix: str

    def __str__(self) -> str:
        """``lower 2 1 0 en``: the third number is the length of ``prefix``, which comes before ``suffix``."""
        if self.case == WHOLE:
            return f"{WHOLE} {self.prefix}"
        return f"{self.case} {self.front} {self.end} {len(self.prefix)} {self.prefix}{self.suffix}"

    @classmethod
    def parse(cls, text: str) -> Script:
        """The script with this text. Raises ValueError for what is none."""
        case, _, rest = text.partition(" ")
        if case == WHOLE and rest:
            return cls(WHOLE, 0, 0, rest, "")
        front, end, length, put = rest.split(" ", 3)
        script = cls(case, int(front), int(end), put[:int(length)], put[int(length):])
        cut = script.front, script.end
        if case not in CASES or str(script) != text or not 0 <= min(cut) <= max(cut) < 10**6:
            raise ValueError(text)
        return script

    @property
    def least(self) -> int:
        """How many characters a form has at least: something has to be left of it."""
        return 0 if self.case == WHOLE else self.front + self.end + 1

    def apply(self, form: str) -> str | None:
        """The lemma of a form; None when the form is too short."""
        if self.case == WHOLE:
            return self.prefix
        if len(form) < self.least:
            return None
        text = form if self.case == "keep" else lowered(form)
        return CASES[self.case](self.prefix + text[self.front:len(text) - self.end] + self.suffix)


@lru_cache(maxsize=1 << 16)
def script(form: str, lemma: str) -> Script:
    """The script that makes this lemma of this form."""
    f, l = lowered(form), lowered(lemma)
    if max(len(f), len(l)) <= MAX_ALIGNED:
        i, j, size = SequenceMatcher(None, f, l, autojunk=False).find_longest_match()
    else:
        i, j, size = 0, 0, len(f) if f == l else 0
    for case in CASES if size else ():
        text = lemma if case == "keep" else l
        found = Script(case, i, len(f) - i - size, text[:j], text[j + size:])
        if found.apply(form) == lemma:
            return found
    return Script(WHOLE, 0, 0, lemma, "")
