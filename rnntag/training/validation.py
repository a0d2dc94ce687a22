"""Training and testing again and again on parts of one corpus: cross-validation, learning curves.

A task is what to train on and what to tag, both as places in the corpus. Tasks can run in several
processes; the answers come in the order of the tasks and are the same however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..errors import OptionError
from ..evaluation import Pair
from ..models.options import Options
from ..processes import Pool

Answers = list[list[str]]


@dataclass(frozen=True)
class Recipe:
    """A tagger to be trained: an RNN of these options, or (None) an HMM."""

    name: str
    options: Options | None

    def tag(self, train: Sequence[Sentence], test: Sequence[Sentence]) -> Answers:
        """Train on the one, tag the other."""
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
    """Train ``recipe`` on some sentences of the corpus and tag others, by their places."""

    recipe: Recipe
    train: tuple[int, ...]
    test: tuple[int, ...]


def folds(sentences: int, count: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """The places 0 .. sentences-1 in ``count`` random parts of equal size, give or take one.

    Raises OptionError for more folds than sentences.
    """
    if not 2 <= count <= sentences:
        raise OptionError(f"{count} folds of {sentences} sentences", "there are at least 2, and at least one "
                          "sentence in each", place="--folds")
    return [tuple(sorted(part.tolist())) for part in np.array_split(rng.permutation(sentences), count)]


def cross_validation(recipe: Recipe, sentences: int, count: int, seed: int) -> list[Task]:
    """A task for each fold: train on the others, tag it. All recipes get the same folds."""
    parts = folds(sentences, count, np.random.default_rng(seed))
    return [Task(recipe.seeded(seed + number), tuple(sorted(set(range(sentences)) - set(part))), part)
            for number, part in enumerate(parts)]


def learning_curve(recipe: Recipe, sentences: int, held_out: Sequence[int], halvings: int, repeats: int,
                   seed: int) -> list[list[Task]]:
    """For 1/2^halvings ... 1/1 of the sentences that are not held out, ``repeats`` tasks each.

    The parts of one repeat are nested, each the first half of the next in a random order, and all
    tag the same held-out sentences.

    Raises OptionError when the smallest part would be empty.
    """
    rest = sorted(set(range(sentences)) - set(held_out))
    if len(rest) < 1 << halvings:
        raise OptionError(f"1/{1 << halvings} of {len(rest)} sentences is less than one",
                          "the smallest part has at least one", "Give fewer --halvings.", "--halvings")
    orders = [np.random.default_rng([seed, repeat]).permutation(rest).tolist() for repeat in range(repeats)]
    return [[Task(recipe.seeded(seed + repeat), tuple(order[:round(len(rest) / (1 << halving))]), tuple(held_out))
             for repeat, order in enumerate(orders)] for halving in reversed(range(halvings + 1))]


def run(tasks: Sequence[Task], sentences: Sequence[Sentence], jobs: int = 1,
        advance: Callable[[], object] = lambda: None) -> Iterator[list[Pair]]:
    """The pairs of each task's test sentences, in the order of the tasks.

    advance   is called after each task

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
