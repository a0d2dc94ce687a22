"""LanguageModel: how probable each word (or character) of a text is, given all before it.

    x_t -> embedding -> stacked RNN -> h_t -> [h_t P] -> softmax = P(x_{t+1} | x_1 .. x_t)

A text is one long sequence of units, in which END stands after each sentence. The vocabulary is closed: each unit
that is not in it counts as one and the same, the unknown, and perplexities are of texts written so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import OptionError
from ..nn.layers import Array, Dense, Dropout, Embedding, Layer, add_rows, log_sum_exp
from ..nn.packing import Packing, batches, interleave, pack
from ..nn.recurrent import Recurrent
from ..nn.stack import Stack, states
from ..nn.vocabulary import VocabularySoftmax, draw
from ..text.vocab import UNKNOWN, Vocab
from .answers import chunks, cut
from .base import NetworkModel, vocabs
from .network import made
from .options import CELLS, TrainingOptions, choice, number, other

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

    def unused(self, dev: bool = False, vectors: bool = False) -> dict[str, str]:
        """The options that change nothing here, and why: as for Options."""
        useless = {"embedding_rate": self.tied and not self.candidates and "with --tied and --candidates 0",
                   "candidates": 0 < self.vocabulary + 2 <= self.candidates and "with so small a --vocabulary"}
        return super().unused(dev) | {name: why for name, why in useless.items() if why}


class Scored(NamedTuple):
    """What a model says of a sentence of n words.

    logs      (n + 1,)  log P of each word, and of the sentence's end, in nats
    unknown   how many of its units are not in the vocabulary
    units     how many units were predicted
    """

    logs: Array
    unknown: int
    units: int


class LanguageModel(NetworkModel):
    """A trained (or freshly initialised) language model.

    options   what the network is
    units     id map of words or characters; 0 is the unknown, 1 is END
    """

    kind = "lm"

    def __init__(self, options: LanguageOptions, units: Vocab, params: dict[str, Array]):
        super().__init__(options, units, params)
        self.options, self.units = options, units
        self.layers, self.output = self.network.layers

    def __repr__(self) -> str:
        o = self.options
        return f"<LanguageModel: {len(self.units):,} {o.unit}s, {o.cell}; {self.size:,} weights>"

    @classmethod
    def create(cls, sentences: Iterable[Sequence[str]], options: LanguageOptions,
               rng: np.random.Generator) -> LanguageModel:
        """A model with random weights for a text, given as lists of words."""
        counted = Vocab.build((unit for words in sentences for unit in spelt(words, options.unit)[:-1]),
                              options.min_count)
        return cls.untrained(rng, options, Vocab([END, *counted.strings[1:][:options.vocabulary or None]]))

    @staticmethod
    def network_of(options: LanguageOptions, units: Vocab) -> Stack:
        """All up to h_t, and the output layer."""
        o, width = options, options.embedding
        cell = made(CELLS[o.cell])()
        layers: list[Layer] = [Embedding(TABLE, len(units), width), Dropout(o.dropout)]
        for index in range(o.layers):
            layers += [Recurrent(f"rnn{index}", cell, width, o.hidden, 1), Dropout(o.dropout)]
            width = o.hidden
        if o.tied and width != o.embedding:
            layers.append(Dense("projection.W", "projection.b", width, o.embedding))
            width = o.embedding
        return Stack([Stack(layers), VocabularySoftmax("output", TABLE if o.tied else "output.table", width,
                                                       len(units), o.tied, o.candidates)])

    def loss_and_gradient(self, ids: Array, targets: Array, packing: Packing, initial: Sequence[Array],
                          rng: np.random.Generator) -> tuple[float, dict[str, Any], list[Array]]:
        """- sum log P(targets), its mean over the sequences of the batch, the gradient of that for every parameter,
        and the states at the end, from which the next piece goes on.

        ids, targets   (N,) packed; each target is the unit that comes after (teacher forcing: seed 001)
        """
        h, caches = self.layers.forward(self.params, ids[:, None], packing, rng, initial)
        loss, dh, grads = self.output.sampled_loss(self.params, h, targets, rng, len(packing.lengths))
        of_layers = self.layers.backward(self.params, dh, caches)[1]
        if self.options.tied:
            of_layers[TABLE] = add_rows(grads.pop(TABLE), of_layers[TABLE])
        return loss, grads | of_layers, states(caches)

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

    @np.errstate(over="ignore", invalid="ignore")  # the weights of a stranger may be as large as they like
    def _scores(self, ids: Array, packing: Packing, initial: Sequence[Array]) -> tuple[Array, list[Array]]:
        h, caches = self.layers.forward(self.params, ids[:, None], packing, initial=initial)
        return self.finite(self.output.forward(self.params, h)[0]), states(caches)

    def score(self, sentences: Iterable[Sequence[str]], alone: bool = False) -> Iterator[Scored]:
        """What the model says of each sentence (a list of words), in order, streaming: after all sentences before
        it, or (``alone``) after none. Raises ModelError when scores overflow."""
        state: Sequence[Array] = ()
        for chunk in chunks(sentences, PIECE):
            ids = [np.array(self.ids(words), np.intp) for words in chunk]
            if alone:
                logs: list[Any] = [None] * len(ids)
                for members, packing in batches(list(map(len, ids)), PIECE):
                    flat, _ = self._read([ids[i] for i in members], packing)
                    for k, i in enumerate(members):
                        logs[i] = flat[packing.sentence == k]
            else:
                whole = np.concatenate(ids)
                flat, state = self._read([whole], pack((len(whole),)), state)
                logs = list(cut(flat, ids))
            yield from map(self._scored, chunk, ids, logs)

    def _read(self, sequences: list[Array], packing: Packing,
              state: Sequence[Array] = ()) -> tuple[Array, Sequence[Array]]:
        """log P of the units of sequences, packed, each after an END, and the states at the end; one alone is read
        piece by piece."""
        ids = interleave([np.append(1, one[:-1]) for one in sequences], packing)
        targets = interleave(sequences, packing)
        if len(sequences) > 1:
            return self.log_probabilities(ids, targets, packing, state)
        logs = np.empty(len(targets))
        for start in range(0, len(targets), PIECE):
            at = slice(start, start + PIECE)
            logs[at], state = self.log_probabilities(ids[at], targets[at], pack((len(ids[at]),)), state)
        return logs, state

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
        ids, since, state = [1, *self.units.ids(begun)], 0, list[Array]()
        while True:
            scores, state = self._scores(np.array(ids, np.intp), pack((len(ids),)), state)
            unit = 1 + draw(scores[-1, 1:], temperature, rng) if since < most else 1
            since = 0 if unit == 1 else since + 1
            ids = [unit]
            yield self.units.strings[unit]

    # -------------------------------------------------------------- model folder

    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        """Options, id maps and arrays: what ``restore`` takes."""
        return self.options.to_dict(), {"units": self.units.strings}, self.params

    @staticmethod
    def checked(options: dict[str, Any], ids: dict[str, Any]) -> tuple[LanguageOptions, Vocab]:
        chosen, units = LanguageOptions.from_dict(options), vocabs(ids, ["units"])["units"]
        if units.strings[:2] != [UNKNOWN, END]:
            raise OptionError("units that do not begin with the end of a sentence", "its id is 1")
        return chosen, units


def spelt(words: Sequence[str], unit: str) -> list[str]:
    """The units of a sentence; characters are those of the words and of single spaces between them."""
    return [*(words if unit == "word" else " ".join(words)), END]
