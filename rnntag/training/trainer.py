"""Training: epochs of stochastic gradient descent (seed 000, "Overall Training Algorithm"), whatever the task.

A generator of epoch records that reads no files and prints nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import DivergedError, ModelError
from ..events import tell
from ..nn.layers import Array
from ..nn.optim import STATES, Optimizer, clip, schedule
from .task import Task

# glibc keeps freed memory for what comes next up to twice the largest block that was ever given back; beyond,
# and at first that is next to nothing, every update would fetch its pages from the system again.
LARGEST_BLOCK = 2 ** 25 - 2 ** 16  # bytes; from 32 MB on blocks are not counted
LOWER = "Lower --learning-rate, or set --clip."


@dataclass
class Epoch:
    """What is known after an epoch.

    loss             mean negative log-likelihood of a prediction (of a token's tag), in nats
    score            on the dev set, or None; ``score_name`` is what the task calls it
    best             is this the best epoch so far?
    clipped          share of the updates whose gradient was clipped
    seconds, tokens_per_second   of training, without the dev set
    """

    epoch: int
    loss: float
    score: float | None
    best: bool
    clipped: float
    learning_rate: float
    seconds: float
    tokens_per_second: float
    score_name: str

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, without the times: the log of a run can be repeated."""
        return {"epoch": self.epoch, "loss": self.loss, self.score_name: self.score, "best": self.best,
                "clipped": self.clipped, "learning_rate": self.learning_rate}


@dataclass
class Position:
    """Where a run stands, besides its arrays and its random generator; JSON values all.

    epoch     epochs done
    plan      batches of the epoch that is under way, None between epochs
    batch     batches of it done
    loss, clipped   summed over these: negative log-likelihood, updates whose gradient was clipped
    best_score, stale   best score on the dev set so far, epochs since
    """

    epoch: int = 0
    plan: list[list[int]] | None = None
    batch: int = 0
    loss: float = 0.0
    clipped: int = 0
    best_score: float | None = None
    stale: int = 0


class Trainer:
    """One training run of a task.

    ``result`` gives the model with the weights to keep: those of the epoch with the best dev
    score (without a dev set the last), or of the last epoch; averaged, when averaging is on.
    ``state`` and ``restore`` carry a run over to another process between any two updates; the
    continued run ends with the same weights, bit for bit.
    """

    def __init__(self, task: Task, rng: np.random.Generator | None = None):
        self.task, self.options = task, task.options
        self.rng = rng if rng is not None else np.random.default_rng(self.options.seed)
        self.tokens = sum(task.sizes)
        self.optimizer = Optimizer(self.options.optimizer, task.params, task.trained, self.options.embedding_rate)
        self.at = Position()
        self.best: dict[str, Array] = {}  # weights of the best epoch, and of the last one;
        self.last: dict[str, Array] = {}  # empty until the first epoch ends

    def epochs(self, progress: Callable[[int], Any] | None = None) -> Iterator[Epoch]:
        """Train; yield a record after each epoch. ``progress`` is told the tokens of each update.

        Raises DivergedError when the loss is no longer finite.
        """
        o, at = self.options, self.at
        np.empty(LARGEST_BLOCK, np.uint8)  # never written to, so it takes no memory; gone at once
        while at.epoch < o.epochs and not (o.patience and at.stale >= o.patience):
            start = time.perf_counter()
            rate = o.learning_rate * schedule(o.schedule, at.epoch / o.epochs)
            self._epoch(progress)
            seconds = time.perf_counter() - start
            score = self._judge()
            loss, clipped = at.loss / self.task.predictions, at.clipped / len(at.plan or [])
            record = Epoch(at.epoch + 1, loss, score, at.stale == 0, clipped, rate, seconds, self.tokens / seconds,
                           self.task.score_name)
            at.epoch, at.plan, at.batch, at.loss, at.clipped = at.epoch + 1, None, 0, 0.0, 0
            tell("epoch", **record.to_dict(), seconds=seconds, tokens_per_second=self.tokens / seconds)
            yield record

    def result(self, keep: str = "best") -> Any:
        """The trained model, with the weights of the ``best`` or the ``last`` epoch."""
        return self.task.model((self.best if keep == "best" else self.last) or self.task.params)

    def _epoch(self, progress: Callable[[int], Any] | None) -> None:
        """One pass over the corpus, or the rest of one."""
        o, at = self.options, self.at
        if at.plan is None:
            at.plan = self._batches()
        while at.batch < len(at.plan):
            items = at.plan[at.batch]
            self._update(items, (at.epoch + at.batch / len(at.plan)) / o.epochs)
            at.batch += 1
            if progress is not None:
                progress(sum(self.task.sizes[i] for i in items))

    def _update(self, items: list[int], done: float) -> None:
        """One update with a batch of items, ``done`` (0 .. 1) of the training being over.

        The gradient is the mean over the items, so a batch of one is the seed's algorithm, and the last batch
        of an epoch, which may be smaller, makes a step of the usual length.
        """
        o, at, params = self.options, self.at, self.task.params
        if o.average and self.optimizer.average is None and done >= 1 - o.average:
            self.optimizer.start_average(params)
        with np.errstate(over="ignore", invalid="ignore"):  # looked at right below
            loss, parts = self.task.loss_and_gradient(items, self.rng)
            norms = [clip(gradients, o.clip) for gradients in parts]
        if not math.isfinite(loss + sum(norms)):
            raise DivergedError(f"the loss is no longer finite in epoch {at.epoch + 1}, after "
                                f"{self.optimizer.t:,} updates", hint=LOWER)
        gradients = {name: gradient for part in parts for name, gradient in part.items()}
        self.optimizer.step(params, gradients, o.learning_rate * schedule(o.schedule, done))
        at.loss += loss * len(items)
        at.clipped += int(0 < o.clip < max(norms))

    def _batches(self) -> list[list[int]]:
        """The items in random order, as batches of similar size, largest first in each; or in their order."""
        sizes, count = np.array(self.task.sizes), self.options.batch_size
        if not self.task.shuffled:
            return [list(range(k, min(k + count, len(sizes)))) for k in range(0, len(sizes), count)]
        order = self.rng.permutation(len(sizes))
        if count == 1:
            return [[i] for i in order.tolist()]
        # sort within pools of many batches: close sizes, yet other company in every epoch
        pools = [order[k:k + 64 * count] for k in range(0, len(order), 64 * count)]
        ranked = [pool[np.argsort(-sizes[pool], kind="stable")] for pool in pools]
        batches = [pool[k:k + count].tolist() for pool in ranked for k in range(0, len(pool), count)]
        return [batches[k] for k in self.rng.permutation(len(batches))]

    def _judge(self) -> float | None:
        """Score the weights on the dev set, averaged if they are; remember the best and the last."""
        last = self.optimizer.averaged_weights(self.task.params)
        if not all(np.isfinite(array).all() for array in last.values()):  # the epoch's last update did it
            raise self._diverged("weights")
        try:
            score = self.task.score(last)
        except ModelError:
            raise self._diverged("scores") from None
        self.last = last
        if score is None:
            self.best = last
        elif self.at.best_score is None or score > self.at.best_score:
            self.at.best_score, self.at.stale, self.best = score, 0, last
        else:
            self.at.stale += 1
        return score

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(f"{what} are no longer finite at the end of epoch {self.at.epoch + 1}", hint=LOWER)

    # -------------------------------------------------------------- carrying a run over

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """All that ``restore`` needs to go on, as JSON values and arrays."""
        optimizer = self.optimizer
        values = {"position": asdict(self.at), "random": self.rng.bit_generator.state, "updates": optimizer.t,
                  "averaged": optimizer.averaged, "averaging": optimizer.average is not None,
                  "judged": bool(self.last), "best_is_last": self.best is self.last}
        groups = {"params": self.task.params, "average": optimizer.average or {}, "last": self.last,
                  "carried": self.task.carried,
                  "best": {} if self.best is self.last else self.best,
                  **{f"optimizer{i}": {name: arrays[i] for name, arrays in optimizer.state.items()}
                     for i in range(STATES[optimizer.rule])}}
        return values, {f"{group}/{name}": array for group, arrays in groups.items()
                        for name, array in arrays.items()}

    def shapes(self, values: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Name and shape of each array of a state with these values."""
        arrays = self.task.params | self.task.carried
        return {f"{group}/{name}": arrays[name].shape
                for group, names in self._groups(values).items() for name in names}

    def restore(self, values: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Go on where ``state`` was taken, in a trainer made from the same corpus and options."""
        groups = {group: {name: arrays[f"{group}/{name}"] for name in names}
                  for group, names in self._groups(values).items()}
        for group, own in (("params", self.task.params), ("carried", self.task.carried)):
            for name, array in own.items():
                array[...] = groups[group][name]
        self.optimizer.state = {name: [groups[f"optimizer{i}"][name] for i in range(STATES[self.optimizer.rule])]
                                for name in self.task.trained}
        self.optimizer.average = groups.get("average")
        self.last = groups.get("last", {})
        self.best = self.last if values["best_is_last"] else groups.get("best", {})
        self.at = Position(**values["position"])
        self.rng.bit_generator.state = values["random"]
        self.optimizer.t, self.optimizer.averaged = values["updates"], values["averaged"]

    def _groups(self, values: dict[str, Any]) -> dict[str, list[str]]:
        """The groups of arrays of a state with these values, and the names in each."""
        every, trained = list(self.task.params), list(self.task.trained)
        groups = {"params": every, "carried": list(self.task.carried),
                  **{f"optimizer{i}": trained for i in range(STATES[self.optimizer.rule])}}
        groups |= {"average": trained} if values["averaging"] else {}
        groups |= {"last": every} if values["judged"] else {}
        return groups | ({"best": every} if values["judged"] and not values["best_is_last"] else {})
