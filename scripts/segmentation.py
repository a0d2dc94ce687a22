"""Measure segmenters, from raw text to sentences and words.

    python scripts/segmentation.py ud TRAIN.conllu DEV.conllu [--seeds 3] [--rules] [OPTION...]
    python scripts/segmentation.py tags MODEL DEV.conllu
    python scripts/segmentation.py words CORPUS [--seeds 3] [--crf] [OPTION...]
    python scripts/segmentation.py memory MODEL [--megabytes 100] [--kind KIND...]

ud      trains on TRAIN, segments the raw text of DEV (paragraphs, blank lines between them) and grades the answer
        with udeval of the package udtools; with --rules also tokens by white space and punctuation
tags    the same for the answer of a tagger with a segmenter, and for its columns
words   10-fold cross-validation on segmented text, a sentence a line; with --crf also python-crfsuite with the
        characters and their types in a window of 2, and their 1- to 3-grams
memory  segments paragraphs, one line, a line without a sentence end, one without a space, and words that are always
        new, of 10 MB and of this size, and prints the peak memory of each

OPTION are those of train-segmenter, such as --members 3 --epochs 16 --gram-dropout 0.1. Figures are means over the
seeds, with the standard deviation; CPU seconds are of the process.
"""

from __future__ import annotations

import io
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402

from rnntag.cli import training  # noqa: E402
from rnntag.cli.common import Command  # noqa: E402
from rnntag.corpus.columns import Conllu  # noqa: E402
from rnntag.corpus.segmented import Paragraph, Segmented, paragraphs  # noqa: E402
from rnntag.evaluation.segmentation import Spans  # noqa: E402
from rnntag.models.segmenter import SegmenterOptions  # noqa: E402
from rnntag.processes import Pool  # noqa: E402
from rnntag.storage.modelfile import load  # noqa: E402
from rnntag.text.places import character_type  # noqa: E402
from rnntag.training.segmenting import segmentation, train_segmenter  # noqa: E402

MEASURES = ("Tokens", "Sentences", "Words")
COLUMNS = ("UPOS", "XPOS", "UFeats", "AllTags", "Lemmas")  # and their measures
RULE = re.compile(r"\d+(?:[.,:]\d+)*|\w+|[^\w\s]")  # tokens
UNITS = {"paragraphs": "The dog barked at Mr. Smith, who didn't run. Why not?\n\n",
         "one line": "The dog barked at Mr. Smith, who didn't run. Why not? ",
         "no sentence end": "the dog and the cat and ", "no space": "x",
         "new words": "Dog {} barked.\n\n"}  # of texts that are long; {}: a number
STOP = re.compile(r"[.!?\u2026]['\")\]\u201d\u00bb]*(?=\s)")  # where sentences end

seeds_option = click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, metavar="N")
own_options = training.options_of(SegmenterOptions, without=["seed"])


def cpu() -> float:
    """The CPU seconds of this process."""
    return time.process_time()


def line(name: str, runs: Sequence[Sequence[float]]) -> str:
    """Mean and standard deviation of each column."""
    cells = [f"{statistics.mean(column):11,.2f} ({statistics.stdev(column) if len(column) > 1 else 0:.2f})"
             for column in zip(*runs)]
    return f"{name:12}" + "".join(f"{cell:>20}" for cell in cells)


@click.group()
def main() -> None:
    """Measure segmenters."""


# ------------------------------------------------------------------ Universal Dependencies


@main.command(cls=Command)
@click.argument("train")
@click.argument("dev")
@seeds_option
@click.option("--rules", is_flag=True)
@own_options
def ud(train: str, dev: str, seeds: int, rules: bool, **changes: Any) -> None:
    """Tokens, sentences and words of raw text, graded by udeval."""
    text = raw(dev)
    header(*MEASURES, "training CPU s", "words/CPU s")
    if rules:
        began = cpu()
        sentences = list(by_rules(text))
        spent = cpu() - began
        print(line("rules", [[*graded(dev, sentences), 0, sum(map(len, sentences)) / spent]]))
    runs = []
    for seed in range(1, seeds + 1):
        options = SegmenterOptions(**training.given(changes), seed=seed)
        began = cpu()
        segmenter = train_segmenter(list(paragraphs(train)), options)
        spent = cpu() - began
        runs.append([*graded(dev, list(segmenter.read(text))), spent, speed(segmenter, text)])
        print(line(f"seed {seed}", runs[-1:]), flush=True)
    print(line("mean", runs))


