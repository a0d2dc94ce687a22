"""Train a tagger: ``python train_rnn.py TRAIN MODEL``, the same as the command train-rnn."""

from rnntag.cli.train_rnn import main

if __name__ == "__main__":
    main(prog_name="train_rnn.py")
