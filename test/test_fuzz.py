"""A clean error or success, whatever the bytes; scripts/fuzz.py does the same in larger numbers."""

import random
import shutil
from pathlib import Path

import pytest
from fuzzing import corpora, models, some_models, texts, watched
from mutating import mutate_bytes

from rnntag.errors import RnntagError


def shares(found):
    """How many succeeded, and how many were refused."""
    good = sum(count for name, count in found.items() if ": read" in name or ": loaded" in name)
    return good, found.total() - found["slowest, ms"] - good


def test_mutated_corpora_are_read_or_refused(tmp_path):
    good, bad = shares(corpora(600, 1, tmp_path))
    assert good + bad == 600 and good > 100 and bad > 100


def test_mutated_texts_are_put_together_again_or_refused(tmp_path):
    good, bad = shares(texts(300, 1, tmp_path))
    assert good + bad == 300 and good > 100 and bad > 30


def test_mutated_models_are_loaded_or_refused(tmp_path):
    found = models(600, 1, tmp_path)
    good, bad = shares(found)
    assert good + bad == 600 and good > 50 and bad > 300
    assert len(found) > 25, "the mutations reach many checks"


def test_what_must_not_happen_is_seen():
    """The harness itself: other exceptions and warnings come through, and what caused them is kept."""
    for error in (KeyError("x"), UserWarning("w")):
        with pytest.raises(AssertionError, match=f"{type(error).__name__}.* came through; what caused") as failure:
            with watched({"name": b"cause"}, [0.0]):
                raise error
        folder = Path(str(failure.value).rpartition(" ")[2])
        assert (folder / "name").read_bytes() == b"cause"
        shutil.rmtree(folder)
    with pytest.raises(RnntagError), watched({}, [0.0]):
        raise RnntagError("fine")


def test_mutations_can_be_repeated_and_are_many(tmp_path):
    whole = some_models(tmp_path)["crf"]["ids.json"]
    one, other = ([mutate_bytes(rng, whole) for _ in range(50)] for rng in (random.Random(1), random.Random(1)))
    assert one == other and len(set(one)) > 45
