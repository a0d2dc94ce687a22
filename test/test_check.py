"""What check finds in a corpus, and that it finds nothing in a good one."""

import json

import pytest
from click.testing import CliRunner
from samples import tagged

from rnntag.analysis.check import baseline, count, overlap
from rnntag.analysis.findings import findings, odd_characters
from rnntag.cli.check import main


def whats(sentences):
    return {each.what: (each.fault, each.count) for each in findings(sentences)}


PLENTY = ["the_D dog_N"] + [f"the_D w{i}_N" for i in range(20)]


def test_counts_by_hand():
    c = count(tagged("a_X b_Y a_Z", "a_X c_X b_Y d_X", "a_Z"))
    assert (c.sentences, c.tokens, c.words, c.once, c.tags) == (3, 8, 4, 2, {"X": 4, "Y": 2, "Z": 2})
    assert list(c.tags) == ["X", "Y", "Z"]
    assert (c.median_length, c.longest, c.longest_line) == (3, 4, 2)
    assert (c.ambiguous_words, c.ambiguous_tokens) == (1, 4)


def test_the_baseline_of_a_test_corpus_is_what_the_training_corpus_knows():
    train, test = tagged("a_X b_Y a_Z a_Z", "b_Y c_Y"), tagged("a_Z a_X b_Y", "new_Y other_Z")
    assert baseline(train, test) == (3, 5)  # a is Z, b and all unknown words are Y
    assert baseline(tagged("a_Y a_X"), tagged("a_X a_Y a_Y")) == (1, 3)  # of equals the first


def test_without_a_test_corpus_the_baseline_is_out_of_fold():
    lines = ["rare_X a_Y", *["a_Z b_Y c_Y"] * 9, "rare_X a_Z"]  # sentence 11 is in the fold of sentence 1
    assert baseline(tagged(*lines)) == (28, 31)  # rare is unknown in both and gets Y, a gets Z
    unique = [f"w{k}_{'XY'[k % 3 == 0]}" for k in range(60)]  # no word is there twice: all get X
    assert baseline(tagged(*unique)) == (40, 60)


def test_a_corpus_of_fewer_than_ten_sentences_has_as_many_folds_and_a_lone_one_no_baseline():
    assert baseline(tagged("a_X", "a_X", "b_Y")) == (2, 3)
    assert baseline(tagged("a_X b_Y")) == (0, 0)


def test_a_good_corpus_has_no_findings():
    assert findings(tagged(*PLENTY, "caf\u00e9_N \u0627\u0644\u200c\u0641_N \u65e5\u672c_N")) == []


@pytest.mark.parametrize("text, expected", [
    ("dog", []), ("caf\u00e9", []), ("\u06a9\u062a\u0627\u0628\u200c\u0647\u0627", []), ("na\u00efve", []),
    ("a\x07b", [(True, "control characters")]), ("a\x85b", [(True, "control characters")]),
    ("a\ufffdb", [(True, "U+FFFD, which stands for text that was lost")]),
    ("\ufeffa", [(True, "a byte order mark inside")]),
    ("10\u00a0000", [(False, "whitespace-like characters")]), ("a\u3000b", [(False, "whitespace-like characters")]),
    ("a\u2028b", [(False, "whitespace-like characters")]), ("a\u00adb", [(False, "invisible characters")]),
    ("a\u200bb", [(False, "invisible characters")]), ("\ue000", [(False, "characters that Unicode does not define")]),
    ("\u0301a", [(False, "a combining mark at the start")]),
    ("caf\u00c3\u00a9", [(True, "UTF-8 that was read as Latin-1 or Windows-1252")]),
    ("\u00e2\u20ac\u0153dog", [(True, "UTF-8 that was read as Latin-1 or Windows-1252")])])
def test_odd_characters_are_told_from_those_of_other_languages(text, expected):
    assert odd_characters(text) == expected


def test_odd_characters_are_faults_in_tags_whatever_they_are():
    assert whats(tagged(*PLENTY, "a_N\u00a0"))["tags with whitespace-like characters"] == (True, 1)
    assert whats(tagged(*PLENTY, "a\u00a0b_N"))["words with whitespace-like characters"] == (False, 1)


def test_a_finding_names_its_places_escaped():
    found = findings(tagged(*PLENTY, "the_D a\u200bb_N"))[0]
    assert found.places == ["line 22, token 2: 'a\\u200bb'"]


def test_one_word_in_two_normal_forms_is_a_fault():
    found = whats(tagged(*PLENTY, "caf\u00e9_N cafe\u0301_N"))
    assert found["words written in more than one Unicode normal form"] == (True, 1)
    apart = whats(tagged(*PLENTY, "caf\u00e9_N e\u0301te\u0301_N"))
    assert list(apart.values()) == [(False, 1)] and "composed form" in list(apart)[0]
    assert whats(tagged(*PLENTY, "cafe\u0301_N e\u0301te\u0301_N")) == {}  # all alike


def test_rare_and_similar_tags_are_shown():
    found = whats(tagged(*PLENTY, "a_nn b_Nn c_Q d_R e_R"))
    assert found == {"tags that occur once": (False, 3), "tags that occur fewer than 10 times": (False, 1),
                     "tags that differ only in case or form": (False, 1)}


def test_long_and_repeated_sentences_are_shown():
    found = whats(tagged(*PLENTY, " ".join(["the_D"] * 151), "the_D dog_N", "the_N dog_N"))
    assert found == {"sentences of more than 150 tokens": (False, 1), "repeated sentences": (False, 2),
                     "repeated sentences with other tags": (False, 1)}


