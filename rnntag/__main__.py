"""``python -m rnntag``, and where the installed commands begin."""

from functools import partial

from .cli import run

rnntag, train_rnn, test_rnn, train_hmm, test_hmm, grade_pos = (partial(run, module) for module in (
    "main", "train_rnn", "test_rnn", "train_hmm", "test_hmm", "grade_pos"))

if __name__ == "__main__":
    rnntag(prog_name="rnntag")
