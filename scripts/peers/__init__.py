"""Other taggers, trained and asked like ours: ``PEERS[name].train(sentences, seed)`` gives a tagger,
``tagger.tag(word lists)`` an iterator over tags.

Each is optional and imported only when it is used; ``available()`` tells which are installed. Every one
is trained on the same sentences alone, without outside vectors, with its own defaults where it has any.
The seed also draws the order of the sentences, for those that have no seed of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import util
from typing import Any, NamedTuple

from rnntag.corpus import Sentence
from rnntag.models.options import preset

from .base import Tags
from .crfsuite import crfsuite
from .nltk_taggers import nltk_crf, nltk_perceptron, nltk_tnt
from .spacy_tagger import spacy
from .udpipe import udpipe

LSTM = {"cell": "lstm", "hidden": 128, "batch_size": 32}


def pytorch(name: str, **changes: Any) -> Callable[[Sequence[Sentence], int], Tags]:
    """The network of a preset in PyTorch, trained as ours is."""
    def train(sentences: Sequence[Sentence], seed: int) -> Tags:
        from .pytorch import train
        return train(sentences, preset(name, seed=seed, **changes))
    return train


class Peer(NamedTuple):
    """A tagger of another library: how to train it, what has to be installed, how long it takes.

    modules, packages   what must be importable, and what pip calls it
    slow                does training take minutes, where the others take seconds?
    """

    train: Callable[[Sequence[Sentence], int], Tags]
    modules: tuple[str, ...]
    packages: str
    slow: bool = False


PEERS = {
    "crfsuite-ap": Peer(crfsuite("ap"), ("pycrfsuite",), "python-crfsuite"),
    "crfsuite-ap-kept": Peer(crfsuite("ap", keep=True), ("pycrfsuite",), "python-crfsuite"),
    "crfsuite-lbfgs": Peer(crfsuite("lbfgs"), ("pycrfsuite",), "python-crfsuite"),
    "nltk-crf": Peer(nltk_crf, ("nltk", "pycrfsuite"), "nltk python-crfsuite"),
    "nltk-perceptron": Peer(nltk_perceptron, ("nltk",), "nltk"),
    "nltk-tnt": Peer(nltk_tnt, ("nltk",), "nltk"),
    "pytorch-tutorial": Peer(pytorch("tutorial"), ("torch",), "torch", slow=True),
    "pytorch-default": Peer(pytorch("default"), ("torch",), "torch", slow=True),
    "pytorch-lstm": Peer(pytorch("default", **LSTM), ("torch",), "torch", slow=True),
    "udpipe": Peer(udpipe, ("ufal.udpipe",), "ufal.udpipe", slow=True),
    "spacy": Peer(spacy(30), ("spacy",), "spacy", slow=True),
    "spacy-3-epochs": Peer(spacy(3), ("spacy",), "spacy", slow=True),  # tags as fast as with 30
}


def installed(module: str) -> bool:
    """Can the module be imported?"""
    try:
        return util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it is in is not there
        return False


def available() -> dict[str, Peer]:
    """The peers that are installed."""
    return {name: peer for name, peer in PEERS.items() if all(map(installed, peer.modules))}


def missing() -> list[str]:
    """A line for each peer that is not installed: what it needs."""
    return [f"{name}: skipped, needs {peer.packages} (pip install {peer.packages})"
            for name, peer in PEERS.items() if name not in available()]
