import math
from collections import Counter

import pytest

from rnntag.corpus import Sentence
from rnntag.errors import CorpusError
from rnntag.evaluation import Pair, Score, accuracy, accuracy_by_knowledge, confusion, mistakes, pair


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
    assert message.startswith("ans:2: 1 tokens; ref:2 has 2.")


def test_a_blank_line_in_one_file_only_is_refused():
    assert refusal(tags("A", "B"), tags("A", "", "B")).startswith("ans:2: 0 tokens; ref:2 has 1.")


def test_different_words_are_refused_with_line_and_token():
    message = refusal(tagged("a_X", "a_X b_Y"), tagged("a_X", "a_X c_Y"))
    assert message.startswith("ans:2: token 2 is 'c'; ref:2 has 'b' there.")


def test_nothing_to_compare_is_refused():
    assert "ref: no tags" in refusal(tags(""), tags(""))
    assert "ref: no tags" in refusal([], [])


def test_untagged_sentences_are_refused():
    assert "ans:1: a sentence without tags" in refusal(tags("A"), [Sentence(["a"], None, 1)])
    assert "ref:1: a sentence without tags" in refusal([Sentence(["a"], None, 1)], tags("A"))


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
