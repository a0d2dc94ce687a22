"""The network: word inputs, encoder, dense layers, output, composed.

    word -> sum of feature embeddings [+ vector W_v] [+ characters' RNN W_c] -> x     (N, E)
    x -> stacked RNN (or convolution) -> h -> [dense layers] -> h W_o + b_o = scores   (N, K)

With ``embedding`` 0 the input is one-hot and the first layer's W_x is the table that is looked up.
Parameters are one flat dict of named arrays; ``shapes`` tells their names and shapes from the
options and sizes alone. Nothing is kept on the object between forward and backward.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .cells import CELLS, FORGET_BIAS
from .features import WordTable
from .layers import (Array, Rows, dense_backward, dense_forward, dropout_backward, dropout_forward,
                     embedding_backward, embedding_forward)
from .options import Options
from .output import OUTPUTS
from .rnn import DIRECTIONS, Packing, layer_backward, layer_forward, pack, project, project_backward

FEATURES, VECTORS, CHARACTERS = "features.table", "vectors.table", "characters.table"


class Network:
    """A network of given options and sizes.

    rows, tags, characters, vectors   sizes of the feature table, the tag set, the alphabet (with
    its unknown) and the table of pretrained vectors (with row 0 for none)
    """

    def __init__(self, options: Options, rows: int, tags: int, characters: int = 0, vectors: int = 0):
        self.options, self.rows, self.tags = options, rows, tags
        self.characters, self.vectors = characters, vectors
        self.cell = CELLS[options.cell](options.activation)
        self.output = OUTPUTS[options.output]
        self.directions = DIRECTIONS[:options.directions]

    # -------------------------------------------------------------- parameters

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every parameter."""
        o = self.options
        shapes: dict[str, tuple[int, ...]] = {}
        width = o.embedding or self.rows
        if o.embedding and self.rows:
            shapes[FEATURES] = (self.rows, o.embedding)
        if o.vectors:
            shapes |= {VECTORS: (self.vectors, o.vectors), "vectors.W": (o.vectors, o.embedding)}
        if o.char_rnn:
            shapes[CHARACTERS] = (self.characters, o.char_embedding)
            shapes |= self._rnn_shapes("characters", o.char_embedding, o.char_rnn, DIRECTIONS)
            shapes["characters.W"] = (2 * o.char_rnn, o.embedding)
        for layer in range(o.layers):
            if o.encoder == "cnn":
                shapes |= {f"cnn{layer}.W": (o.window * width, o.filters), f"cnn{layer}.b": (o.filters,)}
                width = o.filters
            else:
                shapes |= self._rnn_shapes(f"rnn{layer}", width, o.hidden, self.directions)
                width = o.hidden * len(self.directions)
        for number, (units, _) in enumerate(o.dense_layers):
            shapes |= {f"dense{number}.W": (width, units), f"dense{number}.b": (units,)}
            width = units
        shapes |= {"output.W_o": (width, self.tags), "output.b_o": (self.tags,)}
        return shapes | self.output.shapes(self.tags)

    def _rnn_shapes(self, name: str, I: int, H: int, directions: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
        n = self.cell.gates
        return {f"{name}.{d}.{key}": shape for d in directions
                for key, shape in (("W_x", (I, n * H)), ("W_h", (H, n * H)), ("b", (n * H,)))}

    def initialise(self, rng: np.random.Generator, dtype: str = "float32") -> dict[str, Array]:
        """Random parameters: matrices uniform in +-sqrt(6 / (in + out)) (Glorot and Bengio 2010),
        embeddings normal, biases 0, the forget gate's bias 1; vectors 0, for the caller to fill."""
        params = {}
        for name, shape in self.shapes().items():
            if name == VECTORS or len(shape) == 1 or name == "output.transition":
                array = np.zeros(shape)
            elif name in (FEATURES, CHARACTERS) or self.one_hot(name):
                array = rng.normal(0, 0.1 if self.one_hot(name) else 0.3, shape)
            else:
                bound = math.sqrt(6 / sum(shape))
                array = rng.uniform(-bound, bound, shape)
            if name.endswith(".b") and self.options.cell == "lstm" and name.startswith(("rnn", "characters")):
                H = shape[0] // 4
                array[H:2 * H] = FORGET_BIAS
            params[name] = array.astype(dtype)
        return params

    def one_hot(self, name: str) -> bool:
        """Is the parameter a first layer's W_x that is looked up, not multiplied?"""
        return not self.options.embedding and name.startswith("rnn0.") and name.endswith("W_x")

    # -------------------------------------------------------------- word inputs

    def embed(self, params: dict[str, Array], words: WordTable, types: Array,
              rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        """What the first layer gets of each word: x (N, E), or z (N, DnH) when input is one-hot.

        types (N,) rows of ``words``. With a generator, words and vectors are dropped (training).
        """
        o = self.options
        ids = words.features[types]
        if rng is not None and o.word_dropout:
            dropped = np.flatnonzero(rng.random(len(types), dtype=np.float32) < words.dropout[types])
            ids[dropped] = words.unseen[types[dropped]]
        if not o.embedding:
            return np.concatenate([embedding_forward(params[f"rnn0.{d}.W_x"], ids)[0] + params[f"rnn0.{d}.b"]
                                   for d in self.directions], axis=1), ids
        x = embedding_forward(params[FEATURES], ids)[0] if ids.shape[1] else np.zeros(
            (len(types), o.embedding), params["output.b_o"].dtype)
        v = keep = c = None
        if o.vectors:
            keep = words.vectors[types]
            if rng is not None and o.vector_dropout:
                keep = keep * (rng.random(len(types), dtype=np.float32) >= o.vector_dropout)
            v = params[VECTORS][keep]
            x += v @ params["vectors.W"]
        if o.char_rnn:
            y, c = self._characters(params, words, types)
            x += y
        return x, (ids, v, keep, c)

    def embed_backward(self, params: dict[str, Array], dx: Array, cache: Any) -> dict[str, Any]:
        """Gradients of everything below the first layer, from dx (N, E)."""
        ids, v, keep, c = cache
        o, grads = self.options, {}
        if ids.shape[1]:
            grads[FEATURES] = embedding_backward(dx, ids)
        if o.vectors:
            grads["vectors.W"] = v.T @ dx
            if not o.freeze_vectors:
                rows = embedding_backward(dx @ params["vectors.W"].T, keep[:, None])
                start = int(len(rows.ids) > 0 and rows.ids[0] == 0)  # row 0 stays 0: no vector
                grads[VECTORS] = Rows(rows.ids[start:], rows.values[start:])
        if o.char_rnn:
            grads |= self._characters_backward(params, dx, c)
        return grads

    def _characters(self, params: dict[str, Array], words: WordTable, types: Array) -> tuple[Array, Any]:
        """The hierarchical RNN (seed 002): final states of both directions over the characters of
        each distinct word, [h_fwd, h_bwd] W_c; returns y (N, E) and the cache."""
        distinct, inverse = np.unique(types, return_inverse=True)
        lengths = np.array([len(words.characters[word]) for word in distinct])
        order = np.argsort(-lengths, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        packing = pack(tuple(lengths[order].tolist()))
        ids = interleave([words.characters[word] for word in distinct[order]], packing)[:, None]
        x, _ = embedding_forward(params[CHARACTERS], ids)
        z = project(params, "characters", x, 2)
        _, rnn = layer_forward(params, "characters", z, packing, self.cell, 2)
        final = rnn[2][0][packing.reading(2).last.T].reshape(len(order), -1)
        which = place[inverse]
        return (final @ params["characters.W"])[which], (which, final, ids, x, rnn)

    def _characters_backward(self, params: dict[str, Array], dy: Array, cache: Any) -> dict[str, Any]:
        which, final, ids, x, rnn = cache
        packing = rnn[3]
        dwords = embedding_backward(dy, which[:, None]).dense(np.empty((len(final), dy.shape[1]), dy.dtype))
        dfinal = (dwords @ params["characters.W"].T).reshape(len(final), 2, -1)
        dh = np.zeros((len(packing), *dfinal.shape[1:]), dy.dtype)
        last = packing.last - len(final)
        dh[last, 0] = dfinal[:, 0]
        dh[packing.reverse[last], 1] = dfinal[:, 1]  # the backward direction ends at the first character
        dz, grads, _ = layer_backward("characters", dh.reshape(len(packing), -1), rnn)
        dx, projection = project_backward(params, "characters", dz, x)
        return {**grads, **projection, "characters.W": final.T @ dwords,
                CHARACTERS: embedding_backward(dx, ids)}

    # -------------------------------------------------------------- forward and backward

    def first(self, params: dict[str, Array], x: Array) -> Array:
        """What can be computed once a word when tagging: the first layer's projection z (N, DnH);
        for a convolution x itself (N, E)."""
        if self.options.encoder == "cnn" or not self.options.embedding:
            return x
        return project(params, "rnn0", x, len(self.directions))

    def encode(self, params: dict[str, Array], z: Array, packing: Packing,
               rng: np.random.Generator | None = None, tokens: Array | None = None) -> tuple[Array, Any]:
        """From what ``first`` gives to scores (N, K); with a generator, units are dropped.

        tokens   (N,) which row of z each token has; by default they are one and the same
        """
        o, x = self.options, z
        caches: list[tuple[Any, Any, Any]] = []
        for layer in range(o.layers):
            if o.encoder == "cnn":
                x = (z if tokens is None else z[tokens]) if layer == 0 else x
                h, cache = self._convolve(params, layer, x, packing)
            else:
                if layer > 0:
                    z, tokens = project(params, f"rnn{layer}", x, len(self.directions)), None
                h, cache = layer_forward(params, f"rnn{layer}", z, packing, self.cell, len(self.directions),
                                         tokens=tokens)
            below, (x, mask) = x, dropout_forward(h, o.dropout, rng)
            caches.append((below, cache, mask))
        for number, (_, activation) in enumerate(o.dense_layers):
            y, cache = dense_forward(params[f"dense{number}.W"], params[f"dense{number}.b"], x, activation)
            x, mask = dropout_forward(y, o.dropout, rng)
            caches.append((None, cache, mask))
        scores, cache = dense_forward(params["output.W_o"], params["output.b_o"], x, "linear")
        return scores, (caches, cache)

    def head_backward(self, params: dict[str, Array], dscores: Array, cache: Any) -> tuple[Array, dict]:
        """From dscores (N, K) down through the output and the dense layers to the encoder's output."""
        o, grads = self.options, {}
        caches, top = cache
        dx, grads["output.W_o"], grads["output.b_o"] = dense_backward(params["output.W_o"], dscores, top, "linear")
        for number, (_, activation) in reversed(list(enumerate(o.dense_layers))):
            _, cache, mask = caches[o.layers + number]
            dx, grads[f"dense{number}.W"], grads[f"dense{number}.b"] = dense_backward(
                params[f"dense{number}.W"], dropout_backward(dx, mask), cache, activation)
        return dx, grads

    def encode_backward(self, params: dict[str, Array], dscores: Array, cache: Any) -> tuple[Array, dict]:
        """Gradient of ``encode``: dscores (N, K) to dz of the first layer and the gradients above."""
        o, (caches, _) = self.options, cache
        dx, grads = self.head_backward(params, dscores, cache)
        for layer in reversed(range(o.layers)):
            below, cache, mask = caches[layer]
            dh = dropout_backward(dx, mask)
            if o.encoder == "cnn":
                dx, found = self._convolve_backward(params, layer, dh, cache)
                dz = dx
            else:
                dz, found, _ = layer_backward(f"rnn{layer}", dh, cache, o.bptt)
                if layer > 0:
                    dx, projection = project_backward(params, f"rnn{layer}", dz, below)
                    found |= projection
            grads |= found
        return dz, grads

    def _convolve(self, params: dict[str, Array], layer: int, x: Array, packing: Packing) -> tuple[Array, Any]:
        """y_t = relu([x_{t-w} ... x_{t+w}] W + b), zeros beyond the sentence (seed 004)."""
        rows = neighbours(packing, self.options.window)
        padded = np.concatenate((x, np.zeros_like(x[:1])))
        windows = padded[rows].reshape(len(x), -1)
        y, cache = dense_forward(params[f"cnn{layer}.W"], params[f"cnn{layer}.b"], windows, "relu")
        return y, (rows, cache)

    def _convolve_backward(self, params: dict[str, Array], layer: int, dy: Array, cache: Any) -> tuple[Array, dict]:
        rows, cache = cache
        dwindows, dW, db = dense_backward(params[f"cnn{layer}.W"], dy, cache, "relu")
        dwindows = dwindows.reshape(*rows.shape, -1)
        padded = np.zeros((len(dy) + 1, dwindows.shape[2]), dy.dtype)
        for k in range(rows.shape[1]):  # at one offset no two tokens have the same neighbour
            inside = rows[:, k] < len(dy)
            padded[rows[inside, k]] += dwindows[inside, k]
        return padded[:-1], {f"cnn{layer}.W": dW, f"cnn{layer}.b": db}

    def scores(self, params: dict[str, Array], words: WordTable, types: Array, packing: Packing) -> Array:
        """Scores (N, K) of packed tokens, nothing dropped."""
        x, _ = self.embed(params, words, types)
        return self.encode(params, self.first(params, x), packing)[0]

    def loss_and_gradient(self, params: dict[str, Array], words: WordTable, types: Array, targets: Array,
                          packing: Packing, rng: np.random.Generator | None) -> tuple[float, dict[str, Any]]:
        """The negative log-likelihood, its mean over the batch's sentences, and the gradient of that for every
        parameter (full gradient, seed 000, "RNN Full Gradient Calculation"): arrays, or Rows for what is looked
        up."""
        o = self.options
        x, embedded = self.embed(params, words, types, rng)
        if o.embedding:
            x, mask = dropout_forward(x, o.dropout, rng)
        scores, cache = self.encode(params, self.first(params, x), packing, rng)
        loss, dscores, of_output = self.output.loss(params, scores, targets, packing)
        B = len(packing.lengths)
        loss, of_output = loss / B, {name: gradient / B for name, gradient in of_output.items()}
        dz, found = self.encode_backward(params, dscores / B, cache)
        grads: dict[str, Any] = of_output | found
        if not o.embedding:
            dz = dz.reshape(len(dz), len(self.directions), -1).swapaxes(0, 1)
            grads |= {f"rnn0.{d}.W_x": embedding_backward(dz_d, embedded) for d, dz_d in zip(self.directions, dz)}
            return loss, grads
        if o.encoder == "cnn":
            dx = dz
        else:
            dx, projection = project_backward(params, "rnn0", dz, x)
            grads |= projection
        return loss, grads | self.embed_backward(params, dropout_backward(dx, mask), embedded)

    @staticmethod
    def separate(grads: dict[str, Any]) -> list[dict[str, Any]]:
        """The gradients in parts that are clipped apart: of one network, all together."""
        return [grads]


def interleave(sequences: list[Array], packing: Packing) -> Array:
    """Sequences, longest first, in the packed order of their tokens."""
    if len(sequences) == 1:
        return sequences[0]
    starts = np.cumsum(packing.lengths) - packing.lengths
    return np.concatenate(sequences)[starts[packing.sentence] + packing.time]


def neighbours(packing: Packing, window: int) -> Array:
    """Token rows (N, window) around each token; N where the sentence has ended."""
    L, N = packing.lengths, len(packing)
    sizes = np.bincount(packing.time)
    starts = np.cumsum(sizes) - sizes
    time = packing.time[:, None] + np.arange(window) - window // 2
    inside = (time >= 0) & (time < L[packing.sentence, None])
    return np.where(inside, starts[np.clip(time, 0, len(sizes) - 1)] + packing.sentence[:, None], N)
