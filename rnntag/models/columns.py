"""What the values of a column are to the network: classes, and back again.

A tag is its own class. FEATS such as ``Case=Nom|Number=Sing`` are, too, and share what is learnt of their parts
(``nn.output.Softmax``). A lemma's class is the edit script that makes it of its form (``text.scripts``).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from ..corpus import Sentence
from ..corpus.base import Best
from ..nn.layers import Array, softmax
from ..nn.packing import Packing
from ..text.scripts import Script, script
from ..text.vocab import Vocab
from .answers import ranked

PART = "|"  # stands between the parts of a value
LEMMA = "lemma"
CONTEXT = ("upos", "xpos")  # the columns one of which tells a lemma's part of speech, the first that there is
SURER = 1.5  # scripts are surer of themselves than they should be, so this counts more; by cross-validation
MAX_GAIN = 20.0  # the most that is added to log P of a lemma
TRIED = 30  # scripts of other words, to see what wrong lemmas are like
MAX_MEMBERSHIP = 20_000_000  # classes times their parts; beyond, parts are not looked at
FORGOTTEN = 2.0  # so much below the worst lemma that the encoder-decoder writes is one that it does not
LEAST = 6.0  # below the best log P by more than this, a script is no alternative, unless it could win
COMMON = 100_000  # a script that is rarer than once in so many words is not learnt: it would only take time
REMEMBERED = 1 << 16  # lemmas of forms


class Scored(NamedTuple):
    """What the network says of the N words of a batch.

    output, params   the output layer that gave the scores, and the network's parameters
    scores           (N, K)
    T                the temperature of the probabilities
    words            the N words, for a lemma
    context          what another column says of each, for a lemma
    written          for a lemma, those that the encoder-decoder writes of each with log P; empty: it is not asked
    weights          of log P of scripts, and of what is known of lemmas, when it is asked
    """

    output: Any
    params: dict[str, Array]
    scores: Array
    packing: Packing
    T: float
    words: Sequence[str]
    context: Sequence[str]
    written: Sequence[Mapping[str, float]] = ()
    weights: tuple[float, float] = (1.0, 1.0)

    def asked(self, which: list[int], written: Sequence[Mapping[str, float]], weights: tuple[float, float]) -> Scored:
        """The same of some of the words, of which the encoder-decoder has written lemmas."""
        words, context = ([values[i] for i in which] for values in (self.words, self.context))
        return self._replace(scores=self.scores[which], words=words, context=context, written=written,
                             weights=weights)

    def classes(self) -> Array:
        """The decoded classes (N,)."""
        return self.output.decode(self.params, self.scores, self.packing)

    def probabilities(self) -> Array:
        """P(y_t = k | x), (N, K): softmax or marginals."""
        return self.output.probabilities(self.params, self.scores, self.packing, self.T)


class Labels:
    """A column whose values are the classes; class k is id k + 1.

    vocab   the values
    parts   the parts of the values, where these have some: a part that several values have is learnt from all
    """

    def __init__(self, vocab: Vocab, parts: Vocab | None = None):
        self.vocab, self.parts = vocab, parts
        self.names = np.array(vocab.strings[1:], object)

    @classmethod
    def learn(cls, sentences: Sequence[Sentence], name: str) -> Labels:
        """The column ``name`` of a corpus; a word may lack its value, ""."""
        values = {value for sentence in sentences for value in column(sentence, name)} - {""}
        return cls(Vocab(sorted(values)), parts_of(values))

    @staticmethod
    def called(name: str) -> str:
        """What a class of a column of this name is called in messages."""
        return f"{name} tag".strip()

    def classes(self, words: Sequence[str], values: Iterable[str]) -> Array:
        """The class of each value (N,); -1 for one that training did not see, and for none."""
        return np.array(self.vocab.ids(values), np.intp) - 1

    def membership(self) -> Array | None:
        """Which class (column) has which part (row), 0 and 1: (P, K); None for values without parts."""
        if self.parts is None:
            return None
        M = np.zeros((len(self.parts) - 1, len(self.names)), np.float32)
        for k, value in enumerate(self.names):
            M[[p - 1 for p in self.parts.ids(value.split(PART)) if p], k] = 1
        return M

    def likely(self, scored: Scored, words: Sequence[int], count: int) -> list[list[tuple[str, float]]]:
        """The ``count`` most probable values of some of the words, with their probabilities."""
        p = scored.probabilities()[words]
        order = np.argsort(-p, axis=1, kind="stable")[:, :count]
        return [[(self.names[k], float(row[k])) for k in ks] for ks, row in zip(order.tolist(), p)]

    def answer(self, scored: Scored, best: int) -> tuple[Sequence[str] | Array, Best | None]:
        """The value of each word; with ``best`` that many values with their probabilities, the answered one first."""
        classes = scored.classes()
        ranks = ranked(self.vocab.strings[1:], classes, scored.probabilities(), best) if best else None
        return self.names[classes], ranks


class Lemmas(Labels):
    """A column of lemmas. The classes are edit scripts, and lemmas that training saw are preferred:

        value = argmax over lemmas l of  log P(best script that gives l) + gain [l was seen with t]

    t is what ``context`` says of the word. A script that cuts off too much is passed over; when nothing is left, the
    form is the lemma.

    vocab     the scripts
    lexicon   the lemmas of the training corpus
    seen      (P, 2) ids of each lemma and the context that it was seen with (0: there is none)
    gain      what is added to log P of one that was seen, see ``learnt_gain``
    """

    def __init__(self, vocab: Vocab, lexicon: Vocab, seen: Array, contexts: Vocab, gain: float = 0.0):
        super().__init__(vocab)
        self.lexicon, self.seen, self.gain, self._contexts = lexicon, seen, gain, contexts
        self._reach = max(gain, LEAST)  # so far below the best log P scripts are looked at for alternatives
        self.scripts = [Script.parse(text) for text in vocab.strings[1:]]
        self._lemma = lru_cache(REMEMBERED)(lambda k, word: self.scripts[k].apply(word))
        self._told = lru_cache(REMEMBERED)(lambda *key: (lemma := self._lemma(*key[:2]), self.saw(lemma, key[2])))
        self._seen: dict[str, set[str]] = {lemma: set() for lemma in lexicon.strings[1:]}
        for l, t in seen.astype(int).tolist():
            self._seen[lexicon.strings[l]].add(contexts.strings[t])

    def __reduce__(self) -> Any:
        return Lemmas, (self.vocab, self.lexicon, self.seen, self._contexts, self.gain)

    @classmethod
    def learn_with(cls, sentences: Sequence[Sentence], context: str | None, contexts: Vocab) -> Lemmas:
        """The lemmas of a corpus, and its scripts that are not too rare; ``contexts`` are the values of its column
        ``context``."""
        tokens = Counter(triple for sentence in sentences for triple in zip(
            sentence.words, column(sentence, LEMMA), column(sentence, context)) if triple[1])
        lexicon = Vocab(sorted({lemma for _, lemma, _ in tokens}))
        seen = sorted({(lexicon[lemma], contexts[tag]) for _, lemma, tag in tokens})
        counts = Counter[str]()
        for (word, lemma, _), count in tokens.items():
            counts[str(script(word, lemma))] += count
        least = max(1, sum(map(len, sentences)) // COMMON)
        scripts = Vocab(sorted(text for text, count in counts.items() if count >= least))
        return cls(scripts, lexicon, np.array(seen, np.float32).reshape(-1, 2), contexts, learnt_gain(tokens))

    @staticmethod
    def called(name: str) -> str:
        return "lemma edit script"

    def with_those_of(self, other: Lemmas) -> Lemmas:
        """The same classes, and the lemmas that either has seen, with the parts of speech of this one."""
        known = {(lemma, tag) for lemmas in (self, other) for lemma, tags in lemmas._seen.items() for tag in tags
                 if not tag or tag in self._contexts}
        lexicon = Vocab(sorted({lemma for lemma, _ in known}))
        seen = sorted((lexicon[lemma], self._contexts[tag]) for lemma, tag in known)
        return Lemmas(self.vocab, lexicon, np.array(seen, np.float32), self._contexts, self.gain)

    def classes(self, words: Sequence[str], values: Iterable[str]) -> Array:
        texts = [str(script(word, value)) if value else "" for word, value in zip(words, values)]
        return super().classes(words, texts)

    def answer(self, scored: Scored, best: int) -> tuple[list[str], Any]:
        """As for ``Labels``; the probabilities are exp(value's sum / T), normalised."""
        words, context = scored.words, scored.context
        told = list(map(self._told, scored.scores.argmax(axis=1).tolist(), words, context))
        values = [value for value, _ in told]
        every = bool(best or scored.written)  # are the other scripts of each word looked at?
        written = scored.written or [{}] * len(values)
        ranks: list[Any] = [None] * len(values)
        # where the best script gives a lemma that was seen here, nothing is better
        left = [i for i, (_, seen) in enumerate(told) if every or not seen]
        for i, scripts in zip(left, _likely(scored.scores[left], self._reach if every else self.gain)):
            if every or values[i] is None or len(scripts) > 1:
                sums = self._sums(words[i], context[i], scripts, written[i], scored.weights) or {words[i]: 0.0}
                values[i] = max(sums, key=sums.__getitem__)
                ranks[i] = _ranked(sums, scored.T)[:best] if best else None
        return [value or "" for value in values], ranks if best else None

    def saw(self, lemma: str | None, context: str) -> bool:
        """Did training see this lemma with this context?"""
        return context in self._seen.get(lemma, ())  # type: ignore[arg-type]

    def _sums(self, word: str, context: str, scripts: Iterable[tuple[int, float]],
              written: Mapping[str, float], weights: tuple[float, float]) -> dict[str, float]:
        """What speaks for each lemma of a word, from scripts with their log P, of which the best is 0."""
        found: dict[str, float] = {}
        for k, log in scripts:
            lemma = self._lemma(k, word)
            if lemma is not None and log > found.get(lemma, -np.inf):
                found[lemma] = log
        gains = {lemma: self.gain for lemma in (*found, *written) if self.saw(lemma, context)}
        if not written:
            return {lemma: log + gains.get(lemma, 0.0) for lemma, log in found.items()}
        of_scripts, of_lexicon = weights
        lowest = min(written.values()) - FORGOTTEN
        return {lemma: of_scripts * found.get(lemma, -self._reach) + written.get(lemma, lowest)
                + of_lexicon * gains.get(lemma, 0.0) for lemma in dict.fromkeys([*found, *written])}


def learnt_gain(tokens: Counter[tuple[str, str, str]]) -> float:
    """What it says for a lemma that it was seen with the word's part of speech, from counts of (form, lemma, part of
    speech):

        SURER log (P(seen | right) P(not seen | wrong) / (P(seen | wrong) P(not seen | right)))

    This is told by forms that the corpus has once, as if it did not have them. The wrong lemmas of such a form are
    those that the scripts of others make of it, each as often as that script is right. All counts begin with 1.
    """
    forms, seen = Counter[str](), Counter[tuple[str, str]]()
    for (form, lemma, tag), count in tokens.items():
        forms[form] += count
        seen[lemma, tag] += count
    rare = [triple for triple in tokens if forms[triple[0]] == 1]
    scripts: dict[str, Counter[Script]] = {tag: Counter() for _, _, tag in rare}
    for form, lemma, tag in rare:
        scripts[tag][script(form, lemma)] += 1
    common = {tag: [(each, count / found.total()) for each, count in found.most_common(TRIED)]
              for tag, found in scripts.items()}
    right, wrong = [1.0, 1.0], [1.0, 1.0]  # how many were not seen, how many were
    for form, lemma, tag in rare:
        right[seen[lemma, tag] > 1] += 1
        for each, share in common[tag]:
            other = each.apply(form)
            if other is not None and other != lemma:
                wrong[(other, tag) in seen] += share
    gain = SURER * math.log(right[1] * wrong[0] / (wrong[1] * right[0]))
    return min(max(0.0, gain), MAX_GAIN)


def _likely(scores: Array, margin: float) -> Iterator[list[tuple[int, float]]]:
    """For each row of scores (N, K) the classes whose log P is below the best one's by no more than ``margin``, with
    log P, that of the best being 0."""
    log_p = scores - scores.max(axis=1, keepdims=True)
    rows, classes = np.nonzero(log_p >= -margin)
    found = zip(classes.tolist(), log_p[rows, classes].tolist())
    return (list(islice(found, n)) for n in np.bincount(rows, minlength=len(scores)).tolist())


def _ranked(sums: Mapping[str, float], T: float) -> list[tuple[str, float]]:
    """Lemmas with their probabilities, softmax(sums / T), the best first."""
    p = softmax(np.array(list(sums.values())) / T)
    return sorted(zip(sums, p.tolist()), key=lambda pair: -pair[1])


def learnt(sentences: Sequence[Sentence]) -> dict[str, Labels]:
    """What a corpus has in its columns, by their names."""
    names = dict.fromkeys(name for sentence in sentences for name in sentence.columns)
    plain = {name: Labels.learn(sentences, name) for name in names if name != LEMMA}
    context = context_of(plain)
    contexts = plain[context].vocab if context else Vocab([])
    return {name: plain[name] if name in plain else Lemmas.learn_with(sentences, context, contexts) for name in names}


def context_of(names: Iterable[str]) -> str | None:
    """Which of these columns tells a lemma's part of speech."""
    return next((name for name in CONTEXT if name in names), None)


def column(sentence: Sentence, name: str | None) -> Sequence[str]:
    """What a column says of each word, "" where it says nothing."""
    found = sentence.columns.get(name) if name is not None else None
    return [""] * len(sentence) if found is None else found.values


def parts_of(values: Iterable[str]) -> Vocab | None:
    """The parts that values have; None when each has but one."""
    split = [value.split(PART) for value in values]
    parts = sorted(set(filter(None, chain.from_iterable(split))))
    return Vocab(parts) if 0 < len(parts) * len(split) <= MAX_MEMBERSHIP and max(map(len, split)) > 1 else None
