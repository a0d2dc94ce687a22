"""What test-rnn and test-hmm share: read, tag, write; a line (or block) of output for every one of input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import click

from ..corpus import (ALL, FORMATS, TO_TAG, Format, Layout, Lines, Sentence, Skipped, Span, elsewhere, field_names,
                      open_lines)
from ..corpus.tokenisation import Tokenisation
from ..errors import CorpusError, OptionError, RnntagError
from ..files import STANDARD, open_output, shown
from ..storage.modelfile import trained_field
from . import common

if TYPE_CHECKING:
    from ..models.answers import Words
    from .rawtext import Raw

OUTPUT_FORMATS = [name for name, format in FORMATS.items() if format.has_tags]
WITH_PROBABILITIES = ("jsonl", "vertical")  # the formats that have a place for them
PORTION_TOKENS = 8_192  # that are read, tagged and written together, about: enough for large matrix products


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
        click.option("--stream", is_flag=True, help="Answer what has come at once (default: only to a "
                     "terminal), for a program that waits for the answer."),
        common.force,
    )(function)


def tag_file(tagger: Annotates, source: str | Path = STANDARD, output: str | Path = STANDARD, *,
             layout: Layout = Layout(), fields: Sequence[str] | None = None,
             output_format: str | None = None, best: int = 0, partial: bool = False, stream: bool = False,
             force: bool = False, raw: Raw | None = None) -> tuple[int, int]:
    """Tag ``source`` into ``output``, up to the first error; returns the number of sentences and of tokens.

    layout   how ``source`` is to be read: a Layout
    fields   which columns to fill, None: all that there is a place for
    best     so many tags a token are written with their probabilities, 0: tags alone
    partial  read the tags that some words have, too, and give them to the tagger (a ConstrainedTagger
             keeps these); otherwise tags in the input are ignored
    stream   answer what has come before more is read; so it is done for a terminal, too
    raw      how ``source`` is to be read when it is raw text: the answer is then conllu, if nothing else is asked for

    The input is tagged in portions, by a tagger with a method ``map`` several of them at a time. Memory does not grow
    with it.

    Raises CorpusError and RnntagError for what is wrong with the files, OptionError for formats
    that cannot hold what is asked for.
    """
    if best and output_format not in (None, *WITH_PROBABILITIES):
        raise OptionError(output_format or "", f"probabilities are written as {' or '.join(WITH_PROBABILITIES)}",
                          place="--output-format")
    sentences = tokens = 0
    choices = [name for name in TO_TAG if not partial or FORMATS[name].has_tags]
    opened: Any = raw.opened(source, layout) if raw else open_lines(
        source, layout, choices, want="partial" if partial else "words")
    with opened as (reader, given):
        if layout.format is None and reader.name == "wordtag" and not partial:
            click.echo(f"Note: the input is read as {reader.name}, its tags are ignored; if that is "
                       "wrong, give --format.", err=True)
        writer = FORMATS[output_format or shape(reader.name, best)](reader.separator, reader.fields, reader.column)
        work = Work(reader, writer, _columns(tagger, fields, writer, partial and reader.name == "conllu"), best,
                    shown(source), layout.skipped is not None)
        with open_output(output, force=force) as target:
            at_once, several = stream or target.isatty(), getattr(tagger, "map", None)
            waiting = stream or at_once and (several is None or _typed(source))
            if raw:
                done = work.one_by_one(tagger, raw.sentences(given, writer.name, at_once), waiting)
            else:
                portions = _looked_at(reader.portions(given.spans, 0 if at_once else PORTION_TOKENS), work,
                                      getattr(tagger, "words", ()))
                done = _told(several(work, portions, not waiting) if several else (
                    work(tagger, portion) for portion in portions), given)
            for answered in done:
                target.write(answered.data)
                if at_once:
                    target.flush()
                sentences, tokens = sentences + answered.sentences, tokens + answered.tokens
    return sentences, tokens


@dataclass
class Answered:
    """The answer to a portion of the input.

    told, skipped   what there is to tell about its lines, as for Lines
    error           why the answer ends before the portion does, if so
    """

    data: bytes = b""
    sentences: int = 0
    tokens: int = 0
    told: dict[str, int] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=Skipped)
    error: RnntagError | None = None


class Work(NamedTuple):
    """How sentences are read, tagged and written: all that a process needs to know but the tagger.

    name   of the input, for messages
    skip   are sentences that cannot be read passed over?
    """

    reader: Format
    writer: Format
    fields: Sequence[str]
    best: int
    name: str
    skip: bool

    def __call__(self, tagger: Annotates, portion: list[Span]) -> Answered:
        """Answer a portion of the input."""
        answered, texts = Answered(), []
        try:
            for sentence, text in self._written(tagger, self._before_error(portion, answered)):
                texts.append(text)
                answered.tokens += len(sentence)
        except RnntagError as error:
            answered.error = error
        answered.data, answered.sentences = "".join(texts).encode(), len(texts)
        return answered

    def one_by_one(self, tagger: Annotates, sentences: Iterator[Sentence], stream: bool) -> Iterator[Answered]:
        """Answer sentences; streaming, each before the next is read."""
        for part in ([sentence] for sentence in sentences) if stream else [sentences]:
            for sentence, text in self._written(tagger, part):
                yield Answered(text.encode(), 1, len(sentence))

    def sentences(self, portion: list[Span], answered: Answered) -> Iterator[Sentence]:
        """The sentences of a portion; what there is to tell about its lines is found in ``answered``."""
        return self.reader.read(Lines(portion, self.name, answered.skipped if self.skip else None, answered.told,
                                      quiet=True))

    def _before_error(self, portion: list[Span], answered: Answered) -> Iterator[Sentence]:
        """The same up to the first error, which is kept for later."""
        try:
            yield from self.sentences(portion, answered)
        except CorpusError as error:
            answered.error = error

    def _written(self, tagger: Annotates, sentences: Iterable[Sentence]) -> Iterator[tuple[Sentence, str]]:
        """The sentences, their columns filled in, and as text."""
        for sentence in tagger.annotate(sentences, self.fields, self.best):
            if len(tagger.fields) == 1 and "" not in sentence.columns:  # it goes where the layout says
                sentence.columns = {"": column for column in sentence.columns.values()}
            yield sentence, written(self.writer, sentence, self.name)


def _looked_at(portions: Iterator[list[Span]], work: Work, known: Container[str]) -> Iterator[list[Span]]:
    """The same portions, with a warning when the first sentences do not look tokenised."""
    seen = Tokenisation(known)
    for portion in chain(portions, [[]]):
        try:
            enough = not portion or seen.enough(sentence.words for sentence in work.sentences(portion, Answered()))
        except CorpusError:  # whoever tags it will tell
            seen, enough = Tokenisation(), True
        if enough and seen.lacking:
            click.echo(f"Warning: {work.name}: {seen}", err=True)
        if portion:
            yield portion
        if enough:
            break
    yield from portions


def _told(done: Iterator[Answered], lines: Lines) -> Iterator[Answered]:
    """The same answers; what there is to tell about their lines is told before one, its error raised after it."""
    for answered in done:
        for text, number in answered.told.items():
            lines.note(number, text)
        if lines.skipped is not None:
            lines.skipped.update(answered.skipped)
        yield answered
        if answered.error is not None:
            raise answered.error


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


def written(writer: Format, sentence: Sentence, source: str | Path) -> str:
    """``sentence`` as text; errors name where in ``source`` it is from."""
    try:
        return writer.write(sentence)
    except CorpusError as error:
        error.place, error.hint = f"{shown(source)}:{sentence.line}", error.hint or elsewhere([sentence])
        raise
