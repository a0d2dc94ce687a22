"""The slow twin: every part of the network, written straight from the formulas.

One sentence at a time, row vectors, plain loops over time, gradients by the chain rule line by
line; no batches, no packing, nothing shared with the package. ``W`` is a dict with W_x (I, nH),
W_h (H, nH) and b (nH,); a state is a tuple of row vectors, (h,) or (h, c). The sources are the
lectures in seeds/000 (Neubig), seeds/001 (Boye) and seeds/002 (Huang).
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np


def one_hot(id, size):
    """seed 000, "Creating a 1-hot Vector"."""
    vec = np.zeros(size)
    vec[id] = 1
    return vec


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


# name: (f(a), f'(a))
ACTIVATIONS = {
    "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
    "sigmoid": (sigmoid, lambda a: sigmoid(a) * (1 - sigmoid(a))),
    "relu": (lambda a: np.where(a > 0, a, 0.0), lambda a: np.where(a > 0, 1.0, 0.0)),
    "linear": (lambda a: a, lambda a: np.ones_like(a)),
}


# ------------------------------------------------------------------ cells


class Elman:
    """h_t = f(x_t W_x + h_{t-1} W_h + b)                    (seed 000, "RNN Calculation")"""

    gates, states = 1, 1

    def __init__(self, activation="tanh"):
        self.f, self.df = ACTIVATIONS[activation]

    def step(self, W, x, state):
        (h_prev,) = state
        a = x @ W["W_x"] + h_prev @ W["W_h"] + W["b"]
        return (self.f(a),), (x, h_prev, a)

    def step_back(self, W, memory, dstate, dW):
        x, h_prev, a = memory
        da = dstate[0] * self.df(a)
        dW["W_x"] += np.outer(x, da)
        dW["W_h"] += np.outer(h_prev, da)
        dW["b"] += da
        return da @ W["W_x"].T, (da @ W["W_h"].T,)


class LSTM:
    """seed 002, equations 12-17; the blocks of W stand in the order i f o g."""

    gates, states = 4, 2

    def __init__(self, activation="tanh"):
        pass

    def step(self, W, x, state):
        h_prev, c_prev = state
        (W_i, W_f, W_o, W_g), (U_i, U_f, U_o, U_g), (b_i, b_f, b_o, b_g) = blocks(W, 4)
        i = sigmoid(x @ W_i + h_prev @ U_i + b_i)
        f = sigmoid(x @ W_f + h_prev @ U_f + b_f)
        o = sigmoid(x @ W_o + h_prev @ U_o + b_o)
        g = np.tanh(x @ W_g + h_prev @ U_g + b_g)
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        return (h, c), (x, h_prev, c_prev, i, f, o, g, c)

    def step_back(self, W, memory, dstate, dW):
        x, h_prev, c_prev, i, f, o, g, c = memory
        dh, dc = dstate
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        di, df, dg = dc * g, dc * c_prev, dc * i
        da = [di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g ** 2)]
        W_x, W_h, _ = blocks(W, 4)
        dW["W_x"] += np.hstack([np.outer(x, d) for d in da])
        dW["W_h"] += np.hstack([np.outer(h_prev, d) for d in da])
        dW["b"] += np.hstack(da)
        dx = sum(d @ V.T for d, V in zip(da, W_x))
        dh_prev = sum(d @ U.T for d, U in zip(da, W_h))
        return dx, (dh_prev, dc * f)


class GRU:
    """seed 001, "Gated Recurrent Units", and seed 002, equations 18-21; blocks in the order r z n."""

    gates, states = 3, 1

    def __init__(self, activation="tanh"):
        pass

    def step(self, W, x, state):
        (h_prev,) = state
        (W_r, W_z, W_n), (U_r, U_z, U_n), (b_r, b_z, b_n) = blocks(W, 3)
        r = sigmoid(x @ W_r + h_prev @ U_r + b_r)
        z = sigmoid(x @ W_z + h_prev @ U_z + b_z)
        n = np.tanh(x @ W_n + (r * h_prev) @ U_n + b_n)
        h = (1 - z) * h_prev + z * n
        return (h,), (x, h_prev, r, z, n)

    def step_back(self, W, memory, dstate, dW):
        x, h_prev, r, z, n = memory
        (dh,) = dstate
        (W_r, W_z, W_n), (U_r, U_z, U_n), _ = blocks(W, 3)
        da_n = dh * z * (1 - n ** 2)
        da_z = dh * (n - h_prev) * z * (1 - z)
        dreset = da_n @ U_n.T                  # at r * h_{t-1}
        da_r = dreset * h_prev * r * (1 - r)
        dW["W_x"] += np.hstack([np.outer(x, da_r), np.outer(x, da_z), np.outer(x, da_n)])
        dW["W_h"] += np.hstack([np.outer(h_prev, da_r), np.outer(h_prev, da_z), np.outer(r * h_prev, da_n)])
        dW["b"] += np.hstack([da_r, da_z, da_n])
        dx = da_r @ W_r.T + da_z @ W_z.T + da_n @ W_n.T
        dh_prev = dh * (1 - z) + dreset * r + da_r @ U_r.T + da_z @ U_z.T
        return dx, (dh_prev,)


def blocks(W, n):
    """The gates' own matrices: n of W_x, n of W_h, n of b."""
    return (np.split(W["W_x"], n, axis=1), np.split(W["W_h"], n, axis=1), np.split(W["b"], n))


