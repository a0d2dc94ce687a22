"""``rnntag grade-labels``: grade the labels of texts, and compare answers with each other."""

from __future__ import annotations

from itertools import combinations, zip_longest
from typing import TYPE_CHECKING

import click

from ..corpus.labelled import LABELLED
from ..files import STANDARD
from . import common

if TYPE_CHECKING:
    from ..evaluation import Pair


@click.command("grade-labels", cls=common.Command)
@click.argument("reference")
@click.argument("answers", nargs=-1, required=True, metavar="ANSWER...")
@click.option("--per-label", is_flag=True, help="Precision, recall and F1 of each label.")
@click.option("--errors", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="How many kinds of mistakes to list.")
@click.option("--json", "as_json", is_flag=True,
              help="Write all of it as one JSON object instead, shares from 0 to 1.")
@common.format_option(None, list(LABELLED), what="Format of REFERENCE")
def main(reference: str, answers: tuple[str, ...], per_label: bool, errors: int, as_json: bool,
         format: str | None) -> None:
    """Compare the labels of each ANSWER, a label a line as classify writes them, with those of REFERENCE.

    REFERENCE has labelled texts, as for train-classifier. Two ANSWERs or more are also compared with each other by
    McNemar's test: is the difference more than chance?
    """
    from ..evaluation import accuracy, confusion, macro_f1, mistakes, tag_scores
    from ..evaluation.significance import mcnemar, wilson
    from ..files import open_output
    from .grade_pos import mistakes_report, tag_report
    from .table import json_text, text

    common.read_once(reference, *answers)
    if as_json:
        common.refuse("with --json", "errors", "per_label")
    right = _reference(reference, format)
    read = [(name, _pairs(right, name, reference)) for name in answers]
    grades, lines = [], list[str]()
    for name, pairs in read:
        score, counts = accuracy(pairs), confusion(pairs)
        low, high = wilson(score.correct, score.total)
        f1 = macro_f1(tag_scores(counts))
        grades.append({"name": name, "correct": score.correct, "total": score.total, "accuracy": score.accuracy,
                       "wilson": [low, high], "macro_f1": f1,
                       "mistakes": [{"reference": r, "answer": a, "count": n} for r, a, n in mistakes(counts)]})
        report = [*mistakes_report(pairs, errors, 0), "",
                  f"95% interval (Wilson): {low:.2%} to {high:.2%}. Macro-F1: {f1:.2%}"]
        report += ["", *tag_report(pairs)] if per_label else []
        lines += [*([""] if lines else []), *([f"{name}:"] if len(read) > 1 else []), *report]
    compared = []
    for (one, first), (other, second) in combinations(read, 2):
        wrong = [[pair.wrong > 0 for pair in pairs] for pairs in (first, second)]
        test = mcnemar(*(sum(a < b for a, b in zip(*order)) for order in (wrong, wrong[::-1])))
        compared.append({"first": one, "second": other, **test._asdict()})
        lines += ["", f"{other} against {one}: McNemar p = {test.p:.3g}; {test.only_second} right in {other} alone, "
                      f"{test.only_first} in {one} alone"]
    with open_output(STANDARD) as target:
        target.write(json_text({"reference": reference, "answers": grades, "comparisons": compared}) if as_json
                     else text(lines))


def _reference(path: str, format: str | None) -> list[tuple[str, int]]:
    """The labels of a file of labelled texts, with their lines."""
    from ..corpus.labelled import read_labelled
    from ..errors import CorpusError
    from ..files import shown

    found = [(text.label, text.line) for text in read_labelled(path, format, learning=True)]
    if not found:
        raise CorpusError("no texts", "at least one is needed", place=shown(path))
    return found


def _pairs(right: list[tuple[str, int]], path: str, reference: str) -> list[Pair]:
    """Reference and answer side by side; of an answer with probabilities the first column counts."""
    from ..corpus.labelled import read_labels
    from ..errors import CorpusError
    from ..evaluation import Pair
    from ..files import shown

    pairs = []
    for number, (wanted, given) in enumerate(zip_longest(right, read_labels(path)), 1):
        if wanted is None or given is None:
            longer, shorter, line = (reference, path, wanted[1]) if wanted else (path, reference, given[1])
            raise CorpusError(f"no label {number:,}", f"{longer} has one, in line {line}",
                              "Is it cut short, or of other texts?", shown(shorter))
        pairs.append(Pair(None, [wanted[0]], [given[0]], wanted[1]))
    return pairs


if __name__ == "__main__":
    main()
