"""``rnntag train-segmenter``: train a segmenter, from raw text to tokens and sentences."""

from __future__ import annotations

from typing import Any

import click

from ..corpus.segmented import LEARNT_FROM
from ..files import check_free
from ..models.segmenter import SegmenterOptions
from . import common, training


@click.command("train-segmenter", cls=common.Command)
@click.argument("train")
@click.argument("model")
@training.dev_options("Corpus")
@common.format_option(None, list(LEARNT_FROM), what="Format of the corpora")
@training.run_options
@common.force
@common.quiet
@training.options_of(SegmenterOptions)
def main(train: str, model: str, dev: str | None, dev_fraction: float, keep: str | None, format: str | None,
         resume: bool, checkpoint_every: float, force: bool, quiet: bool, **changes: Any) -> None:
    """Train a segmenter on the corpus TRAIN and write it to the folder MODEL.

    TRAIN is CoNLL-U, with its text, or segmented text: a sentence a line, words between spaces that are not of the
    text (as in corpora of Japanese), a blank line after a paragraph.
    """
    from ..training.segmenting import prepare_segmenter

    common.read_once(train, dev)
    check_free(model, force=force or resume)
    run = prepare_segmenter(train, dev=dev, dev_fraction=dev_fraction, keep=keep, format=format,
                            options=training.given(changes))
    known = run.info["train"]
    training.train_new(
        run, model, lambda untrained: f"{known['sentences']:,} sentences, {known['tokens']:,} tokens, which may end "
        f"at {run.trainer.tokens:,} places",
        resume=resume, checkpoint_every=checkpoint_every, force=force, quiet=quiet)
