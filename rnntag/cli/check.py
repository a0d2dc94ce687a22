"""``rnntag check``: what a corpus is like, and what looks wrong in it."""

from __future__ import annotations

from dataclasses import replace
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from ..corpus import Layout
from . import common
from .table import json_text, text

if TYPE_CHECKING:
    from ..analysis.check import Overlap, Report
    from ..analysis.findings import Finding
    from ..analysis.variation import OddOne, Variation


@click.command("check", cls=common.Command)
@click.argument("corpus")
@click.option("--test", metavar="FILE", help="The test corpus that goes with CORPUS: what do they share? It is not "
              "checked itself (default: none).")
@click.option("--places", type=click.IntRange(min=0), default=3, show_default=True, metavar="N",
              help="How many places to show of each finding.")
@click.option("--variations", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="How many likely annotation errors to show.")
@click.option("--json", "as_json", is_flag=True, help="Write everything as one JSON object instead.")
@common.corpus_options()
@click.pass_context
def main(ctx: click.Context, corpus: str, test: str | None, places: int, variations: int, as_json: bool,
         layout: Layout) -> None:
    """Count the tagged CORPUS, and show faults, what deserves a look, and likely annotation errors.

    A likely annotation error is a word that has different tags in the same context (Dickinson and
    Meurers 2003), the longest context first. The exit status is 1 when there is a fault (FAULT):
    damaged characters, one word in two Unicode forms, a test corpus that is mostly in CORPUS.
    """
    from ..analysis import check
    from ..corpus import read_tagged
    from ..files import STANDARD, open_output, shown

    common.read_once(corpus, test)
    if as_json:
        common.refuse("with --json, which has all of them", "places", "variations")
    sentences = read_tagged(corpus, layout)
    report = check.check(sentences, read_tagged(test, replace(layout, format=None)) if test is not None else None)
    name = shown(test) if test is not None else ""
    with open_output(STANDARD) as target:
        if as_json:
            record = {"corpus": shown(corpus), **report.to_dict()}
            if test is not None:
                record["test"] = {"name": name, **record["test"]}
            target.write(json_text(record))
        else:
            lines = [*describe(shown(corpus), report, name), "", *listed(report.findings, places)]
            lines += ["", *suspects(report.variations, report.odd, variations)]
            if report.overlap:
                lines += ["", *describe_overlap(name, report.overlap), *listed(report.overlap.findings, places)]
            target.write(text(lines))
    if report.fault:
        ctx.exit(1)


def describe(name: str, report: Report, test: str) -> Iterator[str]:
    """The counts, the baseline, and the tag set with how often each tag occurs."""
    from ..analysis.check import FOLDS
    c, score = report.counts, report.baseline
    yield f"{name}: {c.sentences:,} sentences, {c.tokens:,} tokens, {c.words:,} words, {len(c.tags):,} tags"
    yield f"Sentences: median length {c.median_length:g}, at most {c.longest:,} (line {c.longest_line})"
    yield (f"Words: {c.once:,} occur once; {c.ambiguous_words:,} have several tags and are "
           f"{c.ambiguous_tokens / c.tokens:.1%} of the tokens")
    if score.total:
        how = f"on {test}" if test else f"in {min(FOLDS, c.sentences)} folds, each tagged from the others"
        yield ("The most frequent tag of each word (unknown words: of all) is right "
               f"{score.accuracy:.2%} of the time {how}")
    yield "Tags:"
    cells = "   ".join(f"{tag}\u00a0{number:,}" for tag, number in c.tags.items())  # no break inside a cell
    for line in wrap(cells, 98, initial_indent="    ", subsequent_indent="    ", break_long_words=False,
                     break_on_hyphens=False):
        yield line.replace("\u00a0", " ")


def listed(findings: Sequence[Finding], places: int) -> Iterator[str]:
    """All findings with their first places."""
    if not findings:
        yield "Nothing looks wrong."
    for finding in findings:
        yield f"{'FAULT' if finding.fault else 'Look'}: {finding.what}: {finding.count:,}"
        yield from (f"    {place}" for place in finding.places[:places])
        if len(finding.places) > places > 0:
            yield f"    and {len(finding.places) - places:,} more"


def suspects(likely: Sequence[Variation], odd: Sequence[OddOne], limit: int) -> Iterator[str]:
    """Likely annotation errors: words that vary in their context, then odd ones out."""
    yield f"Likely annotation errors: {len(likely):,} words with several tags in the same context"
    for variation in likely[:limit]:
        yield f"    {' '.join([*variation.before, f'[{variation.word}]', *variation.after])}"
        for tag, where in variation.tags.items():
            yield f"        {tag}  {_lines(where)}"
    if len(likely) > limit:
        yield f"    and {len(likely) - limit:,} more (--variations)"
    if odd:
        yield f"Frequent words with another tag once: {len(odd):,}"
        for word, usual, tag, line, token in odd[:limit]:
            yield f"    line {line}, token {token}: {word}  {tag}, usually {usual}"
        if len(odd) > limit:
            yield f"    and {len(odd) - limit:,} more (--variations)"


def _lines(places: Sequence[tuple[int, int]], most: int = 6) -> str:
    """``line 5, token 3; line 9, token 1``."""
    shown = "; ".join(f"line {line}, token {token}" for line, token in places[:most])
    return shown + (f" and {len(places) - most:,} more" if len(places) > most else "")


def describe_overlap(name: str, o: Overlap) -> Iterator[str]:
    """What the test corpus shares with the training corpus."""
    yield (f"{name}: {o.sentences:,} sentences, {o.shared_sentences:,} of them in the training corpus too; "
           f"{o.tokens:,} tokens, {o.unknown_tokens / o.tokens:.1%} of them unknown words")
