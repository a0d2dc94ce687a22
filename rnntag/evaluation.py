"""How good answers are: reference and answer side by side, and small functions over that.

``pair`` sets two corpora side by side, sentence by sentence, and refuses what does not match;
everything else here takes the pairs it gives (a list, to be gone over more than once) and returns
numbers. Nothing prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from .corpus import Sentence
from .errors import CorpusError, quote


@dataclass(slots=True)
class Pair:
    """One sentence: its words (None when neither side has them), the right tags, the answered tags."""

    words: list[str] | None
    reference: list[str]
    answer: list[str]


class Score(NamedTuple):
    """So many right of so many."""

    correct: int
    total: int

    @property
    def accuracy(self) -> float:
        """The share that is right, 0 to 1; not a number when there is nothing to be right."""
        return self.correct / self.total if self.total else float("nan")

    def __str__(self) -> str:
        """``90.82% (4144/4563)``, as the tutorial's script writes it; ``none`` for none."""
        return f"{self.accuracy:.2%} ({self.correct}/{self.total})" if self.total else "none"


def pair(reference: Iterable[Sentence], answer: Iterable[Sentence], reference_name: str = "reference",
         answer_name: str = "answer") -> Iterator[Pair]:
    """The sentences of two corpora side by side, with the words of whichever has them.

    Raises CorpusError, with the line in both files, at the first sentence that only one of them
    has, or that differs in its number of tokens, or, where both have words, in a word; and when
    there is nothing to compare.
    """
    tokens = 0
    for number, (right, given) in enumerate(zip_longest(reference, answer), 1):
        if right is None or given is None:
            longer, shorter, surplus = ((reference_name, answer_name, right) if given is None
                                        else (answer_name, reference_name, given))
            raise CorpusError(f"no sentence {number:,}", f"{longer} has one, in line {surplus.line}",
                              "Is it cut short, or of another text?", shorter)
        if right.tags is None or given.tags is None:
            name, sentence = (reference_name, right) if right.tags is None else (answer_name, given)
            raise CorpusError("a sentence without tags", "only tags can be compared",
                              place=f"{name}:{sentence.line}")
        _compare_tokens(right, given, reference_name, f"{answer_name}:{given.line}")
        tokens += len(right)
        yield Pair(right.words if _has_words(right) else given.words if _has_words(given) else None,
                   right.tags, given.tags)
    if not tokens:
        raise CorpusError("no tags", "at least one is needed to compare", place=reference_name)


def _compare_tokens(right: Sentence, given: Sentence, reference_name: str, place: str) -> None:
    where = f"{reference_name}:{right.line}"
    if len(right) != len(given):
        raise CorpusError(f"{len(given)} tokens", f"{where} has {len(right)}",
                          "Is a line missing before, or are they of different texts?", place)
    if right.words != given.words and _has_words(right) and _has_words(given):
        position = next(i for i, (a, b) in enumerate(zip(right.words, given.words)) if a != b)
        raise CorpusError(f"token {position + 1} is {quote(given.words[position])}",
                          f"{where} has {quote(right.words[position])} there",
                          "Are they of different texts?", place)


def _has_words(sentence: Sentence) -> bool:
    return any(sentence.words)


def accuracy(pairs: Iterable[Pair]) -> Score:
    """The tags that are right, of all."""
    correct = total = 0
    for each in pairs:
        correct += sum(map(str.__eq__, each.reference, each.answer))
        total += len(each.reference)
    return Score(correct, total)


def accuracy_by_knowledge(pairs: Iterable[Pair], vocabulary: Collection[str]) -> tuple[Score, Score]:
    """The accuracy on known words, those in ``vocabulary`` (of the training corpus), and on the others.

    Raises CorpusError when neither side has words.
    """
    correct, total = [0, 0], [0, 0]
    for each in pairs:
        if each.words is None:
            if each.reference:
                raise CorpusError("no words on either side", "known words can be told only from words",
                                  "Give a reference in a format with words (wordtag).")
            continue
        for word, right, given in zip(each.words, each.reference, each.answer):
            unknown = word not in vocabulary
            correct[unknown] += right == given
            total[unknown] += 1
    return Score(correct[0], total[0]), Score(correct[1], total[1])


def confusion(pairs: Iterable[Pair]) -> Counter[tuple[str, str]]:
    """How often each tag (first) was answered by each tag (second), right answers included."""
    counts: Counter[tuple[str, str]] = Counter()
    for each in pairs:
        counts.update(zip(each.reference, each.answer))
    return counts


def mistakes(counts: Counter[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """(right tag, answered tag, count) of the wrong answers, most frequent first, ties sorted."""
    wrong = [(right, given, count) for (right, given), count in counts.items() if right != given]
    return sorted(wrong, key=lambda item: (-item[2], item[:2]))
