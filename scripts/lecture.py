"""The lecture's pseudo code as a program, in the lecture's own names, and what each slip in it does.

    python scripts/lecture.py [TRAIN TEST]

It stands beside the package for comparison: column vectors and weights (out, in) as on the slides, a
sentence at a time, lists over time. ``rnntag`` has row vectors and weights (in, out), batches, and
arrays over time; ``test/test_documentation.py`` holds the two to the same gradients. docs/tutorial.md,
"Errata", explains the rows of the table that this prints.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rnntag.corpus import Sentence, read_tagged  # noqa: E402

Array = np.ndarray
HIDDEN, EPOCHS, RATE, CLIP = 50, 4, 0.1, 5.0


def softmax(a: Array) -> Array:
    """p = exp(a) / sum exp(a), the largest a taken out first so that exp cannot overflow."""
    r = np.exp(a - a.max())
    return r / r.sum()


def create_one_hot(id: int, size: int) -> Array:
    vec = np.zeros(size)
    vec[id] = 1
    return vec


def initialise(words: int, tags: int, rng: np.random.Generator) -> dict[str, Array]:
    """The five arrays of the network, named as on the slides."""
    return {"w_rx": rng.normal(0, 0.1, (HIDDEN, words)), "w_rh": rng.normal(0, 0.1, (HIDDEN, HIDDEN)),
            "b_r": np.zeros(HIDDEN), "w_oh": rng.normal(0, 0.1, (tags, HIDDEN)), "b_o": np.zeros(tags)}


def forward_rnn(net: dict[str, Array], x: list[int],
                output: Callable[[Array], Array] = softmax) -> tuple[list[Array], list[Array], list[int]]:
    """h_t = tanh(w_rx x_t + w_rh h_(t-1) + b_r), p_t = softmax(w_oh h_t + b_o), y_t = the best of p_t.

    x   ids of words; w_rx x_t with x_t one-hot is a column of w_rx
    """
    h: list[Array] = []
    p: list[Array] = []
    y: list[int] = []
    for t in range(len(x)):
        before = net["w_rh"] @ h[t - 1] if t > 0 else 0
        h.append(np.tanh(net["w_rx"][:, x[t]] + before + net["b_r"]))
        p.append(output(net["w_oh"] @ h[t] + net["b_o"]))
        y.append(int(p[t].argmax()))
    return h, p, y


def gradient_rnn(net: dict[str, Array], x: list[int], h: list[Array], p: list[Array], gold: list[int],
                 outer: Callable[[Array, Array], Array] = np.outer, of_p: bool = False) -> dict[str, Array]:
    """The full gradient of sum_t log p_t[gold_t], backwards through the sentence.

    outer   of (error, input): np.outer gives the shape and the gradient of a matrix (out, in)
    of_p    that of sum_t p_t[gold_t] instead, as on the slide about stochastic gradient descent
    """
    delta = {name: np.zeros_like(array) for name, array in net.items()}
    later = np.zeros_like(net["b_r"])  # delta_r' of the following time step
    for t in reversed(range(len(x))):
        delta_o = create_one_hot(gold[t], len(p[t])) - p[t]  # output error
        if of_p:
            delta_o *= p[t][gold[t]]
        delta["w_oh"] += np.outer(delta_o, h[t])
        delta["b_o"] += delta_o
        delta_r = later @ net["w_rh"] + delta_o @ net["w_oh"]  # back-propagation
        later = delta_r * (1 - h[t] ** 2)  # tanh gradient
        delta["w_rx"][:, x[t]] += later
        delta["b_r"] += later
        if t > 0:
            delta["w_rh"] += outer(later, h[t - 1])
    return delta


def update_weights(net: dict[str, Array], delta: dict[str, Array], rate: float) -> None:
    """w += rate delta: uphill, since delta is the gradient of the log-likelihood."""
    size = np.sqrt(sum((array ** 2).sum() for array in delta.values()))
    for name in net:
        net[name] += rate * min(1, CLIP / max(size, 1e-9)) * delta[name]


# name: (output function, outer product, gradient of p instead of log p)
VERSIONS = {
    "the formulas": (softmax, np.outer, False),
    "tanh for the softmax": (np.tanh, np.outer, False),
    "outer(h, delta) for w_rh": (softmax, lambda error, h: np.outer(h, error), False),
    "gradient of p, not log p": (softmax, np.outer, True),
}


def gradient_error(version: str, seed: int = 1) -> float:
    """The largest difference of w_rh's gradient from central differences of sum_t log softmax_t[gold_t]."""
    rng = np.random.default_rng(seed)
    net, x, gold = initialise(7, 4, rng), [1, 3, 2, 6, 1], [0, 2, 1, 3, 2]
    net["w_rh"] *= 5
    output, outer, of_p = VERSIONS[version]
    h, p, _ = forward_rnn(net, x, output)
    by_formula = gradient_rnn(net, x, h, p, gold, outer, of_p)["w_rh"]

    def log_likelihood() -> float:
        total = 0.0
        for p_t, tag in zip(forward_rnn(net, x)[1], gold):
            total += np.log(p_t[tag])
        return total

    by_difference = np.zeros_like(by_formula)
    for i in range(HIDDEN):
        for j in range(HIDDEN):
            value = net["w_rh"][i, j]
            net["w_rh"][i, j] = value + 1e-5
            above = log_likelihood()
            net["w_rh"][i, j] = value - 1e-5
            below = log_likelihood()
            net["w_rh"][i, j] = value
            by_difference[i, j] = (above - below) / 2e-5
    return float(np.abs(by_formula - by_difference).max() / np.abs(by_difference).max())


def accuracy(version: str, train: list[Sentence], test: list[Sentence], seed: int = 1) -> float:
    """Per cent of the test tokens tagged right after EPOCHS of the lecture's training algorithm."""
    output, outer, of_p = VERSIONS[version]
    x_ids: dict[str, int] = {}  # from 1 on; 0 is a word that training did not see
    y_ids = {tag: id for id, tag in enumerate(sorted({tag for sentence in train for tag in sentence.tags}))}
    data = []
    for sentence in train:
        x = [x_ids.setdefault(word, len(x_ids) + 1) for word in sentence.words]
        y = [y_ids[tag] for tag in sentence.tags]
        data.append((x, y))
    rng = np.random.default_rng(seed)
    net = initialise(len(x_ids) + 1, len(y_ids), rng)
    for _ in range(EPOCHS):
        for i in rng.permutation(len(data)):
            x, gold = data[i]
            h, p, _ = forward_rnn(net, x, output)
            delta = gradient_rnn(net, x, h, p, gold, outer, of_p)
            update_weights(net, delta, RATE)
    right = total = 0
    for sentence in test:
        x = [x_ids.get(word, 0) for word in sentence.words]
        _, _, y = forward_rnn(net, x, output)
        for answer, tag in zip(y, sentence.tags):
            right += answer == y_ids.get(tag)
            total += 1
    return 100 * right / total


def main(arguments: list[str]) -> None:
    files = arguments or [str(ROOT / "data" / f"sample-{part}.wordtag") for part in ("train", "test")]
    train, test = (read_tagged(file) for file in files)
    print("version                   | gradient error | accuracy %")
    for version in VERSIONS:
        print(f"{version:25} | {gradient_error(version):14.1e} | {accuracy(version, train, test):10.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
