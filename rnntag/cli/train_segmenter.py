"""``rnntag train-segmenter``: train a segmenter, from raw text to tokens and sentences."""

from __future__ import annotations

from typing import Any

from ..corpus.segmented import LEARNT_FROM
from ..errors import plural
from ..models.segmenter import SegmenterOptions
from . import common, training


@training.command("train-segmenter", "train", SegmenterOptions, "Corpus",
                  common.format_option(None, list(LEARNT_FROM), what="Format of the corpora"))
def main(train: str, **given: Any) -> Any:
    """Train a segmenter on the corpus TRAIN and write it to the folder MODEL.

    TRAIN is CoNLL-U, with its text, or segmented text: a sentence a line, words between spaces that are not of the
    text (as in corpora of Japanese), a blank line after a paragraph.
    """
    from ..training.segmenting import prepare_segmenter

    run = prepare_segmenter(train, **given)
    known = run.info["train"]
    return run, lambda _: (f"{plural(known['sentences'], 'sentence')}, {plural(known['tokens'], 'token')}, which "
                           f"may end at {plural(run.trainer.tokens, 'place')}")
