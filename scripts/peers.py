"""Other taggers, trained and asked like ours: ``PEERS[name].train(sentences, seed)`` gives a tagger,
``tagger.tag(word lists)`` an iterator over tags.

Each is optional and imported only when it is used; ``available()`` tells which are installed. Every one
is trained on the same sentences alone, without outside vectors, with its own defaults where it has any.
The seed also draws the order of the sentences, for those that have no seed of their own.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import util
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rnntag.corpus import Sentence
from rnntag.features import LONG_RUN, MARKS

PYTORCH: dict[str, Any] = {"average": 0.0}  # options that a twin needs
PYTORCH_LSTM = {"cell": "lstm", "hidden": 128, "batch_size": 32}


class Tags(Protocol):
    """Anything that tags."""

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]: ...


class Peer(NamedTuple):
    """A tagger of another library: how to train it, what has to be installed, how long it takes.

    modules, packages   what must be importable, and what pip calls it
    slow                does training take minutes, where the others take seconds?
    """

    train: Callable[[Sequence[Sentence], int], Tags]
    modules: tuple[str, ...]
    packages: str
    slow: bool = False


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
            for name, peer in PEERS.items() if not all(map(installed, peer.modules))]


def shuffled(sentences: Sequence[Sentence], seed: int) -> list[Sentence]:
    """The sentences in an order drawn from the seed."""
    return random.Random(seed).sample(list(sentences), len(sentences))


class Each:
    """A tagger from a function that tags one sentence."""

    def __init__(self, answer: Callable[[Sequence[str]], Iterable[str]]):
        self.answer = answer

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence."""
        for words in sentences:
            yield list(self.answer(words)) if words else []


# ------------------------------------------------------------------ CRFsuite


def shape(word: str) -> str:
    """The outline of a word, worked out anew: ours remembers those that it has met."""
    return LONG_RUN.sub(r"\1\1", word.translate(MARKS))


def word_features(word: str) -> list[str]:
    """What CRFsuite reads of a word: form, lower case, shape, affixes of 1-4, capital, digit, hyphen."""
    lower = word.lower()
    return [f"w={word}", f"l={lower}", f"sh={shape(word)}", *(f"p{n}={lower[:n]}" for n in (1, 2, 3, 4)),
            *(f"s{n}={lower[-n:]}" for n in (1, 2, 3, 4)), f"cap={word[:1].isupper()}",
            f"dig={any(map(str.isdigit, word))}", f"hy={'-' in word}"]


def neighbour_features(at: str, word: str) -> list[str]:
    """What it reads of the word at a distance: lower case; next to the token also suffix and shape."""
    more = [f"{at}s={word.lower()[-3:]}", f"{at}sh={shape(word)}"] if at in ("-1", "+1") else []
    return [f"{at}l={word.lower()}", *more]


class Features:
    """The features of each token of a sentence: its own, and those of up to two neighbours on each side.

    They are made anew for every token, as the library's tutorial and its users do; ``keep``: those of a word
    are kept until it comes again.
    """

    def __init__(self, keep: bool = False):
        self.own, self.beside = ((cache(f) if keep else f) for f in (word_features, neighbour_features))

    def __call__(self, words: Sequence[str]) -> list[list[str]]:
        return [self.of(words, i) for i in range(len(words))]

    def of(self, words: Sequence[str], i: int) -> list[str]:
        """The features of token i."""
        row, last = ["bias", *self.own(words[i])], len(words) - 1
        row += self.beside("-1", words[i - 1]) if i > 0 else ["BOS"]
        row += self.beside("+1", words[i + 1]) if i < last else ["EOS"]
        if i > 1:
            row += self.beside("-2", words[i - 2])
        if i < last - 1:
            row += self.beside("+2", words[i + 2])
        return row


def crfsuite(algorithm: str, keep: bool = False) -> Callable[[Sequence[Sentence], int], Tags]:
    """CRFsuite (Okazaki 2007) with affix, shape and neighbour features, kept for each word or not."""
    def train(sentences: Sequence[Sentence], seed: int) -> Tags:
        import pycrfsuite

        features = Features(keep)
        trainer = pycrfsuite.Trainer(algorithm=algorithm, verbose=False)
        for sentence in shuffled(sentences, seed):
            trainer.append(features(sentence.words), sentence.tags)
        tagger = pycrfsuite.Tagger()
        with temporary() as path:
            trainer.train(path)
            model = Path(path).read_bytes()
        tagger.open_inmemory(model)
        return CRFsuite(tagger, model, keep)
    return train


