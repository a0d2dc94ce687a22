"""``{"tokens": ["I", "read"], "tags": ["PRP", "VBP"]}``: a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..errors import CorpusError, quote
from .base import Block, Format, Sentence
from .lines import Line, Lines


class JsonLines(Format):
    """A sentence is an object with ``tokens`` and ``tags``, or one of these; other keys are kept.

    ``null`` is a tag that is missing. ``Sentence.best`` is in ``probabilities``, of the tags, and when
    there is more than one tag for a token in ``n_best``, with [tag, probability] pairs.
    """

    name = "jsonl"

    def blocks(self, lines: Lines) -> Iterator[Line]:
        return iter(lines)

    def parse(self, text: str, number: int, lines: Lines) -> Sentence:
        place = lines.place(number)
        if not text:
            return Sentence([], None, number)
        try:
            values = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"not JSON ({error})", "jsonl has an object a line", "Is it another format? "
                              "Try --format.", place) from None
        if not isinstance(values, dict) or not ("tokens" in values or "tags" in values):
            raise CorpusError(f"{quote(text)}", 'jsonl has an object with "tokens", "tags" or both a line',
                              place=place)
        tags = None
        if "tags" in values and self.want != "words":
            tags = ["" if tag is None else tag for tag in _list(values, "tags", place)]
        if "tokens" not in values and self.want == "words":
            raise CorpusError('no "tokens"', "words are needed", place=place)
        words = _list(values, "tokens", place) if "tokens" in values else [""] * len(tags or [])
        if "tokens" in values and (None in words or "" in words):
            raise CorpusError("an empty token", "a word is not empty", place=place)
        if tags is not None and len(tags) != len(words):
            raise CorpusError(f"{len(tags)} tags", f"there are {len(words)} tokens", place=place)
        sure = values.pop("probabilities", None), values.pop("n_best", None)  # of these tags: new ones bring theirs
        best = None if tags is None or sure == (None, None) else _best(tags, *sure, place)
        return Sentence(words, tags, number, Block(self.name, values=values), best)

    def write(self, sentence: Sentence) -> str:
        source = sentence.source
        values: dict[str, Any] = dict(source.values or {}) if source and source.format == self.name else {}
        if any(sentence.words) or not sentence.words:
            if not all(sentence.words):
                raise CorpusError("an empty token cannot be written as jsonl", "a word is not empty")
            values["tokens"] = sentence.words
        if sentence.tags is not None or not sentence.words:
            values["tags"] = [tag or None for tag in sentence.tags or []]
        if sentence.best is not None:
            values["probabilities"] = [round(best[0][1], 6) for best in sentence.best]
            if any(len(best) > 1 for best in sentence.best):
                values["n_best"] = [[[tag, round(p, 6)] for tag, p in best] for best in sentence.best]
        try:
            text = json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n"
            text.encode()
        except ValueError as error:  # half a character (a lone surrogate), or a number too large
            raise CorpusError(f"it cannot be written as jsonl ({error})") from None
        return text


def _list(values: dict[str, Any], key: str, place: str) -> list[Any]:
    """The list of strings (or null) under ``key``."""
    found = values[key]
    if not isinstance(found, list) or not all(isinstance(item, str) or item is None for item in found):
        raise CorpusError(f'"{key}" is {quote(str(found))}', "it is a list of strings", place=place)
    try:
        "".join(item for item in found if item).encode()
    except UnicodeEncodeError:
        raise CorpusError(f'"{key}" has half a character (a lone surrogate)', "text is Unicode",
                          place=place) from None
    return found


def _best(tags: list[str], probabilities: Any, n_best: Any, place: str) -> list[list[tuple[str, float]]]:
    """``Sentence.best`` of these tags: what ``write`` makes ``probabilities`` and ``n_best`` of."""
    if not isinstance(probabilities, list) or len(probabilities) != len(tags) or not all(
            map(_is_probability, probabilities)):
        raise CorpusError('wrong "probabilities"', "there is one for each tag, from 0 to 1", place=place)
    if n_best is None:
        n_best = [[None]] * len(tags)
    elif not isinstance(n_best, list) or len(n_best) != len(tags) or not all(
            isinstance(best, list) and best and all(isinstance(pair, list) and len(pair) == 2 and isinstance(
                pair[0], str) and _is_probability(pair[1]) for pair in best) for best in n_best):
        raise CorpusError('wrong "n_best"', "there is a list of [tag, probability] for each tag", place=place)
    return [[(tag, p), *map(tuple, others)] for tag, p, (_, *others) in zip(tags, probabilities, n_best)]


def _is_probability(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
