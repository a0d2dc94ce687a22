"""``rnntag report``: answers graded and compared, with figures, as one HTML page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...corpus import Layout
from ...errors import plural
from .. import common
from ..answers import TOGETHER, answers_arguments, answers_options, read_answers, training_corpus
from ..grade_pos import LABELS, verdict
from ..table import percent, short_names, span

if TYPE_CHECKING:
    from ...evaluation import Pair
    from ...evaluation.grading import Grading


@click.command("report", cls=common.Command)
@answers_arguments
@common.output
@click.option("--train", metavar="FILE", help="The tagged corpus that the taggers were trained on: show known, "
              "unknown and ambiguous words, and accuracy by word frequency (default: none).")
@click.option("--log", "logs", multiple=True, metavar="MODEL", help="A model folder, or its log.jsonl: show loss and "
              "dev accuracy by epoch; repeatable (default: none).")
@click.option("--sentences", "worst_count", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
              help="How many of the worst sentences to show of each answer.")
@click.option("--annotation", metavar="URL", help="Where rnntag annotate serves REFERENCE: the worst sentences are "
              "links to it (default: no links).")
@answers_options
@common.force
def main(reference: str, answers: tuple[str, ...], output: str, train: str | None, logs: tuple[str, ...],
         worst_count: int, annotation: str | None, tag_map: str | None, resamples: int, seed: int, force: bool,
         **how: Any) -> None:
    """Write a page about how well each ANSWER has the tags of REFERENCE (extra: plot).

    One HTML file without scripts, for any browser, in the light or dark scheme that it asks for. An
    ANSWER with probabilities (test-rnn --probabilities) gets a reliability diagram.
    """
    from ...errors import OptionError, quote
    from ...evaluation.grading import Knowledge, grade
    from ...files import open_output, shown
    from . import figures, page

    common.read_once(reference, *answers, train, tag_map)
    if annotation is not None and not re.fullmatch(r"https?://[^\s#]+", annotation):
        raise OptionError(quote(annotation), "it is an address such as http://127.0.0.1:8601/, without #",
                          place="--annotation")
    figures.figure()  # a missing matplotlib shows before any work
    with open_output(output, force=force) as target:
        layout = Layout(**how)
        training = training_corpus(train, layout)
        names = short_names([shown(answer) for answer in answers])
        if len(set(names)) < len(names):
            raise OptionError("an answer is given twice", "each is named once", place="ANSWER")
        read = dict(zip(names, read_answers(reference, answers, layout, tag_map)))
        known = Knowledge.of(training) if training else None
        counts = Counter(word for sentence in training for word in sentence.words)
        columns = list(read[names[0]].columns)
        gradings = {column: grade([(name, read[name].columns[column]) for name in names], known, resamples, seed)
                    for column in columns}
        parts = list(overview_of_columns(gradings)) if len(columns) > 1 else []
        for number, (column, grading) in enumerate(gradings.items()):
            paired, of = {name: read[name].columns[column] for name in names}, f" of {column}" * (len(columns) > 1)
            parts += [*overview(grading, of), *([] if column in TOGETHER else breakdowns(paired, counts, of)),
                      *([] if number else curves(logs)), *(
                          part for grade in grading.grades if column not in TOGETHER
                          for part in details(grade, paired[grade.name], worst_count, of, annotation))]
        title = f"{', '.join(names)}: tags compared with {Path(shown(reference)).name}"
        target.write(page.page(title, parts).encode("utf-8", "backslashreplace"))


# ------------------------------------------------------------------ the parts of the page


def overview_of_columns(gradings: dict[str, Grading]) -> Iterator[str]:
    """The accuracy of each answer in each column."""
    from . import page
    head = ["", *(grade.name for grade in next(iter(gradings.values())).grades)]
    rows = [(column, *(_cell(grade.measures["tokens"]) for grade in grading.grades))
            for column, grading in gradings.items()]
    yield page.section("Columns", page.table(head, rows), page.paragraph(
        "alltags: UPOS, XPOS and FEATS are right; all: the lemma, too.", soft=True))


def overview(grading: Grading, of: str = "") -> Iterator[str]:
    """The table of scores, the intervals as a figure, and the comparisons in words; ``of`` follows the titles."""
    from . import figures, page
    grades = grading.grades
    measures = grades[0].measures
    head = ["", *(grade.name for grade in grades)]
    rows = [(LABELS[name], *(_cell(grade.measures[name]) for grade in grades)) for name in measures]
    cells = {LABELS[name]: [(grade.measures[name].value, grade.measures[name].bootstrap) for grade in grades]
             for name in measures}
    shown = {label: row for label, row in cells.items() if any(value == value for value, _ in row)}
    yield page.section(
        f"Scores{of}", page.table(head, rows), page.paragraph(
            f"{plural(grading.sentences, 'sentence')}, {plural(grading.tokens, 'token')}"
            + (f", without {grading.left_out:,} that have no tag in the reference" if grading.left_out else "")
            + ". Below each score its 95 % interval "
            f"(bootstrap over sentences, {grading.resamples:,} resamples, seed {grading.seed}) and right/all.",
            soft=True),
        page.picture(figures.intervals(shown, [grade.name for grade in grades]), "The scores with their intervals."))
    if grading.comparisons:
        parts = []
        for comparison in grading.comparisons:
            first, *rest = verdict(comparison, grading)
            parts += [f"<h3>{page.escape(first)}</h3>", *(page.paragraph(line.strip()) for line in rest)]
        yield page.section(f"Is the difference{of} more than chance?", *parts)


def _cell(measure: Any) -> str:
    if measure.value != measure.value:
        return "none"
    counts = f"\n{measure.score.correct}/{measure.score.total}" if measure.score else ""
    return f"{percent(measure.value)} %\n{span(measure.bootstrap)}{counts}"


def breakdowns(paired: dict[str, list[Pair]], counts: Counter[str], of: str = "") -> Iterator[str]:
    """Accuracy by word frequency, sentence length and confidence."""
    from ...evaluation import breakdown
    from . import figures, page
    bars = "Bars are 95 % intervals of Wilson."
    if counts:
        classes = {name: breakdown.by_frequency(pairs, counts) for name, pairs in paired.items()}
        yield page.section(f"By word frequency{of}", page.picture(
            figures.classes(classes, "occurrences of the word in training"), f"0: unknown words. {bars}"))
    classes = {name: breakdown.by_length(pairs) for name, pairs in paired.items()}
    yield page.section(f"By sentence length{of}", page.picture(
        figures.classes(classes, "tokens in the sentence"), bars))
    bins = {name: breakdown.reliability(pairs) for name, pairs in paired.items() if breakdown.confident(pairs)}
    if bins:
        errors = "; ".join(f"{name}: {percent(breakdown.calibration_error(parts))} %" for name, parts in bins.items())
        yield page.section(f"Does it know when it is right?{of}", page.picture(
            figures.reliability(bins), f"Below the dashed line a tagger is surer than it should be. {bars} Expected "
            f"calibration error: {errors}."))


def curves(paths: Sequence[str]) -> Iterator[str]:
    """Loss and dev accuracy by epoch, of the logs that have epochs."""
    from ...storage.logs import read_log
    from . import figures, page
    names = short_names([_model(path) for path in paths])
    logs = {name: log for name, log in zip(names, map(read_log, paths)) if log}
    if logs:
        yield page.section("Training", page.picture(figures.training(logs), "From the logs of the models."))


def _model(path: str) -> str:
    """The name of a log: that of its folder."""
    return str(Path(path).parent) if Path(path).name == "log.jsonl" and Path(path).parent.name else path


def details(grade: Any, pairs: list[Pair], worst_count: int, of: str = "",
            annotation: str | None = None) -> Iterator[str]:
    """Mistakes, confusion, scores by tag and the worst sentences of one answer."""
    from ...evaluation import breakdown
    from . import page
    parts = ["<h3>Most common mistakes</h3>", page.mistakes_table(grade.confusion, 10),
             "<h3>Confusion</h3>", page.heat_map(grade.confusion),
             page.paragraph("Rows are right tags, columns answered ones; the stronger the shade, the larger the "
                            "share of the right tag that went there.", soft=True),
             page.folded(f"Scores of all {len(grade.tags)} tags", page.tags_table(grade.tags))]
    worst = breakdown.worst(pairs, worst_count)
    if worst:
        parts += ["<h3>Worst sentences</h3>", page.paragraph(
            "Marked: the answered tag struck through, then the right one.", soft=True),
            *(page.marked(pair, annotation) for pair in worst)]
    yield page.section(grade.name + of, *parts)
