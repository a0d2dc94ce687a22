"""CRFsuite by python-crfsuite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rnntag.corpus import Sentence
from rnntag.text.features import LONG_RUN, MARKS

from .base import Tags, shuffled, temporary


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
