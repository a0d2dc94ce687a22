"""spaCy's tagger."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence

from rnntag.corpus import Sentence

from .base import Tags


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
