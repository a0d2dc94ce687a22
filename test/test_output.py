"""Softmax and CRF: loss, gradient, decoding, probabilities."""

import numpy as np
import pytest
import reference
from gradcheck import check, close, normal

from rnntag.nn.output import CRF, Softmax
from rnntag.nn.packing import pack

LENGTHS = [(5, 3, 3, 1), (2, 4, 1, 4), (4, 4), (1,), (6,), (1, 1, 1)]
K = 3


class Case:
    """Random scores, targets and transitions of a batch."""

    def __init__(self, lengths, K=K, scale=1.0, seed=1):
        rng = np.random.default_rng(seed)
        self.lengths, self.packing, N = lengths, pack(lengths), sum(lengths)
        self.params = normal(rng, scale, **{f"output.{name}": shape for name, shape in (
            ("transition", (K, K)), ("start", (K,)), ("end", (K,)))})
        self.scores, self.targets = rng.normal(0, scale, (N, K)), rng.integers(0, K, N)

    def loss(self, output=CRF):
        return output("output", 1, K).loss(self.params, self.scores, self.targets, self.packing)

    def sentences(self):
        """(scores, targets) of each sentence."""
        return list(zip(*(reference.split(rows, self.lengths) for rows in (self.scores, self.targets))))

    def enumerated(self):
        """The slow CRF of each sentence, with its targets."""
        return [(reference.CRF(scores, *self.params.values()), y) for scores, y in self.sentences()]


@pytest.fixture(params=LENGTHS, ids=str)
def case(request):
    return Case(request.param)


# ------------------------------------------------------------------ softmax


def test_softmax_gradient_matches_finite_differences_and_the_slow_twin(case):
    for _ in range(2):
        loss, dscores, more = case.loss(Softmax)
        slow = [reference.cross_entropy(scores, y) for scores, y in case.sentences()]
        assert more == {}
        assert close(loss, sum(part for part, _ in slow))
        assert close(dscores, reference.join([gradient for _, gradient in slow]))
        check(lambda: case.loss(Softmax)[0], {"scores": case.scores}, {"scores": dscores})


def test_softmax_by_hand():
    # scores log 1, log 2, log 5: p = 1/8, 2/8, 5/8; the tag is the second: loss = log 4, gradient = p - p'
    scores = np.log([[1.0, 2.0, 5.0]])
    loss, dscores, _ = Softmax("output", 1, K).loss({}, scores, np.array([1]), pack((1,)))
    assert loss == pytest.approx(np.log(4))
    assert dscores[0] == pytest.approx([0.125, -0.75, 0.625])
    assert Softmax("output", 1, K).decode({}, scores, pack((1,))).tolist() == [2]
    assert Softmax("output", 1, K).probabilities({}, scores, pack((1,)))[0] == pytest.approx([0.125, 0.25, 0.625])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_of_large_scores_has_the_true_loss(dtype):
    scores = np.array([[5000.0, 0.0, 0.0], [5000.0, 0.0, 0.0]], dtype)
    loss, dscores, _ = Softmax("output", 1, K).loss({}, scores, np.array([0, 2]), pack((2,)))
    assert loss == 5000
    assert dscores.tolist() == [[0, 0, 0], [1, 0, -1]]
    assert dscores.dtype == dtype


@pytest.mark.parametrize("output", [Softmax, CRF])
def test_the_scores_are_left_alone(output):
    case = Case((5, 3, 3, 1))
    before = case.scores.copy()
    case.loss(output)
    output("output", 1, K).decode(case.params, case.scores, case.packing)
    output("output", 1, K).probabilities(case.params, case.scores, case.packing)
    assert (case.scores == before).all()


# ------------------------------------------------------------------ CRF against enumeration


def test_crf_loss_is_that_of_all_sequences_enumerated(case):
    assert close(case.loss()[0], sum(slow.loss(y) for slow, y in case.enumerated()))


def test_crf_gradient_is_expected_minus_observed_counts(case):
    _, dscores, grads = case.loss()
    parts = [slow.gradient(y) for slow, y in case.enumerated()]
    assert close(dscores, reference.join([part[0] for part in parts]), 1e-10)
    for k, name in enumerate(("transition", "start", "end"), 1):
        assert close(grads[f"output.{name}"], sum(part[k] for part in parts), 1e-10), name


def test_crf_gradient_matches_finite_differences(case):
    for _ in range(2):
        _, dscores, grads = case.loss()
        check(lambda: case.loss()[0], {"scores": case.scores, **case.params}, {"scores": dscores, **grads})


def test_crf_marginals_are_those_of_all_sequences_enumerated(case):
    p = CRF("output", 1, K).probabilities(case.params, case.scores, case.packing)
    assert close(p, reference.join([slow.marginals() for slow, _ in case.enumerated()]), 1e-10)


