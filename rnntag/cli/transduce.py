"""``rnntag transduce``: what a trained transducer makes of strings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import tee

import click

from ..errors import OptionError
from ..files import STANDARD
from . import common


@click.command("transduce", cls=common.Command)
@click.argument("model")
@click.argument("source", default=STANDARD, metavar="[INPUT]")
@common.output
@click.option("--beam", type=click.IntRange(1, 1000), default=4, show_default=True, metavar="N",
              help="Beginnings that are kept after each symbol; 1: the best symbol each time.")
@click.option("--n-best", type=click.IntRange(1, 1000), default=None, metavar="K",
              help="Write the K best answers, each with its log probability, tabs between them (default: the best "
              "alone).")
@click.option("--alignments", metavar="FILE", help="Write what attention was at for each symbol, as a table; as a "
              "picture if the name ends in .svg (default: not written).")
@common.force
def main(model: str, source: str, output: str, beam: int, n_best: int | None, alignments: str | None,
         force: bool) -> None:
    """Write a line for each line of INPUT: the string that the transducer in the folder MODEL makes of it.

    INPUT is a string a line; - or nothing is standard input. When MODEL was trained with tags, a tab and the tags
    follow the string. A blank line stays blank.
    """
    from ..corpus.lines import Lines
    from ..corpus.pairs import Pair, read_questions
    from ..files import open_input, open_output
    from ..storage.modelfile import load
    from .alignment import Alignments

    if n_best is not None and n_best > beam:
        raise OptionError(f"{n_best} with --beam {beam}", "a beam finds no more answers than it is wide",
                          "Give a wider --beam.", "--n-best")
    if alignments == output == STANDARD:
        raise OptionError("standard output is asked for twice", "it is the place of the answers",
                          "Give a file.", "--alignments")
    transducer = load(model, "transducer")
    unit = transducer.options.unit
    with open_input(source) as stream, open_output(output, force=force) as target, \
            Alignments(alignments, unit, force) as drawn:
        questions, asked = tee(read_questions(Lines(stream, source), unit, bool(len(transducer.tags) - 1)))
        answers = transducer.transduce(asked, beam, 1 if target.isatty() else None)
        for question, found in zip(questions, answers):
            best = found if question.source else []
            target.write("\t".join(_fields(best, unit, n_best)).encode() + b"\n")
            if target.isatty():
                target.flush()
            if best and drawn.wanted:
                pair = Pair(question.source, best[0].symbols, question.tags)
                drawn.add(pair, transducer.alignments([pair])[0])


def _fields(answers: list, unit: str, n_best: int | None) -> Iterator[str]:
    from ..corpus.pairs import string
    for answer in answers[:n_best or 1]:
        yield string(answer.symbols, unit)
        if n_best is not None:
            yield f"{answer.log_probability:.4f}"


if __name__ == "__main__":
    main()
