"""Train the HMM and RNN presets on the same files and print a table of the results.

    python scripts/compare.py
    python scripts/compare.py --train wiki-en-train.norm_pos --test wiki-en-test.norm_pos --seeds 5
    python scripts/compare.py --run "tutorial" --run "default --cell lstm --layers 2" ...

Without files it takes the bundled sample corpus. Accuracy is the mean over the seeds, with the
standard deviation; CPU seconds are of this process, training without reading the files.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402

from rnntag.cli.common import Command, separator  # noqa: E402
from rnntag.cli.train_rnn import parse_run  # noqa: E402
from rnntag.corpus import Sentence, read_tagged  # noqa: E402
from rnntag.evaluation import Pair, accuracy, accuracy_by_knowledge  # noqa: E402
from rnntag.hmm import HMMTagger  # noqa: E402
from rnntag.options import PRESETS  # noqa: E402
from rnntag.trainer import train_tagger  # noqa: E402

SAMPLE = ROOT / "data"
COLUMNS = ("tagger", "accuracy %", "sd", "known %", "unknown %", "training CPU s", "tokens/CPU s")


@click.command(cls=Command)
@click.option("--train", default=str(SAMPLE / "sample-train.wordtag"), help="Tagged training corpus [sample].")
@click.option("--test", default=str(SAMPLE / "sample-test.wordtag"), help="Tagged test corpus [sample].")
@click.option("--run", "runs", multiple=True, metavar="'PRESET [OPTION...]'", default=tuple(PRESETS),
              help="An RNN to train: a preset, options of train-rnn; repeatable [each preset].")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="Runs of each preset.")
@separator
def main(train: str, test: str, runs: tuple[str, ...], seeds: int, separator: str) -> None:
    """Train the HMM and RNN presets on the same files and print a table of the results."""
    training = read_tagged(train, "wordtag", separator)
    testing = read_tagged(test, "wordtag", separator)
    words = {word for sentence in training for word in sentence.words}
    click.echo(f"{Path(train).name}: {len(training):,} sentences, {sum(map(len, training)):,} tokens;  "
               f"{Path(test).name}: {len(testing):,} sentences, {sum(map(len, testing)):,} tokens\n")
    width = max(len(f"RNN {text}") for text in runs)
    click.echo(" | ".join([f"{COLUMNS[0]:{width}}", *(f"{name:>14}" for name in COLUMNS[1:])]))
    for name, runs in list(experiments(training, runs, seeds)):  # a mistyped option shows at once
        results = [result(run, testing, words) for run in runs]
        means = [statistics.fmean(column) for column in zip(*results)]
        spread = statistics.stdev(r[0] for r in results) if len(results) > 1 else None
        cells = [f"{means[0]:.2f}", "" if spread is None else f"{spread:.2f}", f"{means[1]:.2f}",
                 f"{means[2]:.2f}", f"{means[3]:.1f}", f"{means[4]:,.0f}"]
        click.echo(" | ".join([f"{name:{width}}", *(f"{cell:>14}" for cell in cells)]))


def experiments(training: list[Sentence], runs: tuple[str, ...],
                seeds: int) -> Iterator[tuple[str, list[Callable]]]:
    """The name of each experiment and a function for each run that returns a tagger."""
    yield "HMM", [lambda: HMMTagger.train(training)]
    for text in runs:
        options = parse_run(text)
        yield f"RNN {text}", [lambda options=options, seed=seed: train_tagger(training, replace(options, seed=seed))
                              for seed in range(1, seeds + 1)]


def result(run: Callable, testing: list[Sentence], words: set[str]) -> tuple[float, ...]:
    """Accuracy, on known and on unknown words (%), CPU seconds to train, tokens tagged a CPU second."""
    start = time.process_time()
    tagger = run()
    trained = time.process_time()
    answers = list(tagger.tag(sentence.words for sentence in testing))
    seconds = time.process_time() - trained
    pairs = [Pair(s.words, s.tags, answer) for s, answer in zip(testing, answers, strict=True)]
    score = accuracy(pairs)
    known, unknown = accuracy_by_knowledge(pairs, words)
    return (100 * score.accuracy, 100 * known.accuracy, 100 * unknown.accuracy, trained - start,
            score.total / seconds)


if __name__ == "__main__":
    main()
