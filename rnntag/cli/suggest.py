"""``rnntag suggest``: which sentences to annotate next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..corpus import TAGGED, TO_TAG, Layout, Sentence
from ..files import STANDARD
from . import common
from .tagging import asked, written

if TYPE_CHECKING:
    from ..analysis.suggestion import Suggestion


@click.command("suggest", cls=common.Command)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", default=STANDARD, metavar="[TEXT]")
@click.option("-n", "--sentences", "count", type=click.IntRange(1), default=50, show_default=True, metavar="N",
              help="How many sentences.")
@common.output
@common.corpus_options(TO_TAG, what="Format of TEXT", field=common.filled_fields)
@common.format_option(None, list(TAGGED), name="--output-format", shown="wordtag for tokens, otherwise that of TEXT",
                      what="Format of the output")
@common.force
@common.quiet
def main(model: Path, source: str, count: int, output: str, output_format: str | None, layout: Layout, force: bool,
         quiet: bool) -> None:
    """Choose the N sentences of TEXT whose annotation should help MODEL most, with its tags to correct.

    Sentences come first whose words the model is unsure of or has not seen, each for the tokens that
    it costs; what is like a sentence already chosen comes later, and no sentence twice. Correct the
    file in order, with rnntag annotate or an editor, and train on it too. Tags in TEXT are ignored.
    """
    from ..analysis.suggestion import suggestions
    from ..corpus import FORMATS, open_corpus
    from ..files import open_output
    from ..storage.kinds import TAGGERS
    from ..storage.modelfile import load

    tagger = load(model, TAGGERS)
    layout, fields = asked(tagger, layout)
    with open_corpus(source, layout, TO_TAG, want="words") as (reader, sentences), \
            open_output(output, force=force) as target:
        name = output_format or ("wordtag" if reader.name == "tokens" else reader.name)
        writer = FORMATS[name](reader.separator, reader.fields, reader.column)
        read: list[int] = []
        if name in ("wordtag", "vertical"):  # there is one place
            fields = [(fields or tagger.fields)[0]]
        found = suggestions(tagger.annotate(_counted(sentences, read), fields, best=1), tagger.words, count)
        for each in found:
            target.write(written(writer, _plain(each.sentence), source).encode())
    if not quiet:
        click.echo(summary(found, len(read), sum(read)), err=True)


def _counted(sentences: Iterator[Sentence], lengths: list[int]) -> Iterator[Sentence]:
    """The sentences, whose lengths are noted."""
    for sentence in sentences:
        lengths.append(len(sentence))
        yield sentence


def _plain(sentence: Sentence) -> Sentence:
    """The sentence without probabilities, which say nothing of tags that somebody corrects."""
    from ..corpus import Column
    columns = {name: Column(column.values) for name, column in sentence.columns.items()}
    return Sentence(sentence.words, columns, sentence.line, sentence.source)


def summary(found: list[Suggestion], sentences: int, tokens: int) -> str:
    """A line on what was chosen."""
    chosen = sum(len(each.sentence) for each in found)
    if not chosen:
        return "No sentence to suggest"
    sure = sum(each.sure * len(each.sentence) for each in found) / chosen
    unseen = sum(len(each.unseen) for each in found)
    return (f"{len(found):,} of {sentences:,} sentences, {chosen:,} of {tokens:,} tokens; {unseen / chosen:.1%} "
            f"of them words that the model has not seen, mean probability of its tags {sure:.1%}")


if __name__ == "__main__":
    main()
