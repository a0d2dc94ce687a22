"""Transducer: strings in, strings out; an encoder-decoder with its id maps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from ..corpus.pairs import UNITS, Pair, Question
from ..nn.beam import search
from ..nn.layers import Array
from ..text.vocab import Vocab
from .base import NetworkModel, vocabs
from .encoder_decoder import Encoded, EncoderDecoder
from .network import made
from .options import CELLS, TrainingOptions, choice, number

ATTENTIONS = {"dot": "attention:Dot", "additive": "attention:Additive"}  # module and class in nn
CHUNK = 4_096  # questions held at once
BATCH_SYMBOLS = 16_384  # symbols of sources in one pass, once for each beginning in the beam


@dataclass(frozen=True)
class TransducerOptions(TrainingOptions):
    """All that determines a transducer besides its pairs. Raises OptionError for what does not fit."""

    unit: str = choice("char", UNITS, "What a symbol is: a character, or a token between single spaces.", "Input")
    min_count: int = number(2, 1, 10**9, "Symbols in fewer pairs than this are unknown; when an unknown one is "
                            "written, it is the symbol that attention is at.", "Input")
    embedding: int = number(48, 1, 4096, "Width of the embeddings.", "Input")
    cell: str = choice("gru", tuple(CELLS), "Recurrent cell.", "Network")
    hidden: int = number(96, 1, 4096, "Hidden width, for each direction of the encoder.", "Network")
    attention: str = choice("dot", tuple(ATTENTIONS), "How attention scores.", "Network")
    dropout: float = number(0.2, 0, 0.99, "Share of units dropped, of the input and of each layer.", "Training")
    learning_rate: float = number(0.003, 1e-12, 1e6, "Step size.", "Training")


class Answer(NamedTuple):
    """An output string as symbols, and log P of it."""

    symbols: list[str]
    log_probability: float


class Transducer(NetworkModel):
    """A trained (or freshly initialised) transducer.

    source, target   id maps of the symbols; the id after the last is the end
    tags             id map of the tags, empty for a transducer without
    """

    kind = "transducer"

    def __init__(self, options: TransducerOptions, source: Vocab, target: Vocab, tags: Vocab,
                 params: dict[str, Array]):
        super().__init__(options, source, target, tags, params)
        self.options, self.source, self.target, self.tags = options, source, target, tags

    def __repr__(self) -> str:
        return f"<Transducer: {len(self.source) - 1} to {len(self.target) - 1} symbols, {self.size:,} weights>"

    @classmethod
    def create(cls, pairs: Sequence[Pair], options: TransducerOptions, rng: np.random.Generator) -> Transducer:
        """A transducer with random weights for these pairs."""
        source, target = (Vocab.build(chain.from_iterable(map(set, side)), options.min_count)
                          for side in zip(*((pair.source, pair.target) for pair in pairs)))
        tags = Vocab.build(chain.from_iterable(pair.tags for pair in pairs))
        return cls.untrained(rng, options, source, target, tags)

    @staticmethod
    def network_of(options: TransducerOptions, source: Vocab, target: Vocab, tags: Vocab) -> EncoderDecoder:
        o = options
        return EncoderDecoder(made(CELLS[o.cell])(), made(ATTENTIONS[o.attention]), len(source) + 1, len(target) + 1,
                              len(tags) if len(tags) > 1 else 0, o.embedding, o.hidden, o.dropout)

    # -------------------------------------------------------------- strings to arrays

    def source_ids(self, symbols: Sequence[str]) -> Array:
        """Ids of a source, and of its end: so none is empty."""
        return np.array([*self.source.ids(symbols), len(self.source)], np.intp)

    def target_ids(self, symbols: Sequence[str]) -> Array:
        """Ids of a target, and of its end."""
        return np.array([*self.target.ids(symbols), len(self.target)], np.intp)

    def tag_ids(self, tags: Iterable[Sequence[str]]) -> Array:
        """Ids of several sets of tags, filled up with 0: (B, F)."""
        found = [self.tags.ids(names) for names in tags]
        width = max(1, max(map(len, found), default=1))
        return np.array([ids + [0] * (width - len(ids)) for ids in found], np.intp).reshape(-1, width)

    # -------------------------------------------------------------- answers

    def transduce(self, questions: Iterable[Question], beam: int = 4,
                  ahead: int | None = None) -> Iterator[list[Answer]]:
        """The most probable answers that a beam of this width finds to each question, best first; streaming.

        ahead   so many questions are read at once (default: CHUNK)
        """
        questions = iter(questions)
        while chunk := list(islice(questions, ahead or CHUNK)):
            keys = [Question(tuple(question.source), question.tags) for question in chunk]
            answers: dict[Question, list[Answer]] = {}
            distinct = sorted(set(keys), key=lambda question: -len(question.source))
            while distinct:
                size = max(1, BATCH_SYMBOLS // (beam * (len(distinct[0].source) + 1)))
                batch, distinct = distinct[:size], distinct[size:]
                answers |= zip(batch, self._answers(batch, beam))
            yield from (answers[key] for key in keys)

    def _answers(self, questions: list[Question], beam: int) -> list[list[Answer]]:
        sources = [self.source_ids(question.source) for question in questions]
        tags = self.tag_ids(question.tags for question in questions)
        with np.errstate(over="ignore", invalid="ignore"):  # the weights of a stranger may be as large as they like
            encoded, _ = self.network.encode(self.params, sources, tags)
            found = search(lambda *at: self._step(encoded, *at), encoded.initial,
                           np.array([limit(len(source)) for source in sources]), self.network.end, beam)
        return [[Answer(self._symbols(h.symbols, question), h.log_probability) for h in hypotheses]
                for question, hypotheses in zip(questions, found)]

    def _step(self, encoded: Encoded, *at: Array) -> tuple[Array, Array]:
        log_p, state = self.network.step(self.params, encoded, *at)
        return self.finite(log_p), state

    def _symbols(self, ids: list[int], question: Question) -> list[str]:
        """The symbols of an answer; for one that is unknown, the one of the source that attention is at."""
        symbols = [self.target.strings[k] for k in ids]
        if 0 in ids and question.source:
            at = self._weights([question], [np.array([*ids, self.network.end])])[0][:, :-1].argmax(axis=1)
            return [symbol or question.source[j] for symbol, j in zip(symbols, at)]
        return symbols

    def alignments(self, pairs: Sequence[Pair]) -> list[Array]:
        """The weights of attention for each pair: (I + 1, S + 1), rows for the symbols of the target and its end,
        columns for those of the source and its end."""
        return self._weights(pairs, [self.target_ids(pair.target) for pair in pairs])

    def _weights(self, questions: Sequence[Question | Pair], targets: Sequence[Array]) -> list[Array]:
        sources = [self.source_ids(question.source) for question in questions]
        tags = self.tag_ids(question.tags for question in questions)
        with np.errstate(over="ignore", invalid="ignore"):
            return list(map(self.finite, self.network.alignments(self.params, sources, tags, targets)))

    # -------------------------------------------------------------- model folder

    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        """Options, id maps and arrays: what ``restore`` takes."""
        return self.options.to_dict(), {name: getattr(self, name).strings for name in MAPS}, self.params

    @staticmethod
    def checked(options: dict[str, Any], ids: dict[str, Any]) -> tuple[Any, ...]:
        return TransducerOptions.from_dict(options), *map(vocabs(ids, MAPS).get, MAPS)


MAPS = ("source", "target", "tags")


def limit(length: int) -> int:
    """The most symbols that are written for a source of this length."""
    return 3 * length + 20
