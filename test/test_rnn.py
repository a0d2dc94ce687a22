"""Packing, direction, full gradient and truncation: a layer over a batch of sentences."""

import numpy as np
import pytest
import reference
from gradcheck import LENGTHS, check, close, normal

from rnntag.nn.cells import CELLS
from rnntag.nn.rnn import (Packing, Reading, blocks, errors_back, layer_backward, layer_forward, looked_up, pack,
                        project, project_backward, to_rows, to_tokens)

KINDS = [("elman", "tanh"), ("elman", "sigmoid"), ("elman", "relu"), ("gru", "tanh"), ("lstm", "tanh")]
KIND_IDS = ["-".join(kind) for kind in KINDS]
CELL_KINDS = [("elman", "tanh"), ("gru", "tanh"), ("lstm", "tanh")]
I, H = 3, 4


class Layer:
    """A layer in one or two directions with random weights, input, initial state and upstream gradient."""

    def __init__(self, kind, activation, directions, lengths, seed=1):
        rng = np.random.default_rng(seed)
        self.kind, self.cell, self.D = kind, CELLS[kind](activation), directions
        self.slow = reference.CELLS[kind](activation)
        self.lengths, self.packing = lengths, pack(lengths)
        S, n, N, B = self.cell.states, self.cell.gates, sum(lengths), len(lengths)
        shapes = {"x": (N, I), "initial": (S, directions, B, H)}
        for d in ("fwd", "bwd")[:directions]:
            shapes |= {f"r.{d}.W_x": (I, n * H), f"r.{d}.W_h": (H, n * H), f"r.{d}.b": (n * H,)}
        self.arrays = normal(rng, **shapes)
        self.up = rng.normal(size=(N, directions * H))

    def forward(self):
        z = project(self.arrays, "r", self.arrays["x"], self.D)
        return layer_forward(self.arrays, "r", z, self.packing, self.cell, self.D, self.arrays["initial"])

    def loss(self):
        return float((self.forward()[0] * self.up).sum())

    def backward(self, bptt=0):
        dz, grads, dinitial = layer_backward("r", self.up, self.forward()[1], bptt)
        dx, more = project_backward(self.arrays, "r", dz, self.arrays["x"])
        return {**grads, **more, "x": dx, "initial": dinitial}

    def slow_forward(self):
        """h by the slow twin, packed."""
        sides = []
        for d in range(self.D):
            hs = [reference.run(self.slow, *self.sentence(s, d))[0] for s in range(len(self.lengths))]
            sides.append(reference.join([h[::-1] if d else h for h in hs]))
        return np.hstack(sides)

    def sentence(self, s, d):
        """Weights, input and initial state of one sentence and direction, in reading order."""
        W = {key: self.arrays[f"r.{'bwd' if d else 'fwd'}.{key}"] for key in ("W_x", "W_h", "b")}
        xs = reference.split(self.arrays["x"], self.lengths)[s]
        return W, xs[::-1] if d else xs, tuple(self.arrays["initial"][:, d, s])

    def slow_backward(self, bptt=0):
        """All gradients by the slow twin: bptt 0 in one sweep, otherwise output by output."""
        grads = {name: np.zeros_like(array) for name, array in self.arrays.items()}
        dx = [[0.0] * length for length in self.lengths]
        for d in range(self.D):
            errors = reference.split(self.up[:, d * H:(d + 1) * H], self.lengths)
            for s, length in enumerate(self.lengths):
                W, xs, initial = self.sentence(s, d)
                dhs = errors[s][::-1] if d else errors[s]
                _, memories = reference.run(self.slow, W, xs, initial)
                if bptt:
                    dW, dxs, dinitial = reference.truncated_gradient(self.slow, W, memories, dhs, bptt)
                else:
                    dW, dxs, dinitial = reference.full_gradient(self.slow, W, memories, dhs)
                for key, gradient in dW.items():
                    grads[f"r.{'bwd' if d else 'fwd'}.{key}"] += gradient
                for t, gradient in enumerate(dxs[::-1] if d else dxs):
                    dx[s][t] = dx[s][t] + gradient
                grads["initial"][:, d, s] = dinitial
        return {**grads, "x": reference.join(dx)}


def same(a, b, tolerance=1e-12):
    assert a.keys() == b.keys()
    for name in a:
        assert close(a[name], b[name], tolerance), f"{name} differs"
    return True


