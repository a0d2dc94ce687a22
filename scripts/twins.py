"""The networks of rnntag in PyTorch: the same parameters, batches, loss, clipping and update.

A yardstick for speed, written to be fast: float32, one thread, sparse gradients of the embeddings,
nothing computed that is not used. There are three ways to run the cell over time:

    module   nn.RNN, nn.GRU, nn.LSTM in both directions at once, packed when there are several sentences
    padded   one of these for each direction, on padded sequences, turned round for the second
             direction: for an LSTM, PyTorch then takes another and faster implementation
    loop     the steps written out, a few operations each

A test holds that each, given the weights of rnntag's network, has the same loss and, after an update,
the same weights. The one exception is nn.GRU, which resets the state after the matrix product where
rnntag does it before: as many operations, but another network (``same``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnntag.corpus import Sentence
from rnntag.nn.optim import schedule
from rnntag.models.options import Options
from rnntag.models.tagger import RNNTagger, batches, chunks

WAYS = ("module", "padded", "loop")
TO_TORCH = {"elman": (0,), "gru": (0, 1, 2), "lstm": (0, 1, 3, 2)}  # PyTorch has the order i f g o, we i f o g

torch.set_num_threads(1)


def unsupported(o: Options, way: str = "module") -> str | None:
    """What of a network has no twin, or None."""
    reasons = [(o.encoder != "rnn" or o.cell not in TO_TORCH, f"encoder {o.encoder} with cell {o.cell}"),
               (o.cell == "elman" and o.activation == "sigmoid", "sigmoid cell"),
               (o.layers > 1 or o.dense, "further layers"), (o.output != "softmax", f"output {o.output}"),
               (o.char_rnn or o.vectors, "characters or vectors"), (o.bptt, "truncated back-propagation"),
               (o.optimizer not in ("sgd", "adam"), f"optimizer {o.optimizer}"),
               (o.average or o.weight_decay, "averaging or weight decay"),
               (way == "loop" and o.cell == "lstm", "loop for an LSTM")]
    return next((f"the twin has no {reason}" for found, reason in reasons if found), None)


def same(o: Options, way: str) -> bool:
    """Is it the very same network?"""
    return o.cell != "gru" or way == "loop"


class Twin(nn.Module):
    """The network of an RNNTagger, with its weights, and a corpus to train on.

    members of ``update`` are positions in ``sentences``. Raises ValueError for what has no twin.
    """

    def __init__(self, tagger: RNNTagger, sentences: Sequence[Sentence] = (), way: str = "module"):
        super().__init__()
        o = self.options = tagger.options
        reason = unsupported(o, way)
        if reason:
            raise ValueError(reason)
        self.tagger, self.way, self.D, self.t = tagger, way, o.directions, 0
        self._encode(sentences)
        self._make_cells()
        self.out = nn.Linear(o.hidden * self.D, len(tagger.tags) - 1)
        names = ["features.table"] if o.embedding else [f"rnn0.{d}.W_x" for d in ("fwd", "bwd")[:self.D]]
        self.tables = nn.ParameterList(_tensor(tagger.params[name]) for name in names)
        self._load(tagger.params)
        self.dense = [p for name, p in self.named_parameters() if p.requires_grad and not name.startswith("tables")]
        self.state = {p: (torch.zeros_like(p), torch.zeros_like(p)) for p in self.parameters()} \
            if o.optimizer == "adam" else {}

    # -------------------------------------------------------------- the corpus

    def _encode(self, sentences: Sequence[Sentence]) -> None:
        """Words as rows of a table of features, tags as classes."""
        words = self.tagger.word_table()
        self.types = [words.ids(sentence.words) for sentence in sentences]
        self.targets = [np.array(self.tagger.tags.ids(s.tags or [])) - 1 for s in sentences]
        words.set_dropout(self.options.word_dropout, Counter(chain.from_iterable(s.words for s in sentences)))
        self.rows, self.unseen, self.dropped = map(torch.from_numpy, (words.features, words.unseen, words.dropout))

    # -------------------------------------------------------------- weights

    def _make_cells(self) -> None:
        """The cells; where input is one-hot, the rows looked up are what the cell adds, so its own
        input matrix is the identity and is not trained."""
        o = self.options
        width = o.embedding or o.hidden * len(TO_TORCH[o.cell])
        both = self.way == "module" and self.D == 2 and bool(o.embedding)
        more = {"nonlinearity": o.activation} if o.cell == "elman" else {}
        make = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[o.cell]
        self.cells = nn.ModuleList(make(width, o.hidden, bidirectional=both, **more)
                                   for _ in range(1 if both else self.D))

    def _parts(self) -> Iterator[tuple[str, nn.Module, str]]:
        """Name in rnntag, cell and suffix in PyTorch, of each direction."""
        for d, name in enumerate(("fwd", "bwd")[:self.D]):
            both = len(self.cells) < self.D
            yield f"rnn0.{name}", self.cells[0 if both else d], "_l0_reverse" if both and d else "_l0"

    def _load(self, params: dict[str, np.ndarray]) -> None:
        with torch.no_grad():
            for name, cell, suffix in self._parts():
                getattr(cell, "weight_hh" + suffix).copy_(self._gates(params[f"{name}.W_h"].T))
                getattr(cell, "bias_ih" + suffix).copy_(self._gates(params[f"{name}.b"]))
                getattr(cell, "bias_hh" + suffix).zero_().requires_grad_(False)  # one bias is enough
                W_x = getattr(cell, "weight_ih" + suffix)
                if self.options.embedding:
                    W_x.copy_(self._gates(params[f"{name}.W_x"].T))
                else:
                    W_x.copy_(self._gates(np.eye(len(W_x), dtype="float32"))).requires_grad_(False)
            self.out.weight.copy_(_tensor(params["output.W_o"].T))
            self.out.bias.copy_(_tensor(params["output.b_o"]))

    def _gates(self, a: np.ndarray) -> Tensor:
        """Rows (nH, ...) with the gates in PyTorch's order; its own inverse.

        nn.GRU's z weighs the old state, ours the new: sigmoid(-x) = 1 - sigmoid(x).
        """
        blocks = np.split(a, len(TO_TORCH[self.options.cell]))
        if self.options.cell == "gru" and self.way != "loop":
            blocks[1] = -blocks[1]
        return _tensor(np.concatenate([blocks[k] for k in TO_TORCH[self.options.cell]]))

    def weights(self) -> dict[str, np.ndarray]:
        """The parameters by their names in rnntag."""
        o = self.options
        names = ["features.table"] if o.embedding else [f"rnn0.{d}.W_x" for d in ("fwd", "bwd")]
        found = {name: table.detach().numpy() for name, table in zip(names, self.tables)}
        for name, cell, suffix in self._parts():
            kinds = {"W_h": "weight_hh", "b": "bias_ih", **({"W_x": "weight_ih"} if o.embedding else {})}
            for ours, theirs in kinds.items():
                found[f"{name}.{ours}"] = self._gates(getattr(cell, theirs + suffix).detach().numpy()).numpy().T
        return {**found, "output.W_o": self.out.weight.detach().numpy().T,
                "output.b_o": self.out.bias.detach().numpy()}

    # -------------------------------------------------------------- forward

    def scores(self, ids: Tensor, lengths: np.ndarray) -> Tensor:
        """Scores (N, K) of packed tokens with features ids (N, F), sentences longest first."""
        o = self.options
        xs = [F.embedding_bag(ids, table, mode="sum", sparse=True) for table in self.tables]
        if o.embedding:
            xs[0] = F.dropout(xs[0], o.dropout, self.training)
        xs = xs * (self.D // len(xs))
        h = getattr(self, f"_{self.way}")(xs, lengths)
        return self.out(F.dropout(h, o.dropout, self.training))

    def _module(self, xs: list[Tensor], lengths: np.ndarray) -> Tensor:
        if len(self.cells) < len(xs) or len(xs) == 1:
            return self._through(self.cells[0], xs[0], lengths)
        reverse = torch.from_numpy(positions(lengths)[2])
        return torch.cat((self._through(self.cells[0], xs[0], lengths),
                          self._through(self.cells[1], xs[1][reverse], lengths)[reverse]), 1)

    @staticmethod
    def _through(cell: nn.Module, x: Tensor, lengths: np.ndarray) -> Tensor:
        if len(lengths) == 1:
            return cell(x)[0]
        sizes = torch.from_numpy((np.arange(lengths[0])[:, None] < lengths).sum(axis=1))
        return cell(PackedSequence(x, sizes))[0].data

    def _padded(self, xs: list[Tensor], lengths: np.ndarray) -> Tensor:
        place, _, reverse = (torch.from_numpy(a) for a in positions(lengths))
        T, B = int(lengths[0]), len(lengths)
        found = []
        for d, (cell, x) in enumerate(zip(self.cells, xs)):
            x = x[reverse] if d else x
            full = x.new_zeros(T * B, x.shape[1]).index_copy(0, place, x)
            h = cell(full.view(T, B, -1))[0].view(T * B, -1)[place]
            found.append(h[reverse] if d else h)
        return torch.cat(found, 1) if self.D == 2 else found[0]

    def _loop(self, xs: list[Tensor], lengths: np.ndarray) -> Tensor:
        """All directions in one operation a step, on padded sequences: states (D, B, H)."""
        place, _, reverse = (torch.from_numpy(a) for a in positions(lengths))
        T, B, D, H = int(lengths[0]), len(lengths), self.D, self.options.hidden
        zs, weights = [], []
        for d, ((_, cell, suffix), x) in enumerate(zip(self._parts(), xs)):
            W_x, b = getattr(cell, "weight_ih" + suffix), getattr(cell, "bias_ih" + suffix)
            z = torch.addmm(b, x, W_x.T) if self.options.embedding else x + b
            z = z[reverse] if d else z
            if B > 1:
                z = z.new_zeros(T * B, z.shape[1]).index_copy(0, place, z)
            zs.append(z.view(T, B, -1))
            weights.append(getattr(cell, "weight_hh" + suffix).T)
        if D == 1 and self.options.cell == "elman":  # no need of a dimension for directions
            steps = torch.cat(self._elman(zs[0].unbind(), weights[0].contiguous(), torch.addmm)).view(1, T, B, H)
        elif self.options.cell == "elman":
            steps = torch.stack(self._elman(torch.stack(zs, 1).unbind(), torch.stack(weights), torch.baddbmm), 1)
        else:
            steps = torch.stack(self._gru(torch.stack(zs, 1), torch.stack(weights)), 1)
        found = [h[place] if B > 1 else h for h in steps.reshape(D, T * B, H).unbind()]
        return torch.cat((found[0], found[1][reverse]), 1) if D == 2 else found[0]

    def _elman(self, zs: Sequence[Tensor], W_h: Tensor, product: Any) -> list[Tensor]:
        f = torch.tanh if self.options.activation == "tanh" else torch.relu
        h, states = torch.zeros_like(zs[0]), []
        for z_t in zs:
            h = f(product(z_t, h, W_h))
            states.append(h)
        return states

    def _gru(self, z: Tensor, W_h: Tensor) -> list[Tensor]:
        H = self.options.hidden
        W_gates, W_n = W_h[..., :2 * H].contiguous(), W_h[..., 2 * H:].contiguous()
        h, states = z.new_zeros(*z.shape[1:3], H), []
        for gates, candidate in zip(z[..., :2 * H].unbind(), z[..., 2 * H:].unbind()):
            r, u = torch.baddbmm(gates, h, W_gates).sigmoid().chunk(2, -1)
            h = torch.lerp(h, torch.baddbmm(candidate, r * h, W_n).tanh(), u)
            states.append(h)
        return states

    # -------------------------------------------------------------- one update

    def update(self, members: Sequence[int], done: float = 0.0) -> float:
        """One update with a batch of sentences, longest first; returns the loss."""
        lengths = np.array([len(self.types[i]) for i in members])
        types = torch.from_numpy(packed([self.types[i] for i in members], lengths))
        targets = torch.from_numpy(packed([self.targets[i] for i in members], lengths))
        ids = self.rows[types]
        if self.options.word_dropout:
            dropped = torch.nonzero(torch.rand(len(types)) < self.dropped[types])[:, 0]
            ids[dropped] = self.unseen[types[dropped]]
        self.train()
        loss = F.cross_entropy(self.scores(ids, lengths), targets, reduction="sum") / len(members)
        gradients = torch.autograd.grad(loss, [*self.dense, *self.tables])
        dense, sparse = list(gradients[:len(self.dense)]), [g.coalesce() for g in gradients[len(self.dense):]]
        self._step(dense, sparse, done)
        return float(loss.detach()) * len(members)

    @torch.no_grad()
    def _step(self, dense: list[Tensor], sparse: list[Tensor], done: float) -> None:
        """Clip, then move: the update rules of rnntag.nn.optim, touched rows only."""
        o = self.options
        values = [g._values() for g in sparse]
        norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(dense + values))))
        scale = min(1.0, o.clip / norm) if o.clip and norm else 1.0
        rate = o.learning_rate * schedule(o.schedule, done)
        if o.optimizer == "adam":
            self._adam(dense, sparse, scale, rate)
            return
        torch._foreach_add_(self.dense, dense, alpha=-rate * scale)
        for table, g, v in zip(self.tables, sparse, values):
            table.index_add_(0, g._indices()[0], v, alpha=-rate * scale * o.embedding_rate)

    def _adam(self, dense: list[Tensor], sparse: list[Tensor], scale: float, rate: float) -> None:
        self.t += 1
        root = (1 - 0.999 ** self.t) ** 0.5
        rate *= root / (1 - 0.9 ** self.t)
        for p, g in zip([*self.dense, *self.tables], [*dense, *sparse]):
            m, s = self.state[p]
            if g.is_sparse:
                i, g = g._indices()[0], g._values() * scale
                m[i] = m_i = torch.lerp(m[i], g, 0.1)
                s[i] = s_i = torch.lerp(s[i], g * g, 0.001)
                p.index_add_(0, i, m_i / (s_i.sqrt_() + 1e-8 * root), alpha=-rate * self.options.embedding_rate)
            else:
                g = g * scale
                m.lerp_(g, 0.1)
                s.lerp_(g * g, 0.001)
                p.addcdiv_(m, s.sqrt().add_(1e-8 * root), value=-rate)

    # -------------------------------------------------------------- tagging

    @torch.no_grad()
    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence, in order, in the batches of RNNTagger."""
        self.eval()
        names, table = self.tagger.tags.strings[1:], {}
        rows = torch.empty((0, len(self.tagger.features.slots)), dtype=torch.int64)
        for chunk in chunks(sentences, 8192):
            new = [word for word in dict.fromkeys(chain.from_iterable(chunk)) if word not in table]
            if new:
                table.update(zip(new, range(len(table), len(table) + len(new))))
                rows = torch.cat((rows, torch.from_numpy(self.tagger.features(new))))
            answers: list[Any] = [[] for _ in chunk]
            for members, _ in batches([len(sentence) for sentence in chunk], 2048):
                lengths = np.array([len(chunk[i]) for i in members])
                types = packed([np.array([table[w] for w in chunk[i]]) for i in members], lengths)
                classes = self.scores(rows[torch.from_numpy(types)], lengths).argmax(1).numpy()
                order = np.argsort(positions(lengths)[1], kind="stable")
                for i, own in zip(members, np.split(classes[order], np.cumsum(lengths)[:-1])):
                    answers[i] = [names[k] for k in own.tolist()]
            yield from answers


def positions(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each packed token: its place in the padded batch, its sentence, the token mirrored in it."""
    time, sentence = np.nonzero(np.arange(lengths[0])[:, None] < lengths)
    starts = np.concatenate(([0], np.cumsum(np.bincount(time))[:-1]))
    return time * len(lengths) + sentence, sentence, starts[lengths[sentence] - 1 - time] + sentence


def packed(sequences: list[np.ndarray], lengths: np.ndarray) -> np.ndarray:
    """Sequences, longest first, as one array, time step after time step."""
    if len(sequences) == 1:
        return sequences[0]
    time, sentence = np.nonzero(np.arange(lengths[0])[:, None] < lengths)
    return np.concatenate(sequences)[(np.cumsum(lengths) - lengths)[sentence] + time]


def _tensor(a: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(a, "float32"))
