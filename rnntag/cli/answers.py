"""What grade-pos and report share: the options about answers, and how reference and answers are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import click

from ..corpus import TAGGED, Layout, field_names
from ..files import STANDARD
from . import common

if TYPE_CHECKING:
    from ..corpus import Sentence
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
    common.format_option(None, list(FORMATS), what="Format of REFERENCE and ANSWERs", shown="detected from "
                         "each file"),
    common.separator,
    common.compared_fields,
    common.column,
)


TOGETHER = {"alltags": ("upos", "xpos", "feats"), "all": ("upos", "xpos", "feats", "lemma")}  # right in all of them


class Answer(NamedTuple):
    """One answer: the name of its file, and for each column its sentences paired with those of the reference."""

    name: str
    columns: dict[str, list[Pair]]


def read_answers(reference: str, answers: Sequence[str], layout: Layout, tag_map: str | None) -> list[Answer]:
    """The answers, each paired with the one reference; ``layout`` says how to read all of them. A note on standard
    error counts the tokens of the reference that have no tag.

    With several columns, those of TOGETHER of which there are two at least follow them. Raises CorpusError for files
    that do not belong together.
    """
    from ..corpus.lists import read_tag_map
    from ..evaluation import pair, together
    from ..files import shown

    mapping = read_tag_map(tag_map) if tag_map is not None else {}
    right = _read(reference, layout, mapping)
    names = _names(right, layout)
    paired = []
    for path in answers:
        given = _read(path, layout, mapping)
        columns = {name: list(pair(right, given, shown(reference), shown(path), name)) for name in names}
        for name, pairs in columns.items():
            _warn_of_other_tags(pairs, shown(reference), shown(path), name)
        columns |= {name: list(together([columns[part] for part in parts])) for name, wanted in TOGETHER.items()
                    if len(parts := [part for part in wanted if part in columns]) > 1
                    and (name == "alltags" or "lemma" in parts)}
        paired.append(Answer(shown(path), columns))
    for name, pairs in paired[0].columns.items():
        if name not in TOGETHER and (left_out := sum(len(pair.left_out) for pair in pairs)):
            click.echo(f"Note: {left_out:,} of the {sum(map(len, right)):,} tokens in {shown(reference)} have no "
                       f"{called(name)}; they are left out.", err=True)
    return paired


def _read(path: str, layout: Layout, mapping: Mapping[str, str]) -> list[Sentence]:
    """The sentences of a file; one without tags that has another column is refused."""
    from ..corpus import elsewhere, read
    from ..errors import CorpusError
    from ..evaluation import map_tags
    found = list(map_tags(read(path, layout, FORMATS, want="some"), mapping))
    if path != STANDARD and not any(sentence.columns for sentence in found) and (
            hint := elsewhere(read(path, layout, FORMATS, want="some"))):
        raise CorpusError("no tags", "at least one is needed to compare", hint, path)
    return found


def _names(right: Sequence[Sentence], layout: Layout) -> list[str]:
    """The columns to compare; of all, those in which the reference has something."""
    from ..corpus import ALL
    if layout.field != ALL:
        return field_names(layout.field)
    found = {name for sentence in right for name in sentence.columns}
    return [name for name in field_names(ALL) if name in found] or [""]


def called(name: str) -> str:
    """What the values of a column are called."""
    return name if name == "lemma" else "tag"


def _warn_of_other_tags(pairs: Sequence[Pair], reference: str, name: str, field: str) -> None:
    """Warn of an answer most of whose tags the reference lacks: it has words where tags should be, or is of another
    tag set. (Not all of it needs to differ: in many tag sets the tag of a full stop is a full stop.)"""
    from ..evaluation import MISSING
    right = {tag for pair in pairs for tag in pair.reference}
    tokens = sum(len(pair.answer) for pair in pairs)
    foreign = sum(tag not in right and tag != MISSING for pair in pairs for tag in pair.answer)
    if foreign > tokens / 2 and field != "lemma":
        click.echo(f"Warning: {foreign:,} of the {tokens:,} tags in {name} are none of those in {reference}. Has one "
                   "of them words instead of tags, or are they of two tag sets (--tag-map)?", err=True)


def training_corpus(train: str | None, layout: Layout) -> list:
    """The sentences of --train, whose format is detected separately from that of the answers; none without it.
    Sentences that training had to skip (--on-error skip) are skipped."""
    from ..corpus import Skipped, read_tagged
    if train is None:
        return []
    skipped = Skipped()
    sentences = read_tagged(train, replace(layout, format=None, skipped=skipped))
    if skipped.count:
        click.echo(f"Warning: {skipped}", err=True)
    return sentences
