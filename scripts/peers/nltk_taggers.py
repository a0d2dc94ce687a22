"""NLTK's taggers that can be trained: CRF, averaged perceptron, TnT."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnntag.corpus import Sentence

from .base import Each, Tags, shuffled


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
