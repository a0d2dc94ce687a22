"""The report: its numbers, its page, its figures, the command."""

import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from conftest import ENVIRONMENT

from rnntag.cli.report import page
from rnntag.cli.report.command import main
from rnntag.evaluation import Pair, confusion, tag_scores
from rnntag.evaluation.breakdown import (by_frequency, by_length, calibration_error, confident, most_confused,
                                         reliability, worst)


def pair(words, right, given, line=0, p=None):
    return Pair(words.split() if words else None, right.split(), given.split(), line, p)


PAIRS = [pair("the dog runs", "D N V", "D V V", 1), pair("", "", "", 2), pair("dog dog", "N N", "N V", 3)]


# ------------------------------------------------------------------ numbers


def test_tokens_are_classed_by_the_frequency_of_their_word():
    found = by_frequency(PAIRS, {"the": 1500, "dog": 3})
    assert found == [("0", (1, 1)), ("2-4", (1, 3)), ("1000+", (1, 1))]
    assert by_frequency([pair("", "N", "N")], {}) == []
    assert [each.name for each in by_frequency([pair("a b c", "N N N", "N N N")], {"a": 1, "b": 4, "c": 5})] == [
        "1", "2-4", "5-9"]


def test_tokens_are_classed_by_the_length_of_their_sentence():
    long = pair("", "N " * 61, "N " * 61)
    assert by_length([*PAIRS, long]) == [("1-5", (3, 5)), ("61+", (61, 61))]


def test_reliability_by_hand():
    sure = [[0.95, 1.0, 0.5], None, [0.59, 0.0]]
    bins = reliability([replace(each, confidence=p) for each, p in zip(PAIRS, sure)], bins=10)
    assert [(pytest.approx(c), tuple(score)) for c, score in bins] == [
        (0.0, (0, 1)), (pytest.approx(0.545), (2, 2)), (pytest.approx(0.975), (1, 2))]
    expected = (1 * 0 + 2 * (1 - 0.545) + 2 * abs(0.5 - 0.975)) / 5
    assert calibration_error(bins) == pytest.approx(expected)


def test_a_tagger_that_is_as_often_right_as_it_says_has_no_calibration_error():
    bins = reliability([pair("", "A A A A", "A B B B", p=[0.25] * 4), pair("", "A A A A", "A A A B", p=[0.75] * 4)])
    assert calibration_error(bins) == 0


def test_the_calibration_error_takes_fifteen_bins_of_equal_width():
    # bins end at 1/15 = 0.0667, 2/15 ...: 0.06 and 0.07 are apart, 0.94 and 1.0 together
    bins = reliability([pair("", "A A A A", "A A A B", p=[0.06, 0.07, 0.94, 1.0])])
    assert [(pytest.approx(c), tuple(score)) for c, score in bins] == [
        (0.06, (1, 1)), (0.07, (1, 1)), (0.97, (1, 2))]
    assert calibration_error(bins) == pytest.approx((0.94 + 0.93 + 2 * abs(0.5 - 0.97)) / 4)


def test_the_worst_sentences_have_the_most_wrong_tags():
    pairs = [pair("", "A A A", "A A A", 1), pair("", "A A A", "B A A", 2), pair("", "A A A", "B B A", 3),
             pair("", "A A", "B A", 4)]
    assert [each.line for each in worst(pairs, 9)] == [3, 4, 2]
    assert [each.line for each in worst(pairs, 1)] == [3] and worst(pairs, 0) == []


def test_the_most_confused_tags_are_chosen_by_mistakes_and_shown_by_frequency():
    counts = Counter({("A", "A"): 50, ("B", "B"): 90, ("C", "D"): 5, ("B", "C"): 3, ("E", "E"): 99})
    assert most_confused(counts, 3) == ["B", "C", "D"]
    assert most_confused(Counter({("A", "A"): 1}), 3) == []


def test_an_answer_is_confident_when_all_its_sentences_are():
    sure = pair("a b", "X Y", "X X", p=[0.5, 1.0])
    assert confident([sure, pair("", "", "")]) and not confident([sure, pair("a", "X", "X")])


# ------------------------------------------------------------------ the page


