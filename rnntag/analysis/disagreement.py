"""Annotation errors: where a tagger that has not seen the sentence is sure that the corpus is wrong.

The taggers are those of a cross-validation, so no error has been learnt by heart (van Halteren 2000, "The detection
of inconsistency in manually tagged text"). For the tag t of a word w in context c, and another tag a, three
witnesses are asked, each by the logarithm of how much more it believes in a than in t:

    s(a) = log p(a) / p(t)  +  1/2 log q(a | w) / q(t | w)  +  1/2 log q(a | c) / q(t | c)

p is the tagger's probability. q(. | w) are relative frequencies of the tags of the word elsewhere in the corpus, and
q(. | c) those in the longest context that it shares with another place where it has another tag (variation.py), both
smoothed by p, as if p had been seen SMOOTHING times. A token is as suspect as its largest s(a).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..corpus import Sentence
from ..corpus.base import Column
from .variation import Variation, variations

FLOOR = 1e-4  # of a probability: what is not among the most probable tags that the answers have
SURE = 0.999  # of a tag: nothing but its context can speak against it
SMOOTHING = 1.0
SYSTEMATIC = 5  # so many places of one word with the same two tags are a question of the guideline
CONTEXT = 5  # words on either side, to show a token by

KINDS = {
    "slip": "the word never has this tag elsewhere, and has the other one often",
    "inconsistent": "the word has the other tag in the same context elsewhere",
    "guideline": f"the word has the two tags in {SYSTEMATIC} such places or more: decide once for all",
    "ambiguous": "the word has both tags elsewhere: the context decides",
    "rare word": "the word occurs too seldom to tell: only its form and its context speak",
}

Judgement = tuple[str, float, str, float, float, str]  # tag, probability, answer, probability, score, kind


@dataclass
class Suspect:
    """A token that is probably annotated wrongly.

    field              the column, "" for that of the tags
    tag, p_tag         what the corpus says, and its probability
    answer, p_answer   what is probably right
    score              s(answer): the larger, the more suspect
    kind               one of KINDS
    sentence, token    where it is, from 0; line is that of the sentence
    """

    field: str
    word: str
    tag: str
    p_tag: float
    answer: str
    p_answer: float
    score: float
    kind: str
    sentence: int
    line: int
    token: int
    before: list[str]
    after: list[str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, the token counted from 1."""
        return {**asdict(self), "sentence": self.sentence + 1, "token": self.token + 1}


class Witness:
    """The tags that places of one kind (those of a word, those in one context) have in the corpus."""

    def __init__(self) -> None:
        self.tags: Counter[str] = Counter()

    def shares(self, tag: str, p: Mapping[str, float], others: Sequence[str]) -> list[float]:
        """q of ``tag`` and of ``others`` at a place that has ``tag``, which does not count itself."""
        total = self.tags.total() - 1 + SMOOTHING
        return [(self.tags[each] - (each == tag) + SMOOTHING * max(p.get(each, 0.0), FLOOR)) / total
                for each in (tag, *others)]


def suspects(sentences: Sequence[Sentence], answers: Sequence[Sentence],
             varying: Sequence[Variation] | None = None) -> list[Suspect]:
    """The tokens of a tagged corpus for which another tag is more probable (s > 0), the most suspect first.

    answers   to the same sentences, with probabilities (Column.best), the more values the better
    varying   the variations of the corpus, where they are known already

    Of a token without tag nothing is said, nor of columns that only one side has.
    """
    found: list[Suspect] = []
    for field in _fields(sentences, answers):
        found += _of_column(field, sentences, answers, varying)
    return sorted(found, key=lambda suspect: -suspect.score)


def _fields(sentences: Sequence[Sentence], answers: Sequence[Sentence]) -> list[str]:
    """The columns that both have; where each has a single one, these are the same."""
    first = next((sentence for sentence in sentences if sentence.columns), Sentence([]))
    answered = next((answer for answer in answers if answer.columns), Sentence([]))
    return list(first.columns)[:1] if len(answered.columns) == 1 else [
        name for name in first.columns if name in answered.columns]


def _of_column(field: str, sentences: Sequence[Sentence], answers: Sequence[Sentence],
               varying: Sequence[Variation] | None) -> Iterator[Suspect]:
    words: dict[str, Witness] = defaultdict(Witness)
    for sentence in sentences:
        for word, tag in zip(sentence.words, _values(sentence, field)):
            words[word].tags[tag] += bool(tag)
    contexts = _contexts(varying if varying is not None else variations(sentences)) if not (
        sentences and list(sentences[0].columns)[:1] != [field]) else {}
    found: list[tuple[Judgement, int, int]] = []
    for number, (sentence, answer) in enumerate(zip(sentences, answers, strict=True)):
        column = answer.columns.get(field) or answer.first
        for i, (word, tag) in enumerate(zip(sentence.words, _values(sentence, field))):
            if tag and column is not None:
                suspect = _judged(word, tag, _probabilities(column, i), words[word],
                                  contexts.get((sentence.line, i + 1)))
                if suspect:
                    found.append((suspect, number, i))
    places = Counter((sentences[number].words[i], said[0], said[2]) for said, number, i in found)
    for said, number, i in found:
        tag, p_tag, answered, p_answer, score, kind = said
        words_of = sentences[number].words
        if places[words_of[i], tag, answered] >= SYSTEMATIC and kind != "slip":
            kind = "guideline"
        yield Suspect(field, words_of[i], tag, p_tag, answered, p_answer, score, kind, number, sentences[number].line,
                      i, words_of[max(0, i - CONTEXT):i], words_of[i + 1:i + 1 + CONTEXT])


def _values(sentence: Sentence, field: str) -> list[str]:
    column = sentence.columns.get(field)
    return column.values if column is not None else [""] * len(sentence)


def _probabilities(column: Column, i: int) -> dict[str, float]:
    return dict(column.best[i]) if column.best else {column.values[i]: 1.0}


def _contexts(varying: Sequence[Variation]) -> dict[tuple[int, int], Witness]:
    """What is known of the places (line, token) whose word varies in one context."""
    found: dict[tuple[int, int], Witness] = {}
    for variation in varying:
        witness = Witness()
        for tag, places in variation.tags.items():
            witness.tags[tag] = len(places)
            found.update((place, witness) for place in places)
    return found


def _judged(word: str, tag: str, p: dict[str, float], seen: Witness,
            context: Witness | None) -> Judgement | None:
    """What is said of one tag; None where it is not in doubt."""
    others = [each for each in {**p, **(context.tags if context else {})} if each != tag]
    if not others or context is None and p.get(tag, 0.0) > SURE:
        return None
    scores = [0.0] * len(others)
    witnesses = [(1.0, [max(p.get(each, 0.0), FLOOR) for each in (tag, *others)]),
                 (0.5, seen.shares(tag, p, others)), *([(0.5, context.shares(tag, p, others))] if context else [])]
    for weight, (own, *shares) in witnesses:
        scores = [score + weight * math.log(share / own) for score, share in zip(scores, shares)]
    score, answer = max(zip(scores, others))
    elsewhere, other = seen.tags[tag] - 1, seen.tags[answer]
    if elsewhere == 0 and other >= 2:
        kind = "slip"
    elif context is not None and context.tags[answer]:
        kind = "inconsistent"
    else:
        kind = "ambiguous" if elsewhere and other else "rare word"
    if score <= 0:
        return None
    return tag, p.get(tag, 0.0), answer, p.get(answer, 0.0), score, kind
