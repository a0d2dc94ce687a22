"""``rnntag train-transducer``: train an encoder-decoder with attention on pairs of strings."""

from __future__ import annotations

from typing import Any

import click

from ..files import check_free
from ..models.transducer import TransducerOptions
from . import common, training


@click.command("train-transducer", cls=common.Command)
@click.argument("pairs")
@click.argument("model")
@training.dev_options("Pairs", "PAIRS")
@training.run_options
@common.force
@common.quiet
@training.options_of(TransducerOptions)
def main(pairs: str, model: str, dev: str | None, dev_fraction: float, keep: str | None, resume: bool,
         checkpoint_every: float, force: bool, quiet: bool, **changes: Any) -> None:
    """Train an encoder-decoder on the file PAIRS and write it to the folder MODEL.

    A line of PAIRS is a string, a tab, and the string that it becomes: a word and its lemma, a spelling and a
    better one, a word and its pronunciation. After another tab it may have tags, with single spaces between
    them, that say more of the pair; then all lines have them. The score on a dev set is the share of strings that
    come out exactly as they should.
    """
    from ..training.transducing import prepare_transducer

    check_free(model, force=force or resume)
    run = prepare_transducer(pairs, dev=dev, dev_fraction=dev_fraction, keep=keep, options=training.given(changes))
    training.train_new(
        run, model, lambda untrained: f"{len(run.trainer.task.sizes):,} pairs, {run.trainer.tokens:,} symbols",
        resume=resume, checkpoint_every=checkpoint_every, force=force, quiet=quiet)


if __name__ == "__main__":
    main()
