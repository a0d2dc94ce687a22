"""``rnntag learning-curve``: is the corpus big enough?"""

from __future__ import annotations

from dataclasses import replace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ..corpus import Layout
from ..errors import plural
from . import common
from .recipes import bar, recipe_options, recipes
from .table import json_text, percent, span, table, text

if TYPE_CHECKING:
    from ..evaluation.curve import Curve, Forecast


@click.command("learning-curve", cls=common.Command)
@click.argument("corpus")
@click.option("--test", metavar="FILE", help="Tagged corpus to score on (default: a part of CORPUS, --held-out).")
@click.option("--held-out", type=click.FloatRange(0, 0.9, min_open=True), default=0.1, show_default=True, metavar="F",
              help="Share of the sentences of CORPUS to score on, taken at random.")
@click.option("--halvings", type=click.IntRange(2, 10), default=4, show_default=True, metavar="N",
              help="How often the corpus is halved for the smallest part; 4: down to 1/16.")
@click.option("--repeats", type=click.IntRange(1, 1000), default=1, show_default=True, metavar="N",
              help="Runs of each size, each on other sentences and with another seed.")
@recipe_options
@common.corpus_options()
@common.quiet
def main(corpus: str, test: str | None, held_out: float, halvings: int, repeats: int, models: tuple[str, ...],
         preset: str, changes: tuple[str, ...], jobs: int, seed: int, as_json: bool, layout: Layout,
         quiet: bool) -> None:
    """Train on 1/16, 1/8 ... 1/1 of CORPUS, show the accuracy of each, and what doubling should bring.

    The curve is the power law error = a n^-b, n the training tokens, fitted to the errors counted. As
    a check of it, the full size is also predicted from the smaller ones alone. Intervals say where the
    accuracy on the same test sentences will lie; fewer than four sizes are too few for one.
    """
    import numpy as np

    from ..corpus import read_tagged
    from ..corpus.split import hold_out
    from ..files import STANDARD, open_output, shown
    from ..training.validation import learning_curves

    if test is not None:
        common.refuse("with --test", "held_out")
    chosen = recipes(models, preset, changes, quiet)
    sentences = read_tagged(corpus, layout)
    train: Sequence[int]
    held: Sequence[int]
    if test is not None:
        testing = read_tagged(test, replace(layout, format=None))
        train, held = range(len(sentences)), range(len(sentences), len(sentences) + len(testing))
        sentences = sentences + testing
    else:
        train, held = hold_out(len(sentences), held_out, np.random.default_rng([seed, 0]), "--held-out")
    with bar(len(chosen) * (halvings + 1) * repeats, "Runs", quiet) as progress:
        curves = learning_curves(chosen, sentences, train, held, halvings, repeats, seed, jobs, progress.update)
    with open_output(STANDARD) as target:
        if as_json:
            record = {"corpus": shown(corpus), "test_sentences": len(held),
                      "curves": [curve.to_dict() for curve in curves]}
            target.write(json_text(record))
        else:
            tokens = plural(sum(len(sentences[i]) for i in held), "token")
            lines = [f"{shown(corpus)}, scored on {plural(len(held), 'sentence')}, {tokens}"
                     + (f" of {shown(test)}" if test is not None else " held out of it")]
            target.write(text([*lines, *(line for curve in curves for line in describe(curve, halvings))]))


def describe(curve: Curve, halvings: int) -> Iterator[str]:
    """The curve as a table and in words; accuracies in %."""
    yield ""
    yield f"{curve.name}:"
    rows = [("part", "tokens", "accuracy", "fitted", "")]
    law, measured = curve.law, [(n, 1 - wrong / total) for n, wrong, total in curve.means]
    best, worst = (pick(right for _, right in measured) for pick in (max, min))
    for k, (n, right) in enumerate(measured):
        filled = round(30 * (right - worst) / (best - worst)) if best > worst else 0
        rows.append((f"1/{1 << (halvings - k)}", f"{n:,.0f}", percent(right), percent(1 - law.error(n)),
                     "#" * (1 + filled)))
    yield from table(rows, right=(0, 1, 2, 3))
    yield f"Fitted: error = {law.a:.3g} n^-{law.b:.3f}, n in training tokens"
    (n, error), check, doubled = curve.last, curve.check(), curve.doubled()
    yield (f"Check: from the smaller parts alone, {percent(1 - check.error)} ({_interval(check)}) was to be expected "
           f"of all of it; measured {percent(1 - error)}")
    yield (f"Twice the corpus, {2 * n:,.0f} tokens, should bring {100 * (error - doubled.error):+.2f} points: "
           f"{percent(1 - doubled.error)} ({_interval(doubled)}) on these test sentences, if the law holds on and "
           "the new text is of the same kind")


def _interval(expected: Forecast) -> str:
    if expected.interval is None:
        return "no interval: fewer than four sizes"
    low, high = expected.interval
    return f"95 % interval {span((1 - high, 1 - low))}"
