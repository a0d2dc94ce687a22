"""What test-rnn and test-hmm share: read, tag, write; a line (or block) of output for every one of input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from ..corpus import ALL, FORMATS, TO_TAG, Format, Layout, Sentence, elsewhere, field_names, open_corpus
from ..corpus.tokenisation import LOOKED_AT, Tokenisation
from ..errors import CorpusError, OptionError
from ..files import STANDARD, open_output, shown
from ..storage.modelfile import trained_field
from . import common

if TYPE_CHECKING:
    from ..models.answers import Words
    from .rawtext import Raw

OUTPUT_FORMATS = [name for name, format in FORMATS.items() if format.has_tags]
WITH_PROBABILITIES = ("jsonl", "vertical")  # the formats that have a place for them


class Annotates(Protocol):
    """Anything that fills columns, as ``Annotator`` says."""

    @property
    def fields(self) -> tuple[str, ...]: ...
    def annotate(self, sentences: Iterable[Words], fields: Collection[str] | None = None,
                 best: int = 0) -> Iterator[Sentence]: ...


def tagging_options(function: Callable) -> Callable:
    """The arguments and options of every command that tags; the names are those of ``folder.tag_files``."""
    return common.options(
        click.argument("model", type=click.Path(path_type=Path)),
        click.argument("sources", nargs=-1, metavar="[INPUT]..."),
        common.output,
        click.option("--output-dir", metavar="FOLDER", help="Write the answer to each INPUT (where it is a folder, "
                     "to each file of it) into this folder, under the same name; where that ends in a format, the "
                     "format of the answer takes its place (default: one INPUT, answered to --output)."),
        click.option("--resume", is_flag=True, help="With --output-dir: tag only files without an answer, or changed "
                     "since; with the same model and options as before."),
        common.corpus_options(TO_TAG, what="Format of INPUT", field=common.filled_fields),
        common.format_option(None, OUTPUT_FORMATS, name="--output-format", shown="tags for tokens, "
                             "otherwise that of INPUT", what="Format of the output"),
        click.option("--stream", is_flag=True, help="Write each sentence at once (default: only to a "
                     "terminal), for a program that waits for the answer."),
        common.force,
    )(function)


def tag_file(tagger: Annotates, source: str | Path = STANDARD, output: str | Path = STANDARD, *,
             layout: Layout = Layout(), fields: Sequence[str] | None = None,
             output_format: str | None = None, best: int = 0, partial: bool = False, stream: bool = False,
             ahead: bool = False, force: bool = False, raw: Raw | None = None) -> tuple[int, int]:
    """Tag ``source`` into ``output``; returns the number of sentences and of tokens.

    layout   how ``source`` is to be read: a Layout
    fields   which columns to fill, None: all that there is a place for
    best     so many tags a token are written with their probabilities, 0: tags alone
    partial  read the tags that some words have, too, and give them to the tagger (a ConstrainedTagger
             keeps these); otherwise tags in the input are ignored
    stream   answer each sentence before the next is read; so it is done for a terminal, too
    ahead    read ahead for a terminal, too, unless somebody types the input at one
    raw      how ``source`` is to be read when it is raw text: the answer is then conllu, if nothing else is asked for

    Memory does not grow with the input: the tagger is given an iterator, and only the sentences that it has
    read ahead are kept.

    Raises CorpusError and RnntagError for what is wrong with the files, OptionError for formats
    that cannot hold what is asked for.
    """
    if best and output_format not in (None, *WITH_PROBABILITIES):
        raise OptionError(output_format or "", f"probabilities are written as {' or '.join(WITH_PROBABILITIES)}",
                          place="--output-format")
    sentences = tokens = 0
    choices = [name for name in TO_TAG if not partial or FORMATS[name].has_tags]
    opened: Any = raw.opened(source, layout) if raw else open_corpus(
        source, layout, choices, want="partial" if partial else "words")
    with opened as (reader, untagged):
        if layout.format is None and reader.name == "wordtag" and not partial:
            click.echo(f"Note: the input is read as {reader.name}, its tags are ignored; if that is "
                       "wrong, give --format.", err=True)
        writer = FORMATS[output_format or shape(reader.name, best)](reader.separator, reader.fields, reader.column)
        chosen = _columns(tagger, fields, writer, partial and reader.name == "conllu")
        with open_output(output, force=force) as target:
            at_once = stream or target.isatty()
            stream = at_once and not (ahead and not _typed(source))
            looked_at = raw.sentences(untagged, writer.name, at_once) if raw else _looked_at(
                untagged, getattr(tagger, "words", ()), source)
            for sentence in _annotated(tagger, looked_at, chosen, best, stream):
                target.write(written(writer, sentence, source).encode())
                if at_once:
                    target.flush()
                sentences, tokens = sentences + 1, tokens + len(sentence.words)
    return sentences, tokens


def _looked_at(sentences: Iterator[Sentence], known: Container[str], source: str | Path) -> Iterator[Sentence]:
    """The same sentences, with a warning when the first ones do not look tokenised."""
    seen = Tokenisation(known)
    for sentence in sentences:
        seen.look(sentence.words)
        yield sentence
        if seen.tokens >= LOOKED_AT:
            break
    if seen.lacking:
        click.echo(f"Warning: {shown(source)}: {seen}", err=True)
    yield from sentences


def _typed(source: str | Path) -> bool:
    """Is the input a terminal?"""
    return str(source) == STANDARD and sys.stdin.isatty()


def shape(format: str, best: int) -> str:
    """The format of the answer to an input of this one."""
    if best and format not in WITH_PROBABILITIES:
        return "jsonl"
    return "tags" if format == "tokens" else format


def asked(tagger: Any, layout: Layout) -> tuple[Layout, list[str] | None]:
    """The layout for the input of a tagger, and which columns to fill; a single column goes wherever it is asked for.

    Raises OptionError for columns that the tagger does not have.
    """
    if layout.field is None or layout.field == ALL:
        return replace(layout, field=trained_field(tagger)), None
    names = field_names(layout.field)
    return layout, None if len(names) == len(tagger.fields) == 1 else list(tagger.chosen(names))


def _columns(tagger: Annotates, fields: Sequence[str] | None, writer: Format, blank: bool) -> Sequence[str]:
    """The columns to fill: those asked for (None: all), or the first where the format of the answer has one place.

    blank   does "_" stand for what is to be filled?

    Raises OptionError for columns that cannot be written, or of which nobody can tell which words lack them.
    """
    chosen = list(tagger.fields if fields is None else fields)
    if not writer.has_columns and len(chosen) > 1:
        if fields is not None:
            raise OptionError(",".join(chosen), f"{writer.name} has a place for one column", "Give one of them, or "
                              "--output-format conllu or jsonl.", "--fields")
        click.echo(f"Note: {writer.name} has a place for one column, and gets {chosen[0]}; --output-format conllu or "
                   "jsonl has a place for all, --fields chooses another.", err=True)
        del chosen[1:]
    if blank and "feats" in chosen:
        raise OptionError("feats", "in FEATS of CoNLL-U, _ is a word without features, not one to be filled",
                          "Choose other columns with --fields, or use jsonl.", "--partial")
    return chosen


def _annotated(tagger: Annotates, untagged: Iterator[Sentence], fields: Sequence[str], best: int,
               stream: bool) -> Iterator[Sentence]:
    """The sentences, their columns filled in; streaming, each before the next is read."""
    parts = ([sentence] for sentence in untagged) if stream else [untagged]
    for sentence in (sentence for part in parts for sentence in tagger.annotate(part, fields, best)):
        if len(tagger.fields) == 1 and "" not in sentence.columns:  # it goes where the layout says
            sentence.columns = {"": column for column in sentence.columns.values()}
        yield sentence


def written(writer: Format, sentence: Sentence, source: str | Path) -> str:
    """``sentence`` as text; errors name where in ``source`` it is from."""
    try:
        return writer.write(sentence)
    except CorpusError as error:
        error.place, error.hint = f"{shown(source)}:{sentence.line}", error.hint or elsewhere([sentence])
        raise
