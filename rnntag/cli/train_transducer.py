"""``rnntag train-transducer``: train an encoder-decoder with attention on pairs of strings."""

from __future__ import annotations

from typing import Any

from ..errors import plural
from ..models.transducer import TransducerOptions
from . import training


@training.command("train-transducer", "pairs", TransducerOptions, "Pairs")
def main(pairs: str, **given: Any) -> Any:
    """Train an encoder-decoder on the file PAIRS and write it to the folder MODEL.

    A line of PAIRS is a string, a tab, and the string that it becomes: a word and its lemma, a spelling and a
    better one, a word and its pronunciation. After another tab it may have tags, with single spaces between
    them, that say more of the pair; then all lines have them. The score on a dev set is the share of strings that
    come out exactly as they should.
    """
    from ..training.transducing import prepare_transducer

    run = prepare_transducer(pairs, **given)
    return run, lambda _: f"{plural(len(run.trainer.task.sizes), 'pair')}, {plural(run.trainer.tokens, 'symbol')}"


if __name__ == "__main__":
    main()
