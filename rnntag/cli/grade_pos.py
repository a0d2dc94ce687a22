"""``grade-pos``: grade answers against reference tags, and compare answers with each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..corpus import TAGGED
from . import common
from .table import percent, probability, short_names, span, table, text

if TYPE_CHECKING:
    from ..evaluation import Pair
    from ..evaluation.grading import Comparison, Grade, Grading, Knowledge

LABELS = {"tokens": "Tokens", "sentences": "Sentences", "known": "Known words", "unknown": "Unknown words",
          "ambiguous": "Ambiguous words", "macro_f1": "Macro-F1"}
FORMATS = (*TAGGED, "tags")


@click.command("grade-pos", cls=common.Command)
@click.argument("reference")
@click.argument("answers", nargs=-1, required=True, metavar="ANSWER...")
@click.option("--summary", is_flag=True, help="Accuracy of tokens and sentences and macro-F1, with 95 % intervals; "
              "implied by --train and by two ANSWERs.")
@click.option("--train", metavar="FILE", help="The tagged corpus that the tagger was trained on: grade its words, "
              "unknown words and ambiguous words (more than one tag in FILE) apart (default: not done). REFERENCE "
              "or ANSWER needs words.")
@click.option("--per-tag", is_flag=True, help="Precision, recall and F1 of each tag.")
@click.option("--calibration", is_flag=True, help="Are the probabilities of ANSWER right? The expected calibration "
              "error, and accuracy by probability in 15 bins. ANSWER has them from test-rnn --probabilities.")
@click.option("--errors", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="How many kinds of mistakes to list.")
@click.option("--examples", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
              help="How many places to show of each, the word in [brackets] in its context. REFERENCE or ANSWER "
              "needs words.")
@click.option("--tag-map", metavar="FILE", help="Replace tags on both sides before they are compared: lines of "
              "FROM TAB TO; other tags stay (default: none).")
@click.option("--resamples", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True, metavar="N",
              help="Bootstrap resamples of the sentences.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True,
              help="Seed of the resamples.")
@click.option("--json", "as_json", is_flag=True,
              help="Write all of it as one JSON object instead, shares from 0 to 1.")
@common.format_option(None, list(FORMATS), what="Format of REFERENCE and ANSWERs", shown="found out from "
                      "each file")
@common.separator
@common.field
@common.column
def main(reference: str, answers: tuple[str, ...], summary: bool, train: str | None, per_tag: bool, calibration: bool,
         errors: int, examples: int, tag_map: str | None, resamples: int, seed: int, as_json: bool,
         **layout: Any) -> None:
    """Compare the tags of each ANSWER with those of REFERENCE.

    All are tagged text, or a sentence a line of tags alone; one of them may be -, standard input.
    Two ANSWERs or more are also compared with each other: is the difference more than chance?
    Intervals and that verdict come from a bootstrap over sentences.
    """
    from ..errors import OptionError
    from ..files import STANDARD, open_output, shown

    if [reference, *answers, train, tag_map].count(STANDARD) > 1:
        raise OptionError("standard input (-) is asked for twice", "it can be read once",
                          "Write it to a file first.")
    known = _knowledge(train, layout)
    paired, sure = _pairs(reference, answers, layout, tag_map, calibration)
    grading = None
    if summary or known or as_json or len(answers) > 1:
        from ..evaluation.grading import grade
        names = short_names([shown(answer) for answer in answers])
        grading = grade([(name, pairs) for name, (_, pairs) in zip(names, paired)], known, resamples, seed)
    with open_output(STANDARD) as target:
        if as_json and grading is not None:
            record = {"reference": shown(reference), **grading.to_dict()}
            if calibration:
                record["calibration"] = [_calibration(pairs, rows) for (_, pairs), rows in zip(paired, sure)]
            target.write(json.dumps(record, ensure_ascii=True, indent=1).encode() + b"\n")
            return
        for number, (name, pairs) in enumerate(paired):
            lines = list(mistakes_report(pairs, errors, examples))
            if per_tag:
                lines += ["", *tag_report(pairs)]
            if calibration:
                lines += ["", *calibration_report(_calibration(pairs, sure[number]))]
            if len(answers) > 1:
                lines = [*([""] if number else []), f"{name}:", *lines]
            target.write(text(lines))
        if grading is not None:
            target.write(text(["", *summary_report(grading)]))


def _knowledge(train: str | None, layout: dict[str, Any]) -> Knowledge | None:
    if train is None:
        return None
    from ..corpus import read_tagged
    from ..evaluation.grading import Knowledge
    return Knowledge.of(read_tagged(train, **{**layout, "format": None}))


def _pairs(reference: str, answers: tuple[str, ...], layout: dict[str, Any], tag_map: str | None,
           calibration: bool) -> tuple[list[tuple[str, list[Pair]]], list[list[list[float]]]]:
    """Each answer's name and its pairs; and its probabilities, if they are needed."""
    from ..evaluation.breakdown import confidences
    from ..corpus import read
    from ..errors import CorpusError
    from ..evaluation import map_tags, pair, read_tag_map
    from ..files import shown

    mapping = read_tag_map(tag_map) if tag_map is not None else {}
    layout = {**layout, "field": layout["field"] or "upos", "choices": FORMATS}
    right = list(map_tags(read(reference, **layout), mapping))
    paired, sure = [], []
    for answer in answers:
        given = list(read(answer, **layout))
        paired.append((shown(answer), list(pair(right, map_tags(given, mapping), shown(reference), shown(answer)))))
        if calibration:
            found = confidences(given, shown(answer), layout["column"])
            if found is None:
                raise CorpusError("no probabilities", "--calibration needs them",
                                  "test-rnn --probabilities writes them.", shown(answer))
            sure.append(found)
    return paired, sure


