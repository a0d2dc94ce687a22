"""Lemmas of unseen words: what the encoder-decoder writes, and how it is put together with edit scripts."""

import numpy as np
import pytest
from invoking import failure, invoke, manifest

from rnntag.cli.test_rnn import main as TEST
from rnntag.cli.train_rnn import main as TRAIN
from rnntag.corpus import Column, Sentence
from rnntag.corpus.pairs import Question
from rnntag.models.lemmatizer import LEAST_PAIRS, REMEMBERED, Writer, pairs, question
from rnntag.models.options import Options
from rnntag.storage.modelfile import load
from rnntag.text.vocab import Vocab
from rnntag.training import lemmatizing
from rnntag.training.lemmatizing import part_trainers
from rnntag.training.tagging import train_tagger

TINY = {"embedding": 8, "hidden": 6, "epochs": 2, "learning_rate": 0.01}
STEMS = [a + b + c for a in "bdfgklm" for b in "aeiou" for c in "nprst"]
np.random.default_rng(1).shuffle(STEMS)


def corpus(stems):
    """``STEMes`` is a noun in the plural, ``STEMed`` a verb in the past."""
    made = []
    for stem in stems:
        columns = {"upos": ["NOUN", "VERB"], "feats": ["Number=Plur", "Tense=Past|Voice=Act"], "lemma": [stem] * 2}
        made.append(Sentence([stem + "es", stem + "ed"], columns={k: Column(v) for k, v in columns.items()}))
    return made


@pytest.fixture(scope="module")
def tagger():
    return train_tagger(corpus(STEMS[:120]), Options(**TINY, lemmatizer="seq2seq"))


def test_a_question_has_the_letters_and_the_parts_of_the_columns():
    assert question("Ab", {"upos": "VERB", "feats": "A=1|B=2"}) == Question(
        ("A", "b"), ("upos=VERB", "feats=A=1", "feats=B=2"))
    assert question("a", {"upos": "X", "feats": "_"}).tags == ("upos=X",)
    assert question("a", {}).tags == ()


def test_each_form_is_learnt_once_with_its_columns_and_only_where_there_is_a_lemma():
    sentences = [corpus(["ban"])[0] for _ in range(3)]
    found = pairs(sentences, ("upos", "feats", "lemma"))
    assert [("".join(p.source), "".join(p.target), p.tags) for p in found] == [
        ("banes", "ban", ("upos=NOUN", "feats=Number=Plur")),
        ("baned", "ban", ("upos=VERB", "feats=Tense=Past", "feats=Voice=Act"))]
    assert {p.tags for p in pairs(sentences, ("lemma",))} == {()}
    for sentence, lemmas in zip(sentences, (["", ""], ["", ""], ["", "ban"])):
        sentence.columns["lemma"] = Column(lemmas)
    assert len(pairs(sentences, ("lemma",))) == 1


def test_words_that_training_did_not_see_get_the_lemmas_that_are_written(tagger):
    unseen = corpus(STEMS[120:160])
    answers = list(tagger.annotate([sentence.words for sentence in unseen]))
    right = [a == b for answer, sentence in zip(answers, unseen)
             for a, b in zip(answer.columns["lemma"].values, sentence.columns["lemma"].values)]
    assert np.mean(right) >= 0.9


class Spy:
    """A transducer that writes what it is given in capitals, and counts its questions."""

    def __init__(self):
        self.asked = []

    def transduce(self, questions, beam):
        from rnntag.models.transducer import Answer
        for q in questions:
            self.asked.append(q)
            yield [Answer(list("".join(q.source).upper()), -0.1), Answer(["?"], -3.0)]


def test_an_empty_string_is_no_lemma():
    class Silent(Spy):
        def transduce(self, questions, beam):
            from rnntag.models.transducer import Answer
            return ([Answer([], -0.1), Answer(["a"], -2.0)] if q.source == ("a",) else [Answer([], -0.1)]
                    for q in questions)
    assert Writer(Silent(), Vocab([])).write(["a", "b"], {}) == [{"a": pytest.approx(-2.0)}, {}]


CERTAIN = {"X": [("X", 1.0)], "Y": [("Y", 1.0)]}


def test_what_was_written_is_remembered_for_each_form_and_tags(monkeypatch):
    spy = Spy()
    writer = Writer(spy, Vocab(["seen"]))
    assert writer.unseen(["a", "seen", "b"]) == [0, 2]
    first = writer.write(["a", "a", "a"], {"upos": [CERTAIN[tag] for tag in "XXY"]})
    assert first == [{"A": pytest.approx(-0.1), "?": pytest.approx(-3.0)}] * 3 and len(spy.asked) == 2
    assert writer.write(["a"], {"upos": [CERTAIN["Y"]]}) == first[2:] and len(spy.asked) == 2
    monkeypatch.setattr("rnntag.models.lemmatizer.REMEMBERED", 2)
    assert REMEMBERED > 2 and writer.write(["b", "a"], {"upos": [CERTAIN["X"]] * 2})[1] == first[0]
    assert len(spy.asked) == 4


