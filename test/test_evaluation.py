import math
from collections import Counter

import pytest

from rnntag.corpus import Column, Sentence
from rnntag.corpus.lists import read_tag_map
from rnntag.errors import CorpusError, CorpusWarning
from rnntag.evaluation import (MISSING, Pair, Score, accuracy, accuracy_by_knowledge, ambiguous_words, confusion,
                               examples, macro_f1, map_tags, mistakes, pair, sentence_accuracy,
                               tag_scores)


def tags(*lines):
    """Sentences of tags alone, numbered by line."""
    return [Sentence([""] * len(line.split()), line.split(), number)
            for number, line in enumerate(lines, 1)]


def tagged(*lines):
    """Sentences of word_TAG, numbered by line."""
    return [Sentence([item.split("_")[0] for item in line.split()],
                     [item.split("_")[1] for item in line.split()], number)
            for number, line in enumerate(lines, 1)]


def refusal(reference, answer):
    with pytest.raises(CorpusError) as error:
        list(pair(reference, answer, "ref", "ans"))
    return str(error.value)


def test_pairs_have_the_tags_of_both_sides():
    assert list(pair(tags("A B", "", "C"), tags("A C", "", "C"))) == [
        Pair(None, ["A", "B"], ["A", "C"]), Pair(None, [], []), Pair(None, ["C"], ["C"])]


@pytest.mark.parametrize("reference, answer", [
    (tagged("the_DT"), tags("NN")), (tags("DT"), tagged("the_NN")), (tagged("the_DT"), tagged("the_NN"))])
def test_words_come_from_whichever_side_has_them(reference, answer):
    assert list(pair(reference, answer)) == [Pair(["the"], ["DT"], ["NN"])]


def test_a_short_answer_is_refused_with_the_line_of_the_reference():
    message = refusal(tags("A", "B", "C"), tags("A", "B"))
    assert message.startswith("ans: no sentence 3; ref has one, in line 3.")


def test_a_long_answer_is_refused_with_its_line():
    message = refusal(tags("A"), tags("A", "B"))
    assert message.startswith("ref: no sentence 2; ans has one, in line 2.")


def test_a_surplus_blank_line_is_refused_too():
    assert refusal(tags("A", ""), tags("A")).startswith("ans: no sentence 2; ref has one, in line 2.")
    assert refusal(tags("A"), tags("A", "")).startswith("ref: no sentence 2; ans has one, in line 2.")


def test_a_different_number_of_tokens_is_refused_with_the_line_in_both():
    message = refusal(tags("A", "A B"), tags("A", "A"))
    assert message.startswith("ans:2: 1 token; ref:2 has 2.")


def test_a_blank_line_in_one_file_only_is_refused():
    assert refusal(tags("A", "B"), tags("A", "", "B")).startswith("ans:2: 0 tokens; ref:2 has 1.")


def test_different_words_are_refused_with_line_and_token():
    message = refusal(tagged("a_X", "a_X b_Y"), tagged("a_X", "a_X c_Y"))
    assert message.startswith("ans:2: token 2 is 'c'; ref:2 has 'b' there.")


def test_nothing_to_compare_is_refused():
    assert "ref: no tags" in refusal(tags(""), tags(""))
    assert "ref: no tags" in refusal([], [])


def test_untagged_text_is_refused():
    assert "ans: no tags" in refusal(tags("A"), [Sentence(["a"], None, 1)])
    assert "ref: no tags" in refusal([Sentence(["a"], None, 1)], tags("A"))


