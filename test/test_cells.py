"""One step of a cell, forward and back, two directions at once."""

import numpy as np
import pytest
import reference
from gradcheck import check, close

from rnntag.nn.cells import GRU, LSTM, Elman

CELLS = {"elman": Elman, "gru": GRU, "lstm": LSTM}
KINDS = [("elman", "tanh"), ("elman", "sigmoid"), ("elman", "relu"), ("gru", "tanh"), ("lstm", "tanh")]
D, b, H = 2, 3, 5  # directions, rows, hidden width


class Step:
    """A cell with random arrays to run one step on."""

    def __init__(self, kind, activation, seed=1):
        rng = np.random.default_rng(seed)
        self.cell = CELLS[kind](activation)
        S, n = self.cell.states, self.cell.gates
        self.arrays = {"W_h": rng.normal(0, 0.7, (n, D, H, H)), "z": rng.normal(0, 0.7, (n, D, b, H)),
                       "prev": rng.normal(0, 0.7, (S, D, b, H))}
        self.up = rng.normal(size=(S, D, b, H))  # upstream gradient at h, and at c

    def forward(self):
        z, prev = self.arrays["z"].copy(), self.arrays["prev"]
        now = np.empty_like(prev)
        self.cell.forward(self.arrays["W_h"], z, prev, now, np.empty_like(z))
        return z, now

    def loss(self):
        return float((self.forward()[1] * self.up).sum())

    def backward(self, dprev=0.0):
        z, now = self.forward()
        prev, W_h = self.arrays["prev"], self.arrays["W_h"]
        local = self.cell.local_gradients(z, prev, now)
        dz, dprev = np.full_like(z, np.nan), np.full_like(prev, dprev)
        self.cell.backward(W_h.swapaxes(-1, -2), local, self.up, dprev, dz)
        return {"z": dz, "prev": dprev, "W_h": recurrent_gradient(self.cell, z, prev, dz)}


def recurrent_gradient(cell, z, prev, dz):
    """dW_h = h' dz, for the h that each gate's W_h is multiplied with."""
    return np.concatenate([h.swapaxes(-1, -2) @ dz[gates] for gates, h in cell.recurrent_inputs(z, prev)])


@pytest.fixture(params=KINDS, ids="-".join)
def step(request):
    return Step(*request.param)


def test_a_step_has_the_gradients_of_finite_differences(step):
    for _ in range(2):
        check(step.loss, step.arrays, step.backward())


def test_another_step_in_between_changes_nothing(step):
    first = step.backward()
    saved = {name: array.copy() for name, array in step.arrays.items()}
    for array in step.arrays.values():
        array *= -1.5
    other = step.backward()
    for name, array in step.arrays.items():
        array[...] = saved[name]
    again = step.backward()
    assert all((first[name] == again[name]).all() for name in first)
    assert not any((first[name] == other[name]).all() for name in first)


def test_backward_adds_to_the_gradient_of_the_state_before(step):
    assert close(step.backward(dprev=2.0)["prev"], step.backward()["prev"] + 2.0)


def test_backward_is_linear_in_the_upstream_gradient(step):
    once = step.backward()
    step.up *= -3
    assert all(close(gradient, -3 * once[name]) for name, gradient in step.backward().items())


@pytest.mark.parametrize("kind, activation", KINDS)
def test_a_step_equals_the_slow_twin(kind, activation):
    step = Step(kind, activation, seed=2)
    slow = reference.CELLS[kind](activation)
    _, now = step.forward()
    gradients = step.backward()
    for d in range(D):
        # z holds x W_x + b; the twin gets it as b of its own for each row
        dW_h = 0
        for row in range(b):
            W = {"W_x": np.zeros((1, slow.gates * H)), "W_h": np.hstack(step.arrays["W_h"][:, d]),
                 "b": step.arrays["z"][:, d, row].ravel()}
            dW = {name: np.zeros_like(array) for name, array in W.items()}
            state, memory = slow.step(W, np.zeros(1), tuple(step.arrays["prev"][:, d, row]))
            _, dprev = slow.step_back(W, memory, tuple(step.up[:, d, row]), dW)
            assert close(now[:, d, row], state)
            assert close(gradients["prev"][:, d, row], dprev)
            assert close(gradients["z"][:, d, row].ravel(), dW["b"])
            dW_h = dW_h + dW["W_h"]
        assert close(np.hstack(gradients["W_h"][:, d]), dW_h)


