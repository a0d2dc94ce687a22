"""Which sentences to annotate next: those that a tagger should learn most from.

A token is worth the tagger's uncertainty about it, 1 - p of its most probable tag, and more when training has not
seen the word. A word that has been chosen already is worth less each time, so that sentences of different text are
chosen, and never one sentence twice:

    value(S) = sum over words w of sum_k u_(k) DISCOUNT^k      u_(0), u_(1) ... the worths of w in S, as they came

A sentence costs its tokens and OVERHEAD more. Greedily, the one that adds the most value for its cost comes next;
because values only fall as others are chosen, few have to be computed again (Minoux 1978, "Accelerated greedy
algorithms"; Settles and Craven 2008 compare measures of uncertainty for sequences).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass

from ..corpus import Sentence

UNSEEN = 0.1  # more that a word is worth that training has not seen
DISCOUNT = 0.5  # what is left of the worth of a word when it has been chosen once more
OVERHEAD = 5  # tokens: what a sentence costs beside its own
POOL = 20_000  # sentences that are kept, the best by themselves, of a text of any length


@dataclass
class Suggestion:
    """A sentence with the tagger's answer, and why it was chosen.

    sure     mean probability of its tags
    unseen   its words that training has not seen
    """

    sentence: Sentence
    sure: float
    unseen: list[str]


def suggestions(answered: Iterable[Sentence], known: Container[str], count: int,
                pool: int = POOL) -> list[Suggestion]:
    """The ``count`` sentences to annotate, the most useful first.

    answered   sentences with the tagger's answers and their probabilities (Column.best)
    known      the words of its training corpus
    """
    candidates = _candidates(answered, known, max(pool, count))
    chosen: list[Suggestion] = []
    taken: Counter[str] = Counter()
    heap = [(-_gain(sentence, worths, taken), number) for number, (sentence, worths) in enumerate(candidates)]
    heapq.heapify(heap)
    while heap and len(chosen) < count:
        _, number = heapq.heappop(heap)
        sentence, worths = candidates[number]
        gain = _gain(sentence, worths, taken)  # no more than before: others have been chosen since
        if heap and -gain > heap[0][0]:
            heapq.heappush(heap, (-gain, number))
            continue
        taken.update(sentence.words)
        chosen.append(Suggestion(sentence, _sure(sentence), [word for word in sentence.words if word not in known]))
    return chosen


def _candidates(answered: Iterable[Sentence], known: Container[str], pool: int) -> list[tuple[Sentence, list[float]]]:
    """The ``pool`` best sentences by themselves, each once, with the worths of their tokens, in order of the text."""
    seen: set[int] = set()
    heap: list[tuple[float, int, Sentence, list[float]]] = []
    nothing: Counter[str] = Counter()
    for number, sentence in enumerate(answered):
        same = hash(tuple(sentence.words))
        if not sentence.words or same in seen:
            continue
        seen.add(same)
        worths = [1 - p + UNSEEN * (word not in known) for word, p in zip(sentence.words, probabilities(sentence))]
        entry = _gain(sentence, worths, nothing), -number, sentence, worths
        if len(heap) < pool:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    return [(sentence, worths) for _, _, sentence, worths in sorted(heap, key=lambda entry: -entry[1])]


def _gain(sentence: Sentence, worths: list[float], taken: Counter[str]) -> float:
    """What the sentence adds to the value, for each token that it costs."""
    own: Counter[str] = Counter()
    value = 0.0
    for word, worth in zip(sentence.words, worths):
        value += worth * DISCOUNT ** (taken[word] + own[word])
        own[word] += 1
    return value / (len(sentence) + OVERHEAD)


def probabilities(sentence: Sentence) -> list[float]:
    """How sure the tagger is of each word: of the column that it is least sure of."""
    columns = [[row[0][1] for row in column.best] for column in sentence.columns.values() if column.best]
    return list(map(min, zip(*columns)))


def _sure(sentence: Sentence) -> float:
    return sum(probabilities(sentence)) / len(sentence)
