"""CRFsuite by python-crfsuite."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Iterable, Sequence
from functools import cache
from pathlib import Path

from rnntag.corpus import Sentence
from rnntag.text.features import LONG_RUN, MARKS

from .base import Tags, shuffled


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


def features(keep: bool) -> Callable[[Sequence[str]], list[list[str]]]:
    """The features of each token of a sentence: its own, and those of up to two neighbours on each side.

    They are made anew for every token, as the library's tutorial and its users do; ``keep``: those of a word
    are kept until it comes again.
    """
    of_word, of_neighbour = ((cache(f) if keep else f) for f in (word_features, neighbour_features))

    def row(words: Sequence[str], i: int) -> list[str]:
        found, last = ["bias", *of_word(words[i])], len(words) - 1
        found += of_neighbour("-1", words[i - 1]) if i > 0 else ["BOS"]
        found += of_neighbour("+1", words[i + 1]) if i < last else ["EOS"]
        if i > 1:
            found += of_neighbour("-2", words[i - 2])
        if i < last - 1:
            found += of_neighbour("+2", words[i + 2])
        return found
    return lambda words: [row(words, i) for i in range(len(words))]


def crfsuite(algorithm: str, keep: bool = False) -> Callable[[Sequence[Sentence], int], Tags]:
    """CRFsuite (Okazaki 2007) with affix, shape and neighbour features, kept for each word or not."""
    def train(sentences: Sequence[Sentence], seed: int) -> Tags:
        import pycrfsuite

        read, trainer = features(keep), pycrfsuite.Trainer(algorithm=algorithm, verbose=False)
        for sentence in shuffled(sentences, seed):
            trainer.append(read(sentence.words), sentence.tags)
        with tempfile.TemporaryDirectory(prefix="peer-") as folder:
            trainer.train(f"{folder}/model")
            model = Path(folder, "model").read_bytes()
        return CRFsuite(model, keep)
    return train


class CRFsuite:
    """A CRFsuite model; its bytes are read while it tags, and the library does not keep them."""

    def __init__(self, model: bytes, keep: bool):
        import pycrfsuite

        self.tagger, self.model, self.keep = pycrfsuite.Tagger(), model, keep
        self.tagger.open_inmemory(model)

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The tags of each sentence."""
        read = features(self.keep)
        for words in sentences:
            yield self.tagger.tag(read(words)) if words else []
