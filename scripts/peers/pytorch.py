"""Our own network in PyTorch: the same parameters, batches, loss, clipping and update.

A yardstick for speed, written to be fast: float32, one thread, sparse gradients of the embeddings, nothing computed
that is not used. The steps of the Elman cell and of the GRU are written out, both directions in one operation, which
takes less time than nn.RNN and nn.GRU. (nn.GRU is another network besides: it resets the state after the matrix
product, rnntag before.) The LSTM is PyTorch's, each direction by itself on padded sequences, for which it has its
fastest implementation. A test holds that after an update the weights are those of rnntag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rnntag.corpus import Sentence
from rnntag.models.options import Options
from rnntag.models.answers import CHUNK_TOKENS, chunks, cut
from rnntag.models.tagger import BATCH_TOKENS, RNNTagger, batches
from rnntag.nn.optim import schedule
from rnntag.nn.packing import Packing, interleave, pack

POOL = 64  # batches among whose sentences those of similar length are put together

torch.set_num_threads(1)


def train(sentences: Sequence[Sentence], options: Options) -> Twin:
    """A twin trained from start to end."""
    rng = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    twin = Twin(RNNTagger.create(sentences, options, rng), sentences)
    for number in range(options.epochs):
        twin.epoch(rng, number)
    return twin


def supported(o: Options) -> bool:
    """Does a network with these options have a twin?"""
    return (o.encoder == "rnn" and o.layers == o.members == 1 and not (o.dense or o.char_rnn or o.vectors or o.bptt)
            and not (o.cell == "elman" and o.activation == "sigmoid" or o.cell == "lstm" and not o.embedding)
            and o.output == "softmax" and o.optimizer in ("sgd", "adam") and not o.average)


class Twin:
    """The network of an RNNTagger, with its weights under its names, and a corpus to train on.

    Raises ValueError for what has no twin.
    """

    def __init__(self, tagger: RNNTagger, sentences: Sequence[Sentence] = ()):
        o = self.options = tagger.options
        if not supported(o):
            raise ValueError("a network that has no twin")
        self.tagger, self.t = tagger, 0
        words = tagger.word_table()
        self.types = [words.ids(sentence.words) for sentence in sentences]
        self.targets = [np.array(tagger.tags.ids(sentence.tags or [])) - 1 for sentence in sentences]
        words.set_dropout(o.word_dropout, Counter(chain.from_iterable(s.words for s in sentences)))
        self.rows, self.unseen, self.dropped = map(torch.from_numpy, (words.features, words.unseen, words.dropout))
        self.params = {name: torch.from_numpy((self._gates(array.T) if self._is_lstm(name) else array).copy())
                       .requires_grad_() for name, array in tagger.params.items()}
        self.directions = ["rnn0.fwd", "rnn0.bwd"][:o.directions]
        self.tables = ["features.table"] if o.embedding else [f"{d}.W_x" for d in self.directions]
        self.dense = [name for name in self.params if name not in self.tables]
        self.state = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in self.params.items()}

    def weights(self) -> dict[str, np.ndarray]:
        """The parameters as rnntag has them."""
        arrays = {name: p.detach().numpy() for name, p in self.params.items()}
        return {name: self._gates(a).T if self._is_lstm(name) else a for name, a in arrays.items()}

    def _is_lstm(self, name: str) -> bool:  # only its weights are (out, in), with the gates in another order
        return self.options.cell == "lstm" and name.startswith("rnn")

    @staticmethod
    def _gates(a: np.ndarray) -> np.ndarray:
        """Rows i f o g, rnntag's order, as PyTorch's i f g o; its own inverse."""
        return np.concatenate([np.split(a, 4)[k] for k in (0, 1, 3, 2)])

    # -------------------------------------------------------------- forward

    def scores(self, ids: Tensor, packing: Packing, dropout: float = 0.0) -> Tensor:
        """Scores (N, K) of packed tokens with features ids (N, F)."""
        def drop(x: Tensor) -> Tensor:
            return F.dropout(x, dropout, dropout > 0)

        p = self.params
        xs = [F.embedding_bag(ids, p[name], mode="sum", sparse=True) for name in self.tables]
        if self.options.embedding:
            xs = [drop(xs[0])] * len(self.directions)
        reverse = torch.from_numpy(packing.reverse)
        xs[1:] = [x[reverse] for x in xs[1:]]
        place = torch.from_numpy(packing.time * len(packing.lengths) + packing.sentence)
        hs = list((self._lstm if self.options.cell == "lstm" else self._loop)(xs, place, packing))
        hs[1:] = [h[reverse] for h in hs[1:]]
        return torch.addmm(p["output.b_o"], drop(torch.cat(hs, 1) if hs[1:] else hs[0]), p["output.W_o"])

    def _padded(self, x: Tensor, place: Tensor, packing: Packing) -> Tensor:
        T, B = int(packing.lengths[0]), len(packing.lengths)
        return (x.new_zeros(T * B, x.shape[1]).index_copy(0, place, x) if B > 1 else x).view(T, B, -1)

    def _lstm(self, xs: list[Tensor], place: Tensor, packing: Packing) -> Iterator[Tensor]:
        for name, x in zip(self.directions, xs):
            W_x, W_h, b = (self.params[f"{name}.{key}"] for key in ("W_x", "W_h", "b"))
            start = x.new_zeros(1, len(packing.lengths), self.options.hidden)
            h = torch.lstm(self._padded(x, place, packing), (start, start), [W_x, W_h, b, torch.zeros_like(b)],
                           True, 1, 0.0, True, False, False)[0]
            yield h.view(-1, h.shape[2])[place]

    def _loop(self, xs: list[Tensor], place: Tensor, packing: Packing) -> Sequence[Tensor]:
        """All directions in one operation a step: z (T, D, B, nH), states (D, B, H); without D where it is 1."""
        zs = []
        for name, x in zip(self.directions, xs):
            b = self.params[f"{name}.b"]
            z = torch.addmm(b, x, self.params[f"{name}.W_x"]) if self.options.embedding else x + b
            zs.append(self._padded(z, place, packing))
        Ws, D = [self.params[f"{name}.W_h"] for name in self.directions], len(zs)
        step = self._elman if self.options.cell == "elman" else self._gru
        if D == 1:
            states = step(zs[0], Ws[0], torch.addmm)
        else:
            states = step(torch.stack(zs, 1), torch.stack(Ws), torch.baddbmm)
        return [h[place] for h in torch.stack(states, -3).view(D, -1, self.options.hidden).unbind()]

    def _elman(self, z: Tensor, W_h: Tensor, product: Callable[..., Tensor]) -> list[Tensor]:
        f = torch.tanh if self.options.activation == "tanh" else torch.relu
        h, states = torch.zeros_like(z[0]), []
        for z_t in z.unbind():
            h = f(product(z_t, h, W_h))
            states.append(h)
        return states

    def _gru(self, z: Tensor, W_h: Tensor, product: Callable[..., Tensor]) -> list[Tensor]:
        H = self.options.hidden
        W_gates, W_n = W_h[..., :2 * H].contiguous(), W_h[..., 2 * H:].contiguous()
        h, states = torch.zeros_like(z[0, ..., :H]), []
        for gates, candidate in zip(z[..., :2 * H].unbind(), z[..., 2 * H:].unbind()):
            r, u = product(gates, h, W_gates).sigmoid().chunk(2, -1)
            h = torch.lerp(h, product(candidate, r * h, W_n).tanh(), u)
            states.append(h)
        return states

    # -------------------------------------------------------------- training

    def epoch(self, rng: np.random.Generator, number: int = 0) -> None:
        """One pass over the corpus, in batches of similar length, as the trainer makes them."""
        size, order = self.options.batch_size, rng.permutation(len(self.types))
        pools = (order[k:k + POOL * size] for k in range(0, len(order), POOL * size))
        ranked = [sorted(pool.tolist(), key=lambda i: -len(self.types[i])) for pool in pools]
        plan = [pool[k:k + size] for pool in ranked for k in range(0, len(pool), size)]
        for done, batch in enumerate(rng.permutation(len(plan)).tolist()):
            self.update(plan[batch], (number + done / len(plan)) / self.options.epochs)

    def update(self, members: Sequence[int], done: float = 0.0) -> float:
        """One update with a batch of sentences, longest first; returns the loss."""
        packing = pack(tuple(len(self.types[i]) for i in members))
        types, targets = (torch.from_numpy(interleave([sequences[i] for i in members], packing))
                          for sequences in (self.types, self.targets))
        ids = self.rows[types]
        if self.options.word_dropout:
            dropped = torch.nonzero(torch.rand(len(types)) < self.dropped[types])[:, 0]
            ids[dropped] = self.unseen[types[dropped]]
        scores = self.scores(ids, packing, self.options.dropout)
        loss = F.cross_entropy(scores, targets, reduction="sum") / len(members)
        self._step(torch.autograd.grad(loss, [self.params[name] for name in (*self.dense, *self.tables)]), done)
        return float(loss.detach()) * len(members)

    @torch.no_grad()
    def _step(self, gradients: Sequence[Tensor], done: float) -> None:
        """Clip, then move: the update rules of rnntag.nn.optim, touched rows only."""
        o, count = self.options, len(self.dense)
        dense, sparse = list(gradients[:count]), [g.coalesce() for g in gradients[count:]]
        norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(dense + [g.values() for g in sparse]))))
        scale = min(1.0, o.clip / norm) if o.clip and norm else 1.0
        rate, self.t = o.learning_rate * schedule(o.schedule, done), self.t + 1
        root = (1 - 0.999 ** self.t) ** 0.5  # of Adam's bias correction
        if o.optimizer == "adam":
            rate *= root / (1 - 0.9 ** self.t)
        else:
            torch._foreach_add_([self.params[name] for name in self.dense], dense, alpha=-rate * scale)
            dense = []
        for name, g in zip(self.dense, dense):
            g, (m, s) = g * scale, self.state[name]
            self.params[name].addcdiv_(m.lerp_(g, 0.1), s.lerp_(g * g, 0.001).sqrt().add_(1e-8 * root), value=-rate)
        for name, gradient in zip(self.tables, sparse):
            i, g = gradient.indices()[0], gradient.values() * scale
            if o.optimizer == "adam":
                m, s = self.state[name]
                m[i] = m_i = torch.lerp(m[i], g, 0.1)
                s[i] = s_i = torch.lerp(s[i], g * g, 0.001)
                g = m_i / (s_i.sqrt_() + 1e-8 * root)
            self.params[name].index_add_(0, i, g, alpha=-rate * o.embedding_rate)

    # -------------------------------------------------------------- tagging

    @torch.no_grad()
    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence, in order, in the batches of RNNTagger."""
        names, words = np.array(self.tagger.tags.strings[1:], object), self.tagger.word_table()
        for chunk in chunks(sentences, CHUNK_TOKENS):
            types = words.ids(list(chain.from_iterable(chunk)))
            rows, lengths = torch.from_numpy(words.features), np.array(list(map(len, chunk)))
            starts, classes = np.cumsum(lengths) - lengths, np.empty(len(types), np.intp)
            for members, packing in batches(lengths.tolist(), BATCH_TOKENS):
                at = starts[members][packing.sentence] + packing.time
                classes[at] = self.scores(rows[types[at]], packing).argmax(1).numpy()
            yield from cut(names[classes].tolist(), chunk)
