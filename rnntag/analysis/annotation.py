"""Correcting a corpus sentence by sentence: what there is to see, what is doubtful, what comes next, how far one is.

Nothing here knows of a server or a page. Everything goes out as JSON values. Sentences are counted from 0.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any

from ..corpus import Sentence
from ..corpus.document import Document, Values
from ..corpus.session import Session
from ..errors import RnntagError
from ..evaluation.significance import wilson
from .concordance import Concordance

DOUBT = 0.8  # a value whose probability is lower is doubtful
MANY = 400  # values of a column that are listed to choose from; more are found by typing
ALTERNATIVES = 5
EXAMPLES = 6
AROUND = 4  # words of an example on either side


class StaleError(RnntagError):
    """What was sent belongs to an older state of the sentence."""


class Annotation:
    """A document that somebody works through, with what taggers say of it.

    answers      for each sentence what a tagger says of it, with probabilities, or None
    generation   grows with every change of the answers

    All methods may be called from several threads.
    """

    def __init__(self, document: Document, session: Session, answers: Sequence[Sentence | None] = ()):
        self.document, self.session = document, session
        self.lock = RLock()
        self.generation = 0
        self._undone: list[tuple[int, int, bool]] = []  # accepted sentences, their changes, were they done before
        self._start()
        self.answers: list[Sentence | None] = [*answers] or [None] * len(document.sentences)

    def _start(self) -> None:
        sentences = self.document.sentences
        self.keys = _keys(sentences)
        self.versions = [0] * len(sentences)
        self._judged: dict[int, tuple[float, float]] = {}
        self.concordance = Concordance(sentences)
        self._undone.clear()

    def reload(self) -> None:
        """Read the file again; what taggers said stays with the sentences that are still there."""
        with self.lock:
            said = dict(zip(self.keys, self.answers))
            self.document.read()
            self._start()
            self.answers = [said.get(key) for key in self.keys]
            self.generation += 1

    def learn(self, answers: Mapping[str, Sentence]) -> None:
        """New answers, by the keys of their sentences."""
        with self.lock:
            self.answers = [answers.get(key, old) for key, old in zip(self.keys, self.answers)]
            self._judged.clear()
            self.generation += 1

    # -------------------------------------------------------------- to see

    def overview(self) -> dict[str, Any]:
        """The document as a whole: its columns with their values, the most frequent first."""
        with self.lock:
            counts: dict[str, Counter[str]] = defaultdict(Counter)
            for number in range(len(self.keys)):
                for field in self.document.fields:
                    counts[field].update(filter(None, self.document.values(number, field)))
                    answer = self._answer(number, field)
                    counts[field].update({row[0][0]: 0 for row in answer} if answer else {})
            fields = [{"name": field, "values": [value for value, _ in counts[field].most_common(MANY)],
                       "closed": field not in ("lemma", "feats") and len(counts[field]) <= MANY}
                      for field in self.document.fields]
            return {"name": self.document.path.name, "fields": fields, "lines": [
                sentence.line for sentence in self.document.sentences], **self.progress()}

    def sentence(self, number: int) -> dict[str, Any]:
        """A sentence: its words, the columns as the file has them, and what the tagger says."""
        with self.lock:
            sentence, fields = self._checked(number), []
            for field in self.document.fields:
                values, answer = self.document.values(number, field), self._answer(number, field)
                fields.append({"name": field, "values": values, "best": [
                    [[value, round(p, 4)] for value, p in row[:ALTERNATIVES]] for row in answer] if answer else None,
                    "doubts": [round(doubt, 4) for doubt in self._doubts(number, field)]})
            return {"number": number, "line": sentence.line, "version": self.versions[number],
                    "words": sentence.words, "fields": fields, "done": self.keys[number] in self.session.accepted,
                    "doubtful": DOUBT, "generation": self.generation}

    def examples(self, number: int, token: int) -> list[dict[str, Any]]:
        """Other places of a word of a sentence, the most alike first, with the values that they have."""
        with self.lock:
            if not 0 <= token < len(self._checked(number)):
                raise RnntagError(f"no token {token}", f"there are {len(self.document.sentences[number])}")
            found = []
            for other, i in self.concordance.nearest(number, token, EXAMPLES):
                words = self.document.sentences[other].words
                found.append({"number": other, "line": self.document.sentences[other].line, "token": i,
                              "before": words[max(0, i - AROUND):i], "word": words[i],
                              "after": words[i + 1:i + 1 + AROUND], "done": self.keys[other] in self.session.accepted,
                              "values": [self.document.values(other, field)[i] for field in self.document.fields]})
            return found

    def next(self, number: int, order: str) -> int | None:
        """The sentence to do after this one: the next in the file, or the most doubtful of all; None when all are
        done."""
        with self.lock:
            left = [n for n, key in enumerate(self.keys) if key not in self.session.accepted and n != number]
            if not left:
                return None
            if order == "doubt":
                return max(left, key=lambda n: (self.doubt(n), -n))
            return next((n for n in left if n > number), left[0])

    def doubt(self, number: int) -> float:
        """How doubtful a sentence is: the sum of its tokens' doubts, for each of its tokens and five more."""
        return self._looked_at(number)[0]

    def _looked_at(self, number: int) -> tuple[float, float]:
        """The doubt of a sentence, and how many values of its first column are probably right."""
        if number not in self._judged:
            rows = [self._doubts(number, field) for field in self.document.fields]
            doubt = sum(map(max, zip(*rows))) / (len(rows[0]) + 5)
            self._judged[number] = doubt, sum(1 - doubt for doubt in rows[0])
        return self._judged[number]

    def progress(self) -> dict[str, Any]:
        """How many sentences are done, how often the tagger was right on them, and what is to be expected of the
        others."""
        with self.lock:
            done = [record for key in self.keys if (record := self.session.accepted.get(key))]
            judged, agreed = (sum(record[name] for record in done) for name in ("judged", "agreed"))
            expected, tokens = self._expected()
            return {"sentences": len(self.keys), "done": len(done), "done_tokens": sum(r["tokens"] for r in done),
                    "tokens": sum(map(len, self.document.sentences)), "changed": sum(len(r["changed"]) for r in done),
                    "judged": judged, "agreed": agreed, "interval": list(wilson(agreed, judged)) if judged else None,
                    "expected": expected / tokens if tokens else None, "generation": self.generation,
                    "undo": bool(self._undone)}

    def _expected(self) -> tuple[float, int]:
        """The sum of the probabilities of the first column's values in the sentences not done, and their number."""
        total, tokens = 0.0, 0
        for number, key in enumerate(self.keys):
            if key not in self.session.accepted and self._answer(number, self.document.fields[0]):
                total += self._looked_at(number)[1]
                tokens += len(self.document.sentences[number])
        return total, tokens

    def _answer(self, number: int, field: str) -> list[list[tuple[str, float]]] | None:
        """What the tagger says of a column: for each word its most probable values."""
        answer = self.answers[number]
        if answer is None:
            return None
        column = answer.columns.get(field)
        if column is None and field == self.document.fields[0] and (not field or "" in answer.columns):
            column = answer.first
        if column is None:
            return None
        return column.best or [[(value, 1.0)] for value in column.values]

    def _doubts(self, number: int, field: str) -> list[float]:
        """1 - p of each value, p being the tagger's probability; of a missing value that of the tagger's own. Nothing
        is doubtful without a tagger, but what is missing."""
        values, answer = self.document.values(number, field), self._answer(number, field)
        if answer is None:
            return [float(not value) for value in values]
        return [1 - (dict(row).get(value, 0.0) if value else row[0][1]) for value, row in zip(values, answer)]

    def _checked(self, number: int) -> Sentence:
        if not 0 <= number < len(self.keys):
            raise RnntagError(f"no sentence {number}", f"there are {len(self.keys)}")
        return self.document.sentences[number]

    # -------------------------------------------------------------- to do

    def accept(self, number: int, version: int, values: Values) -> int:
        """Save a sentence with these values, as done; returns how many were changed.

        Raises StaleError when the sentence has changed since ``version``, and what ``Document.change`` raises.
        """
        with self.lock:
            self._checked(number)
            if version != self.versions[number]:
                raise StaleError("the sentence has been changed elsewhere, perhaps in another window",
                                 "nothing was saved", "Look at it again.")
            changes = self.document.change(number, values)
            key, field = self.keys[number], self.document.fields[0]
            judged = [(row[0][0], value) for row, value in zip(
                self._answer(number, field) or [], self.document.values(number, field)) if value]
            self._undone.append((number, len(changes), key in self.session.accepted))
            self._touched(number)
            self.session.add({"sentence": key, "line": self.document.sentences[number].line,
                              "tokens": len(self.document.sentences[number]), "judged": len(judged),
                              "agreed": sum(a == b for a, b in judged),
                              "changed": [[each.token, each.field, each.old, each.new] for each in changes]})
            return len(changes)

    def undo(self) -> int | None:
        """Take the last acceptance back; returns its sentence, None when there is none."""
        with self.lock:
            if not self._undone:
                return None
            number, changes, before = self._undone[-1]
            if changes:
                self.document.undo()
            self._undone.pop()
            self._touched(number)
            if not before:
                self.session.add({"sentence": self.keys[number], "undone": True})
            return number

    def _touched(self, number: int) -> None:
        self.versions[number] += 1
        self._judged.pop(number, None)

    def done(self) -> list[Sentence]:
        """The sentences that are done, as they are now."""
        with self.lock:
            return [_copy(sentence) for key, sentence in zip(self.keys, self.document.sentences)
                    if key in self.session.accepted]

    def all(self) -> list[tuple[str, Sentence]]:
        """All sentences as they are now, with their keys."""
        with self.lock:
            return [(key, _copy(sentence)) for key, sentence in zip(self.keys, self.document.sentences)]


def _copy(sentence: Sentence) -> Sentence:
    return Sentence(sentence.words, dict(sentence.columns), sentence.line)


def _keys(sentences: Sequence[Sentence]) -> list[str]:
    """A name for each sentence: a digest of its words, and how many like it came before."""
    times: Counter[str] = Counter()
    keys = []
    for sentence in sentences:
        digest = hashlib.sha256("\n".join(sentence.words).encode("utf-8", "surrogatepass")).hexdigest()[:24]
        keys.append(f"{digest}.{times[digest]}")
        times[digest] += 1
    return keys
