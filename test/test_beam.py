"""Beam search against all sequences there are, on tiny vocabularies."""

from itertools import product

import numpy as np
import pytest

from rnntag.nn.beam import search
from rnntag.nn.layers import log_softmax

V, END, DEPTH = 3, 2, 4


class Model:
    """P(y_i) from the symbol before, a random state that counts, and the source."""

    def __init__(self, seed, B=2):
        rng = np.random.default_rng(seed)
        self.scores = 2 * rng.normal(size=(B, DEPTH + 2, V, V))
        self.B = B

    def step(self, state, symbols, sources):
        time = state[0, :, 0].reshape(symbols.shape).astype(int)
        return log_softmax(self.scores[sources[:, None], time, symbols]), state + 1

    def search(self, width, limits=None):
        return search(self.step, np.zeros((1, self.B, 1)), np.array(limits or [DEPTH] * self.B), END, width)

    def log_probability(self, source, symbols):
        total, before = 0.0, END
        for time, symbol in enumerate([*symbols, END]):
            total += log_softmax(self.scores[source, time, before])[symbol]
            before = symbol
        return total

    def every(self, source, depth=DEPTH):
        """All sequences of up to ``depth`` symbols, the most probable first."""
        found = [(self.log_probability(source, y), list(y)) for n in range(depth + 1)
                 for y in product(range(V - 1), repeat=n)]
        return sorted(found, key=lambda pair: -pair[0])


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_as_wide_as_all_beginnings_finds_the_best_sequences(seed):
    model = Model(seed)
    for source, found in enumerate(model.search(width=31)):
        wanted = model.every(source)
        assert [h.symbols for h in found] == [y for _, y in wanted]
        assert [h.log_probability for h in found] == pytest.approx([p for p, _ in wanted])


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_of_one_takes_the_best_symbol_each_time(seed):
    model = Model(seed)
    for source, (found,) in enumerate(model.search(width=1)):
        greedy, before = [], END
        while len(greedy) < DEPTH and (before := int(model.scores[source, len(greedy), before].argmax())) != END:
            greedy.append(before)
        assert found.symbols == greedy
        assert found.log_probability == pytest.approx(model.log_probability(source, greedy))


def test_a_wider_beam_is_never_worse_and_sometimes_better():
    best = np.array([[[found[0].log_probability for found in Model(seed).search(width)] for width in (1, 2, 31)]
                     for seed in range(30)])
    assert (best[:, 2] >= best[:, 1] - 1e-9).all() and (best[:, 2] > best[:, 0] + 1e-9).any()


def test_no_sequence_is_longer_than_its_own_limit():
    model = Model(3)
    for source, (found, limit) in enumerate(zip(model.search(31, limits=[1, 3]), (1, 3))):
        assert [h.symbols for h in found] == [y for _, y in model.every(source, limit)]
    assert [[h.symbols for h in found] for found in model.search(4, limits=[0, 0])] == [[[]], [[]]]


@pytest.mark.parametrize("seed", range(8))
def test_each_beginning_keeps_its_own_state(seed):
    """The state is the symbol before the last one, and decides; a source with little room is left behind."""
    table = 2 * np.random.default_rng(seed).normal(size=(2, V, V, V))

    def step(state, symbols, sources):
        before = state[0, :, 0].reshape(symbols.shape).astype(int)
        return log_softmax(table[sources[:, None], before, symbols]), symbols.reshape(1, -1, 1).astype(float)
    for source, found in enumerate(search(step, np.full((1, 2, 1), END), np.array([1, DEPTH]), END, 31)):
        for h in found:
            y = [END, END, *h.symbols, END]
            assert h.log_probability == pytest.approx(
                sum(log_softmax(table[source, a, b])[c] for a, b, c in zip(y, y[1:], y[2:])))
