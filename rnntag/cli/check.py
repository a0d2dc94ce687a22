"""``rnntag check``: what a corpus is like, and what looks wrong in it."""

from __future__ import annotations

from dataclasses import replace
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from ..corpus import Layout, Sentence
from ..errors import OptionError, plural
from . import common
from .cross_validate import BEST
from .recipes import bar, recipe_options, recipes
from .table import json_text, percent, table, text

if TYPE_CHECKING:
    from ..analysis.check import Overlap, Report
    from ..analysis.disagreement import Suspect
    from ..analysis.findings import Finding
    from ..analysis.variation import OddOne, Variation
    from ..training.validation import Recipe


@click.command("check", cls=common.Command)
@click.argument("corpus")
@click.option("--test", metavar="FILE", help="The test corpus that goes with CORPUS: what do they share? It is not "
              "checked itself (default: none).")
@click.option("--folds", type=click.IntRange(0), default=3, show_default=True, metavar="K",
              help="Train taggers on all but one of K parts in turn, and ask them about the part left out; 0: no "
              "tagger, which takes no time.")
@click.option("--answers", metavar="FILE", help="What taggers say of CORPUS, from cross-validate -o, instead of "
              "--folds (default: none).")
@click.option("--suspects", "most", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
              help="How many likely annotation errors to show.")
@click.option("--places", type=click.IntRange(min=0), default=3, show_default=True, metavar="N",
              help="How many places to show of each finding.")
@click.option("--variations", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="How many words with several tags in the same context to show.")
@recipe_options
@common.corpus_options()
@common.quiet
@click.pass_context
def main(ctx: click.Context, corpus: str, test: str | None, folds: int, answers: str | None, most: int, places: int,
         variations: int, models: tuple[str, ...], preset: str, changes: tuple[str, ...], jobs: int, seed: int,
         as_json: bool, layout: Layout, quiet: bool) -> None:
    """Count the tagged CORPUS, and show faults, what deserves a look, and likely annotation errors.

    A likely annotation error is a token for which a tagger trained on the other parts of CORPUS prefers
    another tag, the surest first. What the word has elsewhere, and in the same context (Dickinson and
    Meurers 2003), counts too. The exit status is 1 when there is a fault (FAULT): damaged characters,
    one word in two Unicode forms, a test corpus that is mostly in CORPUS.
    """
    from ..analysis import check
    from ..corpus import read_tagged
    from ..files import STANDARD, open_output, shown

    common.read_once(corpus, test, answers)
    if as_json:
        common.refuse("with --json, which has all of them", "places", "variations", "most")
    if answers is not None:
        common.refuse("with --answers", "folds")
    if answers is not None or not folds:
        common.refuse("with --answers" if folds else "without --folds", "models", "preset", "changes", "jobs", "seed")
    if folds == 1:
        raise OptionError("1", "a tagger needs other parts to learn from", "Give 2 or more, or 0 for no tagger.",
                          "--folds")
    chosen = recipes(models, preset, changes, quiet)
    if len(chosen) > 1:
        raise OptionError(f"{len(chosen)} configurations", "one of them is asked", place="--model and --options")
    read = read_tagged(corpus, layout, empty=True)
    sentences = [sentence for sentence in read if sentence.words]
    report = check.check(sentences, read_tagged(test, replace(layout, format=None)) if test is not None else None)
    said = read_said(answers, read, layout, shown(corpus)) if answers is not None else None
    with open_output(STANDARD) as target:
        if not as_json:
            target.write(text([*describe(shown(corpus), report, shown(test or "")), "",
                               *listed(report.findings, places), ""]))
            target.flush()
        if answers is None and folds and len(sentences) > 1:
            folds = min(folds, len(sentences))
            with bar(folds, "Folds", quiet) as progress:
                said = cross_validated(chosen[0], sentences, folds, seed, jobs, progress.update)
        if said is not None:
            report.suspects = disagreement(sentences, said, report)
        if as_json:
            record = {"corpus": shown(corpus), **report.to_dict()}
            if test is not None:
                record["test"] = {"name": shown(test), **record["test"]}
            target.write(json_text(record))
        else:
            lines = [*suspects(report.suspects, most), *varying(report.variations, report.odd, variations)]
            if report.overlap:
                lines += ["", *describe_overlap(shown(test or ""), report.overlap),
                          *listed(report.overlap.findings, places)]
            target.write(text(lines))
    if report.fault:
        ctx.exit(1)


