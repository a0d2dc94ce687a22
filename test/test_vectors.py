"""Word vectors: counts, weighting and reduction against slow twins and by hand; the command."""

import math
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner

from rnntag.cli.vectors import main
from rnntag.errors import CorpusError
from rnntag.text import vectors
from rnntag.text.vectorfile import read_vectors
from rnntag.text.vectors import POSITIONS, Sparse, count, ppmi, train_vectors, truncated_svd


def random_text(rng, sentences=300, words=40):
    """Sentences of 0 to 9 words, some capitalised, frequent words more often."""
    names = [f"w{i}" if i % 3 else f"W{i}" for i in range(words)]
    chance = 1 / np.arange(1, words + 1)
    return [rng.choice(names, int(rng.integers(0, 10)), p=chance / chance.sum()).tolist()
            for _ in range(sentences)]


def slow_counts(sentences, contexts, min_count, positions=POSITIONS):
    """Neighbours of every word, counted one by one, as {word: {(position, neighbour): times}}."""
    lower = [[word.lower() for word in sentence] for sentence in sentences]
    first = {}
    for word in (word for sentence in lower for word in sentence):
        first.setdefault(word, len(first))
    totals = Counter(word for sentence in lower for word in sentence)
    kept = sorted((w for w in totals if totals[w] >= min_count), key=lambda w: (-totals[w], first[w]))
    frequent = kept[:contexts]
    table = {word: Counter() for word in kept}
    for sentence in lower:
        for t, word in enumerate(sentence):
            for position in positions:
                if not 0 <= t + position < len(sentence):
                    near = "boundary"
                else:
                    near = sentence[t + position] if sentence[t + position] in frequent else "rare"
                if word in table:
                    table[word][position, near] += 1
    return kept, frequent, table


def as_table(counts, frequent, positions=POSITIONS):
    names = ["rare", *frequent, "boundary"]
    table = {word: Counter() for word in counts.words.strings[1:]}
    for key, value in zip(counts.keys.tolist(), counts.values.tolist()):
        row, column = divmod(key, counts.columns)
        position, near = divmod(column, len(names))
        table[counts.words.strings[row]][positions[position], names[near]] = value
    return table


def as_sparse(dense):
    rows, columns = np.nonzero(dense)
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(dense)))))
    return Sparse(dense.shape, starts, columns.astype(np.int32), dense[rows, columns].astype(np.float32))


# ------------------------------------------------------------------ counting


@pytest.mark.parametrize("chunk", [7, 64, 1 << 18])
@pytest.mark.parametrize("positions", [POSITIONS, (-1, 1), (-3, 1, 2)])
def test_counts_are_those_of_a_slow_twin_however_the_text_is_cut(monkeypatch, chunk, positions):
    monkeypatch.setattr(vectors, "CHUNK", chunk)
    text = random_text(np.random.default_rng(1))
    counts = count(iter(text), contexts=12, min_count=5, positions=positions)
    kept, frequent, table = slow_counts(text, 12, 5, positions)
    assert counts.words.strings[1:] == kept
    assert as_table(counts, frequent, positions) == table
    assert (np.diff(counts.keys) > 0).all()


def test_ids_that_overflow_into_a_file_are_counted_the_same(monkeypatch):
    text = random_text(np.random.default_rng(2))
    here = count(text, contexts=10)
    monkeypatch.setattr(vectors, "MEMORY_BYTES", 100)
    monkeypatch.setattr(vectors, "CHUNK", 50)
    there = count(text, contexts=10)
    assert here.words == there.words
    assert np.array_equal(here.keys, there.keys) and np.array_equal(here.values, there.values)


def test_fewer_words_than_contexts_and_empty_sentences_are_no_trouble():
    counts = count([["a", "b"], [], ["A", "b", "a"]], contexts=1000, min_count=2)
    assert counts.words.strings[1:] == ["a", "b"] and counts.columns == 4 * (2 + 2)
    assert counts.values.sum() == 4 * 5


def test_a_word_with_its_capital_is_the_same_word():
    assert count([["The", "the", "THE"]], min_count=3).words.strings == ["", "the"]


def test_the_most_frequent_words_are_kept_when_there_are_more_than_rows():
    counts = count([["a", "b", "b", "c", "c", "c"]], min_count=1, max_rows=2)
    assert counts.words.strings[1:] == ["c", "b"]


def test_words_beyond_the_limit_count_as_rare(monkeypatch):
    monkeypatch.setattr(vectors, "MAX_WORDS", 2)
    counts = count([["a", "b", "c", "a", "c", "b", "c"]], min_count=1)
    assert sorted(counts.words.strings[1:]) == ["a", "b"]
    assert counts.values.sum() == 4 * 4


def test_the_rarest_pairs_are_forgotten_when_there_are_too_many(monkeypatch):
    text = random_text(np.random.default_rng(3), 500)
    whole = count(text, contexts=40, min_count=1)
    monkeypatch.setattr(vectors, "CHUNK", 100)
    monkeypatch.setattr(vectors, "MAX_PAIRS", 500)
    part = count(text, contexts=40, min_count=1)
    assert 0 < len(part.keys) < len(whole.keys)
    known = dict(zip(whole.keys.tolist(), whole.values.tolist()))
    assert all(value <= known[key] for key, value in zip(part.keys.tolist(), part.values.tolist()))
    top = whole.keys[np.argmax(whole.values)]
    assert part.values[np.searchsorted(part.keys, top)] == whole.values.max()


