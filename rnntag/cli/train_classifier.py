"""``rnntag train-classifier``: train a classifier of texts."""

from __future__ import annotations

from typing import Any

from ..corpus.labelled import LABELLED
from ..errors import plural
from ..models.classifier import WITHOUT, ClassifierOptions
from . import common, training


@training.command("train-classifier", "train", ClassifierOptions, "Labelled texts",
                  common.format_option(None, list(LABELLED), what="Format of TRAIN and of the dev set"),
                  without=WITHOUT)
def main(train: str, **given: Any) -> Any:
    """Train a classifier on the labelled texts in TRAIN and write it to the folder MODEL.

    A line of TRAIN is a text with its label: label TAB text (tsv), __label__LABEL text (fasttext), or a JSON object
    with "label" and "text" (jsonl). Words are separated by spaces. The input of the network and its layers are those
    of a tagger (train-rnn); --pooling makes one vector of the states.
    """
    from ..training.classifying import prepare_classifier

    run = prepare_classifier(train, **given)
    return run, lambda untrained: (f"{plural(run.trainer.task.predictions, 'text')}, "
                                   f"{plural(run.trainer.tokens, 'token')}, {len(untrained.labels) - 1} labels")


if __name__ == "__main__":
    main()
