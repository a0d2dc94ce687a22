"""How fast rnntag is, as ratios against what is timed beside it in the same call.

    python scripts/bench.py                                   # every section, on the bundled sample
    python scripts/bench.py --section a --section b --train wiki-en-train.norm_pos --test wiki-en-test.norm_pos
    python scripts/bench.py --output speed                    # also writes speed.txt and speed.json

    a  training rate against the same network in PyTorch
    b  the machine's limit: share of the rate of large matrix products
    c  other taggers that are installed: training time, and tagging from file to file
    d  growth of time and memory with the corpus, and with the hidden width
    e  the commands: start-up, tagging a file, jobs, memory on a long stream

Contestants take turns, in CPU seconds, with one BLAS thread; a ratio is the median over pairs of turns,
with the smallest and the largest in brackets, and above 1 where rnntag is ahead. What is not installed is
named and left out.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402
import commands  # noqa: E402
import measure  # noqa: E402
import peers  # noqa: E402
import speed  # noqa: E402
from measure import Figure  # noqa: E402

from rnntag.cli.common import Command, separator  # noqa: E402
from rnntag.corpus import read_tagged  # noqa: E402
from rnntag.files import open_output  # noqa: E402

SAMPLE = ROOT / "data"
PACKAGES = ("rnntag", "numpy", "torch", "nltk", "python-crfsuite", "ufal.udpipe", "spacy")
SECTIONS = {"a": speed.training, "b": speed.limit, "c": speed.taggers, "d": commands.growth, "e": commands.running}


@click.command(cls=Command)
@click.option("--section", "sections", multiple=True, type=click.Choice("abcde"), default=tuple("abcde"),
              help="What to measure, repeatable [all].")
@click.option("--train", default=str(SAMPLE / "sample-train.wordtag"), help="Tagged training corpus [sample].")
@click.option("--test", default=str(SAMPLE / "sample-test.wordtag"), help="Tagged test corpus [sample].")
@click.option("--raw", type=click.Path(exists=True, path_type=Path), metavar="FILE",
              help="Text to tag in section e, one sentence a line [the test corpus, repeated].")
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True, help="Turns of each contestant.")
@click.option("--sentences", type=click.IntRange(1), default=300, show_default=True,
              help="Sentences of a turn of training.")
@click.option("--tokens", type=click.IntRange(1), default=200_000, show_default=True,
              help="Tokens of a file to tag.")
@click.option("--stream", type=click.IntRange(1), default=1_000_000, show_default=True,
              help="Tokens of the longer stream of section e, ten times the shorter one.")
@click.option("--growth", type=click.IntRange(1), default=8, show_default=True,
              help="Copies of the corpus in section d, at most; doubled from 1.")
@click.option("--peer", "others", multiple=True, type=click.Choice(["all", *peers.PEERS]),
              help="A tagger for section c, repeatable [those installed that do not take minutes to train].")
@click.option("-o", "--output", metavar="NAME", help="Also write NAME.txt and NAME.json.")
@click.option("--force", is_flag=True, help="Overwrite what exists.")
@separator
def main(sections: tuple[str, ...], train: str, test: str, raw: Path | None, rounds: int, sentences: int, tokens: int,
         stream: int, growth: int, others: tuple[str, ...], output: str | None, force: bool, separator: str) -> None:
    """Measure the speed of rnntag as ratios against what is timed beside it."""
    corpora = [read_tagged(path, None, separator) for path in (train, test)]
    about = measure.environment(PACKAGES)
    about["corpus"] = f"{Path(train).name}, {len(corpora[0]):,} sentences, {sum(map(len, corpora[0])):,} tokens"
    about["command"] = " ".join(["scripts/bench.py", *sys.argv[1:]])
    text = ["; ".join(f"{name} {value}" for name, value in about.items()), ""]
    click.echo("\n".join(text))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = speed.Bench(*corpora, rounds, sentences, tokens, stream, growth, others, Path(folder), raw)
        for name in sorted(set(sections)):
            found = []
            for figure in SECTIONS[name](bench):
                shown = measure.number(figure.ratio or figure.ours)
                click.echo(f"{figure.section}: {figure.what}: {shown}", err=True)
                found.append(figure)
            figures += found
            click.echo("\n".join(measure.lines(found)) + "\n")
    if output:
        _write(f"{output}.txt", "\n".join([*text, *measure.lines(figures)]), force)
        _write(f"{output}.json", json.dumps({"about": about, "figures": [f.to_dict() for f in figures]}, indent=1),
               force)


def _write(path: str, text: str, force: bool) -> None:
    with open_output(path, force=force) as file:
        file.write((text + "\n").encode())


if __name__ == "__main__":
    main()
