"""The temporal order problem: which errors reach far back, with clipping, with the propagation penalty, with an LSTM.

    python scripts/temporal_order.py [--gaps 20,50,100] [--seeds 5] [--updates N] [--run 'OPTIONS'] ...
    python scripts/temporal_order.py --write FOLDER --gaps 50

A text has a or b at its beginning and in its middle; their order (aa, ab, ba, bb) is its label. All other symbols are
c, d, e, f at random, and ``gap`` symbols come after the first (Hochreiter and Schmidhuber 1997; Pascanu et al. 2013).
The network is a classifier that reads from left to right and answers from its last state. A run is successful when
99 % of 400 new texts are right after some epoch of 50 updates; no text is seen twice. --write makes files for
rnntag train-classifier.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from rnntag.cli.train_classifier import main as train_classifier  # noqa: E402
from rnntag.cli.training import given  # noqa: E402
from rnntag.corpus.labelled import Text, write_labelled  # noqa: E402
from rnntag.errors import DivergedError  # noqa: E402
from rnntag.models.classifier import Classifier, ClassifierOptions  # noqa: E402
from rnntag.training.classifying import ClassificationTask  # noqa: E402
from rnntag.training.trainer import Trainer  # noqa: E402

NETWORK = ("--pooling last --one-direction --features form --embedding 8 --hidden 50 --dropout 0 --word-dropout 0 "
           "--batch-size 20 --schedule constant --embedding-rate 1 --learning-rate 0.002")
RUNS = ("--cell elman --clip 0", "--cell elman --clip 1", "--cell elman --clip 1 --propagation-penalty 10",
        "--cell lstm --clip 1")
EPOCH = 50  # updates
TESTED, RIGHT = 400, 0.99


def texts(count: int, gap: int, rng: np.random.Generator) -> list[Text]:
    """Random texts of the problem."""
    made = []
    for _ in range(count):
        symbols = rng.choice(list("cdef"), gap + 1)
        first, second = rng.choice(["a", "b"], 2)
        symbols[0], symbols[rng.integers(gap // 2 - gap // 10, gap // 2 + gap // 10 + 1)] = first, second
        made.append(Text(list(symbols), str(first + second)))
    return made


def options_of(text: str, seed: int, updates: int) -> ClassifierOptions:
    """The network's options, and others of ``train-classifier`` instead of or beside them."""
    names = {parameter.name for parameter in train_classifier.params if hasattr(parameter, "group")}
    chosen = {"seed": seed, "epochs": updates // EPOCH}
    for part in (NETWORK, text):
        context = train_classifier.make_context("train-classifier", ["-", "-", *shlex.split(part)])
        chosen |= {name: value for name, value in given(context.params).items() if name in names}
    return ClassifierOptions(**chosen)


def updates_until_right(options: ClassifierOptions, gap: int) -> int | None:
    """After how many updates a run is successful; None: it is not."""
    rng = np.random.default_rng([options.seed, gap])
    size = EPOCH * options.batch_size
    test = texts(TESTED, gap, rng)
    train = texts(size, gap, rng)
    model = Classifier.create([text.words for text in train], ["aa", "ab", "ba", "bb"], options, rng)
    task = ClassificationTask(model, train, test)
    try:
        for epoch in Trainer(task, rng).epochs():
            if epoch.score is not None and epoch.score >= RIGHT:
                return epoch.epoch * EPOCH
            fresh = texts(size, gap, rng)  # no text is seen twice
            task.types = [task.words.ids(text.words) for text in fresh]
            task.targets = np.array(model.labels.ids(text.label for text in fresh))[:, None] - 1
    except DivergedError:
        return None
    return None


def write(folder: Path, gap: int, count: int) -> None:
    """Files of the problem."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(("train", "test")):
        made = texts(count, gap, np.random.default_rng([seed, gap]))
        (folder / f"{name}.tsv").write_text("".join(write_labelled(text, "tsv") for text in made))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gaps", default="20,50,100")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--updates", type=int, default=1000, help="at most")
    parser.add_argument("--run", action="append", help="options of a network (default: the four of the table)")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write 2,000 texts to train on and to test on")
    arguments = parser.parse_args()
    gaps = [int(gap) for gap in arguments.gaps.split(",")]
    if arguments.write:
        for gap in gaps:
            write(arguments.write, gap, 2000)
        return
    print(f"{'network':48} | gap | successful | updates until then      | CPU s")
    for run in arguments.run or RUNS:
        for gap in gaps:
            start = time.process_time()
            found = [updates_until_right(options_of(run, seed, arguments.updates), gap)
                     for seed in range(1, arguments.seeds + 1)]
            done = sorted(updates for updates in found if updates is not None)
            print(f"{run:48} | {gap:3} | {len(done)} of {len(found)}     | {' '.join(map(str, done)) or '-':23} | "
                  f"{time.process_time() - start:.0f}", flush=True)


if __name__ == "__main__":
    main()
