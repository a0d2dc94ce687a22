"""Raw text as the input of a tagger: the options of test-rnn for it, and what it reads instead of a corpus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..corpus import FORMATS, Format, Layout, Sentence
from ..corpus.rawtext import characters
from ..errors import OptionError
from ..files import open_input
from . import common

raw_options = common.options(
    click.option("--raw", is_flag=True, help="INPUT is raw text; the segmenter in MODEL finds its "
                 "sentences and words."),
    click.option("--segmenter", metavar="MODEL", help="The same with the segmenter in this folder (default: none)."))
layout_options = common.options(
    click.option("--lines", is_flag=True, help="Each line of raw text is a sentence (default: a paragraph ends at a "
                 "blank line)."),
    click.option("--presegmented", is_flag=True, help="Each line of raw text is a sentence, and spaces separate its "
                 "tokens; only tokens of several words are split."),
    click.option("--offsets", is_flag=True, help="Write where each token is in raw text, in characters from its "
                 "beginning: TokenRange in MISC of CoNLL-U, or offsets of jsonl."))


class Raw(NamedTuple):
    """How raw text is read: with which segmenter, and what ``layout_options`` say."""

    segmenter: Any
    lines: bool = False
    presegmented: bool = False
    offsets: bool = False

    @contextmanager
    def opened(self, source: str | Path, layout: Layout = Layout()) -> Iterator[tuple[Format, Iterator[str]]]:
        """The format that an answer has if no other is asked for, and the characters of a file."""
        with open_input(source) as stream:
            yield FORMATS["conllu"](fields=layout.field), characters(stream, source)

    def sentences(self, text: Iterator[str], format: str, eager: bool) -> Iterator[Sentence]:
        """The sentences of a text, ready to be written in a format; ``eager`` as for ``Reader.read``."""
        for sentence in self.segmenter.read(text, self.lines, self.presegmented, eager):
            sentence.prepare(format, self.offsets)
            yield sentence


def check_layout(lines: bool, presegmented: bool, offsets: bool, format: str | None) -> None:
    """Raise OptionError for options of raw text that do not fit together, or not the format of the output."""
    if lines and presegmented:
        raise OptionError("given together", "presegmented lines are sentences already", "Leave --lines out.",
                          "--lines and --presegmented")
    if offsets and format not in (None, "conllu", "jsonl"):
        raise OptionError(f"given with --output-format {format}", "there is no place for them",
                          "Leave one of them out.", "--offsets")


def raw_input(tagger: Any, raw: bool, segmenter: str | None, **layout: bool) -> Raw | None:
    """What the options of test-rnn make of INPUT; None for a corpus.

    Raises OptionError for options that do not fit together, ModelError for a model without a segmenter.
    """
    from ..storage.modelfile import load
    if not raw and segmenter is None:
        common.refuse("without --raw or --segmenter", *layout)
        return None
    common.refuse("with raw text", "format", "separator", "column", "on_error", "partial")
    if segmenter is not None:
        return Raw(load(segmenter, "segmenter", "Name one that rnntag train-segmenter wrote."), **layout)
    return Raw(tagger.segmenter(), **layout)
