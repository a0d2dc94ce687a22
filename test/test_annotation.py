"""What an annotator sees and does, without a server: doubts, examples, order, progress, undo."""

import pytest

from rnntag.analysis.annotation import Annotation, StaleError
from rnntag.analysis.concordance import Concordance
from rnntag.corpus import Column, Sentence
from rnntag.corpus.document import Document
from rnntag.corpus.session import Session
from rnntag.errors import RnntagError

TEXT = b"the_DT dog_NN runs_VB\n\nthe_DT run_VB\na_DT dog_NN runs_VB\n"


def said(words, *best):
    return Sentence(words.split(), {"": Column([row[0][0] for row in best], list(best))})


@pytest.fixture
def annotation(write):
    path = write("a.wordtag", TEXT)
    answers = [said("the dog runs", [("DT", 1.0)], [("NN", 0.9)], [("VB", 0.95)]),
               said("the run", [("DT", 1.0)], [("NN", 0.97), ("VB", 0.02)]),
               said("a dog runs", [("DT", 0.9)], [("NN", 0.6), ("JJ", 0.4)], [("VB", 1.0)])]
    return Annotation(Document(path), Session(path.with_name("s")), answers)


def accept(annotation, number, *tags):
    return annotation.accept(number, annotation.versions[number], {"": list(tags)})


def test_a_sentence_is_shown_with_its_alternatives_and_doubts(annotation):
    found = annotation.sentence(1)
    assert (found["line"], found["words"], found["version"], found["done"]) == (3, ["the", "run"], 0, False)
    (field,) = found["fields"]
    assert field["values"] == ["DT", "VB"] and field["doubts"] == [0, 0.98]
    assert field["best"][1] == [["NN", 0.97], ["VB", 0.02]]


def test_the_overview_lists_values_by_frequency(annotation):
    found = annotation.overview()
    assert found["fields"] == [{"name": "", "values": ["DT", "VB", "NN"], "closed": True}]
    assert found["lines"] == [1, 3, 4] and (found["sentences"], found["tokens"]) == (3, 8)


def test_the_next_sentence_is_that_of_the_file_or_the_most_doubtful(annotation):
    assert [annotation.next(n, "file") for n in (-1, 0, 2)] == [0, 1, 0]
    assert annotation.next(-1, "doubt") == 1 and annotation.next(1, "doubt") == 2
    for number in (1, 2, 0):
        accept(annotation, number, *annotation.document.values(number, ""))
    assert annotation.next(0, "doubt") is None


def test_progress_counts_agreement_and_what_is_to_be_expected(annotation):
    before = annotation.progress()
    assert before["expected"] == pytest.approx((1 + 0.9 + 0.95 + 1 + 0.02 + 0.9 + 0.6 + 1) / 8)
    assert accept(annotation, 1, "DT", "NN") == 1 and accept(annotation, 0, "DT", "JJ", "VB") == 1
    now = annotation.progress()
    assert (now["done"], now["done_tokens"], now["changed"], now["agreed"], now["judged"]) == (2, 5, 2, 4, 5)
    assert now["interval"][0] < 0.8 < now["interval"][1] and now["expected"] == pytest.approx(2.5 / 3)


def test_accepting_saves_and_undo_takes_back_file_and_session(annotation):
    path = annotation.document.path
    accept(annotation, 1, "DT", "NN")
    accept(annotation, 2, "DT", "NN", "VB")  # as it was
    assert path.read_bytes() == TEXT.replace(b"run_VB\n", b"run_NN\n")
    assert annotation.undo() == 2 and path.read_bytes() == TEXT.replace(b"run_VB\n", b"run_NN\n")
    assert annotation.undo() == 1 and path.read_bytes() == TEXT and annotation.undo() is None
    assert annotation.progress()["done"] == 0 and Session(path.with_name("s")).accepted == {}


def test_accepting_twice_and_undoing_once_leaves_it_done(annotation):
    accept(annotation, 1, "DT", "NN")
    accept(annotation, 1, "DT", "JJ")
    assert annotation.undo() == 1 and annotation.sentence(1)["done"]
    assert annotation.document.values(1, "") == ["DT", "NN"]


def test_what_was_sent_for_an_older_state_is_refused(annotation):
    accept(annotation, 1, "DT", "NN")
    with pytest.raises(StaleError):
        annotation.accept(1, 0, {"": ["DT", "JJ"]})
    assert annotation.document.values(1, "") == ["DT", "NN"]


def test_a_session_is_continued_also_when_lines_have_moved(annotation, write):
    accept(annotation, 1, "DT", "NN")
    path = annotation.document.path
    path.write_bytes(b"new_NN\n" + path.read_bytes() + b"the_DT run_NN\n")
    annotation.reload()
    assert [annotation.sentence(n)["done"] for n in range(5)] == [False, False, True, False, False]
    assert annotation.sentence(2)["fields"][0]["best"] and annotation.sentence(0)["fields"][0]["best"] is None
    again = Annotation(Document(path), Session(path.with_name("s")))
    assert again.progress()["done"] == 1 and [s.words for s in again.done()] == [["the", "run"]]


def test_new_answers_change_the_doubts_and_the_generation(annotation):
    key = annotation.keys[1]
    annotation.learn({key: said("the run", [("DT", 1.0)], [("VB", 1.0)]), "gone": said("x", [("X", 1.0)])})
    assert annotation.sentence(1)["fields"][0]["doubts"] == [0, 0] and annotation.generation == 1
    assert annotation.next(-1, "doubt") == 2


def test_without_a_tagger_only_what_is_missing_is_doubtful(write):
    path = write("b.wordtag", b"bare words_NNS\n")
    found = Annotation(Document(path), Session(None)).sentence(0)
    assert found["fields"][0]["doubts"] == [1, 0] and found["fields"][0]["best"] is None


@pytest.mark.parametrize("number, token", [(-1, 0), (3, 0), (0, -1), (0, 3)])
def test_places_that_do_not_exist_are_refused(annotation, number, token):
    with pytest.raises(RnntagError, match="no (sentence|token)"):
        annotation.examples(number, token)


def test_examples_have_the_word_its_context_and_its_tag(annotation):
    first, = annotation.examples(0, 1)
    assert (first["number"], first["word"], first["before"], first["after"]) == (2, "dog", ["a"], ["runs"])
    assert first["values"] == ["NN"] and first["line"] == 4


def test_the_nearest_examples_are_those_with_the_same_neighbours():
    texts = ["we see the run of it", "run", "a run in it", "they like the run of us", "The Run"]
    concordance = Concordance([Sentence(text.split()) for text in texts])
    assert [place.sentence for place in concordance.nearest(0, 3, 9)] == [3, 2, 1, 4]
    assert concordance.nearest(0, 3, 1) == [(3, 3)]
    assert [place.sentence for place in concordance.nearest(3, 0, 9)] == []
    endings = Concordance([Sentence(["walking"]), Sentence(["talking"]), Sentence(["ink"])])
    assert endings.nearest(0, 0, 9) == [(1, 0)]  # it occurs once: words that end so
