"""Classifier: a network that gives each text one label.

    words -> word inputs and layers as a tagger has them -> h_1 .. h_T -> pooling -> [dense layers] -> softmax
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import ModelError, OptionError
from ..nn.layers import Array, Shapes
from ..nn.pooling import AttentionPass
from ..text.features import FeatureMap, WordTable, normalized, stored_slots
from ..text.vocab import Vocab
from .network import Classes, Network, build
from .options import POOLINGS, Options, choice, number
from .tagger import BATCH_TOKENS, CHUNK_TOKENS, MAX_SCORE, batches, chunks

ABSENT = {"vectors": 0, "members": 1, "output": "softmax"}  # what a classifier has not, and stands for it
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


class Classifier:
    """A trained (or freshly initialised) classifier.

    options    what the network is
    features   feature maps (features.py)
    labels     id map; class k is label id k + 1
    alphabet   id map of characters, or None
    params     name to array
    """

    kind = "classifier"
    dtype = "float32"
    place: str | Path = ""  # the folder that it was loaded from, for messages

    def __init__(self, options: ClassifierOptions, features: FeatureMap, labels: Vocab, alphabet: Vocab | None,
                 params: dict[str, Array]):
        self.options, self.features, self.labels, self.alphabet = options, features, labels, alphabet
        self.params, self.network = params, _network(options, features, labels, alphabet)
        self.info: dict[str, Any] = {}
        self.parts: dict[str, Any] = {}

    def __repr__(self) -> str:
        size = sum(array.size for array in self.params.values())
        return (f"<Classifier: {len(self.labels) - 1} labels; {self.options.encoder}, {self.options.pooling}; "
                f"{size:,} weights>")

    @classmethod
    def create(cls, texts: Iterable[Sequence[str]], labels: Iterable[str], options: ClassifierOptions,
               rng: np.random.Generator) -> Classifier:
        """A classifier with random weights for texts (lists of words) with these labels."""
        tokens = normalized(chain.from_iterable(texts), options.normalize)
        features = FeatureMap.build(tokens, options.feature_names, options.min_count)
        alphabet = Vocab(sorted(set(chain.from_iterable(tokens)))) if options.char_rnn else None
        names = Vocab(sorted(set(labels)))
        params = _network(options, features, names, alphabet).initialise(rng, cls.dtype)
        return cls(options, features, names, alphabet, params)

    def with_params(self, params: dict[str, Array]) -> Classifier:
        """The same classifier with other weights."""
        return Classifier(self.options, self.features, self.labels, self.alphabet, params)

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
                starts = np.cumsum(packing.lengths) - packing.lengths
                ids = np.concatenate([types[i] for i in members])[starts[packing.sentence] + packing.time]
                with np.errstate(over="ignore", invalid="ignore"):
                    y, caches = self.network.forward(self.params, table, ids, packing)
                    scores, _ = output.forward(self.params, y)
                if not abs(scores).max() <= MAX_SCORE:
                    raise ModelError("weights so large that scores overflow", "no training ends with such weights",
                                     "Train it again, or fetch it again from where it came.", self.place)
                a = next((cache.a for cache in caches if isinstance(cache, AttentionPass)), None)
                p = output.probabilities(self.params, scores, packing)
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

    @classmethod
    def shapes(cls, options: dict[str, Any], ids: dict[str, Any]) -> Shapes:
        """Name and shape of every array of a model with these options and id maps.

        Raises OptionError when they do not fit.
        """
        return _network(*_check(options, ids)).shapes()

    @classmethod
    def restore(cls, options: dict[str, Any], ids: dict[str, Any], arrays: dict[str, Array]) -> Classifier:
        """The classifier that ``state`` described."""
        return cls(*_check(options, ids), arrays)


def _network(options: ClassifierOptions, features: FeatureMap, labels: Vocab, alphabet: Vocab | None) -> Network:
    return build(options, features.rows, {"label": Classes(len(labels) - 1)}, len(alphabet) if alphabet else 0,
                 ngrams=len(features.ngrams) if features.ngrams else 0, pooling=options.pooling)


def _check(options: dict[str, Any], ids: dict[str, Any]) -> tuple[ClassifierOptions, FeatureMap, Vocab, Vocab | None]:
    """Validated options, and the id maps that they call for, no more and no less."""
    checked = ClassifierOptions.from_dict(options)
    wanted = {"labels", "features", *(["characters"] if checked.char_rnn else [])}
    found: Any = ids.get("features")
    slots = stored_slots(checked.feature_names, found) if isinstance(found, dict) else None
    if ids.keys() != wanted or slots is None or any(isinstance(ids[name], dict) for name in wanted - {"features"}) \
            or any(isinstance(strings, dict) for strings in found.values()):
        raise OptionError("id maps that do not fit the options", f"these call for {', '.join(sorted(wanted))}")
    if len(ids["labels"]) < 2:
        raise OptionError("no labels", "a classifier has at least one")
    features = FeatureMap({slot: Vocab(found[slot][1:]) for slot in slots})
    return checked, features, Vocab(ids["labels"][1:]), Vocab(ids["characters"][1:]) if checked.char_rnn else None
