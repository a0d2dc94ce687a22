"""Training: epochs of stochastic gradient descent over sentences (seed 000, "Overall Training
Algorithm"). A generator of epoch records that reads no files and prints nothing."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import numpy as np

from ..models.adaptation import adapted
from ..models.calibration import calibrated
from ..corpus import Sentence
from ..errors import CorpusError, DivergedError, ModelError
from ..text.features import WordTable
from ..nn.layers import Array
from ..nn.optim import STATES, Optimizer, clip, schedule
from ..models.options import Options
from ..nn.packing import interleave, pack
from ..models.tagger import RNNTagger
from ..text.vocab import Vocab

# glibc keeps freed memory for what comes next up to twice the largest block that was ever given back; beyond,
# and at first that is next to nothing, every update would fetch its pages from the system again.
LARGEST_BLOCK = 2 ** 25 - 2 ** 16  # bytes; from 32 MB on blocks are not counted


def train_tagger(sentences: Sequence[Sentence], options: Options, dev: Sequence[Sentence] = (),
                 vectors: tuple[Vocab, Array] | None = None, init: RNNTagger | None = None) -> RNNTagger:
    """A tagger trained on ``sentences`` from start to end, without a word on the way.

    dev       sentences whose accuracy chooses the epoch to keep
    vectors   words and their pretrained vectors, as for RNNTagger.create
    init      a tagger to start from, instead of random weights; options are those of adapted_options

    Raises DivergedError when the loss is no longer finite.
    """
    rng = np.random.default_rng(options.seed)
    trainer = Trainer(new_tagger(sentences, options, rng, vectors, init), sentences, dev, rng)
    for _ in trainer.epochs():
        pass
    return trainer.result()


def new_tagger(sentences: Sequence[Sentence], options: Options, rng: np.random.Generator,
               vectors: tuple[Vocab, Array] | None, init: RNNTagger | None) -> RNNTagger:
    """What training begins with: random weights, or those of another tagger."""
    if init is None:
        return RNNTagger.create(sentences, options, rng, vectors)
    return adapted(init, sentences, options, rng, vectors)


def _check_tags(sentences: Sequence[Sentence], tagger: RNNTagger) -> None:
    if not sentences:
        raise CorpusError("no sentences", "training needs at least one")
    for sentence in sentences:
        odd = [tag for tag in sentence.tags or [""] if tag not in tagger.tags]
        if odd or len(sentence.tags or []) != len(sentence):
            found = f"tag {odd[0]!r} is not in the tag set" if odd and odd[0] else "a sentence without tags"
            raise CorpusError(found, "each word needs one that the tagger has", place=f"line {sentence.line}")


@dataclass
class Epoch:
    """What is known after an epoch.

    loss             mean negative log-likelihood of a token, in nats
    dev_accuracy     share of the dev tokens tagged right, or None
    best             is this the best epoch so far?
    clipped          share of the updates whose gradient was clipped
    seconds, tokens_per_second   of training, without the dev set
    """

    epoch: int
    loss: float
    dev_accuracy: float | None
    best: bool
    clipped: float
    learning_rate: float
    seconds: float
    tokens_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, without the times: the log of a run can be repeated."""
        return {name: value for name, value in asdict(self).items()
                if name not in ("seconds", "tokens_per_second")}


@dataclass
class Position:
    """Where a run stands, besides its arrays and its random generator; JSON values all.

    epoch     epochs done
    plan      batches of the epoch that is under way, None between epochs
    batch     batches of it done
    loss, clipped   summed over these: negative log-likelihood, updates whose gradient was clipped
    best_score, stale   best dev accuracy so far, epochs since
    """

    epoch: int = 0
    plan: list[list[int]] | None = None
    batch: int = 0
    loss: float = 0.0
    clipped: int = 0
    best_score: float = -1.0
    stale: int = 0


