"""Word vectors from untagged text, in numpy alone.

Words used alike get vectors that lie close together (Schütze 1995, "Distributional part-of-speech
tagging"), which tells the tagger about words that its training corpus does not have:

    n(w, c)                                   how often column c, a (position, word) pair, is near w
    M(w, c) = max(0, log n(w, c) n / (n(w) n(c)))     positive pointwise mutual information (PPMI)
    M ~ U diag(s) V'                          truncated SVD, randomised (Halko et al. 2011)
    vector of w = U_w diag(s)^(1/2) / std     (Levy et al. 2015)

Sizes: V rows (words, row 0 for none), C columns, Z pairs that occur, E width of a vector.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import IO, NamedTuple

import numpy as np

from ..errors import CorpusError
from ..nn.layers import Array
from .vocab import Vocab

POSITIONS = (-2, -1, 1, 2)  # the neighbours that are counted
MAX_WORDS = 1_000_000  # distinct words that are told apart while reading; later new ones are rare
MAX_ROWS = 200_000  # words that get a vector
MAX_PAIRS = 30_000_000  # distinct pairs that are kept while counting
MEMORY_BYTES = 1 << 26  # of word ids before they go to a temporary file
CHUNK = 1 << 18  # tokens that are counted at a time
BLOCK_BYTES = 1 << 24  # of a block of rows, dense


def normal(word: str) -> str:
    """The word as it is counted and looked up: in lower case."""
    return word.lower()


# ------------------------------------------------------------------ counting


class Counts(NamedTuple):
    """How often each word has which neighbours.

    words     the rows, most frequent first
    columns   C; column p (contexts + 2) + c is context word c at the p-th position, where context
              0 is any other word, 1 .. contexts the most frequent words, contexts + 1 a boundary
    keys      (Z,)  row * C + column, ascending, of the pairs that occur
    values    (Z,)  how often they do
    """

    words: Vocab
    columns: int
    keys: Array
    values: Array


def count(sentences: Iterable[Sequence[str]], *, contexts: int = 3000, min_count: int = 3,
          positions: Sequence[int] = POSITIONS, max_rows: int = MAX_ROWS) -> Counts:
    """Count the neighbours of every word that occurs ``min_count`` times or more.

    The sentences are read once. Memory is bounded: MAX_WORDS words, MAX_PAIRS pairs (when there are
    more, the rarest are forgotten, as in lossy counting), and 4 bytes a token, which go to a
    temporary file when they are many.

    Raises CorpusError when no word occurs ``min_count`` times.
    """
    reach = max(map(abs, positions))
    with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as spool:
        words, totals = _spool(sentences, reach, spool)
        order = np.argsort(-totals[2:], kind="stable") + 2  # ids 0 and 1 are no words
        kept = order[:min(max_rows, np.count_nonzero(totals[2:] >= min_count))]
        if not len(kept):
            raise CorpusError(f"no word occurs {min_count} times", "vectors are made from many sentences",
                              "Give more text, or use rnntag vectors with a lower --min-count.")
        rows = np.zeros(len(totals), np.int64)
        rows[kept] = np.arange(1, len(kept) + 1)
        contexts = min(contexts, len(kept))
        context = np.zeros(len(totals), np.int64)
        context[kept[:contexts]] = np.arange(1, contexts + 1)
        context[BOUNDARY] = contexts + 1
        spool.seek(0)
        keys, values = _count_pairs(_chunks(spool, reach), rows, context, contexts + 2, positions)
    return Counts(Vocab(words[i - 2] for i in kept), len(positions) * (contexts + 2), keys, values)


RARE, BOUNDARY = 0, 1  # ids that are no words, while counting


def _spool(sentences: Iterable[Sequence[str]], reach: int, spool: IO[bytes]) -> tuple[list[str], Array]:
    """Write the ids of all tokens, ``reach`` boundaries around each sentence; return the words from
    id 2 on and how often each id occurs."""
    ids: dict[str, int] = {}  # of words as they are written
    normals: dict[str, int] = {}  # of words as they are counted, from 2 on

    def add(word: str) -> int:
        key, new = normal(word), len(normals) + 2
        number = normals.setdefault(key, new) if len(normals) < MAX_WORDS else normals.get(key, RARE)
        if len(ids) < MAX_WORDS:
            ids[word] = number
        return number

    between = [BOUNDARY] * reach
    flat: list[int] = list(between)
    totals = np.zeros(0, np.int64)
    for sentence in chain(sentences, [None]):
        if sentence:
            known = list(map(ids.get, sentence, repeat(-1)))
            flat += [add(word) if i < 0 else i for word, i in zip(sentence, known)] if -1 in known else known
            flat += between
        if sentence is None or len(flat) >= CHUNK:
            chunk = np.array(flat, np.int32)
            spool.write(chunk.tobytes())
            new = np.bincount(chunk, minlength=len(normals) + 2)
            new[:len(totals)] += totals
            flat, totals = [], new
    return list(normals), totals


def _chunks(spool: IO[bytes], reach: int) -> Iterator[Array]:
    """The ids that were written, CHUNK at a time, each with ``reach`` neighbours on either side."""
    tail = np.zeros(0, np.int32)
    while data := spool.read(4 * CHUNK):
        ids = np.concatenate((tail, np.frombuffer(data, np.int32)))
        tail = ids[-2 * reach:]
        yield ids


def _count_pairs(chunks: Iterable[Array], rows: Array, context: Array, width: int,
                 positions: Sequence[int]) -> tuple[Array, Array]:
    """Pairs as ascending keys, and how often each occurs, over all chunks."""
    reach, columns = max(map(abs, positions)), len(positions) * width
    runs: list[tuple[Array, Array]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for ids in chunks:
        row, near = rows[ids], context[ids]
        inside = np.flatnonzero(row[reach:len(row) - reach]) + reach
        base = row[inside] * columns
        keys = np.concatenate([base + (k * width + near[inside + position])
                               for k, position in enumerate(positions)])
        keys.sort()
        runs.append(_sums(keys, np.ones(len(keys), np.int64)))
        if sum(len(run[0]) for run in runs[1:]) > max(len(runs[0][0]), 4 * CHUNK):
            runs = [_forget(_merge(runs))]
    return _merge(runs)


def _merge(runs: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Sorted runs of keys and their values as one, the values of equal keys added."""
    keys = np.concatenate([run[0] for run in runs])
    order = np.argsort(keys, kind="stable")  # merges what is sorted already
    return _sums(keys[order], np.concatenate([run[1] for run in runs])[order])


