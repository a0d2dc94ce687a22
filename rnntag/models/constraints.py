"""Tagging under constraints: a lexicon of the tags that words may have, words tagged in advance.

What is not allowed gets the score -inf before decoding, so that under softmax the best of the
others is taken, and under a CRF the best sequence among those allowed: a word's fixed tag informs
its neighbours. Probabilities are those given the constraints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from ..corpus import Sentence
from ..errors import CorpusError, quote
from ..nn.layers import Array
from ..text.features import normalized
from .answers import CHUNK_TOKENS, Annotator, Posteriors, chunks, cut, words_of
from .tagger import RNNTagger


class ConstrainedTagger(Annotator):
    """A tagger that keeps to a lexicon, and to the tags that its input has already.

    lexicon   the tags that words may have; words that are not in it may have any
    name      of the file that the sentences are from, for messages

    Raises CorpusError for a word of the lexicon none of whose tags the model has.
    """

    def __init__(self, tagger: RNNTagger, lexicon: Mapping[str, Iterable[str]] | None = None,
                 name: str = "sentence"):
        self.name, self.tagger, self.tag_set, self.words = name, tagger, tagger.tags.strings[1:], tagger.words
        self.fields = tagger.fields
        words = list(lexicon or {})
        self._allowed = np.ones((len(words) + 1, len(self.tag_set)), bool)  # row 0: words not in it
        self._rows: dict[str, int] = {}
        for word, form in zip(words, normalized(words, tagger.options.normalize)):
            classes = [k - 1 for k in tagger.tags.ids((lexicon or {})[word]) if k]
            if not classes:
                raise CorpusError(f"{quote(word)} has none of the model's tags in the lexicon",
                                  f"the model has {', '.join(self.tag_set[:20])}")
            if form not in self._rows:
                self._rows[form] = len(self._rows) + 1
                self._allowed[self._rows[form]] = False
            self._allowed[self._rows[form], classes] = True

    def tag(self, sentences: Iterable[Sequence[str] | Sentence]) -> Iterator[list[str]]:
        """The tags of each sentence, in order, streaming.

        A sentence is a list of words, or a ``Sentence``, which keeps the tags that it has ("" is
        none). Raises CorpusError for a tag that the model does not have.
        """
        for chunk in chunks(sentences, CHUNK_TOKENS):
            words, allowed = self._constraints(chunk)
            classes, _ = self.tagger.answers(words, allowed=allowed)
            yield from cut([self.tag_set[k] for k in classes.tolist()], words)

    def probabilities(self, sentences: Iterable[Sequence[str] | Sentence]) -> Iterator[Posteriors]:
        """The same with the probabilities of all tags, given the constraints."""
        for chunk in chunks(sentences, CHUNK_TOKENS):
            words, allowed = self._constraints(chunk)
            classes, p = self.tagger.answers(words, True, allowed)
            tags = [self.tag_set[k] for k in classes.tolist()]
            yield from (Posteriors(*own, self.tag_set) for own in zip(cut(tags, words), cut(p, words)))

    def _constraints(self, chunk: list[Sequence[str] | Sentence]) -> tuple[list[Sequence[str]], Array]:
        """The words of some sentences, and the classes that each of them may have (N, K)."""
        words = list(map(words_of, chunk))
        form, row = self.tagger.options.normalize, self._rows.get
        rows = [row(word, 0) for word in normalized(chain.from_iterable(words), form)]
        allowed = self._allowed[np.array(rows, np.intp)]
        for sentence, may in zip(chunk, cut(allowed, words)):
            if not isinstance(sentence, Sentence):
                continue
            for position, tag in enumerate(sentence.tags or []):
                if tag:
                    k = self.tagger.tags[tag]
                    if not k:
                        raise CorpusError(f"token {position + 1}, {quote(sentence.words[position])}, has the tag "
                                          f"{quote(tag)}", "the model does not have it", "If that is part of the "
                                          "word, give another --separator.", f"{self.name}:{sentence.line}")
                    may[position] = False
                    may[position, k - 1] = True
        return words, allowed
