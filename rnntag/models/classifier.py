"""Classifier: a network that gives each text one label.

    words -> word inputs and layers as a tagger has them -> h_1 .. h_T -> pooling -> [dense layers] -> softmax
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from ..errors import OptionError
from ..nn.layers import Array
from ..nn.packing import batches, interleave
from ..nn.pooling import AttentionPass
from ..text.features import FeatureMap, WordTable, normalized, stored_slots
from ..text.vocab import Vocab
from .answers import CHUNK_TOKENS, chunks
from .base import BATCH_TOKENS, NetworkModel, vocabs
from .network import Classes, Network, build
from .options import POOLINGS, Options, choice, number

ABSENT = {"vectors": 0, "members": 1, "sure": 1.0, "output": "softmax"}  # what is not there, and stands for it
WITHOUT = (*ABSENT, "freeze_vectors", "vector_dropout")  # options of a tagger that a classifier does not offer


@dataclass(frozen=True)
class ClassifierOptions(Options):
    """All that determines a classifier besides its texts. Raises OptionError for what does not fit."""

    pooling: str = choice("max", tuple(POOLINGS), "How the states of a text become one vector: the last ones, their "
                          "mean, their maximum, or attention to them.", "Network")
    epochs: int = number(6, 1, 100_000, "Passes over the training data.", "Training")
    batch_size: int = number(32, 1, 100_000, "Texts per update.", "Training")
    dropout: float = number(0.5, 0, 0.99, "Share of units dropped, of the input and of each layer.", "Training")

    def _check_together(self) -> None:
        super()._check_together()
        for name, value in ABSENT.items():
            if getattr(self, name) != value:
                raise OptionError(f"{name} {getattr(self, name)}", f"a classifier has {value}")
        if self.encoder == "cnn" and self.pooling == "last":
            raise OptionError("last with --encoder cnn", "a convolution has no last state", "Give max, mean or "
                              "attention.", "--pooling")


class Classified(NamedTuple):
    """The probability of each label (K,), and of a text with attention what each word weighs (T,)."""

    p: Array
    attention: Array | None


class Classifier(NetworkModel):
    """A trained (or freshly initialised) classifier.

    options    what the network is
    features   feature maps (features.py)
    labels     id map; class k is label id k + 1
    alphabet   id map of characters, or None
    """

    kind = "classifier"

    def __init__(self, options: ClassifierOptions, features: FeatureMap, labels: Vocab, alphabet: Vocab | None,
                 params: dict[str, Array]):
        super().__init__(options, features, labels, alphabet, params)
        self.options, self.features, self.labels, self.alphabet = options, features, labels, alphabet

    def __repr__(self) -> str:
        o = self.options
        return f"<Classifier: {len(self.labels) - 1} labels; {o.encoder}, {o.pooling}; {self.size:,} weights>"

    @classmethod
    def create(cls, texts: Iterable[Sequence[str]], labels: Iterable[str], options: ClassifierOptions,
               rng: np.random.Generator) -> Classifier:
        """A classifier with random weights for texts (lists of words) with these labels."""
        tokens = normalized(chain.from_iterable(texts), options.normalize)
        features = FeatureMap.build(tokens, options.feature_names, options.min_count)
        alphabet = Vocab(sorted(set(chain.from_iterable(tokens)))) if options.char_rnn else None
        return cls.untrained(rng, options, features, Vocab(sorted(set(labels))), alphabet)

    @staticmethod
    def network_of(options: ClassifierOptions, features: FeatureMap, labels: Vocab,
                   alphabet: Vocab | None) -> Network:
        return build(options, features.rows, {"label": Classes(len(labels) - 1)}, len(alphabet) if alphabet else 0,
                     ngrams=len(features.ngrams) if features.ngrams else 0, pooling=options.pooling)

    def word_table(self) -> WordTable:
        """An empty table for words as this classifier reads them."""
        return WordTable(self.features, self.alphabet, None, self.options.normalize)

    # -------------------------------------------------------------- using it

    def classify(self, texts: Iterable[Sequence[str]]) -> Iterator[str]:
        """The most probable label of each text (a list of words), in order, streaming."""
        for found in self.probabilities(texts):
            yield self.labels.strings[1 + int(found.p.argmax())]

    def probabilities(self, texts: Iterable[Sequence[str]]) -> Iterator[Classified]:
        """The probabilities of all labels, in the order of ``labels``, for each text; a text without words is read
        as an unknown word. Raises ModelError when scores overflow."""
        (output,) = self.network.outputs
        for chunk in chunks(texts, CHUNK_TOKENS):
            table, found = self.word_table(), [Classified(np.empty(0), None)] * len(chunk)
            types = [table.ids(words or [""]) for words in chunk]
            for members, packing in batches(list(map(len, types)), BATCH_TOKENS):
                ids = interleave([types[i] for i in members], packing)
                with np.errstate(over="ignore", invalid="ignore"):
                    y, caches = self.network.forward(self.params, table, ids, packing)
                    scores, _ = output.forward(self.params, y)
                a = next((cache.a for cache in caches if isinstance(cache, AttentionPass)), None)
                p = output.probabilities(self.params, self.finite(scores), packing)
                for k, i in enumerate(members):
                    found[i] = Classified(p[k], None if a is None else a[packing.sentence == k])
            yield from found

    # -------------------------------------------------------------- model folder

    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
        """Options, id maps and arrays: what ``restore`` takes."""
        ids: dict[str, Any] = {"labels": self.labels.strings, "features": {
            slot: vocab.strings for slot, vocab in self.features.vocabs.items()}}
        if self.alphabet is not None:
            ids["characters"] = self.alphabet.strings
        return self.options.to_dict(), ids, self.params

    @staticmethod
    def checked(options: dict[str, Any], ids: dict[str, Any]) -> tuple[Any, ...]:
        chosen = ClassifierOptions.from_dict(options)
        maps = vocabs(ids, ["labels", *(["characters"] if chosen.char_rnn else [])], ["features"])
        slots, labels = stored_slots(chosen.feature_names, maps["features"]), maps["labels"]
        if slots is None:
            raise OptionError("other features than the options", f"these have {chosen.features}")
        if len(labels) < 2:
            raise OptionError("no labels", "a classifier has at least one")
        return chosen, FeatureMap({slot: maps["features"][slot] for slot in slots}), labels, maps.get("characters")
