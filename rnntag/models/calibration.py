"""Probabilities that are as often right as they say: a temperature, fitted on held-out sentences.

A network that has learnt its corpus by heart is surer than it should be. Dividing all scores by one number T
changes no tag, and for T > 1 makes every probability less extreme (Guo et al. 2017, "On calibration of modern
neural networks"):

    P(y | x) = softmax(scores / T);  under a CRF its transitions are divided, too
    T = argmin - sum over the held-out tokens of log P(right tag)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..corpus import Sentence
from .tagger import TEMPERATURES, RNNTagger

MIN_TOKENS = 1000  # fewer say too little about one number
STEPS = 12  # of the search: T to about 1 %
GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperature(tagger: RNNTagger, dev: Sequence[Sentence]) -> RNNTagger:
    """``tagger`` with the temperature that suits ``dev`` best; 1 when fewer than MIN_TOKENS of its tokens have
    a tag of the tagger.

    The loss has one minimum (for a softmax it is convex in 1 / T), which golden section search closes in on.
    """
    if sum(tag in tagger.tags for sentence in dev for tag in sentence.tags or []) < MIN_TOKENS:
        return tagger

    tried = tagger.with_params(tagger.params)  # one for all, which remembers the words

    def loss(log_t: float) -> float:
        tried.temperature = math.exp(log_t)
        return token_loss(tried, dev)

    low, high = map(math.log, TEMPERATURES)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(right)
    return tagger.with_params(tagger.params, round(math.exp((low + high) / 2), 2))


def token_loss(tagger: RNNTagger, sentences: Sequence[Sentence]) -> float:
    """Mean of -log P(right tag) over the tokens whose tag the tagger has, in nats."""
    total, tokens = 0.0, 0
    for sentence, found in zip(sentences, tagger.probabilities(sentence.words for sentence in sentences)):
        classes = np.array(tagger.tags.ids(sentence.tags or []), np.intp) - 1
        known = np.flatnonzero(classes >= 0)
        p = found.probabilities[known, classes[known]].astype(np.float64)
        total -= float(np.log(np.maximum(p, 1e-30)).sum())
        tokens += len(known)
    return total / max(1, tokens)
