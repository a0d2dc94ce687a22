"""A lexicon and words tagged in advance, under softmax and CRF."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from samples import SMALL, sentences, text

from rnntag import api
from rnntag.cli import test_rnn
from rnntag.corpus import Sentence
from rnntag.corpus.lists import read_lexicon
from rnntag.errors import CorpusError, CorpusWarning
from rnntag.models.constraints import ConstrainedTagger
from rnntag.models.options import Options
from rnntag.models.tagger import RNNTagger
from rnntag.nn.output import CRF, Softmax
from rnntag.nn.packing import pack
from rnntag.training.tagging import train_tagger

TAGS = ["DT", "NN", "TO", "VB"]


@pytest.fixture(scope="module", params=["softmax", "crf"])
def tagger(request):
    return train_tagger(sentences(20), Options(**SMALL, output=request.param))


def test_without_constraints_nothing_changes(tagger):
    free = ConstrainedTagger(tagger)
    assert list(free.tag(text())) == list(tagger.tag(text()))
    for one, two in zip(free.probabilities(text()), tagger.probabilities(text()), strict=True):
        assert one.tags == two.tags and (one.probabilities == two.probabilities).all()


def test_words_of_the_lexicon_have_one_of_their_tags(tagger):
    lexicon = {"read": {"DT"}, "to": {"VB", "NN", "unheard of"}, "Unseen-1": {"TO"}}
    with pytest.warns(CorpusWarning, match="^the model does not have the tag 'unheard of'; ignored$"):
        bound = ConstrainedTagger(tagger, lexicon)
    for words, tags, answer in zip(text(), bound.tag(text()), bound.probabilities(text()), strict=True):
        assert answer.tags == tags and len(tags) == len(words)
        assert np.allclose(answer.probabilities.sum(axis=1), 1, atol=1e-5)
        for word, tag, row in zip(words, tags, answer.probabilities):
            assert tag in lexicon.get(word, TAGS)
            assert all((p > 0) == (name in lexicon.get(word, TAGS)) for name, p in zip(TAGS, row))


def test_softmax_takes_the_best_tag_that_is_allowed():
    tagger = train_tagger(sentences(20), Options(**SMALL))
    bound = ConstrainedTagger(tagger, {"read": {"DT", "TO"}})
    for words, free, answer in zip(text(), tagger.probabilities(text()), bound.tag(text())):
        for word, row, tag in zip(words, free.probabilities, answer):
            assert tag == (TAGS[int(row.argmax())] if word != "read" else "DT" if row[0] > row[2] else "TO")


@pytest.mark.parametrize("seed", range(6))
def test_a_crf_takes_the_best_sequence_that_is_allowed(seed):
    rng, K, lengths = np.random.default_rng(seed), 3, (4, 2)
    params = {"output.transition": rng.normal(0, 2, (K, K)), "output.start": rng.normal(size=K),
              "output.end": rng.normal(size=K)}
    allowed = rng.random((6, K)) < 0.5
    allowed[np.arange(6), rng.integers(0, K, 6)] = True
    scores, packing = rng.normal(size=(6, K)), pack(lengths)
    bound = np.where(allowed, scores, -np.inf)
    decoded = CRF("output", 1, 1).decode(params, bound, packing)
    p = CRF("output", 1, 1).probabilities(params, bound, packing)
    for s in range(2):
        rows = np.flatnonzero(packing.sentence == s)
        values = {}
        for y in product(*(np.flatnonzero(allowed[row]).tolist() for row in rows)):
            values[y] = (params["output.start"][y[0]] + params["output.end"][y[-1]] + scores[rows, y].sum()
                         + sum(params["output.transition"][a, b] for a, b in zip(y, y[1:])))
        assert tuple(decoded[rows]) == max(values, key=values.get)
        total = sum(map(np.exp, values.values()))
        for t, row in enumerate(rows):
            for k in range(K):
                assert p[row, k] == pytest.approx(sum(np.exp(v) for y, v in values.items() if y[t] == k) / total)


def test_a_fixed_tag_informs_its_neighbours_under_a_crf_alone():
    params = {"output.transition": np.array([[0.0, 5.0], [5.0, 0.0]]), "output.start": np.zeros(2),
              "output.end": np.zeros(2)}
    scores, fixed = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[-np.inf, 0.0], [0.0, 1.0]])
    for output, tags, tags_when_fixed in ((CRF, [0, 1], [1, 0]), (Softmax, [0, 1], [1, 1])):
        layer = output("output", 1, 2)
        assert layer.decode(params, scores, pack((2,))).tolist() == tags
        assert layer.decode(params, fixed, pack((2,))).tolist() == tags_when_fixed


def test_words_keep_the_tags_that_they_have(tagger):
    given = [Sentence(["to", "read", "the"], ["", "DT", ""], 1), Sentence([], None, 2), Sentence(["to"], None, 3)]
    bound = ConstrainedTagger(tagger, {"read": {"VB"}, "to": {"TO"}})
    assert [tags[1:2] for tags in bound.tag(given)] == [["DT"], [], []]  # what is given weighs more
    assert list(bound.tag([["to"]])) == [["TO"]]
    with pytest.raises(CorpusError, match="x:7: token 1, 'a', has the tag 'Q'; the model does not have it"):
        list(ConstrainedTagger(tagger, name="x").tag([Sentence(["a"], ["Q"], 7)]))


def test_the_lexicon_is_looked_up_in_the_model_s_normal_form():
    found = sentences(20)
    tagger = train_tagger(found, Options(**SMALL, normalize="nfc"))
    bound = ConstrainedTagger(tagger, {"u\u0308": {"TO"}, "\u00fc": {"VB"}})
    for answer in bound.probabilities([["u\u0308"], ["\u00fc"]]):
        assert (answer.probabilities[0] > 0).tolist() == [False, False, True, True]


# ------------------------------------------------------------------ files


def test_a_lexicon_is_read(write):
    path = write("lexicon", "a\tX\n\nb c\tX Y\na\tZ\n\u00a0\t_\n".encode())
    assert read_lexicon(path) == {"a": {"X": f"{path}:1", "Z": f"{path}:4"}, "b c": dict.fromkeys("XY", f"{path}:3"),
                                  "\u00a0": {"_": f"{path}:5"}}


@pytest.mark.parametrize("line", ["a", "a X", "\tX", "a\t", "a\tX  Y", "a\tX\tY", "a\tX "])
def test_a_lexicon_that_is_wrong_is_refused_with_its_line(write, line):
    with pytest.raises(CorpusError, match="lexicon:2: .*; a lexicon has word TAB tags"):
        read_lexicon(write("lexicon", f"a\tX\n{line}\n".encode()))


def test_an_empty_lexicon_and_one_for_another_model_are_refused(write, tagger):
    with pytest.raises(CorpusError, match="lexicon: no words"):
        read_lexicon(write("lexicon", b"\n"))
    with pytest.raises(CorpusError, match="'a' has none of the model's tags in the lexicon; the model has DT, NN"):
        ConstrainedTagger(tagger, {"a": {"X"}})
    many = [Sentence(["a"] * 23, [f"T{number}" for number in range(10, 33)])]
    with pytest.raises(CorpusError, match="the model has T10, .*, T29 and 3 more"):
        ConstrainedTagger(RNNTagger.create(many, Options(), np.random.default_rng(1)), {"a": {"X"}})


def invoke(*arguments, input, status=0):
    result = CliRunner().invoke(test_rnn.main, list(map(str, arguments)), input=input)
    assert result.exit_code == status, result.output
    return result.stdout, result.stderr


@pytest.fixture
def model(tagger, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    api.save(tagger, "m")
    return "m"


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_the_command_keeps_tags_in_every_format(model, stream):
    Path("lexicon").write_text("to\tTO\n")
    arguments = [model, "--partial", "--lexicon", "lexicon", *stream]
    assert invoke(*arguments, input="to read_DT\n\nto_NN\n") == ("to_TO read_DT\n\nto_NN\n", "")
    assert invoke(*arguments, "--format", "vertical", input="to\nread\tDT\n\n")[0] == "to\tTO\nread\tDT\n\n"
    assert invoke(*arguments, input='{"tokens": ["to", "read"], "tags": [null, "DT"]}\n')[0] == (
        '{"tokens": ["to", "read"], "tags": ["TO", "DT"]}\n')
    rows = "1\tto\t_\t{}\t_\t_\t_\t_\t_\t_\n2\tread\t_\tDT\t_\t_\t_\t_\t_\t_\n\n"
    assert invoke(*arguments, input=rows.format("_"))[0] == rows.format("TO")


def test_a_tag_that_the_model_lacks_is_refused_with_its_line(model):
    _, err = invoke(model, "--partial", input="to\nthe_DT under_score\n", status=1)
    assert err.startswith("Error: standard input:2: token 2, 'under', has the tag 'score'; the model does not")
    assert "--separator" in err


def test_tags_of_a_lexicon_that_the_model_lacks_are_told_with_their_line(model):
    Path("lexicon").write_text("to\tTO\n\nto\tX TO\nread\tY VB\nthe\tX DT\n")
    assert invoke(model, "--lexicon", "lexicon", input="to\n") == (
        "TO\n", "Warning: lexicon:3: the model does not have the tag 'X', nor 1 other of the lexicon; ignored\n")
    Path("lexicon").write_text("to\tTO\nread\tX Y\nread\tZ\n")
    _, err = invoke(model, "--lexicon", "lexicon", input="to\n", status=1)
    assert err.startswith("Error: lexicon:2: 'read' has none of the model's tags in the lexicon; the model has DT, ")


def test_probabilities_are_those_given_the_constraints(model):
    out, _ = invoke(model, "--partial", "--n-best", "2", input="to read_DT\n")
    assert '["DT", 1.0]' in out
