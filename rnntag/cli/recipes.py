"""What cross-validate and learning-curve share: which taggers to train, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..models.options import PRESETS
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
    click.option("--options", "changes", default="", metavar="'OPTION...'",
                 help="More options of train-rnn about the network and its training, in quotes: "
                 "'--cell lstm --epochs 8' (default: none)."),
    click.option("--jobs", type=click.IntRange(1, 1024), default=1, show_default=True, metavar="N",
                 help="Processes that train at the same time; the results are the same."),
    click.option("--seed", type=click.IntRange(0, 2**62), default=1, show_default=True,
                 help="Seed of the parts of the corpus and of the training."),
    click.option("--json", "as_json", is_flag=True, help="Write everything as one JSON object instead."),
)


def recipes(models: tuple[str, ...], preset: str, changes: str) -> list[Recipe]:
    """The taggers that the options name, in order, without repetition.

    Raises OptionError and click's UsageError for options that do not fit.
    """
    from ..training.validation import Recipe
    if "rnn" not in models:
        common.refuse("without --model rnn", "preset", "changes")
    return [Recipe("hmm", None) if model == "hmm" else
            Recipe(" ".join(["rnn", preset, *changes.split()]), parse_run(f"{preset} {changes}"))
            for model in dict.fromkeys(models)]


def bar(total: int, what: str, quiet: bool) -> Progress:
    """Progress over the trainings."""
    return Progress(quiet, total=total, desc=what, unit=" runs", leave=False)