class Checker(HTMLParser):
    """Are all elements closed, in order? What does the page fetch or run?"""

    VOID = {"meta", "br", "link", "img"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], Counter(), [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


EVIL = "<script>alert(1)</script>&\"'"


def test_nothing_of_the_data_is_markup():
    pairs = [Pair([EVIL, "b"], [EVIL, "B"], ["X", EVIL], 1)]
    counts = confusion(pairs)
    text = page.page(EVIL, [page.heat_map(counts), page.mistakes_table(counts, 9), page.marked(pairs[0]),
                            page.tags_table(tag_scores(counts)), page.table([EVIL], [[EVIL, EVIL + "\n" + EVIL]]),
                            page.section(EVIL, page.paragraph(EVIL)), page.folded(EVIL, "")])
    assert Checker(text).tags["script"] == 0


def test_wrong_tags_are_marked_in_their_sentence():
    text = page.marked(pair("the dog runs", "D N V", "D V V", 7))
    assert "line 7: 1 of 3 wrong" in text and "the <mark>dog <small><s>V</s> N</small></mark> runs" in text
    assert "<br>the dog <mark>runs <small>" in page.marked(Pair(["the", "runs"], ["D", "N"], ["D", "V"], left_out={
        1: "dog"}))
    assert "<mark>N <small><s>V</s> N</small></mark>" in page.marked(Pair(None, ["N"], ["V"], 1))


def test_the_heat_map_shades_what_is_wrong_by_its_share():
    text = page.heat_map(Counter({("A", "A"): 8, ("A", "B"): 2, ("B", "A"): 1, ("B", "B"): 99}))
    shades = {int(n): float(shade) for shade, n in re.findall(r", ([0-9.]+)\)\">(\d+)<", text)}
    assert shades[2] > shades[1] > 0 and set(shades) == {1, 2}
    assert text.count('class="right"') == 2


# ------------------------------------------------------------------ the command


@pytest.fixture
def files(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("ref", b"the_D dog_N runs_V\n\nruns_N end_V\n" * 20)
    write("one", b"D N N\n\nN V\n" * 20)
    write("two.jsonl", (b'{"tags": ["D", "N", "V"], "probabilities": [0.9, 0.8, 0.4]}\n\n'
                        b'{"tags": ["V", "N"], "probabilities": [0.7, 0.95]}\n') * 20)
    write("train", b"the_D dog_N\nruns_V runs_N\n")
    write("log.jsonl", b'{"epoch": 1, "loss": 1.5, "dev_accuracy": 0.5}\n{"epoch": 2, "loss": 1.0, '
          b'"dev_accuracy": 0.75}\n')


def report(*arguments, status=0):
    pytest.importorskip("matplotlib")
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


def test_the_page_has_all_its_parts_and_fetches_nothing(files):
    text = report("ref", "one", "two.jsonl", "--train", "train", "--log", "log.jsonl")
    found = Checker(text)
    assert found.tags["script"] == found.tags["img"] == found.tags["link"] == 0
    assert not re.search(r"url\((?!#)|@import|(href|src)=\"(?!#)", text)
    assert found.tags["svg"] == found.tags["figure"] == 5
    shown = " ".join(found.text)
    for title in ("Scores", "Is the difference more than chance?", "By word frequency", "By sentence length",
                  "Does it know when it is right?", "Training", "Confusion", "Worst sentences"):
        assert title in shown, title
    assert "80.00 %" in shown and "two.jsonl against one" in shown and "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text and found.tags["mark"] == 10 + 20  # ten sentences of each answer


def test_figures_have_the_colours_of_the_page(files):
    text = report("ref", "one", "two.jsonl", "--train", "train")
    assert "#0a0b0" not in text and "#010203" not in text
    assert "var(--s0)" in text and "var(--s1)" in text and "currentColor" in text


def test_parts_without_data_are_left_out(files):
    text = report("ref", "one")
    for title in ("By word frequency", "Does it know", "Training", "more than chance"):
        assert title not in text
    assert "By sentence length" in text


def test_an_answer_without_a_mistake_has_no_worst_sentences(files):
    assert "Worst sentences" not in report("ref", "ref")


def test_the_contents_lead_to_all_sections(files):
    text = report("ref", "one", "--train", "train")
    titles = re.findall(r'<h2 id="(.*?)">(.*?)</h2>', text)
    assert len(titles) == text.count("<h2") >= 3 and len(dict(titles)) == len(titles)
    assert re.findall(r'<li><a href="#(.*?)">(.*?)</a></li>', text) == titles


def test_the_worst_sentences_lead_to_where_they_are_corrected(files):
    text = report("ref", "one", "--annotation", "http://127.0.0.1:8601/")
    assert '<a href="http://127.0.0.1:8601/#line=' in text and "#line=" not in report("ref", "one")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "127.0.0.1:8601", "http://a b/", "http://x/#y"])
