"""Training a classifier: the task, and all that precedes the epochs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..corpus.labelled import Text, read_labelled
from ..corpus.split import hold_out
from ..errors import CorpusError, quote
from ..files import shown
from ..models.classifier import Classifier, ClassifierOptions
from ..models.options import refuse_unused
from ..nn.layers import Array
from ..nn.packing import interleave, pack
from ..storage.modelfile import provenance
from .run import Run, check_dev
from .task import Task
from .trainer import Trainer


class ClassificationTask(Task):
    """Texts to learn the labels of, and a copy of a classifier that learns them.

    dev   texts whose share of right labels is the score
    """

    score_name = "dev_accuracy"

    def __init__(self, model: Classifier, train: Sequence[Text], dev: Sequence[Text] = ()):
        self.options, self.dev = model.options, dev
        self.classifier = model.with_params({name: array.copy() for name, array in model.params.items()})
        self.params, self.trained = self.classifier.params, list(model.params)
        self.words = model.word_table()
        self.types = [self.words.ids(text.words) for text in train]
        self.words.set_dropout(self.options.word_dropout, Counter(chain.from_iterable(text.words for text in train)))
        self.targets = np.array(model.labels.ids(text.label for text in train), np.intp)[:, None] - 1
        self.sizes = list(map(len, self.types))

    @property
    def predictions(self) -> int:
        return len(self.sizes)

    def loss_and_gradient(self, items: list[int], rng: np.random.Generator) -> tuple[float, list[dict[str, Any]]]:
        packing = pack(tuple(self.sizes[i] for i in items))
        types = interleave([self.types[i] for i in items], packing)
        loss, grads = self.classifier.network.loss_and_gradient(self.params, self.words, types, self.targets[items],
                                                                packing, rng)
        return loss, [grads]

    def score(self, params: dict[str, Array]) -> float | None:
        """The share of the dev texts that get the right label. Raises ModelError when scores overflow."""
        if not self.dev:
            return None
        answers = self.classifier.with_params(params).classify(text.words for text in self.dev)
        return sum(label == text.label for label, text in zip(answers, self.dev)) / len(self.dev)

    def model(self, params: dict[str, Array]) -> Classifier:
        return self.classifier.with_params(params)


def prepare_classifier(train: str | Path, *, dev: str | Path | None, dev_fraction: float, keep: str | None,
                       format: str | None, options: dict[str, Any]) -> Run:
    """The training of a classifier on a file of labelled texts, ready to begin.

    Raises OptionError for misuse before a file is read, then CorpusError for what is wrong with one.
    """
    check_dev(dev is not None, dev_fraction, keep)
    chosen = ClassifierOptions.from_dict(options)
    refuse_unused(chosen, options, dev is not None or dev_fraction > 0)
    texts, held_out = _texts(train, format), _texts(dev, format) if dev is not None else []
    info: dict[str, Any] = {"train": _provenance(train, texts)}
    rng = np.random.default_rng(chosen.seed)
    if dev_fraction:
        texts, held_out = ([texts[i] for i in part] for part in hold_out(len(texts), dev_fraction, rng))
    if len(labels := {text.label for text in texts}) == 1:
        raise CorpusError(f"all texts to learn from have the label {quote(labels.pop())}",
                          "a classifier tells two or more apart", "Add texts with another label.", shown(train))
    if held_out:
        info["dev"] = {**_provenance(train if dev is None else dev, held_out), "fraction": dev_fraction,
                       "kept": keep or "best"}
    model = Classifier.create((text.words for text in texts), (text.label for text in texts), chosen, rng)
    return Run(Trainer(ClassificationTask(model, texts, held_out), rng), info, keep or "best")


def _texts(path: str | Path, format: str | None) -> list[Text]:
    found = list(read_labelled(path, format, learning=True))
    if not found:
        raise CorpusError("no texts", "at least one is needed", place=shown(path))
    return found


def _provenance(path: str | Path, texts: Sequence[Text]) -> dict[str, Any]:
    return provenance(path, [Sentence(text.words, [text.label]) for text in texts])
