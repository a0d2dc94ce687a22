"""Several trainings of one configuration, and two configurations compared so that the luck of a seed is not taken
for a difference between them.

The hypothesis tested is that two configurations are equally accurate in the mean over seeds (of the weights, of the
order of training) and over sentences of the kind that the corpus has. Seeds and sentences are both a sample, so each
adds its variance (Clark 1973, "The language-as-fixed-effect fallacy"). With r_cjs right tokens of configuration c,
seed j and sentence s, n_s tokens, n = sum_s n_s, N seeds, S sentences and d_js = r_2js - r_1js:

    A_cj = sum_s r_cjs / n          D = mean_j A_2j - mean_j A_1j
    V_s = S / (S - 1)  sum_s (d_.s - D n_s)^2 / n^2                              d_.s = mean_j d_js
    V_c = sum_j (A_cj - A_c.)^2 / (N - 1) / N                                    for each configuration
    V_i = S / n^2  sum_js (d_js - d_.s - d_j. + d_..)^2 / (N - 1) / (S - 1) / N
    V = max(V_s + V_1 + V_2 - V_i, V_s, V_1 + V_2)          t = D / sqrt(V)

V_i is what seeds change in single sentences, which is in V_s and in V_c. The degrees of freedom are those of
Satterthwaite (1946). That the folds share their training sentences, and that another corpus might have been
annotated, is in none of them (Bengio and Grandvalet 2004).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from .crossval import CrossValidation
from .scores import Pair
from .significance import LEVEL, Contrast, Interval, adjust, t_probability, t_quantile


@dataclass
class Repeated:
    """The cross-validations of one configuration, one for each seed."""

    name: str
    runs: list[CrossValidation]

    @property
    def accuracies(self) -> list[float]:
        """The accuracy of each seed, all folds together."""
        return [run.total.accuracy for run in self.runs]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        values = self.accuracies
        return {"name": self.name, "accuracies": values, "mean": float(np.mean(values)),
                "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                "seeds": [run.to_dict() for run in self.runs]}


@dataclass
class Difference(Contrast):
    """The mean accuracies of two configurations.

    sentences_sd   standard deviation of the difference that comes from the choice of the sentences,
    seeds_sd       and that which comes from the seeds
    freedom        degrees of freedom
    """

    sentences_sd: float
    seeds_sd: float
    freedom: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**super().to_dict(), "sentences_sd": self.sentences_sd, "seeds_sd": self.seeds_sd,
                "degrees_of_freedom": self.freedom}


def compare(configurations: Sequence[Repeated]) -> list[Difference]:
    """Every two configurations, the later against the earlier; none when there is one seed, whose luck cannot be
    told from a difference."""
    counts = [np.array([_right(run.pairs) for run in repeated.runs]) for repeated in configurations]  # (N, S)
    if len(counts[0]) < 2:
        return []
    tokens = np.array([len(pair.reference) for pair in configurations[0].runs[0].pairs])
    found = [_difference((configurations[a].name, configurations[b].name), counts[a], counts[b], tokens)
             for a, b in combinations(range(len(counts)), 2)]
    adjust(found)
    return found


def _right(pairs: Sequence[Pair]) -> list[int]:
    """The right tokens of each sentence."""
    return [len(pair.reference) - pair.wrong for pair in pairs]


def _difference(names: tuple[str, str], one: np.ndarray, other: np.ndarray, tokens: np.ndarray) -> Difference:
    """From the right tokens of each seed and sentence (N, S) of two configurations, and all tokens (S,)."""
    (N, S), total = one.shape, float(tokens.sum())
    more, S_1 = other - one, max(1, S - 1)
    D = float(more.sum() / N / total)
    sentences = S / S_1 * float(((more.mean(axis=0) - D * tokens) ** 2).sum()) / total ** 2
    luck = [float((counts.sum(axis=1) / total).var(ddof=1)) / N for counts in (one, other)]
    rest = more - more.mean(axis=0) - more.mean(axis=1, keepdims=True) + more.mean()
    both = S * float((rest ** 2).sum()) / ((N - 1) * S_1 * N * total ** 2)
    variance = max(sentences + sum(luck) - both, sentences, sum(luck))
    if not variance:
        return Difference(*names, D, Interval(D, D), 1.0 if D == 0 else 0.0, 0.0, 0.0, math.inf)
    freedom = variance ** 2 / (sentences ** 2 / S_1 + sum(v ** 2 for v in luck) / (N - 1))
    half = t_quantile((1 + LEVEL) / 2, freedom) * math.sqrt(variance)
    return Difference(*names, D, Interval(D - half, D + half), t_probability(D / math.sqrt(variance), freedom),
                      math.sqrt(sentences), math.sqrt(sum(luck)), freedom)
