"""Which format a file is in: by the end of its name where that says it, otherwise by its text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ..compression import plain
from ..errors import CorpusError
from ..files import STANDARD, shown
from .lines import Lines

SUFFIXES = ("wordtag", "tokens", "tags", "vertical", "conllu", "jsonl")  # a format is its own suffix
LAYOUTS = ("vertical", "conllu", "jsonl")  # formats that a line shows by tabs or braces
LINES_SHOWN = 100  # lines of a file that are looked at; of standard input the first alone
FEW = 0.1  # the share of lines or tokens of another kind that does not count
UD_COMMENT = re.compile(r"#\s*(newdoc|newpar|sent_id|text|text_\w+|global\.\w+)\b")


def judge(lines: Lines, choices: Sequence[str], separator: str) -> str:
    """The one of ``choices`` that the name or else the text shows.

    Raises CorpusError when it cannot be told: then the user is asked.
    """
    suffix = plain(lines.name).rpartition(".")[2].lower()
    if len(choices) == 1:
        return choices[0]
    if suffix in SUFFIXES:
        return _only(suffix, choices, lines.name)
    texts = _shown(lines)
    return _by_layout(texts, choices, lines.name) or _by_tokens(texts, choices, separator, lines.name)


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


def _by_layout(texts: list[str], choices: Sequence[str], name: str) -> str | None:
    """A format that shows itself in tabs and braces, or None."""
    full = [text for text in texts if text]
    if full and _is_object(full[0]):
        return _only("jsonl", choices, name)
    rows = [text for text in full if not text.startswith("#")]
    if sum(text.count("\t") == 9 and text[:1].isdigit() for text in rows) > len(rows) / 2:
        return _only("conllu", choices, name)
    tabs = sum("\t" in text for text in full)
    if not tabs:
        if _stacked(texts) and "vertical" in choices:
            raise _doubt("a word a line and blank lines between", ("vertical", *choices), name)
        return None
    if tabs == len(full) and sum(" " in text for text in full) < len(full) / 2:
        return _only("vertical", choices, name)
    if tabs > FEW * len(full) and "vertical" in choices:
        raise _doubt(f"{tabs} of its first {len(full)} lines have tabs", choices, name)
    return None


def _by_tokens(texts: list[str], choices: Sequence[str], separator: str, name: str) -> str:
    """wordtag when every token could be one; the other choice when few could, because then wordtag
    it cannot be; between the two, a damaged file of either kind, the user is asked."""
    items = [item for text in texts for item in text.split(" ") if item]
    joined = sum(all(item.rpartition(separator)[::2]) for item in items)
    plain = [choice for choice in choices if choice not in ("wordtag", *LAYOUTS)]
    if "wordtag" in choices and (0 < joined == len(items) or not plain):
        return "wordtag"
    if len(plain) == 1 and joined <= FEW * len(items):
        return plain[0]
    raise _doubt(f"{joined} of its first {len(items)} tokens look like word{separator}TAG",
                 [choice for choice in choices if choice not in LAYOUTS], name)


def _is_object(text: str) -> bool:
    if not text.startswith("{"):
        return False
    try:
        return not {"tokens", "tags"}.isdisjoint(json.loads(text))
    except (ValueError, RecursionError):
        return False


def _stacked(texts: list[str]) -> bool:
    """Does it look like untagged vertical: never two words on a line, blank lines after several?"""
    runs = "".join("w" if text else " " for text in texts).split()
    return len(runs) > 1 and sum(map(len, runs)) >= 2 * len(runs) and not any(" " in text for text in texts)


def _only(format: str, choices: Sequence[str], name: str) -> str:
    if format in choices:
        return format
    raise CorpusError(f"it looks like {format}", f"{' or '.join(choices)} is wanted here",
                      "Change it with rnntag convert, or say what it is with --format.", name)


def _doubt(found: str, choices: Sequence[str], name: str) -> CorpusError:
    return CorpusError(f"{found}; it could be {' or '.join(dict.fromkeys(choices))}",
                       hint="Say which with --format.", place=name)
