"""``train-rnn``: train an RNN tagger on a tagged corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..corpus import Layout
from ..errors import CorpusError, OptionError, plural
from ..files import STANDARD, check_free
from ..models.options import PRESETS, Options, preset, refuse_unused
from . import common, training

if TYPE_CHECKING:
    from ..training.preparation import TaggingRun
    from ..training.trainer import Trainer

network_options = training.options_of(Options, without=["vectors"])  # a width there, a file on the command line


def parse_run(text: str, vectors: bool = False) -> Options:
    """Options from a preset's name and options of this command: ``default --cell lstm --layers 2``.

    They are for several runs without a dev set, whose seeds the caller chooses; ``vectors``: some have vectors.

    Raises OptionError, also for options that would change nothing, and click's UsageError for what is no option.
    """
    name, *arguments = text.split()
    if name not in PRESETS:
        raise OptionError(f"{name!r}", f"a preset is one of {', '.join(PRESETS)}")
    parser = click.command(cls=common.Strict, add_help_option=False)(network_options(lambda **options: options))
    context = parser.make_context(text, arguments)
    given = training.given(context.params)
    if "seed" in given:
        raise OptionError(f"{given['seed']} in {text!r}", "each run has a seed of its own", "Leave it out.", "--seed")
    options = preset(name, **given)
    refuse_unused(options, given, dev=False, vectors=vectors and options.embedding > 0)
    return options


@click.command("train-rnn", cls=common.Command)
@click.argument("train")
@click.argument("model")
@training.dev_options("Tagged corpus")
@click.option("--preset", "preset_name", type=click.Choice(list(PRESETS)), default=None,
              help="Options to start from (default: default, or columns when there are several; with --init those of "
              "its MODEL).")
@click.option("--init", metavar="MODEL", help="Start from the weights of this model for the words, features and tags "
              "that it shares with TRAIN. It keeps its words and its network; the tags are those of TRAIN (default: "
              "none).")
@click.option("--vectors", metavar="FILE", help="Pretrained word vectors in word2vec or GloVe text format "
              "(default: none).")
@click.option("--raw-text", multiple=True, metavar="FILE", help="Untagged text, a tokenised sentence a line, to "
              "make word vectors from; repeatable (default: none).")
@click.option("--segmenter", is_flag=True, help="Train a segmenter, too, on the text of TRAIN (CoNLL-U), and keep it "
              "in MODEL: test-rnn --raw then reads raw text.")
@training.run_options
@common.corpus_options(learning=True, field=common.fields)
@common.force
@common.quiet
@network_options
def main(train: str, model: str, dev: str | None, dev_fraction: float, keep: str, preset_name: str | None,
         init: str | None, vectors: str | None, raw_text: tuple[str, ...], segmenter: bool, resume: bool,
         checkpoint_every: float, layout: Layout, force: bool, quiet: bool, **changes: Any) -> None:
    """Train an RNN tagger on the tagged corpus TRAIN and write it to the folder MODEL.

    MODEL is a new folder, or an empty one. The defaults of the network, its input and its training are
    those of the default preset. One BLAS thread is used unless
    OPENBLAS_NUM_THREADS (or OMP_NUM_THREADS) says otherwise.
    """
    from ..storage.modelfile import check
    from ..training.preparation import prepare
    from .vectors import counted

    if init is not None and Path(init).resolve() == Path(model).resolve():
        raise OptionError(f"{init} is the MODEL to be written, too", "a model to start from stays as it is",
                          "Give MODEL another name.", "--init")
    common.read_once(train, dev, vectors, *raw_text)
    check_free(model, force=force or resume)
    run = prepare(train, dev=dev or (), dev_fraction=dev_fraction, keep=keep, preset=preset_name, init=init,
                  vectors=vectors, raw_text=raw_text, layout=layout, progress=lambda words: counted(words, quiet),
                  options=training.given(changes))
    run.task.tagger.info = run.info
    check(run.task.tagger)
    if segmenter:
        run.parts["segmenter"] = _segmenter(train, layout, run.trainer.options.seed)
    if not quiet:
        _describe(run)
    tagger = training.train(run, model, resume=resume, checkpoint_every=checkpoint_every, force=force, quiet=quiet)
    for name, temperature in tagger.temperatures.items() if tagger is not None and not quiet else ():
        of = f" of {name}" if name else ""
        click.echo(f"Probabilities{of} are those of scores / {temperature}, which fits the dev set best", err=True)


def _segmenter(train: str, layout: Layout, seed: int) -> Trainer:
    """The trainer of a segmenter on the text of the corpus, with its default options."""
    from ..training.segmenting import prepare_segmenter
    if train == STANDARD:
        raise OptionError("given with TRAIN from standard input", "TRAIN is read twice", "Write it to a file first.",
                          "--segmenter")
    try:
        return prepare_segmenter(train, format=layout.format, options={"seed": seed}).trainer
    except CorpusError as error:
        error.place = f"--segmenter: {error.place}"
        raise


def _describe(run: TaggingRun) -> None:
    from ..models.columns import LEMMA, column
    tagger = run.task.tagger
    classes = ", ".join(plural(len(labels.names), labels.called(name)) for name, labels in tagger.columns.items())
    click.echo(f"{plural(len(run.train), 'sentence')}, {plural(run.trainer.tokens, 'token')}, {classes}; "
               f"{tagger.size:,} weights", err=True)
    if run.start is not None:
        from ..models.adaptation import difference
        click.echo(difference(tagger, run.start), err=True)
    for name, labels in tagger.columns.items():
        values = (value for sentence in run.dev for value in column(sentence, name))
        odd = [value for value in values if value and value not in labels.vocab]
        if odd and name != LEMMA:  # a lemma that no script makes is nothing to be warned of
            click.echo(f"Warning: the training corpus lacks the {labels.called(name)}s of "
                       f"{plural(len(odd), 'dev token')} ({', '.join(sorted(set(odd))[:5])}); they count as "
                       "errors", err=True)
