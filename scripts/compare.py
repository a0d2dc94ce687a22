"""Train the HMM and RNN presets on the same files and print a table of the results.

    python scripts/compare.py
    python scripts/compare.py --train wiki-en-train.norm_pos --test wiki-en-test.norm_pos --seeds 5
    python scripts/compare.py --run "tutorial" --run "default --cell lstm --layers 2" ...
    python scripts/compare.py --train train.conllu --test dev.conllu --run columns --field upos,xpos,feats,lemma
    python scripts/compare.py --raw-text raw.txt --peer nltk-crf --peer crfsuite-ap ...
    python scripts/compare.py --peer all --plot plane.svg

Without files it takes the bundled sample corpus; --train and --test can be repeated, a table for each
pair. Accuracy is the mean over the seeds, with the standard deviation; CPU seconds are of the process,
training without reading the files. Known words are those of the training corpus. The speed of tagging is that of a
part of the training corpus, whose words were met before. Of several columns each has a row, and so have all that are
right together; the HMM and peers learn the first. The picture needs the extra ``plot``.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402
import peers  # noqa: E402

from rnntag.cli.common import Command, separator  # noqa: E402
from rnntag.cli.train_rnn import parse_run  # noqa: E402
from rnntag.corpus import TAGGED, Column, Sentence, read, read_tagged  # noqa: E402
from rnntag.errors import OptionError  # noqa: E402
from rnntag.evaluation import Pair, accuracy, accuracy_by_knowledge, pair, together  # noqa: E402
from rnntag.files import open_output  # noqa: E402
from rnntag.models.hmm import HMMTagger  # noqa: E402
from rnntag.models.options import Options  # noqa: E402
from rnntag.processes import Pool  # noqa: E402
from rnntag.storage.modelfile import load  # noqa: E402
from rnntag.training.tagging import train_tagger  # noqa: E402

SAMPLE = ROOT / "data"
TIMED_TOKENS, PASSES = 40_000, 3  # the speed of tagging is that of so much text, and of the fastest pass
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "rnntag", "font.family": "sans-serif", "font.size": 10,
         "axes.spines.top": False, "axes.spines.right": False}
COLUMNS = ("tagger", "accuracy %", "sd", "known %", "unknown %", "training CPU s", "tokens/CPU s")


class Run(NamedTuple):
    """One tagger to train: an RNN with options, another library's (``peer``), or else the HMM."""

    name: str
    seed: int = 1
    options: Options | None = None
    peer: str | None = None
    raw: tuple[str, ...] = ()
    init: str | None = None


class Corpora(NamedTuple):
    """Files to train on and to test on, and how to read them."""

    train: str
    test: str
    format: str | None
    separator: str
    field: str | None


class Result(NamedTuple):
    """Accuracy, on known and on unknown words (%), CPU seconds to train, tokens tagged a CPU second (warm)."""

    accuracy: float
    known: float
    unknown: float
    seconds: float
    rate: float


@click.command(cls=Command)
@click.option("--train", multiple=True, default=(str(SAMPLE / "sample-train.wordtag"),),
              help="Tagged training corpus, repeatable [sample].")
@click.option("--test", multiple=True, default=(str(SAMPLE / "sample-test.wordtag"),),
              help="Tagged test corpus, one for each --train [sample].")
@click.option("--run", "runs", multiple=True, metavar="'PRESET [OPTION...]'", default=("tutorial", "default"),
              help="An RNN to train: a preset, options of train-rnn; repeatable [tutorial and default].")
@click.option("--raw-text", multiple=True, metavar="FILE",
              help="Untagged text: each RNN that can is trained a second time with vectors from it.")
@click.option("--init", metavar="MODEL", help="Each RNN is trained a second time, from the weights of MODEL.")
@click.option("--peer", "others", multiple=True, type=click.Choice(["all", *peers.PEERS]),
              help="Another tagger to run beside ours, repeatable; all: those installed [none].")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="Runs of each tagger.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Runs at the same time, each in a process with its own CPU clock.")
@click.option("--format", type=click.Choice(TAGGED), help="Format of the corpora [found out from the file].")
@separator
@click.option("--field", metavar="COLUMN,...", help="Columns of CoNLL-U or jsonl, as for train-rnn [upos].")
@click.option("-o", "--output", metavar="FILE", help="Also write every run's figures as JSON.")
@click.option("--plot", metavar="FILE", help="Also draw accuracy against the time of training and the speed of "
              "tagging, SVG.")
@click.option("--least", type=float, default=0.0, show_default=True, metavar="PERCENT",
              help="Leave out of the picture what is less accurate.")
