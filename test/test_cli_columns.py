"""Several columns on the command line: learnt, filled, graded."""

import json
from pathlib import Path

import pytest
from invoking import failure, invoke, manifest, train
from test_columns import CORPUS

import rnntag
from rnntag.cli.grade_pos import main as GRADE
from rnntag.cli.test_rnn import main as TEST
from rnntag.cli.train_rnn import main as TRAIN
from rnntag.corpus import FORMATS, read

ROW = "{}\t{}\t{}\t{}\t{}\t{}\t0\troot\t_\t_\n"


def conllu(sentences, keep=("lemma", "upos", "feats")):
    """CoNLL-U with these of the columns."""
    text = ""
    for sentence in sentences:
        for i, word in enumerate(sentence.words):
            cells = [sentence.columns[name].values[i] if name in keep else "_" for name in ("lemma", "upos", "feats")]
            text += ROW.format(i + 1, word, *cells[:2], "_", cells[2])
        text += "\n"
    return text


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("train.conllu").write_text(conllu(CORPUS))
    Path("bare.conllu").write_text(conllu(CORPUS, ()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of all columns that knows its corpus by heart."""
    folder = tmp_path_factory.mktemp("columns")
    (folder / "train.conllu").write_text(conllu(CORPUS))
    invoke(TRAIN, folder / "train.conllu", folder / "m", "--field", "all", "--hidden", "12", "--embedding", "12",
           "--epochs", "40", "--learning-rate", "0.02", "-q")
    return folder / "m"


def test_all_are_the_columns_in_which_words_differ(trained):
    found = manifest(trained)
    assert found["options"]["columns"] == ["upos", "feats", "lemma"]  # XPOS is empty
    assert found["info"]["field"] == "upos,feats,lemma" and found["info"]["preset"] == "columns"
    assert "ngrams" in found["options"]["features"]


def test_a_list_of_columns_is_learnt_in_its_order():
    train("train.conllu", "m", "--field", "feats,upos")
    assert manifest()["options"]["columns"] == ["feats", "upos"]
    assert rnntag.train("train.conllu", field=["lemma", "upos"], epochs=1, hidden=3).fields == ("lemma", "upos")
    assert rnntag.train("train.conllu", field="lemma,upos", epochs=1, hidden=3).fields == ("lemma", "upos")
    assert rnntag.train(CORPUS, epochs=1, hidden=3).fields == ("upos", "feats", "lemma")


@pytest.mark.parametrize("field, message", [
    ("upos,xpos", "train.conllu: no word has XPOS; a column that is learnt has something in it. Leave it out"),
    ("upos,upos", "--field: 'upos,upos'; it is one of upos, xpos, feats, lemma, or several"),
    ("upos,", "--field: 'upos,'"), ("deps", "--field: 'deps'"), ("xpos", "a sentence without tags; column XPOS")])
def test_columns_that_cannot_be_learnt_are_refused(field, message):
    status = 2 if message.startswith("--") else 1
    assert message in failure(TRAIN, "train.conllu", "m", "--field", field, status=status)


def test_every_column_is_filled_and_the_rest_of_the_file_kept(trained):
    assert invoke(TEST, trained, "bare.conllu")[0] == conllu(CORPUS)
    assert invoke(TEST, trained, "bare.conllu", "--stream")[0] == conllu(CORPUS)


def test_fields_choose_columns(trained):
    for fields in ("lemma", "upos,lemma", "lemma,upos"):
        assert invoke(TEST, trained, "bare.conllu", "--fields", fields)[0] == conllu(CORPUS, fields.split(","))
    message = failure(TEST, trained, "bare.conllu", "--fields", "upos,xpos", status=2)
    assert message.startswith("--fields: 'xpos'; the model has upos, feats, lemma")


def test_formats_with_one_place_get_the_first_column_and_say_so(trained):
    out, err = invoke(TEST, trained, input="Dogs run\n")
    assert out == "NOUN VERB\n" and "Note: tags has a place for one column, and gets upos; " in err
    out, err = invoke(TEST, trained, "--fields", "lemma", input="Dogs run\n")
    assert out == "dog run\n" and err == ""
    message = failure(TEST, trained, "--fields", "upos,lemma", input="Dogs run\n", status=2)
    assert message.startswith("--fields: upos,lemma; tags has a place for one column. Give one of them, or")


def test_jsonl_has_all_columns_under_their_names(trained):
    out, _ = invoke(TEST, trained, "--output-format", "jsonl", input="Dogs run\n")
    assert json.loads(out) == {"tokens": ["Dogs", "run"], "upos": ["NOUN", "VERB"], "feats": ["Number=Plur", "_"],
                               "lemma": ["dog", "run"]}
    out, _ = invoke(TEST, trained, "--n-best", "2", input="Dogs run\n")
    sure = json.loads(out)
    for name in ("upos", "feats", "lemma"):
        assert [row[0][0] for row in sure["n_best"][name]] == sure[name] and len(sure["probabilities"][name]) == 2


def test_what_the_input_has_is_kept_in_each_column_but_blank_features_are_refused(trained):
    Path("part.conllu").write_text(conllu(CORPUS, ()).replace("1\tDogs\t_\t_", "1\tDogs\tDOG\tVERB"))
    out, _ = invoke(TEST, trained, "part.conllu", "--partial", "--fields", "upos,lemma")
    assert out.startswith("1\tDogs\tDOG\tVERB\t_\t_\t0") and "2\trun\trun\tVERB" in out
    message = failure(TEST, trained, "part.conllu", "--partial", status=2)
    assert message.startswith("--partial: feats; in FEATS of CoNLL-U, _ is a word without features")


def test_a_lexicon_is_of_the_first_column_and_not_of_lemmas(trained):
    Path("lexicon").write_text("run\tNOUN\n")
    out, _ = invoke(TEST, trained, "--lexicon", "lexicon", "--output-format", "jsonl", input="Dogs run\n")
    assert json.loads(out)["upos"] == ["NOUN", "NOUN"]
    message = failure(TEST, trained, "--lexicon", "lexicon", "--fields", "lemma", input="Dogs\n", status=2)
    assert message.startswith("--lexicon: lemmas; a lexicon lists the tags of words.")


def test_a_model_with_other_columns_may_be_started_from(trained):
    _, err = invoke(TRAIN, "train.conllu", "more", "--init", trained, "--field", "upos,lemma", "--epochs", "1")
    assert "2 upos tags, and 0 new" not in err and "3 upos tags, and 0 new; 0 left out" in err
    assert "2 lemma edit scripts, and 0 new" in err
    before, after = rnntag.load(trained), rnntag.load("more")
    assert after.fields == ("upos", "lemma") and before.columns["lemma"].vocab == after.columns["lemma"].vocab
    _, err = invoke(TRAIN, "train.conllu", "again", "--init", "more", "--field", "lemma,feats", "--epochs", "1")
    assert "0 feats tags, and 4 new" in err and rnntag.load("again").fields == ("lemma", "feats")
    invoke(TRAIN, "train.conllu", "same", "--init", trained, "--epochs", "1", "-q")
    assert rnntag.load("same").fields == before.fields  # by default those of the model


def test_weights_of_shared_columns_are_taken_over(trained):
    from rnntag.models.adaptation import adapted, adapted_options
    import numpy as np
    model = rnntag.load(trained)
    given = [sentence for sentence in read("train.conllu", field="lemma,feats", want="tags")]
    again = adapted(model, given, adapted_options(model.options, {}), np.random.default_rng(1))
    assert list(again.tag(s.words for s in given)) == [s.columns["lemma"].values for s in given]
    for old, new in (("output.lemma.W_o", "output.W_o"), ("output.feats.W_p", "output.feats.W_p")):
        assert (model.params[old] == again.params[new]).all()


# ------------------------------------------------------------------ graded


@pytest.fixture
def answer():
    """An answer with one wrong UPOS, one wrong lemma, and features wrong where UPOS is."""
    text = conllu(CORPUS).replace("2\trun\trun\tVERB", "2\trun\trun\tNOUN", 1)
    Path("answer.conllu").write_text(text.replace("1\tcats\tcat", "1\tcats\tcats", 1))
    return "answer.conllu"


def test_columns_are_graded_one_by_one_and_together(answer):
    out, _ = invoke(GRADE, "train.conllu", answer, "--field", "all", "--errors", "1")
    rows = [line.split() for line in out.split("\n\n")[0].splitlines()]
    assert rows == [["Accuracy", answer], ["upos", "96.88%", "(31/32)"], ["feats", "100.00%", "(32/32)"],
                    ["lemma", "96.88%", "(31/32)"], ["alltags", "96.88%", "(31/32)"], ["all", "93.75%", "(30/32)"]]
    assert "upos:\nAccuracy: 96.88% (31/32)\n\nMost common mistakes:\nVERB --> NOUN\t1\n" in out
    assert "lemma:\nAccuracy: 96.88% (31/32)\n\nMost common mistakes:\ncat --> cats\t1\n" in out
    assert out.endswith("all:\nAccuracy: 93.75% (30/32)\n")


def test_the_json_of_several_columns_is_by_their_names(answer):
    record = json.loads(invoke(GRADE, "train.conllu", answer, "--field", "upos,lemma", "--json", "--train",
                               "train.conllu")[0])
    assert list(record["columns"]) == ["upos", "lemma", "all"]
    assert record["columns"]["all"]["answers"][0]["tokens"]["correct"] == 30
    assert record["columns"]["lemma"]["answers"][0]["known"]["total"] == 32
    alone = json.loads(invoke(GRADE, "train.conllu", answer, "--json")[0])
    assert alone["answers"] and "columns" not in alone


def test_what_the_reference_lacks_is_not_asked_for(answer):
    Path("gaps.conllu").write_text(conllu(CORPUS).replace("1\tcats\tcat", "1\tcats\t_", 1))
    out, err = invoke(GRADE, "gaps.conllu", answer, "--field", "upos,lemma", "--errors", "0")
    assert "lemma     100.00% (31/31)" in out and "all       96.88% (31/32)" in out
    assert "1 of the 32 tokens in gaps.conllu have no lemma; they are left out." in err


def test_the_report_shows_every_column(answer, monkeypatch):
    pytest.importorskip("matplotlib")
    from rnntag.cli.report.command import main as REPORT
    invoke(REPORT, "train.conllu", answer, "--field", "all", "-o", "page.html", "--resamples", "100")
    page = Path("page.html").read_text()
    assert ">Columns</h2>" in page and all(f">Scores of {name}</h2>" in page for name in (
        "upos", "feats", "lemma", "alltags", "all"))


def test_an_answer_without_a_column_is_refused():
    message = failure(GRADE, "train.conllu", "bare.conllu", "--field", "upos,lemma")
    assert message.startswith("bare.conllu: no tags; at least one is needed to compare")
    assert set(FORMATS) >= {"conllu", "jsonl"}
