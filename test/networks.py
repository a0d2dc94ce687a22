"""A small network of any composition, with a batch for it: what tests of networks begin with."""

from collections import Counter

import numpy as np
from gradcheck import LENGTHS, normal

from rnntag.models.network import Classes, build
from rnntag.models.options import Options
from rnntag.nn.layers import Rows
from rnntag.nn.packing import pack
from rnntag.text.features import FeatureMap, WordTable
from rnntag.text.vocab import Vocab

WORDS = ["a", "to", "The", "the", "Oslo", "reads", "B-52", "unbelievable", "x"]
MIXED = LENGTHS["mixed"]
DROPS = ("dropout", "word_dropout", "vector_dropout")
SMALL = {"features": "form,suffixes", "cell": "elman", "embedding": 5, "hidden": 4, "char_embedding": 3,
         **dict.fromkeys(DROPS, 0.0)}
ONE_COLUMN = {"": Classes(3)}
COLUMNS = {"upos": Classes(3), "feats": Classes(4, np.array([[1, 1, 0, 0], [0, 1, 1, 0]], np.float32)),
           "lemma": Classes(5, chains=False)}  # in all but the first, tokens may lack a class


class Case:
    """A small network with random float64 parameters, a batch for it, and its gradient."""

    def __init__(self, lengths=MIXED, seed=1, dtype="float64", columns=ONE_COLUMN, **options):
        rng = np.random.default_rng(seed)
        self.options = Options(**{**SMALL, **options})
        features = FeatureMap.build(WORDS[:7], self.options.feature_names)  # two words are unknown
        alphabet = Vocab("abdehlnorstuvB") if self.options.char_rnn else None
        vectors = Vocab(["to", "the", "reads"]) if self.options.vectors else None
        self.words = WordTable(features, alphabet, vectors)
        self.words.ids(WORDS)
        self.words.set_dropout(0.0, Counter())
        self.words.dropout = np.full(len(WORDS), 0.3, np.float32)
        self.sizes = features.rows, columns, len(alphabet or ()), len(vectors or ()), len(features.ngrams or ())
        self.network = build(self.options, *self.sizes)
        self.params = {name: array.astype(dtype)
                       for name, array in normal(rng, 0.5, **self.network.shapes()).items()}
        if vectors:
            self.params["vectors.table"][0] = 0
        self.lengths, self.packing = lengths, pack(lengths)
        self.types = rng.integers(0, len(WORDS), sum(lengths))
        self.targets = np.stack([rng.integers(-(number > 0), column.size, sum(lengths))
                                 for number, column in enumerate(columns.values())], axis=1)
        self.random = any(getattr(self.options, name) for name in DROPS)

    def run(self):
        """Loss and gradient; what is dropped is the same each time."""
        rng = np.random.default_rng(7) if self.random else None
        batch = (self.words, self.types, self.targets, self.packing)
        return self.network.loss_and_gradient(self.params, *batch, rng)

    def scores(self):
        """Scores by the way that tagging takes: what depends on a word alone is worked out once a word."""
        z = self.network.input_projection(self.params, self.words, np.arange(len(WORDS)))
        return self.network.scores(self.params, z, self.packing, self.types)[0]

    def gradients(self):
        return {name: gradient.dense(self.params[name]) if isinstance(gradient, Rows) else gradient
                for name, gradient in self.run()[1].items()}
