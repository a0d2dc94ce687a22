"""The tagger of the lecture as a program, in the lecture's own names: column vectors, a sentence at a time.

    python scripts/lecture.py [TRAIN TEST]

docs/tutorial.md begins with it. Nothing but numpy, and a reader of files with word_TAG.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HIDDEN, EPOCHS, RATE, CLIP = 50, 4, 0.1, 5.0
Array = np.ndarray


def read(file: str) -> list[tuple[list[str], list[str]]]:
    """The words and the tags of each line: ``I_PRP read_VBP``."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    pairs = [[item.rpartition("_") for item in line.split(" ")] for line in lines if line]
    return [([word for word, _, _ in line], [tag for _, _, tag in line]) for line in pairs]


def softmax(a: Array) -> Array:
    """p = exp(a) / sum exp(a), the largest a taken out first so that exp cannot overflow."""
    r = np.exp(a - a.max())
    return r / r.sum()


def create_one_hot(id: int, size: int) -> Array:
    vec = np.zeros(size)
    vec[id] = 1
    return vec


def find_best(p: Array) -> int:
    return int(p.argmax())


def initialise(words: int, tags: int, rng: np.random.Generator) -> dict[str, Array]:
    """The five arrays of the network, named as on the slides."""
    return {"w_rx": rng.normal(0, 0.1, (HIDDEN, words)), "w_rh": rng.normal(0, 0.1, (HIDDEN, HIDDEN)),
            "b_r": np.zeros(HIDDEN), "w_oh": rng.normal(0, 0.1, (tags, HIDDEN)), "b_o": np.zeros(tags)}


def forward_rnn(net: dict[str, Array], x: list[int]) -> tuple[list[Array], list[Array], list[int]]:
    """h_t = tanh(w_rx x_t + w_rh h_(t-1) + b_r), p_t = softmax(w_oh h_t + b_o), y_t = the best of p_t.

    x   ids of words; w_rx x_t with x_t one-hot is a column of w_rx
    """
    h: list[Array] = []
    p: list[Array] = []
    y: list[int] = []
    for t in range(len(x)):
        before = net["w_rh"] @ h[t - 1] if t > 0 else 0
        h.append(np.tanh(net["w_rx"][:, x[t]] + before + net["b_r"]))
        p.append(softmax(net["w_oh"] @ h[t] + net["b_o"]))
        y.append(find_best(p[t]))
    return h, p, y


def gradient_rnn(net: dict[str, Array], x: list[int], h: list[Array], p: list[Array],
                 gold: list[int]) -> dict[str, Array]:
    """The full gradient of sum_t log p_t[gold_t], backwards through the sentence."""
    delta = {name: np.zeros_like(array) for name, array in net.items()}
    later = np.zeros_like(net["b_r"])  # delta_r' of the following time step
    for t in reversed(range(len(x))):
        delta_o = create_one_hot(gold[t], len(p[t])) - p[t]  # output error
        delta["w_oh"] += np.outer(delta_o, h[t])
        delta["b_o"] += delta_o
        delta_r = later @ net["w_rh"] + delta_o @ net["w_oh"]  # back-propagation
        later = delta_r * (1 - h[t] ** 2)  # tanh gradient
        delta["w_rx"][:, x[t]] += later
        delta["b_r"] += later
        if t > 0:
            delta["w_rh"] += np.outer(later, h[t - 1])
    return delta


def update_weights(net: dict[str, Array], delta: dict[str, Array], rate: float) -> None:
    """w += rate delta: uphill, since delta is the gradient of the log-likelihood; no longer than CLIP."""
    size = np.sqrt(sum((array ** 2).sum() for array in delta.values()))
    for name in net:
        net[name] += rate * min(1, CLIP / max(size, 1e-9)) * delta[name]


def main(train_file: str, test_file: str) -> None:
    train, test = read(train_file), read(test_file)
    x_ids = {word: id for id, word in enumerate(sorted({w for words, _ in train for w in words}), 1)}  # 0: unknown
    y_ids = {tag: id for id, tag in enumerate(sorted({tag for _, tags in train for tag in tags}))}
    data = [([x_ids[word] for word in words], [y_ids[tag] for tag in tags]) for words, tags in train]
    rng = np.random.default_rng(1)
    net = initialise(len(x_ids) + 1, len(y_ids), rng)
    for epoch in range(EPOCHS):
        for i in rng.permutation(len(data)):
            x, gold = data[i]
            h, p, _ = forward_rnn(net, x)
            update_weights(net, gradient_rnn(net, x, h, p, gold), RATE)
        right = total = 0
        for words, tags in test:
            _, _, y = forward_rnn(net, [x_ids.get(word, 0) for word in words])
            right += sum(answer == y_ids.get(tag) for answer, tag in zip(y, tags))
            total += len(tags)
        print(f"epoch {epoch + 1}: {100 * right / total:.2f} % of the test words right")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["data/sample-train.wordtag", "data/sample-test.wordtag"]))
