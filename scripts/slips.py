"""What each slip in the lecture's pseudo code does: ``scripts/lecture.py`` with one line of it changed.

    python scripts/slips.py

docs/tutorial.md, "Errata", explains the rows of the table.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from types import ModuleType

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SOURCE = (ROOT / "scripts" / "lecture.py").read_text(encoding="utf-8")
# version: what is replaced by what
VERSIONS = {
    "the formulas": ("", ""),
    "tanh for the softmax": ("p.append(softmax(", "p.append(np.tanh("),
    "outer(h, delta) for w_rh": ("np.outer(later, h[t - 1])", "np.outer(h[t - 1], later)"),
    "gradient of p, not log p": ("len(p[t])) - p[t]", "len(p[t])) * p[t] - p[t] * p[t][gold[t]]"),
}


def program(version: str) -> ModuleType:
    """The lecture's program, or a version of it."""
    right, slip = VERSIONS[version]
    assert not right or SOURCE.count(right) == 1
    module = ModuleType("lecture")
    exec(compile(SOURCE.replace(right, slip) if right else SOURCE, "lecture.py", "exec"), module.__dict__)
    return module


def gradient_error(version: str, seed: int = 1) -> float:
    """The largest difference of w_rh's gradient from central differences of sum_t log softmax_t[gold_t]."""
    rng, lecture, right = np.random.default_rng(seed), program(version), program("the formulas")
    net, x, gold = lecture.initialise(7, 4, rng), [1, 3, 2, 6, 1], [0, 2, 1, 3, 2]
    net["w_rh"] *= 5
    h, p, _ = lecture.forward_rnn(net, x)
    by_formula = lecture.gradient_rnn(net, x, h, p, gold)["w_rh"]

    def log_likelihood() -> float:
        return sum(np.log(p_t[tag]) for p_t, tag in zip(right.forward_rnn(net, x)[1], gold))

    by_difference = np.zeros_like(by_formula)
    for index, value in np.ndenumerate(net["w_rh"]):
        net["w_rh"][index] = value + 1e-5
        above = log_likelihood()
        net["w_rh"][index] = value - 1e-5
        by_difference[index] = (above - log_likelihood()) / 2e-5
        net["w_rh"][index] = value
    return float(np.abs(by_formula - by_difference).max() / np.abs(by_difference).max())


def accuracy(version: str) -> float:
    """Per cent of the sample's test words that are right at the end."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        program(version).main(*(str(ROOT / "data" / f"sample-{part}.wordtag") for part in ("train", "test")))
    return float(re.findall(r": ([\d.]+) %", said.getvalue())[-1])


def main() -> None:
    print("version                   | gradient error | accuracy %")
    for version in VERSIONS:
        print(f"{version:25} | {gradient_error(version):14.1e} | {accuracy(version):10.2f}", flush=True)


if __name__ == "__main__":
    main()
