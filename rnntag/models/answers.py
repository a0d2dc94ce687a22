"""What a tagger answers when it is asked for more than tags."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..nn.layers import Array


class Posteriors(NamedTuple):
    """What a tagger makes of a sentence of T words.

    tags           the decoded tags, those that ``tag`` gives
    probabilities  P(y_t = k | x) for each word and tag (T, K): softmax, or marginals
    tag_set        the names of the K tags
    """

    tags: list[str]
    probabilities: Array
    tag_set: list[str]

    def best(self, count: int = 1) -> list[list[tuple[str, float]]]:
        """For each word its decoded tag, then the others by falling probability, ``count`` in all.

        A CRF decodes the best sequence: another tag may be more probable at one word alone, and
        comes second.
        """
        ranked = []
        for tag, row in zip(self.tags, self.probabilities):
            first = self.tag_set.index(tag)
            order = [first] + [k for k in np.argsort(-row, kind="stable")[:count].tolist() if k != first]
            ranked.append([(self.tag_set[k], float(row[k])) for k in order[:count]])
        return ranked
