"""``train-rnn``: train an RNN tagger on a tagged corpus."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..corpus import Sentence, read_tagged
from ..errors import DivergedError, OptionError
from ..files import check_free, digest
from ..options import PRESETS, Options, flag, preset
from . import common

if TYPE_CHECKING:
    from ..checkpoint import Checkpoints
    from ..tagger import RNNTagger
    from ..trainer import Trainer

SWITCHES = {"bidirectional": "--bidirectional/--one-direction",
            "freeze_vectors": "--freeze-vectors/--tune-vectors"}
TYPES = {int: click.INT, float: click.FLOAT, str: click.STRING}


def network_options(command: Callable) -> Callable:
    """An option for each field of Options, in its group; absent means: as the preset says."""
    for option in reversed(fields(Options)):
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
        command.__click_params__[-1].group = meta["group"]
    return command


def parse_run(text: str) -> Options:
    """Options from a preset's name and options of this command: ``default --cell lstm --layers 2``.

    Raises OptionError, and click's UsageError for what is no option.
    """
    name, *arguments = text.split()
    if name not in PRESETS:
        raise OptionError(f"{name!r}", f"a preset is one of {', '.join(PRESETS)}", place=text)
    parser = click.command(add_help_option=False)(network_options(lambda **options: options))
    context = parser.make_context(text, arguments)
    return preset(name, **{key: value for key, value in context.params.items() if value not in (None, ())})


@click.command("train-rnn", cls=common.Command)
@click.argument("train")
@click.argument("model")
@click.option("--dev", metavar="FILE", help="Tagged corpus to score after each epoch; the best epoch "
              "is kept (default: none).")
@click.option("--dev-fraction", type=click.FloatRange(0, 0.9), default=0.0, metavar="F",
              show_default=True, help="Hold out this share of TRAIN as the dev set.")
@click.option("--keep", type=click.Choice(["best", "last"]), default="best", show_default=True,
              help="Weights of the epoch with the best dev score, or of the last.")
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
         layout: dict, force: bool, quiet: bool, **changes: Any) -> None:
    """Train an RNN tagger on the tagged corpus TRAIN and write it to the folder MODEL.

    MODEL is a new folder, or an empty one. The defaults of the network, its input and its training are
    those of the default preset. One BLAS thread is used unless
    OPENBLAS_NUM_THREADS (or OMP_NUM_THREADS) says otherwise.
    """
    if dev and dev_fraction:
        raise OptionError("given together", "there is one dev set", place="--dev and --dev-fraction")
    if vectors and raw_text:
        raise OptionError("given together", "vectors come from one of them", place="--vectors and --raw-text")
    given = {name: value for name, value in changes.items() if value not in (None, ())}
    # misuse shows before any corpus is read
    start = _start(init, model, layout)
    _options(start, preset_name, {**given, "vectors": 1} if vectors or raw_text else given)
    check_free(model, force=force or resume)
    sentences = read_tagged(train, **layout)
    held_out = read_tagged(dev, **layout) if dev else []

    import numpy as np

    from ..checkpoint import Checkpoints
    from ..modelfile import check_size
    from ..trainer import Trainer, hold_out, new_tagger

    loaded = _vectors(vectors, raw_text, quiet)
    if loaded:
        given["vectors"] = loaded[1].shape[1]
    options = _options(start, preset_name, given)
    rng = np.random.default_rng(options.seed)
    info = _info(train, sentences, layout, preset_name, init)
    if dev_fraction:
        sentences, held_out = hold_out(sentences, dev_fraction, rng)
    if held_out:
        info["dev"] = {**common.provenance(dev or train, held_out), "fraction": dev_fraction, "kept": keep}
    if loaded:
        info["vectors"] = {Path(path).name: digest(path) for path in raw_text or (vectors,)}
    trainer = Trainer(new_tagger(sentences, options, rng, loaded, start), sentences, held_out, rng)
    check_size(trainer.tagger)
    if not quiet:
        _describe(trainer, sentences, held_out, start)
    with Checkpoints(model, {"options": options.to_dict(), **info}, every=checkpoint_every, resume=resume,
                     force=force) as checkpoints:
        _train(trainer, checkpoints, model, info, keep, quiet)


def _vectors(file: str | None, raw_text: tuple[str, ...], quiet: bool) -> Any:
    """Words and vectors from a file, or made from untagged text, or None."""
    if not file and not raw_text:
        return None
    from ..vectorfile import read_vectors
    from ..vectors import train_vectors
    from .vectors import sentences
    return read_vectors(file) if file else train_vectors(sentences(raw_text, quiet))


def _start(init: str | None, model: str, layout: dict[str, Any]) -> RNNTagger | None:
    """The tagger to start from, if any; TRAIN's tags are then in the column that they were in there."""
    if init is None:
        return None
    if Path(init).resolve() == Path(model).resolve():
        raise OptionError(f"{init} is the MODEL to be written, too", "a model to start from stays as it is",
                          "Give MODEL another name.", "--init")
    from ..adaptation import START
    from ..modelfile import load, read_manifest
    tagger: Any = load(init, "rnn", START)
    learnt = read_manifest(init)["info"].get("field")
    layout["field"] = layout["field"] or (str(learnt) if learnt else None)
    return tagger


