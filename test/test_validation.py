"""Cross-validation and learning curves, the library and the commands."""

import json
import random

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import ROOT
from samples import written

from rnntag.cli import cross_validate, grade_pos, learning_curve
from rnntag.cli.train_rnn import parse_run
from rnntag.corpus import Sentence, read, read_tagged
from rnntag.errors import OptionError
from rnntag.evaluation.curve import Curve
from rnntag.models.options import preset
from rnntag.text.vocab import Vocab
from rnntag.training.validation import Recipe, Trial, curve_trials, fold_trials, learning_curves, run

HMM = Recipe("hmm", None)
RNN = Recipe("rnn", preset("tutorial", hidden=4, epochs=1))


def corpus(count=40, seed=1):
    """Sentences whose tags follow from the words, mostly."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        words = [f"w{rng.randint(0, 30)}" for _ in range(rng.randint(2, 8))]
        tags = ["ABC"[int(word[1:]) % 3] if rng.random() < 0.95 else "A" for word in words]
        made.append(Sentence(words, tags, number + 1))
    return made


SENTENCES = corpus()


def test_more_folds_than_sentences_are_refused():
    with pytest.raises(OptionError, match="8 folds of 7 sentences"):
        fold_trials(HMM, 7, 8, 1)


def test_no_fold_is_trained_on_and_every_recipe_has_the_same():
    tasks = fold_trials(HMM, 40, 4, 1)
    for task in tasks:
        assert not set(task.train) & set(task.test) and len(task.train) + len(task.test) == 40
    assert [task.test for task in tasks] == [task.test for task in fold_trials(RNN, 40, 4, 1)]
    assert [task.recipe.options.seed for task in fold_trials(RNN, 40, 4, 7)] == [7, 8, 9, 10]


def test_the_parts_of_a_curve_are_nested_and_score_on_the_same_sentences():
    tasks = curve_trials(HMM, [*range(3), 4, *range(6, 40)], [3, 5], 3, 2, 1)
    assert [len(task.train) for task in tasks] == [5, 5, 10, 10, 19, 19, 38, 38]
    assert all(task.test == [3, 5] and not {3, 5} & set(task.train) for task in tasks)
    assert all(set(smaller.train) < set(larger.train) for smaller, larger in zip(tasks, tasks[2:]))
    assert set(tasks[0].train) != set(tasks[1].train)


def test_a_curve_with_an_empty_part_is_refused():
    assert [len(task.train) for task in curve_trials(HMM, range(1, 17), [0], 4, 1, 1)] == [1, 2, 4, 8, 16]
    with pytest.raises(OptionError, match="1/16 of 9 sentences"):
        curve_trials(HMM, range(1, 10), [0], 4, 1, 1)


def test_answers_are_those_of_training_by_hand():
    test = [SENTENCES[35], SENTENCES[31]]
    (answers,) = run([Trial(HMM, tuple(range(30)), (35, 31))], SENTENCES)
    assert [each.tags for each in answers] == list(HMM.train(SENTENCES[:30]).tag(each.words for each in test))
    assert [(each.words, each.line, each.first.best) for each in answers] == [
        (each.words, each.line, None) for each in test]


def test_vectors_are_learnt_from():
    vectors = Vocab([f"w{i}" for i in range(31)]), np.eye(32, 4, dtype=np.float32)
    recipe = Recipe("rnn", preset("tutorial", hidden=4, epochs=1, embedding=4, vectors=4), vectors)
    assert "vectors.table" in recipe.train(SENTENCES).params


def test_several_processes_give_the_same_answers_in_the_same_order():
    tasks = [*fold_trials(RNN, 40, 3, 1), *fold_trials(HMM, 40, 3, 1)]
    done = []
    assert list(run(tasks, SENTENCES, 2, lambda: done.append(1))) == list(run(tasks, SENTENCES, 1))
    assert len(done) == 6


def test_two_runs_at_the_same_time_have_their_own_corpora():
    others, tasks = corpus(seed=2), fold_trials(HMM, 40, 3, 1)
    expected = list(zip(run(tasks, SENTENCES), list(run(tasks, others))))
    assert list(zip(run(tasks, SENTENCES), run(tasks, others))) == expected


def test_an_error_in_a_process_comes_through():
    tasks = [Trial(HMM, (), (0,)), *fold_trials(HMM, 40, 2, 1)]
    with pytest.raises(Exception, match="no tagged sentences"):
        list(run(tasks, SENTENCES, 2))


# ------------------------------------------------------------------ the commands


@pytest.fixture
def invoke(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("corpus", written(corpus(200)))
    write("test", b"w1_B w2_C\nw3_A w4_B\n")

    def invoke(command, *arguments, status=0):
        result = CliRunner().invoke(command.main, ["corpus", *map(str, arguments)])
        assert result.exit_code == status, result.output
        return result.stdout if status == 0 else result.stderr
    return invoke


def test_cross_validation_shows_folds_mean_spread_and_confusion(invoke):
    out = invoke(cross_validate, "--model", "hmm", "--folds", 4)
    found = json.loads(invoke(cross_validate, "--model", "hmm", "--folds", 4, "--json"))
    model, = found["models"]
    shares = [fold["correct"] / fold["total"] for fold in model["folds"]]
    assert found["folds"] == [50, 50, 50, 50] and model["mean"] == pytest.approx(np.mean(shares))
    assert model["sd"] == pytest.approx(np.std(shares, ddof=1))
    assert sum(fold["correct"] for fold in model["folds"]) == found["answers"][0]["tokens"]["correct"]
    assert model["known"]["total"] + model["unknown"]["total"] == found["tokens"]
    assert out.startswith("corpus: 200 sentences, ") and out.count("\nFold ") == 4
    rows = {line.split()[0]: line.split()[-1] for line in out.splitlines() if line}
    assert rows["Mean"] == f"{100 * np.mean(shares):.2f}" and rows["Spread"] == f"{100 * np.std(shares, ddof=1):.2f}"
    assert "Most common mistakes:\n" in out and "\nTokens " in out


def test_two_models_are_compared_over_seeds(invoke):
    arguments = ("--model", "hmm", "--model", "rnn", "--preset", "tutorial", "--options",
                 "--hidden 2 --learning-rate 0.0001", "--folds", 2, "--errors", 1)
    out = invoke(cross_validate, *arguments, "--seeds", 3)
    assert "rnn tutorial --hidden 2 --learning-rate 0.0001 against hmm: -" in out
    assert "It is rejected: hmm is better." in out and "Hypothesis: in the mean over seeds" in out
    assert "2 folds (3 seeds from 1)" in out and "\nSeed 2 " in out
    found = json.loads(invoke(cross_validate, *arguments[:-2], "--seeds", 3, "--json"))
    assert [each["more_than_chance"] for each in found["differences"]] == [True]
    assert [len(each["accuracies"]) for each in found["models"]] == [3, 3]
    one = invoke(cross_validate, *arguments)
    assert "more than chance" not in one and "One seed does not tell" in one


def test_each_options_is_a_configuration_with_its_own_preset_and_raw_text(invoke, write):
    raw = write("raw", b"w1 w2 w3\n" * 50)
    out = invoke(cross_validate, "--options", "--preset tutorial --epochs 1", "--options",
                 "--epochs 1 --hidden 2 --raw-text raw", "--folds", 2, "--errors", 0)
    assert "rnn tutorial --epochs 1  rnn default --epochs 1 --hidden 2 --raw-text raw" in out
    assert "given together" in invoke(cross_validate, "--options", f"--vectors v --raw-text {raw}", status=2)
    assert "--vector-dropout" in invoke(cross_validate, "--options", "--vector-dropout 0.3", status=2)


def test_the_answers_are_written_with_probabilities_and_graded_as_the_command_does(invoke, write):
    write("corpus", b"\n" + written(corpus(30)) + b"\n" + written(corpus(30, seed=2)))
    out = invoke(cross_validate, "--model", "hmm", "--folds", 3, "-o", "a.jsonl")
    answers = list(read("a.jsonl"))
    assert [len(each) for each in answers] == [len(each) for each in read("corpus")] and len(answers[0]) == 0
    assert all(0 < row[0][1] <= 1 and len(row) == 3 for each in answers if each.words for row in each.first.best)
    graded = CliRunner().invoke(grade_pos.main, ["corpus", "a.jsonl", "--calibration"])
    assert graded.output.splitlines()[0] in out and "calibration error" in graded.output
    assert "exists already" in invoke(cross_validate, "--model", "hmm", "-o", "a.jsonl", status=1)
    invoke(cross_validate, "--model", "hmm", "--folds", 3, "-o", "a.vertical")
    assert [each.tags for each in read("a.vertical") if each.words] == [each.tags for each in answers if each.words]


def test_jobs_change_nothing(invoke):
    arguments = ("--model", "rnn", "--options", "--hidden 2 --epochs 1 --embedding 4", "--folds", 3)
    assert invoke(cross_validate, *arguments, "--jobs", 2) == invoke(cross_validate, *arguments)


@pytest.mark.parametrize("command", [cross_validate, learning_curve])
def test_options_that_do_not_exist_are_misuse(invoke, command):
    assert "No such option" in invoke(command, "--options", "--nonsense 3", status=2)
    assert "--hidden" in invoke(command, "--options", "--hidden 0", status=2)


@pytest.mark.parametrize("options, message", [
    ("--epochs '1", """--options "--epochs '1": No closing quotation."""),
    ("--epochs x", "--options '--epochs x': Invalid value for '--epochs': 'x' is not a valid integer."),
    ("fast --layers 2", "--options 'fast --layers 2': Got unexpected extra argument (fast). Give a preset with "
     "--preset."),
    ("--preset big", "'big'; a preset is one of tutorial, default, ")])
def test_options_that_cannot_be_read_are_shown(invoke, options, message):
    assert invoke(cross_validate, "--options", options, status=2).startswith(f"Error: {message}")


@pytest.mark.parametrize("command", [cross_validate, learning_curve])
@pytest.mark.parametrize("options, message", [
    ("--window 3", "--window: 3 without --encoder cnn"), ("--patience 3", "--patience: 3 without a dev set"),
    ("--seed 9", "--seed: 9 in 'default --seed 9'; each run has a seed of its own"),
    ("--hidden 4 --hidden 5", "--hidden: given twice"), ("--keep last", "No such option")])
def test_options_that_would_change_nothing_are_misuse(invoke, command, options, message):
    assert message in invoke(command, "--options", options, status=2)


@pytest.mark.parametrize("command, arguments, message", [
    (cross_validate, ["--model", "hmm", "--options", "--epochs 3"], "--options: given without --model rnn"),
    (learning_curve, ["--model", "hmm", "--preset", "tutorial"], "--preset: given without --model rnn"),
    (learning_curve, ["--model", "hmm", "--test", "test", "--held-out", 0.2], "--held-out: given with --test"),
    (cross_validate, ["--model", "hmm", "--output-format", "jsonl"], "--output-format: given without -o"),
    (cross_validate, ["--seeds", 2, "-o", "a"], "--output: given with several configurations or seeds"),
    (cross_validate, ["--model", "hmm", "--json", "--errors", 3], "--errors: given with --json")])
def test_options_of_the_command_that_would_change_nothing_are_misuse(invoke, command, arguments, message):
    assert message in invoke(command, *arguments, status=2)


def test_options_of_vectors_count_where_some_runs_have_vectors():
    assert parse_run("default --vector-dropout 0.5", vectors=True).vector_dropout == 0.5
    for text, vectors in (("default --vector-dropout 0.5", False), ("tutorial --vector-dropout 0.5", True)):
        with pytest.raises(OptionError, match="--vector-dropout: 0.5 without vectors"):
            parse_run(text, vectors)


def test_too_many_folds_are_misuse(invoke):
    assert "--folds: 201 folds of 200 sentences" in invoke(cross_validate, "--folds", 201, status=2)


def test_a_learning_curve_has_a_row_for_each_size_and_a_prediction(invoke):
    out = invoke(learning_curve, "--model", "hmm")
    assert out.startswith("corpus, scored on 20 sentences, ") and "Fitted: error = " in out
    for part in ("1/16", "1/8", "1/4", "1/2", "1/1"):
        assert f"\n{part:>4}  " in out
    for text in ("Check: from the smaller parts alone, ", "Twice the corpus, "):
        assert text in out


def test_a_learning_curve_in_json(invoke):
    found = json.loads(invoke(learning_curve, "--model", "hmm", "--json", "--repeats", 2, "--halvings", 2))
    curve, = found["curves"]
    assert len(curve["points"]) == 6 and found["test_sentences"] == 20
    last = curve["points"][-1]
    assert curve["full_size"]["error"] == pytest.approx(last["wrong"] / last["total"])
    doubled = curve["doubled"]
    assert doubled["error"] == pytest.approx(curve["full_size"]["error"] * 2 ** -curve["power_law"]["b"])
    assert doubled["interval"] is curve["full_size"]["interval"] is None  # of three sizes


def test_a_learning_curve_has_intervals_from_four_sizes_on(invoke):
    assert invoke(learning_curve, "--model", "hmm").count("95 % interval") == 2
    out = invoke(learning_curve, "--model", "hmm", "--halvings", 3)
    assert out.count("(no interval: fewer than four sizes)") == 1 and out.count("95 % interval") == 1
    doubled = json.loads(invoke(learning_curve, "--model", "hmm", "--json"))["curves"][0]["doubled"]
    assert doubled["interval"][0] <= doubled["error"] <= doubled["interval"][1]


def test_most_of_what_curves_of_the_sample_forecast_is_measured():
    """Twice the corpus is measured, too; the uncertainty of the slope alone would cover none of these twelve."""
    sample = read_tagged(ROOT / "data" / "sample-train.wordtag")
    hits = 0
    for seed in range(12):
        test = range(seed, len(sample), 8)
        train = [i for i in range(len(sample)) if i not in test]
        curve, = learning_curves([HMM], sample, train, test, 5, 1, seed)
        _, wrong, total = curve.means[-1]
        low, high = Curve("half of it", curve.sizes[:-1]).doubled().interval
        hits += low <= wrong / total <= high
    assert 10 <= hits


def test_a_test_corpus_is_scored_on_and_all_of_the_corpus_trained_on(invoke):
    out = invoke(learning_curve, "--model", "hmm", "--test", "test")
    assert "scored on 2 sentences, 4 tokens of test" in out
    row, = [line.split() for line in out.splitlines() if line.strip().startswith("1/1 ")]
    assert row[1] == f"{sum(map(len, corpus(200))):,}"


@pytest.mark.parametrize("arguments, message", [
    (["--held-out", 0.001], "--held-out: 0.001 of 200 sentences is 0"),
    (["--halvings", 10], "--halvings: 1/1024 of 180 sentences is less than one")])
def test_parts_that_would_be_empty_are_misuse(invoke, arguments, message):
    assert message in invoke(learning_curve, "--model", "hmm", *arguments, status=2)


def test_the_curve_of_the_wiki_corpus_predicts_its_full_size(corpora, tmp_path, monkeypatch):
    wiki = corpora / "wiki-en"
    result = CliRunner().invoke(learning_curve.main, [
        str(wiki / "wiki-en-train.norm_pos"), "--test", str(wiki / "wiki-en-test.norm_pos"), "--model", "hmm",
        "--repeats", "2", "--json"])
    full = json.loads(result.stdout)["curves"][0]["full_size"]
    assert full["error"] == pytest.approx(1 - 4144 / 4563)
    assert full["interval"][0] <= full["error"] <= full["interval"][1]
