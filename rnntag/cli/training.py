"""What all commands that train share: options, the loop with its bar, checkpoints, writing MODEL."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import DivergedError, plural
from ..files import check_free
from ..models.options import GROUPS, SWITCHES, flag
from . import common

if TYPE_CHECKING:
    from ..training.checkpoint import Checkpoints
    from ..training.run import Run

TYPES = {int: click.INT, float: click.FLOAT, str: click.STRING}


def options_of(kind: type, without: Collection[str] = ()) -> Callable:
    """An option for each field of ``kind`` (TrainingOptions, or more), in its group; absent means: the default."""
    def decorate(command: Callable) -> Callable:
        for option in reversed(sorted(fields(kind), key=lambda option: GROUPS.index(option.metadata["group"]))):
            if option.name not in without:
                command = _option(option)(command)
                command.__click_params__[-1].group = option.metadata["group"]  # type: ignore[attr-defined]
        return command
    return decorate


def _option(option: Any) -> Callable:
    meta, name, text = option.metadata, option.name, option.metadata["help"].rstrip(".")
    if name in SWITCHES:
        words = SWITCHES[name].replace("--", "").split("/")
        return click.option(SWITCHES[name], name, default=None,
                            help=f"{text} (default: {words[0] if option.default else words[1]}).")
    if name == "dense":
        return click.option("--dense", multiple=True, metavar="N[:F]", help=f"{text} (default: none).")
    kind = click.Choice(meta["choices"]) if "choices" in meta else TYPES[type(option.default)]
    return click.option(flag(name), type=kind, default=None, help=f"{text} (default: {option.default}).")


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given on the command line."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def dev_options(what: str, train: str = "TRAIN") -> Callable:
    """``--dev``, ``--dev-fraction`` and ``--keep``; ``what`` the dev file is, ``train`` the file to train on."""
    return common.options(
        click.option("--dev", metavar="FILE", help=f"{what} to score after each epoch; the best epoch is kept "
                     "(default: none)."),
        click.option("--dev-fraction", type=click.FloatRange(0, 0.9), default=0.0, metavar="F",
                     show_default=True, help=f"Hold out this share of {train} as the dev set."),
        click.option("--keep", type=click.Choice(["best", "last"]), default=None,
                     help="Weights of the epoch with the best dev score, or of the last (default: best)."))


run_options = common.options(
    click.option("--resume", is_flag=True, help="Continue an interrupted run, given the same files and options."),
    click.option("--checkpoint-every", type=click.FloatRange(0), default=30.0, show_default=True, metavar="S",
                 help="Seconds between checkpoints."))


def command(name: str, source: str, kind: type, what: str, *more: Callable,
            without: Collection[str] = ()) -> Callable[[Callable], click.Command]:
    """The command ``rnntag NAME SOURCE MODEL`` of a function that prepares a run, and whose docstring is the help.

    what   the dev set is
    more   options that the function takes besides SOURCE, those of the dev set, and ``options``, which are those of
           ``kind`` that were given

    The function returns the Run, and what is said of it and of the untrained model.
    """
    def decorate(prepare: Callable[..., tuple[Run, Callable[[Any], str]]]) -> click.Command:
        @click.command(name, cls=common.Command, help=prepare.__doc__)
        @click.argument(source)
        @click.argument("model")
        @dev_options(what, source.upper())
        @run_options
        @common.options(*more)
        @common.force
        @common.quiet
        @options_of(kind, without)
        def main(model: str, resume: bool, checkpoint_every: float, force: bool, quiet: bool, **values: Any) -> None:
            from ..storage.modelfile import check

            options = {field.name: values.pop(field.name) for field in fields(kind) if field.name in values}
            common.read_once(values[source], values["dev"])
            check_free(model, force=force or resume)
            run, describe = prepare(values.pop(source), **values, options=given(options))
            untrained = run.trainer.task.model(run.trainer.task.params)
            untrained.info = run.info
            check(untrained)
            if not quiet:
                click.echo(f"{describe(untrained)}; {untrained.size:,} weights", err=True)
            train(run, model, resume=resume, checkpoint_every=checkpoint_every, force=force, quiet=quiet)

        return main
    return decorate


def train(run: Run, model: str | Path, *, resume: bool, checkpoint_every: float, force: bool, quiet: bool) -> Any:
    """Train from the start, or from the last checkpoint, to the end, and write the folder ``model``.

    Returns the model; None when it was finished already. When the loss diverges, the folder gets the best weights
    from before that, and the error is raised.
    """
    from ..storage.modelfile import save
    from ..training.checkpoint import Checkpoints
    from .progress import Progress

    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    trainer = run.trainer
    with Checkpoints(model, {"options": trainer.options.to_dict(), **run.info}, every=checkpoint_every, resume=resume,
                     force=force) as checkpoints:
        if resume and checkpoints.written():
            checkpoints.finish()
            say(f"{model} is finished already")
            return None
        check_free(model, force=force)
        if resume:
            say(f"Continuing in epoch {trainer.at.epoch + 1}" if checkpoints.restore(trainer) else
                "No checkpoint to continue from; starting with epoch 1")
        try:
            _epochs(run, checkpoints, quiet)
        except DivergedError as error:
            if trainer.best:  # worth more than nothing: the weights before it went wrong
                result = run.result()
                result.info["stopped"] = str(error)
                save(model, result, log=checkpoints.log, force=force)
                error.hint += f" The weights of epoch {trainer.at.epoch} are kept in {model}."
            checkpoints.finish()
            raise
        for name, trainer in run.parts.items():
            checkpoints.save(run.trainer)  # it is done; an interrupted part is trained anew
            say(f"Training the {name}: {plural(len(trainer.task.sizes), 'pair')}, "
                f"{plural(trainer.options.epochs, 'epoch')}")
            with Progress(quiet, total=trainer.tokens * trainer.options.epochs, unit=" symbols", unit_scale=True,
                          leave=False) as bar:
                for _ in trainer.epochs(bar.update):
                    pass
        result = run.result()
        save(model, result, log=checkpoints.log, force=force)
        checkpoints.finish()
    say(f"Model written to {model}")
    return result


def _epochs(run: Run, checkpoints: Checkpoints, quiet: bool) -> None:
    """Train with a bar on a terminal, a line an epoch, and checkpoints.

    SIGINT, SIGTERM and SIGHUP let the update under way end, and write a checkpoint before the command stops.
    """
    from ..training.checkpoint import Interrupted
    from .progress import Progress

    trainer = run.trainer
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
                dev = "" if epoch.score is None else f"  dev {trainer.task.shown(epoch.score)}"
                bar.write(f"epoch {epoch.epoch:3}  loss {epoch.loss:.4f}{dev}"
                          f"{' *' if dev and epoch.best else ''}  {epoch.tokens_per_second:,.0f} tokens/s",
                          file=sys.stderr)
            progress(0)
