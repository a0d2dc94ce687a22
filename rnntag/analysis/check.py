"""What a corpus is like, and what looks wrong in it: counts, faults, notes, likely annotation errors.

A fault is something that no corpus should have, and that training or grading suffers from; a note
deserves a look.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from ..corpus import Sentence
from ..corpus.split import folds
from ..errors import quote
from ..evaluation import Score, ambiguous_words
from ..corpus.tokenisation import Tokenisation

LONG = 150  # tokens; a longer sentence is more often two that were not split
RARE = 10  # a tag seen less often is hardly learnt
FOLDS = 10  # of the baseline
SHARED = 0.5  # a test set with more of its sentences in the training corpus measures memory
INVISIBLE = frozenset("\u00ad\u200b\u2060\u180e")  # soft hyphen, zero-width space, word joiner


@dataclass
class Finding:
    """Something found: is it a fault, what it is, how often, and where (places, as text)."""

    fault: bool
    what: str
    count: int
    places: list[str]


@dataclass
class Counts:
    """What a corpus has. ``ambiguous_tokens``: tokens of words with more than one tag."""

    sentences: int
    tokens: int
    words: int
    once: int
    tags: dict[str, int]
    median_length: float
    longest: int
    longest_line: int
    ambiguous_words: int
    ambiguous_tokens: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def count(sentences: Sequence[Sentence]) -> Counts:
    """Count a tagged corpus of at least one token."""
    pairs = Counter(pair for sentence in sentences for pair in zip(sentence.words, sentence.tags or []))
    words: Counter[str] = Counter()
    tags: Counter[str] = Counter()
    for (word, tag), number in pairs.items():
        words[word] += number
        tags[tag] += number
    ambiguous = ambiguous_words(sentences)
    longest = max(sentences, key=len)
    return Counts(len(sentences), sum(words.values()), len(words), sum(n == 1 for n in words.values()),
                  dict(sorted(tags.items(), key=lambda item: (-item[1], item[0]))),
                  median(map(len, sentences)), len(longest), longest.line, len(ambiguous),
                  sum(words[word] for word in ambiguous))


def baseline(sentences: Sequence[Sentence], test: Sequence[Sentence] | None = None) -> Score:
    """How often its most frequent tag in ``sentences`` is right for a word of ``test``; without it out of
    fold: every FOLDS-th sentence is tagged by what the others have.

    Unknown words get the most frequent tag of all; of equally frequent ones the first by name is taken.
    A lone sentence without ``test`` has no score.
    """
    known = _uses(sentences)
    correct = total = 0
    for part in [test] if test is not None else [[sentences[i] for i in fold] for fold in folds(
            len(sentences), min(FOLDS, len(sentences)))]:
        there = _uses(part)
        left = known if test is not None else {word: known[word] - there[word] for word in there}
        usual = _most_frequent(left[None])
        for word, tags in there.items():
            if word is not None and usual is not None:
                correct += tags[_most_frequent(left.get(word, Counter())) or usual]
                total += tags.total()
    return Score(correct, total)


def _uses(sentences: Iterable[Sentence]) -> dict[str | None, Counter[str]]:
    """How often each word has each tag; None: all words together."""
    pairs = Counter(pair for sentence in sentences for pair in zip(sentence.words, sentence.tags or []))
    found: dict[str | None, Counter[str]] = defaultdict(Counter)
    for (word, tag), number in pairs.items():
        found[word][tag] += number
        found[None][tag] += number
    return found


def _most_frequent(tags: Counter[str]) -> str | None:
    return min(tags, key=lambda tag: (-tags[tag], tag), default=None)


# ------------------------------------------------------------------ faults and notes


def findings(sentences: Sequence[Sentence]) -> list[Finding]:
    """What looks wrong in a tagged corpus, faults first."""
    found = [*_characters(sentences), *_normalisation(sentences), *_tokens(sentences), *_tags(sentences),
             *_lines(sentences)]
    return sorted(found, key=lambda each: not each.fault)


def odd_characters(text: str) -> list[tuple[bool, str]]:
    """(is it a fault?, what it is) for each kind of odd character in a word or tag."""
    found = set()
    for character in text:
        kind = unicodedata.category(character)
        if kind == "Cc":
            found.add((True, "control characters"))
        elif character == "\ufffd":
            found.add((True, "U+FFFD, which stands for text that was lost"))
        elif character == "\ufeff":
            found.add((True, "a byte order mark inside"))
        elif kind in ("Zs", "Zl", "Zp"):
            found.add((False, "whitespace-like characters"))
        elif character in INVISIBLE:
            found.add((False, "invisible characters"))
        elif kind in ("Co", "Cn"):
            found.add((False, "characters that Unicode does not define"))
    if text[:1] and unicodedata.combining(text[0]):
        found.add((False, "a combining mark at the start"))
    if not text.isascii() and _garbled(text):
        found.add((True, "UTF-8 that was read as Latin-1 or Windows-1252"))
    return sorted(found)


def _garbled(text: str) -> bool:
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8") != text
        except UnicodeError:
            continue
    return False


def _characters(sentences: Iterable[Sentence]) -> Iterator[Finding]:
    judged: dict[str, list[tuple[bool, str]]] = {}
    places: dict[tuple[bool, str, str], list[str]] = defaultdict(list)
    for sentence in sentences:
        for side, items in (("words", sentence.words), ("tags", sentence.tags or [])):
            for i, item in enumerate(items, 1):
                if item not in judged:
                    judged[item] = odd_characters(item)
                for fault, what in judged[item]:
                    fault = fault or side == "tags"  # a tag is a name: nothing odd belongs into it
                    places[fault, what, side].append(f"line {sentence.line}, token {i}: {ascii(item)}")
    for (fault, what, side), where in places.items():
        yield Finding(fault, f"{side} with {what}", len(where), where)


def _normalisation(sentences: Iterable[Sentence]) -> Iterator[Finding]:
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    lines: dict[str, int] = {}
    for sentence in sentences:
        for word in sentence.words:
            if not word.isascii():
                forms[unicodedata.normalize("NFC", word)][word] += 1
                lines.setdefault(word, sentence.line)
    mixed = [counts for counts in forms.values() if len(counts) > 1]
    if mixed:
        yield Finding(True, "words written in more than one Unicode normal form", len(mixed), [
            " and ".join(f"{ascii(word)} ({n}, line {lines[word]})" for word, n in counts.most_common())
            for counts in mixed])
    total = Counter(word == composed for composed, counts in forms.items() for word in counts)
    if total[True] and total[False]:
        odd = [word for composed, counts in forms.items() for word in counts if word != composed]
        yield Finding(False, "words that are not in the composed form (NFC), among others that are", len(odd),
                      [f"line {lines[word]}: {ascii(word)}" for word in odd])


def _tokens(sentences: Iterable[Sentence]) -> Iterator[Finding]:
    seen = Tokenisation()
    places = [f"line {sentence.line}, token {i + 1}: {sentence.words[i]}"
              for sentence in sentences for i in seen.look(sentence.words)]
    if seen.lacking:
        yield Finding(False, "words with punctuation at their end, more than punctuation that is a token",
                      len(places), places)


def _tags(sentences: Iterable[Sentence]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for sentence in sentences:
        for i, (word, tag) in enumerate(zip(sentence.words, sentence.tags or []), 1):
            first.setdefault(tag, f"line {sentence.line}, token {i}: {word}")
            counts[tag] += 1
    once = [tag for tag, n in counts.items() if n == 1]
    if once:
        yield Finding(False, "tags that occur once", len(once), [f"{tag}, {first[tag]}" for tag in once])
    rare = sorted((tag for tag, n in counts.items() if 1 < n < RARE), key=lambda tag: (counts[tag], tag))
    if rare:
        yield Finding(False, f"tags that occur fewer than {RARE} times", len(rare),
                      [f"{tag} {counts[tag]} times, {first[tag]}" for tag in rare])
    alike: dict[str, list[str]] = defaultdict(list)
    for tag in counts:
        alike[unicodedata.normalize("NFKC", tag).casefold()].append(tag)
    twins = [group for group in alike.values() if len(group) > 1]
    if twins:
        yield Finding(False, "tags that differ only in case or form", len(twins),
                      [" and ".join(f"{tag} ({counts[tag]})" for tag in group) for group in twins])


def _lines(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    long = [sentence for sentence in sentences if len(sentence) > LONG]
    if long:
        yield Finding(False, f"sentences of more than {LONG} tokens", len(long),
                      [f"line {sentence.line}: {len(sentence)} tokens" for sentence in long])
    seen: dict[tuple[str, ...], Sentence] = {}
    again, differently = [], []
    for sentence in sentences:
        first = seen.setdefault(tuple(sentence.words), sentence)
        if first is not sentence:
            again.append(f"line {sentence.line}, as line {first.line}: {_start(sentence)}")
            if first.tags != sentence.tags:
                differently.append(again[-1])
    if again:
        yield Finding(False, "sentences that stood before", len(again), again)
    if differently:
        yield Finding(False, "sentences that stood before, with other tags", len(differently), differently)


# ------------------------------------------------------------------ training and test corpus


@dataclass
class Overlap:
    """What a test corpus shares with its training corpus; shares are 0 to 1."""

    sentences: int
    tokens: int
    shared_sentences: int
    unknown_tokens: int
    findings: list[Finding]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def overlap(train: Sequence[Sentence], test: Sequence[Sentence]) -> Overlap:
    """Compare a test corpus with its training corpus: sentences of both, unknown words, unknown tags.

    It is a fault when more than half of the test sentences are training sentences too.
    """
    known = {tuple(sentence.words): sentence for sentence in train}
    words = {word for sentence in train for word in sentence.words}
    tags = {tag for sentence in train for tag in sentence.tags or []}
    shared = [sentence for sentence in test if tuple(sentence.words) in known]
    found = []
    if shared:
        found.append(Finding(len(shared) > SHARED * len(test), "test sentences that are in the training corpus too",
                             len(shared), [f"line {s.line}, training line {known[tuple(s.words)].line}: {_start(s)}"
                                           for s in shared]))
    unseen = Counter(tag for sentence in test for tag in sentence.tags or [] if tag not in tags)
    if unseen:
        found.append(Finding(False, "tags of the test corpus that the training corpus lacks", len(unseen),
                             [f"{tag} ({n} tokens)" for tag, n in unseen.most_common()]))
    unknown = sum(word not in words for sentence in test for word in sentence.words)
    return Overlap(len(test), sum(map(len, test)), len(shared), unknown, found)


def _start(sentence: Sentence, words: int = 6) -> str:
    text = " ".join(sentence.words[:words]) + (" ..." if len(sentence) > words else "")
    return quote(text, 80)