@click.option("--force", is_flag=True, help="Overwrite what exists.")
def main(train: tuple[str, ...], test: tuple[str, ...], runs: tuple[str, ...], raw_text: tuple[str, ...],
         init: str | None, others: tuple[str, ...], seeds: int, jobs: int, format: str | None, separator: str,
         field: str | None, output: str | None, plot: str | None, least: float, force: bool) -> None:
    """Train the HMM and RNN presets on the same files and print a table of the results."""
    if len(train) != len(test):
        raise OptionError(f"{len(train)} and {len(test)}", "a test corpus for each training corpus",
                          place="--train and --test")
    plan = list(experiments(runs, raw_text, init, others, seeds))  # a mistyped option shows at once
    files = [Corpora(*pair, format, separator, field) for pair in zip(train, test)]
    draw = plane() if plot else None
    with optional_output(output, force) as file, optional_output(plot, force) as picture:
        rows = [row for number, corpora in enumerate(files) for row in table(plan, corpora, jobs, number > 0)]
        if file:
            file.write(json.dumps({"command": sys.argv, "rows": rows}, indent=1).encode())
        if draw:
            draw([row for row in rows if (row["train"], row["test"]) == (train[0], test[0])], least, picture)


def optional_output(path: str | None, force: bool) -> Any:
    """``open_output``, or nothing."""
    return open_output(path, force=force) if path else nullcontext()


def table(plan: list[Run], corpora: Corpora, jobs: int, below: bool) -> Iterator[dict[str, Any]]:
    """Print the table of a pair of corpora, ``below`` another; each tagger's figures, for JSON."""
    training, testing = corpus(corpora.train, corpora), corpus(corpora.test, corpora)
    click.echo("\n" * below + f"{Path(corpora.train).name}: {len(training):,} sentences, "
               f"{sum(map(len, training)):,} tokens;  {Path(corpora.test).name}: {len(testing):,} sentences, "
               f"{sum(map(len, testing)):,} tokens\n")
    columns = training[0].columns
    width = max(len(run.name) for run in plan) + (2 + max(map(len, columns)) if len(columns) > 1 else 0)
    click.echo(" | ".join([f"{COLUMNS[0]:{width}}", *(f"{name:>14}" for name in COLUMNS[1:])]))
    measured = results(plan, corpora, jobs)
    for name, members in groupby(plan, key=lambda run: run.name):
        runs = [next(measured) for _ in members]
        for column in runs[0]:
            found = [run[column] for run in runs]
            title = f"{name}, {column}" if len(runs[0]) > 1 else name
            click.echo(" | ".join([f"{title:{width}}", *(f"{cell:>14}" for cell in cells(found))]))
            yield {"train": corpora.train, "test": corpora.test, "tagger": title, "column": column,
                   "runs": [result._asdict() for result in found]}


def averaged(found: list[Result]) -> tuple[Result, float]:
    """The means of some runs, and the standard deviation of their accuracy (of one: 0)."""
    spread = statistics.stdev(result.accuracy for result in found) if len(found) > 1 else 0.0
    return Result(*map(statistics.fmean, zip(*found))), spread


def cells(found: list[Result]) -> list[str]:
    """A row of the table: means, and the standard deviation of the accuracy."""
    mean, deviation = averaged(found)
    spread = f"{deviation:.2f}" if len(found) > 1 else ""
    known, unknown = ("-" if math.isnan(value) else f"{value:.2f}" for value in (mean.known, mean.unknown))
    return [f"{mean.accuracy:.2f}", spread, known, unknown, f"{mean.seconds:.1f}", f"{mean.rate:,.0f}"]


