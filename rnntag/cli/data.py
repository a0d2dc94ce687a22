"""``rnntag data``: fetch a corpus."""

from __future__ import annotations

import click

from ..corpus.fetch import CORPORA, fetch
from . import common

ABOUT = "\n\n".join(f"{name}: {corpus.about} {len(corpus.files)} files, {sum(file.size for file in corpus.files):,} "
                    "bytes." for name, corpus in CORPORA.items())


@click.command("data", cls=common.Command, epilog=ABOUT)
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
    for path, written in fetch(name, folder, source, force=force):
        if not quiet:
            click.echo(f"{path}: {'written' if written else 'already there'}", err=True)
