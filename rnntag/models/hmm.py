"""The baseline: a bigram hidden Markov model, as in the NAIST NLP tutorial 5.

A sentence of words w_1 .. w_T has the tags t_1 .. t_T that make the largest

    P(</s> | t_T)  prod_i  P(t_i | t_(i-1)) P(w_i | t_i)        t_0 = <s>

with relative frequencies for the transitions, P(t | prev) = c(prev, t) / c(prev), and for the
emissions relative frequencies mixed with one in a million words, so that any word can occur:

    P(w | t) = 0.95 c(t, w) / c(t)  +  0.05 / 1,000,000

The model keeps the counts themselves: whole numbers that can be checked, from which the rest follows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus import Column, Sentence, count_characters
from ..errors import CorpusError, ModelError, plural
from ..nn.layers import softmax
from ..nn.output import forward_backward
from ..nn.packing import pack
from ..text.vocab import UNKNOWN, Vocab
from .answers import Annotator, Posteriors, Words, words_of

KNOWN_SHARE = 0.95  # weight of the relative frequency in an emission
UNKNOWN_EMISSION = (1 - KNOWN_SHARE) / 1_000_000  # what every word has from every tag
START, END = "<s>", "</s>"
BOUNDARY = 0  # row of <s> and column of </s> in the transitions; no tag has id 0

# The logarithm of a step that never occurred. More than all possible steps of a sentence of 20,000
# words can cost together, so the path with the fewest impossible steps wins when none is possible.
IMPOSSIBLE = -1e6
MAX_COUNT = 2.0 ** 40  # sums of such counts are exact in float64


class HMMTagger(Annotator):
    """Bigram HMM with Viterbi decoding.

    words, tags   Vocab; tags by falling frequency, then alphabetically (the order that breaks ties)
    transitions   (K+1, K+1) counts of (previous tag, tag), by id; id 0 is <s> as a row, </s> as a column
    emissions     (P, 3) rows of (word id, tag id, count), one for each pair seen, in rising order
    info          where it is from, as its model folder says

    Raises ModelError when the counts cannot come from a corpus.
    """

    kind = "hmm"
    dtype = "float64"
    place: str | Path = ""  # as for RNNTagger

    def __init__(self, words: Vocab, tags: Vocab, transitions: np.ndarray, emissions: np.ndarray):
        self.words, self.tags = words, tags
        self.info: dict[str, Any] = {}
        self.parts: dict[str, Any] = {}  # as for RNNTagger
        self.transitions, self.emissions = transitions, emissions
        self._check()
        self._totals = transitions.sum(axis=1)  # c(prev); at BOUNDARY the number of sentences
        self._prepare()

    @classmethod
    def train(cls, sentences: Iterable[Sentence]) -> HMMTagger:
        """Count ``sentences``; empty ones are passed over.

        Raises CorpusError for a sentence without words or tags, and when there is none at all.
        """
        steps: Counter[tuple[str, str]] = Counter()
        pairs: Counter[tuple[str, str]] = Counter()
        for sentence in sentences:
            if not sentence.words:
                continue
            if sentence.tags is None or UNKNOWN in sentence.tags or UNKNOWN in sentence.words:
                raise CorpusError(f"the sentence of line {sentence.line} lacks words or tags",
                                  "an HMM is trained on both")
            steps.update(zip([UNKNOWN, *sentence.tags], [*sentence.tags, UNKNOWN]))  # "": boundary
            pairs.update(zip(sentence.words, sentence.tags, strict=True))
        if not pairs:
            raise CorpusError("no tagged sentences", "at least one is needed")
        words, tags = (Vocab(_by_frequency(pairs, side)) for side in (0, 1))
        transitions = np.zeros((len(tags), len(tags)))
        for (previous, tag), count in steps.items():
            transitions[tags[previous], tags[tag]] = count
        emissions = np.array(sorted((words[w], tags[t], n) for (w, t), n in pairs.items()), cls.dtype)
        return cls(words, tags, transitions, emissions)

    def __repr__(self) -> str:
        return f"<HMMTagger: {plural(len(self.tags) - 1, 'tag')}, {plural(len(self.words) - 1, 'word')}>"

    @property
    def fields(self) -> tuple[str, ...]:  # type: ignore[override]
        """The name of the column that it fills, as its corpus had it."""
        return self.info.get("field") or "",

    def answers(self, chunk: Sequence[Words], fields: Sequence[str], best: int = 0) -> Iterator[dict[str, Column]]:
        return super().answers(list(map(words_of, chunk)), fields, best)

    def transition(self, previous: str, tag: str) -> float:
        """P(tag | previous) = c(previous, tag) / c(previous); ``<s>`` starts and ``</s>`` ends.

        0 for a tag that training did not see.
        """
        row = BOUNDARY if previous == START else self.tags[previous]
        column = BOUNDARY if tag == END else self.tags[tag]
        seen = (row or previous == START) and (column or tag == END)
        return float(self.transitions[row, column] / self._totals[row]) if seen else 0.0

    def relative_emission(self, tag: str, word: str) -> float:
        """c(tag, word) / c(tag), 0 for what training did not see."""
        word_id, tag_id = self.words[word], self.tags[tag]
        row = (self.emissions[:, 0] == word_id) & (self.emissions[:, 1] == tag_id)
        return float(self.emissions[row, 2].sum() / self._totals[tag_id])

    def emission(self, tag: str, word: str) -> float:
        """P(word | tag) = 0.95 c(tag, word) / c(tag) + 0.05 / 1,000,000."""
        return KNOWN_SHARE * self.relative_emission(tag, word) + UNKNOWN_EMISSION

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The most probable tags of each sentence (a list of words), one sentence after the other.

        Ties go to the tag that comes first in ``tags``. An empty sentence has no tags: ``[]``.
        Raises CorpusError for what is not a list of words.
        """
        names = self.tags.strings
        for number, words in enumerate(sentences, 1):
            count_characters(words, number)
            yield [names[i + 1] for i in self.viterbi(words)]

    def probabilities(self, sentences: Iterable[Sequence[str]]) -> Iterator[Posteriors]:
        """The tags of each sentence with P(t_i = t | w_1 .. w_T) of all tags, by the forward-backward algorithm,
        which is that of a CRF with the model's logarithms as scores."""
        names = self.tags.strings[1:]
        for number, words in enumerate(sentences, 1):
            count_characters(words, number)
            p = np.zeros((0, len(names)))
            if words:
                alpha, beta, _ = forward_backward(self._log_step, self._log_start, self._log_end,
                                                  self._emission_rows(words), pack((len(words),)))
                p = softmax(alpha + beta)
            yield Posteriors([names[i] for i in self.viterbi(words)], p, names)

    def viterbi(self, words: Sequence[str]) -> list[int]:
        """The best path through a sentence, as tag ids less 1.

            best_1(t) = log P(t | <s>) + log P(w_1 | t)
            best_i(t) = max_s [best_(i-1)(s) + log P(t | s)] + log P(w_i | t)

        and back from max_t [best_T(t) + log P(</s> | t)]. Only the maxima are kept (T, K); the tag
        that each came from is found again on the way back, on the best path alone.
        """
        if not words:
            return []
        best = self._emission_rows(words)
        best[0] += self._log_start
        step = np.empty_like(self._log_step)
        for i in range(1, len(words)):
            np.add(best[i - 1][:, None], self._log_step, out=step)
            best[i] += np.maximum.reduce(step, axis=0)
        path = [int((best[-1] + self._log_end).argmax())]
        for scores in best[-2::-1]:
            path.append(int((scores + self._log_step_to[path[-1]]).argmax()))
        return path[::-1]

    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]:
        """Options, id maps and arrays, for a model folder."""
        return ({"pairs": len(self.emissions)},
                {"words": self.words.strings, "tags": self.tags.strings},
                {"transitions": self.transitions, "emissions": self.emissions})

    @classmethod
    def shapes(cls, options: dict[str, Any], ids: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """The shape of each array, from options and id maps alone.

        Raises ModelError when these are not an HMM's.
        """
        if ids.keys() != {"words", "tags"} or not all(isinstance(value, list) for value in ids.values()):
            raise ModelError("id maps of another kind", "an HMM has words and tags")
        tags, most = len(ids["tags"]), (len(ids["words"]) - 1) * (len(ids["tags"]) - 1)
        pairs = options.get("pairs")
        if options.keys() != {"pairs"} or type(pairs) is not int or not 1 <= pairs <= most:
            raise ModelError("options of another kind", f"an HMM has pairs, a number from 1 to {most:,}")
        return {"transitions": (tags, tags), "emissions": (pairs, 3)}

    @classmethod
    def restore(cls, options: dict[str, Any], ids: dict[str, Any],
                arrays: dict[str, np.ndarray]) -> HMMTagger:
        """The tagger whose ``state`` this was.

        Raises ModelError when the counts cannot come from a corpus.
        """
        return cls(Vocab(ids["words"][1:]), Vocab(ids["tags"][1:]), arrays["transitions"],
                   arrays["emissions"])

    def _check(self) -> None:
        for name, counts in (("transitions", self.transitions), ("emissions", self.emissions)):
            if not ((counts >= 0) & (counts <= MAX_COUNT) & (counts == np.floor(counts))).all():
                raise ModelError(f"the {name} are not all counts", "a count is a whole number from 0")
        word, tag, count = self.emissions.T
        if (word.min() < 1 or word.max() >= len(self.words) or tag.min() < 1
                or tag.max() >= len(self.tags) or count.min() < 1):
            raise ModelError("emissions of words or tags that do not exist")
        if not (np.diff(word * len(self.tags) + tag) > 0).all():
            raise ModelError("emissions that are out of order or stand twice")
        left, entered = self.transitions.sum(axis=1), self.transitions.sum(axis=0)
        emitted = np.bincount(tag.astype(int), weights=count, minlength=len(self.tags))
        emitted[BOUNDARY] = left[BOUNDARY]
        if not (np.array_equal(left, entered) and np.array_equal(left, emitted) and left.all()):
            raise ModelError("counts that do not agree",
                             "a tag is entered, left and emits a word equally often, at least once")

    def _prepare(self) -> None:
        """Logarithms, with K = number of tags: start (K,), step (K, K), end (K,), and by word."""
        with np.errstate(divide="ignore"):
            logs = np.log(self.transitions / self._totals[:, None])
        logs[self.transitions == 0] = IMPOSSIBLE
        self._log_start, self._log_end = logs[BOUNDARY, 1:].copy(), logs[1:, BOUNDARY].copy()
        self._log_step = logs[1:, 1:].copy()
        self._log_step_to = self._log_step.T.copy()
        word, tag = self.emissions[:, 0].astype(int), self.emissions[:, 1].astype(int)
        values = np.log(KNOWN_SHARE * self.emissions[:, 2] / self._totals[tag] + UNKNOWN_EMISSION)
        firsts = np.flatnonzero(np.diff(word, prepend=0))  # rows are in order of words
        self._emission_logs = {
            self.words.strings[word[rows]]: pair
            for rows, *pair in zip(firsts, np.split(tag - 1, firsts[1:]), np.split(values, firsts[1:]))}

    def _emission_rows(self, words: Sequence[str]) -> np.ndarray:
        """log P(w_i | t) as (T, K); an unknown word's row is the same number for all tags."""
        rows = np.full((len(words), len(self._log_start)), math.log(UNKNOWN_EMISSION))
        for row, word in zip(rows, words):
            known = self._emission_logs.get(word)
            if known is not None:
                row[known[0]] = known[1]
        return rows


def _by_frequency(pairs: Counter[tuple[str, str]], side: int) -> list[str]:
    """The words (side 0) or tags (side 1) of ``pairs``, most frequent first, ties sorted."""
    counts: Counter[str] = Counter()
    for pair, count in pairs.items():
        counts[pair[side]] += count
    return sorted(counts, key=lambda string: (-counts[string], string))
