"""What is right in an answer, counted: reference and answer side by side, and small functions over that.

``pair`` sets two corpora side by side, sentence by sentence, and refuses what does not match;
everything else here takes its pairs (as a list where they are needed more than once) and returns
numbers. How sure one can be of them: ``significance``; everything together: ``grading``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from ..corpus import Column, Sentence
from ..errors import CorpusError, plural, quote

BETWEEN = "\t"  # stands between the values of several columns: no value has one
MISSING = "(no tag)"  # the answered tag where there is none: no right one is called so


@dataclass(slots=True)
class Pair:
    """One sentence: its words (None when neither side has them), the right tags, the answered tags,
    and its line in the reference (0: not from a file).

    confidence  the probabilities of the answered tags, None when the answer gives none
    left_out    the words that have no right tag, by their position; what is above is without them
    """

    words: list[str] | None
    reference: list[str]
    answer: list[str]
    line: int = field(default=0, compare=False)
    confidence: list[float] | None = field(default=None, compare=False)
    left_out: dict[int, str] = field(default_factory=dict)

    def require_words(self) -> list[str]:
        """The words, where they are needed.

        Raises CorpusError when neither side has them.
        """
        if self.words is None:
            raise CorpusError("no words on either side", "known words can be told only from words",
                              "Give a reference in a format with words (wordtag).")
        return self.words

    @property
    def wrong(self) -> int:
        """How many tags are wrong."""
        return sum(map(str.__ne__, self.reference, self.answer))

    def tokens(self) -> list[tuple[str, str, str]]:
        """Word, right and answered tag of each token; both tags of a token that is left out are "". Without words
        the right tag stands for the word."""
        graded = zip(self.words or self.reference, self.reference, self.answer)
        return [(self.left_out[i], "", "") if i in self.left_out else next(graded)
                for i in range(len(self.reference) + len(self.left_out))]


class Score(NamedTuple):
    """How many are right, of how many."""

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
         answer_name: str = "answer", field: str | None = None) -> Iterator[Pair]:
    """The sentences of two corpora side by side, with the words of whichever has them, and what they have in the
    column ``field`` (default: the first).

    What has no tag in the reference is left out; where only the answer has none, it counts as MISSING.

    Raises CorpusError, with the line in both files, at the first sentence that only one of them
    has, or that differs in its number of tokens, or, where both have words, in a word; and when
    there is nothing to compare.
    """
    tokens = answered = 0
    for number, (right, given) in enumerate(zip_longest(reference, answer), 1):
        if right is None or given is None:
            longer, shorter, surplus = ((reference_name, answer_name, right) if given is None
                                        else (answer_name, reference_name, given))
            raise CorpusError(f"no sentence {number:,}", f"{longer} has one, in line {surplus.line}",
                              "Is it cut short, or of another text?", shorter)
        _compare_tokens(right, given, reference_name, f"{answer_name}:{given.line}")
        paired = _paired(right, given, field)
        tokens, answered = tokens + len(paired.reference), answered + any(tag != MISSING for tag in paired.answer)
        yield paired
    if not tokens or not answered:
        raise CorpusError("no tags", "at least one is needed to compare",
                          place=answer_name if tokens else reference_name)


def _column(sentence: Sentence, field: str | None) -> Column:
    """The column of this name; an empty one where there is none."""
    found = sentence.columns.get(field, sentence.columns.get("")) if field else sentence.first
    return found or Column([""] * len(sentence))


def _paired(right: Sentence, given: Sentence, field: str | None) -> Pair:
    words = right.words if _has_words(right) else given.words if _has_words(given) else None
    answered = _column(given, field)
    reference, best = _column(right, field).values, answered.best
    answer = [tag or MISSING for tag in answered.values]
    sure = None if best is None else [row[0][1] for row in best]
    if "" not in reference:
        return Pair(words, reference, answer, right.line, sure)
    graded = [i for i, tag in enumerate(reference) if tag]
    left_out = {i: words[i] if words else "" for i, tag in enumerate(reference) if not tag}
    return Pair(words and [words[i] for i in graded], [reference[i] for i in graded], [answer[i] for i in graded],
                right.line, sure and [sure[i] for i in graded], left_out)


def _compare_tokens(right: Sentence, given: Sentence, reference_name: str, place: str) -> None:
    where = f"{reference_name}:{right.line}"
    if len(right) != len(given):
        raise CorpusError(plural(len(given), "token"), f"{where} has {len(right):,}",
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
    for pair in pairs:
        correct += sum(map(str.__eq__, pair.reference, pair.answer))
        total += len(pair.reference)
    return Score(correct, total)


def sentence_accuracy(pairs: Iterable[Pair]) -> Score:
    """The sentences without a wrong tag, of all; blank lines are no sentences."""
    right = [pair.reference == pair.answer for pair in pairs if pair.reference]
    return Score(sum(right), len(right))


def accuracy_by_knowledge(pairs: Iterable[Pair], vocabulary: Collection[str]) -> tuple[Score, Score]:
    """The accuracy on known words, those in ``vocabulary`` (of the training corpus), and on the others.

    Raises CorpusError when neither side has words.
    """
    correct, total = [0, 0], [0, 0]
    for pair in pairs:
        for word, right, given in zip(pair.require_words() if pair.reference else (), pair.reference, pair.answer):
            unknown = word not in vocabulary
            correct[unknown] += right == given
            total[unknown] += 1
    return Score(correct[0], total[0]), Score(correct[1], total[1])


def confusion(pairs: Iterable[Pair]) -> Counter[tuple[str, str]]:
    """How often each tag (first) was answered by each tag (second), right answers included."""
    counts: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        counts.update(zip(pair.reference, pair.answer))
    return counts


def mistakes(counts: Counter[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """(right tag, answered tag, count) of the wrong answers, most frequent first, ties sorted."""
    wrong = [(right, given, count) for (right, given), count in counts.items() if right != given]
    return sorted(wrong, key=lambda item: (-item[2], item[:2]))


class TagScore(NamedTuple):
    """One tag: how often it was answered correctly, is in the reference (support), was answered."""

    correct: int
    support: int
    answered: int

    @property
    def precision(self) -> float:
        """correct / answered, 0 for a tag that was never answered."""
        return self.correct / self.answered if self.answered else 0.0

    @property
    def recall(self) -> float:
        """correct / support, 0 for a tag that the reference does not have."""
        return self.correct / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """2 correct / (support + answered): the harmonic mean of precision and recall."""
        return 2 * self.correct / (self.support + self.answered) if self.support + self.answered else 0.0


def tag_scores(counts: Counter[tuple[str, str]]) -> dict[str, TagScore]:
    """The score of each tag of either side, from ``confusion``; the most frequent first, ties sorted."""
    support: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for (right, given), count in counts.items():
        support[right] += count
        answered[given] += count
    return {tag: TagScore(counts[tag, tag], support[tag], answered[tag])
            for tag in sorted(support | answered, key=lambda tag: (-support[tag], tag))}


def macro_f1(scores: Mapping[str, TagScore]) -> float:
    """The unweighted mean F1 over the tags that the reference has."""
    f1 = [score.f1 for score in scores.values() if score.support]
    return sum(f1) / len(f1) if f1 else float("nan")


def ambiguous_words(sentences: Iterable[Sentence]) -> set[str]:
    """The words with more than one tag in a tagged corpus."""
    first: dict[str, str] = {}
    return {word for sentence in sentences for word, tag in zip(sentence.words, sentence.tags or [])
            if first.setdefault(word, tag) != tag}


class Example(NamedTuple):
    """A token in its context: line in the reference, position from 1, words around it."""

    line: int
    token: int
    before: list[str]
    word: str
    after: list[str]


def examples(pairs: Iterable[Pair], limit: int, context: int = 4) -> dict[tuple[str, str], list[Example]]:
    """For each right and answered tag that differ, the first ``limit`` places with ``context`` words
    on either side; only of sentences with words."""
    places: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for pair in pairs:
        if pair.words is None or not pair.wrong:
            continue
        tokens = pair.tokens()
        words = [word for word, _, _ in tokens]
        for i, (word, right, given) in enumerate(tokens):
            if right != given and len(places[right, given]) < limit:
                places[right, given].append(Example(pair.line, i + 1, words[max(0, i - context):i], word,
                                                    words[i + 1:i + 1 + context]))
    return dict(places)


def map_tags(sentences: Iterable[Sentence], mapping: Mapping[str, str]) -> Iterator[Sentence]:
    """The sentences with each tag of the first column replaced as ``mapping`` says; a tag that it lacks stays."""
    for sentence in sentences:
        columns = dict(sentence.columns)
        for name, first in list(columns.items())[:1]:
            columns[name] = Column([mapping.get(tag, tag) for tag in first.values], first.best)
        yield Sentence(sentence.words, columns, sentence.line)


def together(columns: Sequence[Sequence[Pair]]) -> Iterator[Pair]:
    """The pairs of several columns as those of one: a token is right when it is right in all of them.

    What a column leaves out says nothing; a token that all leave out is left out.
    """
    for pairs in zip(*columns, strict=True):
        tokens = list(zip(*(pair.tokens() for pair in pairs)))
        kept = [token for token in tokens if any(right for _, right, _ in token)]
        out = {i: token[0][0] for i, token in enumerate(tokens) if not any(right for _, right, _ in token)}
        reference, answer = ([BETWEEN.join(value[side] for value in token) for token in kept] for side in (1, 2))
        words = [token[0][0] for token in kept] if pairs[0].words is not None else None
        yield Pair(words, reference, answer, pairs[0].line, left_out=out)
