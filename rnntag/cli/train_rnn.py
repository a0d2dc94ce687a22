"""``train-rnn``: train an RNN tagger on a tagged corpus."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..corpus import Layout
from ..errors import DivergedError, OptionError
from ..files import check_free
from ..models.options import GROUPS, PRESETS, SWITCHES, Options, flag, preset, refuse_unused
from . import common

if TYPE_CHECKING:
    from ..training.checkpoint import Checkpoints
    from ..training.preparation import Run
    from ..training.trainer import Trainer

TYPES = {int: click.INT, float: click.FLOAT, str: click.STRING}


def network_options(command: Callable) -> Callable:
    """An option for each field of Options, in its group; absent means: as the preset says."""
    for option in reversed(sorted(fields(Options), key=lambda option: GROUPS.index(option.metadata["group"]))):
        meta, name = option.metadata, option.name
        if name == "vectors":  # a width here, a file on the command line
            continue
        text = meta["help"].rstrip(".")
        if name in SWITCHES:
            words = SWITCHES[name].replace("--", "").split("/")
            text += f" (default: {words[0] if option.default else words[1]})."
            decorator = click.option(SWITCHES[name], name, default=None, help=text)
        elif name == "dense":
            decorator = click.option("--dense", multiple=True, metavar="N[:F]", help=f"{text} (default: none).")
        else:
            kind = click.Choice(meta["choices"]) if "choices" in meta else TYPES[type(option.default)]
            decorator = click.option(flag(name), type=kind, default=None, help=f"{text} (default: {option.default}).")
        command = decorator(command)
        command.__click_params__[-1].group = meta["group"]  # type: ignore[attr-defined]
    return command


def parse_run(text: str, vectors: bool = False) -> Options:
    """Options from a preset's name and options of this command: ``default --cell lstm --layers 2``.

    They are for several runs without a dev set, whose seeds the caller chooses; ``vectors``: some have vectors.

    Raises OptionError, also for options that would change nothing, and click's UsageError for what is no option.
    """
    name, *arguments = text.split()
    if name not in PRESETS:
        raise OptionError(f"{name!r}", f"a preset is one of {', '.join(PRESETS)}", place=text)
    parser = click.command(cls=common.Strict, add_help_option=False)(network_options(lambda **options: options))
    context = parser.make_context(text, arguments)
    given = {key: value for key, value in context.params.items() if value not in (None, ())}
    if "seed" in given:
        raise OptionError(f"{given['seed']} in {text!r}", "each run has a seed of its own", "Leave it out.", "--seed")
    options = preset(name, **given)
    refuse_unused(options, given, dev=False, vectors=vectors and options.embedding > 0)
    return options


@click.command("train-rnn", cls=common.Command)
@click.argument("train")
@click.argument("model")
@click.option("--dev", metavar="FILE", help="Tagged corpus to score after each epoch; the best epoch "
              "is kept (default: none).")
@click.option("--dev-fraction", type=click.FloatRange(0, 0.9), default=0.0, metavar="F",
              show_default=True, help="Hold out this share of TRAIN as the dev set.")
@click.option("--keep", type=click.Choice(["best", "last"]), default=None,
              help="Weights of the epoch with the best dev score, or of the last (default: best).")
@click.option("--preset", "preset_name", type=click.Choice(list(PRESETS)), default=None,
              help="Options to start from (default: default; with --init those of its MODEL).")
@click.option("--init", metavar="MODEL", help="Start from the weights of this model for the words, features and tags "
              "that it shares with TRAIN. It keeps its words and its network; the tags are those of TRAIN (default: "
              "none).")
@click.option("--vectors", metavar="FILE", help="Pretrained word vectors in word2vec or GloVe text format "
              "(default: none).")
@click.option("--raw-text", multiple=True, metavar="FILE", help="Untagged text, a tokenised sentence a line, to "
              "make word vectors from; repeatable (default: none).")
@click.option("--resume", is_flag=True, help="Continue an interrupted run, given the same files and options.")
@click.option("--checkpoint-every", type=click.FloatRange(0), default=30.0, show_default=True, metavar="S",
              help="Seconds between checkpoints.")
@common.corpus_options(learning=True, model=True)
@common.force
@common.quiet
@network_options
def main(train: str, model: str, dev: str | None, dev_fraction: float, keep: str, preset_name: str | None,
         init: str | None, vectors: str | None, raw_text: tuple[str, ...], resume: bool, checkpoint_every: float,
         layout: Layout, force: bool, quiet: bool, **changes: Any) -> None:
    """Train an RNN tagger on the tagged corpus TRAIN and write it to the folder MODEL.

    MODEL is a new folder, or an empty one. The defaults of the network, its input and its training are
    those of the default preset. One BLAS thread is used unless
    OPENBLAS_NUM_THREADS (or OMP_NUM_THREADS) says otherwise.
    """
    from ..storage.modelfile import check
    from ..training.checkpoint import Checkpoints
    from ..training.preparation import prepare
    from .vectors import counted

    if init is not None and Path(init).resolve() == Path(model).resolve():
        raise OptionError(f"{init} is the MODEL to be written, too", "a model to start from stays as it is",
                          "Give MODEL another name.", "--init")
    check_free(model, force=force or resume)
    run = prepare(train, dev=dev or (), dev_fraction=dev_fraction, keep=keep, preset=preset_name, init=init,
                  vectors=vectors, raw_text=raw_text, layout=layout, progress=lambda words: counted(words, quiet),
                  options={name: value for name, value in changes.items() if value not in (None, ())})
    run.task.tagger.info = run.info
    check(run.task.tagger)
    if not quiet:
        _describe(run)
    with Checkpoints(model, {"options": run.trainer.options.to_dict(), **run.info}, every=checkpoint_every,
                     resume=resume, force=force) as checkpoints:
        _train(run, checkpoints, model, quiet)


def _describe(run: Run) -> None:
    trainer = run.trainer
    size = sum(array.size for array in run.task.tagger.params.values())
    click.echo(f"{len(run.train):,} sentences, {trainer.tokens:,} tokens, {len(run.task.tagger.tags) - 1} tags; "
               f"{size:,} weights", err=True)
    if run.start is not None:
        from ..models.adaptation import difference
        click.echo(difference(run.task.tagger, run.start), err=True)
    unseen = {tag for sentence in run.dev for tag in sentence.tags or []} - set(run.task.tagger.tags.strings)
    if unseen:
        count = sum(tag in unseen for sentence in run.dev for tag in sentence.tags or [])
        click.echo(f"Warning: {count} dev tokens have tags that the training corpus lacks "
                   f"({', '.join(sorted(unseen)[:5])}); they count as errors", err=True)


def _train(run: Run, checkpoints: Checkpoints, model: str, quiet: bool) -> None:
    """Train from the start, or from the last checkpoint, to the end, and write MODEL.

    When the loss diverges, MODEL gets the best weights from before that, and the error is raised.
    """
    from ..storage.modelfile import save

    trainer = run.trainer

    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    if checkpoints.resume and checkpoints.written():
        checkpoints.finish()
        say(f"{model} is finished already")
        return
    check_free(model, force=checkpoints.force)
    if checkpoints.resume:
        say(f"Continuing in epoch {trainer.at.epoch + 1}" if checkpoints.restore(trainer) else
            "No checkpoint to continue from; starting with epoch 1")
    try:
        _run(trainer, checkpoints, quiet)
    except DivergedError as error:
        if trainer.best:  # worth more than nothing: the weights before it went wrong
            tagger = run.result()
            tagger.info["stopped"] = str(error)
            save(model, tagger, log=checkpoints.log, force=checkpoints.force)
            error.hint += f" The weights of epoch {trainer.at.epoch} are kept in {model}."
        checkpoints.finish()
        raise
    tagger = run.result()
    save(model, tagger, log=checkpoints.log, force=checkpoints.force)
    checkpoints.finish()
    if tagger.temperature != 1:
        say(f"Probabilities are those of scores / {tagger.temperature}, which fits the dev set best")
    say(f"Model written to {model}")


def _run(trainer: Trainer, checkpoints: Checkpoints, quiet: bool) -> None:
    """Train with a bar on a terminal, a line an epoch, and checkpoints.

    SIGINT, SIGTERM and SIGHUP let the update under way end, and write a checkpoint before the command stops.
    """
    from ..training.checkpoint import Interrupted
    from .progress import Progress

    stop: list[int] = []

    def progress(tokens: int) -> None:
        bar.update(tokens)
        if stop or checkpoints.due():
            checkpoints.save(trainer)
        if stop:
            raise Interrupted(stop[0], checkpoints.folder)

    bar = Progress(quiet, total=trainer.tokens * trainer.options.epochs, unit=" tokens", unit_scale=True,
                   leave=False, initial=trainer.tokens * trainer.at.epoch)
    with common.handling(lambda caught, _frame: stop.append(caught), *common.ENDING), bar:
        for epoch in trainer.epochs(progress):
            checkpoints.log.append(epoch.to_dict())
            if not quiet:
                dev = "" if epoch.score is None else f"  dev {100 * epoch.score:.2f}%"
                bar.write(f"epoch {epoch.epoch:3}  loss {epoch.loss:.4f}{dev}"
                          f"{' *' if dev and epoch.best else ''}  {epoch.tokens_per_second:,.0f} tokens/s",
                          file=sys.stderr)
            progress(0)
