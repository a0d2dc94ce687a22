"""Probabilities that are as often right as they say: a temperature, fitted on held-out sentences.

A network that has learnt its corpus by heart is surer than it should be. Dividing all scores of a column by one
number T changes no tag, and for T > 1 makes every probability less extreme (Guo et al. 2017, "On calibration of
modern neural networks"):

    P(y | x) = softmax(scores / T);  under a CRF its transitions are divided, too
    T = argmin - sum over the held-out tokens of log P(right class)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np

from ..corpus import Sentence
from ..nn.layers import Array
from .answers import CHUNK_TOKENS, chunks
from .columns import column
from .stored import TEMPERATURES
from .tagger import RNNTagger

MIN_TOKENS = 1000  # fewer say too little about one number
STEPS = 12  # of the search: T to about 1 %
GOLDEN = (math.sqrt(5) - 1) / 2


def fit_temperatures(tagger: RNNTagger, dev: Sequence[Sentence]) -> RNNTagger:
    """``tagger`` with the temperature of each column that suits ``dev`` best; 1 when fewer than MIN_TOKENS of its
    tokens have a class of the tagger.

    The loss has one minimum (for a softmax it is convex in 1 / T), which golden section search closes in on: for all
    columns at the same time, each step being a pass through the network.
    """
    tried = tagger.with_params(tagger.params)  # one for all, which remembers the words
    _, tokens = token_losses(tried, dev)
    names = [name for name, count in zip(tagger.fields, tokens) if count >= MIN_TOKENS]
    if not names:
        return tagger

    def losses(log_t: Array) -> Array:
        tried.temperatures = dict(zip(names, np.exp(log_t).tolist()))
        return token_losses(tried, dev, names)[0]

    low, high = (np.full(len(names), math.log(T)) for T in TEMPERATURES)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = losses(left), losses(right)
    for _ in range(STEPS):
        down = at_left <= at_right
        low, high = np.where(down, low, left), np.where(down, right, high)
        new = np.where(down, high - GOLDEN * (high - low), low + GOLDEN * (high - low))
        at_new = losses(new)
        left, right = np.where(down, new, right), np.where(down, left, new)
        at_left, at_right = np.where(down, at_new, at_right), np.where(down, at_left, at_new)
    found = np.exp((low + high) / 2).round(2).tolist()
    return tagger.with_params(tagger.params, {name: T for name, T in zip(names, found) if T != 1})


def token_losses(tagger: RNNTagger, sentences: Sequence[Sentence],
                 fields: Sequence[str] | None = None) -> tuple[Array, Array]:
    """For each of these columns (default: all) the mean of -log P(right class) over the tokens whose class the tagger
    has, in nats, and how many these are."""
    fields = tagger.fields if fields is None else fields
    totals, tokens = np.zeros(len(fields)), np.zeros(len(fields), int)
    for chunk in chunks(sentences, CHUNK_TOKENS):
        words = list(chain.from_iterable(sentence.words for sentence in chunk))
        targets = [tagger.columns[name].classes(words, list(chain.from_iterable(
            column(sentence, name) for sentence in chunk))) for name in fields]
        for at, answers in tagger.scored([sentence.words for sentence in chunk], fields):
            for c, name in enumerate(fields):
                known = np.flatnonzero(targets[c][at] >= 0)
                p = answers[name].probabilities()[known, targets[c][at][known]].astype(np.float64)
                totals[c] -= np.log(np.maximum(p, 1e-30)).sum()
                tokens[c] += len(known)
    return totals / np.maximum(1, tokens), tokens
