"""The files that word vectors come in: word2vec's text format, and GloVe's, which is the same without a first line.

    400000 100
    the -0.038194 -0.24487 ...      a line a word
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from ..corpus import Lines
from ..errors import CorpusError, plural, quote
from ..files import open_input
from ..nn.layers import Array
from .vocab import Vocab


def write_vectors(stream: IO[bytes], words: Vocab, vectors: Array) -> None:
    """Write word2vec's text format: ``V width``, then a line a word: ``word 0.1 -0.2 ...``.

    Numbers have 9 digits, so that ``read_vectors`` gives the same float32.
    Raises CorpusError for a word with a space or a line end in it.
    """
    stream.write(f"{len(words) - 1} {vectors.shape[1]}\n".encode())
    for word, vector in zip(words.strings[1:], vectors[1:]):
        if " " in word or "\n" in word or word.startswith("\ufeff"):
            raise CorpusError(f"{quote(word)} cannot be written as a word with its vector",
                              "a word has no space, line end or byte order mark")
        stream.write(f"{word} {' '.join(map('%.9g'.__mod__, vector.tolist()))}\n".encode())


def read_vectors(path: str | Path) -> tuple[Vocab, Array]:
    """Words and vectors (V, width), float32, row 0 zero, from word2vec's or GloVe's text format.

    That is a line a word, ``word 0.1 -0.2 ...``, with or without a first line ``V width``. Of a word
    that is there twice the first one counts; a word with a space in it, which no token is, is left
    out; both with a CorpusWarning.

    Raises CorpusError (place and what was wrong) and RnntagError (the file itself).
    """
    found: dict[str, Array] = {}
    with open_input(path) as stream:
        lines = Lines(stream, path)
        promised, width = _header(lines)
        read = 0
        for number, text in lines.texts():
            read += 1
            word, vector = _parse(text, width, lines.place(number))
            width = len(vector)
            if not word or word in found:
                what = f"{quote(word)} for the second time" if word else "a word with a space in it"
                lines.warn(number, f"{what}; left out")
                continue
            found[word] = vector
    if not found:
        raise CorpusError("no vectors", "a line is: word number number ...", place=lines.name)
    if promised is not None and read != promised:
        raise CorpusError(f"{read:,} vectors, the first line says {promised:,}", hint="Is the file cut off?",
                          place=lines.name)
    vectors = np.stack(list(found.values()))
    return Vocab(found), np.concatenate((np.zeros_like(vectors[:1]), vectors))


def _header(lines: Lines) -> tuple[int | None, int | None]:
    """Number of vectors and width as the first line says, read over; None, None when it does not."""
    fields = [text.rstrip(" ").split(" ") for text in lines.peek(1)]
    if not fields or len(fields[0]) != 2 or not all(f.isascii() and f.isdigit() for f in fields[0]):
        return None, None
    next(iter(lines))
    return int(fields[0][0]), int(fields[0][1])


def _parse(text: str, width: int | None, place: str) -> tuple[str, Array]:
    """The word, "" when it has a space in it, and its vector."""
    word, *fields = text.rstrip(" ").split(" ")
    if "" in fields:
        raise CorpusError(f"two spaces in a row after {quote(word)}", "single spaces stand between numbers",
                          place=place)
    extra = 0 if width is None else max(0, len(fields) - width)
    if any(map(_is_number, fields[:extra])):  # not a word with spaces, but too many numbers
        extra = 0
    try:
        with np.errstate(over="ignore"):  # beyond 32 bits is infinite, which is told below
            vector = np.array(list(map(float, fields[extra:]))).astype(np.float32)
    except ValueError:
        odd = next(field for field in fields[extra:] if not _is_number(field))
        raise CorpusError(f"{quote(odd)} is not a number", "a line is: word number number ...",
                          place=place) from None
    if not word or not fields or len(vector) != (width or len(vector)):
        raise CorpusError(f"{plural(len(vector), 'number')} after {quote(word)}", "a line is a word and "
                          f"{plural(width, 'number') if width else 'its numbers'}, single spaces "
                          "between", place=place)
    if not np.isfinite(vector).all():
        raise CorpusError(f"a vector of {quote(word)} that is not finite", "numbers are finite in 32 bits",
                          place=place)
    return "" if extra else word, vector


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
