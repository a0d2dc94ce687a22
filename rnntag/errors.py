"""What a user can get wrong: one exception family, one wording.

A message reads ``place: found; wanted. next step``, for example

    dev.conllu:42: 9 columns; CoNLL-U has 10. Is it TSV? Try --format vertical.

Everything that the command line shows as an error is a :class:`RnntagError`; any other
exception that reaches the user is a fault of the program.
"""

from __future__ import annotations

from pathlib import Path


class RnntagError(Exception):
    """Something outside the program is wrong: a file, its contents, or what was asked for.

    place   where: a file, ``file:line``, an option, or "" when the rest says it
    found   what was found there
    wanted  what would have been right
    hint    what to do next, a full sentence
    """

    exit_status = 1

    def __init__(self, found: str, wanted: str = "", hint: str = "", place: str | Path = ""):
        self.place, self.found, self.wanted, self.hint = str(place), found, wanted, hint
        super().__init__(found, wanted, hint, place)

    def __str__(self) -> str:
        text = f"{self.place}: {self.found}" if self.place else self.found
        if self.wanted:
            text += f"; {self.wanted}"
        if not text.endswith((".", "?", "!")):
            text += "."
        return f"{text} {self.hint}".rstrip()


class CorpusError(RnntagError):
    """A corpus cannot be read or written as its format says."""


class ModelError(RnntagError):
    """A model folder is missing, damaged, foreign, or cannot be written."""


class OptionError(RnntagError):
    """Options that do not fit together or are out of range."""

    exit_status = 2


class DivergedError(RnntagError):
    """The loss of a training run is no longer finite."""


class CorpusWarning(UserWarning):
    """The corpus was read, but something in it deserves a look (CRLF, a byte order mark)."""


def plural(count: int, what: str) -> str:
    """A count as a message shows it, "1 token" or "2,000 tokens"; ``what`` has its plural in -s."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def quote(value: object, limit: int = 60) -> str:
    """A value as a message shows it: text escaped and quoted, everything cut after ``limit`` characters."""
    if isinstance(value, str):
        return repr(value if len(value) <= limit else value[:limit] + "...")
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."