def test_words_without_a_right_tag_are_left_out():
    gold = [Sentence(["a", "b", "c"], ["A", "", "C"], 1), Sentence(["d"], None, 2), Sentence(["e"], ["E"], 3)]
    best = [[("A", 0.5)], [("B", 0.6)], [("X", 0.7)]]
    answer = [Sentence(["a", "b", "c"], {"": Column(["A", "B", "X"], best)}, 1),
              Sentence(["d"], ["D"], 2), Sentence(["e"], ["E"], 3)]
    one, two, three = found = list(pair(gold, answer))
    assert one == Pair(["a", "c"], ["A", "C"], ["A", "X"], left_out={1: "b"}) and one.confidence == [0.5, 0.7]
    assert two == Pair([], [], [], left_out={0: "d"}) and three == Pair(["e"], ["E"], ["E"])
    assert (accuracy(found), sentence_accuracy(found)) == ((2, 3), (1, 2))
    assert examples(found, 1) == {("C", "X"): [(1, 3, ["a", "b"], "c", [])]}
    assert one.tokens() == [("a", "A", "A"), ("b", "", ""), ("c", "C", "X")]


def test_without_words_too():
    (found,) = pair([Sentence(["", ""], ["", "B"], 1)], tags("A B"))
    assert found == Pair(None, ["B"], ["B"], left_out={0: ""}) and found.tokens() == [("", "", ""), ("B", "B", "B")]


def test_an_answer_that_lacks_a_tag_is_wrong():
    found = list(pair(tags("A B", "C"), [Sentence(["", ""], ["A", ""], 1), Sentence([""], None, 2)]))
    assert confusion(found) == {("A", "A"): 1, ("B", MISSING): 1, ("C", MISSING): 1}
    assert tag_scores(confusion(found))["B"] == (0, 1, 0)


def test_an_empty_sentence_needs_no_tags():
    assert list(pair([Sentence([], None, 1), *tags("A")], [Sentence([], None, 1), *tags("A")])) == [
        Pair(None, [], []), Pair(None, ["A"], ["A"])]


def test_pairing_streams():
    def endless():
        while True:
            yield Sentence([""], ["A"])
    pairs = pair(endless(), endless())
    assert [next(pairs) for _ in range(3)] == [Pair(None, ["A"], ["A"])] * 3


PAIRS = [Pair(["the", "dog", "ran"], ["D", "N", "V"], ["D", "V", "N"]), Pair([], [], []),
         Pair(["dog", "cat"], ["N", "N"], ["N", "V"])]


def test_accuracy_counts_right_tags_of_all():
    assert accuracy(PAIRS) == (2, 5)
    assert accuracy(PAIRS).accuracy == 0.4


def test_a_score_is_written_as_the_tutorial_writes_it():
    assert str(Score(4144, 4563)) == "90.82% (4144/4563)"
    assert str(Score(3, 3)) == "100.00% (3/3)"


def test_a_score_of_nothing_is_not_a_number():
    assert math.isnan(Score(0, 0).accuracy)
    assert str(Score(0, 0)) == "none"


def test_known_and_unknown_words_are_scored_apart():
    assert accuracy_by_knowledge(PAIRS, {"the", "dog"}) == ((2, 3), (0, 2))
    assert accuracy_by_knowledge(PAIRS, {"the", "dog", "ran", "cat"}) == ((2, 5), (0, 0))


def test_known_words_without_words_are_refused():
    with pytest.raises(CorpusError, match="no words on either side"):
        accuracy_by_knowledge([Pair(None, ["A"], ["A"])], {"the"})


def test_confusion_counts_right_and_wrong_answers():
    assert confusion(PAIRS) == {("D", "D"): 1, ("N", "V"): 2, ("V", "N"): 1, ("N", "N"): 1}


def test_mistakes_are_sorted_by_count_then_alphabetically():
    counts = Counter({("B", "A"): 2, ("A", "B"): 2, ("A", "A"): 9, ("Z", "A"): 3, ("A", "C"): 2})
    assert mistakes(counts) == [("Z", "A", 3), ("A", "B", 2), ("A", "C", 2), ("B", "A", 2)]


# ------------------------------------------------------------------ more than accuracy


def test_pairs_know_their_line_and_are_equal_without_it():
    found = list(pair(tags("A", "", "B"), tags("A", "", "B")))
    assert [each.line for each in found] == [1, 2, 3] and found[0] == Pair(None, ["A"], ["A"])


