"""grade-pos beyond the tutorial's output (for that, test_cli_hmm.py)."""

import json

import pytest
from click.testing import CliRunner

from rnntag.cli.grade_pos import main

REFERENCE = b"the_D dog_N runs_V\n\nruns_N end_V\n"
ONE, TWO = b"D N N\n\nN V\n", b"D N N\n\nV N\n"


@pytest.fixture
def grade(write, tmp_path, monkeypatch):
    """grade("ref", "one", ...): the command's standard output, among files of these names."""
    monkeypatch.chdir(tmp_path)
    for name, data in (("ref", REFERENCE), ("one", ONE), ("two", TWO), ("train", b"the_D dog_N\nruns_V runs_N\n"),
                       ("map", b"V\tX\nN\tX\n")):
        write(name, data)

    def grade(*arguments, status=0, input=None):
        result = CliRunner().invoke(main, [*map(str, arguments)], input=input)
        assert result.exit_code == status, result.output
        return result.stdout if status == 0 else result.stderr
    return grade


def test_nothing_more_is_printed_unasked(grade):
    assert grade("ref", "one") == "Accuracy: 80.00% (4/5)\n\nMost common mistakes:\nV --> N\t1\n"


def test_the_summary_has_scores_and_intervals_and_comes_last(grade):
    out = grade("ref", "one", "--summary")
    assert out.startswith(grade("ref", "one") + "\n")
    lines = out.splitlines()[5:]
    assert lines[0].split() == ["score", "95%", "interval", "Wilson"]
    assert lines[1].split()[:5] == ["Tokens", "80.00%", "(4/5)", "66.67", "to"]
    assert lines[2].startswith("Sentences  50.00% (1/2)") and lines[3].startswith("Macro-F1   82.22% (3 tags)")
    assert "bootstrap over 2 sentences (10,000 resamples, seed 1)" in lines[4] and "are few" in lines[5]


def test_a_training_corpus_brings_known_unknown_and_ambiguous_words(grade):
    out = grade("ref", "one", "--train", "train")
    for line in ("Known words      75.00% (3/4)", "Unknown words    100.00% (1/1)", "Ambiguous words  50.00% (1/2)"):
        assert line in out


def test_per_tag_scores(grade):
    rows = [line.split() for line in grade("ref", "one", "--per-tag").splitlines()[5:]]
    assert rows == [["Tag", "support", "answered", "precision", "recall", "F1"],
                    ["N", "2", "3", "66.67", "100.00", "80.00"], ["V", "2", "1", "100.00", "50.00", "66.67"],
                    ["D", "1", "1", "100.00", "100.00", "100.00"]]


def test_examples_stand_below_their_mistake(grade):
    out = grade("ref", "two", "--examples", 1)
    assert "V --> N\t2\n    line 1, token 3: the dog [runs]\nN --> V\t1\n    line 3, token 1: [runs] end\n" in out


def test_two_answers_stand_side_by_side_and_are_compared_in_words(grade):
    out = grade("ref", "one", "two", "--errors", 0)
    assert out.startswith("one:\nAccuracy: 80.00% (4/5)\n\ntwo:\nAccuracy: 40.00% (2/5)\n\n")
    assert "Tokens     80.00% [66.67 to 100.00]  40.00% [0.00 to 66.67]\n" in out
    assert "two against one: -40.00 points" in out and "The difference could be chance." in out
    assert "McNemar, exact: p = 0.5; 0 tokens right in two alone, 2 in one alone" in out


def test_a_difference_beyond_chance_is_called_so(grade, write):
    write("long", b"A B\n" * 50)
    write("good", b"A B\n" * 50)
    write("bad", b"A A\n" * 30 + b"A B\n" * 20)
    assert "more than chance: good is better" in grade("long", "bad", "good")
    assert "more than chance: good is better" in grade("long", "good", "bad")
    assert "more than chance" not in grade("long", "good", "good")
    assert "No difference." in grade("long", "bad", "bad")


def test_three_answers_are_compared_in_pairs(grade):
    out = grade("ref", "one", "two", "ref", "--resamples", 200)
    assert out.count(" against ") == out.count("after Holm for 3 comparisons") == 3


