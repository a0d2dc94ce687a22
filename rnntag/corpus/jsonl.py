"""``{"tokens": ["I", "read"], "tags": ["PRP", "VBP"]}``: a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..errors import CorpusError, plural, quote
from .base import COLUMNS, Best, Block, Column, Format, Sentence
from .lines import Line, Lines

SURE = ("probabilities", "n_best")  # the keys of ``Column.best``


class JsonLines(Format):
    """A sentence is an object with ``tokens`` and ``tags``, or one of these; other keys are kept.

    ``null`` is a tag that is missing. Columns may also stand under their names (``upos``, ``lemma``); ``tags``, where
    it is there, is the first one. ``Column.best`` is in ``probabilities``, of the tags, and when there is more than
    one tag for a token in ``n_best``, with [tag, probability] pairs; of columns with names it is one level deeper:
    ``{"probabilities": {"upos": [...]}}``.
    """

    name = "jsonl"
    has_columns = True
    token_bytes = 10

    @classmethod
    def shown_by(cls, texts: list[str]) -> bool:
        """An object with tokens or tags in the first line."""
        try:
            return texts[:1] != [] and texts[0].startswith("{") and not {"tokens", "tags"}.isdisjoint(
                json.loads(texts[0]))
        except (ValueError, RecursionError):
            return False

    def blocks(self, lines: Lines) -> Iterator[Line]:
        return iter(lines)

    def parse(self, text: str, number: int, lines: Lines) -> Sentence:
        place = lines.place(number)
        if not text:
            return Sentence([], line=number)
        try:
            values = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"not JSON ({error})", "jsonl has an object a line", "Is it another format? "
                              "Try --format.", place) from None
        if not isinstance(values, dict) or not ("tokens" in values or "tags" in values):
            raise CorpusError(f"{quote(text)}", 'jsonl has an object with "tokens", "tags" or both a line',
                              place=place)
        if "tokens" not in values and self.want == "words":
            raise CorpusError('no "tokens"', "words are needed", place=place)
        words = _list(values, "tokens" if "tokens" in values else "tags", place)
        if "tokens" not in values:
            words = [""] * len(words)
        elif None in words or "" in words:
            raise CorpusError("an empty token", "a word is not empty", place=place)
        columns = {}
        sure = {kind: found if isinstance(found := values.pop(kind), dict) else {"tags": found}
                for kind in SURE if kind in values}
        for key in ("tags", *self.fields["tags" in values:]):
            best = {kind: tables.pop(key, None) for kind, tables in sure.items()}  # new tags bring theirs
            if key not in values or self.want == "words":
                continue
            tags = ["" if tag is None else tag for tag in _list(values, key, place)]
            if len(tags) != len(words):
                raise CorpusError(f'"{key}" has {plural(len(tags), "value")}', f'"tokens" has {len(words):,}',
                                  place=place)
            columns["" if key == "tags" else key] = Column(tags, _best(tags, place, **best) if best else None)
        values.update((kind, tables) for kind, tables in sure.items() if tables)
        return Sentence(words, columns, number, Block(self.name, values=values))

    def explain(self, name: str) -> str:
        return f'jsonl has one for each word{f" under {name}" if len(self.fields) > 1 else ""}'

    def there(self, sentence: Sentence) -> list[str]:
        values = sentence.source.values if sentence.source else None
        return [name for name in COLUMNS if all((values or {}).get(name) or [""])]

    def write(self, sentence: Sentence) -> str:
        source = sentence.source
        values: dict[str, Any] = dict(source.values or {}) if source and source.format == self.name else {}
        if any(sentence.words) or not sentence.words:
            if not all(sentence.words):
                raise CorpusError("an empty token cannot be written as jsonl", "a word is not empty")
            values["tokens"] = sentence.words
        if not sentence.words and not sentence.columns:
            values["tags"] = []
        sure = {kind: {**values[kind]} for kind in SURE if kind in values}  # of columns that were not read
        for name, column in sentence.columns.items():
            # one alone is the tags, unless it was read from under its name
            alone = self.fields == [name] and len(sentence.columns) == 1 and name not in values
            key = "tags" if alone or not name else name
            values[key] = [value or None for value in column.values]
            if column.best is not None:
                sure.setdefault("probabilities", {})[key] = [round(row[0][1], 6) for row in column.best]
                if any(len(row) > 1 for row in column.best):
                    sure.setdefault("n_best", {})[key] = [
                        [[value, round(p, 6)] for value, p in row] for row in column.best]
        for kind, tables in sure.items():
            values[kind] = tables["tags"] if [*tables] == ["tags"] else tables
        try:
            text = json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n"
            text.encode()
        except ValueError as error:  # half a character (a lone surrogate), or a number too large
            raise CorpusError(f"it cannot be written as jsonl ({error})") from None
        return text


def _list(values: dict[str, Any], key: str, place: str) -> list[Any]:
    """The list of strings (or null) under ``key``."""
    found = values[key]
    if not isinstance(found, list) or not {str, type(None)}.issuperset(map(type, found)):
        raise CorpusError(f'"{key}" is {quote(str(found))}', "it is a list of strings", place=place)
    try:
        "".join(filter(None, found)).encode()
    except UnicodeEncodeError:
        raise CorpusError(f'"{key}" has half a character (a lone surrogate)', "text is Unicode",
                          place=place) from None
    return found


def _best(tags: list[str], place: str, probabilities: Any = None, n_best: Any = None) -> Best | None:
    """``Column.best`` of these tags: what ``write`` makes ``probabilities`` and ``n_best`` of."""
    if probabilities is n_best is None:
        return None
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