@pytest.mark.parametrize("seed", range(8))
def test_viterbi_finds_the_best_of_all_sequences(seed):
    case = Case((5, 3, 3, 1), scale=2.0, seed=seed)
    classes = reference.split(CRF("output", 1, K).decode(case.params, case.scores, case.packing), case.lengths)
    assert [tuple(y) for y in classes] == [slow.viterbi() for slow, _ in case.enumerated()]


def test_viterbi_is_not_the_best_tag_of_each_token_alone():
    # tag 1 is a little better at each token, but 1 may not follow 1
    params = {"output.transition": np.array([[0.0, 0.0], [0.0, -9.0]]), "output.start": np.zeros(2),
              "output.end": np.zeros(2)}
    scores = np.array([[0.0, 0.1]] * 3)
    assert CRF("output", 1, K).decode(params, scores, pack((3,))).tolist() == [1, 0, 1]
    assert Softmax("output", 1, K).decode({}, scores, pack((3,))).tolist() == [1, 1, 1]


def test_a_crf_without_transitions_is_softmax(case):
    for array in case.params.values():
        array[...] = 0
    assert close(case.loss()[0], case.loss(Softmax)[0])
    assert close(case.loss()[1], case.loss(Softmax)[1])


def test_a_batch_is_the_sum_of_its_sentences():
    batch = Case((5, 3, 3, 1))
    loss, dscores, grads = batch.loss()
    total, rows, sums = 0, [], {name: 0 for name in grads}
    for scores, targets in batch.sentences():
        one = CRF("output", 1, K).loss(batch.params, np.array(scores), np.array(targets), pack((len(scores),)))
        total += one[0]
        rows.append(one[1])
        sums = {name: sums[name] + one[2][name] for name in sums}
    assert close(loss, total) and close(dscores, reference.join(rows))
    assert all(close(grads[name], sums[name]) for name in grads)


# ------------------------------------------------------------------ CRF at the limits


@pytest.mark.filterwarnings("error")
def test_a_sentence_of_2000_tokens_stays_finite():
    case = Case((2000, 3), K=4, scale=3.0)
    loss, dscores, grads = case.loss()
    p = CRF("output", 1, K).probabilities(case.params, case.scores, case.packing)
    assert np.isfinite(loss) and loss > 0
    assert close(p.sum(axis=1), np.ones(2003), 1e-9)
    assert close(dscores.sum(axis=1), np.zeros(2003), 1e-9)
    assert abs(grads["output.transition"].sum()) < 1e-6  # 2001 pairs expected, 2001 seen


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("weights", ["random", "all -50", "all 50", "one way out"])
def test_transitions_of_plus_minus_50_stay_finite(weights):
    case = Case((300, 7, 1), K=4, seed=5)
    rng = np.random.default_rng(6)
    case.params["output.transition"][...] = {
        "random": rng.choice([-50.0, 50.0], (4, 4)), "all -50": -50.0, "all 50": 50.0,
        "one way out": np.where(np.roll(np.eye(4), 1, axis=1), 50.0, -50.0)}[weights]
    loss, dscores, grads = case.loss()
    assert np.isfinite(loss) and np.isfinite(dscores).all()
    assert abs(grads["output.transition"].sum()) < 1e-6  # as many pairs are expected as seen
    assert close(dscores.sum(axis=1), np.zeros(308), 1e-9)
    assert np.isfinite(CRF("output", 1, K).decode(case.params, case.scores, case.packing)).all()


def test_transitions_of_plus_minus_50_agree_with_enumeration():
    case = Case((5, 3, 1), seed=7)
    case.params["output.transition"][...] = np.random.default_rng(8).choice([-50.0, 50.0], (K, K))
    slow = case.enumerated()
    loss, dscores, grads = case.loss()
    parts = [crf.gradient(y) for crf, y in slow]
    assert close(loss, sum(crf.loss(y) for crf, y in slow))
    assert close(dscores, reference.join([part[0] for part in parts]), 1e-9)
    assert close(grads["output.transition"], sum(part[1] for part in parts), 1e-9)


LARGEST = float(np.finfo(np.float32).max)
FAR_APART = {  # transitions of a stranger's model, from a random generator
    "a thousand": lambda rng: rng.choice([-1000.0, 0.0, 1000.0], (K, K)),
    "just beyond exp": lambda rng: rng.choice([-750.0, -700.0, 0.0], (K, K)),
    "a million": lambda rng: rng.normal(0, 1e6, (K, K)),
    "one way out": lambda rng: np.where(np.roll(np.eye(K), 1, axis=1), 0.0, -5000.0),
    "no way but one": lambda rng: np.where(np.arange(K * K).reshape(K, K) == rng.integers(K * K), 0.0, -1e5),
    "large but alike": lambda rng: np.full((K, K), 1e20),
    "the largest": lambda rng: rng.uniform(-LARGEST, LARGEST, (K, K))}


