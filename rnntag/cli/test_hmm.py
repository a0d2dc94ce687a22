"""``test-hmm``: tag text with a trained HMM."""

from __future__ import annotations

from dataclasses import replace
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
    """
    from ..storage.modelfile import load, trained_field
    from .tagging import tag_file

    tagger = load(model, kind="hmm")
    layout = replace(layout, field=layout.field or trained_field(model))
    tag_file(tagger, layout=layout, **arguments)


if __name__ == "__main__":
    main()