def test_words_with_punctuation_are_shown_when_they_are_more_than_punctuation():
    raw = tagged("Mukaan,_X tuli_Y koira._Z", "Sitten_X se_Y meni._Z")
    (found,) = [each for each in findings(raw) if "punctuation" in each.what]
    assert (found.fault, found.count) == (False, 3)
    assert found.places[1] == "line 1, token 3: koira."
    assert not any("punctuation" in each.what for each in findings([*raw, *tagged("a_A ._. ,_, !_! ?_?")]))


def test_faults_come_first():
    found = [each.fault for each in findings(tagged("a_X a_X", "a_X a_X", "b\x07_X"))]
    assert found == [True, False, False]  # a rare tag, a repeated sentence


def test_overlap_counts_shared_sentences_unknown_words_and_tags():
    o = overlap(tagged("a_X b_Y", "c_X"), tagged("a_X b_Y", "a_X d_Z", "d_X c_X", "b_Y e_Z"))
    assert (o.sentences, o.tokens, o.shared_sentences, o.unknown_tokens) == (4, 8, 1, 3)
    assert [(each.fault, each.count) for each in o.findings] == [(False, 1), (False, 1)]
    assert o.findings[0].places == ["line 1, training line 1: 'a b'"] and o.findings[1].places == ["Z (2 tokens)"]


def test_a_test_corpus_that_was_trained_on_is_a_fault():
    assert overlap(tagged("a_X", "b_X"), tagged("a_X", "b_X", "c_X")).findings[0].fault
    assert not overlap(tagged("a_X", "b_X"), tagged("a_X", "c_X")).findings[0].fault


# ------------------------------------------------------------------ the command


@pytest.fixture
def check(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def check(data, *arguments, status=0):
        write("corpus", data.encode())
        folds = () if {"--folds", "--answers"} & set(arguments) else ("--folds", 0)
        result = CliRunner().invoke(main, ["corpus", *map(str, folds + arguments)])
        assert result.exit_code == status, result.output
        return result.stdout
    return check


GOOD = "\n".join(PLENTY) + "\n"


def test_a_good_corpus_exits_with_0(check):
    out = check(GOOD)
    assert out.startswith("corpus: 21 sentences, 42 tokens, 22 words, 2 tags\n") and "Nothing looks wrong." in out
    assert "    D 21   N 21\n" in out and "same context: 0\n" in out


def test_the_line_of_the_baseline_says_what_it_was_measured_on(check, write):
    line = "The most frequent tag of each word (unknown words: of all) is right "
    assert f"\n{line}100.00% of the time in 10 folds, each tagged from the others\n" in check("a_X b_Y\n" * 18)
    write("test", b"a_X b_Y e_Z\n")
    assert f"\n{line}66.67% of the time on test\n" in check("a_X b_Y\n", "--test", "test")
    assert line not in check("a_X b_Y\n")
    assert json.loads(check("a_X b_Y\n", "--test", "test", "--json"))["baseline"] == {"correct": 2, "total": 3}


def test_a_fault_exits_with_1_and_a_note_does_not(check):
    assert "FAULT: words with control characters: 1\n    line 22, token 1: 'a\\x07'\n" in check(
        GOOD + "a\x07_N\n", status=1)
    assert "Look: words with whitespace-like characters: 1\n" in check(GOOD + "a\u00a0b_N\n")


def test_the_number_of_places_can_be_chosen(check):
    data = GOOD + "a\u00a0b_N c\u00a0d_N e\u00a0f_N g\u00a0h_N\n"
    assert check(data).count("\\xa0") == 3 and "    and 1 more\n" in check(data)
    assert check(data, "--places", 4).count("\\xa0") == 4 and "more" not in check(data, "--places", 4)
    assert check(data, "--places", 0).count("\\xa0") == 0


def test_words_that_vary_are_shown_in_their_context(check):
    out = check(GOOD + "we_P see_V the_D run_N of_I it_P\nwe_P see_V the_D run_V of_I it_P\n")
    assert "    we see the [run] of it\n        N  line 22, token 4\n        V  line 23, token 4\n" in out


def test_frequent_words_with_another_tag_once_are_shown(check):
    out = check("the_D x_N\n" * 60 + "the_N x_N\n")
    assert "    line 61, token 1: the  N, usually D\n" in out


def test_the_test_corpus_is_compared(check, write):
    write("test", GOOD.encode())
    assert "21 of them in the training corpus too" in check(GOOD, "--test", "test", status=1)
    write("test", b"new_N words_N\n")
    assert "test: 1 sentence, 0 of them" in check(GOOD, "--test", "test")


def test_json_has_it_all(check, write):
    write("test", b"the_D dog_N\n")
    found = json.loads(check(GOOD + "we_P see_V the_D run_N of_I it_P\nwe_P see_V the_D run_V of_I it_P\n",
                             "--json", "--test", "test", status=1))
    assert found["counts"]["tokens"] == 54 and found["fault"] is True
    assert found["variations"][0]["word"] == "run" and found["test"]["shared_sentences"] == 1


@pytest.mark.parametrize("option", ["--places", "--variations"])
def test_how_many_to_show_is_refused_with_json_which_has_all(check, option):
    assert check(GOOD, "--json", option, 3, status=2) == ""


def test_an_unreadable_corpus_is_one_line(check):
    assert check("a_N\nb\n", status=1) == ""


def test_the_wiki_corpus_has_known_annotation_errors(corpora):
    train = str(corpora / "wiki-en" / "wiki-en-train.norm_pos")
    result = CliRunner().invoke(main, [train, "--variations", "20", "--folds", "0"])
    assert result.exit_code == 0
    for words in ("[mainland] Scotland\n        NN  line 545, token 13\n        JJ  line 559, token 15",
                  "early [AI] systems", ", [determine] the\n        VBD  line 95", "line 154, token 6: The  NNP"):
        assert words in result.stdout
