"""``grade-pos``: grade answers against reference tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from . import common

if TYPE_CHECKING:
    from ..evaluation import Pair


@click.command("grade-pos", cls=common.Command)
@click.argument("reference")
@click.argument("answers", nargs=-1, required=True, metavar="ANSWER...")
@click.option("--train", metavar="FILE", help="The tagged corpus that the tagger was trained on: grade "
              "its words and unknown words apart (default: not done). REFERENCE or ANSWER needs words.")
@click.option("--errors", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="How many kinds of mistakes to list.")
@common.format_option(None, ["tags", "wordtag"], what="Format of REFERENCE and ANSWERs", shown="found out "
                      "from each file")
@common.separator
def main(reference: str, answers: tuple[str, ...], train: str | None, errors: int, format: str | None,
         separator: str) -> None:
    """Compare the tags of each ANSWER with those of REFERENCE.

    All have a sentence a line, of tags alone or of word_TAG; one of them may be -, standard input.
    """
    from ..corpus import read, read_tagged
    from ..errors import OptionError
    from ..evaluation import pair
    from ..files import STANDARD, open_output, shown

    if [reference, *answers, train].count(STANDARD) > 1:
        raise OptionError("standard input (-) is asked for twice", "it can be read once",
                          "Write it to a file first.")
    known = None
    if train is not None:
        known = {word for sentence in read_tagged(train, "wordtag", separator) for word in sentence.words}
    right = list(read(reference, format, separator, ["wordtag", "tags"]))
    with open_output(STANDARD) as target:
        for number, answer in enumerate(answers):
            given = read(answer, format, separator, ["wordtag", "tags"])
            lines = report(list(pair(right, given, shown(reference), shown(answer))), errors, known)
            if len(answers) > 1:
                lines = [*([""] if number else []), f"{shown(answer)}:", *lines]
            target.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def report(pairs: list[Pair], errors: int, known: set[str] | None) -> Iterator[str]:
    """The lines about one answer; the first ones are those of the tutorial's script."""
    from ..evaluation import accuracy, accuracy_by_knowledge, confusion, mistakes

    yield f"Accuracy: {accuracy(pairs)}"
    if errors:
        yield ""
        yield "Most common mistakes:"
        for right, given, count in mistakes(confusion(pairs))[:errors]:
            yield f"{right} --> {given}\t{count}"
    if known is not None:
        old, new = accuracy_by_knowledge(pairs, known)
        yield ""
        yield f"Known words: {old}"
        yield f"Unknown words: {new}"


if __name__ == "__main__":
    main()