class CRFsuite:
    """A CRFsuite model; ``model``, its bytes, is read while it tags, and the library does not keep it."""

    def __init__(self, tagger: Any, model: bytes, keep: bool):
        self.tagger, self.model, self.keep = tagger, model, keep

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence."""
        features = Features(self.keep)
        for words in sentences:
            yield self.tagger.tag(features(words)) if words else []


class temporary:
    """The name of a file that is gone afterwards."""

    def __enter__(self) -> str:
        self.folder = tempfile.TemporaryDirectory(prefix="peer-")
        return os.path.join(self.folder.name, "model")

    def __exit__(self, *_: Any) -> None:
        self.folder.cleanup()


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """What compiled code writes to standard error meanwhile goes nowhere."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


# ------------------------------------------------------------------ NLTK


def nltk_crf(sentences: Sequence[Sentence], seed: int) -> Tags:
    """NLTK's CRFTagger with its default features."""
    import nltk
    from nltk.tag import CRFTagger

    tagger = CRFTagger()
    folder = tempfile.TemporaryDirectory(prefix="peer-")  # NLTK reads the file while it tags
    nltk.data.path.append(folder.name)  # the folders that NLTK may use
    tagger.train([list(zip(s.words, s.tags)) for s in shuffled(sentences, seed)],
                 os.path.join(folder.name, "model"))
    return NLTKCRF(tagger, folder)


class NLTKCRF:
    """A CRFTagger, and the folder of its model, removed together with it."""

    def __init__(self, tagger: Any, folder: Any):
        self.tagger, self.folder = tagger, folder

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence. NLTK keeps the features of words by itself: a call is to begin as a
        process does."""
        if hasattr(self.tagger, "clear_feature_cache"):
            self.tagger.clear_feature_cache()
        for tagged in self.tagger.tag_sents(list(sentences)):
            yield [tag for _, tag in tagged]


def nltk_perceptron(sentences: Sequence[Sentence], seed: int) -> Tags:
    """NLTK's averaged perceptron, 5 iterations."""
    from nltk.tag import PerceptronTagger

    random.seed(seed)  # it shuffles with the global generator
    tagger = PerceptronTagger(load=False)
    tagger.train([list(zip(s.words, s.tags)) for s in sentences])
    return Each(lambda words: [tag for _, tag in tagger.tag(words)])


def nltk_tnt(sentences: Sequence[Sentence], seed: int) -> Tags:
    """NLTK's TnT, a trigram HMM; unknown words by their suffixes of 1 to 3 characters, the longest first."""
    from nltk.tag import AffixTagger, TnT

    tagged, unknown = [list(zip(s.words, s.tags)) for s in shuffled(sentences, seed)], None
    for length in (1, 2, 3):
        unknown = AffixTagger(tagged, affix_length=-length, min_stem_length=1, backoff=unknown)
    tagger = TnT(unk=unknown, Trained=True)
    tagger.train(tagged)
    return Each(lambda words: [tag or "" for _, tag in tagger.tag(list(words))])  # None where no suffix is known


# ------------------------------------------------------------------ UDPipe and spaCy


def udpipe(sentences: Sequence[Sentence], seed: int) -> Tags:
    """UDPipe 1 (MorphoDiTa) with its defaults, tagger alone."""
    from ufal import udpipe as library

    def written(words: Sequence[str], tags: Sequence[str]) -> Any:
        sentence = library.Sentence()
        for word, tag in zip(words, tags):
            token = sentence.addWord(word)
            token.lemma, token.upostag = word, tag
        return sentence

    none, error = library.Trainer.NONE, library.ProcessingError()
    corpus = [written(sentence.words, sentence.tags) for sentence in shuffled(sentences, seed)]
    with silenced():
        trained = library.Trainer.train("morphodita_parsito", corpus, [], none, "", none, error)
    if error.occurred():
        raise RuntimeError(error.message)
    with temporary() as path:
        Path(path).write_bytes(trained)
        model = library.Model.load(path)

    def answer(words: Sequence[str]) -> list[str]:
        sentence = written(words, [""] * len(words))
        model.tag(sentence, library.Model.DEFAULT)
        return [sentence.words[i].upostag for i in range(1, len(words) + 1)]
    return Each(answer)


