"""Training the encoder-decoder that a tagger asks for lemmas (models/lemmatizer.py)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..corpus import Sentence
from ..models.columns import LEMMA
from ..models.lemmatizer import LEAST_PAIRS, LEMMATIZER, pairs
from ..models.tagger import RNNTagger
from ..models.transducer import Transducer, TransducerOptions
from .trainer import Trainer
from .transducing import TransducingTask

PAIRS = 60_000  # that are learnt in all epochs together
FEWEST, MOST = 4, 30  # epochs; "auto" leaves it to the scripts when there is no time for the fewest


def part_trainers(tagger: RNNTagger, sentences: Sequence[Sentence]) -> dict[str, Trainer]:
    """The trainers of the parts that ``tagger`` has to have: of a lemmatizer, if there is a column of lemmas and the
    option says so."""
    how = tagger.options.lemmatizer
    if LEMMA not in tagger.fields or how == "scripts":
        return {}
    found = pairs(sentences, tagger.fields)
    epochs = round(PAIRS / len(found))
    if how == "auto" and (len(found) < LEAST_PAIRS or epochs < FEWEST):
        return {}
    options = TransducerOptions(epochs=min(max(epochs, FEWEST), MOST), seed=tagger.options.seed)
    rng = np.random.default_rng(options.seed)
    return {LEMMATIZER: Trainer(TransducingTask(Transducer.create(found, options, rng), found), rng)}
