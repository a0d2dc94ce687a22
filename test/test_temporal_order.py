"""The temporal order problem: its texts, its runs, its files."""

import importlib.util

import numpy as np
import pytest
from conftest import ROOT

from rnntag.corpus.labelled import read_labelled

SPEC = importlib.util.spec_from_file_location("temporal_order", ROOT / "scripts" / "temporal_order.py")
script = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(script)


@pytest.mark.parametrize("gap", [4, 20, 100])
def test_the_label_is_the_order_of_two_symbols_that_are_far_apart(gap):
    for text in script.texts(50, gap, np.random.default_rng(1)):
        places = [k for k, symbol in enumerate(text.words) if symbol in "ab"]
        assert len(text.words) == gap + 1 and len(places) == 2 and places[0] == 0
        assert abs(places[1] - gap / 2) <= gap / 10 + 1
        assert "".join(text.words[k] for k in places) == text.label


def test_a_short_gap_is_learnt_and_a_run_can_be_repeated():
    options = script.options_of("--cell elman --clip 1 --propagation-penalty 10", 1, 500)
    assert (options.pooling, options.bidirectional, options.seed, options.epochs) == ("last", False, 1, 10)
    done = script.updates_until_right(options, 4)
    assert done is not None and done == script.updates_until_right(options, 4)
    assert script.updates_until_right(script.options_of("--cell elman --learning-rate 0.000001", 1, 50), 4) is None


def test_files_for_training_are_written(tmp_path):
    script.write(tmp_path / "new", 20, 30)
    read = [[(text.label, text.words) for text in read_labelled(tmp_path / "new" / f"{name}.tsv", learning=True)]
            for name in ("train", "test")]
    assert [len(texts) for texts in read] == [30, 30] and read[0] != read[1]
