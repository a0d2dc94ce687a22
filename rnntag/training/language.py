"""Training a language model: a text cut into parts that are read side by side, piece after piece."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus import TO_TAG, Layout, Sentence, read
from ..errors import CorpusError, OptionError, plural
from ..files import shown
from ..models.language_model import LanguageModel, LanguageOptions
from ..models.options import refuse_unused
from ..nn.layers import Array
from ..nn.packing import interleave, pack
from ..storage.modelfile import origin, provenance
from .run import Run, check_dev
from .task import Task
from .trainer import Trainer


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

    def shown(self, score: float) -> str:
        return f"perplexity {math.exp(-score):.2f}"

    def model(self, params: dict[str, Array]) -> LanguageModel:
        return self.network.with_params(params)


def prepare_language(text: str | Path, *, dev: str | Path | None, dev_fraction: float, keep: str | None,
                     layout: Layout, options: dict[str, Any]) -> Run:
    """The training of a language model on a file, ready to begin; the dev set is a file too, or the text's end.

    Raises OptionError for misuse before a file is read, then CorpusError for what is wrong with one.
    """
    check_dev(dev is not None, dev_fraction, keep)
    chosen = LanguageOptions.from_dict(options)
    refuse_unused(chosen, options, dev is not None or dev_fraction > 0)
    train = _sentences(text, layout)
    info = origin(text, train, layout)
    held_out = _sentences(dev, layout) if dev is not None else []
    if dev_fraction:
        start = min(len(train) - 1, round(len(train) * (1 - dev_fraction)))
        if start < 1:
            raise OptionError(f"{dev_fraction} of {plural(len(train), 'sentence')}",
                              "one is for training, one for the dev set", place="--dev-fraction")
        train, held_out = train[:start], train[start:]
    if held_out:
        info["dev"] = {**provenance(text if dev is None else dev, held_out), "fraction": dev_fraction,
                       "kept": keep or "best"}
    rng = np.random.default_rng(chosen.seed)
    model = LanguageModel.create((sentence.words for sentence in train), chosen, rng)
    task = LanguageTask(model, *([sentence.words for sentence in part] for part in (train, held_out)))
    return Run(Trainer(task, rng), info, keep or "best")


def _sentences(path: str | Path, layout: Layout) -> list[Sentence]:
    """The sentences of a text, without empty ones. Raises CorpusError when nothing is left."""
    found = []
    for sentence in read(path, layout, TO_TAG, want="words"):
        sentence.source = None
        if sentence.words:
            found.append(sentence)
    if not found:
        raise CorpusError("no sentences", "at least one is needed", place=shown(path))
    return found
