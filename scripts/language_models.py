"""A language model beside interpolated Kneser-Ney n-grams, on the same text, vocabulary and units.

    python scripts/language_models.py TEXT [--train N] [--test N] [--unit word|char] [--order N] [OPTION...]

TEXT has a sentence a line, tokens separated by single spaces. The first N tokens are for training, the next N for
testing, in whole sentences. Other options go to ``rnntag train-lm``. Only units of its vocabulary are told apart, by
both models. The n-grams are those of ``nltk.lm.KneserNeyInterpolated``, with counts that are looked up instead of
searched for; ``test/test_language_script.py`` holds the two to the same probabilities. They read each sentence by
itself; the network reads on.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rnntag.models.language_model import END, spelt  # noqa: E402

START = "<s>"
DISCOUNTS = 0.1, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95
Sentences = list[list[str]]


class KneserNey:
    """P(w | u v) = max(c(u v w) - d, 0) / c(u v) + d n(u v) / c(u v) P(w | v)     (Kneser and Ney 1995)

    c counts, for shorter contexts, how many different words stand before; n(u v) how many different ones come after.
    Sentences end with END; NLTK counts as many of them as there are words of context.
    """

    def __init__(self, order: int, sentences: Iterable[Sequence[str]]):
        self.order = order
        counts: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(order)]
        for sentence in sentences:
            padded = (START,) * (order - 1) + tuple(sentence) + (END,) * (order - 2)
            for n in range(1, order + 1):
                counts[n - 1].update(zip(*(padded[k:] for k in range(n))))
        self.counts, self.total, self.after = [], [], []
        for n in range(1, order + 1):
            of: dict[tuple[str, ...], int] = counts[n - 1] if n == order else Counter(gram[1:] for gram in counts[n])
            total: dict[tuple[str, ...], int] = defaultdict(int)
            for gram, count in of.items():
                total[gram[:-1]] += count
            self.counts.append(of)
            self.total.append(total)
            self.after.append(Counter(gram[:-1] for gram in counts[n - 1]))

    def score(self, word: str, context: tuple[str, ...], discount: float) -> float:
        """P(word | context); a context that was never seen is cut."""
        p = self.counts[0].get((word,), 0) / self.total[0][()]
        for n in range(1, len(context) + 1):
            own = context[len(context) - n:]
            if self.after[n][own]:
                p = (max(self.counts[n].get((*own, word), 0) - discount, 0)
                     + discount * self.after[n][own] * p) / self.total[n][own]
        return p

    def logs(self, sentence: Sequence[str], discount: float) -> Iterator[float]:
        """log P of each unit of a sentence, its END included."""
        padded = (START,) * (self.order - 1) + tuple(sentence)
        for k, word in enumerate(sentence):
            yield math.log(self.score(word, padded[k:k + self.order - 1], discount))


def split(path: str, train: int, test: int) -> tuple[list[str], list[str]]:
    """Lines of the first ``train`` tokens and of the ``test`` tokens after them, in whole sentences."""
    parts: tuple[list[str], list[str]] = [], []
    tokens = 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            if tokens >= train + test:
                break
            parts[tokens >= train].append(line.rstrip("\n"))
            tokens += line.count(" ") + 1
    return parts


def in_vocabulary(lines: list[str], unit: str, known: set[str]) -> Sentences:
    """The units of each line, "" for those that are not known."""
    return [[piece if piece in known else "" for piece in spelt(line.split(" "), unit)] for line in lines]


def perplexity(model: KneserNey, sentences: Sentences, discount: float) -> float:
    """exp of the mean - log P of a unit."""
    logs = [log for sentence in sentences for log in model.logs(sentence, discount)]
    return math.exp(-sum(logs) / len(logs))


def n_grams(train: Sentences, test: Sentences, order: int) -> Iterator[str]:
    """Rows for NLTK's default discount and for the one that is best on the last tenth of the training text."""
    start, held = time.process_time(), len(train) * 9 // 10
    part = KneserNey(order, train[:held])
    seen = {unit for sentence in train[:held] for unit in sentence}
    dev = [[unit if unit in seen else "" for unit in sentence] for sentence in train[held:]]
    best = min(DISCOUNTS, key=lambda d: perplexity(part, dev, d))
    model = KneserNey(order, train)
    for discount in dict.fromkeys((DISCOUNTS[0], best)):
        value = perplexity(model, test, discount)
        yield row(f"Kneser-Ney, order {order}, discount {discount}", value, time.process_time() - start)


def row(name: str, value: float, seconds: float) -> str:
    return f"{name:36} | {value:10.2f} | {math.log2(value):8.4f} | {seconds:9.0f}"


def network(folder: Path, model: Path, options: list[str], trained: bool) -> tuple[float, float]:
    """The perplexity of the test text for a language model, and the CPU seconds of its training."""
    def rnntag(*arguments: str | Path) -> bytes:
        environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, "-m", "rnntag", *map(str, arguments)], check=True, env=environment,
                              stdout=subprocess.PIPE).stdout
    if not trained:
        rnntag("train-lm", folder / "train.tokens", model, *options)
    used = os.times()
    return json.loads(rnntag("score", model, folder / "test.tokens", "--json"))["perplexity"], (
        used.children_user + used.children_system)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("text")
    parser.add_argument("--train", type=int, default=900_000, help="tokens to train on")
    parser.add_argument("--test", type=int, default=50_000, help="tokens after these to test on")
    parser.add_argument("--unit", choices=["word", "char"], default="word")
    parser.add_argument("--order", type=int, default=3, help="of the n-grams")
    parser.add_argument("--model", type=Path, help="a model that was trained with this script or on the same part")
    arguments, options = parser.parse_known_args()
    parts = split(arguments.text, arguments.train, arguments.test)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, lines in zip(("train", "test"), parts):
            (folder / f"{part}.tokens").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        model = arguments.model or folder / "model"
        perplexity, seconds = network(folder, model, ["--unit", arguments.unit, *options], model.exists())
        units = json.loads((model / "ids.json").read_bytes())["units"]
        train, test = (in_vocabulary(lines, arguments.unit, set(units[1:])) for lines in parts)
        pieces = [unit for sentence in test for unit in sentence]
        print(f"{sum(map(len, train)):,} units to train on, {len(pieces):,} to test on, {len(units):,} known, "
              f"{pieces.count('') / len(pieces):.2%} of the test unknown\n")
        print(f"{'model':36} | perplexity | bits     | CPU s")
        for line in n_grams(train, test, arguments.order):
            print(line, flush=True)
        print(row(f"rnntag train-lm {' '.join(options)}", perplexity, seconds))


if __name__ == "__main__":
    main()
