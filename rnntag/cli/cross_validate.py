"""``rnntag cross-validate``: how well a tagger does that is trained on a corpus, without a test corpus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ..corpus import Layout
from . import common
from .grade_pos import mistakes_report, summary_report
from .recipes import bar, recipe_options, recipes
from .table import json_text, percent, table, text

if TYPE_CHECKING:
    from ..evaluation.crossval import CrossValidation
    from ..evaluation.grading import Grading


@click.command("cross-validate", cls=common.Command)
@click.argument("corpus")
@click.option("--folds", type=click.IntRange(2), default=10, show_default=True, metavar="K",
              help="Parts of the corpus; each is tagged once, by a tagger trained on all others.")
@click.option("--errors", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="How many kinds of mistakes to list, of all folds together.")
@recipe_options
@common.corpus_options()
@common.quiet
def main(corpus: str, folds: int, errors: int, models: tuple[str, ...], preset: str, changes: str, jobs: int,
         seed: int, as_json: bool, layout: Layout, quiet: bool) -> None:
    """Train and test on the K parts of CORPUS in turn; show the mean, the spread and what is confused.

    Sentences are dealt to the parts at random, so the score is that on text of the same kind; other
    text is tagged less well. With two models, all answers together are compared as by grade-pos.
    """
    from ..corpus import read_tagged
    from ..evaluation.grading import grade
    from ..files import STANDARD, open_output, shown
    from ..training.validation import cross_validate

    if as_json:
        common.refuse("with --json, which has all mistakes", "errors")
    chosen = recipes(models, preset, changes)
    sentences = read_tagged(corpus, layout)
    with bar(folds * len(chosen), "Folds", quiet) as progress:
        results = cross_validate(chosen, sentences, folds, seed, jobs, progress.update)
    grading = grade([(result.name, result.pairs) for result in results], seed=seed)
    with open_output(STANDARD) as target:
        if as_json:
            record = {"corpus": shown(corpus), "folds": results[0].sizes,
                      "models": [result.to_dict() for result in results], **grading.to_dict()}
            target.write(json_text(record))
        else:
            target.write(text(list(describe(shown(corpus), seed, results, grading, errors))))


def describe(name: str, seed: int, results: list[CrossValidation], grading: Grading, errors: int) -> Iterator[str]:
    """A row for each fold, then all folds together."""
    scores = results[0].scores
    yield (f"{name}: {grading.sentences:,} sentences, {grading.tokens:,} tokens in {len(scores)} folds (seed "
           f"{seed}); accuracy in %")
    yield ""
    rows = [["", "tokens", *(result.name for result in results)]]
    for number, score in enumerate(scores):
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
    yield ""
    yield "All folds together:"
    for result in results:
        yield ""
        if len(results) > 1:
            yield f"{result.name}:"
        yield from mistakes_report(result.pairs, errors, 0)
    yield ""
    yield from summary_report(grading)
