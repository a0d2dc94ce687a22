"""The network of a tagger: word inputs, a list of layers, an output layer for each column.

    word -> sum of feature embeddings [+ vector W_v] [+ characters' RNN W_c] -> x     (N, E)
    x -> stacked RNN (or convolution) -> h -> [dense layers] -> h W_o + b_o = scores   (N, K), for each column

What the network consists of is decided in ``build`` alone. Parameters are one flat dict of named arrays; the layers
tell their names and shapes. Nothing is kept on the object between forward and backward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ..nn.convolution import Convolution
from ..nn.layers import Array, Dense, Dropout, Layer, Shapes
from ..nn.packing import Lookup, Packing
from ..nn.recurrent import OneHotRecurrent, Recurrent
from ..text.features import WordTable
from .inputs import FEATURES, Characters, Embeddings, NGrams, OneHot, Vectors
from .options import CELLS, OUTPUTS, POOLINGS, Options


class Classes(NamedTuple):
    """The classes of a column.

    size     how many there are
    parts    which parts they have, as for ``Softmax``; None: they have none
    chains   do those of neighbours depend on each other? Otherwise a CRF has nothing to do, and it is a softmax
    """

    size: int
    parts: Array | None = None
    chains: bool = True


def build(options: Options, rows: int, columns: Mapping[str, Classes], characters: int = 0,
          vectors: int = 0, ngrams: int = 0, pooling: str = "") -> Network:
    """The network of given options and sizes.

    columns   what is answered, in order; the output layer of the first is called ``output``, another ``output.NAME``
    rows, characters, vectors, ngrams   sizes of the feature table, the alphabet (with its unknown), the table of
                                        pretrained vectors (with row 0 for none) and that of n-grams
    pooling   one of POOLINGS: then there is one answer for each sentence
    """
    o, E, D = options, options.embedding, options.directions
    cell, penalty = made(CELLS[o.cell])(o.activation), o.propagation_penalty if o.cell == "elman" else 0.0
    others: list[Any] = [Vectors(vectors, o.vectors, E, o.vector_dropout, o.freeze_vectors)] if o.vectors else []
    others += [Characters(characters, o.char_embedding, cell, o.char_rnn, E)] if o.char_rnn else []
    others += [NGrams(ngrams, E)] if ngrams else []
    inputs = Embeddings(rows, E, o.word_dropout, others) if E else OneHot(o.word_dropout)
    layers: list[Layer] = [Dropout(o.dropout)] if E else []
    width = E or rows
    for number in range(o.layers):
        if o.encoder == "cnn":
            layers.append(Convolution(f"cnn{number}", o.window, width, o.filters))
            width = o.filters
        else:
            kind = OneHotRecurrent if number == 0 and not E else Recurrent
            layers.append(kind(f"rnn{number}", cell, width, o.hidden, D, o.bptt, penalty))
            width = o.hidden * D
        layers.append(Dropout(o.dropout))
    if pooling:
        layers.append(made(POOLINGS[pooling])("pooling", width, D if o.encoder == "rnn" else 1))
    for number, (units, activation) in enumerate(o.dense_layers):
        layers += [Dense(f"dense{number}.W", f"dense{number}.b", width, units, activation), Dropout(o.dropout)]
        width = units
    outputs = [made(OUTPUTS[o.output if classes.chains else "softmax"])(
        f"output.{name}" if number else "output", width, classes.size, classes.parts)
        for number, (name, classes) in enumerate(columns.items())]
    return Network(inputs, layers, outputs)


def made(place: str) -> Any:
    """The class at ``module:name`` of nn."""
    module, name = place.split(":")
    return getattr(import_module(f"..nn.{module}", __package__), name)


class Network:
    """Word inputs, layers, an output layer for each column; ``context`` is the place of the first layer that looks at
    neighbours."""

    def __init__(self, inputs: OneHot, layers: list[Layer], outputs: list[Any]):
        self.inputs, self.layers, self.outputs = inputs, layers, outputs
        self.context = next(k for k, layer in enumerate(layers) if not layer.pointwise)

    # -------------------------------------------------------------- parameters

    def shapes(self) -> Shapes:
        """Name and shape of every parameter."""
        return {name: shape for part in (self.inputs, *self.layers, *self.outputs)
                for name, shape in part.shapes().items()}

    def initialise(self, rng: np.random.Generator, dtype: str = "float32") -> dict[str, Array]:
        """Random parameters; vectors 0, for the caller to fill."""
        return {name: array.astype(dtype) for part in (self.inputs, *self.layers, *self.outputs)
                for name, array in part.initialise(rng).items()}

    def networks(self, params: dict[str, Array]) -> list[tuple[Network, dict[str, Array]]]:
        """The networks that this consists of, with their parameters: itself."""
        return [(self, params)]

    @property
    def feature_tables(self) -> list[str]:
        """The parameters that have a row for each feature of the words."""
        first = self.layers[0]
        if isinstance(first, OneHotRecurrent):
            return [f"{first.name}.{d}.W_x" for d in first.directions]
        return [FEATURES]

    def separate(self, grads: dict[str, Any]) -> list[dict[str, Any]]:
        """The gradients in parts that are clipped apart: all together."""
        return [grads]

    # -------------------------------------------------------------- tagging

    def input_projection(self, params: dict[str, Array], words: WordTable, types: Array) -> Array:
        """All that depends on a word alone, for words in rows ``types`` (N,) of ``words``: what ``scores`` takes."""
        return self.projected(params, self.inputs.forward(params, words, types)[0])

    def projected(self, params: dict[str, Array], x: Array) -> Array:
        """The same from what the inputs give (N, E)."""
        for layer in self.layers[:self.context]:
            x, _ = layer.forward(params, x, None)
        return self.first.input_projection(params, x)

    def scores(self, params: dict[str, Array], z: Array, packing: Packing, tokens: Array | None = None,
               which: Sequence[int] = (0,)) -> list[Array]:
        """Scores (N, K) of some columns, by their numbers, from what ``input_projection`` gives, nothing dropped.

        tokens   (N,) which row of z each token has; by default they are one and the same
        """
        x, _ = self.first.run(params, z if tokens is None else Lookup(z, tokens), packing)
        return self.scores_of(params, x, packing, which)

    def scores_of(self, params: dict[str, Array], x: Array, packing: Packing,
                  which: Sequence[int] = (0,)) -> list[Array]:
        """The same from what the first layer that looks at neighbours gives (N, O); where no other layer looks at
        them, also for some of the tokens."""
        for layer in self.layers[self.context + 1:]:
            x, _ = layer.forward(params, x, packing)
        return [self.outputs[number].forward(params, x, packing)[0] for number in which]

    @property
    def first(self) -> Any:
        """The first layer that looks at neighbours."""
        return self.layers[self.context]

    # -------------------------------------------------------------- training

    def forward(self, params: dict[str, Array], words: WordTable, types: Array, packing: Packing,
                rng: np.random.Generator | None = None) -> tuple[Array, list[Any]]:
        """What the output layers get of packed tokens, and the caches; with a generator, words, vectors and units are
        dropped."""
        x, cache = self.inputs.forward(params, words, types, rng)
        caches = [cache]
        for layer in self.layers:
            x, cache = layer.forward(params, x, packing, rng)
            caches.append(cache)
        return x, caches

    def loss_and_gradient(self, params: dict[str, Array], words: WordTable, types: Array, targets: Array,
                          packing: Packing, rng: np.random.Generator | None) -> tuple[float, dict[str, Any]]:
        """The negative log-likelihood, its mean over the batch's sentences, and the gradient of that for every
        parameter (full gradient, seed 000, "RNN Full Gradient Calculation"): arrays, or Rows for what is looked
        up.

        targets   the class of each token in each column (N, C), -1: it has none, and no loss; the losses of the
                  columns are added up
        """
        h, (inputs, *caches) = self.forward(params, words, types, packing, rng)
        B, total, dx, grads = len(packing.lengths), 0.0, np.zeros_like(h), dict[str, Any]()
        for output, wanted in zip(self.outputs, targets.T, strict=True):
            scores, cache = output.forward(params, h, packing, rng)
            loss, dscores, more = _loss(output, params, scores, wanted, packing)
            dh, of_output = output.backward(params, dscores / B, cache)
            total, dx = total + loss / B, dx + dh
            grads |= of_output | {name: gradient / B for name, gradient in more.items()}
        for layer, cache in zip(reversed(self.layers), reversed(caches)):
            dx, of_layer = layer.backward(params, dx, cache)
            grads |= of_layer
        return total, grads | self.inputs.backward(params, dx, inputs)


def _loss(output: Any, params: dict[str, Array], scores: Array, targets: Array,
          packing: Packing) -> tuple[float, Array, dict[str, Any]]:
    """What the output layer's ``loss`` gives, of the tokens that have a target: under a CRF, of all."""
    there = np.flatnonzero(targets >= 0)
    if len(there) == len(targets):
        return output.loss(params, scores, targets, packing)
    dscores = np.zeros_like(scores)
    loss, dscores[there], more = output.loss(params, scores[there], targets[there], packing)
    return loss, dscores, more
