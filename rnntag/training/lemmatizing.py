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
FEWEST, MOST = 3, 30  # epochs


def part_trainers(tagger: RNNTagger, sentences: Sequence[Sentence]) -> dict[str, Trainer]:
    """The trainers of the parts that ``tagger`` has to have: of a lemmatizer, if there is a column of lemmas and the
    option says so."""
    how = tagger.options.lemmatizer
    if LEMMA not in tagger.fields or how == "scripts":
        return {}
    found = pairs(sentences, tagger.fields)
    if how == "auto" and len(found) < LEAST_PAIRS:
        return {}
    epochs = min(max(round(PAIRS / len(found)), FEWEST), MOST)
    options = TransducerOptions(epochs=epochs, seed=tagger.options.seed)
    rng = np.random.default_rng(options.seed)
    return {LEMMATIZER: Trainer(TransducingTask(Transducer.create(found, options, rng), found), rng)}