CELLS = {"elman": Elman, "lstm": LSTM, "gru": GRU}


# ------------------------------------------------------------------ time


def run(cell, W, xs, initial):
    """h_1 .. h_T of one sentence, and what each step remembers for the way back."""
    state, hs, memories = initial, [], []
    for x in xs:
        state, memory = cell.step(W, x, state)
        hs.append(state[0])
        memories.append(memory)
    return hs, memories


def full_gradient(cell, W, memories, dhs):
    """seed 000, "Full Gradient Calculation": once through the sentence, backwards.

    dhs: d loss / d h_t of each output; returns dW, [dx_1 .. dx_T] and d loss / d initial state.
    """
    dW = {name: np.zeros_like(array) for name, array in W.items()}
    dxs = [None] * len(memories)
    dstate = tuple(np.zeros_like(dhs[0]) for _ in range(cell.states))
    for t in reversed(range(len(memories))):
        dstate = (dstate[0] + dhs[t], *dstate[1:])
        dxs[t], dstate = cell.step_back(W, memories[t], dstate, dW)
    return dW, dxs, dstate


def truncated_gradient(cell, W, memories, dhs, n):
    """seed 000, "Back Propagation through Time": one output error at a time, stop after n steps."""
    dW = {name: np.zeros_like(array) for name, array in W.items()}
    dxs = [np.zeros(len(W["W_x"])) for _ in memories]
    dinitial = tuple(np.zeros_like(dhs[0]) for _ in range(cell.states))
    for t in range(len(memories)):
        dstate = (dhs[t], *(np.zeros_like(dhs[t]) for _ in range(cell.states - 1)))
        for k in range(n + 1):                 # the error is at step t - k
            if t - k < 0:
                break
            dx, dstate = cell.step_back(W, memories[t - k], dstate, dW)
            dxs[t - k] += dx
            if t - k == 0:
                dinitial = tuple(d + more for d, more in zip(dinitial, dstate))
    return dW, dxs, dinitial


def both_directions(cell, W_fwd, W_bwd, xs, initial_fwd, initial_bwd):
    """[h_t forward, h_t backward] of one sentence (seed 002, equations 22-24)."""
    forward, _ = run(cell, W_fwd, xs, initial_fwd)
    backward, _ = run(cell, W_bwd, xs[::-1], initial_bwd)
    return [np.hstack([f, b]) for f, b in zip(forward, backward[::-1])]


# ------------------------------------------------------------------ the tutorial's network


def forward_rnn(W_x, W_h, b, W_o, b_o, x):
    """seed 000, "RNN Forward Calculation", with the softmax of the formula; x a list of one-hots."""
    h, p = [], []
    for t in range(len(x)):
        if t > 0:
            h.append(np.tanh(x[t] @ W_x + h[t - 1] @ W_h + b))
        else:
            h.append(np.tanh(x[t] @ W_x + b))
        p.append(softmax(h[t] @ W_o + b_o))
    return h, p