def cross_validated(recipe: Recipe, sentences: Sequence[Sentence], folds: int, seed: int, jobs: int,
                    advance: Callable[[], object]) -> list[Sentence]:
    """What the taggers of the other folds say of each sentence."""
    from ..training.validation import cross_validate
    return cross_validate([recipe], sentences, folds, seed, jobs, advance, best=BEST)[0].answers


def read_said(path: str, read: Sequence[Sentence], layout: Layout, name: str) -> list[Sentence]:
    """The answers of a file to the sentences that have words.

    Raises CorpusError when they are to other sentences, or without probabilities.
    """
    from ..corpus import TAGGED, read as read_file
    from ..errors import CorpusError
    from ..evaluation import pair
    from ..files import shown
    said = list(read_file(path, replace(layout, format=None), TAGGED, want="some"))
    list(pair(read, said, name, shown(path)))  # refuses what does not match
    said = [answer for answer in said if answer.words]
    if any(answer.first is None or answer.first.best is None for answer in said):
        raise CorpusError("no probabilities", "a likely error is one that a tagger is sure of",
                          "cross-validate -o writes them.", shown(path))
    return said


def disagreement(sentences: Sequence[Sentence], said: Sequence[Sentence], report: Report) -> list[Suspect]:
    """The suspects of the corpus."""
    from ..analysis.disagreement import suspects
    return suspects(sentences, said, report.variations)


def describe(name: str, report: Report, test: str) -> Iterator[str]:
    """The counts, the baseline, and the tag set with how often each tag occurs."""
    from ..analysis.check import FOLDS
    c, score = report.counts, report.baseline
    yield (f"{name}: {plural(c.sentences, 'sentence')}, {plural(c.tokens, 'token')}, {plural(c.words, 'word')}, "
           + plural(len(c.tags), "tag"))
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


def suspects(found: Sequence[Suspect] | None, limit: int) -> Iterator[str]:
    """The likely annotation errors, and what the kinds mean that are among them; nothing without a tagger."""
    from ..analysis.disagreement import KINDS
    if found is None:
        return
    yield f"Likely annotation errors: {plural(len(found), 'token')} for which another tag is more probable"
    rows = [(f"    {number}", f"line {each.line}, token {each.token + 1}", f"{each.field} {each.tag}".strip(),
             percent(each.p_tag), "->", each.answer, percent(each.p_answer), each.kind,
             " ".join([*each.before, f"[{each.word}]", *each.after]))
            for number, each in enumerate(found[:limit], 1)]
    if rows:
        yield from table(rows, right=(0, 3, 6))
        yield "    (place, tag of the corpus and its probability in %, likely tag and its probability, kind, context)"
    if len(found) > limit:
        yield f"    and {len(found) - limit:,} more (--suspects)"
    kinds = {each.kind for each in found[:limit]}
    yield from (f"    {kind}: {meaning}" for kind, meaning in KINDS.items() if kind in kinds)
    yield ""


def varying(likely: Sequence[Variation], odd: Sequence[OddOne], limit: int) -> Iterator[str]:
    """Words that vary in their context, then odd ones out."""
    yield f"Words with several tags in the same context: {len(likely):,}"
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
    yield (f"{name}: {plural(o.sentences, 'sentence')}, {o.shared_sentences:,} of them in the training corpus too; "
           f"{plural(o.tokens, 'token')}, {o.unknown_tokens / o.tokens:.1%} of them unknown words")
