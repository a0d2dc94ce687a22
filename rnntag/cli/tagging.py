"""What test-rnn and test-hmm share: read, tag, write, one line (or block) out for each one in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, tee
from pathlib import Path
from typing import Protocol

import click

from ..corpus import FORMATS, LineFormat, Sentence, open_corpus
from ..errors import CorpusError
from ..files import STANDARD, open_output, shown
from . import common

INPUT_FORMATS = [name for name, format in FORMATS.items() if format.has_words]
OUTPUT_FORMATS = [name for name, format in FORMATS.items() if format.has_tags]


class Tags(Protocol):
    """Anything that tags."""

    def tag(self, sentences: Iterable[list[str]]) -> Iterator[list[str]]: ...


def tagging_options(function: Callable) -> Callable:
    """The arguments and options of every command that tags; the names are those of ``tag_file``."""
    return common.options(
        click.argument("model", type=click.Path(path_type=Path)),
        click.argument("source", default=STANDARD, metavar="[INPUT]"),
        common.output,
        common.format_option(None, INPUT_FORMATS, what="Format of INPUT"),
        common.format_option(None, OUTPUT_FORMATS, name="--output-format", shown="tags for tokens, "
                             "otherwise that of INPUT", what="Format of the output"),
        common.separator,
        click.option("--stream", is_flag=True, help="Write each sentence at once (default: only to a "
                     "terminal), for a program that waits for the answer."),
        common.force,
    )(function)


def tag_file(tagger: Tags, source: str | Path = STANDARD, output: str | Path = STANDARD, *,
             format: str | None = None, output_format: str | None = None, separator: str = "_",
             stream: bool = False, force: bool = False) -> tuple[int, int]:
    """Tag ``source`` into ``output``; returns the number of sentences and of tokens.

    Tags in the input are not looked at. Memory does not grow with the input: ``tagger.tag`` is given
    an iterator, and only the sentences it has read ahead are kept.

    Raises CorpusError and RnntagError for what is wrong with the files.
    """
    sentences = tokens = 0
    with open_corpus(source, format, INPUT_FORMATS, separator) as (reader, untagged):
        if format is None and reader.has_tags:
            click.echo(f"Note: the input is read as {reader.name}, its tags are ignored; if that is "
                       "wrong, give --format.", err=True)
        writer = FORMATS[output_format or ("tags" if reader.name == "tokens" else reader.name)](separator)
        with open_output(output, force=force) as target:
            stream = stream or target.isatty()
            kept, ahead = tee(untagged)
            words = (sentence.words for sentence in ahead)
            answers = (chain.from_iterable(tagger.tag([sentence]) for sentence in words) if stream
                       else tagger.tag(words))
            for sentence, tags in zip(kept, answers, strict=True):
                sentence.tags = tags
                target.write(_written(writer, sentence, source).encode())
                if stream:
                    target.flush()
                sentences, tokens = sentences + 1, tokens + len(tags)
    return sentences, tokens


def _written(writer: LineFormat, sentence: Sentence, source: str | Path) -> str:
    try:
        return writer.write(sentence)
    except CorpusError as error:
        error.place = f"{shown(source)}:{sentence.line}"
        raise
