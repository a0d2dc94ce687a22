"""``rnntag train-lm``: train a language model on text."""

from __future__ import annotations

from typing import Any

from ..corpus import TO_TAG
from ..errors import plural
from ..models.language_model import LanguageOptions
from . import common, training


@training.command("train-lm", "text", LanguageOptions, "Text", common.corpus_options(TO_TAG, what="Format of TEXT"))
def main(text: str, **given: Any) -> Any:
    """Train a language model on TEXT and write it to the folder MODEL.

    TEXT has a sentence a line, tokens separated by single spaces, or is a corpus in another format, whose words are
    read; the order of the sentences matters. With --dev-fraction the dev set is the end of TEXT. The vocabulary is
    closed: words beyond it count as one, the unknown word.
    """
    from ..training.language import prepare_language

    run = prepare_language(text, **given)
    return run, lambda untrained: (f"{plural(run.trainer.tokens, untrained.options.unit)} to predict, "
                                   f"{len(untrained.units):,} known")


if __name__ == "__main__":
    main()
