"""``grade-pos``: grade answers against reference tags, and compare answers with each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..corpus import Layout
from ..errors import plural
from . import common
from .answers import TOGETHER, Answer, answers_arguments, answers_options, read_answers, training_corpus
from .table import json_text, percent, probability, short_names, span, table, text

if TYPE_CHECKING:
    from ..evaluation import Pair
    from ..evaluation.grading import Comparison, Grade, Grading

LABELS = {"tokens": "Tokens", "sentences": "Sentences", "known": "Known words", "unknown": "Unknown words",
          "ambiguous": "Ambiguous words", "macro_f1": "Macro-F1"}


@click.command("grade-pos", cls=common.Command)
@answers_arguments
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
@click.option("--json", "as_json", is_flag=True,
              help="Write all of it as one JSON object instead, shares from 0 to 1.")
@answers_options
def main(reference: str, answers: tuple[str, ...], summary: bool, train: str | None, per_tag: bool, calibration: bool,
         errors: int, examples: int, tag_map: str | None, resamples: int, seed: int, as_json: bool,
         **how: Any) -> None:
    """Compare the tags of each ANSWER with those of REFERENCE.

    All are tagged text, or a sentence a line of tags alone; one of them may be -, standard input.
    Two ANSWERs or more are also compared with each other: is the difference more than chance?
    Intervals and that verdict come from a bootstrap over sentences.

    Several columns of CoNLL-U or jsonl (--field) are graded one by one. alltags counts the tokens that are right in
    UPOS, XPOS and FEATS, all those whose lemma is right, too; what REFERENCE lacks is not asked for.
    """
    from ..files import STANDARD, open_output, shown

    common.read_once(reference, *answers, train, tag_map)
    if as_json:
        common.refuse("with --json", "errors", "examples")
    elif not (summary or train is not None or len(answers) > 1):
        common.refuse("without --summary", "resamples", "seed")
    layout = Layout(**how)
    training = training_corpus(train, layout)
    read = read_answers(reference, answers, layout, tag_map)
    calibrations = calibrated(read) if calibration else {}
    gradings = {}
    if summary or training or as_json or len(answers) > 1:
        from ..evaluation.grading import Knowledge, grade
        names = short_names([answer.name for answer in read])
        known = Knowledge.of(training) if training else None
        gradings = {column: grade([(name, answer.columns[column]) for name, answer in zip(names, read)], known,
                                  resamples, seed) for column in read[0].columns}
    with open_output(STANDARD) as target:
        if as_json:
            records = {column: grading.to_dict() | ({"calibration": calibrations[column]} if column in calibrations
                                                    else {}) for column, grading in gradings.items()}
            alone = len(records) == 1
            target.write(json_text({"reference": shown(reference),
                                    **(next(iter(records.values())) if alone else {"columns": records})}))
            return
        lines: list[str] = []
        if len(read[0].columns) > 1:
            lines += columns_report(read)
        for column in read[0].columns:
            for number, answer in enumerate(read):
                title = ", ".join([column] * (len(read[0].columns) > 1) + [answer.name] * (len(read) > 1))
                lines += [*[""] * bool(lines), *[f"{title}:"] * bool(title)]
                lines += mistakes_report(answer.columns[column], errors * (column not in TOGETHER), examples)
                if per_tag and column not in TOGETHER:
                    lines += ["", *tag_report(answer.columns[column])]
                if column in calibrations:
                    lines += ["", *calibration_report(calibrations[column][number])]
            if column in gradings:
                lines += ["", *summary_report(gradings[column])]
        target.write(text(lines))


def calibrated(read: Sequence[Answer]) -> dict[str, list[dict[str, Any]]]:
    """The calibration of each answer, for the columns that have one."""
    from ..evaluation import breakdown
    return {column: [breakdown.calibration(answer.columns[column], answer.name) for answer in read]
            for column in read[0].columns if column not in TOGETHER}


# ------------------------------------------------------------------ text


def columns_report(read: Sequence[Answer]) -> list[str]:
    """The accuracy of each answer in each column."""
    from ..evaluation import accuracy
    head = ("Accuracy", *(short_names([answer.name for answer in read])))
    return table([head, *((column, *(str(accuracy(answer.columns[column])) for answer in read))
                          for column in read[0].columns)])


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
        for place in places.get((right, given), []):
            yield (f"    line {place.line}, token {place.token}: "
                   f"{' '.join([*place.before, f'[{place.word}]', *place.after])}")


def tag_report(pairs: list[Pair]) -> list[str]:
    """A line for each tag, the most frequent first."""
    from ..evaluation import confusion, tag_scores

    rows = [("Tag", "support", "answered", "precision", "recall", "F1")]
    rows += [(tag, str(s.support), str(s.answered), percent(s.precision) if s.answered else "-",
              percent(s.recall) if s.support else "-", percent(s.f1))
             for tag, s in tag_scores(confusion(pairs)).items()]
    return table(rows, right=range(1, 6))


def calibration_report(record: dict[str, Any]) -> Iterator[str]:
    """The calibration of an answer as text."""
    yield (f"Expected calibration error: {record['expected_calibration_error']:.2%} (mean probability "
           f"{record['mean_probability']:.2%}, accuracy {record['accuracy']:.2%})")
    rows = [("Tokens", "mean probability", "accuracy")]
    rows += [(f"{bin['tokens']:,}", percent(bin["probability"]), percent(bin["accuracy"])) for bin in record["bins"]]
    yield from table(rows, right=range(3))


def summary_report(grading: Grading, verdicts: bool = True) -> Iterator[str]:
    """The table of scores, then (``verdicts``) the comparisons in words."""
    yield from _one(grading.grades[0]) if len(grading.grades) == 1 else _side_by_side(grading.grades)
    yield (f"Intervals: 95 %, bootstrap over {plural(grading.sentences, 'sentence')} "
           f"({grading.resamples:,} resamples, seed {grading.seed})"
           + ("; Wilson's takes tokens as independent." if len(grading.grades) == 1 else "."))
    if grading.sentences < 30:
        yield "These are few sentences for a bootstrap: its intervals are too narrow."
    for comparison in grading.comparisons if verdicts else ():
        yield ""
        yield from verdict(comparison, grading)


def _one(grade: Grade) -> list[str]:
    rows = [("", "score", "95% interval", "Wilson")]
    for name, measure in grade.measures.items():
        score = str(measure.score) if measure.score else _macro(grade)
        rows.append((LABELS[name], score, span(measure.bootstrap), span(measure.wilson)))
    return table(rows)


def _macro(grade: Grade) -> str:
    return f"{grade.measures['macro_f1'].value:.2%} ({sum(s.support > 0 for s in grade.tags.values())} tags)"


def _side_by_side(grades: list[Grade]) -> list[str]:
    rows = [("", *(grade.name for grade in grades))]
    for name in grades[0].measures:
        rows.append((LABELS[name], *(_cell(grade, name) for grade in grades)))
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
