"""LanguageModel: how probable each word (or character) of a text is, given all before it.

    x_t -> embedding -> stacked RNN -> h_t -> [h_t P] -> softmax = P(x_{t+1} | x_1 .. x_t)

A text is one long sequence of units, in which END stands after each sentence. The vocabulary is closed: each unit
that is not in it counts as one and the same, the unknown, and perplexities are of texts written so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import ModelError, OptionError
from ..nn.layers import Array, Dense, Dropout, Embedding, Layer, Rows, Shapes, add_rows, log_sum_exp, softmax
from ..nn.packing import Packing, interleave, pack
from ..nn.recurrent import Recurrent
from ..nn.stack import Stack, states
from ..nn.vocabulary import VocabularySoftmax
from ..text.vocab import UNKNOWN, Vocab
from .network import made
from .tagger import MAX_SCORE, batches, chunks, cut
from .options import CELLS, TrainingOptions, choice, number, other, refuse

END = "\n"  # the unit after each sentence; no word and no character of a line is it
UNITS = ("word", "char")
PIECE = 1_024  # units that go through the network at a time
TABLE = "units.table"


@dataclass(frozen=True)
class LanguageOptions(TrainingOptions):
    """All that determines a language model besides its text. Raises OptionError for what does not fit."""

    # input
    unit: str = choice("word", UNITS, "What is predicted: word after word, or character after character.", "Input")
    vocabulary: int = number(10_000, 0, 10**8, "How many units are known, the most frequent ones; 0: all.", "Input")
    min_count: int = number(2, 1, 10**9, "Units seen less often than this are unknown.", "Input")
    embedding: int = number(200, 1, 4096, "Width of the embeddings.", "Input")
    # network
    cell: str = choice("lstm", tuple(CELLS), "Recurrent cell.", "Network")
    hidden: int = number(256, 1, 4096, "Hidden width.", "Network")
    layers: int = number(1, 1, 8, "Stacked layers.", "Network")
    tied: bool = other(True, "Let the output layer share the weights of the embeddings.", "Network")
    # training
    candidates: int = number(2_000, 0, 10**8, "How many words an update weighs against each other: half of them the "
                             "most frequent ones, half drawn from the others; 0: all.", "Training")
    epochs: int = number(8, 1, 100_000, "Passes over the training data.", "Training")
    batch_size: int = number(32, 1, 100_000, "Parts of the text that are read side by side.", "Training")
    bptt: int = number(32, 1, 10_000, "Units of each part for an update: an error is followed back to the first of "
                       "them, and the state is carried on.", "Training")
    dropout: float = number(0.25, 0, 0.99, "Share of units dropped, of the input and of each layer.", "Training")
    learning_rate: float = number(0.003, 1e-12, 1e6, "Step size.", "Training")
    embedding_rate: float = number(3.0, 0, 1e6, "Factor on the step size for embeddings.", "Training")

    def refuse_unused(self, given: Collection[str], dev: bool) -> None:
        """Raise OptionError for an option of those given (by name) that would change nothing."""
        unused = {"patience": not dev and self.patience and "without a dev set",
                  "embedding_rate": self.tied and not self.candidates and "with --tied and --candidates 0",
                  "candidates": 0 < self.vocabulary + 2 <= self.candidates and "with so small a --vocabulary"}
        refuse(self, {name: why for name, why in unused.items() if why and name in given})


class Scored(NamedTuple):
    """What a model says of a sentence of n words.

    logs      (n + 1,)  log P of each word, and of the sentence's end, in nats
    unknown   how many of its units are not in the vocabulary
    units     how many units were predicted
    """

    logs: Array
    unknown: int
    units: int


class LanguageModel:
    """A trained (or freshly initialised) language model.

    options   what the network is
    units     id map of words or characters; 0 is the unknown, 1 is END
    params    name to array
    """

    kind = "lm"
    dtype = "float32"
    place: str | Path = ""  # the folder that it was loaded from, for messages

    def __init__(self, options: LanguageOptions, units: Vocab, params: dict[str, Array]):
        self.options, self.units, self.params = options, units, params
        self.table, self.layers, self.output = _network(options, len(units))
        self.info: dict[str, Any] = {}
        self.parts: dict[str, Any] = {}

    def __repr__(self) -> str:
        size = sum(array.size for array in self.params.values())
        return f"<LanguageModel: {len(self.units):,} {self.options.unit}s, {self.options.cell}; {size:,} weights>"

    @classmethod
    def create(cls, sentences: Iterable[Sequence[str]], options: LanguageOptions,
               rng: np.random.Generator) -> LanguageModel:
        """A model with random weights for a text, given as lists of words."""
        counted = Vocab.build((unit for words in sentences for unit in spelt(words, options.unit)[:-1]),
                              options.min_count)
        units = Vocab([END, *counted.strings[1:][:options.vocabulary or None]])
        parts = _network(options, len(units))
        params = {name: array.astype(cls.dtype) for part in parts for name, array in part.initialise(rng).items()}
        return cls(options, units, params)

    def with_params(self, params: dict[str, Array]) -> LanguageModel:
        """The same model with other weights."""
        return LanguageModel(self.options, self.units, params)

    # -------------------------------------------------------------- the network

    def hidden(self, ids: Array, packing: Packing, initial: Sequence[Array] = (),
               rng: np.random.Generator | None = None) -> tuple[Array, Array, list[Any]]:
        """h (N, I), from which the output layer makes scores, and the caches of the table and of the layers."""
        x, looked_up = self.table.forward(self.params, ids[:, None])
        h, caches = self.layers.forward(self.params, x, packing, rng, initial)
        return h, looked_up, caches

    def loss_and_gradient(self, ids: Array, targets: Array, packing: Packing, initial: Sequence[Array],
                          rng: np.random.Generator) -> tuple[float, dict[str, Any], list[Array]]:
        """- sum log P(targets), its mean over the sequences of the batch, the gradient of that for every parameter,
        and the states at the end, from which the next piece goes on.

        ids, targets   (N,) packed; each target is the unit that comes after (teacher forcing: seed 001)
        """
        h, looked_up, caches = self.hidden(ids, packing, initial, rng)
        B = len(packing.lengths)
        loss, dh, grads = self.output.sampled_loss(self.params, h, targets, rng)
        dx, of_layers = self.layers.backward(self.params, dh, caches)
        rows = self.table.backward(self.params, dx, looked_up)[1][TABLE]
        grads[TABLE] = add_rows(grads[TABLE], rows) if TABLE in grads else rows
        grads |= of_layers
        for gradient in grads.values():
            values = gradient.values if isinstance(gradient, Rows) else gradient
            values /= B
        return loss / B, grads, states(caches)

    @property
    def recurrent(self) -> list[Recurrent]:
        """The recurrent layers."""
        return [layer for layer in self.layers.layers if isinstance(layer, Recurrent)]

    # -------------------------------------------------------------- using it

    def ids(self, words: Sequence[str]) -> list[int]:
        """The units of a sentence and its END, as ids."""
        return self.units.ids(spelt(words, self.options.unit))

    def log_probabilities(self, ids: Array, targets: Array, packing: Packing,
                          initial: Sequence[Array] = ()) -> tuple[Array, list[Array]]:
        """log P (N,) of the packed ``targets``, each the unit after that of ``ids``, in states ``initial``; and the
        states at the end. Raises ModelError when scores overflow."""
        scores, after = self._scores(ids, packing, initial)
        return (scores[np.arange(len(targets)), targets] - log_sum_exp(scores)).astype(float), after

    @np.errstate(over="ignore", invalid="ignore")
    def _scores(self, ids: Array, packing: Packing, initial: Sequence[Array]) -> tuple[Array, list[Array]]:
        h, _, caches = self.hidden(ids, packing, initial)
        scores, _ = self.output.forward(self.params, h)
        if not abs(scores).max() <= MAX_SCORE:  # the weights of a stranger may be as large as they like
            raise ModelError("weights so large that scores overflow", "no training ends with such weights",
                             "Train it again, or fetch it again from where it came.", self.place)
        return scores, states(caches)

    def score(self, sentences: Iterable[Sequence[str]], alone: bool = False) -> Iterator[Scored]:
        """What the model says of each sentence (a list of words), in order, streaming: after all sentences before
        it, or (``alone``) after none. Raises ModelError when scores overflow."""
        state: list[Array] = []
        for chunk in chunks(sentences, PIECE):
            ids = [np.array(self.ids(words), np.intp) for words in chunk]
            if alone:
                logs = self._apart(ids)
            else:
                flat, state = self._read(np.concatenate(ids), state)
                logs = list(cut(flat, ids))
            yield from map(self._scored, chunk, ids, logs)

    def _read(self, targets: Array, state: list[Array]) -> tuple[Array, list[Array]]:
        """log P of units (N,) after an END, piece by piece; and the state at the end."""
        logs, ids = np.empty(len(targets)), _before(targets)
        for start in range(0, len(targets), PIECE):
            piece = slice(start, start + PIECE)
            logs[piece], state = self.log_probabilities(ids[piece], targets[piece], pack((len(ids[piece]),)), state)
        return logs, state

    def _apart(self, sentences: list[Array]) -> list[Array]:
        """log P of the units of sentences that know nothing of each other."""
        logs: list[Any] = [None] * len(sentences)
        for members, packing in batches(list(map(len, sentences)), PIECE):
            if len(members) == 1:  # it may be long
                logs[members[0]], _ = self._read(sentences[members[0]], [])
                continue
            ids, targets = (interleave([change(sentences[i]) for i in members], packing)
                            for change in (_before, np.asarray))
            together, _ = self.log_probabilities(ids, targets, packing)
            for k, i in enumerate(members):
                logs[i] = together[packing.sentence == k]
        return logs

    def _scored(self, words: Sequence[str], ids: Array, logs: Array) -> Scored:
        starts = np.arange(len(ids))
        if self.options.unit == "char":  # a word has the space after it, the last one has none
            starts = np.cumsum([0, *(len(word) + 1 for word in words)])
            starts[-1] = len(ids) - 1
        return Scored(np.add.reduceat(logs, starts), int((ids == 0).sum()), len(ids))

    def generate(self, rng: np.random.Generator, temperature: float = 1.0, prefix: str = "",
                 most: int = 1_000) -> Iterator[str]:
        """The units of a text that goes on after ``prefix``, drawn one by one, without end; never the
        unknown, and END after ``most`` units without one. Temperature 0: always the most probable one."""
        begun = [word for word in prefix.split(" ") if word] if self.options.unit == "word" else prefix
        ids, since = [1, *self.units.ids(begun)], 0
        state: list[Array] = []
        while True:
            scores, state = self._scores(np.array(ids, np.intp), pack((len(ids),)), state)
            s = scores[-1].astype(float)
            s[0] = -np.inf
            if since >= most:
                unit = 1
            elif temperature == 0:
                unit = int(s.argmax())
            else:
                unit = int(rng.choice(len(s), p=softmax(s / temperature)))
            since = 0 if unit == 1 else since + 1
            ids = [unit]
            yield self.units.strings[unit]

    # -------------------------------------------------------------- model folder

    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        """Options, id maps and arrays: what ``restore`` takes."""
        return self.options.to_dict(), {"units": self.units.strings}, self.params

    @classmethod
    def shapes(cls, options: dict[str, Any], ids: dict[str, Any]) -> Shapes:
        """Name and shape of every array of a model with these options and id maps.

        Raises OptionError when they do not fit.
        """
        checked, units = _check(options, ids)
        return {name: shape for part in _network(checked, len(units)) for name, shape in part.shapes().items()}

    @classmethod
    def restore(cls, options: dict[str, Any], ids: dict[str, Any], arrays: dict[str, Array]) -> LanguageModel:
        """The model that ``state`` described."""
        return cls(*_check(options, ids), arrays)


def spelt(words: Sequence[str], unit: str) -> list[str]:
    """The units of a sentence; characters are those of the words and of single spaces between them."""
    return [*(words if unit == "word" else " ".join(words)), END]


def _before(targets: Array) -> Array:
    """What a model reads to predict these units: the one before each, and an END before the first."""
    return np.concatenate(([1], targets[:-1]))


def _network(options: LanguageOptions, V: int) -> tuple[Embedding, Stack, VocabularySoftmax]:
    """The table, the layers and the output layer of a model of V units."""
    o, width = options, options.embedding
    cell = made(CELLS[o.cell])()
    layers: list[Layer] = [Dropout(o.dropout)]
    for index in range(o.layers):
        layers += [Recurrent(f"rnn{index}", cell, width, o.hidden, 1), Dropout(o.dropout)]
        width = o.hidden
    if o.tied and width != o.embedding:
        layers.append(Dense("projection.W", "projection.b", width, o.embedding))
        width = o.embedding
    output = VocabularySoftmax("output", TABLE if o.tied else "output.table", width, V, o.tied, o.candidates)
    return Embedding(TABLE, V, o.embedding), Stack(layers), output


def _check(options: dict[str, Any], ids: dict[str, Any]) -> tuple[LanguageOptions, Vocab]:
    checked = LanguageOptions.from_dict(options)
    strings: Any = ids.get("units")
    if ids.keys() != {"units"} or isinstance(strings, dict):
        raise OptionError("id maps that do not fit the options", "these call for units")
    if strings[:2] != [UNKNOWN, END]:
        raise OptionError("units that do not begin with the end of a sentence", "its id is 1")
    return checked, Vocab(strings[1:])
