"""``rnntag segment``: raw text to tokens and sentences."""

from __future__ import annotations

from pathlib import Path

import click

from ..corpus import FORMATS
from ..files import STANDARD, open_output
from . import common
from .rawtext import Raw, check_layout, layout_options
from .tagging import written

OUTPUTS = ("conllu", "tokens", "jsonl")


@click.command("segment", cls=common.Command)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", default=STANDARD, metavar="[INPUT]")
@common.output
@click.option("--output-format", type=click.Choice(OUTPUTS), default="conllu", show_default=True,
              help="Format of the output; tokens are the words, between spaces.")
@layout_options
@click.option("--stream", is_flag=True, help="Write each paragraph, or line, at once (default: only to a terminal).")
@common.force
def main(model: Path, source: str, output: str, output_format: str, lines: bool, presegmented: bool, offsets: bool,
         stream: bool, force: bool) -> None:
    """Find the sentences and words of INPUT with the segmenter in the folder MODEL.

    INPUT is plain text in UTF-8; - or nothing is standard input. No character is lost: CoNLL-U says in MISC what
    stands between tokens where that is not one space.
    """
    from ..storage.modelfile import load

    check_layout(lines, presegmented, offsets, output_format)
    raw, writer = Raw(load(model, "segmenter"), lines, presegmented, offsets), FORMATS[output_format]()
    with raw.opened(source) as (_, text), open_output(output, force=force) as target:
        at_once = stream or target.isatty()
        for sentence in raw.sentences(text, output_format, at_once):
            target.write(written(writer, sentence, source).encode())
            if at_once:
                target.flush()
