"""Direction, state, full gradient and truncation: a recurrent layer over a batch of sentences."""

import numpy as np
import pytest
import reference
from gradcheck import LENGTHS, check, close, normal

from rnntag.nn.cells import GRU, LSTM, Elman
from rnntag.nn.packing import Lookup, pack
from rnntag.nn.recurrent import OneHotRecurrent, Recurrent

CELLS = {"elman": Elman, "gru": GRU, "lstm": LSTM}
KINDS = [("elman", "tanh"), ("elman", "sigmoid"), ("elman", "relu"), ("gru", "tanh"), ("lstm", "tanh")]
KIND_IDS = ["-".join(kind) for kind in KINDS]
CELL_KINDS = [("elman", "tanh"), ("gru", "tanh"), ("lstm", "tanh")]
I, H = 3, 4


class Layer:
    """A layer in one or two directions with random weights, input, initial state and upstream gradients."""

    def __init__(self, kind, activation, directions, lengths, seed=1, final=False):
        rng = np.random.default_rng(seed)
        self.kind, self.D = kind, directions
        self.layer = Recurrent("r", CELLS[kind](activation), I, H, directions)
        self.slow = reference.CELLS[kind](activation)
        self.lengths, self.packing = lengths, pack(lengths)
        S, N, B = self.layer.cell.states, sum(lengths), len(lengths)
        self.arrays = normal(rng, x=(N, I), initial=(S, directions, B, H), **self.layer.shapes())
        self.up = rng.normal(size=(N, directions * H))
        self.up_final = rng.normal(size=(S, directions, B, H)) if final else None

    def forward(self):
        return self.layer.forward(self.arrays, self.arrays["x"], self.packing, initial=self.arrays["initial"])

    def loss(self):
        h, cache = self.forward()
        return float((h * self.up).sum() + (0 if self.up_final is None else (cache.final * self.up_final).sum()))

    def backward(self, bptt=0):
        self.layer.bptt = bptt
        dx, grads, dinitial = self.layer.backward_through(self.arrays, self.up, self.forward()[1], self.up_final)
        return {**grads, "x": dx, "initial": dinitial}

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


# ------------------------------------------------------------------ full gradient


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind, activation", KINDS, ids=KIND_IDS)
def test_layer_gradients_match_finite_differences(kind, activation, directions, lengths):
    layer = Layer(kind, activation, directions, lengths)
    for _ in range(2):
        check(layer.loss, layer.arrays, layer.backward(), sample=40)


@pytest.mark.parametrize("bptt", [0, 1000], ids=["full", "beyond"])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_a_loss_may_read_the_final_states_too(kind, activation, directions, lengths, bptt):
    layer = Layer(kind, activation, directions, lengths, final=True)
    check(layer.loss, layer.arrays, layer.backward(bptt), sample=20)


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
    other.layer = layer.layer
    h, cache = layer.forward()
    other.backward()  # between forward and backward of the first
    dx, grads, dinitial = layer.layer.backward_through(layer.arrays, layer.up, cache)
    alone = layer.backward()
    assert (layer.forward()[0] == h).all()
    assert (alone["initial"] == dinitial).all() and (alone["x"] == dx).all()
    assert all((alone[name] == grads[name]).all() for name in grads)


@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_without_an_initial_state_it_is_zero(kind, activation):
    layer = Layer(kind, activation, 2, (5, 3, 1))
    h, _ = layer.layer.forward(layer.arrays, layer.arrays["x"], layer.packing)
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


# ------------------------------------------------------------------ state


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_the_final_state_is_that_after_each_sentence_s_last_step(kind, activation, directions):
    layer = Layer(kind, activation, directions, (5, 3, 1))
    final = layer.forward()[1].final
    for d in range(directions):
        for s in range(3):
            memories = reference.run(layer.slow, *layer.sentence(s, d))[0]
            assert close(final[0, d, s], memories[-1])


