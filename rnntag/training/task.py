"""What is trained: all that the trainer knows of it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..nn.layers import Array


class Task(Protocol):
    """A corpus to learn, and what learns it.

    options      TrainingOptions, or more: epochs, batch size, step size and the rest of the training
    params       name to array, which training changes in place
    trained      the names of those that it changes
    sizes        how many tokens each item of the corpus has; an item is a sentence, or what a batch is made of
    score_name   what ``score`` is called in the log
    shuffled     are items learnt in random order? else in theirs
    carried      name to array: what one batch leaves for the next, and a checkpoint keeps
    """

    options: Any
    params: dict[str, Array]
    trained: list[str]
    sizes: list[int]
    score_name: str
    shuffled: bool = True
    carried: dict[str, Array] = {}

    @property
    def predictions(self) -> int:
        """How many losses an epoch sums up: one for each token."""
        return sum(self.sizes)

    def loss_and_gradient(self, items: list[int], rng: np.random.Generator) -> tuple[float, list[dict[str, Any]]]:
        """The negative log-likelihood of some items, largest first, its mean over them, and the gradient of that:
        arrays or Rows by name, in parts whose norms are limited one by one."""

    def score(self, params: dict[str, Array]) -> float | None:
        """How good these parameters are on the dev set, higher is better; None without one."""

    def shown(self, score: float) -> str:
        """A score as people read it."""
        return f"{100 * score:.2f}%"

    def model(self, params: dict[str, Array]) -> Any:
        """What is saved: a model with these parameters."""