# ------------------------------------------------------------------ packing


@pytest.mark.parametrize("lengths", [*LENGTHS.values(), (5, 2, 2, 1), (1,), (1, 1, 1)])
def test_packing_says_where_each_token_stands(lengths):
    p, B = Packing(lengths), len(lengths)
    order = reference.order(lengths)
    row = {place: n for n, place in enumerate(order)}
    assert len(p) == sum(lengths)
    assert list(zip(p.sentence, p.time)) == order
    assert p.reverse.tolist() == [row[s, lengths[s] - 1 - t] for s, t in order]
    assert p.previous.tolist() == [B + row[s, t - 1] if t else s for s, t in order]
    assert p.last.tolist() == [B + row[s, length - 1] for s, length in enumerate(lengths)]
    assert (p.reverse[p.reverse] == np.arange(len(p))).all()


@pytest.mark.parametrize("lengths", [*LENGTHS.values(), (5, 2, 2, 1), (1,)])
def test_steps_are_blocks_that_follow_each_other(lengths):
    p, B = Packing(lengths), len(lengths)
    order = reference.order(lengths)
    for t, (rows, before) in enumerate(p.steps):
        assert order[rows] == [(s, t) for s, length in enumerate(lengths) if t < length]
        assert [B + row for row in range(before.start, before.stop)] == p.previous[rows].tolist()
    assert len(p.steps) == max(lengths)


def test_the_second_direction_reads_each_sentence_from_its_end():
    packing = pack((3, 1))  # tokens: a1 b1 a2 a3, as 0 1 2 3; of the backward direction as 4 5 6 7
    tokens = np.array([[0, 4], [1, 5], [2, 6], [3, 7]])[:, :, None, None]
    assert to_rows(tokens, packing.reading(2)).ravel().tolist() == [0, 1, 7, 5, 2, 6, 3, 4]
    assert to_rows(tokens[:, :1], packing.reading(1)).ravel().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize("lengths", [*LENGTHS.values(), (5, 2, 2, 1), (1,), (1, 1, 1)])
def test_a_reading_says_where_each_direction_stands(lengths, D):
    packing, reading = Packing(lengths), Reading(Packing(lengths), D)
    B, rows = len(lengths), [(t, d, s) for t in range(max(lengths)) for d in range(D)
                             for s, length in enumerate(lengths) if t < length]
    states = [(-1, d, s) for d in range(D) for s in range(B)] + rows
    for d in range(D):
        assert [rows[r] for r in reading.order[d]] == [(t, d, s) for s, t in zip(packing.sentence, packing.time)]
        assert [rows[r] for r in reading.place[:, d]] == [
            (lengths[s] - 1 - t if d else t, d, s) for s, t in zip(packing.sentence, packing.time)]
        assert [states[r] for r in reading.last[d]] == [(length - 1, d, s) for s, length in enumerate(lengths)]
    assert [states[r] for r in reading.previous] == [(t - 1, d, s) for t, d, s in rows]
    assert (reading.source[reading.place.ravel()] == np.arange(len(rows))).all()
    a = np.arange(len(rows) * 6.0).reshape(2, len(rows), 3)
    assert (to_rows(to_tokens(a, reading), reading) == a).all()
    for t, step in enumerate(blocks(a, reading)):
        assert (step.reshape(2, -1, 3) == a[:, [row[0] == t for row in rows]]).all()
        assert np.shares_memory(step, a)


def test_what_is_known_of_words_is_looked_up_for_their_tokens():
    packing, words = pack((2, 1)), np.arange(24.0).reshape(3, 2, 2, 2)  # of 3 words, 2 directions, 2 gates, H 2
    for D in (1, 2):
        reading, types, z = packing.reading(D), np.array([2, 0, 2]), words[:, :D]
        found = [step.copy() for step in looked_up(z, types, reading)]  # each in the place of the one before
        assert all((a == b).all() for a, b in zip(found, blocks(to_rows(z[types], reading), reading), strict=True))


# ------------------------------------------------------------------ full gradient


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind, activation", KINDS, ids=KIND_IDS)
def test_layer_gradients_match_finite_differences(kind, activation, directions, lengths):
    layer = Layer(kind, activation, directions, lengths)
    for _ in range(2):
        check(layer.loss, layer.arrays, layer.backward(), sample=40)


