"""The folds of a cross-validation, scored one by one and together."""

import pytest

from rnntag.evaluation import Pair
from rnntag.evaluation.crossval import CrossValidation


def test_folds_are_scored_by_hand():
    folds = [[Pair(["a", "b"], ["X", "Y"], ["X", "X"], 2), Pair(["c"], ["X"], ["X"], 4)],
             [Pair(["a"], ["X"], ["X"], 1), Pair(["d"], ["Y"], ["Y"], 3)]]
    result = CrossValidation.of("hmm", folds, [{"a"}, {"a", "b", "c"}])
    assert (result.sizes, result.scores) == ([2, 2], [(2, 3), (2, 2)])
    assert (result.known, result.unknown) == ((2, 2), (2, 3))  # b, c and d are in no training part
    assert (result.mean, result.sd) == (pytest.approx(5 / 6), pytest.approx(1 / 3 / 2 ** 0.5))
    assert [pair.line for pair in result.pairs] == [1, 2, 3, 4]
    assert result.to_dict() == {"name": "hmm", "folds": [{"correct": 2, "total": 3}, {"correct": 2, "total": 2}],
                                "mean": result.mean, "sd": result.sd, "known": {"correct": 2, "total": 2},
                                "unknown": {"correct": 2, "total": 3}}
