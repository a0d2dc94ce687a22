"""What ``rnntag suggest`` brings: a tagger learns from the sentences that it chose itself, and from as many tokens
in random order.

    python scripts/active_learning.py wiki-en-train.norm_pos --test wiki-en-test.norm_pos --seeds 5
    python scripts/active_learning.py tr_imst-train.conllu --test tr_imst-dev.conllu --json

Both begin with the same random sentences. Whoever chooses is trained anew after each step. Accuracy is that on the
test corpus, the mean over the seeds, with the standard deviation of the gain.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402
import numpy as np  # noqa: E402

from rnntag.analysis import suggestion  # noqa: E402
from rnntag.cli.common import Command, corpus_options, refuse  # noqa: E402
from rnntag.cli.recipes import recipe_options, recipes  # noqa: E402
from rnntag.cli.table import table  # noqa: E402
from rnntag.corpus import Layout, Sentence, read_tagged  # noqa: E402
from rnntag.training.validation import Recipe  # noqa: E402

BEGIN = 0.05  # the share that both begin with
STEPS = (0.075, 0.10, 0.15, 0.20, 0.30, 0.40)
SHOWN = (0.10, 0.20, 0.40)


@click.command(cls=Command)
@click.argument("corpus")
@click.option("--test", metavar="FILE", help="Tagged corpus to score on [a fifth of CORPUS, held out].")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Repetitions.")
@recipe_options
@corpus_options()
def main(corpus: str, test: str | None, seeds: int, models: tuple[str, ...],
         preset: str, changes: tuple[str, ...], jobs: int, seed: int, as_json: bool, layout: Layout) -> None:
    """Annotate CORPUS in two orders, and score both on the way."""
    refuse("here, where each training waits for the one before", "jobs")
    sentences = read_tagged(corpus, layout)
    testing = read_tagged(test, layout) if test is not None else []
    (recipe,) = recipes(models, preset, changes, True)
    curves: dict[str, list[list[float]]] = {"random": [], "suggest": []}
    for repeat in range(seed, seed + seeds):
        order = np.random.default_rng([repeat, 5]).permutation(len(sentences)).tolist()
        held = testing or [sentences[i] for i in order[:len(order) // 5]]
        text = [sentences[i] for i in (order if testing else order[len(order) // 5:])]
        for name, runs in curves.items():
            runs.append(annotated(recipe.seeded(repeat), text, held, name == "suggest"))
            click.echo(f"seed {repeat}, {name}: {' '.join(f'{100 * a:.2f}' for a in runs[-1])}", err=True)
    shares = (BEGIN, *STEPS)
    if as_json:
        click.echo(json.dumps({"corpus": corpus, "shares": shares, **curves}))
    rows = [["share of the tokens", *(f"{100 * share:g} %" for share in SHOWN)]]
    at = [shares.index(share) for share in SHOWN]
    for name, runs in curves.items():
        rows.append([name, *(f"{100 * fmean(run[k] for run in runs):.2f}" for k in at)])
    gains = [[100 * (b[k] - a[k]) for a, b in zip(curves["random"], curves["suggest"])] for k in at]
    rows.append(["gain", *(f"{fmean(gain):+.2f}" + (f" +- {stdev(gain):.2f}" if seeds > 1 else "")
                           for gain in gains)])
    for line in table(rows, right=range(1, len(SHOWN) + 1)):
        click.echo(line)


def annotated(recipe: Recipe, text: Sequence[Sentence], held: Sequence[Sentence], choose: bool) -> list[float]:
    """Accuracy after BEGIN and each of STEPS of the tokens, in the order of ``text`` or as the tagger chooses."""
    total, accuracies = sum(map(len, text)), []
    chosen, rest = list[Sentence](), list(text)
    tagger: Any = None
    for share in (BEGIN, *STEPS):
        order = suggested(tagger, chosen, rest) if choose and tagger else rest
        chosen, rest = taken(chosen, order, share * total)
        tagger = recipe.train(chosen)
        answers = tagger.tag(sentence.words for sentence in held)
        right = sum(sum(map(str.__eq__, tags, sentence.tags or [])) for tags, sentence in zip(answers, held))
        accuracies.append(right / sum(map(len, held)))
    return accuracies


def taken(chosen: list[Sentence], rest: list[Sentence], tokens: float) -> tuple[list[Sentence], list[Sentence]]:
    """Move sentences from the front of ``rest`` until there are so many tokens."""
    chosen, size = list(chosen), sum(map(len, chosen))
    while size < tokens and rest:
        chosen.append(rest[0])
        size, rest = size + len(rest[0]), rest[1:]
    return chosen, rest


def suggested(tagger: Any, chosen: Sequence[Sentence], rest: Sequence[Sentence]) -> list[Sentence]:
    """The rest, the sentences that ``tagger`` suggests first; what it would not suggest (repeated ones) last."""
    known = {word for sentence in chosen for word in sentence.words}
    answers = tagger.annotate([Sentence(s.words, None, number) for number, s in enumerate(rest)], best=1)
    order = [each.sentence.line for each in suggestion.suggestions(answers, known, len(rest))]
    return [rest[i] for i in [*order, *sorted(set(range(len(rest))) - set(order))]]


if __name__ == "__main__":
    main()
