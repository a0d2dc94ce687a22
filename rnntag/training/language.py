"""Training a language model: a text cut into parts that are read side by side, piece after piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import CorpusError
from ..models.language_model import LanguageModel
from ..nn.layers import Array
from ..nn.packing import interleave, pack
from .task import Task


class LanguageTask(Task):
    """A text to learn, as B = ``batch_size`` parts of equal length; an item is a piece of ``bptt`` units of one part.

    An update has the same piece of all parts. The next one begins with the state in which this one ended, but
    errors do not go back there: truncated back-propagation, with the full gradient within the piece.

    dev   sentences whose mean log-probability of a unit is the score

    Raises CorpusError when there is nothing to learn.
    """

    score_name = "dev_log_probability"
    shuffled = False

    def __init__(self, model: LanguageModel, train: Sequence[Sequence[str]], dev: Sequence[Sequence[str]] = ()):
        if not len(train):
            raise CorpusError("no sentences", "training needs at least one")
        self.options, self.dev = model.options, dev
        self.network = model.with_params({name: array.copy() for name, array in model.params.items()})
        self.params, self.trained = self.network.params, list(model.params)
        ids = np.array([unit for words in train for unit in model.ids(words)], np.intp)
        parts = np.array_split(ids, min(self.options.batch_size, len(ids)))
        before = [1, *(part[-1] for part in parts[:-1])]
        self.parts = [np.concatenate(([first], part)) for first, part in zip(before, parts)]
        T = self.options.bptt
        self.items = [(part, start) for start in range(0, len(parts[0]), T) for part in range(len(parts))
                      if start < len(parts[part])]
        self.sizes = [min(T, len(parts[part]) - start) for part, start in self.items]
        self.carried = {f"state{k}": np.zeros((layer.cell.states, 1, len(parts), layer.H), model.dtype)
                        for k, layer in enumerate(model.recurrent)}

    def loss_and_gradient(self, items: list[int], rng: np.random.Generator) -> tuple[float, list[dict[str, Any]]]:
        packing, at = pack(tuple(self.sizes[i] for i in items)), [self.items[i] for i in items]
        read, targets = (interleave([self.parts[part][start + k:start + k + self.sizes[i]]
                                     for i, (part, start) in zip(items, at)], packing) for k in (0, 1))
        if at[0][1] == 0:
            for state in self.carried.values():
                state[...] = 0
        initial = [state[:, :, :len(items)] for state in self.carried.values()]
        loss, grads, final = self.network.loss_and_gradient(read, targets, packing, initial, rng)
        for state, after in zip(initial, final):
            state[...] = after
        return loss, [grads]

    def score(self, params: dict[str, Array]) -> float | None:
        """The mean log-probability of a unit of the dev set, in nats. Raises ModelError when scores overflow."""
        if not self.dev:
            return None
        scored = list(self.network.with_params(params).score(self.dev))
        return float(sum(one.logs.sum() for one in scored)) / sum(one.units for one in scored)

    def model(self, params: dict[str, Array]) -> LanguageModel:
        return self.network.with_params(params)
