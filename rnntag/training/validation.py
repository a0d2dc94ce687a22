"""Training and testing again and again on parts of one corpus: cross-validation, learning curves.

A task says what to train on and what to tag, both as positions in the corpus. Tasks can run in several
processes; the answers come in the order of the tasks and do not depend on the number of processes.
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
class Task:
    """Train ``recipe`` on some sentences of the corpus and tag others, given by position."""

    recipe: Recipe
    train: Sequence[int]
    test: Sequence[int]


def cross_validate(recipes: Sequence[Recipe], sentences: Sequence[Sentence], k: int, seed: int, jobs: int = 1,
                   advance: Callable[[], object] = _nothing) -> list[CrossValidation]:
    """Tag each of k folds with a tagger trained on the others, for every recipe; jobs and advance: see ``run``.

    Raises what ``fold_tasks`` and ``run`` raise.
    """
    plans = [fold_tasks(recipe, len(sentences), k, seed) for recipe in recipes]
    done = iter(list(run([task for tasks in plans for task in tasks], sentences, jobs, advance)))
    return [CrossValidation.of(recipe.name, list(islice(done, k)),
                               [{word for i in task.train for word in sentences[i].words} for task in tasks])
            for recipe, tasks in zip(recipes, plans)]


def fold_tasks(recipe: Recipe, sentences: int, k: int, seed: int) -> list[Task]:
    """A task for each of k folds: train on the others, tag this one. All recipes get the same folds.

    Raises OptionError for more folds than sentences.
    """
    if not 2 <= k <= sentences:
        raise OptionError(f"{k} folds of {sentences} sentences", "there are at least 2, and at least one "
                          "sentence in each", place="--folds")
    return [Task(recipe.seeded(seed + number), sorted(set(range(sentences)) - set(fold)), fold)
            for number, fold in enumerate(folds(sentences, k, np.random.default_rng(seed)))]


def learning_curves(recipes: Sequence[Recipe], sentences: Sequence[Sentence], train: Sequence[int],
                    test: Sequence[int], halvings: int, repeats: int, seed: int, jobs: int = 1,
                    advance: Callable[[], object] = _nothing) -> list[Curve]:
    """The learning curve of each recipe, trained on parts of ``train`` and scored on ``test``, positions in
    ``sentences``; jobs and advance: see ``run``.

    Raises what ``curve_tasks`` and ``run`` raise.
    """
    plans = [curve_tasks(recipe, train, test, halvings, repeats, seed) for recipe in recipes]
    tasks = [task for plan in plans for task in plan]
    scores = [accuracy(pairs) for pairs in run(tasks, sentences, jobs, advance)]
    points = ((sum(len(sentences[i]) for i in task.train), score.total - score.correct, score.total)
              for task, score in zip(tasks, scores))
    return [Curve.of(recipe.name, list(islice(points, len(plan))), repeats) for recipe, plan in zip(recipes, plans)]


def curve_tasks(recipe: Recipe, train: Sequence[int], test: Sequence[int], halvings: int, repeats: int,
                seed: int) -> list[Task]:
    """For 1/2^halvings ... 1/1 of the sentences to train on, ``repeats`` tasks each.

    The parts of one repeat are nested, each the first half of the next in a random order.

    Raises OptionError when the smallest part would be empty.
    """
    if len(train) < 1 << halvings:
        raise OptionError(f"1/{1 << halvings} of {len(train)} sentences is less than one",
                          "the smallest part has at least one", "Give fewer --halvings.", "--halvings")
    orders = [np.random.default_rng([seed, repeat]).permutation(train).tolist() for repeat in range(repeats)]
    return [Task(recipe.seeded(seed + repeat), order[:round(len(train) / (1 << halving))], test)
            for halving in reversed(range(halvings + 1)) for repeat, order in enumerate(orders)]


def run(tasks: Sequence[Task], sentences: Sequence[Sentence], jobs: int = 1,
        advance: Callable[[], object] = _nothing) -> Iterator[list[Pair]]:
    """The pairs of each task's test sentences, in the order of the tasks.

    jobs      processes that train at the same time
    advance   called after each task

    Raises RnntagError when a process dies, and what training raises.
    """
    for task, answers in zip(tasks, _answers(tasks, sentences, jobs), strict=True):
        advance()
        yield [Pair(sentences[i].words, sentences[i].tags or [], tags, sentences[i].line)
               for i, tags in zip(task.test, answers, strict=True)]


def _answers(tasks: Sequence[Task], sentences: Sequence[Sentence], jobs: int) -> Iterator[Answers]:
    if jobs == 1 or len(tasks) == 1:
        yield from (_answer(sentences, task) for task in tasks)
        return
    with Pool(min(jobs, len(tasks)), "a training process", tuple, sentences) as pool:
        yield from pool.map(_answer, tasks, len(tasks))


def _answer(sentences: Sequence[Sentence], task: Task) -> Answers:
    return task.recipe.tag([sentences[i] for i in task.train], [sentences[i] for i in task.test])