def gradient_rnn(W_x, W_h, b, W_o, b_o, x, h, p, y):
    """seed 000, "RNN Full Gradient Calculation": the direction that RAISES log P(y)."""
    dW_x, dW_h, db, dW_o, db_o = (np.zeros_like(w) for w in (W_x, W_h, b, W_o, b_o))
    dr_next = np.zeros(len(b))
    for t in reversed(range(len(x))):
        do = one_hot(y[t], len(b_o)) - p[t]
        dW_o += np.outer(h[t], do)
        db_o += do
        dr = dr_next @ W_h.T + do @ W_o.T
        dr_next = dr * (1 - h[t] ** 2)
        dW_x += np.outer(x[t], dr_next)
        db += dr_next
        if t != 0:
            dW_h += np.outer(h[t - 1], dr_next)
    return dW_x, dW_h, db, dW_o, db_o


# ------------------------------------------------------------------ embedding and output


def embedding_sum(table, ids):
    """The sum of one-hot times matrix over a word's features."""
    return sum(one_hot(id, len(table)) @ table for id in ids)


def embedding_gradient(table, ids, dy):
    return sum(np.outer(one_hot(id, len(table)), dy) for id in ids)


def softmax(s):
    """seed 000, "softmax Function"."""
    r = np.exp(s)
    return r / r.sum()


def cross_entropy(scores, tags):
    """- sum_t log p_t(y_t), and d loss / d scores = p - p'."""
    loss, dscores = 0.0, []
    for s, y in zip(scores, tags):
        p = softmax(s)
        loss -= np.log(p[y])
        dscores.append(p - one_hot(y, len(s)))
    return loss, dscores


class CRF:
    """A linear-chain CRF over one sentence, by writing down every tag sequence.

    Scores are added as fractions, so that no size of numbers is too much; those with a -inf in them are left out.
    """

    def __init__(self, scores, transition, start, end):
        self.T, self.K = len(scores), len(start)
        self.score = {}
        for y in itertools.product(range(self.K), repeat=self.T):
            parts = [start[y[0]], end[y[-1]], *(scores[t][y[t]] for t in range(self.T)),
                     *(transition[y[t - 1], y[t]] for t in range(1, self.T))]
            if -math.inf not in parts:
                self.score[y] = sum(Fraction(float(part)) for part in parts)
        best = max(self.score.values())
        relative = {y: math.exp(s - best) for y, s in self.score.items()}
        total = math.fsum(relative.values())
        self.log_Z = best + Fraction(math.log(total))
        self.p = {y: weight / total for y, weight in relative.items()}

    def loss(self, tags):
        return float(self.log_Z - self.score[tuple(tags)])

    def viterbi(self):
        return max(self.score, key=self.score.get)

    def gradient(self, tags):
        """Expected minus observed counts: d loss / d scores, transition, start, end."""
        dscores, dtransition = np.zeros((self.T, self.K)), np.zeros((self.K, self.K))
        dstart, dend = np.zeros(self.K), np.zeros(self.K)
        for y, weight in [*self.p.items(), (tuple(tags), -1.0)]:
            dstart[y[0]] += weight
            dend[y[-1]] += weight
            for t in range(self.T):
                dscores[t, y[t]] += weight
            for t in range(1, self.T):
                dtransition[y[t - 1], y[t]] += weight
        return dscores, dtransition, dstart, dend

    def marginals(self):
        """P(y_t = k)."""
        p = np.zeros((self.T, self.K))
        for y, weight in self.p.items():
            for t in range(self.T):
                p[t, y[t]] += weight
        return p


# ------------------------------------------------------------------ batches


def order(lengths):
    """(sentence, step) of each packed row: first words, then second words, ..., the longest sentence first."""
    ranked = sorted(range(len(lengths)), key=lambda s: -lengths[s])
    return [(s, t) for t in range(max(lengths)) for s in ranked if t < lengths[s]]


def join(sentences):
    """One array a sentence to packed rows."""
    return np.array([sentences[s][t] for s, t in order([len(sentence) for sentence in sentences])])


def split(packed, lengths):
    """Packed rows to one list of rows a sentence."""
    sentences = [[] for _ in lengths]
    for row, (s, _) in zip(packed, order(lengths)):
        sentences[s].append(row)
    return sentences
