import json
import math
import tracemalloc

import numpy as np
import pytest

from rnntag.corpus import Sentence
from rnntag.errors import CorpusError
from rnntag.evaluation import Pair
from rnntag.evaluation.grading import Knowledge, grade

TRAIN = [Sentence(["the", "dog", "runs"], ["D", "N", "V"]), Sentence(["runs", "end"], ["N", "V"])]
KNOWN = Knowledge.of(TRAIN)


def random_answers(sentences=40, answers=2, seed=1, errors=(0.1, 0.3, 0.2)):
    """Answers to one reference, each with its share of random tags."""
    rng = np.random.default_rng(seed)
    reference = [rng.choice(list("ABCD"), rng.integers(0, 12)).tolist() for _ in range(sentences)]
    words = [[f"w{rng.integers(9)}" for _ in tags] for tags in reference]
    return [(f"a{i}", [Pair(w, tags, [str(rng.choice(list("ABCDE"))) if rng.random() < errors[i] else tag
                                      for tag in tags]) for w, tags in zip(words, reference)])
            for i in range(answers)]


def test_every_group_is_scored():
    pairs = [Pair(["the", "runs", "cat"], ["D", "V", "N"], ["D", "N", "V"]), Pair([], [], []),
             Pair(["the"], ["D"], ["D"])]
    found = grade([("x", pairs)], KNOWN, 100)
    measures = found.grades[0].measures
    assert (found.sentences, found.tokens) == (2, 4)
    assert {name: each.score for name, each in measures.items()} == {
        "tokens": (2, 4), "sentences": (1, 2), "known": (2, 3), "unknown": (0, 1), "ambiguous": (0, 1),
        "macro_f1": None}
    assert measures["macro_f1"].value == pytest.approx(1 / 3)  # D right, N and V never


def test_knowledge_is_words_and_ambiguous_words():
    assert KNOWN.words == {"the", "dog", "runs", "end"} and KNOWN.ambiguous == {"runs"}


def test_without_training_corpus_words_are_not_needed():
    assert list(grade([("x", [Pair(None, ["A"], ["A"])])], None, 100).grades[0].measures) == [
        "tokens", "sentences", "macro_f1"]
    with pytest.raises(CorpusError, match="no words on either side"):
        grade([("x", [Pair(None, ["A"], ["A"])])], KNOWN, 100)


def test_the_intervals_are_those_of_a_plain_loop():
    (_, pairs), = random_answers(answers=1)
    measures = grade([("x", pairs)], None, 4000, seed=3).grades[0].measures
    pairs = [each for each in pairs if each.reference]
    rng = np.random.default_rng(8)
    samples = []
    for _ in range(1500):
        drawn = [pairs[i] for i in rng.integers(0, len(pairs), len(pairs))]
        right = sum(a == b for each in drawn for a, b in zip(each.reference, each.answer))
        f1 = []
        for tag in "ABCD":
            both = sum(a == b == tag for each in drawn for a, b in zip(each.reference, each.answer))
            either = sum(each.reference.count(tag) + each.answer.count(tag) for each in drawn)
            f1.append(2 * both / either)
        samples.append((right / sum(len(each.reference) for each in drawn),
                        sum(each.reference == each.answer for each in drawn) / len(drawn), sum(f1) / 4))
    expected = np.quantile(samples, [0.025, 0.975], axis=0).T
    for name, (low, high) in zip(("tokens", "sentences", "macro_f1"), expected):
        assert measures[name].bootstrap == pytest.approx((low, high), abs=0.12 * (high - low)), name


SHARES = 1 / np.arange(1, 25) ** 1.5 / sum(1 / np.arange(1, 25) ** 1.5)  # of 24 tags; the rarest are in few samples
HARD = np.where(np.arange(24) < 6, 0.06, 0.5)  # how often a tag is drawn anew; in a fifth of the sentences more


def zipfian_answers(rng, sentences, tokens=12):
    """An answer to a text with many rare tags, most of which it gets wrong."""
    made = []
    for _ in range(sentences):
        reference = rng.choice(24, tokens, p=SHARES)
        wrong = rng.random(tokens) < HARD[reference] * (3 if rng.random() < 0.2 else 0.5)
        answer = np.where(wrong, rng.choice(24, tokens, p=SHARES), reference)
        made.append(Pair(None, list(map(str, reference.tolist())), list(map(str, answer.tolist()))))
    return made


def test_the_interval_of_macro_f1_covers_the_truth_about_as_often_as_it_says_and_has_the_score_in_its_middle():
    wrong = 0.2 * np.minimum(1, 3 * HARD) + 0.8 * 0.5 * HARD
    right, answered = SHARES * (1 - wrong + wrong * SHARES), SHARES * (1 - wrong + SHARES @ wrong)
    truth = 2 * right / (SHARES + answered)
    rng = np.random.default_rng(4)
    hits, places = 0, []
    for _ in range(150):
        found, = grade([("x", zipfian_answers(rng, 100))], None, 200).grades
        value, (low, high) = found.measures["macro_f1"].value, found.measures["macro_f1"].bootstrap
        hits += low <= np.mean([truth[int(tag)] for tag, score in found.tags.items() if score.support]) <= high
        places.append((value - low) / (high - low))
    assert 136 <= hits <= 149 and 0.4 < np.mean(places) < 0.6 and 0.3 < min(places)


