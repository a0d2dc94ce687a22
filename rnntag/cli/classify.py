"""``rnntag classify``: label texts with a trained classifier."""

from __future__ import annotations

from itertools import tee
from typing import Any

import click

from ..corpus.labelled import LABELLED
from ..files import STANDARD
from . import common


@click.command("classify", cls=common.Command)
@click.argument("model")
@click.argument("source", default=STANDARD, metavar="[INPUT]")
@click.option("--probabilities", is_flag=True, help="Write the probability of each label too: label TAB probability, "
              "the most probable first, or an object in jsonl.")
@common.output
@common.format_option(None, ["text", *LABELLED], what="Format of INPUT; labels in it are ignored",
                      shown="as its name or its first line shows")
@common.format_option("labels", ["labels", *LABELLED], name="--output-format", what="Format of the output")
@common.force
def main(model: str, source: str, probabilities: bool, output: str, format: str | None, output_format: str,
         force: bool) -> None:
    """Label the texts of INPUT with the classifier in the folder MODEL.

    A line of INPUT is a text, or a text with a label as for train-classifier. The output has a line for each: its
    label, or with --output-format the text too. A blank line stays blank.
    """
    from ..corpus.labelled import read_labelled, write_labelled
    from ..errors import OptionError
    from ..files import open_output
    from ..storage.modelfile import load

    if probabilities and output_format not in ("labels", "jsonl"):
        raise OptionError(output_format, "probabilities are written as labels or jsonl", place="--output-format")
    classifier: Any = load(model, "classifier")
    names = classifier.labels.strings[1:]
    with open_output(output, force=force) as target:
        kept, ahead = tee(read_labelled(source, format))
        answers = classifier.probabilities(text.words for text in ahead if not text.blank)
        for text in kept:
            line = "\n"
            if not text.blank:
                ranked = sorted(zip(next(answers).p.tolist(), names), key=lambda pair: -pair[0])
                text.label = ranked[0][1]
                if probabilities and output_format == "jsonl":
                    text.values = (text.values or {"text": " ".join(text.words)}) | {
                        "probabilities": {name: round(p, 6) for p, name in ranked}}
                line = write_labelled(text, output_format)
                if probabilities and output_format == "labels":
                    line = "\t".join(f"{name}\t{p:.6f}" for p, name in ranked) + "\n"
            target.write(line.encode())


if __name__ == "__main__":
    main()