# ------------------------------------------------------------------ text


def mistakes_report(pairs: list[Pair], errors: int, limit: int) -> Iterator[str]:
    """Accuracy and the most common mistakes as the tutorial's script writes them, each followed by
    ``limit`` examples."""
    from ..evaluation import accuracy, confusion, examples, mistakes

    yield f"Accuracy: {accuracy(pairs)}"
    if not errors:
        return
    yield ""
    yield "Most common mistakes:"
    places = examples(pairs, limit) if limit else {}
    for right, given, count in mistakes(confusion(pairs))[:errors]:
        yield f"{right} --> {given}\t{count}"
        for each in places.get((right, given), []):
            yield (f"    line {each.line}, token {each.token}: "
                   f"{' '.join([*each.before, f'[{each.word}]', *each.after])}")


def tag_report(pairs: list[Pair]) -> list[str]:
    """A line for each tag, the most frequent first."""
    from ..evaluation import confusion, tag_scores

    rows = [("Tag", "support", "answered", "precision", "recall", "F1")]
    rows += [(tag, str(s.support), str(s.answered), percent(s.precision) if s.answered else "-",
              percent(s.recall) if s.support else "-", percent(s.f1))
             for tag, s in tag_scores(confusion(pairs)).items()]
    return table(rows, right=range(1, 6))


def _calibration(pairs: list[Pair], probabilities: list[list[float]]) -> dict[str, Any]:
    """How well probabilities agree with how often the answer is right, as JSON values."""
    from ..evaluation.breakdown import calibration_error, reliability
    bins = reliability(pairs, probabilities)
    tokens = sum(each.score.total for each in bins)
    return {"expected_calibration_error": calibration_error(bins),
            "mean_probability": sum(each.confidence * each.score.total for each in bins) / tokens,
            "accuracy": sum(each.score.correct for each in bins) / tokens,
            "bins": [{"probability": each.confidence, "accuracy": each.score.accuracy, "tokens": each.score.total}
                     for each in bins]}


def calibration_report(record: dict[str, Any]) -> Iterator[str]:
    """The same as text."""
    yield (f"Expected calibration error: {record['expected_calibration_error']:.2%} (mean probability "
           f"{record['mean_probability']:.2%}, accuracy {record['accuracy']:.2%})")
    rows = [("Tokens", "mean probability", "accuracy")]
    rows += [(f"{each['tokens']:,}", percent(each["probability"]), percent(each["accuracy"]))
             for each in record["bins"]]
    yield from table(rows, right=range(3))


def summary_report(grading: Grading) -> Iterator[str]:
    """The table of scores, then each comparison in words."""
    yield from _one(grading.grades[0]) if len(grading.grades) == 1 else _side_by_side(grading.grades)
    yield (f"Intervals: 95 %, bootstrap over {grading.sentences:,} sentences ({grading.resamples:,} resamples, "
           f"seed {grading.seed})" + ("; Wilson's takes tokens as independent." if len(grading.grades) == 1 else "."))
    if grading.sentences < 30:
        yield f"{grading.sentences} sentences are few for a bootstrap: its intervals are too narrow."
    for each in grading.comparisons:
        yield ""
        yield from verdict(each, grading)


def _one(grade: Grade) -> list[str]:
    rows = [("", "score", "95% interval", "Wilson")]
    for name, measure in grade.measures.items():
        score = str(measure.score) if measure.score else _macro(grade)
        rows.append((LABELS[name], score, span(measure.bootstrap), span(measure.wilson)))
    return table(rows)


def _macro(grade: Grade) -> str:
    return f"{grade.measures['macro_f1'].value:.2%} ({sum(s.support > 0 for s in grade.tags.values())} tags)"


def _side_by_side(grades: list[Grade]) -> list[str]:
    rows = [("", *(each.name for each in grades))]
    for name in grades[0].measures:
        rows.append((LABELS[name], *(_cell(each, name) for each in grades)))
    return table(rows)


def _cell(grade: Grade, name: str) -> str:
    measure = grade.measures[name]
    if measure.value != measure.value:
        return "none"
    return f"{measure.value:.2%} [{span(measure.bootstrap)}]"


def verdict(c: Comparison, grading: Grading) -> Iterator[str]:
    """What a comparison says, in words."""
    m = c.mcnemar
    yield (f"{c.second} against {c.first}: {100 * c.difference:+.2f} points (95% interval "
           f"{100 * c.interval.low:+.2f} to {100 * c.interval.high:+.2f})")
    adjusted = (f", {probability(c.p_adjusted, 2 / (grading.resamples + 1))} after Holm for "
                f"{len(grading.comparisons)} comparisons" if len(grading.comparisons) > 1 else "")
    yield f"  paired bootstrap over sentences: {probability(c.p, 2 / (grading.resamples + 1))}{adjusted}"
    yield (f"  McNemar, {'exact' if m.exact else 'chi-square'}: {probability(m.p)}; {m.only_second} tokens right in "
           f"{c.second} alone, {m.only_first} in {c.first} alone")
    if c.significant:
        better = c.second if c.difference > 0 else c.first
        yield f"  The difference is more than chance: {better} is better on text like this."
        return
    half = 50 * (c.interval.high - c.interval.low)
    yield ("  The difference could be chance." if c.difference else "  No difference.") + (
        f" On these sentences, less than about {half:.2f} points cannot be told from it." if half else "")
    if m.p < 0.05:
        yield "  (McNemar's test takes tokens as independent, which those of a sentence are not.)"


if __name__ == "__main__":
    main()
