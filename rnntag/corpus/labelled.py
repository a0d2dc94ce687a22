"""Texts with a label each, a text a line: label TAB text, fastText's ``__label__``, jsonl; or texts alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compression import plain
from ..errors import CorpusError, OptionError, quote
from ..files import open_input, shown
from .lines import Lines

LABELLED = ("tsv", "fasttext", "jsonl")
MARK = "__label__"
LOOKED_AT = 100  # lines, to see what format a file is in


@dataclass(slots=True)
class Text:
    """A text of words, which single spaces separate in its file.

    label    "" when it has none
    line     its number in the file
    blank    is the line empty? Then there is nothing to label
    values   of jsonl: the object in its line
    """

    words: list[str]
    label: str = ""
    line: int = 0
    blank: bool = False
    values: dict[str, Any] | None = None


def read_labelled(path: str | Path, format: str | None = None, learning: bool = False) -> Iterator[Text]:
    """The texts of a file (``-``: standard input), line by line.

    format     one of LABELLED or ``text``; None: what the name or the first lines show
    learning   each text needs words and a label; blank lines are left out

    Raises CorpusError, with the line, for what is not as the format says.
    """
    if format not in (None, "text", *LABELLED):
        raise OptionError(quote(format), f"it is one of {', '.join((*LABELLED, 'text'))}", place="--format")
    with open_input(path) as stream:
        lines = Lines(stream, path)
        format = format or _shown_by(lines)
        if learning and format == "text":
            raise CorpusError("no labels", "a line is label TAB text, __label__LABEL text, or a JSON object",
                              "Say which with --format.", shown(path))
        for number, line in lines:
            if isinstance(line, CorpusError):
                raise line
            if line:
                text = _parsed(line, format, number, lines)
                if learning and not (text.words and text.label):
                    raise CorpusError(f"no {'label' if text.words else 'words'}", "both are needed to learn from",
                                      place=lines.place(number))
                yield text
            elif not learning:
                yield Text([], line=number, blank=True)


def _shown_by(lines: Lines) -> str:
    ending = plain(lines.name).rpartition(".")[2].lower()
    if ending in LABELLED:
        return ending
    first = next(filter(None, lines.preview(LOOKED_AT if lines.name != shown("-") else 1)), "")
    return ("fasttext" if first.startswith(MARK) else "jsonl" if first.startswith("{") and first.endswith("}") else
            "tsv" if "\t" in first else "text")


def _parsed(line: str, format: str, number: int, lines: Lines) -> Text:
    label, text, values = "", line, None
    if format == "tsv":
        label, tab, text = line.partition("\t")
        if not tab or "\t" in text:
            raise CorpusError("no tab" if not tab else "two tabs", "a line is label TAB text",
                              "Is it another format? Try --format.", lines.place(number))
    elif format == "fasttext":
        if line.startswith(MARK):
            label, _, text = line.removeprefix(MARK).partition(" ")
        if f" {MARK}" in f" {text}":
            raise CorpusError("several labels, or one in the middle", "a text has one, at its beginning",
                              place=lines.place(number))
    elif format == "jsonl":
        label, text, values = _from_json(line, lines.place(number))
    return Text([word for word in text.split(" ") if word], label, number, values=values)


def _from_json(line: str, place: str) -> tuple[str, str, dict[str, Any]]:
    try:
        values = json.loads(line)
        json.dumps(values, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"not JSON ({error})", "jsonl has an object a line", place=place) from None
    found = values.get("text", values.get("tokens")) if isinstance(values, dict) else None
    text = " ".join(found) if isinstance(found, list) and all(isinstance(word, str) for word in found) else found
    label = values.get("label") if isinstance(values, dict) else None
    if not isinstance(text, str) or not (label is None or isinstance(label, str)):
        raise CorpusError(quote(line), 'an object has "text" (or "tokens"), and may have "label", a string',
                          place=place)
    return label or "", text, values


def read_labels(path: str | Path) -> Iterator[tuple[str, int]]:
    """The labels of a file with one in each line, before the first tab, and their lines; blank lines are left out."""
    with open_input(path) as stream:
        for number, line in Lines(stream, path):
            if isinstance(line, CorpusError):
                raise line
            if line:
                yield line.partition("\t")[0], number


def write_labelled(text: Text, format: str) -> str:
    """A text with its label as a line; as ``labels``, the label alone. Blank lines stay blank.

    Raises CorpusError for a label that the format could not be read back with.
    """
    if text.blank:
        return "\n"
    words = " ".join(text.words)
    if format == "jsonl":
        return json.dumps((text.values or {"text": words}) | {"label": text.label}, ensure_ascii=False) + "\n"
    if any(sign in text.label for sign in "\t\r\n") or format == "fasttext" and " " in text.label:
        raise CorpusError(f"label {quote(text.label)} cannot be written as {format}", "a label has no tab"
                          + (" and no space" if format == "fasttext" else ""), "Choose jsonl.")
    if format == "labels":
        return text.label + "\n"
    return (f"{text.label}\t{words}" if format == "tsv" else f"{MARK}{text.label} {words}") + "\n"
