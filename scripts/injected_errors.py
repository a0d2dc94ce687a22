"""How many annotation errors does ``rnntag check`` find? Tags are made wrong on purpose, and looked for in its list.

    python scripts/injected_errors.py wiki-en-train.norm_pos --seeds 5
    python scripts/injected_errors.py en_ewt-train.conllu --sample 2000 --kind plausible
    python scripts/injected_errors.py tr_imst-train.conllu --model hmm

Of the first 100 and 400 suspects, it counts those that were made wrong; the corpus has errors of its own, so the
others need not be right. Beside it stand the same-context list alone, cut after as many tokens, and chance.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402
import numpy as np  # noqa: E402

from rnntag.analysis.disagreement import suspects  # noqa: E402
from rnntag.analysis.variation import variations  # noqa: E402
from rnntag.cli.common import Command, corpus_options  # noqa: E402
from rnntag.cli.cross_validate import BEST  # noqa: E402
from rnntag.cli.recipes import recipe_options, recipes  # noqa: E402
from rnntag.cli.table import table  # noqa: E402
from rnntag.corpus import Layout, Sentence, read_tagged  # noqa: E402
from rnntag.training.validation import cross_validate  # noqa: E402

CUTS = (100, 400)
Place = tuple[int, int]  # sentence and token, from 0


@click.command(cls=Command)
@click.argument("corpus")
@click.option("--share", type=click.FloatRange(0, 0.5, min_open=True), default=0.01, show_default=True,
              help="Share of the tokens that get a wrong tag.")
@click.option("--kind", type=click.Choice(["frequent", "plausible"]), default="frequent", show_default=True,
              help="Wrong tags: any other one, in proportion to how frequent it is; or one that many words have "
              "beside the right one.")
@click.option("--sample", type=click.IntRange(1), help="So many sentences of CORPUS, taken at random [all].")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Repetitions.")
@click.option("--folds", type=click.IntRange(2), default=3, show_default=True)
@recipe_options
@corpus_options()
def main(corpus: str, share: float, kind: str, sample: int | None, seeds: int, folds: int, models: tuple[str, ...],
         preset: str, changes: tuple[str, ...], jobs: int, seed: int, as_json: bool, layout: Layout) -> None:
    """Make tags of CORPUS wrong, and count how many of them are found."""
    sentences = read_tagged(corpus, layout)
    if sample is not None:
        chosen = np.random.default_rng(0).permutation(len(sentences))[:sample]
        sentences = [sentences[i] for i in sorted(chosen.tolist())]
    tokens = sum(map(len, sentences))
    found: dict[str, list[list[int]]] = defaultdict(list)
    seconds = []
    for repeat in range(seed, seed + seeds):
        wrong, places = injected(sentences, share, kind, np.random.default_rng([repeat, 77]))
        for recipe in recipes(models, preset, changes, True):
            began = time.process_time()
            answers = cross_validate([recipe], wrong, folds, repeat, jobs, best=BEST)[0].answers
            ranked = [(each.sentence, each.token) for each in suspects(wrong, answers)]
            seconds.append(time.process_time() - began)
            found[recipe.name].append(hits(ranked, places))
        found["same context alone"].append(hits(same_context(wrong), places))
        found["chance"].append([round(len(places) * cut / tokens) for cut in CUTS])
        click.echo(f"seed {repeat}: " + "; ".join(f"{name} {rows[-1]}" for name, rows in found.items()), err=True)
    if as_json:
        record = {"corpus": corpus, "tokens": tokens, "wrong": len(places), "cuts": CUTS, "found": found}
        click.echo(json.dumps(record))
        return
    click.echo(f"{corpus}: {len(sentences):,} sentences, {tokens:,} tokens, {len(places)} of them made wrong "
               f"({kind}); {seeds} seeds, {folds} folds, {fmean(seconds):.0f} CPU s each")
    rows = [["", *(f"in the first {cut}" for cut in CUTS)]]
    for name, counts in found.items():
        rows.append([name, *(f"{fmean(column):.1f}" + (f" +- {stdev(column):.1f}" if seeds > 1 else "")
                             for column in zip(*counts))])
    for line in table(rows, right=range(1, len(CUTS) + 1)):
        click.echo(line)


def injected(sentences: Sequence[Sentence], share: float, kind: str,
             rng: np.random.Generator) -> tuple[list[Sentence], set[Place]]:
    """The corpus with wrong tags, and where they are."""
    weights = likely_wrong(sentences, kind)
    places = [(s, i) for s, sentence in enumerate(sentences) for i in range(len(sentence))]
    chosen = {places[k] for k in rng.choice(len(places), round(share * len(places)), replace=False).tolist()}
    made = []
    for s, sentence in enumerate(sentences):
        tags = list(sentence.tags or [])
        for i, tag in enumerate(tags):
            if (s, i) in chosen:
                names, p = weights[tag]
                tags[i] = names[rng.choice(len(names), p=p)]
        made.append(Sentence(sentence.words, tags, sentence.line))
    return made, chosen


def likely_wrong(sentences: Sequence[Sentence], kind: str) -> dict[str, tuple[list[str], np.ndarray]]:
    """For each tag the others, with the probability of each to stand in its place."""
    words: dict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(sentence.tags or [])
        for word, tag in zip(sentence.words, sentence.tags or []):
            words[word].add(tag)
    weights = {}
    for tag in counts:
        both = Counter(other for tags in words.values() if tag in tags for other in tags)
        if kind == "frequent":
            both.clear()
        names = [other for other in counts if other != tag and (both[other] or kind == "frequent")]
        names = names or [other for other in counts if other != tag]  # no word has it beside another
        p = np.array([float(both[name] or counts[name]) for name in names])
        weights[tag] = names, p / p.sum()
    return weights


def same_context(sentences: Sequence[Sentence]) -> list[Place]:
    """The places of the same-context list, the rarer tags of each entry first, as somebody reads it."""
    at = {sentence.line: s for s, sentence in enumerate(sentences)}
    return [(at[line], token - 1) for variation in variations(sentences)
            for places in reversed(list(variation.tags.values())) for line, token in places]


def hits(ranked: Sequence[Place], wrong: set[Place]) -> list[int]:
    """How many of the first places are wrong."""
    return [sum(place in wrong for place in ranked[:cut]) for cut in CUTS]


if __name__ == "__main__":
    main()