def test_what_is_written_is_the_mean_over_the_likeliest_values():
    class Tagged(Spy):
        def transduce(self, questions, beam):
            from rnntag.models.transducer import Answer
            self.asked += questions
            return ([Answer([tag[-1] for tag in q.tags], np.log(0.5))] for q in questions)
    spy = Tagged()
    (found,) = Writer(spy, Vocab([])).write(["a"], {"upos": [[("X", 0.6), ("Y", 0.3), ("Z", 0.1)]],
                                                    "feats": [[("C=1", 0.8), ("C=2", 0.2)]]})
    total = 0.6 * 0.8 + 0.3 * 0.8 + 0.6 * 0.2  # the three largest products
    assert found == {lemma: pytest.approx(np.log(0.5 * p / total)) for lemma, p in (
        ("X1", 0.6 * 0.8), ("Y1", 0.3 * 0.8), ("X2", 0.6 * 0.2))}
    assert [q.tags for q in spy.asked][0] == ("upos=X", "feats=C=1") and len(spy.asked) == 3


@pytest.mark.parametrize("how, wanted", [("seq2seq", "UNSEENED"), ("auto", "UNSEENED")])
def test_the_weights_decide_between_scripts_and_what_is_written(tagger, how, wanted):
    """With "auto" a lemma that is nearly certain to be written wins over scripts that are not sure."""
    from dataclasses import replace

    from rnntag.models.tagger import RNNTagger
    other = RNNTagger(replace(tagger.options, lemmatizer=how), *tagger.__reduce__()[1][1:])
    alone = next(other.annotate([["unseened", STEMS[0] + "es"]])).columns["lemma"].values
    other.parts["lemmatizer"] = Spy()
    answer = next(other.annotate([["unseened", STEMS[0] + "es"]], best=3)).columns["lemma"]
    assert answer.values[1] == alone[1], "a seen word is not asked for"
    ranked = dict(answer.best[0])
    assert "UNSEENED" in ranked and sum(ranked.values()) <= 1 + 1e-6
    if how == "seq2seq":
        assert answer.values[0] == wanted


def test_scripts_have_no_lemmatizer_and_auto_has_one_where_there_is_enough_to_learn(tagger, monkeypatch):
    few, many = corpus(STEMS[:10]), corpus(STEMS) * 2
    from dataclasses import replace

    from rnntag.models.tagger import RNNTagger

    def parts(how, sentences):
        other = RNNTagger(replace(tagger.options, lemmatizer=how), *tagger.__reduce__()[1][1:])
        return part_trainers(other, sentences)
    assert parts("scripts", many) == {} and parts("auto", few) == {}
    assert parts("seq2seq", few).keys() == {"lemmatizer"}
    assert 2 * len(STEMS) < LEAST_PAIRS
    more = corpus(STEMS + [stem + "o" for stem in STEMS])
    assert parts("auto", more).keys() == {"lemmatizer"}
    monkeypatch.setattr(lemmatizing, "PAIRS", 3 * len(pairs(more, tagger.fields)))  # no time to learn so many
    assert parts("auto", more) == {}
    assert parts("seq2seq", more)["lemmatizer"].options.epochs == lemmatizing.FEWEST


CONLLU = "".join("".join(
    f"{i}\t{w}\t{lemma}\t{u}\t_\t{f}\t0\troot\t_\t_\n" for i, (w, lemma, u, f) in enumerate(zip(
        s.words, s.columns["lemma"].values, s.columns["upos"].values, s.columns["feats"].values), 1)) + "\n"
    for s in corpus(STEMS[:60]))


def test_on_the_command_line_the_model_has_the_lemmatizer_as_a_part(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.conllu").write_text(CONLLU)
    small = ("--hidden", "4", "--embedding", "4", "--epochs", "2", "--field", "upos,feats,lemma")
    _, err = invoke(TRAIN, "train.conllu", "m", *small, "--lemmatizer", "seq2seq")
    assert "Training the lemmatizer: 120 pairs, 30 epochs\n" in err
    assert manifest()["options"]["parts"]["lemmatizer"]["kind"] == "transducer"
    assert load("m").parts["lemmatizer"].source is not None and manifest()["format_version"] == 2
    out, _ = invoke(TEST, "m", "train.conllu")
    assert out.count("\n") == CONLLU.count("\n") and f"{STEMS[0]}es\t{STEMS[0]}\t" in out
    again = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
    invoke(TRAIN, "train.conllu", "n", *small, "--lemmatizer", "seq2seq", "-q")
    assert {path.name: path.read_bytes() for path in (tmp_path / "n").iterdir()} == again
    message = failure(TRAIN, "train.conllu", "o", "--lemmatizer", "auto", status=2)
    assert message == "--lemmatizer: auto without a column of lemmas; it would change nothing. Leave it out."


def test_another_lemmatizer_is_asked_when_the_part_is_replaced():
    tagger = train_tagger(corpus(STEMS[:10]), Options(**TINY, lemmatizer="seq2seq"))
    for _ in range(2):
        tagger.parts["lemmatizer"] = spy = Spy()
        assert next(tagger.annotate([["unseened"]])).columns["lemma"].values == ["UNSEENED"] and len(spy.asked)