@main.command(cls=Command)
@click.argument("model")
@click.argument("dev")
def tags(model: str, dev: str) -> None:
    """The columns of raw text, graded by udeval."""
    tagger = load(model)
    header(*MEASURES, *COLUMNS)
    print(line("", [graded(dev, list(tagger.read(raw(dev))), (*MEASURES, *COLUMNS))]))


def header(*names: str) -> None:
    """The names of the columns of ``line``."""
    print(f"{'':12}" + "".join(f"{name:>20}" for name in names))


def raw(corpus: str) -> str:
    """The text of a corpus: its paragraphs, blank lines between them."""
    return "\n\n".join(paragraph.text for paragraph in paragraphs(corpus)) + "\n"


def graded(gold: str, sentences: list[Segmented], measures: Sequence[str] = MEASURES) -> list[float]:
    """F1 of each measure, in percent."""
    from udtools import udeval

    for sentence in sentences:
        sentence.prepare("conllu")
    answer = "".join(map(Conllu().write, sentences))
    known, found = (udeval.load_conllu(io.StringIO(hung(text)), name, {}) for name, text in (
        (gold, Path(gold).read_text("utf-8")), ("answer", answer)))
    scores = udeval.evaluate(known, found)
    return [100 * scores[name].f1 for name in measures]


def hung(conllu: str) -> str:
    """CoNLL-U without syntax of its own, since udeval wants some: all words hang from the first; no empty nodes."""
    rows = []
    for row in conllu.split("\n"):
        cells = row.split("\t")
        if len(cells) == 10 and "." in cells[0]:
            continue
        if len(cells) == 10 and cells[0].isdigit():
            cells[6:9] = ["0", "root", "_"] if cells[0] == "1" else ["1", "dep", "_"]
        rows.append("\t".join(cells))
    return "\n".join(rows)


def speed(segmenter: Any, text: str, least: float = 2.0) -> float:
    """Words a CPU second of ``rnntag segment``, from bytes to CoNLL-U, for at least some seconds."""
    from rnntag.corpus.rawtext import characters

    words, began, writer = 0, cpu(), Conllu()
    while cpu() - began < least:
        for sentence in segmenter.read(characters(io.BytesIO(20 * text.encode()), "text")):
            sentence.prepare("conllu")
            writer.write(sentence).encode()
            words += len(sentence)
    return words / (cpu() - began)


def by_rules(text: str) -> Iterator[Segmented]:
    """Tokens are words, numbers and single signs; sentences end after . ! ? and at the end of a paragraph."""
    for part in re.finditer(r"(?s).+?(?:\n\n|$)", text):
        begin = part.start()
        for stop in [*(found.end() for found in STOP.finditer(text, *part.span())), part.end()]:
            places = [found.span() for found in RULE.finditer(text, begin, stop)]
            spaces = [text[a:b] for (_, a), (b, _) in zip(places, [*places[1:], (stop, stop)])]
            if places:
                spaces[-1] += text[stop:stop + 1] if text[stop:stop + 1] == " " else ""
                yield Segmented([text[a:b] for a, b in places], places, spaces)
            begin = stop


# ------------------------------------------------------------------ segmented text