def test_what_is_no_address_is_refused(files, url):
    report("ref", "one", "--annotation", url, status=2)


def test_the_same_answers_give_the_same_page(files):
    assert report("ref", "one", "--train", "train") == report("ref", "one", "--train", "train")


def test_the_page_is_written_to_a_file_once(files, tmp_path):
    report("ref", "one", "-o", "report.html")
    assert (tmp_path / "report.html").read_text("utf-8").endswith("</html>\n")
    assert "exists already" in report("ref", "one", "-o", "report.html", status=1)


def test_a_model_folder_s_log_is_found(files, model):
    assert "Training" not in report("ref", "one", "--log", model)  # an HMM has no epochs


@pytest.mark.parametrize("data, message", [
    ("{}\n", "log.jsonl:1: not an epoch"), ("x\n", "log.jsonl:1: not an epoch")])
def test_what_is_no_log_is_refused(files, write, data, message):
    write("log.jsonl", data.encode())
    assert message in report("ref", "one", "--log", "log.jsonl", status=1)


def test_misuse_is_refused(files):
    assert "given twice" in report("ref", "one", "one", status=2)
    assert "asked for twice" in report("-", "-", status=2)


def test_without_matplotlib_the_extra_is_named(files, tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError\n")
    result = subprocess.run([sys.executable, "-c", "from rnntag.cli.report.command import main; main()", "ref", "one",
                             "-o", "x.html"], cwd=tmp_path, capture_output=True, timeout=60,
                            env={**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ENVIRONMENT['PYTHONPATH']}"})
    assert result.returncode == 2 and b"pip install 'rnntag[plot]'" in result.stderr
    assert not (tmp_path / "x.html").exists()


def test_matplotlib_keeps_its_own_style(files):
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    report("ref", "one", "--train", "train")
    assert dict(matplotlib.rcParams) == before


def test_words_and_tags_of_the_data_are_escaped_in_the_whole_page(files, write):
    write("ref", f"{EVIL}_{EVIL} b_B\n".encode())
    write("evil", f"B {EVIL}\n".encode())
    text = report("ref", "evil", "--train", "ref")
    assert Checker(text).tags["script"] == 0


def test_names_that_are_no_text_are_escaped_in_figures_and_those_in_other_scripts_are_not(files, write):
    for name in ("\udcff\x01.pos", "\u65e5\u672c.pos"):
        write(name, b"D N N\n\nN V\n" * 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = report("ref", "\udcff\x01.pos", "\u65e5\u672c.pos")
    assert ">\\udcff\\x01.pos</text>" in text and ">\u65e5\u672c.pos</text>" in text


def test_names_are_shown_in_figures_as_they_are(files, write):
    names = ["a$x^$.pos", "_b.pos", "$\\frac$ c.pos"]
    for name in names:
        write(name, b"D N N\n\nN V\n" * 20)
    for k, log in enumerate(["_m", "$m^$", "$n_$"]):
        write(log, b'{"epoch": %d, "loss": 1.5}\n' % (k + 1))
    text = report("ref", *names, "--log", "_m", "--log", "$m^$", "--log", "$n_$")
    drawn = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawn) == 3
    for name in names:
        assert f">{name}</text>" in drawn[0] and f">{name}</text>" in drawn[1], name
    for name in ("_m", "$m^$", "$n_$"):
        assert f">{name}</text>" in drawn[2], name
