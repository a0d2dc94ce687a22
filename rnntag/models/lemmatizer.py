"""Lemmas of words that training did not see, written by an encoder-decoder that is given the word's other columns.

It is a transducer, part of a tagger, whose tags are the part of speech and the parts of FEATS: ``upos=VERB``,
``feats=Tense=Past``. Edit scripts (columns.py) say what is likely for the form in its sentence; the encoder-decoder
reads the word letter by letter, so that it knows what becomes of a stem. Which says what is best of both:

    auto       log P(script that gives l) + SURER gain [l was seen with t] + log P(l | form)
    seq2seq    log P(l | form) alone

Nobody knows for certain what an unseen word is, so P(l | form) is a mean over the likeliest values of the columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, product
from typing import Any

from ..corpus import Sentence
from ..corpus.pairs import Pair, Question
from ..text.vocab import Vocab
from .columns import LEMMA, PART, column

LEMMATIZER = "lemmatizer"  # the part of a tagger
CONTEXT = ("upos", "feats")  # the columns that say what a lemma depends on
BEAM = 4
REMEMBERED = 1 << 16  # forms with their tags

TRIED = 3  # combinations of values; this and SURER were found by cross-validation, see docs/experiments.md
UNLIKELY = 0.1  # of the likeliest combination's probability: those with less are not asked about
SURER = 1.5  # weight of what is known of the lemma
WEIGHTS = {"auto": (1.0, SURER), "seq2seq": (0.0, 0.0)}  # of edit scripts, and of what is known
TINIEST = 1e-30  # the least probability
LEAST_PAIRS = 500  # with fewer, "auto" leaves it to the scripts: they say too little about letters

Written = Mapping[str, float]  # lemmas, and log P of each
Likely = Sequence[tuple[str, float]]  # values of a column, and P of each


def context_columns(fields: Iterable[str]) -> list[str]:
    """Those of these columns that a lemma depends on."""
    return [name for name in CONTEXT if name in fields]


def question(word: str, context: Mapping[str, str]) -> Question:
    """What the transducer is asked: a word, and what its columns say of it."""
    return Question(tuple(word), tuple(f"{name}={part}" for name, value in context.items() if value not in ("", "_")
                                       for part in value.split(PART)))


def pairs(sentences: Sequence[Sentence], fields: Iterable[str]) -> list[Pair]:
    """What the transducer learns: each form with its columns and its lemma once, however often it occurs."""
    names = context_columns(fields)
    rows = (zip(sentence.words, column(sentence, LEMMA), *(column(sentence, name) for name in names))
            for sentence in sentences)
    found = dict.fromkeys(chain.from_iterable(rows))
    asked = ((question(word, dict(zip(names, values))), lemma) for word, lemma, *values in found if lemma)
    return [Pair(q.source, tuple(lemma), q.tags) for q, lemma in asked]


class Writer:
    """A transducer that writes lemmas, and what it has written so far.

    known   the words that training saw, which it is not asked
    """

    def __init__(self, transducer: Any, known: Vocab):
        self.transducer, self.known = transducer, known
        self._written: dict[Question, Written] = {}

    def unseen(self, words: Sequence[str]) -> list[int]:
        """Which of some words it is asked."""
        return [i for i, word in enumerate(words) if word not in self.known]

    def write(self, words: Sequence[str], context: Mapping[str, Sequence[Likely]]) -> list[Written]:
        """Lemmas of each word with their log P, from the likely values of each column of each word.

            P(l | form) = sum over the TRIED most probable combinations of values  P(values) P(l | form, values)
        """
        asked = [_questions(word, dict(zip(context, likely))) for word, *likely in zip(words, *context.values())]
        distinct, written = dict.fromkeys(q for each in asked for q, _ in each), self._written
        if len(written) + len(distinct) > REMEMBERED:
            written = self._written = {}  # what another thread has in hand stays as it is
        new = [q for q in distinct if q not in written]
        for q, answers in zip(new, self.transducer.transduce(new, BEAM)):
            written[q] = {"".join(a.symbols): a.log_probability for a in reversed(answers) if any(a.symbols)}
        return [_mixed([(written[q], p) for q, p in each]) for each in asked]


def _questions(word: str, context: Mapping[str, Likely]) -> list[tuple[Question, float]]:
    """The most probable questions about a word, and how probable each is among them."""
    combinations = [(math.prod(p for _, p in values), values) for values in product(*context.values())]
    best = sorted(combinations, key=lambda pair: -pair[0])[:TRIED]
    best = [(p, values) for p, values in best if p >= UNLIKELY * best[0][0]]
    total = sum(p for p, _ in best)
    return [(question(word, {name: value for name, (value, _) in zip(context, values)}), p / total)
            for p, values in best]


def _mixed(answers: Sequence[tuple[Written, float]]) -> Written:
    """What is written when it is not certain which question is the right one."""
    total: dict[str, float] = {}
    for written, p in answers:
        for lemma, log in written.items():
            total[lemma] = total.get(lemma, 0.0) + p * math.exp(log)
    return {lemma: math.log(max(p, TINIEST)) for lemma, p in total.items()}
