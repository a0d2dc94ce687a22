"""Parts of a corpus: what is held out, and folds."""

import numpy as np
import pytest

from rnntag.corpus.split import folds, hold_out
from rnntag.errors import OptionError


def test_what_is_held_out_and_the_rest_make_up_the_whole_in_order():
    rest, held_out = hold_out(10, 0.2, np.random.default_rng(1))
    assert (len(rest), len(held_out)) == (8, 2)
    assert (rest, held_out) == (sorted(rest), sorted(held_out)) and sorted(rest + held_out) == list(range(10))


def test_the_generator_says_what_is_held_out():
    assert hold_out(1000, 0.5, np.random.default_rng(1)) == hold_out(1000, 0.5, np.random.default_rng(1))
    assert hold_out(1000, 0.5, np.random.default_rng(1)) != hold_out(1000, 0.5, np.random.default_rng(2))


@pytest.mark.parametrize("fraction", [0.0, 0.04, 1.0])
def test_an_empty_part_is_refused(fraction):
    with pytest.raises(OptionError, match=f"^--held-out: {fraction:g} of 10 sentences is"):
        hold_out(10, fraction, np.random.default_rng(1), "--held-out")


@pytest.mark.parametrize("count, k", [(10, 2), (10, 3), (7, 7), (1301, 10)])
@pytest.mark.parametrize("seed", [None, 1])
def test_folds_are_parts_of_equal_size_that_make_up_the_whole(count, k, seed):
    parts = folds(count, k, None if seed is None else np.random.default_rng(seed))
    assert len(parts) == k and max(map(len, parts)) - min(map(len, parts)) <= 1
    assert sorted(position for part in parts for position in part) == list(range(count))
    assert parts == [sorted(part) for part in parts]


def test_without_a_generator_every_kth_position_is_in_a_fold():
    assert folds(7, 3) == [[0, 3, 6], [1, 4], [2, 5]]


def test_random_folds_are_those_of_the_generator():
    """As they have always been: the same seed scores the same folds."""
    parts = np.array_split(np.random.default_rng(5).permutation(23), 4)
    assert folds(23, 4, np.random.default_rng(5)) == [sorted(part.tolist()) for part in parts]