@pytest.mark.parametrize("kind, activation", KINDS, ids=KIND_IDS)
def test_every_entry_of_a_small_layer_matches_finite_differences(kind, activation):
    layer = Layer(kind, activation, 2, (3, 2, 1, 1, 1))
    check(layer.loss, layer.arrays, layer.backward())


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind, activation", KINDS, ids=KIND_IDS)
def test_layer_equals_the_slow_twin(kind, activation, directions, lengths):
    layer = Layer(kind, activation, directions, lengths)
    for _ in range(2):
        assert close(layer.forward()[0], layer.slow_forward())
        assert same(layer.backward(), layer.slow_backward())


@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_nothing_is_kept_between_two_batches(kind, activation):
    layer, other = Layer(kind, activation, 2, (5, 3, 1)), Layer(kind, activation, 2, (4, 4), seed=2)
    other.cell = layer.cell
    h, cache = layer.forward()
    other.backward()  # between forward and backward of the first
    dz, grads, dinitial = layer_backward("r", layer.up, cache)
    alone = layer.backward()
    assert (layer.forward()[0] == h).all()
    assert (alone["initial"] == dinitial).all()
    assert all((alone[name] == grads[name]).all() for name in grads)


@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_without_an_initial_state_it_is_zero(kind, activation):
    layer = Layer(kind, activation, 2, (5, 3, 1))
    z = project(layer.arrays, "r", layer.arrays["x"], 2)
    h, _ = layer_forward(layer.arrays, "r", z, layer.packing, layer.cell, 2)
    assert not close(h, layer.forward()[0])
    layer.arrays["initial"][...] = 0
    assert (h == layer.forward()[0]).all()


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_a_batch_is_the_sum_of_its_sentences(kind, activation, directions):
    batch = Layer(kind, activation, directions, LENGTHS["mixed"])
    h = reference.split(batch.forward()[0], batch.lengths)
    whole, total = batch.backward(), {}
    for s, length in enumerate(batch.lengths):
        one = Layer(kind, activation, directions, (length,))
        one.arrays |= {name: array for name, array in batch.arrays.items() if name.startswith("r.")}
        one.arrays["x"] = np.array(reference.split(batch.arrays["x"], batch.lengths)[s])
        one.arrays["initial"] = batch.arrays["initial"][:, :, s:s + 1]
        one.up = np.array(reference.split(batch.up, batch.lengths)[s])
        assert close(h[s], one.forward()[0])
        gradients = one.backward()
        assert close(gradients["x"], reference.split(whole["x"], batch.lengths)[s])
        assert close(gradients["initial"][:, :, 0], whole["initial"][:, :, s])
        for name in set(gradients) - {"x", "initial"}:
            total[name] = total.get(name, 0) + gradients[name]
    assert same(total, {name: whole[name] for name in total})


@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_the_backward_direction_is_the_forward_one_on_reversed_sentences(kind, activation):
    both = Layer(kind, activation, 2, LENGTHS["mixed"])
    mirrored = Layer(kind, activation, 1, LENGTHS["mixed"])
    mirrored.arrays |= {f"r.fwd.{key}": both.arrays[f"r.bwd.{key}"] for key in ("W_x", "W_h", "b")}
    mirrored.arrays["initial"] = both.arrays["initial"][:, 1:]

    def turned(rows):  # sentence by sentence, not by the packing's own index
        return reference.join([sentence[::-1] for sentence in reference.split(rows, both.lengths)])

    mirrored.arrays["x"], mirrored.up = turned(both.arrays["x"]), turned(both.up[:, H:])
    h, mirror = both.forward()[0], mirrored.forward()[0]
    assert close(h[:, H:], turned(mirror))
    assert not close(h[:, H:], mirror)  # the input is not symmetric
    assert close(both.backward()["r.bwd.W_h"], mirrored.backward()["r.fwd.W_h"])


def test_each_direction_sees_its_own_side_of_the_sentence():
    layer = Layer("elman", "tanh", 2, (4,))
    h = layer.forward()[0]
    layer.arrays["x"][2] += 1.0
    changed = np.abs(layer.forward()[0] - h).reshape(4, 2, H).max(axis=2) > 0
    assert changed[:, 0].tolist() == [False, False, True, True]
    assert changed[:, 1].tolist() == [True, True, True, False]


