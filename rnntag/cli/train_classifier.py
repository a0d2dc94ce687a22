"""``rnntag train-classifier``: train a classifier of texts."""

from __future__ import annotations

from typing import Any

import click

from ..corpus.labelled import LABELLED
from ..files import check_free
from ..models.classifier import WITHOUT, ClassifierOptions
from . import common, training


@click.command("train-classifier", cls=common.Command)
@click.argument("train")
@click.argument("model")
@training.dev_options("Labelled texts")
@training.run_options
@common.format_option(None, list(LABELLED), what="Format of TRAIN and of the dev set")
@common.force
@common.quiet
@training.options_of(ClassifierOptions, without=WITHOUT)
def main(train: str, model: str, dev: str | None, dev_fraction: float, keep: str | None, resume: bool,
         checkpoint_every: float, format: str | None, force: bool, quiet: bool, **changes: Any) -> None:
    """Train a classifier on the labelled texts in TRAIN and write it to the folder MODEL.

    A line of TRAIN is a text with its label: label TAB text (tsv), __label__LABEL text (fasttext), or a JSON object
    with "label" and "text" (jsonl). Words are separated by spaces. The input of the network and its layers are those
    of a tagger (train-rnn); --pooling makes one vector of the states.
    """
    from ..training.classifying import prepare_classifier

    check_free(model, force=force or resume)
    run = prepare_classifier(train, dev=dev, dev_fraction=dev_fraction, keep=keep, format=format,
                             options=training.given(changes))
    training.train_new(
        run, model, lambda untrained: f"{run.trainer.task.predictions:,} texts, {run.trainer.tokens:,} tokens, "
        f"{len(untrained.labels) - 1} labels",
        resume=resume, checkpoint_every=checkpoint_every, force=force, quiet=quiet)


if __name__ == "__main__":
    main()
