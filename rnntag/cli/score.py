"""``rnntag score``: how probable a language model finds a text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import tee
from typing import Any

import click

from ..corpus import FORMATS, TO_TAG, Layout, Sentence
from ..files import STANDARD
from . import common
from .table import json_text, table, text


@click.command("score", cls=common.Command)
@click.argument("model")
@click.argument("source", default=STANDARD, metavar="[INPUT]")
@click.option("--surprisal", type=click.Choice(["vertical", "jsonl"]), help="Write the surprisal of each word in "
              "bits, - log2 P, in this format; the summary goes to standard error (default: the summary alone).")
@click.option("--alone", is_flag=True, help="Read each sentence as if it were the first (default: after those before "
              "it).")
@click.option("--json", "as_json", is_flag=True, help="Write the summary as a JSON object.")
@common.output
@common.corpus_options(TO_TAG, what="Format of INPUT")
@common.force
def main(model: str, source: str, surprisal: str | None, alone: bool, as_json: bool, output: str, layout: Layout,
         force: bool) -> None:
    """Show how probable the words of INPUT are to the language model in the folder MODEL.

    The perplexity is exp of the mean - log P of what is predicted: the words (or characters) and the ends of
    sentences. Words that MODEL does not know count as one word, so texts can be compared by models of one
    vocabulary only. A word's surprisal is, where MODEL predicts characters, that of its characters and of the space
    after it.
    """
    from ..corpus import open_corpus
    from ..errors import CorpusError
    from ..files import open_output, shown
    from ..storage.modelfile import load
    language: Any = load(model, "lm")
    with open_corpus(source, layout, TO_TAG, want="words") as (_, sentences), \
            open_output(output, force=force) as target:
        totals = Totals(language.options.unit, len(language.units))
        kept, ahead = tee(sentences)
        scores = language.score((one.words for one in ahead if one.words), alone)
        for sentence in kept:
            if sentence.words:
                scored = next(scores)
                totals.add(sentence, scored)
            if surprisal:
                bits = [_bits(log) for log in scored.logs] if sentence.words else []
                target.write(_written(surprisal, sentence, bits, source).encode())
        if not totals.sentences:
            raise CorpusError("no sentences", "at least one is needed", place=shown(source))
        summary = json_text(totals.record()) if as_json else text(list(totals.lines()))
        if not surprisal:
            target.write(summary)
    if surprisal:
        click.echo(summary.decode(), err=True, nl=False)


def _bits(log: float) -> float:
    return max(0.0, -log / math.log(2))


def _written(format: str, sentence: Sentence, bits: list[float], source: str) -> str:
    """A sentence with the surprisal of its words, and in jsonl also that of its end."""
    from .tagging import written

    if format == "jsonl":
        values = [round(value, 4) for value in bits]
        record = {"tokens": sentence.words, "surprisal": values[:-1], **({"end": values[-1]} if values else {})}
        return json.dumps(record, ensure_ascii=False) + "\n"
    cells = Sentence(sentence.words, [f"{value:.4f}" for value in bits[:-1]], sentence.line)
    return written(FORMATS["vertical"](), cells, source)


class Totals:
    """Sums over a text, and what follows from them."""

    def __init__(self, unit: str, vocabulary: int):
        self.unit, self.vocabulary = unit, vocabulary
        self.sentences = self.words = self.characters = self.units = self.unknown = 0
        self.log = 0.0

    def add(self, sentence: Sentence, scored: Any) -> None:
        """One more sentence."""
        self.sentences, self.words = self.sentences + 1, self.words + len(sentence)
        self.characters += sum(map(len, sentence.words)) + len(sentence)  # with spaces and line ends
        self.units, self.unknown = self.units + scored.units, self.unknown + scored.unknown
        self.log += float(scored.logs.sum())

    def record(self) -> dict[str, Any]:
        """Everything by name."""
        return {"unit": self.unit, "vocabulary": self.vocabulary, "sentences": self.sentences, "tokens": self.words,
                "characters": self.characters, "predicted": self.units, "unknown": self.unknown,
                "log_probability": self.log, "perplexity": math.exp(min(700, -self.log / self.units)),
                "bits_per_character": -self.log / math.log(2) / self.characters}

    def lines(self) -> Iterator[str]:
        """The same for people."""
        values = self.record()
        kind = "words" if self.unit == "word" else "characters"
        yield from table([
            ("sentences", f"{self.sentences:,}", ""),
            ("tokens", f"{self.words:,}", ""),
            ("predicted", f"{self.units:,}", f"{kind}, with the ends of sentences"),
            ("unknown", f"{self.unknown:,}", f"of these, counted as one of the {self.vocabulary:,} that are known"),
            ("log-probability", f"{self.log:,.2f}", "nats"),
            ("perplexity", f"{values['perplexity']:,.2f}", f"of {kind}"),
            ("bits per character", f"{values['bits_per_character']:.4f}",
             "with spaces and line ends" + (", without the spelling of unknown words" if self.unknown else "")),
        ], right=[1])


if __name__ == "__main__":
    main()
