"""Training and testing again and again on parts of one corpus: cross-validation, learning curves.

A trial says what to train on and what to tag, both as positions in the corpus. Trials can run in several
processes; the answers come in the order of the trials and do not depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..corpus.split import folds
from ..errors import OptionError
from ..evaluation import Pair, accuracy
from ..evaluation.crossval import CrossValidation
from ..evaluation.curve import Curve
from ..models.options import Options
from ..processes import Pool

Answers = list[list[str]]


def _nothing() -> None:
    """Nobody wants to hear of progress."""


@dataclass(frozen=True)
class Recipe:
    """A tagger to be trained: an RNN with these options, or (None) an HMM."""

    name: str
    options: Options | None

    def tag(self, train: Sequence[Sentence], test: Sequence[Sentence]) -> Answers:
        """Train on ``train``, tag ``test``."""
        if self.options is None:
            from ..models.hmm import HMMTagger
            tagger: Any = HMMTagger.train(train)
        else:
            from .tagging import train_tagger
            tagger = train_tagger(train, self.options)
        return list(tagger.tag(sentence.words for sentence in test))

    def seeded(self, seed: int) -> Recipe:
        """The same with another seed; an HMM has none."""
        return self if self.options is None else replace(self, options=replace(self.options, seed=seed))


@dataclass(frozen=True)
class Trial:
    """Train ``recipe`` on some sentences of the corpus and tag others, given by position."""

    recipe: Recipe
    train: Sequence[int]
    test: Sequence[int]


def cross_validate(recipes: Sequence[Recipe], sentences: Sequence[Sentence], k: int, seed: int, jobs: int = 1,
                   advance: Callable[[], object] = _nothing) -> list[CrossValidation]:
    """Tag each of k folds with a tagger trained on the others, for every recipe; jobs and advance: see ``run``.

    Raises what ``fold_trials`` and ``run`` raise.
    """
    plans = [fold_trials(recipe, len(sentences), k, seed) for recipe in recipes]
    done = iter(list(run([trial for trials in plans for trial in trials], sentences, jobs, advance)))
    return [CrossValidation.of(recipe.name, list(islice(done, k)),
                               [{word for i in trial.train for word in sentences[i].words} for trial in trials])
            for recipe, trials in zip(recipes, plans)]


def fold_trials(recipe: Recipe, sentences: int, k: int, seed: int) -> list[Trial]:
    """A trial for each of k folds: train on the others, tag this one. All recipes get the same folds.

    Raises OptionError for more folds than sentences.
    """
    if not 2 <= k <= sentences:
        raise OptionError(f"{k} folds of {sentences} sentences", "there are at least 2, and at least one "
                          "sentence in each", place="--folds")
    return [Trial(recipe.seeded(seed + number), sorted(set(range(sentences)) - set(fold)), fold)
            for number, fold in enumerate(folds(sentences, k, np.random.default_rng(seed)))]


def learning_curves(recipes: Sequence[Recipe], sentences: Sequence[Sentence], train: Sequence[int],
                    test: Sequence[int], halvings: int, repeats: int, seed: int, jobs: int = 1,
                    advance: Callable[[], object] = _nothing) -> list[Curve]:
    """The learning curve of each recipe, trained on parts of ``train`` and scored on ``test``, positions in
    ``sentences``; jobs and advance: see ``run``.

    Raises what ``curve_trials`` and ``run`` raise.
    """
    plans = [curve_trials(recipe, train, test, halvings, repeats, seed) for recipe in recipes]
    trials = [trial for plan in plans for trial in plan]
    scores = [accuracy(pairs) for pairs in run(trials, sentences, jobs, advance)]
    points = ((sum(len(sentences[i]) for i in trial.train), score.total - score.correct, score.total)
              for trial, score in zip(trials, scores))
    return [Curve.of(recipe.name, list(islice(points, len(plan))), repeats) for recipe, plan in zip(recipes, plans)]


def curve_trials(recipe: Recipe, train: Sequence[int], test: Sequence[int], halvings: int, repeats: int,
                 seed: int) -> list[Trial]:
    """For 1/2^halvings ... 1/1 of the sentences to train on, ``repeats`` trials each.

    The parts of one repeat are nested, each the first half of the next in a random order.

    Raises OptionError when the smallest part would be empty.
    """
    if len(train) < 1 << halvings:
        raise OptionError(f"1/{1 << halvings} of {len(train)} sentences is less than one",
                          "the smallest part has at least one", "Give fewer --halvings.", "--halvings")
    orders = [np.random.default_rng([seed, repeat]).permutation(train).tolist() for repeat in range(repeats)]
    return [Trial(recipe.seeded(seed + repeat), order[:round(len(train) / (1 << halving))], test)
            for halving in reversed(range(halvings + 1)) for repeat, order in enumerate(orders)]


def run(trials: Sequence[Trial], sentences: Sequence[Sentence], jobs: int = 1,
        advance: Callable[[], object] = _nothing) -> Iterator[list[Pair]]:
    """The pairs of each trial's test sentences, in the order of the trials.

    jobs      processes that train at the same time
    advance   called after each trial

    Raises RnntagError when a process dies, and what training raises.
    """
    for trial, answers in zip(trials, _answers(trials, sentences, jobs), strict=True):
        advance()
        yield [Pair(sentences[i].words, sentences[i].tags or [], tags, sentences[i].line)
               for i, tags in zip(trial.test, answers, strict=True)]


def _answers(trials: Sequence[Trial], sentences: Sequence[Sentence], jobs: int) -> Iterator[Answers]:
    if jobs == 1 or len(trials) == 1:
        yield from (_answer(sentences, trial) for trial in trials)
        return
    with Pool(min(jobs, len(trials)), "a training process", tuple, sentences) as pool:
        yield from pool.map(_answer, trials, len(trials))


def _answer(sentences: Sequence[Sentence], trial: Trial) -> Answers:
    return trial.recipe.tag([sentences[i] for i in trial.train], [sentences[i] for i in trial.test])
