"""A word to its features; words to rows of the feature table; words to characters.

A word's features are strings, one for each slot:

    form      the word                       lower    the word in lower case
    prefixes  its first 1 to 4 characters    suffixes its last 1 to 5 characters, in lower case
    shape     upper case X, lower case x, digit d, other letters and signs; runs cut after two

and one that has many: ngrams, all runs of 2 to 5 characters of ``<word>``, in lower case.

Each slot has its own id map, with 0 for unknown, and its own block of rows in one table.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, repeat
from typing import Literal

import numpy as np

from .vocab import Vocab

SLOTS = {"form": ("form",), "lower": ("lower",), "prefixes": ("pre1", "pre2", "pre3", "pre4"),
         "suffixes": ("suf1", "suf2", "suf3", "suf4", "suf5"), "shape": ("shape",)}
NGRAMS = "ngrams"
LONGEST_NGRAM, FEW_WORDS = 5, 5  # an n-gram that fewer different words have says what the word says
MAX_CHARACTERS = 64  # of a word, for the RNN over characters


def slots_of(names: Iterable[str]) -> tuple[str, ...]:
    """The slots of the named features, in order."""
    return tuple(slot for name in names for slot in SLOTS.get(name, ()))


def stored_slots(names: Iterable[str], stored: Iterable[str]) -> tuple[str, ...] | None:
    """The slots of a stored model: which affixes there are is the model's affair, so that one with
    others than this version's can still be loaded. None when ``stored`` holds slots of features that
    are not named, none of one that is, or what is no slot.
    """
    left, slots = set(stored), []
    for name in names:
        stem = {"prefixes": "pre", "suffixes": "suf"}.get(name)
        own = [name] if stem is None else sorted(slot for slot in left if re.fullmatch(f"{stem}[1-9]", slot))
        if not own or not left.issuperset(own):
            return None
        left.difference_update(own)
        slots += own
    return None if left else tuple(slots)


def _mark(character: str) -> str | None:
    """What stands for a character in an outline; a vowel sign or an accent belongs to the letter before it."""
    kind = unicodedata.category(character)
    if kind[0] == "L":
        return {"Lu": "X", "Lt": "X", "Ll": "x"}.get(kind, "o")
    return {"M": None, "N": "d"}.get(kind[0], character)


MARKS = {code: _mark(chr(code)) for code in range(128)}  # and what else words had so far
LONG_RUN = re.compile(r"(.)\1{2,}", re.DOTALL)


def shape(word: str) -> str:
    """The word's outline: ``McDonald's-98`` is ``XxXxx'x-dd``; accents alone have none, ""."""
    if not word.isascii():
        MARKS.update((ord(character), _mark(character)) for character in word if ord(character) not in MARKS)
    outline = word.translate(MARKS)
    return _shortened(outline) if len(outline) <= MAX_CHARACTERS else LONG_RUN.sub(r"\1\1", outline)


@lru_cache(maxsize=4096)
def _shortened(outline: str) -> str:  # many words have the same; long ones are not kept
    return LONG_RUN.sub(r"\1\1", outline)


def slot_values(words: Sequence[str], slots: Sequence[str]) -> Iterator[list[str]]:
    """For each slot the features of all words."""
    lower = [word.lower() for word in words]
    for slot in slots:
        if slot == "form":
            yield list(words)
        elif slot == "lower":
            yield lower
        elif slot == "shape":
            yield [shape(word) for word in words]
        elif slot.startswith("pre"):
            size = int(slot[3:])
            yield [word[:size] for word in lower]
        else:
            size = int(slot[3:])
            yield [word[-size:] for word in lower]


def word_features(word: str, slots: Sequence[str]) -> list[str]:
    """The feature of ``word`` in each slot."""
    return [value for (value,) in slot_values([word], slots)]


def ngrams(word: str) -> list[str]:
    """The n-grams of ``word``, as often as they occur, of a long word the first."""
    marked = f"<{word.lower()[:MAX_CHARACTERS]}>"
    return [marked[i:i + n] for n in range(2, LONGEST_NGRAM + 1) for i in range(len(marked) - n + 1)]


def normalized(words: Iterable[str], form: str) -> list[str]:
    """The words in the Unicode normal form ``nfc`` or ``nfkc`` (UAX 15); ``none`` leaves them alone."""
    if form == "none":
        return list(words)
    name: Literal["NFC", "NFKC"] = "NFC" if form == "nfc" else "NFKC"
    return [unicodedata.normalize(name, word) for word in words]


