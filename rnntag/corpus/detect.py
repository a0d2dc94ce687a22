"""Which format a file is in: by the end of its name where that says it, otherwise by its text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..compression import plain
from ..errors import CorpusError
from ..files import STANDARD, shown
from .base import Format
from .horizontal import LineFormat
from .lines import Lines

LINES_SHOWN = 100  # lines of a file that are looked at; of standard input the first alone
FEW = 0.1  # the share of lines or tokens of another kind that does not count
UD_COMMENT = re.compile(r"#\s*(newdoc|newpar|sent_id|text|text_\w+|global\.\w+)\b")


def detect_format(lines: Lines, formats: Mapping[str, type[Format]], choices: Sequence[str], separator: str) -> str:
    """The one of ``choices`` that the name shows, or else the text; all ``formats`` there are can show themselves.

    Raises CorpusError when it cannot be told: then the user is asked.
    """
    if len(choices) == 1:
        return choices[0]
    format: str | None = plain(lines.name).rpartition(".")[2].lower()
    if format not in formats:
        texts = _shown(lines)
        full = [text for text in texts if text]  # the later a format stands, the more particular is its look
        format = next((name for name in reversed(list(formats)) if formats[name].shown_by(full)), None)
    if format is not None:
        if format in choices:
            return format
        raise _unwanted(format, formats, choices, lines.name)
    if "vertical" in choices:
        _doubt_vertical(texts, choices, lines.name)
    choices = [name for name in choices if issubclass(formats[name], LineFormat)]
    return _by_tokens(texts, choices, separator, lines.name)


def _shown(lines: Lines) -> list[str]:
    """The first lines. A dialogue need not wait: of standard input only the first line that is not
    blank, or, where that is a comment of CoNLL-U, as many as it takes to see another line."""
    if lines.name != shown(STANDARD):
        return lines.preview(LINES_SHOWN)
    texts = lines.preview(1)
    while texts and UD_COMMENT.match(texts[-1]) and len(texts) < LINES_SHOWN:
        more = lines.preview(1)
        if not more:
            break
        texts += more
    return texts


def _doubt_vertical(texts: list[str], choices: Sequence[str], name: str) -> None:
    """Raise CorpusError where the text could be vertical, but need not."""
    full = [text for text in texts if text]
    tabs = sum("\t" in text for text in full)
    if not tabs and _stacked(texts):
        raise _doubt("a word a line and blank lines between", ("vertical", *choices), name)
    if tabs > FEW * len(full):
        raise _doubt(f"{tabs} of its first {len(full)} lines have tabs", choices, name)


def _by_tokens(texts: list[str], choices: Sequence[str], separator: str, name: str) -> str:
    """wordtag when every token could be one; the other choice when few could, because then wordtag
    it cannot be; between the two, a damaged file of either kind, the user is asked."""
    items = [item for text in texts for item in text.split(" ") if item]
    joined = sum(all(item.rpartition(separator)[::2]) for item in items)
    others = [choice for choice in choices if choice != "wordtag"]
    if "wordtag" in choices and (0 < joined == len(items) or not others):
        return "wordtag"
    if len(others) == 1 and joined <= FEW * len(items):
        return others[0]
    found = f"{joined} of its first {len(items)} tokens look like word{separator}TAG" if items else "nothing in it"
    raise _doubt(found, choices, name)


def _stacked(texts: list[str]) -> bool:
    """Does it look like untagged vertical: never two words on a line, blank lines after several?"""
    runs = "".join("w" if text else " " for text in texts).split()
    return len(runs) > 1 and sum(map(len, runs)) >= 2 * len(runs) and not any(" " in text for text in texts)


def _unwanted(found: str, formats: Mapping[str, type[Format]], choices: Sequence[str], name: str) -> CorpusError:
    """Of a file in a format that is none of the ``choices``, and perhaps cannot become one."""
    has, wanted = formats[found], [formats[choice] for choice in choices]
    lacks = ("words" if not has.has_words and all(each.has_words for each in wanted) else
             "tags" if not has.has_tags and all(each.has_tags for each in wanted) else "")
    return CorpusError(f"it looks like {found}" + (f", without {lacks}" if lacks else ""),
                       f"{_either(choices)} is wanted here",
                       "If it is one of these, say so with --format." if lacks else
                       "Change it with rnntag convert, or say what it is with --format.", name)


def _doubt(found: str, choices: Sequence[str], name: str) -> CorpusError:
    return CorpusError(f"{found}; it could be {_either(list(dict.fromkeys(choices)))}",
                       hint="Say which with --format.", place=name)


def _either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
