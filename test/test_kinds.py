"""Commands that need a tagger, given another model."""

import numpy as np
import pytest
from invoking import failure

import rnntag
from rnntag.api import TAGGERS
from rnntag.cli.suggest import main as SUGGEST
from rnntag.errors import ModelError
from rnntag.models.language_model import LanguageModel, LanguageOptions
from rnntag.storage import modelfile


def test_what_needs_a_tagger_refuses_another_kind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    modelfile.save("lm", LanguageModel.create([["a", "a"]], LanguageOptions(hidden=4, embedding=4),
                                              np.random.default_rng(1)))
    (tmp_path / "x").write_text("a\n")
    message = "lm: a model of kind lm; this command takes rnn or hmm. Use rnntag score."
    with pytest.raises(ModelError, match=message):
        rnntag.load("lm", TAGGERS)
    assert message in failure(SUGGEST, "lm", "x")
