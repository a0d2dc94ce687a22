"""Lemmas of words that training did not see, written by an encoder-decoder that is given the word's other columns.

It is a transducer, part of a tagger, whose tags are the part of speech and the parts of FEATS: ``upos=VERB``,
``feats=Tense=Past``. Edit scripts (columns.py) say what is likely for the form in its sentence; the encoder-decoder
reads the word letter by letter, so that it knows what becomes of a stem. Which says what is best of both:

    auto       (log P(script) + KNOWN [l was seen] + FITTING [l was seen with t]) + WRITTEN log P(l | form, tags)
    seq2seq    log P(l | form, tags) alone
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from ..corpus import Sentence
from ..corpus.pairs import Pair, Question
from ..text.vocab import Vocab
from .columns import LEMMA, PART, column

LEMMATIZER = "lemmatizer"  # the part of a tagger
CONTEXT = ("upos", "feats")  # the columns that say what a lemma depends on
BEAM = 4
REMEMBERED = 1 << 16  # forms with their tags

WRITTEN = 0.5  # weight of log P of the encoder-decoder; docs/experiments.md has how it was found
WEIGHTS = {"auto": (1.0, WRITTEN), "seq2seq": (0.0, 1.0)}  # of edit scripts and encoder-decoder
LEAST_PAIRS = 500  # with fewer, "auto" leaves it to the scripts: they say too little about letters

Written = Mapping[str, float]  # lemmas, and log P of each


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

    def write(self, words: Sequence[str], context: Mapping[str, Sequence[str]]) -> list[Written | None]:
        """Lemmas of each word with their log P; None for one that training saw."""
        asked = [None if word in self.known else question(word, dict(zip(context, values)))
                 for word, *values in zip(words, *context.values())]
        distinct, written = dict.fromkeys(filter(None, asked)), self._written
        if len(written) + len(distinct) > REMEMBERED:
            written = self._written = {}  # what another thread has in hand stays as it is
        new = [q for q in distinct if q not in written]
        for q, answers in zip(new, self.transducer.transduce(new, BEAM)):
            written[q] = {"".join(a.symbols): a.log_probability for a in reversed(answers)}
        return [None if q is None else written[q] for q in asked]
