"""The lecture as one program: its gradients are those of the package, it learns, and the tutorial has all of it."""

import re
import sys

import numpy as np
import pytest
from conftest import ROOT

from rnntag.corpus import Sentence
from rnntag.models.options import preset
from rnntag.models.tagger import RNNTagger
from rnntag.nn.packing import pack
from rnntag.text.features import WordTable

sys.path.insert(0, str(ROOT / "scripts"))
import lecture  # noqa: E402
import slips  # noqa: E402


def test_the_lecture_s_program_has_the_gradients_of_the_package():
    rng = np.random.default_rng(1)
    words, tags = [1, 2, 3, 2, 1], [0, 2, 1, 1, 2]
    net = lecture.initialise(4, 3, rng)
    h, p, _ = lecture.forward_rnn(net, words)
    theirs = lecture.gradient_rnn(net, words, h, p, tags)

    options = preset("tutorial", hidden=lecture.HIDDEN)
    sentence = Sentence(["a", "b", "c", "b", "a"], ["X", "Z", "Y", "Y", "Z"])
    tagger = RNNTagger.create([sentence], options, rng)
    table: WordTable = tagger.word_table()
    types = table.ids(["a", "b", "c", "b", "a"])
    rows = table.features[:, 0]  # of W_x, for a, b and c
    W_x = np.zeros((tagger.features.rows, lecture.HIDDEN))
    W_x[rows] = net["w_rx"].T[1:]
    params = {"rnn0.fwd.W_x": W_x, "rnn0.fwd.W_h": net["w_rh"].T, "rnn0.fwd.b": net["b_r"],
              "output.W_o": net["w_oh"].T, "output.b_o": net["b_o"]}
    loss, ours = tagger.network.loss_and_gradient(params, table, types, np.array(tags)[:, None], pack((5,)), None)

    assert loss == pytest.approx(-sum(np.log(p_t[y]) for p_t, y in zip(p, tags)))
    dW_x = ours["rnn0.fwd.W_x"].dense(W_x)
    for name, gradient in (("w_rx", dW_x[rows].T), ("w_rh", ours["rnn0.fwd.W_h"].T), ("b_r", ours["rnn0.fwd.b"]),
                           ("w_oh", ours["output.W_o"].T), ("b_o", ours["output.b_o"])):
        of_theirs = theirs[name][:, 1:] if name == "w_rx" else theirs[name]
        np.testing.assert_allclose(-gradient, of_theirs, rtol=0, atol=1e-12, err_msg=name)


def test_only_the_formulas_have_the_right_gradient():
    errors = {version: slips.gradient_error(version) for version in slips.VERSIONS}
    assert errors.pop("the formulas") < 1e-6
    assert min(errors.values()) > 0.1


def test_the_lecture_s_program_learns(capsys):
    lecture.main(*[str(ROOT / "data" / "sample-test.wordtag")] * 2)
    accuracies = [float(line.split()[2]) for line in capsys.readouterr().out.splitlines()]
    assert len(accuracies) == lecture.EPOCHS and accuracies[-1] > max(40, accuracies[0])


def test_the_tutorial_begins_with_the_whole_of_the_lecture_s_program():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "tutorial.md").read_text("utf-8"), re.DOTALL)
    program = (ROOT / "scripts" / "lecture.py").read_text("utf-8")
    assert [block.strip("\n") for block in blocks] == [program.partition('"""\n\n')[2].strip("\n")]