def spacy(epochs: int) -> Callable[[Sequence[Sentence], int], Tags]:
    """spaCy's tagger as in its efficiency configuration: HashEmbedCNN of width 96, Adam, dropout 0.1,
    batches of 100 to 1,000 words; a fixed number of epochs."""
    def train(sentences: Sequence[Sentence], seed: int) -> Tags:
        import spacy as library
        from spacy.tokens import Doc
        from spacy.training import Example
        from spacy.training.batchers import minibatch_by_words
        from spacy.util import compounding

        library.util.fix_random_seed(seed)
        nlp = library.blank("xx")
        encoder = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 96, "depth": 4, "embed_size": 2000,
                   "window_size": 1, "maxout_pieces": 3, "subword_features": True, "pretrained_vectors": None}
        pipe = nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": encoder}})
        examples = [Example(Doc(nlp.vocab, s.words), Doc(nlp.vocab, s.words, tags=s.tags)) for s in sentences]
        optimizer = nlp.initialize(lambda: examples)
        optimizer.learn_rate = 0.001
        order, sizes = random.Random(seed), compounding(100, 1000, 1.001)
        for _ in range(epochs):
            order.shuffle(examples)
            for batch in minibatch_by_words(examples, sizes):
                pipe.update(batch, drop=0.1, sgd=optimizer)

        class Piped:
            def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
                for doc in nlp.pipe(Doc(nlp.vocab, list(words)) for words in sentences):
                    yield [token.tag_ for token in doc]
        return Piped()
    return train


# ------------------------------------------------------------------ PyTorch


def pytorch(preset_name: str, **changes: Any) -> Callable[[Sequence[Sentence], int], Tags]:
    """The network of a preset in PyTorch (twins.py), trained as ours is."""
    def train(sentences: Sequence[Sentence], seed: int) -> Tags:
        import numpy as np
        import torch
        from twins import Twin

        from rnntag.options import preset
        from rnntag.tagger import RNNTagger

        options = preset(preset_name, seed=seed, **changes, **PYTORCH)
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        twin = Twin(RNNTagger.create(sentences, options, rng), sentences,
                    "module" if options.batch_size == 1 else "padded")
        lengths, size = np.array([len(s) for s in sentences]), options.batch_size
        for epoch in range(options.epochs):
            order = rng.permutation(len(sentences))
            pools = (order[k:k + 64 * size] for k in range(0, len(order), 64 * size))  # of similar length
            ranked = [pool[np.argsort(-lengths[pool], kind="stable")] for pool in pools]
            plan = list(chain.from_iterable([p[k:k + size] for k in range(0, len(p), size)] for p in ranked))
            for number, batch in enumerate(rng.permutation(len(plan))):
                twin.update(plan[batch].tolist(), (epoch + number / len(plan)) / options.epochs)
        return twin
    return train


PEERS = {
    "crfsuite-ap": Peer(crfsuite("ap"), ("pycrfsuite",), "python-crfsuite"),
    "crfsuite-ap-kept": Peer(crfsuite("ap", keep=True), ("pycrfsuite",), "python-crfsuite"),
    "crfsuite-lbfgs": Peer(crfsuite("lbfgs"), ("pycrfsuite",), "python-crfsuite"),
    "nltk-crf": Peer(nltk_crf, ("nltk", "pycrfsuite"), "nltk python-crfsuite"),
    "nltk-perceptron": Peer(nltk_perceptron, ("nltk",), "nltk"),
    "nltk-tnt": Peer(nltk_tnt, ("nltk",), "nltk"),
    "pytorch-tutorial": Peer(pytorch("tutorial"), ("torch",), "torch", slow=True),
    "pytorch-default": Peer(pytorch("default"), ("torch",), "torch", slow=True),
    "pytorch-lstm": Peer(pytorch("default", **PYTORCH_LSTM), ("torch",), "torch", slow=True),
    "udpipe": Peer(udpipe, ("ufal.udpipe",), "ufal.udpipe", slow=True),
    "spacy": Peer(spacy(30), ("spacy",), "spacy", slow=True),
    "spacy-3-epochs": Peer(spacy(3), ("spacy",), "spacy", slow=True),  # tags as fast as with 30
}
