"""What cross-validate and learning-curve share: which taggers to train, and how."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ..errors import OptionError
from ..models.options import PRESETS, Options
from . import common
from .progress import Progress
from .train_rnn import parse_run

if TYPE_CHECKING:
    from ..training.validation import Recipe

recipe_options = common.options(
    click.option("--model", "models", type=click.Choice(["rnn", "hmm"]), multiple=True, default=("rnn",),
                 show_default="rnn", help="What to train; given twice, both."),
    click.option("--preset", type=click.Choice(list(PRESETS)), default="default", show_default=True,
                 help="Options of the RNN to start from."),
    click.option("--options", "changes", multiple=True, metavar="'OPTION...'",
                 help="More options of train-rnn about the network, its training and its vectors, in quotes: "
                 "'--cell lstm --raw-text FILE'. Repeatable: what is given each time is a configuration of its own, "
                 "which may also begin from another --preset (default: none)."),
    click.option("--jobs", type=click.IntRange(1, 1024), default=1, show_default=True, metavar="N",
                 help="Processes that train at the same time; the results are the same."),
    click.option("--seed", type=click.IntRange(0, 2**62), default=1, show_default=True,
                 help="Seed of the parts of the corpus and of the training."),
    click.option("--json", "as_json", is_flag=True, help="Write everything as one JSON object instead."),
)


recipe_option = click.option("--options", "changes", default="", metavar="'OPTION...'",
                             help="Options of train-rnn for the taggers that are trained, in quotes: '--preset "
                             "accurate --raw-text FILE' (default: none).")


def recipe(changes: str, quiet: bool) -> Recipe:
    """The one tagger that ``recipe_option`` names."""
    return _recipe(*_parsed("default", changes), quiet)


def recipes(models: tuple[str, ...], preset: str, changes: tuple[str, ...], quiet: bool) -> list[Recipe]:
    """The taggers that the options name, in order. A configuration that is given twice is there twice.

    Raises OptionError for options that do not fit.
    """
    from ..training.validation import Recipe
    if "rnn" not in models:
        common.refuse("without --model rnn", "preset", "changes")
    found: list[Recipe] = []
    parsed = [_parsed(preset, text) for text in changes or [""]]  # a mistyped option shows before vectors are made
    for model in dict.fromkeys(models):
        found += [Recipe("hmm", None)] if model == "hmm" else [_recipe(*one, quiet) for one in parsed]
    names = [recipe.name for recipe in found]
    return [replace(recipe, name=f"{recipe.name} #{names[:i].count(recipe.name) + 1}")
            if names.count(recipe.name) > 1 else recipe for i, recipe in enumerate(found)]


def _parsed(preset: str, text: str) -> tuple[str, Options, str | None, tuple[str, ...]]:
    """Name, options, and files of vectors and of raw text of one configuration.

    Raises OptionError for what train-rnn would not take.
    """
    @click.command(cls=common.Strict, add_help_option=False,
                   context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    @click.option("--preset", default=preset)
    @click.option("--vectors")
    @click.option("--raw-text", multiple=True)
    def parser() -> None:
        """The options that are not about the network."""
    try:
        context = parser.make_context("--options", _split(text))
        preset, vectors, raw_text = (context.params[name] for name in ("preset", "vectors", "raw_text"))
        if vectors and raw_text:
            raise OptionError("given together", "vectors come from one of them", place="--vectors and --raw-text")
        files = [f"--vectors {vectors}"] if vectors else [f"--raw-text {path}" for path in raw_text]
        options = parse_run(" ".join([preset, *context.args]), vectors=bool(files))
    except click.UsageError as error:
        hint = "Give a preset with --preset." if text.startswith(tuple(PRESETS)) else ""
        raise OptionError(error.format_message(), hint=hint, place=f"--options {text!r}") from error
    return " ".join(["rnn", preset, *context.args, *files]), options, vectors, raw_text


def _split(text: str) -> list[str]:
    """The words of a text as a shell splits it. Raises OptionError for a quotation that does not end."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise OptionError(str(error), place=f"--options {text!r}") from None


def _recipe(name: str, options: Options, vectors: str | None, raw_text: tuple[str, ...], quiet: bool) -> Recipe:
    """A configuration with its vectors."""
    from ..training.validation import Recipe
    from ..training.preparation import vector_table
    from .vectors import counted
    table = vector_table(vectors, raw_text, lambda words: counted(words, quiet))
    return Recipe(name, replace(options, vectors=table[1].shape[1]) if table else options, table)


def bar(total: int, what: str, quiet: bool) -> Progress:
    """Progress over the trainings."""
    return Progress(quiet, total=total, desc=what, unit=" runs", leave=False)
