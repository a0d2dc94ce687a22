"""What starting from another model is worth: train-rnn --init against training from scratch.

    python scripts/adapt.py wiki-en-train.norm_pos
    python scripts/adapt.py wiki-en-train.norm_pos --first ewt/train.conllu --field xpos --few 100

Each seed draws another 15 % of CORPUS to test on. Without --first the rest is halved, and the model to
start from is trained on one half, the new one on the other; with --first it is trained on that file, the new
one on the rest, or on --few sentences of it. All options are those of the default preset. The table has the mean
accuracy over the seeds and its standard deviation.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402

from rnntag.cli.common import Command  # noqa: E402
from rnntag.corpus import Sentence, read_tagged  # noqa: E402
from rnntag.models.options import preset  # noqa: E402
from rnntag.models.tagger import RNNTagger  # noqa: E402
from rnntag.training.tagging import train_tagger


@click.command(cls=Command)
@click.argument("corpus")
@click.option("--first", metavar="FILE", help="Corpus of the model to start from (default: half of CORPUS).")
@click.option("--field", default="upos", show_default=True, help="Column of the tags where FILE is CoNLL-U.")
@click.option("--few", type=int, default=0, metavar="N", help="Take N sentences of CORPUS (default: all).")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, metavar="N", help="Repetitions.")
@click.option("--epochs", type=click.IntRange(1), default=preset("default").epochs, show_default=True, metavar="N",
              help="Of each training.")
def main(corpus: str, first: str | None, field: str, few: int, seeds: int, epochs: int) -> None:
    """Compare training on CORPUS from scratch with starting from another model."""
    sentences = read_tagged(corpus)
    start = None if first is None else train_tagger(read_tagged(first, field=field), preset("default", epochs=epochs))
    scores: dict[str, list[float]] = {}
    for seed in range(1, seeds + 1):
        for name, score in settings(sentences, start, few, seed, epochs):
            scores.setdefault(name, []).append(100 * score)
        click.echo(f"seed {seed} done", err=True)
    for name, found in scores.items():
        spread = f"{statistics.stdev(found):.2f}" if len(found) > 1 else "-"
        click.echo(f"{name:34} {statistics.mean(found):6.2f}  {spread:>5}")


def settings(sentences: list[Sentence], start: RNNTagger | None, few: int, seed: int,
             epochs: int) -> Iterator[tuple[str, float]]:
    """(what was trained, its accuracy) for one split of the corpus."""
    shuffled = list(sentences)
    random.Random(seed).shuffle(shuffled)
    size = round(0.15 * len(shuffled))
    dev, rest = shuffled[:size], shuffled[size:]
    options = preset("default", epochs=epochs, seed=seed)
    half = rest[len(rest) // 2:] if start is None else rest[:few or None]
    model = start or train_tagger(rest[:len(rest) // 2], options)
    yield "the model to start from", accuracy(model, dev)
    yield "the new corpus from scratch", accuracy(train_tagger(half, options), dev)
    yield "the new corpus from the model", accuracy(train_tagger(half, options, init=model), dev)
    if start is None:
        yield "both corpora as one", accuracy(train_tagger(rest, options), dev)


def accuracy(tagger: RNNTagger, sentences: list[Sentence]) -> float:
    """Share of the tokens tagged right."""
    answers = tagger.tag(sentence.words for sentence in sentences)
    right = sum(sum(map(str.__eq__, tags, sentence.tags or [])) for tags, sentence in zip(answers, sentences))
    return right / sum(map(len, sentences))


if __name__ == "__main__":
    main()
