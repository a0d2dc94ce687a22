"""``rnntag segment``: raw text to tokens and sentences."""

from __future__ import annotations

from pathlib import Path

import click

from ..corpus import FORMATS
from ..errors import OptionError
from ..files import STANDARD, open_input, open_output
from . import common

OUTPUTS = ("conllu", "tokens", "jsonl")
layout_options = common.options(
    click.option("--lines", is_flag=True, help="Each line of the text is a sentence (default: a paragraph ends at a "
                 "blank line)."),
    click.option("--presegmented", is_flag=True, help="Each line of the text is a sentence, and spaces separate its "
                 "tokens; only tokens of several words are split."),
    click.option("--offsets", is_flag=True, help="Write where each token is in the text, in characters from its "
                 "beginning: TokenRange in MISC, or offsets of jsonl."))


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
    from ..corpus.rawtext import characters
    from ..models.reading import read
    from ..storage.modelfile import load

    if offsets and output_format == "tokens":
        raise OptionError("given with --output-format tokens", "there is no place for them", "Leave one of them out.",
                          "--offsets")
    if lines and presegmented:
        raise OptionError("given together", "presegmented lines are sentences already", "Leave --lines out.",
                          "--lines and --presegmented")
    segmenter = load(model, "segmenter")
    writer = FORMATS[output_format]()
    with open_input(source) as stream_in, open_output(output, force=force) as target:
        at_once = stream or target.isatty()
        for sentence in read(segmenter, characters(stream_in, source), lines, presegmented, at_once):
            sentence.prepare(output_format, offsets)
            target.write(writer.write(sentence).encode())
            if at_once:
                target.flush()
