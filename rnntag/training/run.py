"""A training run that is ready to begin, whatever is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import OptionError, quote
from .trainer import Trainer


@dataclass
class Run:
    """What the command line and programs run.

    trainer   runs the epochs of its task
    info      what the manifest will say about the origin of the model; under ``dev`` of the dev set, when there is
               one
    keep      which weights ``result`` has: those of the "best" or the "last" epoch
    parts     trainers of the model's parts, which run when its own is done; checkpoints know nothing of them
    """

    trainer: Trainer
    info: dict[str, Any]
    keep: str
    parts: dict[str, Trainer] = field(default_factory=dict, kw_only=True)

    def result(self) -> Any:
        """The model as trained so far, with its parts, its origin and its score on the dev set."""
        model, at = self.trainer.result(self.keep), self.trainer.at
        for part, trainer in self.parts.items():
            for _ in trainer.epochs():  # those that are left
                pass
            model.parts[part] = trainer.result()
        name = self.trainer.task.score_name.removeprefix("dev_")
        model.info = self.info | ({"dev": {**self.info["dev"], name: at.best_score}} if "dev" in self.info else {})
        return model


def check_dev(has_dev: bool, dev_fraction: float, keep: str | None) -> None:
    """Raise OptionError for options of the dev set that do not fit each other."""
    if type(dev_fraction) not in (int, float) or not 0 <= dev_fraction <= 0.9:
        raise OptionError(quote(dev_fraction), "it is at least 0 and at most 0.9", place="--dev-fraction")
    if has_dev and dev_fraction:
        raise OptionError("given together", "there is one dev set", place="--dev and --dev-fraction")
    if keep not in (None, "best", "last"):
        raise OptionError(quote(keep), "it is best or last", place="--keep")
    if keep and not (has_dev or dev_fraction):
        raise OptionError(f"{keep} without a dev set", "it would change nothing", "Leave it out.", "--keep")
