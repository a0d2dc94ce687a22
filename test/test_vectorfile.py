"""Files of word vectors: read back as written, and what is wrong with them named."""

import io

import numpy as np
import pytest

from rnntag.errors import CorpusError, CorpusWarning
from rnntag.text.vectorfile import read_vectors, write_vectors
from rnntag.text.vocab import Vocab


def saved(tmp_path, text):
    path = tmp_path / "vectors.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_what_is_written_is_read_back_exactly(tmp_path):
    words = Vocab(["a", "b\u00a0c", "\u2028", "12"])
    X = np.random.default_rng(12).standard_normal((5, 3)).astype(np.float32) * 1e-3
    X[0] = 0
    stream = io.BytesIO()
    write_vectors(stream, words, X)
    assert stream.getvalue().startswith(b"4 3\n")
    again, Y = read_vectors(saved(tmp_path, stream.getvalue()))
    assert again == words and Y.dtype == np.float32 and np.array_equal(X, Y)


@pytest.mark.parametrize("word", ["a b", "a\nb", "\ufeffa"])
def test_a_word_that_could_not_be_read_back_is_not_written(word):
    with pytest.raises(CorpusError, match="cannot be written"):
        write_vectors(io.BytesIO(), Vocab([word]), np.zeros((2, 1)))


@pytest.mark.parametrize("text", ["2 2\na 1 2\nb 3 4e0\n", "a 1 2\nb 3 4\n", "a 1 2 \nb 3 4 ", "2 2 \na 1 2\nb 3 4"])
def test_files_with_and_without_a_first_line_and_with_spaces_at_line_ends_are_read(tmp_path, text):
    words, X = read_vectors(saved(tmp_path, text))
    assert words.strings == ["", "a", "b"]
    assert X.tolist() == [[0, 0], [1, 2], [3, 4]]


def test_of_a_word_that_comes_twice_the_first_counts(tmp_path):
    with pytest.warns(CorpusWarning, match=":3: 'a' for the second time; left out"):
        words, X = read_vectors(saved(tmp_path, "a 1\nb 2\na 3\n"))
    assert words.strings == ["", "a", "b"] and X.tolist() == [[0], [1], [2]]


def test_a_word_with_spaces_is_left_out(tmp_path):
    with pytest.warns(CorpusWarning, match=":2: a word with a space in it"):
        words, X = read_vectors(saved(tmp_path, "a 1 2\n. . 3 4\nb 5 6\n"))
    assert words.strings == ["", "a", "b"] and X[2].tolist() == [5, 6]


@pytest.mark.parametrize("text, message", [
    ("", ": no vectors"),
    ("0 5\n", ": no vectors"),
    ("a 1 2\nb 3\n", ":2: 1 number after 'b'; a line is a word and 2 numbers"),
    ("a 1 2\nb 3 4 5\n", ":2: 3 numbers after 'b'; a line is a word and 2 numbers"),
    ("2 3\na 1 2\nb 3 4\n", ":2: 2 numbers after 'a'; a line is a word and 3 numbers"),
    ("a\n", ":1: 0 numbers after 'a'"),
    ("a 1\n\nb 2\n", ":2: 0 numbers after ''"),
    (" 1 2\n", ":1: 2 numbers after ''"),
    ("a 1 2\nb 3 x\n", ":2: 'x' is not a number"),
    ("a 1 \nb  3\n", ":2: two spaces in a row after 'b'"),
    ("a 1\nb nan\n", ":2: a vector of 'b' that is not finite"),
    ("a 1\nb 1e39\n", ":2: a vector of 'b' that is not finite"),
    (b"a 1\n\xff 2\n", ":2: byte 0xff at byte 1 of the line"),
    ("3 1\na 1\nb 2\n", ": 2 vectors, the first line says 3. Is the file cut off?"),
])
def test_a_fault_is_named_with_its_place(tmp_path, text, message):
    path = saved(tmp_path, text)
    with pytest.raises(CorpusError) as caught:
        read_vectors(path)
    assert str(caught.value).startswith(f"{path}{message}")