def hostile(weights, seed):
    """A case with transitions that are far apart; with the largest, the other weights are no trifles beside them."""
    case = Case((5, 3, 3, 1), seed=seed, scale=LARGEST / 20 if weights == "the largest" else 2.0)
    case.params["output.transition"][...] = FAR_APART[weights](np.random.default_rng(seed))
    return case


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weights", FAR_APART)
def test_transitions_that_are_far_apart_agree_with_exact_arithmetic(weights, seed):
    case = hostile(weights, seed)
    loss, dscores, grads = case.loss()
    parts = [crf.gradient(y) for crf, y in case.enumerated()]
    size = max(1.0, abs(case.params["output.transition"]).max())  # log Z is as large as they are
    assert abs(loss - sum(crf.loss(y) for crf, y in case.enumerated())) < 1e-14 * size + 1e-9
    assert close(dscores, reference.join([part[0] for part in parts]), 1e-8)
    for k, name in enumerate(("transition", "start", "end"), 1):
        assert close(grads[f"output.{name}"], sum(part[k] for part in parts), 1e-8), name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weights", FAR_APART)
def test_marginals_under_constraints_agree_with_exact_arithmetic(weights, seed):
    case = hostile(weights, seed)
    rng = np.random.default_rng(seed)
    forbidden = rng.random(case.scores.shape) < 0.4
    forbidden[np.arange(12), rng.integers(0, K, 12)] = False  # each token has a tag left
    case.scores[forbidden] = -np.inf
    p = CRF("output", 1, K).probabilities(case.params, case.scores, case.packing)
    assert close(p, reference.join([crf.marginals() for crf, _ in case.enumerated()]), 1e-8)


@pytest.mark.filterwarnings("error")
def test_transitions_of_a_tag_that_is_not_allowed_do_not_matter():
    case = Case((5, 3, 3, 1))
    case.scores[:, 0] = -np.inf
    wanted = CRF("output", 1, K).probabilities(case.params, case.scores, case.packing)
    for value in (-LARGEST, LARGEST):
        case.params["output.transition"][0] = case.params["output.transition"][:, 0] = value
        assert close(CRF("output", 1, K).probabilities(case.params, case.scores, case.packing), wanted)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(4))
def test_the_largest_weights_give_probabilities(seed):
    case, rng = Case((60, 7, 1), K=4, seed=seed), np.random.default_rng(seed)
    for array in (case.scores, *case.params.values()):
        array[...] = rng.choice([-LARGEST, -1e30, -1.0, 0.0, 1.0, LARGEST], array.shape)
    loss, dscores, grads = case.loss()
    p = CRF("output", 1, K).probabilities(case.params, case.scores, case.packing)
    assert np.isfinite(loss) and (p >= 0).all() and close(p.sum(axis=1), np.ones(68), 1e-9)
    assert close(dscores.sum(axis=1), np.zeros(68), 1e-9) and abs(grads["output.transition"].sum()) < 1e-6


def test_crf_keeps_the_dtype_of_the_scores():
    case = Case((5, 3, 1))
    case.scores = case.scores.astype(np.float32)
    case.params = {name: array.astype(np.float32) for name, array in case.params.items()}
    loss, dscores, grads = case.loss()
    assert type(loss) is float
    assert {dscores.dtype, *(g.dtype for g in grads.values())} == {np.dtype(np.float32)}


def test_the_parameters_of_the_outputs():
    dense = {"tags.W_o": (5, 3), "tags.b_o": (3,)}
    assert Softmax("tags", 5, 3).shapes() == dense
    assert CRF("tags", 5, 3).shapes() == {**dense, "tags.transition": (3, 3), "tags.start": (3,), "tags.end": (3,)}
    params = CRF("tags", 5, 3).initialise(np.random.default_rng(1))
    assert (params["tags.W_o"] == Softmax("tags", 5, 3).initialise(np.random.default_rng(1))["tags.W_o"]).all()
    assert params["tags.W_o"].any() and not params["tags.transition"].any()


@pytest.mark.parametrize("output", [Softmax, CRF])
def test_a_temperature_divides_scores_and_transitions(output, case):
    layer = output("output", 1, K)
    cooled = layer.probabilities({name: array / 2.5 for name, array in case.params.items()}, case.scores / 2.5,
                                 case.packing)
    assert close(layer.probabilities(case.params, case.scores, case.packing, 2.5), cooled)
