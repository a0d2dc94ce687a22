"""Train a tagger: ``python train_rnn.py TRAIN MODEL``, the same as the command train-rnn."""

from rnntag.cli import run

if __name__ == "__main__":
    run("train_rnn", "train_rnn.py")
