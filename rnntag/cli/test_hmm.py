"""``test-hmm``: tag text with a trained HMM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .common import Command
from .tagging import tagging_options


@click.command("test-hmm", cls=Command)
@tagging_options
def main(model: Path, **arguments: Any) -> None:
    """Tag INPUT with the HMM in the folder MODEL.

    INPUT is text, a sentence a line, tokens separated by single spaces; - or nothing is standard
    input. The output has one line for each line of INPUT, blank for blank.
    """
    from ..modelfile import load
    from .tagging import tag_file

    tag_file(load(model, kind="hmm"), **arguments)


if __name__ == "__main__":
    main()
