"""``rnntag train-lm``: train a language model on text."""

from __future__ import annotations

from typing import Any

import click

from ..corpus import TO_TAG, Layout
from ..files import check_free
from ..models.language_model import LanguageOptions
from . import common, training


@click.command("train-lm", cls=common.Command)
@click.argument("text")
@click.argument("model")
@training.dev_options("Text")
@training.run_options
@common.corpus_options(TO_TAG, what="Format of TEXT")
@common.force
@common.quiet
@training.options_of(LanguageOptions)
def main(text: str, model: str, dev: str | None, dev_fraction: float, keep: str | None, resume: bool,
         checkpoint_every: float, layout: Layout, force: bool, quiet: bool, **changes: Any) -> None:
    """Train a language model on TEXT and write it to the folder MODEL.

    TEXT has a sentence a line, tokens separated by single spaces, or is a corpus in another format, whose words are
    read; the order of the sentences matters. With --dev-fraction the dev set is the end of TEXT. The vocabulary is
    closed: words beyond it count as one, the unknown word.
    """
    from ..training.language import prepare_language

    check_free(model, force=force or resume)
    run = prepare_language(text, dev=dev, dev_fraction=dev_fraction, keep=keep, layout=layout,
                           options=training.given(changes))
    training.train_new(
        run, model, lambda untrained: f"{run.trainer.tokens:,} {untrained.options.unit}s to predict, "
        f"{len(untrained.units):,} known",
        resume=resume, checkpoint_every=checkpoint_every, force=force, quiet=quiet)


if __name__ == "__main__":
    main()