def test_json_is_one_object_with_all_of_it(grade):
    found = json.loads(grade("ref", "one", "two", "--json", "--train", "train"))
    assert [each["name"] for each in found["answers"]] == ["one", "two"]
    assert found["answers"][0]["tokens"].items() >= {"correct": 4, "total": 5, "value": 0.8}.items()
    assert found["answers"][1]["mistakes"][0] == {"reference": "V", "answer": "N", "count": 2}
    assert found["answers"][0]["ambiguous"]["total"] == 2
    assert found["comparisons"][0]["difference"] == pytest.approx(-0.4)


@pytest.mark.parametrize("arguments, message", [
    (["--json", "--errors", 3], "--errors: given with --json"),
    (["--json", "--examples", 3], "--examples: given with --json"),
    (["--seed", 3], "--seed: given without --summary"),
    (["--resamples", 200], "--resamples: given without --summary")])
def test_options_that_would_change_nothing_are_refused(grade, arguments, message):
    assert message in grade("ref", "one", *arguments, status=2)


def test_the_seed_changes_intervals_and_nothing_else(grade):
    first, again, other = (grade("ref", "two", "--summary", "--resamples", 101, "--seed", seed) for seed in (1, 1, 2))
    assert first == again and first != other and first.splitlines()[0] == other.splitlines()[0]


def test_tags_are_compared_through_a_map(grade):
    assert grade("ref", "two", "--tag-map", "map") == "Accuracy: 100.00% (5/5)\n\nMost common mistakes:\n"
    assert "ref:1: 'the_D dog_N runs_V'; a line of a tag map" in grade("ref", "two", "--tag-map", "ref", status=1)