def plane() -> Callable[[list[dict[str, Any]], float, BinaryIO], None]:
    """A function that draws a mark for each tagger, its mean accuracy with the standard deviation.

    Raises OptionError when matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogLocator, NullLocator
    except ImportError:
        raise OptionError("matplotlib is not installed", "the picture needs it",
                          "Install it with pip install 'rnntag[plot]'.", "--plot") from None
    matplotlib.rcParams.update(STYLE)

    def draw(rows: list[dict[str, Any]], least: float, file: BinaryIO) -> None:
        drawn = Figure(figsize=(11, 4.6), layout="constrained", facecolor="white")
        panels = drawn.subplots(1, 2, sharey=True)
        found = [(row["tagger"], *averaged([Result(**run) for run in row["runs"]])) for row in rows]
        shown = [row for row in found if row[1].accuracy >= least]
        for number, (name, mean, spread) in enumerate(shown, 1):
            ours = name.startswith(("RNN ", "HMM"))
            color, label = "#1f6fb2" if ours else "#777777", f"{number}  {name.removeprefix('RNN ')}"
            for axes, x in zip(panels, (max(0.05, mean.seconds), mean.rate)):
                axes.errorbar(x, mean.accuracy, yerr=spread, fmt="o" if ours else "s", color=color, capsize=2,
                              label=label)
                axes.annotate(str(number), (x, mean.accuracy), xytext=(5, 4), textcoords="offset points", color=color)
        panels[0].set(xlabel="CPU seconds of training", ylabel="accuracy in %")
        panels[1].set(xlabel="tokens tagged in a CPU second")
        for axes in panels:
            axes.set(xscale="log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}" if x < 1e3 else f"{x / 1e3:g} k" if x < 1e6 else
                                           f"{x / 1e6:g} M")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.grid(alpha=0.25)
        drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=9)
        drawn.savefig(file, format="svg", metadata={"Date": None})
    return draw


def experiments(runs: Iterable[str], raw: tuple[str, ...], init: str | None, others: Iterable[str],
                seeds: int) -> Iterator[Run]:
    """All runs, those of a tagger one after the other."""
    numbers = range(1, seeds + 1)
    yield Run("HMM")
    for text in runs:
        options = parse_run(text, vectors=bool(raw))
        yield from (Run(f"RNN {text}", seed, options) for seed in numbers)
        if raw and options.embedding:
            yield from (Run(f"RNN {text} + raw text", seed, options, raw=raw) for seed in numbers)
        if init:
            yield from (Run(f"RNN {text} from {Path(init).name}", seed, options, init=init) for seed in numbers)
    installed = peers.available()
    for line in peers.missing():
        if "all" in others or line.partition(":")[0] in others:
            click.echo(line, err=True)
    for name in installed if "all" in others else [name for name in others if name in installed]:
        yield from (Run(name, seed, peer=name) for seed in numbers)


# ------------------------------------------------------------------ one run, in this process or another


@lru_cache(maxsize=4)
def corpus(path: str, corpora: Corpora) -> list[Sentence]:
    """A corpus, read once in a process."""
    return read_tagged(path, corpora.format, separator=corpora.separator, field=corpora.field)


@lru_cache(maxsize=1)
def vectors(raw: tuple[str, ...]) -> tuple[Any, float]:
    """Word vectors from untagged text, made once in a process, and the CPU seconds that it took."""
    from rnntag.text.vectors import train_vectors

    start = time.process_time()
    text = (sentence.words for path in raw for sentence in read(path, "tokens"))
    return train_vectors(text), time.process_time() - start


def results(plan: list[Run], corpora: Corpora, jobs: int) -> Iterator[dict[str, Result]]:
    """The results of some runs by their columns, in order, as they come."""
    if jobs == 1:
        yield from (result(corpora, run) for run in plan)
        return
    with Pool(jobs, "a training process", Corpora, *corpora) as pool:
        yield from pool.map(result, plan, len(plan))


def result(corpora: Corpora, run: Run) -> dict[str, Result]:
    """Train a tagger and grade each of its columns, and of several all together."""
    training, testing = corpus(corpora.train, corpora), corpus(corpora.test, corpora)
    given, extra = vectors(run.raw) if run.raw else (None, 0.0)
    init = load(run.init, "rnn") if run.init else None
    start = time.process_time()
    if run.options:
        width = given[1].shape[1] if given else run.options.vectors
        tagger = train_tagger(training, replace(run.options, seed=run.seed, vectors=width), vectors=given, init=init)
    else:
        tagger = peers.PEERS[run.peer].train(training, run.seed) if run.peer else HMMTagger.train(training)
    trained = time.process_time()
    words = [sentence.words for sentence in testing]
    if run.options:
        answers = list(tagger.annotate(words))
    else:
        first = next(iter(training[0].columns))
        answers = [Sentence(w, {first: Column(tags)}) for w, tags in zip(words, tagger.tag(words), strict=True)]
    vocabulary = {word for sentence in training for word in sentence.words}
    pairs = {name: list(pair(testing, answers, field=name)) for name in answers[0].columns}
    if len(pairs) > 1:
        pairs["all"] = list(together(list(pairs.values())))
    speed = rate(tagger.tag, training)
    return {name: graded(own, vocabulary, trained - start + extra, speed) for name, own in pairs.items()}


def rate(tag: Callable[[list[Any]], Iterable[Any]], sentences: list[Sentence]) -> float:
    """Tokens tagged in a CPU second, their words having been met: of several passes, the fastest."""
    ends = accumulate(map(len, sentences))
    text = [sentence.words for sentence, end in zip(sentences, ends) if end <= TIMED_TOKENS] or [sentences[0].words]
    times = []
    for _ in range(1 + PASSES):
        start = time.process_time()
        deque(tag(text), maxlen=0)
        times.append(time.process_time() - start)
    return sum(map(len, text)) / max(min(times[1:]), 1e-9)


def graded(pairs: list[Pair], vocabulary: set[str], seconds: float, rate: float) -> Result:
    """The result of a column."""
    known, unknown = accuracy_by_knowledge(pairs, vocabulary)
    return Result(100 * accuracy(pairs).accuracy, 100 * known.accuracy, 100 * unknown.accuracy, seconds, rate)


if __name__ == "__main__":
    main()
