"""The network of a transducer: an encoder reads a sequence, a decoder with attention writes another.

    x_j = source[x_j] + sum of the tags' embeddings        h_j = bidirectional RNN over x_1 .. x_S
    s_0 = tanh([h_S forward, h_1 backward] W_s + b_s)      s_i = RNN(s_{i-1}, target[y_{i-1}] + tags)
    c_i = attention of s_i to h_1 .. h_S                   o_i = tanh([s_i, c_i] W_o + b_o)
    P(y_i | y_1 .. y_{i-1}, x) = softmax(o_i W + b)        y_0 = y_I = end

(seed 001, "Translation"; attention after the recurrent layer as in Luong et al. 2015.) No s_i depends on attention,
so with teacher forcing (seed 001) the decoder reads the whole target y_0 .. y_{I-1} in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..nn.attention import Memory
from ..nn.layers import Array, Dense, Dropout, Embedding, Layer, Shapes, log_softmax
from ..nn.output import Softmax
from ..nn.packing import interleave, pack, pad, unpad
from ..nn.recurrent import Recurrent


class Encoded(NamedTuple):
    """What the decoder gets of B sources, in the order in which they were given.

    memory     to attend to
    initial    (S, 1, B, H)  the state before the first step
    tags       (B, E)        the sum of the tags' embeddings
    """

    memory: Memory
    initial: Array
    tags: Array


class EncoderDecoder:
    """Layers of an encoder-decoder; ids are those of the symbols.

    cell        of both recurrent layers
    attention   a class of nn.attention
    V_x, V_y    how many symbols sources and targets have; the last of each is the end
    tags        how many tags there are, with the one that stands for none; 0: a transducer without
    E, H        widths of the embeddings and, for each direction of the encoder, of the recurrent layers
    """

    def __init__(self, cell: Any, attention: Any, V_x: int, V_y: int, tags: int, E: int, H: int, dropout: float):
        self.end, self.states = V_y - 1, cell.states
        self.source, self.target = Embedding("source.table", V_x, E), Embedding("target.table", V_y, E)
        self.tags = Embedding("tags.table", tags, E, nothing=True) if tags else None
        self.encoder, self.decoder = Recurrent("encoder", cell, E, H, 2), Recurrent("decoder", cell, E, H, 1)
        self.bridge = Dense("bridge.W", "bridge.b", 2 * H, cell.states * H, "tanh")
        self.attention = attention("attention", H, 2 * H, H)
        self.merge = Dense("merge.W", "merge.b", 3 * H, H, "tanh")
        self.output, self.dropout = Softmax("output", H, V_y), Dropout(dropout)

    @property
    def layers(self) -> list[Layer]:
        """Those that have parameters."""
        tags: list[Layer] = [self.tags] if self.tags else []
        return [self.source, self.target, *tags, self.encoder, self.bridge, self.decoder, self.attention, self.merge,
                self.output]

    def shapes(self) -> Shapes:
        """Name and shape of every parameter."""
        return {name: shape for layer in self.layers for name, shape in layer.shapes().items()}

    def initialise(self, rng: np.random.Generator, dtype: str = "float32") -> dict[str, Array]:
        """Random parameters."""
        return {name: array.astype(dtype) for layer in self.layers for name, array in layer.initialise(rng).items()}

    # -------------------------------------------------------------- forward

    def encode(self, params: dict[str, Array], sources: Sequence[Array], tags: Array,
               rng: np.random.Generator | None = None) -> tuple[Encoded, Any]:
        """What the decoder gets of sources, each ids of symbols (at least one); tags (B, F), 0 for none."""
        packing = pack(tuple(map(len, sources)))
        x, of_source = self.source.forward(params, interleave(sources, packing)[:, None])
        t, of_tags = np.zeros((len(tags), x.shape[1]), x.dtype), None
        if self.tags:
            t, of_tags = self.tags.forward(params, tags)
        x, kept = self.dropout.forward(params, x + t[packing.sentence], rng=rng)
        h, rnn = self.encoder.forward(params, x, packing)
        h, dropped = self.dropout.forward(params, h, rng=rng)
        final = rnn.final[0].swapaxes(0, 1).reshape(len(t), -1)
        initial, bridge = self.bridge.forward(params, final)
        inside = np.arange(len(packing.sizes)) < packing.lengths[:, None]
        memory = self.attention.remember(params, pad(h, packing), inside)
        states = initial.reshape(len(t), self.states, 1, -1).transpose(1, 2, 0, 3)
        return Encoded(memory, states, t), (packing, of_source, of_tags, kept, rnn, dropped, bridge)

    def step(self, params: dict[str, Array], encoded: Encoded, state: Array, symbols: Array,
             sources: Array) -> tuple[Array, Array]:
        """log P of the next symbol (B, W, V) and the new state, from the last symbols (B, W) of W beginnings of each
        of these sources (B,); for beam.py."""
        B, W = symbols.shape
        x = self.target.forward(params, symbols.reshape(-1, 1))[0] + np.repeat(encoded.tags[sources], W, axis=0)
        s, state = self.decoder.step(params, x, state)
        memory = encoded.memory if B == len(encoded.tags) else encoded.memory.rows(sources)
        c, _ = self.attention.forward(params, s.reshape(B, W, -1), memory)
        o, _ = self.merge.forward(params, np.concatenate((s, c.reshape(B * W, -1)), axis=1))
        return log_softmax(self.output.forward(params, o)[0]).reshape(B, W, -1), state

    def decode(self, params: dict[str, Array], encoded: Encoded, targets: Sequence[Array],
               rng: np.random.Generator | None = None) -> tuple[Array, Any]:
        """Scores (N, V) of each symbol of the targets, which end with ``end``, given those before it; the cache."""
        packing = pack(tuple(map(len, targets)))
        before = [np.append(self.end, target[:-1]) for target in targets]
        x, of_target = self.target.forward(params, interleave(before, packing)[:, None])
        x, kept = self.dropout.forward(params, x + encoded.tags[packing.sentence], rng=rng)
        s, rnn = self.decoder.forward(params, x, packing, initial=encoded.initial)
        s, of_s = self.dropout.forward(params, s, rng=rng)
        c, attended = self.attention.forward(params, pad(s, packing), encoded.memory)
        o, merged = self.merge.forward(params, np.concatenate((s, unpad(c, packing)), axis=1))
        o, dropped = self.dropout.forward(params, o, rng=rng)
        scores, top = self.output.forward(params, o)
        return scores, (packing, of_target, kept, rnn, of_s, attended, merged, dropped, top)

    def alignments(self, params: dict[str, Array], sources: Sequence[Array], tags: Array,
                   targets: Sequence[Array]) -> list[Array]:
        """The weights of attention (I, S) at each symbol of each target, its end included."""
        _, (*_, attended, _, _, _) = self.decode(params, self.encode(params, sources, tags)[0], targets)
        return [weights[:len(y), :len(x)] for weights, x, y in zip(attended.weights, sources, targets)]

    # -------------------------------------------------------------- training

    def loss_and_gradient(self, params: dict[str, Array], sources: Sequence[Array], tags: Array,
                          targets: Sequence[Array], rng: np.random.Generator | None) -> tuple[float, dict[str, Any]]:
        """The negative log-likelihood of the targets, its mean over them, and the gradient of that."""
        encoded, of_encoder = self.encode(params, sources, tags, rng)
        scores, of_decoder = self.decode(params, encoded, targets, rng)
        packing = of_decoder[0]
        loss, dscores, _ = self.output.loss(params, scores, interleave(targets, packing), packing)
        dscores /= len(targets)
        back, grads = self._decode_back(params, dscores, of_decoder)
        return loss / len(targets), grads | self._encode_back(params, back, of_encoder)

    def _decode_back(self, params: dict[str, Array], dscores: Array,
                     cache: Any) -> tuple[tuple[Array, ...], dict[str, Any]]:
        """The gradients at memory, initial state and tags, and those of parameters."""
        packing, of_target, kept, rnn, of_s, attended, merged, dropped, top = cache
        H = self.decoder.H
        do, of_output = self.output.backward(params, dscores, top)
        do, _ = self.dropout.backward(params, do, dropped)
        dsc, of_merge = self.merge.backward(params, do, merged)
        (ds, dmemory), of_attention = self.attention.backward(params, pad(dsc[:, H:], packing), attended)
        ds, _ = self.dropout.backward(params, dsc[:, :H] + unpad(ds, packing), of_s)
        dx, of_decoder, dinitial = self.decoder.backward_through(params, ds, rnn)
        dx, _ = self.dropout.backward(params, dx, kept)
        return (dmemory, dinitial, pad(dx, packing).sum(axis=1)), {
            **of_output, **of_merge, **of_attention, **of_decoder, **self.target.backward(params, dx, of_target)[1]}

    def _encode_back(self, params: dict[str, Array], back: tuple[Array, ...], cache: Any) -> dict[str, Any]:
        dmemory, dinitial, dtags = back
        packing, of_source, of_tags, kept, rnn, dropped, bridge = cache
        B, H = len(packing.lengths), self.encoder.H
        dfinal, of_bridge = self.bridge.backward(params, dinitial.transpose(2, 0, 1, 3).reshape(B, -1), bridge)
        dstates = np.zeros((self.states, 2, B, H), dfinal.dtype)
        dstates[0] = dfinal.reshape(B, 2, H).swapaxes(0, 1)
        dh, _ = self.dropout.backward(params, unpad(dmemory, packing), dropped)
        dx, of_encoder, _ = self.encoder.backward_through(params, dh, rnn, dstates)
        dx, _ = self.dropout.backward(params, dx, kept)
        grads = {**of_bridge, **of_encoder, **self.source.backward(params, dx, of_source)[1]}
        if self.tags:
            dtags += pad(dx, packing).sum(axis=1)
            grads |= self.tags.backward(params, dtags, of_tags)[1]
        return grads