def test_names_are_shortened_only_while_they_differ(grade, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(ONE)
    out = grade("ref", "one", "a/one", "./two", "--errors", 0)
    assert "a/one against one:" in out and "two against a/one:" in out


def test_formats_may_differ_and_conllu_has_two_tags(grade, write):
    write("x.vertical", b"the\tD\ndog\tN\nruns\tV\n\nend\tV\n")
    write("x.tags", b"D N N\nV\n")
    assert grade("x.vertical", "x.tags", "--examples", 1).endswith("token 3: the dog [runs]\n")
    write("y.conllu", b"1\ta\t_\tX\tP\t_\t_\t_\t_\t_\n\n")
    write("z.conllu", b"1\ta\t_\tX\tQ\t_\t_\t_\t_\t_\n\n")
    assert grade("y.conllu", "z.conllu").startswith("Accuracy: 100.00% (1/1)")
    assert grade("y.conllu", "z.conllu", "--field", "xpos").startswith("Accuracy: 0.00% (0/1)")


def xpos(*tags):
    return "".join(f"{i}\tw{i}\t_\tX\t{tag}" + "\t_" * 5 + "\n" for i, tag in enumerate(tags, 1)) + "\n"


def test_words_that_have_no_tag_in_the_reference_are_left_out(grade, write):
    write("gold.conllu", (xpos("P", "_", "Q") + xpos("_") + xpos("P")).encode())
    write("answer.conllu", (xpos("P", "R", "_") + xpos("R") + xpos("P")).encode())
    arguments = ["gold.conllu", "answer.conllu", "--field", "xpos"]
    result = CliRunner().invoke(main, [*arguments, "--examples", "1", "--per-tag"])
    assert result.stderr == "Note: 2 of the 5 tokens in gold.conllu have no tag; they are left out.\n"
    assert result.stdout.startswith("Accuracy: 66.67% (2/3)\n\nMost common mistakes:\nQ --> (no tag)\t1\n"
                                    "    line 1, token 3: w1 w2 [w3]\n")
    found = json.loads(grade(*arguments, "--json"))
    assert (found["sentences"], found["tokens"], found["left_out"]) == (2, 3, 2)
    assert json.loads(grade("ref", "one", "--json"))["left_out"] == 0
    write("none.conllu", xpos("_", "_").encode())
    assert ("none.conllu: no tags; at least one is needed to compare. Its words have upos: try --field upos." in
            grade("none.conllu", "none.conllu", "--field", "xpos", status=1))


def test_their_probabilities_are_left_out_too(grade, write):
    write("gold.jsonl", b'{"tags": ["A", null, "B"]}\n{"tags": [null]}\n')
    write("answer.jsonl", b'{"tags": ["A", "C", "C"], "probabilities": [0.75, 0.1, 0.25]}\n'
                          b'{"tags": ["C"], "probabilities": [0.1]}\n')
    assert "Expected calibration error: 25.00% (mean probability 50.00%, accuracy 50.00%)" in grade(
        "gold.jsonl", "answer.jsonl", "--calibration")


def test_the_training_corpus_is_read_as_training_reads_it(grade, write):
    write("t.vertical", b"the\tD\ndog\tN\n\nruns\n\n")
    assert "Known words      100.00% (2/2)" in grade("ref", "one", "--train", "t.vertical")


def test_standard_input_is_taken_once(grade):
    assert grade("ref", "-", input=ONE.decode()).startswith("Accuracy: 80.00%")
    assert "asked for twice" in grade("ref", "-", "--tag-map", "-", status=2)


def test_the_tutorial_s_output_is_that_of_its_rule_on_many_pairs(grade, write):
    """The script's rule: counts of 'REF --> ANSWER' of the wrong tags, the ten largest."""
    import random
    for seed in range(20):
        rng = random.Random(seed)
        right = [[rng.choice("ABCD") for _ in range(rng.randint(1, 9))] for _ in range(30)]
        given = [[tag if rng.random() < 0.8 else rng.choice("ABCD") for tag in tags] for tags in right]
        files = [write(name, "".join(" ".join(tags) + "\n" for tags in side).encode())
                 for name, side in (("r", right), ("g", given))]
        wrong = {}
        for a, b in zip(sum(right, []), sum(given, [])):
            if a != b:
                wrong[f"{a} --> {b}"] = wrong.get(f"{a} --> {b}", 0) + 1
        total = sum(map(len, right))
        correct = total - sum(wrong.values())
        lines = grade(*files).splitlines()
        assert lines[:3] == [f"Accuracy: {100 * correct / total:.2f}% ({correct}/{total})", "",
                             "Most common mistakes:"]
        assert sorted(lines[3:]) == sorted(f"{kind}\t{count}" for kind, count in sorted(
            wrong.items(), key=lambda item: (-item[1], item[0]))[:10])


def test_the_probabilities_of_an_answer_are_graded(grade, write):
    # 15 bins: 0.5 twice (once right), 0.9 (right) and 0.95 (wrong) apart: 14/15 = 0.9333
    tokens = '{"tokens": ["the", "dog", "runs"], "tags": ["D", "N", "N"], "probabilities": [0.5, 0.9, 0.95]}\n'
    write("p.jsonl", (tokens + '{"tokens": []}\n{"tokens": ["runs", "end"], "tags": ["X", "V"], '
                      '"probabilities": [0.5, 1.0]}\n').encode())
    write("p.vertical", b"the\tD\t0.500000\ndog\tN\t0.900000\nruns\tN\t0.950000\n\n\nruns\tX\t0.500000\n"
                        b"end\tV\t1.000000\tN\t0.000000\n")
    write("r", b"the_D dog_N runs_V\n\nruns_N end_V\n")
    error = (2 * 0 + abs(1 - 0.9) + 2 * abs(0.5 - 0.975)) / 5
    for answer in ("p.jsonl", "p.vertical"):
        out = grade("r", answer, "--calibration", "--errors", 0)
        assert out == (f"Accuracy: 60.00% (3/5)\n\nExpected calibration error: {error:.2%} (mean probability 77.00%, "
                       "accuracy 60.00%)\nTokens  mean probability  accuracy\n     2             50.00     50.00\n"
                       "     1             90.00    100.00\n     2             97.50     50.00\n")
    (found,) = json.loads(grade("r", "p.jsonl", "--calibration", "--json"))["calibration"]
    assert found["expected_calibration_error"] == pytest.approx(error) and len(found["bins"]) == 3


def test_calibration_needs_probabilities(grade):
    message = grade("ref", "one", "--calibration", status=1)
    assert "one: no probabilities; --calibration needs them. test-rnn --probabilities writes them." in message


@pytest.mark.parametrize("answer, foreign", [
    (b"the dog runs\n\nruns .\n", 4), (b"D n v\n\nn v\n", 4), (b"D n n\n\nN .\n", 0),
], ids=["words", "another tag set", "two odd tags"])
def test_an_answer_that_mostly_has_tags_of_its_own_brings_a_warning(grade, write, answer, foreign):
    write("ref", b"the_D dog_N runs_V\n\nruns_N ._.\n")
    write("answer.txt", answer)
    result = CliRunner().invoke(main, ["ref", "answer.txt", "--summary"])
    assert result.exit_code == 0 and result.stdout.startswith("Accuracy: ")
    if foreign:
        assert result.stderr.startswith(f"Warning: {foreign} of the 5 tags in answer.txt are none of those in ref.")
    else:
        assert result.stderr == ""
