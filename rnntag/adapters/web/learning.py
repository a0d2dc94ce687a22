"""Taggers trained in another process while somebody annotates; what they say of the corpus comes back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.annotation import Annotation
from ...corpus import Sentence
from ...corpus.split import folds
from ...errors import RnntagError, plural
from ...processes import Pool
from ...storage.modelfile import load
from ...training.validation import Recipe, Trial, answer

BEST = 10  # values of each word with their probabilities
FOLDS = 3  # when the corpus itself is all there is to learn from
LEAST = 10  # sentences to learn from; of fewer there is nothing to say


class Learner:
    """Answers to all sentences of an annotation, again and again while it grows.

    recipe   what is trained
    train    sentences to learn from beside those that are done; without these (None) the taggers learn from the
             corpus itself, each sentence being left to one that has not seen it
    model    a folder with a tagger for the first answers, or None
    every    train again after so many sentences are done; 0: never

    With a model and nothing to train on beside it, its answers stay.
    """

    def __init__(self, annotation: Annotation, recipe: Recipe, train: Sequence[Sentence] | None,
                 model: str | Path | None, every: int):
        self.annotation, self.recipe, self.train, self.model, self.every = annotation, recipe, train, model, every
        self.state, self.error = "idle", ""
        self._accepted = 0
        self._wanted = threading.Event()
        self._closed = False
        self._pool: Pool | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    @property
    def learns(self) -> bool:
        """Does it train?"""
        return self.train is not None or self.model is None

    def start(self) -> None:
        """Begin with the first answers."""
        self._wanted.set()
        self._thread.start()

    def accepted(self) -> None:
        """One more sentence is done."""
        self._accepted += 1
        if self.learns and self.every and self._accepted % self.every == 0:
            self._wanted.set()

    def again(self) -> bool:
        """Train now, or when the training under way has ended; False when it does not train."""
        if self.learns:
            self._wanted.set()
        return self.learns

    def close(self) -> None:
        """End, whatever is under way."""
        self._closed = True
        self._wanted.set()
        if self._pool is not None:
            self._pool.close()

    def _work(self) -> None:
        first = self.model is not None
        while self._wanted.wait() and not self._closed:
            self._wanted.clear()
            self.state = "tagging" if first else "training"
            try:
                self._once(first)
                self.error = ""
            except RnntagError as error:
                self.error = str(error)
            self.state, first = "idle", False

    def _once(self, first: bool) -> None:
        """Get answers, and give them to the annotation as they come."""
        said = self.annotation.all()
        keys = [key for key, _ in said]
        corpus = [sentence for _, sentence in said]
        if first:
            self._pool = Pool(1, "the tagging process", load, str(self.model))
            with self._pool as pool:
                for answers in pool.map(_annotate, [corpus], 1):
                    self.annotation.learn(dict(zip(keys, answers)))
            return
        learnt = [*(self.train or ()), *self.annotation.done()] if self.train is not None else corpus
        sentences, trials = planned(self.recipe, learnt, corpus, self.train is None)
        self._pool = Pool(1, "the training process", tuple, sentences)
        with self._pool as pool:
            for trial, answers in zip(trials, pool.map(answer, trials, 1)):
                begin = len(sentences) - len(corpus)
                self.annotation.learn({keys[i - begin]: given for i, given in zip(trial.test, answers)})


def planned(recipe: Recipe, learnt: Sequence[Sentence], corpus: Sequence[Sentence],
            itself: bool) -> tuple[list[Sentence], list[Trial]]:
    """What to train on and what to tag: sentences, those of the corpus last, and trials on them. What is learnt are
    the columns that most sentences have, from the sentences that have them for every word.

    Raises RnntagError when there is too little to learn from.
    """
    names = Counter(name for sentence in learnt for name in complete(sentence))
    wanted = {name for name, times in names.items() if times > len(learnt) / 2}
    whole = [i for i, sentence in enumerate(learnt) if wanted and wanted <= complete(sentence)]
    if len(whole) < LEAST:
        raise RnntagError(plural(len(whole), "tagged sentence"), f"a tagger learns from {LEAST} or more")
    kept = [Sentence(s.words, {name: column for name, column in s.columns.items() if name in wanted}, s.line)
            for s in learnt]
    if itself:
        return kept, [Trial(recipe, sorted(set(whole) - set(fold)), fold, BEST)
                      for fold in folds(len(corpus), FOLDS, np.random.default_rng(1))]
    sentences = [*(kept[i] for i in whole), *corpus]
    return sentences, [Trial(recipe, range(len(whole)), range(len(whole), len(sentences)), BEST)]


def complete(sentence: Sentence) -> set[str]:
    """The columns that have a value for every word."""
    return {name for name, column in sentence.columns.items() if column.values and all(column.values)}


def _annotate(tagger: Any, sentences: list[Sentence]) -> list[Sentence]:
    return list(tagger.annotate((Sentence(s.words, None, s.line) for s in sentences), best=BEST))
