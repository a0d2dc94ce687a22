"""``rnntag cross-validate``: how well a tagger does that is trained on a corpus, without a test corpus."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from . import common
from .grade_pos import mistakes_report, summary_report
from .recipes import bar, recipe_options, recipes
from .table import json_text, percent, table, text

if TYPE_CHECKING:
    from ..evaluation import Pair, Score
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
         seed: int, as_json: bool, layout: dict, quiet: bool) -> None:
    """Train and test on the K parts of CORPUS in turn; show the mean, the spread and what is confused.

    Sentences are dealt to the parts at random, so the score is that on text of the same kind; other
    text is tagged less well. With two models, all answers together are compared as by grade-pos.
    """
    from ..corpus import read_tagged
    from ..files import STANDARD, open_output, shown
    from ..evaluation.grading import grade
    from ..training.validation import cross_validation, run

    if as_json:
        common.refuse("with --json, which has all mistakes", "errors")
    chosen = recipes(models, preset, changes)
    sentences = read_tagged(corpus, **layout)
    tasks = [task for recipe in chosen for task in cross_validation(recipe, len(sentences), folds, seed)]
    with bar(len(tasks), "Folds", quiet) as progress:
        done = list(run(tasks, sentences, jobs, progress.update))
    results = []
    for number, recipe in enumerate(chosen):
        mine = slice(number * folds, (number + 1) * folds)
        results.append(Result(recipe.name, done[mine], [
            {word for i in task.train for word in sentences[i].words} for task in tasks[mine]]))
    grading = grade([(each.name, each.pooled) for each in results], seed=seed)
    with open_output(STANDARD) as target:
        if as_json:
            record = {"corpus": shown(corpus), "folds": [len(task.test) for task in tasks[:folds]],
                      "models": [each.to_dict() for each in results], **grading.to_dict()}
            target.write(json_text(record))
        else:
            target.write(text(list(describe(shown(corpus), seed, results, grading, errors))))


class Result:
    """The folds of one model: accuracy of each, on known and unknown words over all, and the pairs."""

    def __init__(self, name: str, folds: list[list[Pair]], vocabularies: list[set[str]]):
        from ..evaluation import Score, accuracy, accuracy_by_knowledge
        self.name = name
        self.scores = [accuracy(pairs) for pairs in folds]
        split = [accuracy_by_knowledge(pairs, words) for pairs, words in zip(folds, vocabularies, strict=True)]
        self.known, self.unknown = (Score(*map(sum, zip(*column))) for column in zip(*split))
        self.pooled = sorted((pair for pairs in folds for pair in pairs), key=lambda pair: pair.line)
        self.mean = statistics.fmean(score.accuracy for score in self.scores)
        self.sd = statistics.stdev(score.accuracy for score in self.scores)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        def plain(score: Score) -> dict[str, int]:
            return score._asdict()
        return {"name": self.name, "folds": [plain(score) for score in self.scores], "mean": self.mean,
                "sd": self.sd, "known": plain(self.known), "unknown": plain(self.unknown)}


def describe(name: str, seed: int, results: list[Result], grading: Grading, errors: int) -> Iterator[str]:
    """A row for each fold, then what they come to together."""
    scores = results[0].scores
    yield (f"{name}: {grading.sentences:,} sentences, {grading.tokens:,} tokens in {len(scores)} folds (seed "
           f"{seed}); accuracy in %")
    yield ""
    rows = [["", "tokens", *(each.name for each in results)]]
    for number, score in enumerate(scores):
        rows.append([f"Fold {number + 1}", f"{score.total:,}",
                     *(percent(each.scores[number].accuracy) for each in results)])
    rows.append(["Mean", "", *(percent(each.mean) for each in results)])
    rows.append(["Spread", "", *(percent(each.sd) for each in results)])
    rows.append(["Known words", f"{results[0].known.total:,}", *(percent(each.known.accuracy) for each in results)])
    rows.append(["Unknown words", f"{results[0].unknown.total:,}",
                 *(percent(each.unknown.accuracy) for each in results)])
    yield from table(rows, right=range(1, len(results) + 2))
    yield "Spread: the standard deviation of the folds' accuracies."
    yield ""
    yield "All folds together:"
    for each in results:
        yield ""
        if len(results) > 1:
            yield f"{each.name}:"
        yield from mistakes_report(each.pooled, errors, 0)
    yield ""
    yield from summary_report(grading)