@main.command(cls=Command)
@click.argument("corpus")
@seeds_option
@click.option("--crf", is_flag=True)
@own_options
def words(corpus: str, seeds: int, crf: bool, **changes: Any) -> None:
    """F1 of the words of segmented text, by cross-validation."""
    sentences = [part for paragraph in paragraphs(corpus, "tokens") for part in paragraph.parts(1)]
    tenth = -(-len(sentences) // 10)
    tests = [range(i, min(i + tenth, len(sentences))) for i in range(0, len(sentences), tenth)]
    header("F1 of all folds", "F1 of the last", "CPU s a fold")
    ways: list[tuple[str, Callable[..., Any]]] = [("crfsuite", by_crf)] if crf else []
    ways += [(f"seed {seed}", by_segmenter(SegmenterOptions(**training.given(changes), seed=seed)))
             for seed in range(1, seeds + 1)]
    runs = []
    for name, way in ways:
        total, began, last = Spans(), cpu(), 0.0
        for test in tests:
            found = way([sentences[i] for i in sorted(set(range(len(sentences))) - set(test))],
                        [sentences[i] for i in test])
            last = found.f1
            for key in ("known", "found", "right"):
                setattr(total, key, getattr(total, key) + getattr(found, key))
        row = [100 * total.f1, 100 * last, (cpu() - began) / len(tests)]
        runs += [row] if name != "crfsuite" else []
        print(line(name, [row]), flush=True)
    print(line("mean", runs))


def by_segmenter(options: SegmenterOptions) -> Callable[[list[Paragraph], list[Paragraph]], Spans]:
    """Train a segmenter, and count the tokens that it finds."""
    return lambda train, test: segmentation(train_segmenter(train, options), test)[0]


def by_crf(train: list[Paragraph], test: list[Paragraph]) -> Spans:
    """The same with python-crfsuite (c1 0.1, c2 0.01)."""
    import pycrfsuite

    trainer, tagger, spans = pycrfsuite.Trainer(verbose=False), pycrfsuite.Tagger(), Spans()
    for paragraph in train:
        ends = {end for _, end in paragraph.tokens}
        trainer.append(crf_features(paragraph.text), ["IE"[i in ends] for i in range(1, len(paragraph.text) + 1)])
    trainer.set_params({"c1": 0.1, "c2": 0.01})
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(f"{folder}/model")
        tagger.open(f"{folder}/model")
        for paragraph in test:
            labels = tagger.tag(crf_features(paragraph.text))
            ends = sorted({i for i, label in enumerate(labels, 1) if label == "E"} | {len(labels)})
            spans.count(paragraph.tokens, zip([0, *ends], ends))
        tagger.close()
    return spans


def crf_features(text: str) -> list[list[str]]:
    """For each character the 1- to 3-grams of characters and of their types that are within 2 of it."""
    kinds = [["#", "#", *text, "#", "#"], ["#", "#", *map(character_type, text), "#", "#"]]
    return [[f"{kind}{a}:{n}={'|'.join(kinds[kind][i + a:i + a + n])}" for kind in (0, 1) for n in (1, 2, 3)
             for a in range(6 - n)] for i in range(len(text))]


# ------------------------------------------------------------------ memory


@main.command(cls=Command)
@click.argument("model")
@click.option("--kind", "kinds", type=click.Choice(list(UNITS)), multiple=True, default=list(UNITS))
@click.option("--megabytes", type=click.IntRange(1), default=100, show_default=True)
@click.option("--first", type=click.IntRange(1), default=10, show_default=True, help="Megabytes of a short text.")
def memory(model: str, kinds: Sequence[str], megabytes: int, first: int) -> None:
    """Peak memory over texts of different kinds, each in a process of its own."""
    for task in ((kind, size) for kind in kinds for size in (first, megabytes)):
        with Pool(1, "a segmenting process", load, model) as pool:
            ((count, spent, peak),) = pool.map(segmented, [task], 1)
        print("{:16} {:6,} MB".format(*task), f"{count / spent:10,.0f} words/CPU s {peak / 1024:6,.0f} MB at most",
              flush=True)


def segmented(segmenter: Any, task: tuple[str, int]) -> tuple[int, float, int]:
    """Words, CPU seconds and peak memory in KB of a text of a kind."""
    kind, size = task
    began, words = cpu(), sum(len(sentence) for sentence in segmenter.read(blocks(kind, size * 1_000_000)))
    return words, cpu() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def blocks(kind: str, size: int) -> Iterable[str]:
    """Text of about this many characters, in blocks."""
    unit = UNITS[kind]
    count = 65_536 // len(unit)
    for start in range(0, size // len(unit), count):
        yield "".join(map(unit.format, range(start, start + count))) if "{}" in unit else unit * count


if __name__ == "__main__":
    main()
