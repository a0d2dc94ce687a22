"""``rnntag vectors``: word vectors from untagged text, for ``train-rnn --vectors`` and others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from ..errors import plural
from . import common


@click.command("vectors", cls=common.Command)
@click.argument("raw", nargs=-1, required=True)
@click.argument("out")
@click.option("--width", type=click.IntRange(1, 4096), default=100, show_default=True,
              help="Width of a vector.")
@click.option("--min-count", type=click.IntRange(1), default=3, show_default=True,
              help="Words seen less often get no vector.")
@click.option("--contexts", type=click.IntRange(1, 20_000), default=3000, show_default=True,
              help="How many of the most frequent words are counted as neighbours.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True,
              help="Seed of the random generator.")
@common.force
@common.quiet
def main(raw: tuple[str, ...], out: str, width: int, min_count: int, contexts: int, seed: int, force: bool,
         quiet: bool) -> None:
    """Count the neighbours of words in untagged text, and write a vector for each word.

    RAW is one file or more, a sentence a line, single spaces between tokens, tokenised like the
    corpus that will be tagged; - is standard input. OUT gets word2vec's text format; - is standard
    output. 5 million tokens take about 10 seconds.
    """
    from ..corpus import read
    from ..files import open_output
    from ..text.vectorfile import write_vectors
    from ..text.vectors import train_vectors

    with open_output(out, force=force) as stream:
        text = (sentence.words for path in raw for sentence in read(path, "tokens"))
        words, vectors = train_vectors(counted(text, quiet), width, contexts=contexts,
                                       min_count=min_count, seed=seed)
        write_vectors(stream, words, vectors)
    if not quiet:
        click.echo(f"{plural(len(words) - 1, 'word')}, {plural(width, 'number')} each -> {out}", err=True)


def counted(sentences: Iterable[Sequence[str]], quiet: bool) -> Iterator[Sequence[str]]:
    """The sentences, with a progress bar on a terminal."""
    from .progress import Progress

    with Progress(quiet, desc="Reading", unit=" tokens", unit_scale=True) as bar:
        for words in sentences:
            bar.update(len(words))
            yield words


if __name__ == "__main__":
    main()
