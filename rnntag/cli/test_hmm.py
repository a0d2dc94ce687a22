"""``test-hmm``: tag text with a trained HMM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..corpus import Layout
from .common import Command
from .tagging import tagging_options


@click.command("test-hmm", cls=Command)
@tagging_options
def main(model: Path, layout: Layout, **arguments: Any) -> None:
    """Tag INPUT with the HMM in the folder MODEL.

    INPUT is text, a sentence a line, tokens separated by single spaces, or a corpus in another
    format; - or nothing is standard input. The output has one line (or block of lines) for each
    sentence of INPUT, blank for blank.

    Several files, and those of folders, are answered into a folder, --output-dir. A file that cannot be
    read does not stop the others.
    """
    from ..storage.modelfile import load
    from .folder import tag_files
    from .tagging import asked

    tagger = load(model, kind="hmm")
    layout, _ = asked(tagger, layout)
    tag_files(tagger, model=model, layout=layout, best=0, **arguments)


if __name__ == "__main__":
    main()