def test_sentences_are_right_when_all_their_tags_are_and_blank_lines_are_none():
    assert sentence_accuracy([*PAIRS, Pair(None, ["A"], ["A"])]) == (1, 3)


def test_tag_scores_by_hand():
    scores = tag_scores(confusion(PAIRS))
    assert scores == {"N": (1, 3, 2), "D": (1, 1, 1), "V": (0, 1, 2)} and list(scores) == ["N", "D", "V"]
    assert (scores["N"].precision, scores["N"].recall, scores["N"].f1) == (1 / 2, 1 / 3, 2 / 5)
    assert (scores["V"].precision, scores["V"].recall, scores["V"].f1) == (0, 0, 0)


def test_tags_of_one_side_only_have_scores_too():
    scores = tag_scores(confusion([Pair(None, ["A", "A"], ["A", "B"])]))
    assert scores == {"A": (1, 2, 1), "B": (0, 0, 1)} and scores["B"].recall == 0
    assert macro_f1(scores) == pytest.approx(2 / 3)  # B is not in the reference
    assert math.isnan(macro_f1({}))


def test_tag_scores_are_scikit_learn_s():
    metrics = pytest.importorskip("sklearn.metrics")
    right, given = list("AABBBCCAD"), list("ABBBCCAAE")
    expected = metrics.precision_recall_fscore_support(right, given, labels=list("ABCDE"), zero_division=0)
    scores = tag_scores(confusion([Pair(None, right, given)]))
    for i, tag in enumerate("ABCDE"):
        s = scores[tag]
        assert (s.precision, s.recall, s.f1, s.support) == pytest.approx([column[i] for column in expected])


def test_ambiguous_words_have_two_tags():
    assert ambiguous_words(tagged("a_X b_Y a_X", "b_Z c_X")) == {"b"}


def test_examples_are_the_first_places_of_each_mistake_with_their_context():
    found = examples([Pair(["the", "dog", "ran"], ["D", "N", "V"], ["D", "V", "N"], 7),
                      Pair(None, ["N"], ["V"], 8), Pair(["dog", "cat"], ["N", "N"], ["N", "V"], 9)], 1, 1)
    assert found == {("N", "V"): [(7, 2, ["the"], "dog", ["ran"])], ("V", "N"): [(7, 3, ["dog"], "ran", [])]}
    assert len(examples(PAIRS, 5)[("N", "V")]) == 2


def test_mapped_tags_are_replaced_and_others_stay():
    found, = map_tags(tagged("a_X b_Y"), {"X": "Z"})
    assert (found.words, found.tags, found.line) == (["a", "b"], ["Z", "Y"], 1)
    assert next(map_tags([Sentence(["a"], None, 3)], {"X": "Z"})).tags is None


def test_a_tag_map_is_lines_of_from_tab_to(write):
    with pytest.warns(CorpusWarning):
        assert read_tag_map(write("map", b"\xef\xbb\xbfNNS\tNOUN\r\n\n#\tSYM\nNNS\tNOUN\n")) == {
            "NNS": "NOUN", "#": "SYM"}


@pytest.mark.parametrize("data, message", [
    (b"A\tB\nA B\n", "map:2: 'A B'; a line of a tag map is FROM, one tab, TO."),
    (b"A\t\n", "map:1: 'A\\\\t'; a line"), (b"A\tB\tC\n", "map:1: 'A\\\\tB\\\\tC'; a line"),
    (b"A\tB\nA\tC\n", "map:2: 'A' is mapped to 'B' before; each tag is mapped once."),
    (b"A\t\xff\n", "map:1: byte 0xff at byte 3 of the line (offset 2 in the file) is not UTF-8;")])
def test_other_tag_maps_are_refused(write, data, message):
    with pytest.raises(CorpusError) as error:
        read_tag_map(write("map", data))
    assert message.replace("\\\\", "\\") in str(error.value)
