"""Training and testing again and again on parts of one corpus: cross-validation, learning curves.

A trial says what to train on and what to tag, both as positions in the corpus. Trials can run in several
processes; the answers come in the order of the trials and do not depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..corpus.split import folds
from ..errors import OptionError, plural
from ..evaluation import Pair, accuracy, pair
from ..evaluation.crossval import CrossValidation
from ..evaluation.curve import Curve
from ..evaluation.repetition import Repeated
from ..models.options import Options
from ..nn.layers import Array
from ..processes import Pool
from ..text.vocab import Vocab

APART = 1_000_003  # between the seeds of two recipes: each has its own luck, also when they are the same


def _nothing() -> None:
    """Nobody wants to hear of progress."""


@dataclass(frozen=True)
class Recipe:
    """A tagger to be trained: an RNN with these options (and vectors, as for RNNTagger.create), or (None) an HMM."""

    name: str
    options: Options | None
    vectors: tuple[Vocab, Array] | None = field(default=None, compare=False, repr=False)

    def train(self, sentences: Sequence[Sentence]) -> Any:
        """The tagger that learns from ``sentences``."""
        if self.options is None:
            from ..models.hmm import HMMTagger
            return HMMTagger.train(sentences)
        from .tagging import train_tagger
        return train_tagger(sentences, self.options, vectors=self.vectors)

    def seeded(self, seed: int) -> Recipe:
        """The same with another seed; an HMM has none."""
        return self if self.options is None else replace(self, options=replace(self.options, seed=seed))


@dataclass(frozen=True)
class Trial:
    """Train ``recipe`` on some sentences of the corpus and tag others, given by position.

    best   so many values of each word are given with their probabilities; 0: tags alone
    """

    recipe: Recipe
    train: Sequence[int]
    test: Sequence[int]
    best: int = 0


@dataclass
class OutOfFold:
    """How well the taggers of a recipe do on the folds, and what they answered, in the order of the corpus."""

    scores: Repeated
    answers: list[Sentence]


def cross_validate(recipes: Sequence[Recipe], sentences: Sequence[Sentence], k: int, seed: int, jobs: int = 1,
                   advance: Callable[[], object] = _nothing, seeds: int = 1, best: int = 0) -> list[OutOfFold]:
    """Tag each of k folds with a tagger trained on the others, for every recipe; jobs and advance: see ``run``.

    seeds   repetitions on the same folds with other weights; the answers kept are those of the first
    best    so many values of each word have probabilities in the answers

    Raises what ``fold_trials`` and ``run`` raise.
    """
    plans = [[fold_trials(recipe, len(sentences), k, seed, APART * number + k * repeat, best)
              for repeat in range(seeds)] for number, recipe in enumerate(recipes)]
    done = run([trial for plan in plans for trials in plan for trial in trials], sentences, jobs, advance)
    return [_out_of_fold(recipe.name, plan, sentences, done) for recipe, plan in zip(recipes, plans)]


def _out_of_fold(name: str, plan: Sequence[Sequence[Trial]], sentences: Sequence[Sentence],
                 done: Iterator[list[Sentence]]) -> OutOfFold:
    """The next answers of ``done`` put together: those of one recipe."""
    runs, answers = [], [Sentence([])] * len(sentences)
    for repeat, trials in enumerate(plan):
        parts = list(islice(done, len(trials)))
        runs.append(CrossValidation.of(name, [
            pairs_of(sentences, trial, given) for trial, given in zip(trials, parts)], [
            {word for i in trial.train for word in sentences[i].words} for trial in trials]))
        for trial, given in zip(trials, parts) if repeat == 0 else ():
            for i, answer in zip(trial.test, given):
                answers[i] = answer
    return OutOfFold(Repeated(name, runs), answers)


def pairs_of(sentences: Sequence[Sentence], trial: Trial, answers: Sequence[Sentence]) -> list[Pair]:
    """The answers to a trial beside the tags that are right."""
    return list(pair((sentences[i] for i in trial.test), answers))


def fold_trials(recipe: Recipe, sentences: int, k: int, seed: int, apart: int = 0, best: int = 0) -> list[Trial]:
    """A trial for each of k folds: train on the others, tag this one. All recipes get the same folds; ``apart`` is
    added to the seeds of the training alone.

    Raises OptionError for more folds than sentences.
    """
    if not 2 <= k <= sentences:
        raise OptionError(f"{plural(k, 'fold')} of {plural(sentences, 'sentence')}",
                          "there are at least 2, and at least one sentence in each", place="--folds")
    return [Trial(recipe.seeded(seed + number + apart), sorted(set(range(sentences)) - set(fold)), fold, best)
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
    scores = [accuracy(pairs_of(sentences, trial, answers))
              for trial, answers in zip(trials, run(trials, sentences, jobs, advance), strict=True)]
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
        raise OptionError(f"1/{1 << halvings} of {plural(len(train), 'sentence')} is less than one",
                          "the smallest part has at least one", "Give fewer --halvings.", "--halvings")
    orders = [np.random.default_rng([seed, repeat]).permutation(train).tolist() for repeat in range(repeats)]
    return [Trial(recipe.seeded(seed + repeat), order[:round(len(train) / (1 << halving))], test)
            for halving in reversed(range(halvings + 1)) for repeat, order in enumerate(orders)]


def run(trials: Sequence[Trial], sentences: Sequence[Sentence], jobs: int = 1,
        advance: Callable[[], object] = _nothing) -> Iterator[list[Sentence]]:
    """The answers to each trial's test sentences, in the order of the trials.

    jobs      processes that train at the same time
    advance   called after each trial

    Raises RnntagError when a process dies, and what training raises.
    """
    for answers in _answers(trials, sentences, jobs):
        advance()
        yield answers


def _answers(trials: Sequence[Trial], sentences: Sequence[Sentence], jobs: int) -> Iterator[list[Sentence]]:
    if jobs == 1 or len(trials) == 1:
        yield from (answer(sentences, trial) for trial in trials)
        return
    with Pool(min(jobs, len(trials)), "a training process", tuple, sentences) as pool:
        yield from pool.map(answer, trials, len(trials))


def answer(sentences: Sequence[Sentence], trial: Trial) -> list[Sentence]:
    """The answers to one trial."""
    tagger = trial.recipe.train([sentences[i] for i in trial.train])
    return list(tagger.annotate([Sentence(sentences[i].words, None, sentences[i].line) for i in trial.test],
                                best=trial.best))