def test_a_tag_that_is_there_once_makes_macro_f1_unsure():
    pairs = [Pair(None, ["A", "B"], ["A", "B"]) for _ in range(400)] + [Pair(None, ["C"], ["C"])]
    macro = grade([("x", pairs)], None, 200).grades[0].measures["macro_f1"]
    assert macro.value == macro.bootstrap.high == 1 and 0.6 < macro.bootstrap.low < 0.85


def test_memory_does_not_grow_with_tags_times_sentences():
    names = [f"T{k}" for k in range(800)]
    pairs = [Pair(None, [names[s % 800], names[s * 7 % 800]], [names[s % 800]] * 2) for s in range(20_000)]
    tracemalloc.start()
    try:
        grade([("x", pairs), ("y", pairs)], None, 20)
        assert tracemalloc.get_traced_memory()[1] < 40e6  # a table of tags by sentences is 64 MB a side
    finally:
        tracemalloc.stop()


def test_macro_f1_is_that_of_the_definition():
    (_, pairs), = random_answers(answers=1)
    right = [tag for each in pairs for tag in each.reference]
    given = [tag for each in pairs for tag in each.answer]
    f1 = []
    for tag in "ABCD":
        both = sum(a == b == tag for a, b in zip(right, given))
        precision, recall = both / given.count(tag), both / right.count(tag)
        f1.append(2 * precision * recall / (precision + recall))
    assert grade([("x", pairs)], None, 100).grades[0].measures["macro_f1"].value == pytest.approx(sum(f1) / 4)


def test_a_difference_has_the_sign_of_the_second_answer():
    comparison, = grade(random_answers()).comparisons
    assert (comparison.first, comparison.second) == ("a0", "a1")
    assert comparison.difference < 0 and comparison.interval.high < 0 and comparison.significant
    assert comparison.mcnemar.only_first > comparison.mcnemar.only_second


def test_equal_answers_do_not_differ():
    one = random_answers(answers=1)[0][1]
    comparison, = grade([("x", one), ("y", one)], None, 500).comparisons
    assert (comparison.difference, comparison.interval, comparison.p) == (0, (0, 0), 1.0)
    assert comparison.mcnemar[:2] == (0, 0) and not comparison.significant


def test_differences_by_chance_are_rarely_called_more():
    calls = sum(grade(random_answers(60, 2, seed, (0.2, 0.2)), None, 400).comparisons[0].significant
                for seed in range(100))
    assert calls <= 14  # 5 expected


def test_differences_are_paired():
    """Two answers that are wrong in the same places are told apart by one that is wrong once more."""
    pairs = [Pair(None, ["A"] * 10, ["A"] * 10 if s % 2 else ["B"] * 10) for s in range(60)]
    worse = [Pair(None, each.reference, ["B", *each.answer[1:]]) for each in pairs]
    comparison, = grade([("x", pairs), ("y", worse)], None, 1000).comparisons
    assert comparison.significant and comparison.interval.high - comparison.interval.low < 0.04


def test_several_comparisons_are_adjusted():
    comparisons = grade(random_answers(answers=3), None, 999).comparisons
    assert [(c.first, c.second) for c in comparisons] == [("a0", "a1"), ("a0", "a2"), ("a1", "a2")]
    assert min(c.p for c in comparisons) * 3 == pytest.approx(min(c.p_adjusted for c in comparisons))
    assert all(c.p_adjusted >= c.p for c in comparisons)


def test_the_same_seed_gives_the_same_numbers():
    answers = random_answers()
    assert grade(answers, None, 300, 1).to_dict() == grade(answers, None, 300, 1).to_dict()
    assert grade(answers, None, 300, 1).to_dict() != grade(answers, None, 300, 2).to_dict()


def test_everything_is_json_and_nothing_is_not_a_number():
    text = json.dumps(grade(random_answers(), KNOWN, 100).to_dict(), allow_nan=False)
    found = json.loads(text)
    assert found["answers"][0]["known"]["value"] is None and found["answers"][0]["known"]["total"] == 0
    assert found["answers"][1]["tags"]["A"].keys() == {"support", "answered", "correct", "precision", "recall", "f1"}
    assert found["comparisons"][0]["more_than_chance"] is True


def test_one_sentence_can_be_graded():
    measure = grade([("x", [Pair(None, ["A", "B"], ["A", "A"])])], None, 100).grades[0].measures["tokens"]
    assert measure.bootstrap == (0.5, 0.5) and not math.isnan(measure.wilson.low)
