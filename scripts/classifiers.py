"""A classifier beside logistic regression on TF-IDF of words and word pairs (scikit-learn).

    python scripts/classifiers.py TRAIN TEST [--seeds N] [OPTION...]

TRAIN and TEST have a text with its label a line, in a format of ``rnntag train-classifier``; other options go to it.
Logistic regression gets the same words, with scikit-learn's defaults, and with the C that is best on the last tenth
of TRAIN.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported

from rnntag.cli.train_classifier import main as train_classifier  # noqa: E402
from rnntag.cli.training import given  # noqa: E402
from rnntag.corpus.labelled import Text, read_labelled  # noqa: E402
from rnntag.training.classifying import prepare_classifier  # noqa: E402

STRENGTHS = 0.1, 1.0, 10.0, 100.0, 1000.0


def regression(train: list[Text], test: list[Text], C: float) -> float:
    """The share of the test texts that logistic regression labels right."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
    model = LogisticRegression(C=C, max_iter=1000)
    model.fit(vectorizer.fit_transform(" ".join(text.words) for text in train), [text.label for text in train])
    return model.score(vectorizer.transform(" ".join(text.words) for text in test), [text.label for text in test])


def network(train: str, test: list[Text], arguments: list[str], seed: int) -> float:
    """The same of a classifier."""
    context = train_classifier.make_context("train-classifier", [train, "-", *arguments])
    options = {name: value for name, value in given(context.params).items()
               if name in {parameter.name for parameter in train_classifier.params if hasattr(parameter, "group")}}
    run = prepare_classifier(train, dev=None, dev_fraction=0.0, keep=None, format=None,
                             options={**options, "seed": seed})
    for _ in run.trainer.epochs():
        pass
    answers = run.result().classify(text.words for text in test)
    return sum(label == text.label for label, text in zip(answers, test)) / len(test)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--seeds", type=int, default=3)
    arguments, options = parser.parse_known_args()
    train, test = (list(read_labelled(path, learning=True)) for path in (arguments.train, arguments.test))
    print(f"{len(train):,} texts to train on, {len(test):,} to test on\n")
    print(f"{'model':44} | accuracy % | sd    | CPU s of training and testing")
    held = len(train) * 9 // 10
    best = max(STRENGTHS, key=lambda C: regression(train[:held], train[held:], C))
    for C in dict.fromkeys((1.0, best)):
        start = time.process_time()
        accuracy = regression(train, test, C)
        print(f"{f'logistic regression, TF-IDF, C = {C}':44} | {100 * accuracy:10.2f} |       | "
              f"{time.process_time() - start:.0f}", flush=True)
    start = time.process_time()
    found = [100 * network(arguments.train, test, options, seed) for seed in range(1, arguments.seeds + 1)]
    spread = f"{statistics.stdev(found):5.2f}" if len(found) > 1 else "     "
    print(f"{' '.join(['rnntag train-classifier', *options]):44} | {statistics.mean(found):10.2f} | {spread} | "
          f"{(time.process_time() - start) / len(found):.0f} each")


if __name__ == "__main__":
    main()
