"""``rnntag generate``: text that a language model finds probable."""

from __future__ import annotations

from typing import Any

import click

from . import common


@click.command("generate", cls=common.Command)
@click.argument("model")
@click.option("--temperature", type=click.FloatRange(0, 100), default=1.0, show_default=True, metavar="T",
              help="Scores are divided by it: lower is safer, higher is bolder; 0: always the most probable.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, metavar="N",
              help="Seed of the random generator.")
@click.option("--prefix", default="", metavar="TEXT", help="How the first sentence begins, tokens separated by "
              "single spaces (default: nothing).")
@click.option("--sentences", type=click.IntRange(1), default=5, show_default=True, metavar="N",
              help="How many sentences.")
@click.option("--longest", type=click.IntRange(1), default=1000, show_default=True, metavar="N",
              help="A sentence ends after so many words (or characters).")
@common.output
@common.force
def main(model: str, temperature: float, seed: int, prefix: str, sentences: int, longest: int, output: str,
         force: bool) -> None:
    """Write text drawn from the language model in the folder MODEL, a sentence a line.

    Each word (or character) is drawn with the probability that MODEL gives it after all before it; the unknown word
    is never drawn.
    """
    import numpy as np

    from ..errors import OptionError
    from ..files import open_output
    from ..storage.modelfile import load

    if "\n" in prefix or "\r" in prefix:
        raise OptionError("a line end", "it is the beginning of one sentence", place="--prefix")
    if temperature == 0:
        common.refuse("with --temperature 0", "seed")
    language: Any = load(model, "lm")
    space = " " if language.options.unit == "word" else ""
    with open_output(output, force=force) as target:
        text = prefix.strip(" ") if space else prefix
        for unit in language.generate(np.random.default_rng(seed), temperature, text, longest):
            if unit == "\n":
                target.write((text + "\n").encode())
                target.flush()
                text, sentences = "", sentences - 1
                if not sentences:
                    return
            else:
                text += (space if text else "") + unit


if __name__ == "__main__":
    main()