def test_elman_by_hand():
    # h = tanh(0.5 + 2 * 0.25) = tanh(1) = 0.761594...; with dh = 1: dz = 1 - h^2 = 0.419974...
    cell = CELLS["elman"]()
    W_h, z, prev = np.array([[[[2.0]]]]), np.array([[[[0.5]]]]), np.array([[[[0.25]]]])
    now, dprev, dz = np.empty((1, 1, 1, 1)), np.zeros((1, 1, 1, 1)), np.empty((1, 1, 1, 1))
    cell.forward(W_h, z, prev, now, np.empty((1, 1, 1, 1)))
    cell.backward(W_h, cell.local_gradients(z, prev, now), np.ones((1, 1, 1, 1)), dprev, dz)
    assert now.item() == pytest.approx(0.7615941559557649)
    assert dz.item() == pytest.approx(0.41997434161402614)
    assert dprev.item() == pytest.approx(2 * 0.41997434161402614)
    assert recurrent_gradient(cell, z, prev, dz).item() == pytest.approx(0.25 * 0.41997434161402614)


def test_the_update_gate_of_the_gru_weighs_the_new_value():
    # z open: h is the candidate tanh(0.5); z shut: h stays 0.3 (seed 001 and 002: (1-z) h + z n)
    for gate, expected in ((50.0, np.tanh(0.5)), (-50.0, 0.3)):
        now = np.empty((1, 1, 1, 1))
        z = np.array([0.0, gate, 0.5]).reshape(3, 1, 1, 1)
        CELLS["gru"]().forward(np.zeros((3, 1, 1, 1)), z, np.full((1, 1, 1, 1), 0.3), now, np.empty_like(z))
        assert now.item() == pytest.approx(expected)


def test_the_reset_gate_of_the_gru_multiplies_before_the_product():
    # two units, W_n swaps them: with the reset gate of unit 0 shut, unit 1 must not see h_0;
    # a gate after the product would hide h_1 from unit 0 instead
    W_h = np.zeros((3, 1, 2, 2))
    W_h[2, 0, 0, 1] = W_h[2, 0, 1, 0] = 1.0
    z = np.array([[-50.0, 50.0], [50.0, 50.0], [0.0, 0.0]]).reshape(3, 1, 1, 2)
    now = np.empty((1, 1, 1, 2))
    CELLS["gru"]().forward(W_h, z, np.array([[[[0.4, 0.6]]]]), now, np.empty_like(z))
    assert now.ravel() == pytest.approx([np.tanh(0.6), 0.0])


def test_the_gates_of_the_lstm_stand_in_the_order_i_f_o_g():
    # one gate shut at a time, with c_{t-1} = 0.5 and g = tanh(1)
    g = np.tanh(1.0)
    for shut, c in ((0, 0.5), (1, g), (2, 0.5 + g), (None, 0.5 + g)):
        z = np.array([50.0, 50.0, 50.0, 1.0]).reshape(4, 1, 1, 1)
        if shut is not None:
            z[shut] = -50.0
        now = np.empty((2, 1, 1, 1))
        prev = np.array([0.0, 0.5]).reshape(2, 1, 1, 1)
        CELLS["lstm"]().forward(np.zeros((4, 1, 1, 1)), z, prev, now, np.empty_like(z))
        assert now.ravel() == pytest.approx([0.0 if shut == 2 else np.tanh(c), c])


def test_before_training_the_forget_gate_of_the_lstm_is_open_and_all_other_biases_are_0():
    assert LSTM().initial_bias(2).reshape(4, 2).tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]  # i f o g
    assert not GRU().initial_bias(2).any() and GRU().initial_bias(2).shape == (6,)


@pytest.mark.parametrize("kind, activation", KINDS)
def test_a_step_keeps_float32(kind, activation):
    step = Step(kind, activation)
    step.arrays = {name: array.astype(np.float32) for name, array in step.arrays.items()}
    step.up = step.up.astype(np.float32)
    assert {gradient.dtype for gradient in step.backward().values()} == {np.dtype(np.float32)}