def _options(start: RNNTagger | None, preset_name: str | None, given: dict[str, Any]) -> Options:
    """The options of the new tagger. Nothing that is given may be ignored."""
    if start is None:
        options = preset(preset_name or "default", **given)
    else:
        from ..adaptation import adapted_options
        options = adapted_options(start.options, given, preset_name)
    for name, why in options.unused().items():
        if name in given:
            raise OptionError(f"{given[name]} {why}", "it would change nothing", "Leave it out.",
                              SWITCHES.get(name, flag(name)))
    return options


def _info(train: str, sentences: list[Sentence], layout: dict[str, Any], preset_name: str | None,
          init: str | None) -> dict[str, Any]:
    """What the manifest says of where the model is from."""
    info: dict[str, Any] = {"preset": preset_name or "default"} if preset_name or not init else {}
    info |= {"train": common.provenance(train, sentences), **common.trained_on(layout)}
    if init:
        info["init"] = {"name": Path(init).name, "sha256": digest(Path(init) / "model.json")}
    return info


def _describe(trainer: Trainer, sentences: list[Sentence], dev: list[Sentence], start: RNNTagger | None) -> None:
    size = sum(array.size for array in trainer.tagger.params.values())
    click.echo(f"{len(sentences):,} sentences, {trainer.tokens:,} tokens, {len(trainer.tagger.tags) - 1} tags; "
               f"{size:,} weights", err=True)
    if start is not None:
        from ..adaptation import difference
        click.echo(difference(trainer.tagger, start), err=True)
    unseen = {tag for sentence in dev for tag in sentence.tags or []} - set(trainer.tagger.tags.strings)
    if unseen:
        count = sum(tag in unseen for sentence in dev for tag in sentence.tags or [])
        click.echo(f"Warning: {count} dev tokens have tags that the training corpus lacks "
                   f"({', '.join(sorted(unseen)[:5])}); they count as errors", err=True)


def _train(trainer: Trainer, checkpoints: Checkpoints, model: str, info: dict[str, Any], keep: str,
           quiet: bool) -> None:
    """Train from the start, or from the last checkpoint, to the end, and write MODEL.

    When the loss diverges, MODEL gets the best weights from before that, and the error is raised.
    """
    from ..modelfile import save

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
            save(model, trainer.result(keep), info=info | {"stopped": str(error)}, log=checkpoints.log,
                 force=checkpoints.force)
            error.hint += f" The weights of epoch {trainer.at.epoch} are kept in {model}."
        checkpoints.finish()
        raise
    if "dev" in info:
        info["dev"]["accuracy"] = trainer.at.best_score
    tagger = trainer.result(keep)
    save(model, tagger, info=info, log=checkpoints.log, force=checkpoints.force)
    checkpoints.finish()
    if tagger.temperature != 1:
        say(f"Probabilities are those of scores / {tagger.temperature}, which fits the dev set best")
    say(f"Model written to {model}")


def _run(trainer: Trainer, checkpoints: Checkpoints, quiet: bool) -> None:
    """Train with a bar on a terminal, a line an epoch, and checkpoints.

    SIGINT, SIGTERM and SIGHUP let the update under way end, and write a checkpoint before the command stops.
    """
    from tqdm import tqdm

    from ..checkpoint import Interrupted

    stop: list[int] = []

    def progress(tokens: int) -> None:
        bar.update(tokens)
        if stop or checkpoints.due():
            checkpoints.save(trainer)
        if stop:
            raise Interrupted(stop[0], checkpoints.folder)

    bar = tqdm(total=trainer.tokens * trainer.options.epochs, unit=" tokens", unit_scale=True, leave=False,
               initial=trainer.tokens * trainer.at.epoch, file=sys.stderr,
               disable=quiet or not sys.stderr.isatty())
    with common.handling(lambda caught, _frame: stop.append(caught), *common.ENDING), bar:
        for epoch in trainer.epochs(progress):
            checkpoints.log.append(epoch.to_dict())
            if not quiet:
                dev = "" if epoch.dev_accuracy is None else f"  dev {100 * epoch.dev_accuracy:.2f}%"
                bar.write(f"epoch {epoch.epoch:3}  loss {epoch.loss:.4f}{dev}"
                          f"{' *' if dev and epoch.best else ''}  {epoch.tokens_per_second:,.0f} tokens/s",
                          file=sys.stderr)
            progress(0)