class Trainer:
    """One training run.

    ``result`` gives the tagger with the weights to keep: those of the epoch with the best dev
    score (without a dev set the last), or of the last epoch; averaged, when averaging is on.
    ``state`` and ``restore`` carry a run over to another process between any two updates; the
    continued run ends with the same weights, bit for bit.
    """

    def __init__(self, tagger: RNNTagger, train: Sequence[Sentence], dev: Sequence[Sentence] = (),
                 rng: np.random.Generator | None = None):
        """Prepare to train a copy of ``tagger``'s weights; empty sentences are left out.

        Raises CorpusError when there are no sentences, or tags that the tagger does not have.
        """
        train = [sentence for sentence in train if len(sentence)]
        _check_tags(train, tagger)
        self.options = tagger.options
        self.tagger = tagger.with_params({name: array.copy() for name, array in tagger.params.items()})
        self.rng = rng if rng is not None else np.random.default_rng(self.options.seed)
        self.words: WordTable = tagger.word_table()
        self.types = [self.words.ids(sentence.words) for sentence in train]
        counts = Counter(chain.from_iterable(sentence.words for sentence in train))
        self.words.set_dropout(self.options.word_dropout, counts)
        self.targets = [np.array(tagger.tags.ids(sentence.tags or []), np.intp) - 1 for sentence in train]
        self.dev = dev
        self.tokens = sum(len(types) for types in self.types)
        trained = [name for name in tagger.params
                   if not (name == "vectors.table" and self.options.freeze_vectors)]
        self.optimizer = Optimizer(self.options.optimizer, tagger.params, trained,
                                   self.options.embedding_rate, self.options.weight_decay)
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
            record = Epoch(at.epoch + 1, at.loss / self.tokens, score, at.stale == 0,
                           at.clipped / len(at.plan or []), rate, seconds, self.tokens / seconds)
            at.epoch, at.plan, at.batch, at.loss, at.clipped = at.epoch + 1, None, 0, 0.0, 0
            yield record

    def result(self, keep: str = "best") -> RNNTagger:
        """The trained tagger, with the weights of the ``best`` or the ``last`` epoch; its probabilities are
        calibrated on the dev set."""
        tagger = self.tagger.with_params((self.best if keep == "best" else self.last) or self.tagger.params)
        return calibrated(tagger, self.dev)

    def _epoch(self, progress: Callable[[int], Any] | None) -> None:
        """One pass over the corpus, or the rest of one."""
        o, at = self.options, self.at
        if at.plan is None:
            at.plan = self._batches()
        while at.batch < len(at.plan):
            done = (at.epoch + at.batch / len(at.plan)) / o.epochs
            tokens = self._update(at.plan[at.batch], done)
            at.batch += 1
            if progress is not None:
                progress(tokens)

    def _update(self, members: list[int], done: float) -> int:
        """One update with a batch of sentences, ``done`` (0 .. 1) of the training being over.

        The gradient is the mean over the sentences, so a batch of one is the seed's algorithm, and the last
        batch of an epoch, which may be smaller, makes a step of the usual length. Returns the number of tokens.
        """
        o, at, params, network = self.options, self.at, self.tagger.params, self.tagger.network
        if o.average and self.optimizer.average is None and done >= 1 - o.average:
            self.optimizer.start_average(params)
        packing = pack(tuple(len(self.types[i]) for i in members))
        types = interleave([self.types[i] for i in members], packing)
        targets = interleave([self.targets[i] for i in members], packing)
        with np.errstate(over="ignore", invalid="ignore"):  # looked at right below
            loss, grads = network.loss_and_gradient(params, self.words, types, targets, packing, self.rng)
            norms = [clip(gradient, o.clip) for gradient in network.separate(grads)]
        if not math.isfinite(loss + sum(norms)):
            raise DivergedError(f"the loss is no longer finite in epoch {at.epoch + 1}, after "
                                f"{self.optimizer.t:,} updates", hint="Lower --learning-rate, or set --clip.")
        self.optimizer.step(params, grads, o.learning_rate * schedule(o.schedule, done))
        at.loss += loss * len(members)
        at.clipped += int(0 < o.clip < max(norms))
        return len(types)

    def _batches(self) -> list[list[int]]:
        """The sentences in random order, as batches of similar length, longest first in each."""
        order = self.rng.permutation(len(self.types))
        size = self.options.batch_size
        if size == 1:
            return [[i] for i in order.tolist()]
        lengths = np.array([len(types) for types in self.types])
        # sort within pools of many batches: close lengths, yet other company in every epoch
        pools = [order[k:k + 64 * size] for k in range(0, len(order), 64 * size)]
        ranked = [pool[np.argsort(-lengths[pool], kind="stable")] for pool in pools]
        found = [pool[k:k + size].tolist() for pool in ranked for k in range(0, len(pool), size)]
        return [found[k] for k in self.rng.permutation(len(found))]

    def _judge(self) -> float | None:
        """Score the weights on the dev set, averaged if they are; remember the best and the last."""
        last = self.optimizer.averaged_weights(self.tagger.params)
        if not all(np.isfinite(array).all() for array in last.values()):  # the epoch's last update did it
            raise self._diverged("weights")
        try:
            answers = list(self.tagger.with_params(last).tag(sentence.words for sentence in self.dev))
        except ModelError:
            raise self._diverged("scores") from None
        self.last = last
        if not self.dev:
            self.best = self.last
            return None
        right = sum(sum(map(str.__eq__, tags, sentence.tags or [])) for tags, sentence in zip(answers, self.dev))
        score = right / max(1, sum(map(len, self.dev)))
        if score > self.at.best_score:
            self.at.best_score, self.at.stale, self.best = score, 0, self.last
        else:
            self.at.stale += 1
        return score

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(f"{what} are no longer finite at the end of epoch {self.at.epoch + 1}",
                             hint="Lower --learning-rate, or set --clip.")

    # -------------------------------------------------------------- carrying a run over

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """All that ``restore`` needs to go on, as JSON values and arrays."""
        values = {"position": asdict(self.at), "random": self.rng.bit_generator.state,
                  "updates": self.optimizer.t, "averaged": self.optimizer.averaged,
                  "averaging": self.optimizer.average is not None,
                  "judged": bool(self.last), "best_is_last": self.best is self.last}
        return values, {f"{group}/{name}": array for group, arrays in self._arrays(values).items()
                        for name, array in arrays.items()}

    def shapes(self, values: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Name and shape of each array of a state with these values."""
        return {f"{group}/{name}": array.shape for group, arrays in self._arrays(values).items()
                for name, array in arrays.items()}

    def restore(self, values: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Go on where ``state`` was taken, in a trainer made from the same corpus and options."""
        for group, own in self._arrays(values).items():
            for name in own:
                own[name][...] = arrays[f"{group}/{name}"]
        self.at = Position(**values["position"])
        self.rng.bit_generator.state = values["random"]
        self.optimizer.t, self.optimizer.averaged = values["updates"], values["averaged"]

    def _arrays(self, values: dict[str, Any]) -> dict[str, dict[str, Array]]:
        """The arrays of the run by group, those made that ``values`` call for and do not exist."""
        params, optimizer = self.tagger.params, self.optimizer
        if values["averaging"] and optimizer.average is None:
            optimizer.start_average(params)
        if values["judged"] and not self.last:
            self.last = {name: np.empty_like(array) for name, array in params.items()}
            self.best = self.last if values["best_is_last"] else {
                name: np.empty_like(array) for name, array in params.items()}
        slots = {f"optimizer{i}": {name: arrays[i] for name, arrays in optimizer.state.items()}
                 for i in range(STATES[optimizer.rule])}
        return {"params": params, **slots, "average": optimizer.average or {}, "last": self.last,
                "best": {} if self.best is self.last else self.best}
