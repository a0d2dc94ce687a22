"""Tagging under constraints: a lexicon of the tags that words may have, words tagged in advance.

What is not allowed gets the score -inf before decoding, so that under softmax the best of the
others is taken, and under a CRF the best sequence among those allowed: a word's fixed tag informs
its neighbours. Probabilities are those given the constraints.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from ..corpus import Column, Sentence, field_names
from ..errors import CorpusError, CorpusWarning, OptionError, plural, quote
from ..nn.layers import Array
from ..text.features import normalized
from ..text.vocab import Vocab
from .answers import CHUNK_TOKENS, Annotator, Posteriors, Words, chunks, cut, words_of
from .columns import LEMMA
from .tagger import RNNTagger


class ConstrainedTagger(Annotator):
    """A tagger that keeps to a lexicon, and to what its input says already.

    lexicon   the tags that words may have, with or without their places (``read_lexicon``); words that are not in it
              may have any
    name      of the file that the sentences are from, for messages
    field     the columns that are asked for: the tags in the lexicon are of the first (default: of the tagger's)

    Tags that the model does not have are ignored, with a CorpusWarning. Raises CorpusError for a word of the lexicon
    that has no others, OptionError for a lexicon of lemmas.
    """

    def __init__(self, tagger: RNNTagger, lexicon: Mapping[str, Iterable[str]] | None = None,
                 name: str = "sentence", field: str | Sequence[str] | None = None):
        self.name, self.tagger, self.words, self.fields = name, tagger, tagger.words, tagger.fields
        self.info, names = tagger.info, field_names(field) if field else tagger.fields
        self.field = next((own for own in tagger.fields if own in names), tagger.fields[0])
        if lexicon and self.field == LEMMA:
            raise OptionError("lemmas", "a lexicon lists the tags of words", "Choose another column with --fields.",
                              "--lexicon")
        vocab = tagger.columns[self.field].vocab
        self._rows: dict[str, int] = {}
        self._allowed = np.zeros((len(lexicon or {}) + 1, len(vocab) - 1), bool)
        self._allowed[0] = True  # for words that are not in it
        self._keep_to(lexicon or {}, vocab)

    def _keep_to(self, lexicon: Mapping[str, Iterable[str]], vocab: Vocab) -> None:
        """Allow the words of a lexicon its tags alone."""
        unknown: dict[str, str] = {}
        for word, form in zip(lexicon, normalized(list(lexicon), self.tagger.options.normalize)):
            tags = lexicon[word]
            places = tags if isinstance(tags, Mapping) else dict.fromkeys(tags, "")
            known = [tag for tag in places if tag in vocab]
            if not known:
                raise CorpusError(f"{quote(word)} has none of the model's tags in the lexicon",
                                  f"the model has {', '.join(vocab.strings[1:21])}"
                                  + f" and {len(vocab) - 21} more" * (len(vocab) > 21),
                                  place=next(iter(places.values()), ""))
            for tag in places if len(known) < len(places) else ():
                if tag not in vocab:
                    unknown.setdefault(tag, places[tag])
            row = self._rows.setdefault(form, len(self._rows) + 1)
            self._allowed[row, np.array(vocab.ids(known)) - 1] = True
        if unknown:
            (tag, place), *more = unknown.items()
            others = f", nor {plural(len(more), 'other')} of the lexicon" if more else ""
            warnings.warn(f"{place}{place and ': '}the model does not have the tag {quote(tag)}{others}; ignored",
                          CorpusWarning, stacklevel=3)

    def tag(self, sentences: Iterable[Words]) -> Iterator[list[str]]:
        """The tags of each sentence, in order, streaming.

        A sentence is a list of words, or a ``Sentence``, which keeps the tags that it has ("" is
        none). Raises CorpusError for a tag that the model does not have.
        """
        for chunk in chunks(sentences, CHUNK_TOKENS):
            for columns in self.answers(chunk, self.fields[:1]):
                yield next(iter(columns.values())).values

    def probabilities(self, sentences: Iterable[Words]) -> Iterator[Posteriors]:
        """The same with the probabilities of all tags, given the constraints."""
        names = self.tagger.tags.strings[1:]
        for chunk in chunks(sentences, CHUNK_TOKENS):
            words = list(map(words_of, chunk))
            classes, p = self.tagger.posteriors(words, self.fields[0], self._constraints(chunk, self.fields[:1]))
            tags = [names[k] for k in classes.tolist()]
            yield from (Posteriors(*own, names) for own in zip(cut(tags, words), cut(p, words)))

    def answers(self, chunk: Sequence[Words], fields: Sequence[str], best: int = 0) -> Iterator[dict[str, Column]]:
        for sentence, columns in zip(chunk, self.tagger.answers(chunk, fields, best,
                                                                self._constraints(chunk, fields))):
            given = self._given(sentence, LEMMA) if LEMMA in columns else []
            for position in (i for i, lemma in enumerate(given) if lemma):  # which may be none that a script makes
                columns[LEMMA].values[position] = given[position]
                if (ranks := columns[LEMMA].best) is not None:
                    ranks[position] = [(given[position], 1.0)]
            yield columns

    def _given(self, sentence: Words, name: str) -> Sequence[str]:
        """What a sentence says in a column already; a column without a name is the first."""
        columns = sentence.columns if isinstance(sentence, Sentence) else {}
        found = columns.get(name) or (next(iter(columns.values()), None) if "" in (name, *columns)
                                      and name == self.fields[0] else None)
        return found.values if found else []

    def _constraints(self, chunk: Sequence[Words], fields: Sequence[str]) -> dict[str, Array]:
        """For each column, the classes that each word may have (N, K)."""
        words, row = list(map(words_of, chunk)), self._rows.get
        allowed = {}
        for name in fields:
            vocab = self.tagger.columns[name].vocab
            if name == self.field:
                forms = normalized(chain.from_iterable(words), self.tagger.options.normalize)
                allowed[name] = self._allowed[np.array([row(form, 0) for form in forms], np.intp)]
            elif name != LEMMA and any(any(self._given(sentence, name)) for sentence in chunk):
                allowed[name] = np.ones((sum(map(len, words)), len(vocab) - 1), bool)
            for sentence, may in zip(chunk, cut(allowed.get(name, ()), words)) if name != LEMMA else ():
                for position, tag in enumerate(self._given(sentence, name)):
                    if tag:
                        may[position] = False
                        may[position, self._class(sentence, position, name, tag)] = True
        return allowed

    def _class(self, sentence: Words, position: int, name: str, tag: str) -> int:
        """The class of a tag that a word has already. Raises CorpusError for one that the model does not have."""
        k = self.tagger.columns[name].vocab[tag]
        if not k and isinstance(sentence, Sentence):
            raise CorpusError(f"token {position + 1}, {quote(sentence.words[position])}, has the tag "
                              f"{quote(tag)}", "the model does not have it", "If that is part of the "
                              "word, give another --separator.", f"{self.name}:{sentence.line}")
        return k - 1
