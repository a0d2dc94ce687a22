"""What grade-pos and report share: the options about answers, and how reference and answers are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..corpus import TAGGED
from . import common

if TYPE_CHECKING:
    from ..evaluation import Pair

FORMATS = (*TAGGED, "tags")

answers_arguments = common.options(
    click.argument("reference"),
    click.argument("answers", nargs=-1, required=True, metavar="ANSWER..."),
)
answers_options = common.options(
    click.option("--tag-map", metavar="FILE", help="Replace tags on both sides before they are compared: lines of "
                 "FROM TAB TO; other tags stay (default: none)."),
    click.option("--resamples", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True, metavar="N",
                 help="Bootstrap resamples of the sentences."),
    click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True,
                 help="Seed of the resamples."),
    common.format_option(None, list(FORMATS), what="Format of REFERENCE and ANSWERs", shown="found out from "
                         "each file"),
    common.separator,
    common.field,
    common.column,
)


class Answer(NamedTuple):
    """One answer: its file's name, its sentences beside the right ones, and the probabilities of its tags by
    sentence, None when it gives none or nobody asked."""

    name: str
    pairs: list[Pair]
    probabilities: list[list[float]] | None


def read_answers(reference: str, answers: Sequence[str], layout: dict[str, Any], tag_map: str | None,
                 probabilities: bool) -> list[Answer]:
    """The answers, each beside the one reference; ``layout`` is how all of them are to be read.

    Raises CorpusError for files that do not belong together.
    """
    from ..corpus import read
    from ..evaluation import map_tags, pair, read_tag_map
    from ..evaluation.breakdown import confidences
    from ..files import shown

    mapping = read_tag_map(tag_map) if tag_map is not None else {}
    layout = {**layout, "field": layout["field"] or "upos", "choices": FORMATS}
    right = list(map_tags(read(reference, **layout), mapping))
    found = []
    for path in answers:
        name, given = shown(path), list(read(path, **layout))
        pairs = list(pair(right, map_tags(given, mapping), shown(reference), name))
        _warn_of_other_tags(pairs, shown(reference), name)
        found.append(Answer(name, pairs, confidences(given) if probabilities else None))
    return found


def _warn_of_other_tags(pairs: Sequence[Pair], reference: str, name: str) -> None:
    """An answer that mostly has tags of its own is rarely meant: it has words where tags should be, or is of
    another tag set. (Not all of it needs to differ: in many tag sets the tag of a full stop is a full stop.)"""
    right = {tag for each in pairs for tag in each.reference}
    tokens = sum(len(each.answer) for each in pairs)
    foreign = sum(tag not in right for each in pairs for tag in each.answer)
    if foreign > tokens / 2:
        click.echo(f"Warning: {foreign:,} of the {tokens:,} tags in {name} are none of those in {reference}. Has one "
                   "of them words instead of tags, or are they of two tag sets (--tag-map)?", err=True)


def training_corpus(train: str | None, layout: dict[str, Any]) -> list:
    """The sentences of --train, whose format is found out apart from that of the answers; none without it."""
    from ..corpus import read_tagged
    return [] if train is None else read_tagged(train, **{**layout, "format": None})
