import random

from samples import tagged

from rnntag.analysis.variation import odd_ones, variations


def shown(*lines, **kwargs):
    return [(" ".join([*v.before, f"[{v.word}]", *v.after]), v.tags) for v in variations(tagged(*lines), **kwargs)]


def test_the_longest_shared_context_is_found_on_both_sides():
    assert shown("x_A a_A b_A w_N c_A d_A y_A", "z_A a_A b_A w_V c_A d_A q_A") == [
        ("a b [w] c d", {"N": [(1, 4)], "V": [(2, 4)]})]


def test_a_word_at_the_edge_of_what_is_shared_is_not_trusted():
    assert shown("a_A b_A w_N c_A", "a_A b_A w_V d_A") == []
    assert shown("a_A w_N c_A d_A", "b_A w_V c_A d_A") == []


def test_the_boundary_of_a_sentence_is_shared_but_is_no_word():
    assert shown("w_N a_A b_A", "w_V a_A b_A") == [("[w] a b", {"N": [(1, 1)], "V": [(2, 1)]})]
    assert shown("w_N a_A", "w_V a_A") == []  # one word of context is too little
    assert shown("w_N a_A", "w_V a_A", least=1) != []
    assert shown("w_N a_A b_A", "x_A w_V a_A b_A") == []


def test_the_same_tag_is_no_variation():
    assert shown("a_A w_N b_A", "a_A w_N b_A") == []


def test_all_places_with_the_shared_context_are_told_the_most_frequent_tag_first():
    assert shown("a_A w_V b_A", "a_A w_N b_A", "a_A w_N b_A c_A") == [
        ("a [w] b", {"N": [(2, 2), (3, 2)], "V": [(1, 2)]})]


def test_longer_contexts_come_first_then_those_that_mostly_agree():
    found = shown("a_A w_N b_A", "a_A w_V b_A", "p_A q_A w_N r_A s_A", "p_A q_A w_V r_A s_A",
                  "c_A w_N d_A", "c_A w_N d_A", "c_A w_V d_A")
    assert [text for text, _ in found] == ["p q [w] r s", "c [w] d", "a [w] b"]


def test_errors_put_into_a_clean_corpus_are_found_and_nothing_else():
    rng = random.Random(1)
    sentences = [[rng.choice("abcdefgh") for _ in range(8)] for _ in range(12)] * 3
    corpus = tagged(*(" ".join(f"{word}_{word.upper()}" for word in words) for words in sentences))
    assert variations(corpus) == []
    wrong = {(2, 4), (7, 3), (15, 5)}  # (line, token) in three sentences that each come three times
    for line, token in wrong:
        corpus[line - 1].tags[token - 1] = "X"
    found = variations(corpus, least=7)
    assert {place for each in found for place in each.tags.get("X", [])} == wrong


def test_an_odd_one_is_a_frequent_word_with_another_tag_once():
    lines = ["w_N"] * 60
    assert odd_ones(tagged(*lines, "x_A w_V")) == [("w", "N", "V", 61, 2)]
    assert odd_ones(tagged(*lines, "w_V", "w_V")) == []
    assert odd_ones(tagged(*lines[:20], "w_V")) == []
