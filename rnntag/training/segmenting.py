"""Training a segmenter: the task, and the whole of it in one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..corpus.segmented import Paragraph, paragraphs
from ..corpus.split import hold_out
from ..evaluation.segmentation import Spans
from ..models.options import refuse_unused
from ..models.reading import END, INSIDE, SENTENCE
from ..models.segmenter import Segmenter, SegmenterOptions
from ..nn.layers import Array
from ..nn.packing import interleave, pack
from ..storage.modelfile import provenance
from .run import Run, check_dev
from .task import Task
from .trainer import Trainer

PART = 20  # sentences of what is held out at random


class SegmentingTask(Task):
    """Paragraphs to learn the ends of tokens and sentences of, and a copy of a segmenter that learns them.

    dev   paragraphs; the mean of the F1 of their tokens and of their sentences is the score
    """

    score_name = "dev_f1"

    def __init__(self, segmenter: Segmenter, train: Sequence[Paragraph], dev: Sequence[Paragraph] = ()):
        self.options, self.dev = segmenter.options, dev
        self.segmenter = segmenter.with_params({name: array.copy() for name, array in segmenter.params.items()})
        self.params, self.trained = self.segmenter.params, list(self.segmenter.params)
        known = segmenter.pieces()
        self.words, counts = known.table, Counter[str]()
        self.rows, self.targets = list[Array](), list[Array]()
        for paragraph in train:
            cut = segmenter.places.cut(paragraph.text)
            counts.update(cut.pieces)
            rows, targets = known.rows(cut.pieces, cut.text).astype(np.int32), labels_of(paragraph, cut.ends)
            for start in range(0, len(rows), self.options.sequence):
                self.rows.append(rows[start:start + self.options.sequence])
                self.targets.append(targets[start:start + self.options.sequence])
        self.words.set_dropout(self.options.word_dropout, counts)
        self.sizes = list(map(len, self.rows))

    def loss_and_gradient(self, items: list[int], rng: np.random.Generator) -> tuple[float, list[dict[str, Any]]]:
        packing, network = pack(tuple(self.sizes[i] for i in items)), self.segmenter.network
        rows, targets = (interleave([arrays[i] for i in items], packing) for arrays in (self.rows, self.targets))
        loss, grads = network.loss_and_gradient(self.params, self.words, rows, targets[:, None], packing, rng)
        return loss, network.separate(grads)

    def score(self, params: dict[str, Array]) -> float | None:
        """The F1 of tokens and that of sentences, their mean. Raises ModelError when scores overflow."""
        if not self.dev:
            return None
        tokens, sentences = segmentation(self.segmenter.with_params(params), self.dev)
        return (tokens.f1 + sentences.f1) / 2

    def model(self, params: dict[str, Array]) -> Segmenter:
        """The segmenter with these parameters."""
        return self.segmenter.with_params(params)


def prepare_segmenter(corpus: str | Path, *, dev: str | Path | None = None, dev_fraction: float = 0.0,
                      keep: str | None = None, format: str | None = None, options: Mapping[str, Any]) -> Run:
    """All that precedes the epochs of the training of a segmenter; the arguments are those of the command line.

    Raises OptionError for misuse before a corpus is read, then CorpusError for what is wrong with one.
    """
    check_dev(dev is not None, dev_fraction, keep)
    chosen = SegmenterOptions.from_dict(dict(options))
    refuse_unused(chosen, options, dev is not None or dev_fraction > 0)
    train = list(paragraphs(corpus, format))
    held_out = list(paragraphs(dev, format)) if dev is not None else []
    info: dict[str, Any] = {"train": provenance(corpus, _sentences(train))}
    rng = np.random.default_rng(chosen.seed)
    if dev_fraction:
        train = [part for paragraph in train for part in paragraph.parts(PART)]
        train, held_out = ([train[i] for i in part] for part in hold_out(len(train), dev_fraction, rng))
    if held_out:
        info["dev"] = {**provenance(corpus if dev is None else dev, _sentences(held_out)), "fraction": dev_fraction,
                       "kept": keep or "best"}
    task = SegmentingTask(Segmenter.create(train, chosen, rng), train, held_out)
    return Run(Trainer(task, rng), info, keep or "best")


def _sentences(texts: Iterable[Paragraph]) -> list[Sentence]:
    """The sentences of some paragraphs, their tokens being the words."""
    return [Sentence([paragraph.text[a:b] for a, b in paragraph.tokens[begin:end]]) for paragraph in texts
            for begin, end in zip([0, *paragraph.sentences], paragraph.sentences)]


def labels_of(paragraph: Paragraph, ends: Array) -> Array:
    """The label of each piece of a paragraph, given where the pieces end (N,)."""
    labels = np.full(len(ends), INSIDE)
    of_tokens = np.array([end for _, end in paragraph.tokens])
    labels[np.isin(ends, of_tokens)] = END
    labels[np.isin(ends, of_tokens[np.array(paragraph.sentences) - 1])] = SENTENCE
    return labels


def segmentation(segmenter: Segmenter, texts: Iterable[Paragraph]) -> tuple[Spans, Spans]:
    """How many of the tokens and of the sentences of some paragraphs are found."""
    tokens, sentences = Spans(), Spans()
    for paragraph in texts:
        cut, labels = segmenter.labels(paragraph.text, [len(paragraph.text)])
        ends = cut.ends.tolist()
        firsts = [first for first, before in zip(cut.starts.tolist(), [END, *labels.tolist()]) if before != INSIDE]
        tokens.count(paragraph.tokens, zip(firsts, cut.ends[labels != INSIDE].tolist()))
        found = [start for start, before in zip(cut.starts.tolist(), [SENTENCE, *labels.tolist()])
                 if before == SENTENCE]
        known = [0, *paragraph.sentences]
        sentences.count([(paragraph.tokens[a][0], paragraph.tokens[b - 1][1]) for a, b in zip(known, known[1:])],
                        zip(found, (end for end, label in zip(ends, labels.tolist()) if label == SENTENCE)))
    return tokens, sentences


def train_segmenter(texts: Sequence[Paragraph], options: SegmenterOptions,
                    dev: Sequence[Paragraph] = ()) -> Segmenter:
    """A segmenter trained on some paragraphs from start to end, without a word on the way.

    Raises DivergedError when the loss is no longer finite.
    """
    rng = np.random.default_rng(options.seed)
    trainer = Trainer(SegmentingTask(Segmenter.create(texts, options, rng), texts, dev), rng)
    for _ in trainer.epochs():
        pass
    return trainer.result()
