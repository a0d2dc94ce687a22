"""The n-grams that language models are compared with, and the comparison in one command."""

import importlib.util
import subprocess
import sys

import pytest
from conftest import ENVIRONMENT, ROOT

nltk = pytest.importorskip("nltk.lm", reason="the n-grams are compared with NLTK's")
SPEC = importlib.util.spec_from_file_location("language_models", ROOT / "scripts" / "language_models.py")
script = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(script)

LINES = ["the dog runs .", "a cat sees the dog .", "dogs run .", "the cat", "a dog and a cat run .", "the dog runs"]
TEST = ["the cat runs .", "cat cat the", "a dog ."]


@pytest.mark.parametrize("discount", [0.1, 0.75, 0.95])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_n_grams_are_those_of_nltk(order, discount):
    from nltk.lm.preprocessing import pad_both_ends, padded_everygram_pipeline
    theirs = nltk.KneserNeyInterpolated(order, discount=discount)
    theirs.fit(*padded_everygram_pipeline(order, [line.split(" ") for line in LINES]))
    ours = script.KneserNey(order, [[*line.split(" "), script.END] for line in LINES])
    names = {"</s>": script.END}
    compared = 0
    for line in TEST:
        padded = list(pad_both_ends(line.split(" "), n=order))[:len(line.split(" ")) + order]
        for k in range(order - 1, len(padded)):
            context = tuple(padded[k - order + 1:k])
            word, *own = (names.get(word, word) for word in (padded[k], *context))
            difference = ours.score(word, tuple(own), discount) - theirs.unmasked_score(padded[k], context)
            assert abs(difference) < 1e-12, (padded[k], context)
            compared += 1
    assert compared == sum(len(line.split(" ")) + 1 for line in TEST)


def test_the_last_discount_is_chosen_without_the_test_text():
    lines = [[*line.split(" "), script.END] for line in LINES * 3]
    names = [row.split("|")[0].strip() for row in script.n_grams(lines, lines[:2], 2)]
    assert names[0].endswith("discount 0.1") and 1 <= len(names) <= 2
    assert names == [row.split("|")[0].strip() for row in script.n_grams(lines, lines[2:5], 2)]


@pytest.mark.parametrize("unit, order", [("word", "3"), ("char", "4")])
def test_the_comparison_is_one_command(unit, order, tmp_path):
    (tmp_path / "text").write_text("\n".join(LINES * 5) + "\n")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "language_models.py", "text", "--train", "100", "--test", "20", "--unit",
         unit, "--order", order, "--epochs", "1", "--hidden", "4", "--embedding", "4", "-q"], cwd=tmp_path,
        env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "rnntag train-lm --unit" not in done.stdout and "rnntag train-lm --epochs 1" in done.stdout
    assert done.stdout.count("Kneser-Ney, order " + order) >= 1
