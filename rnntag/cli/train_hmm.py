"""``train-hmm``: train the HMM baseline."""

from __future__ import annotations

from pathlib import Path

import click

from ..corpus import Layout
from ..errors import plural
from . import common


@click.command("train-hmm", cls=common.Command)
@click.argument("train")
@click.argument("model", type=click.Path(path_type=Path))
@common.corpus_options(learning=True)
@common.force
@common.quiet
def main(train: str, model: Path, layout: Layout, force: bool, quiet: bool) -> None:
    """Train a bigram HMM on the tagged corpus TRAIN and write it to the folder MODEL.

    TRAIN is a file, or - for standard input; MODEL is a new folder, or an empty one.
    """
    from ..corpus import read_tagged
    from ..files import check_free
    from ..models.hmm import HMMTagger
    from ..storage import modelfile

    check_free(model, force=force)
    sentences = read_tagged(train, layout)
    tagger = HMMTagger.train(sentences)
    tagger.info = modelfile.origin(train, sentences, layout)
    modelfile.save(model, tagger, force=force)
    if not quiet:
        click.echo(f"{plural(len(sentences), 'sentence')}, {plural(sum(map(len, sentences)), 'token')}, "
                   f"{plural(len(tagger.words) - 1, 'word')}, {plural(len(tagger.tags) - 1, 'tag')} -> {model}",
                   err=True)


if __name__ == "__main__":
    main()
