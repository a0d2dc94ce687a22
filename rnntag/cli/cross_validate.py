"""``rnntag cross-validate``: how well a tagger does that is trained on a corpus, without a test corpus; which of
several configurations does better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ..corpus import Layout, Sentence
from ..errors import OptionError
from . import common
from .grade_pos import mistakes_report, summary_report
from .recipes import bar, recipe_options, recipes
from .table import json_text, percent, probability, table, text
from .tagging import WITH_PROBABILITIES

if TYPE_CHECKING:
    from ..evaluation.crossval import CrossValidation
    from ..evaluation.grading import Grading
    from ..evaluation.repetition import Difference, Repeated

BEST = 10  # values of each word that the answers give with their probabilities


@click.command("cross-validate", cls=common.Command)
@click.argument("corpus")
@click.option("-o", "--output", metavar="ANSWERS", help="Write the tags that each sentence gets from the tagger of "
              f"the other parts, and the {BEST} most probable ones of each word, for grade-pos, report and check "
              "--answers; of one configuration and one seed (default: not written).")
@common.format_option(None, list(WITH_PROBABILITIES), name="--output-format", what="Format of ANSWERS",
                      shown="what the end of its name says, otherwise jsonl")
@click.option("--folds", type=click.IntRange(2), default=10, show_default=True, metavar="K",
              help="Parts of the corpus; each is tagged once, by a tagger trained on all others.")
@click.option("--seeds", type=click.IntRange(1, 1000), default=1, show_default=True, metavar="N",
              help="Train N times on the same parts, from other weights. From 2 on, configurations are tested "
              "against each other; 5 see smaller differences than 2.")
@click.option("--errors", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="How many kinds of mistakes to list, of all folds together.")
@recipe_options
@common.corpus_options()
@common.force
@common.quiet
def main(corpus: str, output: str | None, output_format: str | None, folds: int, seeds: int, errors: int,
         models: tuple[str, ...], preset: str, changes: tuple[str, ...], jobs: int, seed: int, as_json: bool,
         layout: Layout, force: bool, quiet: bool) -> None:
    """Train and test on the K parts of CORPUS in turn; show the mean, the spread and what is confused.

    Sentences are dealt to the parts at random, so the score is that on text of the same kind; other
    text is tagged less well. With several configurations (--model, --options) and --seeds, every two
    are compared by a test that knows what the choice of the seeds and of the sentences changes.
    """
    from ..corpus import read_tagged
    from ..evaluation.grading import grade
    from ..evaluation.repetition import compare
    from ..files import STANDARD, open_output, shown
    from ..training.validation import cross_validate

    if as_json:
        common.refuse("with --json, which has all mistakes", "errors")
    if output is None:
        common.refuse("without -o", "output_format", "force")
    chosen = recipes(models, preset, changes, quiet)
    if output is not None and (len(chosen) > 1 or seeds > 1):
        raise OptionError("given with several configurations or seeds", "it has one answer for each sentence",
                          "Leave one of them out.", "--output")
    read = read_tagged(corpus, layout, empty=True)
    sentences = [sentence for sentence in read if sentence.words]
    with bar(folds * seeds * len(chosen), "Folds", quiet) as progress:
        results = cross_validate(chosen, sentences, folds, seed, jobs, progress.update, seeds,
                                 BEST if output is not None else 0)
    if output is not None:
        write_answers(output, output_format, read, results[0].answers, layout, force)
    scores = [result.scores for result in results]
    grading = grade([(each.name, each.runs[0].pairs) for each in scores], seed=seed) if seeds == 1 else None
    differences = compare(scores)
    with open_output(STANDARD) as target:
        if as_json:
            record = {"corpus": shown(corpus), "folds": scores[0].runs[0].sizes,
                      "models": [each.runs[0].to_dict() if grading else each.to_dict() for each in scores],
                      "differences": [difference.to_dict() for difference in differences],
                      **({**grading.to_dict(), "comparisons": []} if grading else {})}
            target.write(json_text(record))
        else:
            target.write(text(list(describe(shown(corpus), seed, scores, grading, differences, errors))))


def write_answers(path: str, format: str | None, read: Sequence[Sentence], answers: Sequence[Sentence],
                  layout: Layout, force: bool) -> None:
    """A sentence of the answers for each that was read, the empty ones among them."""
    from ..compression import plain
    from ..corpus import FORMATS
    from ..files import open_output
    ending = plain(path).rpartition(".")[2]
    writer = FORMATS[format or (ending if ending in WITH_PROBABILITIES else "jsonl")](layout.separator)
    following = iter(answers)
    with open_output(path, force=force) as target:
        for sentence in read:
            target.write(writer.write(next(following) if sentence.words else sentence).encode())


def describe(name: str, seed: int, results: list[Repeated], grading: Grading | None, differences: list[Difference],
             errors: int) -> Iterator[str]:
    """A row for each fold, or each seed; then all together."""
    first = results[0].runs[0]
    parts = f"{len(first.scores)} folds"
    seeds = f"seed {seed}" if grading else f"{len(results[0].runs)} seeds from {seed}"
    yield f"{name}: {sum(first.sizes):,} sentences, {first.total.total:,} tokens in {parts} ({seeds}); accuracy in %"
    yield ""
    yield from fold_table([result.runs[0] for result in results]) if grading else seed_table(results)
    yield ""
    yield "All folds together:" if grading else "All folds and seeds together:"
    for result in results:
        yield ""
        if len(results) > 1:
            yield f"{result.name}:"
        yield from mistakes_report([pair for run in result.runs for pair in run.pairs], errors, 0)
    if grading:
        yield ""
        yield from summary_report(grading, verdicts=False)
        if len(results) > 1:
            yield ""
            yield "One seed does not tell whether a configuration is better or was lucky: --seeds 3 compares them."
    for difference in differences:
        yield ""
        yield from verdict(difference, len(results[0].runs), len(differences))


def fold_table(results: Sequence[CrossValidation]) -> Iterator[str]:
    """A row for each fold."""
    rows = [["", "tokens", *(result.name for result in results)]]
    for number, score in enumerate(results[0].scores):
        rows.append([f"Fold {number + 1}", f"{score.total:,}",
                     *(percent(result.scores[number].accuracy) for result in results)])
    rows.append(["Mean", "", *(percent(result.mean) for result in results)])
    rows.append(["Spread", "", *(percent(result.sd) for result in results)])
    rows.append(["Known words", f"{results[0].known.total:,}",
                 *(percent(result.known.accuracy) for result in results)])
    rows.append(["Unknown words", f"{results[0].unknown.total:,}",
                 *(percent(result.unknown.accuracy) for result in results)])
    yield from table(rows, right=range(1, len(results) + 2))
    yield "Spread: the standard deviation of the folds' accuracies."


def seed_table(results: Sequence[Repeated]) -> Iterator[str]:
    """A row for each seed."""
    from statistics import fmean, stdev
    rows = [["", *(result.name for result in results)]]
    rows += [[f"Seed {number}", *map(percent, values)]
             for number, values in enumerate(zip(*(result.accuracies for result in results)), 1)]
    rows.append(["Mean", *(percent(fmean(result.accuracies)) for result in results)])
    rows.append(["Spread", *(percent(stdev(result.accuracies)) for result in results)])
    for label, kind in (("Known words", "known"), ("Unknown words", "unknown")):
        rows.append([label, *(percent(fmean(getattr(run, kind).accuracy for run in result.runs))
                              for result in results)])
    yield from table(rows, right=range(1, len(results) + 1))
    yield "Spread: the standard deviation of the seeds' accuracies."


def verdict(d: Difference, seeds: int, comparisons: int) -> Iterator[str]:
    """What a comparison over seeds says, in words."""
    low, high = d.interval
    yield (f"{d.second} against {d.first}: {100 * d.difference:+.2f} points (95% interval {100 * low:+.2f} to "
           f"{100 * high:+.2f})")
    adjusted = f", {probability(d.p_adjusted)} after Holm for {comparisons} comparisons" if comparisons > 1 else ""
    yield (f"  t test over {seeds} seeds and all sentences: {probability(d.p)}{adjusted}; standard deviation "
           f"{100 * d.seeds_sd:.2f} from the seeds, {100 * d.sentences_sd:.2f} from the sentences")
    yield "  Hypothesis: in the mean over seeds and over sentences of this kind, both are equally accurate."
    if d.significant:
        yield f"  It is rejected: {d.second if d.difference > 0 else d.first} is better."
    else:
        yield f"  It is not rejected: less than about {50 * (high - low):.2f} points cannot be told from chance here."
