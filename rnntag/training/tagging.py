"""Training a tagger: the task, and the whole of it in one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..errors import CorpusError
from ..models.adaptation import adapted
from ..models.calibration import fit_temperatures
from ..models.columns import LEMMA, column
from ..models.options import Options
from ..models.tagger import RNNTagger
from ..nn.layers import Array
from ..nn.packing import interleave, pack
from ..text.vocab import Vocab
from .lemmatizing import part_trainers
from .run import Run
from .task import Task
from .trainer import Trainer


class TaggingTask(Task):
    """Sentences to learn the columns of, and a copy of a tagger that learns them; empty sentences are left out.

    dev   sentences whose share of right values, the mean over the columns, is the score

    Raises CorpusError when there are no sentences, or values that the tagger does not have.
    """

    score_name = "dev_accuracy"

    def __init__(self, tagger: RNNTagger, train: Sequence[Sentence], dev: Sequence[Sentence] = ()):
        train = [sentence for sentence in train if len(sentence)]
        if not train:
            raise CorpusError("no sentences", "training needs at least one")
        self.options, self.dev = tagger.options, dev
        self.tagger = tagger.with_params({name: array.copy() for name, array in tagger.params.items()})
        self.params = self.tagger.params
        self.trained = [name for name in self.params
                        if not (name == "vectors.table" and self.options.freeze_vectors)]
        self.words = tagger.word_table()
        self.types = [self.words.ids(sentence.words) for sentence in train]
        self.words.set_dropout(self.options.word_dropout,
                               Counter(chain.from_iterable(sentence.words for sentence in train)))
        self.targets = [_targets(tagger, sentence) for sentence in train]
        self.sizes = list(map(len, self.types))

    def loss_and_gradient(self, items: list[int], rng: np.random.Generator) -> tuple[float, list[dict[str, Any]]]:
        packing, network = pack(tuple(self.sizes[i] for i in items)), self.tagger.network
        types, targets = (interleave([arrays[i] for i in items], packing) for arrays in (self.types, self.targets))
        loss, grads = network.loss_and_gradient(self.params, self.words, types, targets, packing, rng)
        return loss, network.separate(grads)

    def score(self, params: dict[str, Array]) -> float | None:
        """The mean over the columns of the share of the dev tokens with a value whose value is answered. Raises
        ModelError when scores overflow."""
        if not self.dev:
            return None
        right, total = (np.zeros(len(self.tagger.fields)) for _ in range(2))
        answers = self.tagger.with_params(params).annotate(sentence.words for sentence in self.dev)
        for answer, sentence in zip(answers, self.dev):
            for k, (name, found) in enumerate(answer.columns.items()):
                wanted = column(sentence, name)
                right[k] += sum(map(str.__eq__, found.values, wanted))
                total[k] += len(wanted) - wanted.count("")
        return float((right / np.maximum(1, total)).mean())

    def model(self, params: dict[str, Array]) -> RNNTagger:
        """The tagger with these parameters; its probabilities are calibrated on the dev set."""
        return fit_temperatures(self.tagger.with_params(params), self.dev)


def _targets(tagger: RNNTagger, sentence: Sentence) -> Array:
    """The class of each word of a sentence in each column (T, C), -1 where it has none.

    Raises CorpusError for a value that the tagger does not have, and where a value is needed and missing.
    """
    found = np.empty((len(sentence), len(tagger.fields)), np.intp)
    for k, (name, labels) in enumerate(tagger.columns.items()):
        values = column(sentence, name)
        if len(values) != len(sentence):
            values = [""] * len(sentence)
        found[:, k] = labels.classes(sentence.words, values)
        needed = not k or tagger.options.output == "crf" and name != LEMMA
        odd = [value for value, number in zip(values, found[:, k])
               if number < 0 and (name != LEMMA if value else needed)]
        if odd:
            what = f"tag {odd[0]!r} is not in the tag set" if odd[0] else "a sentence without tags"
            raise CorpusError(what, "each word needs one that the tagger has", place=f"line {sentence.line}")
    return found


def new_tagger(sentences: Sequence[Sentence], options: Options, rng: np.random.Generator,
               vectors: tuple[Vocab, Array] | None, init: RNNTagger | None) -> RNNTagger:
    """What training begins with: random weights, or those of another tagger."""
    if init is None:
        return RNNTagger.create(sentences, options, rng, vectors)
    return adapted(init, sentences, options, rng, vectors)


def train_tagger(sentences: Sequence[Sentence], options: Options, dev: Sequence[Sentence] = (),
                 vectors: tuple[Vocab, Array] | None = None, init: RNNTagger | None = None) -> RNNTagger:
    """A tagger trained on ``sentences`` from start to end, without a word on the way.

    dev       sentences whose accuracy chooses the epoch to keep
    vectors   words and their pretrained vectors, as for RNNTagger.create
    init      a tagger to start from, instead of random weights; options are those of adapted_options

    Raises DivergedError when the loss is no longer finite.
    """
    rng = np.random.default_rng(options.seed)
    task = TaggingTask(new_tagger(sentences, options, rng, vectors, init), sentences, dev)
    run = Run(Trainer(task, rng), {}, "best", parts=part_trainers(task.tagger, sentences))
    for _ in run.trainer.epochs():
        pass
    return run.result()