@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_state_that_is_carried_over_continues_the_sentence(kind, activation):
    whole = Layer(kind, activation, 1, (6, 6))
    h, cache = whole.forward()
    x, state = whole.arrays["x"], whole.arrays["initial"]
    for rows in (slice(0, 4), slice(4, 12)):  # two steps, then four: packed, a step is a row of each sentence
        packing = pack(((rows.stop - rows.start) // 2,) * 2)
        part, passed = whole.layer.forward(whole.arrays, x[rows], packing, initial=state)
        assert close(part, h[rows])
        state = passed.final
    assert close(state, cache.final)


@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_one_step_at_a_time_is_the_same_as_all_at_once(kind, activation):
    layer = Layer(kind, activation, 1, (5, 5, 5))
    h, cache = layer.forward()
    state = layer.arrays["initial"]
    for t in range(5):
        h_t, state = layer.layer.step(layer.arrays, layer.arrays["x"][3 * t:3 * t + 3], state)
        assert close(h_t, h[3 * t:3 * t + 3])
    assert close(state, cache.final)
    assert close(layer.layer.step(layer.arrays, layer.arrays["x"][:3])[0],
                 layer.layer.step(layer.arrays, layer.arrays["x"][:3], np.zeros_like(state))[0])


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_what_is_projected_once_a_word_gives_the_same(kind, activation, directions):
    layer = Layer(kind, activation, directions, (4, 2))
    words = np.random.default_rng(5).normal(size=(3, I))
    tokens = np.array([2, 0, 1, 1, 0, 2])
    z = layer.layer.input_projection(layer.arrays, words)
    h, _ = layer.layer.run(layer.arrays, Lookup(z, tokens), layer.packing)
    assert (h == layer.layer.forward(layer.arrays, words[tokens], layer.packing)[0]).all()


def test_one_hot_input_is_the_product_with_one_hot_rows():
    ids = np.array([[1, 4], [0, 4], [2, 3], [2, 4], [1, 3]])
    rows = sum(np.eye(5)[ids[:, f]] for f in range(2))
    plain, looked_up = (kind("r", GRU(), 5, H, 2) for kind in (Recurrent, OneHotRecurrent))
    params, packing = normal(np.random.default_rng(1), **plain.shapes()), pack((3, 2))
    (h, cache), (other, another) = plain.forward(params, rows, packing), looked_up.forward(params, ids, packing)
    assert close(h, other)
    dh = np.random.default_rng(2).normal(size=h.shape)
    (_, grads), (dx, table) = plain.backward(params, dh, cache), looked_up.backward(params, dh, another)
    assert dx is None
    for name, gradient in grads.items():
        assert close(gradient, table[name].dense(gradient) if name.endswith("W_x") else table[name])


# ------------------------------------------------------------------ truncated back-propagation


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_truncation_beyond_the_sentence_is_the_full_gradient(kind, activation, lengths):
    layer = Layer(kind, activation, 2, lengths)
    full = layer.backward()
    for steps in (max(lengths) - 1, max(lengths), 1000):
        assert same(layer.backward(steps), full)
    assert not close(layer.backward(max(lengths) - 2)["r.fwd.W_h"], full["r.fwd.W_h"])


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
        layer = Recurrent("r", Elman("relu"), 1, 1, 1, bptt)
        h, cache = layer.forward(params, x, pack((3,)))
        assert h.ravel().tolist() == [1, 3, 7]
        dx, grads = layer.backward(params, up, cache)
        return dx.ravel().tolist(), {name: gradient.item() for name, gradient in grads.items()}  # dx = dz w_x

    dx, grads = gradients(1)
    assert dx == [21, 210, 100]
    assert grads == {"r.fwd.W_h": 510, "r.fwd.W_x": 331, "r.fwd.b": 331}
    assert gradients(0)[0] == gradients(2)[0] == [421, 210, 100]


@pytest.mark.parametrize("kind, activation", CELL_KINDS)
def test_one_output_error_is_followed_back_step_by_step(kind, activation):
    layer = Layer(kind, activation, 1, (7,))
    dh = np.zeros((7, H))
    dh[5] = layer.up[5]  # the error of the sixth output alone
    W, xs, initial = layer.sentence(0, 0)
    memories = reference.run(layer.slow, W, xs, initial)[1]
    expected = (layer.up[5], *[np.zeros(H)] * (layer.layer.cell.states - 1))
    for k, (dstates, dz, before) in enumerate(layer.layer.errors_back(dh, layer.forward()[1], 5)):
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
