"""What looks wrong in a corpus: faults, and what deserves a look.

A fault is something that no corpus should have and that training or grading suffers from.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..corpus import Sentence
from ..corpus.tokenisation import Tokenisation
from ..errors import quote

LONG = 150  # tokens; a longer sentence is more often two that were not split
RARE = 10  # a tag seen less often is hardly learnt
INVISIBLE = frozenset("\u00ad\u200b\u2060\u180e")  # soft hyphen, zero-width space, word joiner


@dataclass
class Finding:
    """Something that looks wrong: is it a fault, what it is, how often, and where (places, as text)."""

    fault: bool
    what: str
    count: int
    places: list[str]


def findings(sentences: Sequence[Sentence]) -> list[Finding]:
    """What looks wrong in a tagged corpus, faults first."""
    return sorted([*_characters(sentences), *_normalisation(sentences), *_tokens(sentences), *_tags(sentences),
                   *_lines(sentences)], key=lambda finding: not finding.fault)


def odd_characters(text: str) -> list[tuple[bool, str]]:
    """(is it a fault?, what it is) for each kind of odd character in a word or tag."""
    kinds = set()
    for character in text:
        category = unicodedata.category(character)
        if category == "Cc":
            kinds.add((True, "control characters"))
        elif character == "\ufffd":
            kinds.add((True, "U+FFFD, which stands for text that was lost"))
        elif character == "\ufeff":
            kinds.add((True, "a byte order mark inside"))
        elif category in ("Zs", "Zl", "Zp"):
            kinds.add((False, "whitespace-like characters"))
        elif character in INVISIBLE:
            kinds.add((False, "invisible characters"))
        elif category in ("Co", "Cn"):
            kinds.add((False, "characters that Unicode does not define"))
    if text[:1] and unicodedata.combining(text[0]):
        kinds.add((False, "a combining mark at the start"))
    if not text.isascii() and _garbled(text):
        kinds.add((True, "UTF-8 that was read as Latin-1 or Windows-1252"))
    return sorted(kinds)


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
                    fault = fault or side == "tags"  # a tag is a name: nothing odd belongs in it
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
        yield Finding(False, "words that end in punctuation, more than there are punctuation tokens",
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
            again.append(f"line {sentence.line}, as line {first.line}: {beginning(sentence)}")
            if first.tags != sentence.tags:
                differently.append(again[-1])
    if again:
        yield Finding(False, "repeated sentences", len(again), again)
    if differently:
        yield Finding(False, "repeated sentences with other tags", len(differently), differently)


def beginning(sentence: Sentence, words: int = 6) -> str:
    """The first words of a sentence, to show it by."""
    text = " ".join(sentence.words[:words]) + (" ..." if len(sentence) > words else "")
    return quote(text, 80)