# ------------------------------------------------------------------ truncated back-propagation


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_truncation_beyond_the_sentence_is_the_full_gradient(kind, activation, lengths):
    layer = Layer(kind, activation, 2, lengths)
    full = layer.backward()
    for steps in (lengths[0] - 1, lengths[0], 1000):
        assert same(layer.backward(steps), full)
    assert not close(layer.backward(lengths[0] - 2)["r.fwd.W_h"], full["r.fwd.W_h"])


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_truncation_equals_the_explicit_loop_over_outputs(kind, activation, lengths, steps):
    layer = Layer(kind, activation, 2, lengths)
    assert same(layer.backward(steps), layer.slow_backward(steps))


def test_truncation_after_one_step_by_hand():
    # one unit, relu with positive sums (slope 1), T = 3, w_x = 1, w_h = 2, b = 0, x = 1, 1, 1, h_0 = 0:
    #   h = 1, 1 + 2*1 = 3, 1 + 2*3 = 7.        d loss / d h = 1, 10, 100.
    # The error of output t stands at step t with factor 1 and at step t-1 with factor w_h = 2:
    #   dz_1 = 1 + 2*10 = 21;   dz_2 = 10 + 2*100 = 210;   dz_3 = 100
    # (the full gradient has dz_2 = 10 + 2*100 = 210 too, but dz_1 = 1 + 2*210 = 421)
    #   dw_h = h_0 dz_1 + h_1 dz_2 + h_2 dz_3 = 0*21 + 1*210 + 3*100 = 510
    #   dw_x = db = 21 + 210 + 100 = 331
    params = {"r.fwd.W_x": np.ones((1, 1)), "r.fwd.W_h": np.full((1, 1), 2.0), "r.fwd.b": np.zeros(1)}
    x, up = np.ones((3, 1)), np.array([[1.0], [10.0], [100.0]])

    def gradients(bptt):
        z = project(params, "r", x, 1)
        h, cache = layer_forward(params, "r", z, pack((3,)), CELLS["elman"]("relu"), 1)
        assert h.ravel().tolist() == [1, 3, 7]
        dz, grads, _ = layer_backward("r", up, cache, bptt)
        dx, more = project_backward(params, "r", dz, x)
        grads = {name: gradient.item() for name, gradient in {**grads, **more}.items()}
        return dz.ravel().tolist(), grads, dx.ravel().tolist()

    dz, grads, dx = gradients(1)
    assert dz == dx == [21, 210, 100]
    assert grads == {"r.fwd.W_h": 510, "r.fwd.W_x": 331, "r.fwd.b": 331}
    assert gradients(0)[0] == gradients(2)[0] == [421, 210, 100]


@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_one_output_error_is_followed_back_step_by_step(kind, activation):
    layer = Layer(kind, activation, 1, (7,))
    W_h, z, states, packing, cell = layer.forward()[1]
    dh = np.zeros((7, H))
    dh[5] = layer.up[5]  # the error of the sixth output alone
    slopes = cell.slopes(z, states[:, packing.reading(1).previous], states[:, 1:])
    W, xs, initial = layer.sentence(0, 0)
    memories = reference.run(layer.slow, W, xs, initial)[1]
    expected = (layer.up[5], *[np.zeros(H)] * (cell.states - 1))
    for k, (dstates, dz, before) in enumerate(errors_back(cell, W_h, slopes, dh, packing, 5)):
        assert close(dstates[:, 0, 5 - k], expected)
        dW = {name: np.zeros_like(array) for name, array in W.items()}
        expected = layer.slow.step_back(W, memories[5 - k], expected, dW)[1]
        assert close(dz[:, 0, 5 - k].ravel(), dW["b"])
        assert close(before[:, 0, 5 - k], expected)  # state rows stand one later: the initial state is 0
        for rows in (dstates, dz):
            assert not np.delete(rows, 5 - k, axis=2).any()
    assert k == 5


@pytest.mark.parametrize("bptt", [0, 2])
@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_float32_stays_float32(kind, activation, bptt):
    layer = Layer(kind, activation, 2, LENGTHS["mixed"])
    layer.arrays = {name: array.astype(np.float32) for name, array in layer.arrays.items()}
    layer.up = layer.up.astype(np.float32)
    gradients = layer.backward(bptt)
    assert {name: (g.dtype, g.shape) for name, g in gradients.items()} == {
        name: (np.dtype(np.float32), a.shape) for name, a in layer.arrays.items()}
