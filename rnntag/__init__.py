"""rnntag: part-of-speech taggers trained on your own tagged corpus.

The modules, in the order in which data flows through them; each imports only from those above it:

    errors      what a user can get wrong
    compression gzip, bzip2 and xz, read and written
    files       files that are whole or absent
    datasets    corpora to fetch, pinned by their SHA-256
    corpus      Sentence; readers and writers
    tokenisation does text look tokenised?
    vocab       strings to ids and back
    options     every option, its bounds and its default; the presets
    features    a word to its features; sentences to arrays
    layers      embedding, dense, dropout, softmax
    cells       Elman, GRU, LSTM: one step forward, one step back
    rnn         a cell over time
    output      softmax and CRF: loss, gradient, decoding
    network     all of it composed
    committee   several networks as one
    optim       SGD and its relatives, clipping, schedules, averaging
    hmm         the baseline
    vectors     word vectors from untagged text
    vectorfile  files of word vectors
    tagger      the trained network with its vocabularies
    adaptation  a trained tagger as the start of another
    calibration probabilities that are as often right as they say
    constraints a lexicon of allowed tags, words tagged in advance
    evaluation  how good answers are, how sure one can be of that, figures of it
    check       what a corpus is like, and what looks wrong in it
    variation   likely annotation errors
    archive     arrays and JSON from files that are not trusted
    modelfile   model folders
    trainer     epochs of stochastic gradient descent
    processes   a pool of processes that end with their parent
    validation  trained and tested again and again on parts of one corpus
    checkpoint  a run that is killed goes on where it was
    parallel    tagging in several processes
    diagnose    how far back errors reach
    inspection  what is in a model, and why it tags a word so
    preparation from corpora, vectors and options to a training that can begin
    api         train, load and save, for programs: rnntag.train(...)
    adapters    taggers as parts of NLTK and spaCy
    cli         the command line
"""

from __future__ import annotations

TYPE_CHECKING = False  # the module typing takes its time to import
if TYPE_CHECKING:
    from typing import Any

    from .api import load, save, train

__version__ = "0.2.0"
__all__ = ["__version__", "load", "save", "train"]


def __getattr__(name: str) -> Any:
    """``load``, ``save`` and ``train`` of api.py, imported (and numpy with them) when first asked for."""
    if name not in ("load", "save", "train"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module
    return getattr(import_module(".api", __name__), name)
