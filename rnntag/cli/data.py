"""``rnntag data``: fetch a corpus."""

from __future__ import annotations

import sys

import click
from tqdm import tqdm

from ..corpus import fetch as datasets
from ..corpus.fetch import CORPORA
from . import common


def _describe() -> str:
    """The corpora, for the end of the help page: a paragraph each."""
    return "\n\n".join(f"{name}: {corpus.about} {len(corpus.files)} files, {corpus.size:,} bytes."
                       for name, corpus in CORPORA.items())


@click.command("data", cls=common.Command, epilog=_describe())
@click.argument("name", type=click.Choice(list(CORPORA)), metavar="NAME")
@click.option("--from", "source", metavar="DIR|URL",
              help="A folder that has the files, or its http(s) address (default: the corpus's own).")
@click.option("--to", "folder", metavar="DIR", help="Where the files go (default: a folder NAME).")
@common.force
@common.quiet
def main(name: str, source: str | None, folder: str | None, force: bool, quiet: bool) -> None:
    """Fetch the corpus NAME, every file checked by its SHA-256.

    Files that are there already are kept.
    """
    with tqdm(total=CORPORA[name].size, desc=name, unit="B", unit_scale=True, leave=False,
              disable=True if quiet else None) as bar:
        for path, written in datasets.fetch(name, folder, source, force=force, advance=bar.update):
            if not quiet:
                bar.write(f"{path}: {'written' if written else 'already there'}", sys.stderr)