def test_memory_does_not_grow_with_the_text(monkeypatch):
    monkeypatch.setattr(vectors, "CHUNK", 1 << 12)
    monkeypatch.setattr(vectors, "MEMORY_BYTES", 1 << 16)

    def peak(times):
        text = random_text(np.random.default_rng(4), 500)
        tracemalloc.start()
        count((sentence for _ in range(times) for sentence in text), contexts=20)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(120) < 1.3 * peak(12)


@pytest.mark.parametrize("text", [[], [[]], [["a", "b"], ["a"]]])
def test_text_without_a_frequent_word_is_refused(text):
    with pytest.raises(CorpusError, match="no word occurs 3 times"):
        count(text)


# ------------------------------------------------------------------ weighting and reduction


def test_ppmi_is_what_the_formula_gives():
    text = [["a", "b", "a"], ["b", "a"]] * 3
    counts = count(text, contexts=2, min_count=1, positions=(-1, 1))
    matrix = ppmi(counts)
    dense = np.zeros((3, counts.columns))
    for rows, block in matrix.blocks():
        dense[rows] = block
    # columns: rare, a, b, boundary on the left; then on the right. Times 3:
    n = {("a", 2): 2, ("a", 3): 1, ("a", 6): 1, ("a", 7): 2, ("b", 1): 1, ("b", 3): 1, ("b", 5): 2}
    for word, row in (("a", 1), ("b", 2)):
        for column in range(counts.columns):
            times = n.get((word, column), 0)
            pmi = math.log(times * 10 / (6 if word == "a" else 4)
                           / (n.get(("a", column), 0) + n.get(("b", column), 0))) if times else 0
            assert dense[row, column] == pytest.approx(max(0, pmi), abs=1e-6)


@pytest.mark.parametrize("shape", [(300, 80), (60, 200)])
def test_randomised_svd_finds_the_largest_singular_values_and_their_space(shape):
    rng = np.random.default_rng(5)
    U, s, V = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    s = 10 * 0.8 ** np.arange(len(s))
    dense = (U * s) @ V
    found, values = truncated_svd(as_sparse(dense), 8, np.random.default_rng(6))
    assert np.allclose(values, s[:8], rtol=1e-4)
    assert np.allclose(found.T @ found, np.eye(8), atol=1e-4)
    assert np.allclose(np.abs(np.sum(found * U[:, :8], axis=0)), 1, atol=1e-3)


def test_svd_does_not_depend_on_how_rows_are_cut_into_blocks(monkeypatch):
    matrix = as_sparse(np.random.default_rng(7).standard_normal((50, 30)).clip(0))
    whole = truncated_svd(matrix, 5, np.random.default_rng(8))
    monkeypatch.setattr(vectors, "BLOCK_BYTES", 4 * 30 * 7)
    cut = truncated_svd(matrix, 5, np.random.default_rng(8))
    assert np.allclose(whole[0], cut[0], atol=1e-4) and np.allclose(whole[1], cut[1], rtol=1e-4)


def test_words_used_alike_get_vectors_that_are_near():
    rng = np.random.default_rng(9)
    classes = {"D": ["the", "a", "my"], "N": [f"n{i}" for i in range(8)], "V": [f"v{i}" for i in range(8)]}
    text = [[str(rng.choice(classes[c])) for c in "DNVDN"] for _ in range(2000)]
    words, X = train_vectors(text, width=4)
    X = X[1:] / np.linalg.norm(X[1:], axis=1, keepdims=True)
    kind = np.array([word[0] in "nv" and word[0] or "d" for word in words.strings[1:]])
    cosines = X @ X.T
    alike = kind[:, None] == kind[None]
    assert cosines[alike].min() > cosines[~alike].max() + 0.3


def test_vectors_have_variance_one_and_a_zero_first_row():
    words, X = train_vectors(random_text(np.random.default_rng(10)), width=6)
    assert X.shape == (len(words), 6) and X.dtype == np.float32
    assert not X[0].any() and X[1:].std() == pytest.approx(1, abs=1e-5)


def test_the_same_seed_gives_the_same_vectors():
    text = random_text(np.random.default_rng(11))
    (words, X), (again, Y) = train_vectors(text, 6, seed=3), train_vectors(iter(text), 6, seed=3)
    assert words == again and X.tobytes() == Y.tobytes()


def test_a_text_with_too_few_words_for_the_width_leaves_columns_empty():
    words, X = train_vectors([["a", "b"]] * 3, width=50)
    assert X.shape == (3, 50) and np.isfinite(X).all()


# ------------------------------------------------------------------ the command


def test_the_command_writes_vectors_of_several_files(tmp_path):
    one, two, out = tmp_path / "one", tmp_path / "two", tmp_path / "out"
    text = random_text(np.random.default_rng(13))
    one.write_text("".join(" ".join(sentence) + "\n" for sentence in text[:100]))
    two.write_text("".join(" ".join(sentence) + "\n" for sentence in text[100:]))
    arguments = [str(one), str(two), str(out), "--width", "5", "--seed", "2"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    words, X = read_vectors(out)
    expected = train_vectors(text, 5, seed=2)
    assert words == expected[0] and np.array_equal(X, expected[1])
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 1 and "--force" in again.output
    assert CliRunner().invoke(main, [*arguments, "--force", "-q"]).output == ""


def test_the_command_reads_standard_input_and_names_text_that_is_too_short(tmp_path):
    done = CliRunner().invoke(main, ["-", str(tmp_path / "out")], input="a b a\n")
    assert done.exit_code == 1 and "no word occurs 3 times" in done.output
    assert not (tmp_path / "out").exists()
    done = CliRunner().invoke(main, ["-", str(tmp_path / "out"), "-q"], input="a b a\nA a\n")
    assert done.exit_code == 0 and (tmp_path / "out").read_text().startswith("1 100\n")