def _sums(keys: Array, values: Array) -> tuple[Array, Array]:
    if not len(keys):
        return keys, values
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[first], np.add.reduceat(values, first)


def _forget(run: tuple[Array, Array]) -> tuple[Array, Array]:
    """Without the rarest pairs when there are more than MAX_PAIRS."""
    keys, values = run
    least = 1
    while len(keys) > MAX_PAIRS:
        keep = values > least
        keys, values, least = keys[keep], values[keep], least + 1
    return keys, values


# ------------------------------------------------------------------ weighting and reduction


class Sparse(NamedTuple):
    """A matrix (V, C) that is mostly zero, row by row.

    starts (V + 1,): row r is ``values[starts[r]:starts[r + 1]]`` in columns ``columns[...]``.
    """

    shape: tuple[int, int]
    starts: Array
    columns: Array
    values: Array

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[slice, Array]]:
        """Rows and their dense values, some rows at a time."""
        stop = self.shape[0] if stop is None else stop
        size = max(1, BLOCK_BYTES // (4 * self.shape[1]))
        lengths = np.diff(self.starts)
        for low in range(start, stop, size):
            high = min(low + size, stop)
            dense = np.zeros((high - low, self.shape[1]), np.float32)
            part = slice(self.starts[low], self.starts[high])
            dense[np.repeat(np.arange(high - low), lengths[low:high]), self.columns[part]] = self.values[part]
            yield slice(low, high), dense


def ppmi(counts: Counts) -> Sparse:
    """M(w, c) = max(0, log n(w, c) n / (n(w) n(c))), of Church and Hanks (1990); shape (V, C)."""
    rows, columns = np.divmod(counts.keys, counts.columns)
    V, C = len(counts.words), counts.columns
    row_totals = np.bincount(rows, counts.values, V)
    column_totals = np.bincount(columns, counts.values, C)
    pmi = np.log(counts.values * (counts.values.sum() / row_totals[rows] / column_totals[columns]))
    keep = pmi > 0
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows[keep], minlength=V))))
    return Sparse((V, C), starts, columns[keep].astype(np.int32), pmi[keep].astype(np.float32))


def truncated_svd(matrix: Sparse, width: int, rng: np.random.Generator, *, oversampling: int = 20,
                  iterations: int = 3) -> tuple[Array, Array]:
    """U (V, width) and s (width,) of the largest singular values, M ~ U diag(s) V'.

    Randomised subspace iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4), on the side of
    the columns: Q spans the range of (M'M)^i G for random G; M Q is small enough for an exact SVD.
    Signs are such that each column of U has a positive sum. The matrix is made dense block by block.
    """
    V, C = matrix.shape
    k = min(width + oversampling, V, C)
    Q = np.linalg.qr(rng.standard_normal((C, k), dtype=np.float32))[0]
    for _ in range(iterations):
        Z = np.zeros((C, k), np.float32)
        for _, block in matrix.blocks():
            Z += block.T @ (block @ Q)
        Q = np.linalg.qr(Z)[0]
    Y = np.empty((V, k), np.float32)
    for rows, block in matrix.blocks():
        np.matmul(block, Q, out=Y[rows])
    values, W = np.linalg.eigh(Y.T.astype(float) @ Y)  # Y = U s W'
    values, W = values[::-1][:width], W[:, ::-1][:, :width]
    s = np.sqrt(np.maximum(values, 0))
    U = Y @ (W / np.maximum(s, s[0] * 1e-6 + 1e-30)).astype(np.float32)
    return U * np.where(U.sum(axis=0) < 0, -1, 1).astype(np.float32), s


def train_vectors(sentences: Iterable[Sequence[str]], width: int = 100, *, contexts: int = 3000,
                  min_count: int = 3, max_rows: int = MAX_ROWS, seed: int = 1) -> tuple[Vocab, Array]:
    """Words and their vectors (V, width), float32, row 0 zero, the others with variance 1 together.

    5 million tokens take about 11 CPU seconds and 500 MB. The same sentences, options and seed give
    the same vectors on the same machine.

    Raises CorpusError when no word occurs ``min_count`` times.
    """
    counts = count(sentences, contexts=contexts, min_count=min_count, max_rows=max_rows)
    U, s = truncated_svd(ppmi(counts), width, np.random.default_rng(seed))
    vectors = np.zeros((len(counts.words), width), np.float32)
    vectors[:, :len(s)] = U * np.sqrt(s)
    vectors[0] = 0
    scale = float(np.std(vectors[1:]))
    return counts.words, vectors / np.float32(scale) if scale else vectors
