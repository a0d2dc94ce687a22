"""How fast rnntag is, as ratios against what is timed beside it in the same call.

    python scripts/bench                                      # every section, on the bundled sample
    python scripts/bench --section a --section b --train wiki-en-train.norm_pos --test wiki-en-test.norm_pos

    a  training rate against the same network in PyTorch
    b  the machine's limit: share of the rate of large matrix products
    c  other taggers that are installed: training time, and tagging from file to file
    d  growth of time and memory with the corpus, and with the hidden width
    e  the commands: start-up, tagging a file, jobs, memory on a long stream
    f  formats: how fast each is read and written
    g  latency: how long a line takes through test-rnn --stream

Contestants take turns, in CPU seconds, with one BLAS thread; a ratio is the median over pairs of turns, with the
smallest and the largest in brackets, and above 1 where rnntag is ahead. What is not installed is named and left out.
The tables are Markdown, as in docs/benchmarks.md.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(SCRIPTS.parent), str(SCRIPTS)]

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402
import peers  # noqa: E402
from bench import commands, measure, networks  # noqa: E402

from rnntag.cli.common import Command, separator  # noqa: E402
from rnntag.corpus import read_tagged  # noqa: E402

SAMPLE = SCRIPTS.parent / "data"
PACKAGES = ("rnntag", "numpy", "torch", "nltk", "python-crfsuite", "ufal.udpipe", "spacy")
SECTIONS = {"a": ("training against the same network in PyTorch", networks.training),
            "b": ("the machine's limit", networks.limit), "c": ("other taggers", networks.taggers),
            "d": ("growth", commands.growth), "e": ("the commands", commands.running),
            "f": ("formats", commands.formats), "g": ("the latency of a line", commands.latency)}
IN_CHILDREN = ("d", "e", "g")


@click.command(cls=Command)
@click.option("--section", "sections", multiple=True, type=click.Choice(list(SECTIONS)), default=tuple(SECTIONS),
              help="What to measure, repeatable [all].")
@click.option("--train", default=str(SAMPLE / "sample-train.wordtag"), help="Tagged training corpus [sample].")
@click.option("--test", default=str(SAMPLE / "sample-test.wordtag"), help="Tagged test corpus [sample].")
@click.option("--raw", type=click.Path(exists=True, path_type=Path), metavar="FILE",
              help="Text to tag, one sentence a line [the test corpus, repeated].")
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True, help="Turns of each contestant.")
@click.option("--tokens", type=click.IntRange(1), default=200_000, show_default=True, help="Tokens of a file to tag.")
@click.option("--stream", type=click.IntRange(10), default=1_000_000, show_default=True,
              help="Tokens of the longer stream of section e, ten times the shorter one.")
@click.option("--growth", type=click.IntRange(1), default=8, show_default=True,
              help="Copies of the corpus in section d, at most; doubled from 1.")
@click.option("--peer", "others", multiple=True, type=click.Choice(["all", *peers.PEERS]),
              help="A tagger for section c, repeatable [those installed that do not take minutes to train].")
@separator
def main(sections: tuple[str, ...], train: str, test: str, raw: Path | None, rounds: int, tokens: int, stream: int,
         growth: int, others: tuple[str, ...], separator: str) -> None:
    """Measure the speed of rnntag as ratios against what is timed beside it."""
    corpora = [read_tagged(path, separator=separator) for path in (train, test)]
    click.echo("; ".join([f"{Path(train).name}, {len(corpora[0]):,} sentences, {sum(map(len, corpora[0])):,} tokens",
                          *environment()]))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = measure.Bench(*corpora, Path(folder), rounds, tokens, stream, growth, others, raw)
        for name in sorted(set(sections)):
            if name in IN_CHILDREN and not measure.MEASURES_CHILDREN:
                click.echo(f"{name}: skipped, this system does not tell what a child process used", err=True)
                continue
            title, figures = SECTIONS[name]
            click.echo(f"\n### {name}: {title}\n\n{measure.HEADER}")
            for figure in figures(bench):
                click.echo(figure)


def environment() -> list[str]:
    """The machine and the versions, for the record."""
    found = [f"python {platform.python_version()}", f"{platform.machine()}, {os.cpu_count()} cores"]
    with contextlib.suppress(OSError, StopIteration):
        cpu = next(line for line in open("/proc/cpuinfo") if line.startswith("model name"))
        found.append(cpu.partition(":")[2].strip())
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    return found


if __name__ == "__main__":
    main()
