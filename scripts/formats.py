"""Measure how fast each format is read and written, on a corpus in any format with words and tags.

    python scripts/formats.py CORPUS

Tokens per CPU second, the best of five; "words" reads what tagging reads, words without tags.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402

from rnntag.cli.common import Command  # noqa: E402
from rnntag.corpus import FORMATS, Lines, Sentence, read_tagged  # noqa: E402

SEPARATOR = "\x1f"  # in no word or tag


@click.command(cls=Command)
@click.argument("corpus")
def main(corpus: str) -> None:
    """Measure how fast each format is read and written, on a tagged CORPUS in any format."""
    sentences = read_tagged(corpus)
    for sentence in sentences:  # wordtag and tokens have no place for spaces
        sentence.words = [word.replace(" ", "\u00a0") for word in sentence.words]
    tokens = sum(map(len, sentences))
    click.echo(f"{Path(corpus).name}: {len(sentences):,} sentences, {tokens:,} tokens\n")
    click.echo("format   | read tokens/s | words tokens/s | write tokens/s")
    for name, format in FORMATS.items():
        data = "".join(map(format(SEPARATOR).write, sentences)).encode()
        found = list(readings(name, data, "any"))
        cells = [tokens / best(lambda: deplete(readings(name, data, "any"))),
                 tokens / best(lambda: deplete(readings(name, data, "words"))) if format.has_words else None,
                 tokens / best(lambda: deplete(map(format(SEPARATOR).write, found)))]
        click.echo(" | ".join([f"{name:8}", *(" " * 13 if cell is None else f"{cell:13,.0f}" for cell in cells)]))


def readings(name: str, data: bytes, want: str) -> Iterator[Sentence]:
    """The sentences of a file's bytes."""
    return FORMATS[name](SEPARATOR, want=want).read(Lines(io.BytesIO(data), name))


def deplete(values: Iterable) -> None:
    """Take all values, keep none."""
    for _ in values:
        pass


def best(work: Callable[[], None], times: int = 5) -> float:
    """CPU seconds of the fastest run."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
