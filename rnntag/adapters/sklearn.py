"""A tagger as an estimator of scikit-learn     (extra: sklearn)

    tagger = RNNTaggerClassifier(epochs=8)
    tagger.fit([["I", "read", "it"]], [["PRP", "VBP", "PRP"]])
    tagger.predict([["I", "read"]])                # an array of lists of tags
    GridSearchCV(tagger, {"hidden": [50, 100]}, cv=5).fit(X, y)

It takes the place of ``sklearn_crfsuite.CRF``: a token in X may be a dictionary of features as well, of which it
reads the word and makes its own features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from inspect import Parameter, Signature
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise ImportError("scikit-learn is not installed. Install it with pip install 'rnntag[sklearn]'.") from error

from ..api import train
from ..errors import RnntagError
from ..models.options import Options

OWN = {"word": "word", "preset": None, "dev_fraction": 0.0}  # parameters that are not options of a network
PARAMETERS = OWN | {option.name: None for option in fields(Options) if option.name != "vectors"}


class RNNTaggerClassifier(BaseEstimator):
    """An RNN tagger with ``fit`` and ``predict``. X is a list of sentences, each a list of tokens; y has a list of
    tags for each.

    word           the key of the word, where tokens are dictionaries of features
    preset         the options to start from: tutorial, default (default), fast, accurate
    dev_fraction   the share of the sentences to hold out; the epoch that does best on them is kept
    the others     fields of ``Options``, such as ``epochs`` or ``hidden``; None: as the preset says

    After ``fit``: classes_ (the tags), tagger_ (what ``rnntag.train`` gives, which ``rnntag.save`` writes).

    Raises ValueError for sentences and options that are wrong.
    """

    def __init__(self, **parameters: Any):
        given = SIGNATURE.bind(self, **parameters)
        given.apply_defaults()
        for name in PARAMETERS:
            setattr(self, name, given.arguments[name])

    def fit(self, X: Sequence, y: Sequence, X_dev: Sequence = (), y_dev: Sequence = ()) -> RNNTaggerClassifier:
        """Train on sentences and their tags; X_dev and y_dev score each epoch, and the best one is kept."""
        options = {name: getattr(self, name) for name in PARAMETERS if name not in OWN}
        try:
            self.tagger_ = train(self._pairs(X, y), dev=self._pairs(X_dev, y_dev), dev_fraction=self.dev_fraction,
                                 preset=self.preset,
                                 **{name: value for name, value in options.items() if value is not None})
        except RnntagError as error:
            raise ValueError(str(error)) from error
        self.classes_ = np.array(self.tagger_.tags.strings[1:])
        return self

    def predict(self, X: Sequence) -> np.ndarray:
        """The tags of each sentence: an array (N,) of lists."""
        return self._answers("tag", X, list)

    def predict_proba(self, X: Sequence) -> np.ndarray:
        """The probabilities of ``classes_``, a row for each token: an array (N,) of arrays (T, K)."""
        return self._answers("probabilities", X, lambda answer: answer.probabilities)

    def predict_marginals(self, X: Sequence) -> np.ndarray:
        """The same as CRF says it: an array (N,) of lists of dictionaries, from tags to probabilities."""
        return self._answers("probabilities", X, lambda answer: [
            dict(zip(answer.tag_set, row)) for row in answer.probabilities.tolist()])

    def score(self, X: Sequence, y: Sequence) -> float:
        """The share of the tokens that get their tag."""
        pairs = [(tag, answer) for tags, answers in zip(y, self.predict(X), strict=True)
                 for tag, answer in zip(tags, answers, strict=True)]
        return sum(tag == answer for tag, answer in pairs) / max(len(pairs), 1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        return tags

    def _answers(self, method: str, X: Sequence, shape: Any) -> np.ndarray:
        check_is_fitted(self)
        sentences = self._words(X)
        answers = np.empty(len(sentences), object)  # of one dimension, though all be of one length
        try:
            for i, answer in enumerate(getattr(self.tagger_, method)(sentences)):
                answers[i] = shape(answer)
        except RnntagError as error:
            raise ValueError(str(error)) from error
        return answers

    def _pairs(self, X: Sequence, y: Sequence) -> list[list[tuple[str, str]]]:
        """Sentences of (word, tag)."""
        sentences, tagged = self._words(X), list(map(list, _iterable(y, "y", "tags")))
        lengths = [list(map(len, side)) for side in (sentences, tagged)]
        if lengths[0] != lengths[1]:
            raise ValueError(f"{len(sentences)} sentences in X with {sum(lengths[0])} tokens, {len(tagged)} in y "
                             f"with {sum(lengths[1])} tags; there is a tag for every token")
        return [list(zip(words, tags)) for words, tags in zip(sentences, tagged)]

    def _words(self, X: Sequence) -> list[list[str]]:
        try:
            return [[token[self.word] if isinstance(token, Mapping) else token for token in sentence]
                    for sentence in _iterable(X, "X", "tokens")]
        except KeyError:
            raise ValueError(f"a token has no feature {self.word!r}; the parameter word says which is the word"
                             ) from None


def _iterable(sentences: Any, name: str, what: str) -> Sequence:
    """``sentences``. Raises ValueError for what is not a list of lists."""
    try:
        if not any(isinstance(each, str) or iter(each) is None for each in sentences):
            return sentences
    except TypeError:
        pass
    raise ValueError(f"{name} is not a list of lists of {what}, one for each sentence")


SIGNATURE = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *(
    Parameter(name, Parameter.KEYWORD_ONLY, default=default) for name, default in PARAMETERS.items())])
RNNTaggerClassifier.__init__.__signature__ = SIGNATURE  # type: ignore[attr-defined]  # scikit-learn reads it
