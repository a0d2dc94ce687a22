"""``test-rnn``: tag text with a trained RNN tagger."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from ..corpus import Layout
from .common import Command, read_once
from .rawtext import check_layout, layout_options, raw_input, raw_options
from .tagging import tagging_options


@click.command("test-rnn", cls=Command)
@tagging_options
@click.option("--probabilities", is_flag=True, help="Write each tag's probability too, as jsonl (default), or as a "
              "column of vertical.")
@click.option("--n-best", type=click.IntRange(0), default=0, show_default=True, metavar="K",
              help="Write the K most probable tags of each token with their probabilities.")
@click.option("--lexicon", metavar="FILE", help="Lines of word TAB tags (single spaces between them): give these "
              "words one of their tags (default: any of the model's).")
@click.option("--partial", is_flag=True, help="Keep the tags that words in INPUT have already (word_TAG among bare "
              "words; in other formats some tags are missing), and tag the others.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, metavar="N",
              help="Processes that tag at the same time. The tags are the same, in the same order; probabilities may "
              "differ in their last digit.")
@raw_options
@layout_options
def main(model: Path, layout: Layout, probabilities: bool, n_best: int, lexicon: str | None, partial: bool, jobs: int,
         raw: bool, segmenter: str | None, lines: bool, presegmented: bool, offsets: bool, **arguments: Any) -> None:
    """Tag INPUT with the RNN in the folder MODEL.

    INPUT is text, a sentence a line, tokens separated by single spaces, or a corpus in another
    format; - or nothing is standard input. The output has one line (or block of lines) for each
    sentence of INPUT, blank for blank. Raw text (--raw, --segmenter) is answered in CoNLL-U.

    Several files, and those of folders, are answered into a folder, --output-dir. A file that cannot be
    read does not stop the others.
    """
    from ..errors import OptionError
    from ..files import STANDARD
    from ..storage.modelfile import load
    from .folder import tag_files
    from .tagging import asked

    if jobs > 1 and arguments["stream"]:
        raise OptionError(f"{jobs}, with --stream", "what comes is answered before more is read",
                          "Leave one of them out.", "--jobs")
    read_once(lexicon, *arguments["sources"] or [STANDARD])
    check_layout(lines, presegmented, offsets, arguments["output_format"])
    words = None
    if lexicon:
        from ..corpus.lists import read_lexicon
        words = read_lexicon(lexicon)
    tagger = load(model, "rnn")
    text = raw_input(tagger, raw, segmenter, lines=lines, presegmented=presegmented, offsets=offsets)
    if lexicon or partial:
        from ..models.constraints import ConstrainedTagger
        tagger = ConstrainedTagger(tagger, words, "", layout.field)
    layout, fields = asked(tagger, layout)
    with ExitStack() as stack:
        if jobs > 1:
            from ..parallel import ParallelTagger
            tagger = stack.enter_context(ParallelTagger(tagger, jobs))
        tag_files(tagger, model=model, layout=layout, fields=fields, best=n_best or int(probabilities),
                  partial=partial, raw=text, **arguments)


if __name__ == "__main__":
    main()
