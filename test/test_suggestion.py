"""The sentences to annotate next: what counts, and the command."""

import pytest
from invoking import failure, invoke, train
from samples import TEXT

from rnntag.analysis.suggestion import DISCOUNT, OVERHEAD, UNSEEN, suggestions
from rnntag.cli.suggest import main
from rnntag.corpus import Column, Sentence, read


def answered(text, *sure, line=0):
    """A sentence whose words have these probabilities."""
    words = text.split()
    return Sentence(words, {"": Column(["X"] * len(words), [[("X", p)] for p in sure])}, line)


def chosen(sentences, known="abcdefgh", count=9, **more):
    return [" ".join(each.sentence.words) for each in suggestions(sentences, known, count, **more)]


def test_the_unsure_and_the_unseen_come_first():
    assert chosen([answered("a b", 0.9, 0.9), answered("c d", 0.2, 0.9), answered("e f", 0.6, 0.9)]) == [
        "c d", "e f", "a b"]
    assert chosen([answered("a b", 0.9, 0.9), answered("a new", 0.9, 0.9)])[0] == "a new"


def test_ten_copies_of_a_sentence_are_one_and_what_is_like_it_comes_later():
    first, like, other = answered("a b", 0.1, 0.1), answered("a b c", 0.1, 0.1, 0.9), answered("d e", 0.4, 0.4)
    assert chosen([first] * 10 + [like, other]) == ["a b", "d e", "a b c"]


def test_a_sentence_is_worth_what_the_formula_says():
    worth = [0.9 + UNSEEN, (0.9 + UNSEEN) * DISCOUNT, 0.3]  # "x" twice, unseen, then "a"
    better = sum(worth) / (3 + OVERHEAD) + 1e-6
    sure = 1 - better * (1 + OVERHEAD)
    texts = [answered("x x a", 0.1, 0.1, 0.7), answered("b", sure)]
    assert chosen(texts) == ["b", "x x a"]
    assert chosen([texts[0], answered("b", sure + 1e-4)]) == ["x x a", "b"]


def test_the_greedy_choice_is_that_of_computing_all_again_each_time():
    import random
    rng = random.Random(3)
    texts = [answered(" ".join(rng.choices("abcdefghijklm", k=rng.randint(1, 6))), *[0.0] * 0) for _ in range(60)]
    texts = [answered(" ".join(s.words), *(rng.random() for _ in s.words), line=n) for n, s in enumerate(texts)]
    from collections import Counter

    from rnntag.analysis import suggestion
    taken, left, expected = Counter(), suggestion._candidates(texts, "abc", 99), []
    while left:
        best = max(left, key=lambda item: (suggestion._gain(*item, taken), -item[0].line))
        left.remove(best)
        taken.update(best[0].words)
        expected.append(best[0].line)
    assert [each.sentence.line for each in suggestions(texts, "abc", 99)] == expected


def test_of_a_long_text_the_best_by_themselves_are_kept():
    texts = [answered(f"w{i}", 1 - i / 100) for i in range(100)]
    assert chosen(texts, count=3, pool=5) == ["w99", "w98", "w97"]


def test_of_several_columns_the_least_sure_counts():
    both = answered("a", 0.9)
    both.columns["feats"] = Column(["Y"], [[("Y", 0.1)]])
    assert chosen([answered("b", 0.5), both]) == ["a", "b"]


# ------------------------------------------------------------------ the command


@pytest.fixture
def model(tmp_path, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    write("train", TEXT)
    train("train", "m")
    write("text", b"the dog runs .\nunknown words here\n\nthe dog runs .\na cat sees\n")


def test_the_command_writes_a_file_to_correct(model):
    out, err = invoke(main, "m", "text", "-n", 2, "-o", "next.wordtag")
    found = list(read("next.wordtag"))
    assert out == "" and len(found) == 2 and found[0].words == ["unknown", "words", "here"]
    assert err.startswith("2 of 5 sentences, ") and "% of them words that the model has not seen" in err
    assert [s.words for s in read("next.wordtag")] == [s.words for s in found]
    assert "exists already" in failure(main, "m", "text", "-o", "next.wordtag")


def test_conllu_keeps_what_it_has(model, write):
    write("t.conllu", b"# sent_id = 7\n1\tdog\tdog\t_\t_\t_\t0\troot\t_\tSpaceAfter=No\n\n")
    out, _ = invoke(main, "m", "t.conllu", "-q")
    assert out.startswith("# sent_id = 7\n1\tdog\tdog\t") and out.endswith("\t_\t_\t0\troot\t_\tSpaceAfter=No\n\n")
    assert out.split("\t")[3] in ("DT", "NN", "VB", ".")


def test_nothing_to_suggest_is_said(model, write):
    write("empty", b"\n\n")
    assert invoke(main, "m", "empty", "--format", "tokens") == ("", "No sentence to suggest\n")
