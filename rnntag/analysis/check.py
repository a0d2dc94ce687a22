"""What a corpus is like: counts, the baseline, what it shares with a test corpus, and what looks wrong in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from ..corpus import Sentence
from ..corpus.split import folds
from ..evaluation import Score
from .disagreement import Suspect
from .findings import Finding, beginning, findings
from .variation import OddOne, Variation, odd_ones, variations

FOLDS = 10  # of the baseline
SHARED = 0.5  # a test set with more of its sentences in the training corpus measures memory


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


@dataclass
class Overlap:
    """What a test corpus shares with its training corpus."""

    sentences: int
    tokens: int
    shared_sentences: int
    unknown_tokens: int
    findings: list[Finding]


@dataclass
class Report:
    """All that is said of a corpus; ``overlap`` is None without a test corpus, ``suspects`` without a tagger."""

    counts: Counts
    baseline: Score
    findings: list[Finding]
    variations: list[Variation]
    odd: list[OddOne]
    overlap: Overlap | None
    suspects: list[Suspect] | None = None

    @property
    def fault(self) -> bool:
        """Is there a fault in the corpus, or in what it shares with the test corpus?"""
        return any(finding.fault for finding in [*self.findings, *(self.overlap.findings if self.overlap else [])])

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"counts": asdict(self.counts), "baseline": self.baseline._asdict(),
                "findings": [asdict(finding) for finding in self.findings],
                "variations": [asdict(variation) for variation in self.variations],
                "odd": [odd._asdict() for odd in self.odd],
                "suspects": None if self.suspects is None else [suspect.to_dict() for suspect in self.suspects],
                "test": self.overlap and asdict(self.overlap), "fault": self.fault}


def check(sentences: Sequence[Sentence], test: Sequence[Sentence] | None = None) -> Report:
    """Look at a tagged corpus of at least one token, and at what it shares with a test corpus."""
    return Report(count(sentences), baseline(sentences, test), findings(sentences), variations(sentences),
                  odd_ones(sentences), overlap(sentences, test) if test is not None else None)


def count(sentences: Sequence[Sentence]) -> Counts:
    """Count a tagged corpus of at least one token."""
    uses = _uses(sentences)
    tags = uses.pop(None)
    ambiguous = [counts.total() for counts in uses.values() if len(counts) > 1]
    longest = max(sentences, key=len)
    return Counts(len(sentences), tags.total(), len(uses), sum(counts.total() == 1 for counts in uses.values()),
                  dict(sorted(tags.items(), key=lambda item: (-item[1], item[0]))),
                  median(map(len, sentences)), len(longest), longest.line, len(ambiguous), sum(ambiguous))


def baseline(sentences: Sequence[Sentence], test: Sequence[Sentence] | None = None) -> Score:
    """How often a word's most frequent tag in ``sentences`` is right in ``test``. Without ``test``, each of FOLDS
    parts of ``sentences`` is tagged from the others.

    Unknown words get the most frequent tag of all. Of equally frequent tags the first by name is taken.
    A lone sentence without ``test`` has no score.
    """
    known = _uses(sentences)
    correct = total = 0
    parts = [test] if test is not None else [
        [sentences[i] for i in fold] for fold in folds(len(sentences), min(FOLDS, len(sentences)))]
    for part in parts:
        asked = _uses(part)
        learnt = known if test is not None else {word: known[word] - asked[word] for word in asked}
        usual = _most_frequent(learnt[None])
        for word, tags in asked.items():
            if word is not None and usual is not None:
                correct += tags[_most_frequent(learnt.get(word, Counter())) or usual]
                total += tags.total()
    return Score(correct, total)


def _uses(sentences: Iterable[Sentence]) -> dict[str | None, Counter[str]]:
    """How often each word has each tag; None: all words together."""
    pairs = Counter(pair for sentence in sentences for pair in zip(sentence.words, sentence.tags or []))
    uses: dict[str | None, Counter[str]] = defaultdict(Counter)
    for (word, tag), number in pairs.items():
        uses[word][tag] += number
        uses[None][tag] += number
    return uses


def _most_frequent(tags: Counter[str]) -> str | None:
    return min(tags, key=lambda tag: (-tags[tag], tag), default=None)


def overlap(train: Sequence[Sentence], test: Sequence[Sentence]) -> Overlap:
    """Compare a test corpus with its training corpus: shared sentences, unknown words, unknown tags.

    It is a fault when more than half of the test sentences are training sentences too.
    """
    known = {tuple(sentence.words): sentence for sentence in train}
    words = {word for sentence in train for word in sentence.words}
    tags = {tag for sentence in train for tag in sentence.tags or []}
    shared = [sentence for sentence in test if tuple(sentence.words) in known]
    seen = []
    if shared:
        seen.append(Finding(len(shared) > SHARED * len(test), "test sentences that are in the training corpus too",
                            len(shared), [f"line {s.line}, training line {known[tuple(s.words)].line}: {beginning(s)}"
                                          for s in shared]))
    new = Counter(tag for sentence in test for tag in sentence.tags or [] if tag not in tags)
    if new:
        seen.append(Finding(False, "tags of the test corpus that the training corpus lacks", len(new),
                            [f"{tag} ({n} tokens)" for tag, n in new.most_common()]))
    unknown = sum(word not in words for sentence in test for word in sentence.words)
    return Overlap(len(test), sum(map(len, test)), len(shared), unknown, seen)