class FeatureMap:
    """Words to rows of the feature table.

    slots     names of the slots, F of them
    vocabs    an id map for each slot, and the last one, if there is one, of n-grams
    ngrams    the latter, which have a table of their own
    offsets   (F,)  first row of each slot's block; the row of an unknown feature of that slot
    rows      V, the rows of the table
    """

    def __init__(self, vocabs: dict[str, Vocab]):
        self.vocabs = vocabs
        self.slots, self.ngrams = tuple(slot for slot in vocabs if slot != NGRAMS), vocabs.get(NGRAMS)
        sizes = [len(vocabs[slot]) for slot in self.slots]
        self.offsets = np.cumsum([0, *sizes])[:-1].astype(np.intp)
        self.rows = sum(sizes)

    @classmethod
    def build(cls, words: Iterable[str], names: Iterable[str], min_count: int = 1) -> FeatureMap:
        """The features that occur ``min_count`` times in a corpus given as its tokens, and the n-grams that FEW_WORDS
        different words have."""
        names, tokens = list(names), list(words)
        slots = slots_of(names)
        distinct = list(dict.fromkeys(tokens))
        known = {word: i for i, word in enumerate(distinct)}
        places = [known[word] for word in tokens]
        vocabs = {slot: Vocab.build((values[i] for i in places), min_count)
                  for slot, values in zip(slots, slot_values(distinct, slots))}
        if NGRAMS in names:
            vocabs[NGRAMS] = Vocab.build((ngram for word in distinct for ngram in set(ngrams(word))), FEW_WORDS)
        return cls(vocabs)

    def __call__(self, words: Sequence[str]) -> np.ndarray:
        """Rows of the table (len(words), F) for each word."""
        ids = np.empty((len(words), len(self.slots)), np.intp)
        for k, (slot, values) in enumerate(zip(self.slots, slot_values(words, self.slots))):
            ids[:, k] = self.vocabs[slot].ids(values)
        return ids + self.offsets

    def ngram_ids(self, words: Sequence[str]) -> list[np.ndarray]:
        """The ids of each word's n-grams, those that are known; [0] for none."""
        ids = self.vocabs[NGRAMS].ids
        return [np.array([i for i in ids(ngrams(word)) if i] or [0], np.intp) for word in words]


def characters(words: Sequence[str], alphabet: Vocab) -> list[np.ndarray]:
    """The ids of each word's characters; of a long word the first and the last half of
    MAX_CHARACTERS."""
    half = MAX_CHARACTERS // 2
    cut = [word if len(word) <= MAX_CHARACTERS else word[:half] + word[-half:] for word in words]
    return [np.array(alphabet.ids(word) or [0], np.intp) for word in cut]


class WordTable:
    """What the network reads of each distinct word, row by row; a word's id here is its row.

    features     (n, F)  rows of the feature table
    unseen       (n, F)  the same, as if the word had never been seen (``set_dropout``)
    vectors      (n,)    rows of the pretrained vectors, 0 for none
    characters   n arrays of character ids
    ngrams       n arrays of the ids of n-grams
    dropout      (n,)    probability of reading the word as unknown while training
    characters_read      how many characters all words have together
    """

    def __init__(self, features: FeatureMap, alphabet: Vocab | None = None, vectors: Vocab | None = None,
                 form: str = "none"):
        self.map, self.alphabet, self.vocab, self.form = features, alphabet, vectors, form
        self.clear()

    def clear(self) -> None:
        """Forget all words."""
        self._ids: dict[str, int] = {}
        self.characters_read = 0
        self.features = np.empty((0, len(self.map.slots)), np.intp)
        self.vectors = np.empty(0, np.intp)
        self.characters: list[np.ndarray] = []
        self.ngrams: list[np.ndarray] = []
        self.dropout = np.empty(0, np.float32)

    def __len__(self) -> int:
        return len(self._ids)

    def words(self, start: int = 0) -> list[str]:
        """The words of the rows from ``start`` on."""
        return list(islice(self._ids, start, None))

    def ids(self, words: Sequence[str]) -> np.ndarray:
        """The row of each word; rows for new words are added."""
        rows = np.fromiter(map(self._ids.get, words, repeat(-1)), np.intp, len(words))
        new = np.flatnonzero(rows < 0).tolist()
        if new:
            self._add(list(dict.fromkeys(words[i] for i in new)))
            rows[new] = [self._ids[words[i]] for i in new]
        return rows

    def _add(self, words: list[str]) -> None:
        """Rows for new words. These get their ids last: what fails or is interrupted before leaves no trace."""
        n, forms = len(self), normalized(words, self.form)
        features = np.concatenate((self.features[:n], self.map(forms)))
        if self.alphabet is not None:
            self.characters[n:] = characters(forms, self.alphabet)
        if self.map.ngrams is not None:
            self.ngrams[n:] = self.map.ngram_ids(forms)
        if self.vocab is not None:
            rows = [self.vocab[word] or self.vocab[word.lower()] for word in forms]
            self.vectors = np.concatenate((self.vectors[:n], np.array(rows, np.intp)))
        self.features = features
        self.characters_read += sum(map(len, words))
        self._ids.update(zip(words, range(n, n + len(words))))

    def set_dropout(self, rate: float, counts: Counter[str]) -> None:
        """A word seen n times is dropped with probability rate / (rate + n).

        A dropped word is read as if it had never been seen: those of its features are unknown that
        no other word of the table has.
        """
        words = np.bincount(self.features.ravel(), minlength=self.map.rows)  # words with each feature
        self.unseen = np.where(words[self.features] > 1, self.features, self.map.offsets)
        self.dropout = np.array([rate / (rate + max(1, counts[word])) for word in self._ids], np.float32)
