"""Training a transducer: pairs of strings, with teacher forcing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus.pairs import Pair, Question, read_pairs
from ..corpus.split import hold_out
from ..errors import CorpusError
from ..files import digest
from ..models.options import refuse_unused
from ..models.transducer import Transducer, TransducerOptions
from ..nn.layers import Array
from ..storage.archive import sha256
from .run import Run, check_dev
from .task import Task
from .trainer import Trainer


class TransducingTask(Task):
    """Pairs to learn, and a copy of a transducer that learns them.

    dev   pairs whose share of right targets, written greedily, is the score
    """

    score_name = "dev_accuracy"

    def __init__(self, transducer: Transducer, train: Sequence[Pair], dev: Sequence[Pair] = ()):
        self.options, self.dev = transducer.options, dev
        self.transducer = transducer.with_params({name: array.copy() for name, array in transducer.params.items()})
        self.params, self.trained = self.transducer.params, list(transducer.params)
        self.sources = [transducer.source_ids(pair.source) for pair in train]
        self.targets = [transducer.target_ids(pair.target) for pair in train]
        self.tags = transducer.tag_ids(pair.tags for pair in train)
        self.sizes = [len(source) + len(target) for source, target in zip(self.sources, self.targets)]

    def loss_and_gradient(self, items: list[int], rng: np.random.Generator) -> tuple[float, list[dict[str, Any]]]:
        loss, grads = self.transducer.network.loss_and_gradient(
            self.params, [self.sources[i] for i in items], self.tags[items], [self.targets[i] for i in items], rng)
        return loss, [grads]

    def score(self, params: dict[str, Array]) -> float | None:
        """The share of the dev pairs whose target is written as it is."""
        if not self.dev:
            return None
        questions = (Question(pair.source, pair.tags) for pair in self.dev)
        answers = self.transducer.with_params(params).transduce(questions, beam=1)
        right = sum(best[0].symbols == pair.target for best, pair in zip(answers, self.dev))
        return right / len(self.dev)

    def model(self, params: dict[str, Array]) -> Transducer:
        """The transducer with these parameters."""
        return self.transducer.with_params(params)


def prepare_transducer(path: str | Path, *, dev: str | Path | None = None, dev_fraction: float = 0.0,
                       keep: str | None = None, options: Mapping[str, Any]) -> Run:
    """All that precedes the epochs: a run on the pairs of a file.

    Raises OptionError for misuse before a file is read, then CorpusError for what is wrong with one.
    """
    check_dev(dev is not None, dev_fraction, keep)
    chosen = TransducerOptions.from_dict(dict(options))
    refuse_unused(chosen, options, dev is not None or dev_fraction > 0)
    train = read_pairs(path, chosen.unit)
    held_out = read_pairs(dev, chosen.unit) if dev is not None else []
    info: dict[str, Any] = {"train": _origin(path, train)}
    rng = np.random.default_rng(chosen.seed)
    if dev_fraction:
        train, held_out = ([train[i] for i in part] for part in hold_out(len(train), dev_fraction, rng))
    if held_out:
        info["dev"] = {**_origin(dev or path, held_out), "fraction": dev_fraction, "kept": keep or "best"}
        if bool(held_out[0].tags) != bool(train[0].tags):
            raise CorpusError("pairs with tags and pairs without", "both files have them, or none", place=dev or path)
    task = TransducingTask(Transducer.create(train, chosen, rng), train, held_out)
    return Run(Trainer(task, rng), info, keep or "best")


def _origin(path: str | Path, pairs: Sequence[Pair]) -> dict[str, Any]:
    """What a manifest keeps of a file of pairs; through a pipe it has no digest of its own."""
    record = {"name": Path(path).name, "pairs": len(pairs)}
    if found := digest(path):
        return {**record, "sha256": found}
    return {**record, "sha256_of_pairs": sha256(repr([tuple(pair) for pair in pairs]).encode("utf-8"))}


def train_transducer(pairs: Sequence[Pair], options: TransducerOptions, dev: Sequence[Pair] = ()) -> Transducer:
    """A transducer trained on ``pairs`` from start to end, without a word on the way."""
    rng = np.random.default_rng(options.seed)
    trainer = Trainer(TransducingTask(Transducer.create(pairs, options, rng), pairs, dev), rng)
    for _ in trainer.epochs():
        pass
    return trainer.result()
