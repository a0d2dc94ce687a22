"""``rnntag check``: what a corpus is like, and what looks wrong in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from . import common
from .table import json_text, text

if TYPE_CHECKING:
    from ..analysis.check import Counts, Finding, Overlap
    from ..evaluation import Score
    from ..analysis.variation import Variation


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
         layout: dict) -> None:
    """Count the tagged CORPUS, and show faults, what deserves a look, and likely annotation errors.

    A likely annotation error is a word that has different tags in the same context (Dickinson and
    Meurers 2003), the longest context first. The exit status is 1 when there is a fault (FAULT):
    damaged characters, one word in two Unicode forms, a test corpus that is mostly in CORPUS.
    """
    from ..analysis import variation
    from ..analysis.check import baseline, count, findings, overlap
    from ..corpus import read_tagged
    from ..files import STANDARD, open_output, shown

    common.read_once(corpus, test)
    if as_json:
        common.refuse("with --json, which has all of them", "places", "variations")
    sentences = read_tagged(corpus, **layout)
    counts, found = count(sentences), findings(sentences)
    likely, odd = variation.variations(sentences), variation.odd_ones(sentences)
    testing = read_tagged(test, **{**layout, "format": None}) if test is not None else None
    shared = overlap(sentences, testing) if testing is not None else None
    usual = baseline(sentences, testing)
    faulty = any(each.fault for each in [*found, *(shared.findings if shared else [])])
    with open_output(STANDARD) as target:
        if as_json:
            record = {"corpus": shown(corpus), "counts": counts.to_dict(), "baseline": usual._asdict(),
                      "findings": [vars(each) for each in found],
                      "variations": [each.to_dict() for each in likely],
                      "odd": [dict(zip(("word", "usual", "tag", "line", "token"), each)) for each in odd],
                      "test": shared and {"name": shown(test or ""), **shared.to_dict()}, "fault": faulty}
            target.write(json_text(record))
        else:
            lines = [*describe(shown(corpus), counts, usual, test and shown(test)), "", *listed(found, places)]
            lines += ["", *suspects(likely, odd, variations)]
            if shared:
                lines += ["", *describe_overlap(shown(test or ""), shared), *listed(shared.findings, places)]
            target.write(text(lines))
    if faulty:
        ctx.exit(1)


def describe(name: str, c: Counts, usual: Score, test: str | None) -> Iterator[str]:
    """The counts, the baseline, and the tag set with how often each tag is there."""
    from ..analysis.check import FOLDS
    yield f"{name}: {c.sentences:,} sentences, {c.tokens:,} tokens, {c.words:,} words, {len(c.tags):,} tags"
    yield f"Sentences: {c.median_length:g} tokens in the middle, at most {c.longest:,} (line {c.longest_line})"
    yield (f"Words: {c.once:,} occur once; {c.ambiguous_words:,} have several tags and are "
           f"{c.ambiguous_tokens / c.tokens:.1%} of the tokens")
    if usual.total:
        how = f"on {test}" if test else f"in {min(FOLDS, c.sentences)} folds, each tagged from the others"
        yield ("The most frequent tag of each word (unknown words: of all) is right "
               f"{usual.accuracy:.2%} of the time {how}")
    yield "Tags:"
    cells = "   ".join(f"{tag}\u00a0{number:,}" for tag, number in c.tags.items())  # no break inside a cell
    for line in wrap(cells, 98, initial_indent="    ", subsequent_indent="    ", break_long_words=False,
                     break_on_hyphens=False):
        yield line.replace("\u00a0", " ")


def listed(findings: Sequence[Finding], places: int) -> Iterator[str]:
    """Each finding with its first places."""
    if not findings:
        yield "Nothing looks wrong."
    for each in findings:
        yield f"{'FAULT' if each.fault else 'Look'}: {each.what}: {each.count:,}"
        yield from (f"    {place}" for place in each.places[:places])
        if len(each.places) > places > 0:
            yield f"    and {len(each.places) - places:,} more"


def suspects(likely: Sequence[Variation], odd: Sequence[tuple], limit: int) -> Iterator[str]:
    """Likely annotation errors: words that vary in their context, then odd ones out."""
    yield f"Likely annotation errors: {len(likely):,} words with several tags in the same context"
    for each in likely[:limit]:
        yield f"    {' '.join([*each.before, f'[{each.word}]', *each.after])}"
        for tag, where in each.tags.items():
            yield f"        {tag}  {_lines(where)}"
    if len(likely) > limit:
        yield f"    and {len(likely) - limit:,} more (--variations)"
    if odd:
        yield f"Frequent words with another tag once: {len(odd):,}"
        for word, usual, tag, line, token in odd[:limit]:
            yield f"    line {line}, token {token}: {word}  {tag}, elsewhere {usual}"
        if len(odd) > limit:
            yield f"    and {len(odd) - limit:,} more (--variations)"


def _lines(places: Sequence[tuple[int, int]], most: int = 6) -> str:
    """``line 5, token 3; line 9, token 1``."""
    shown = "; ".join(f"line {line}, token {token}" for line, token in places[:most])
    return shown + (f" and {len(places) - most:,} more" if len(places) > most else "")


def describe_overlap(name: str, o: Overlap) -> Iterator[str]:
    """What the test corpus shares with the training corpus."""
    yield (f"{name}: {o.sentences:,} sentences, {o.shared_sentences:,} of them in the training corpus too; "
           f"{o.tokens:,} tokens, {o.unknown_tokens / o.tokens:.1%} of unknown words")
