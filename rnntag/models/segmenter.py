"""Segmenter: a network that finds the ends of tokens and of sentences in text.

    text -> pieces, from one open place to the next (text/places.py) -> x: the sum of the embeddings of a piece's
    features, as a word's, and of the n-grams around it (N, E) -> bidirectional RNN -> h W_o + b_o = scores (N, 3)

A label says what is at the end of a piece: INSIDE a token, END of a token, or of a SENTENCE too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from ..corpus.segmented import Paragraph
from ..errors import OptionError
from ..nn.layers import Array, Dropout, look_up
from ..nn.output import Softmax
from ..nn.packing import batches
from ..nn.recurrent import Recurrent
from ..text.features import FeatureMap, stored_slots
from ..text.grams import KINDS, Grams
from ..text.multiword import Endings, Splitter, entries, from_entries
from ..text.pieces import PieceMap, Pieces
from ..text.places import MAX_PAIRS, Cut, Places
from .base import NetworkModel, vocabs
from .ensemble import Ensemble
from .inputs import FEATURES as PIECES, GRAMS, PieceInputs
from .network import Network, made
from .options import CELLS, TrainingOptions, choice, number
from .reading import INSIDE, SENTENCE, Reader

FEATURES = ("form", "lower", "prefixes", "suffixes", "shape")
ENDINGS = {False: "endings", True: "beginnings"}  # of tokens, by whether they are read from the end
WINDOW, CONTEXT = 128, 16  # pieces that are labelled together, and pieces read on either side of them
BATCH_PIECES = 16_384  # in one pass through the network
MAX_PIECES = 200_000  # distinct ones whose embeddings are kept


@dataclass(frozen=True)
class SegmenterOptions(TrainingOptions):
    """All that determines a segmenter besides its corpus. Raises OptionError for what does not fit."""

    min_count: int = number(1, 1, 10**9, "Features of pieces seen less often than this are unknown.", "Input")
    min_grams: int = number(2, 1, 10**9, "n-grams seen less often than this are unknown.", "Input")
    embedding: int = number(48, 1, 4096, "Width of the embeddings.", "Input")
    cell: str = choice("gru", ("gru", "lstm", "elman"), "Recurrent cell.", "Network")
    hidden: int = number(64, 1, 4096, "Hidden width, for each direction.", "Network")
    members: int = number(1, 1, 64, "Networks with other random weights, trained side by side; their "
                          "probabilities are averaged.", "Network")
    epochs: int = number(10, 1, 100_000, "Passes over the training data.", "Training")
    sequence: int = number(60, 1, 100_000, "Pieces of text in a sequence to learn from.", "Training")
    dropout: float = number(0.35, 0, 0.99, "Share of units dropped, of the input and of the output.", "Training")
    word_dropout: float = number(0.25, 0, 1e6, "a: a piece seen n times is read as unknown with probability "
                                 "a / (a + n).", "Training")
    gram_dropout: float = number(0.0, 0, 0.99, "Share of the n-grams that are read as unknown.", "Training")


class Segmenter(NetworkModel, Reader):
    """A trained (or freshly initialised) segmenter.

    places     which places of a text are open
    features   feature maps of pieces
    grams      n-grams of each of KINDS
    splitter   which tokens are several words, and which
    """

    kind = "segmenter"

    def __init__(self, options: SegmenterOptions, places: Places, features: FeatureMap, grams: Sequence[Grams],
                 splitter: Splitter, params: dict[str, Array]):
        super().__init__(options, places, features, grams, splitter, params)
        self.options, self.places, self.features, self.grams = options, places, features, list(grams)
        self.splitter = splitter
        self._pieces = self.pieces()
        self._embedded = np.empty((0, options.members * options.embedding), self.dtype)
        self._tables = dict[str, Array]()
        self._lock = Lock()  # of these three: one segmenter may serve several threads

    def __repr__(self) -> str:
        return f"<Segmenter: {len(self.splitter.seen):,} tokens of several words; {self.size:,} weights>"

    def __reduce__(self) -> Any:  # for pickle and copy: what it has remembered of pieces, and its lock, stay behind
        return Segmenter.restore, self.state(), {"info": self.info, "place": self.place}

    @classmethod
    def create(cls, paragraphs: Sequence[Paragraph], options: SegmenterOptions,
               rng: np.random.Generator) -> Segmenter:
        """A segmenter with random weights for a corpus."""
        places = Places.learnt(paragraphs)
        texts = [places.cut(paragraph.text).pieces for paragraph in paragraphs]
        features = PieceMap.build(chain.from_iterable(texts), FEATURES, options.min_count)
        grams = [Grams.build((list(map(symbol, text)) for text in texts), options.min_grams)
                 for symbol in KINDS.values()]
        return cls.untrained(rng, options, places, features, grams, Splitter.learnt(paragraphs))

    @staticmethod
    def network_of(options: SegmenterOptions, places: Places, features: FeatureMap, grams: Sequence[Grams],
                   splitter: Splitter) -> Network | Ensemble:
        o = options
        inputs = PieceInputs(features, grams, o.embedding, o.word_dropout, o.gram_dropout)
        cell = made(CELLS[o.cell])()
        layers = [Dropout(o.dropout), Recurrent("rnn0", cell, o.embedding, o.hidden, 2), Dropout(o.dropout)]
        network = Network(inputs, layers, [Softmax("output", 2 * o.hidden, 3)])
        return network if o.members == 1 else Ensemble([network] * o.members)

    def pieces(self) -> Pieces:
        """An empty table for pieces as this segmenter reads them."""
        return Pieces(self.features, self.grams)

    # -------------------------------------------------------------- segmenting

    def labels(self, text: str, stops: Sequence[int]) -> tuple[Cut, Array]:
        """The pieces of some texts that stand together in one string, up to the characters ``stops``, and the label
        of each (N,). The end of a text is that of a sentence.

        Raises ModelError when scores overflow.
        """
        cut = self.places.cut(text, stops)
        if not cut.pieces:
            return cut, cut.ends
        scores = self._scores(self._embeddings(cut), cut.text)
        scores[cut.space & ~cut.inner, INSIDE] = -np.inf
        labels = scores.argmax(axis=1)
        labels[np.flatnonzero(np.append(np.diff(cut.text), 1))] = SENTENCE
        return cut, labels

    def _embeddings(self, cut: Cut) -> Array:
        """x (N, M E) of all pieces, for each of M members; those of distinct pieces are kept, for they depend on the
        piece alone."""
        with self._lock, np.errstate(over="ignore", invalid="ignore"):
            if len(self._pieces.table) + len(set(cut.pieces)) > MAX_PIECES:
                self._pieces, self._embedded = self.pieces(), self._embedded[:0]
            rows, done = self._pieces.rows(cut.pieces, cut.text), len(self._embedded)
            if len(self._pieces.table) > done:
                new = look_up(self._table(PIECES), self._pieces.table.features[done:])
                self._embedded = np.concatenate((self._embedded, new))
            return self._embedded[rows[:, 0]] + look_up(self._table(GRAMS), rows[:, 1:])

    def _table(self, name: str) -> Array:
        """A table of embeddings (V, M E), those of M members side by side."""
        if name not in self._tables:
            parts = [alone[name] for _, alone in self.network.networks(self.params)]
            self._tables[name] = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return self._tables[name]

    def _scores(self, x: Array, text: Array) -> Array:
        """Scores (N, 3): each piece is read with CONTEXT pieces on either side, or what its text has of them."""
        windows = list(_windows(np.flatnonzero(np.diff(text, prepend=-1, append=-1))))
        scores = np.empty((len(x), 3), self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # the weights of a stranger may be as large as they like
            for members, packing in batches([window.stop - window.start for window in windows], BATCH_PIECES):
                chosen = np.array([windows[i] for i in members])[packing.sentence]
                at = chosen[:, 0] + packing.time
                own = (at >= chosen[:, 2]) & (at < chosen[:, 3])
                z = self.network.projected(self.params, x[at])  # as if looked up: so it is not copied, step by step
                scores[at[own]] = self.network.scores(self.params, z, packing, np.arange(len(at)))[0][own]
        return self.finite(scores)

    # -------------------------------------------------------------- model folder

    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        """Options, id maps and arrays: what ``restore`` takes."""
        lists = {"solid": self.places.solid, "open": self.places.open, "closed": self.places.closed,
                 "inner": self.places.inner, "pairs": self.places.pairs, "several": entries(self.splitter.seen),
                 "whole": sorted(self.splitter.whole),
                 **{ENDINGS[rules.backwards]: entries(rules.rules) for rules in self.splitter.unseen}}
        ids: dict[str, Any] = {name: ["", *strings] for name, strings in lists.items()}
        for name, kind in zip(KINDS, self.grams):
            ids |= {f"{name} {n}": vocab.strings for n, vocab in enumerate(kind.vocabs, 1)}
        ids["features"] = {slot: vocab.strings for slot, vocab in self.features.vocabs.items()}
        return self.options.to_dict(), ids, self.params

    @staticmethod
    def checked(options: dict[str, Any], ids: dict[str, Any]) -> tuple[Any, ...]:
        """Validated options, and what the id maps are, no more and no less."""
        chosen = SegmenterOptions.from_dict(options)
        lists = {"solid", "open", "closed", "inner", "pairs", "several", "whole", *(ids.keys() & ENDINGS.values()),
                 *(f"{name} {n}" for name in KINDS for n in (1, 2, 3))}
        maps = vocabs(ids, lists, ["features"])
        slots = maps.pop("features")
        if stored_slots(FEATURES, slots) != tuple(slots):
            raise OptionError("other features than a segmenter's", f"these are {', '.join(FEATURES)}")
        own = {name: vocab.strings[1:] for name, vocab in maps.items()}
        for name, size, most in (("solid", 1, 64), ("pairs", 2, MAX_PAIRS)):
            if len(own[name]) > most or any(len(string) != size for string in own[name]):
                raise OptionError(f"{len(own[name]):,} {name}, or one of another length",
                                  f"there are at most {most:,}, of {size} characters")
        unseen = [Endings(from_entries(own[name], 2), backwards)
                  for backwards, name in ENDINGS.items() if name in own]
        splitter = Splitter(from_entries(own["several"], 1), own["whole"], unseen)
        return (chosen, Places(*(own[name] for name in ("solid", "open", "closed", "inner", "pairs"))),
                PieceMap(slots), [Grams([maps[f"{name} {n}"] for n in (1, 2, 3)]) for name in KINDS], splitter)


class Window(NamedTuple):
    """Pieces that are read together, from ``start`` to ``stop``, and those whose scores are taken from it."""

    start: int
    stop: int
    first: int
    end: int


def _windows(borders: Array) -> Iterator[Window]:
    """Texts between borders in windows: a short one is one window."""
    for start, stop in zip(borders.tolist(), borders[1:].tolist()):
        size = stop - start if stop - start <= WINDOW + 2 * CONTEXT else WINDOW
        for first in range(start, stop, size):
            end = min(first + size, stop)
            yield Window(max(start, first - CONTEXT), min(end + CONTEXT, stop), first, end)
