"""Tokens of several words: ``don't`` is ``do`` and ``n't``, French ``du`` is ``de`` and ``le``.

A token that was seen is split as it was most often. One that was not is split as the most similar token that was, the
one with the longest ending in common: by a rule that puts words in the place of the ending (``'s`` for ``'s``), or
puts another ending and words (``u`` becomes ``e`` and ``le``). Where words are joined at the beginning of tokens, the
same is done backwards. Whether rules are used at all, and which, is decided by tokens left out of the learning.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from os.path import commonprefix

from ..corpus.segmented import Paragraph
from ..errors import OptionError, quote

MARK = "\t"  # between the strings of an entry
LONGEST = 8  # characters of an ending that are looked at
FOLDS = 5
REMEMBERED = 100_000  # tokens whose words are kept
Words = tuple[str, ...]
Rule = tuple[str, ...]  # the ending of a token, that of its first word instead, and other words; () for one word


def rule_of(token: str, words: Words) -> Rule:
    """How these words come from the token."""
    stem = len(commonprefix((token, words[0]))) if words else 0
    return (token[stem:], words[0][stem:], *words[1:]) if words else ()


def apply(rule: Rule, token: str) -> Words:
    """The words of a token by a rule; () for one word."""
    if not rule or not token.endswith(rule[0]) or len(token) <= len(rule[0]):
        return ()
    return (token[:len(token) - len(rule[0])] + rule[1], *rule[2:])


class Endings:
    """What the endings of tokens say of their words, in lower case: ending to Rule; the longest one counts.

    backwards   tokens and their words are read from the end: what counts is their beginning
    """

    def __init__(self, rules: Mapping[str, Rule], backwards: bool = False):
        self.rules, self.backwards = dict(rules), backwards

    @classmethod
    def learnt(cls, tokens: Mapping[str, Words], backwards: bool) -> Endings:
        """The rule of most tokens with each ending, where it is not that of the next shorter ending."""
        found = cls({}, backwards)
        turned = [(found._turned((token,))[0], found._turned(words)) for token, words in tokens.items()]
        left = [(token, rule_of(token, words)) for token, words in turned]
        for size in range(1, LONGEST + 1):
            counts: dict[str, Counter[Rule]] = defaultdict(Counter)
            for token, rule in left:
                counts[token[-size:]][rule] += 1
            for ending in sorted(counts):
                rule = max(counts[ending], key=lambda rule: (counts[ending][rule], rule == (), rule))
                if rule != found._rule(ending):
                    found.rules[ending] = rule
            several = {ending for ending in counts if counts[ending].keys() != {()}}  # others decide nothing more
            left = [(token, rule) for token, rule in left if len(token) > size and token[-size:] in several]
        return found

    def __call__(self, token: str) -> Words:
        """The words of a token in lower case; () for one word."""
        (token,) = self._turned((token,))
        return self._turned(apply(self._rule(token), token))

    def _rule(self, token: str) -> Rule:
        sizes = range(min(LONGEST, len(token)), 0, -1)
        return next((self.rules[token[-size:]] for size in sizes if token[-size:] in self.rules), ())

    def _turned(self, words: Words) -> Words:
        return tuple(word[::-1] for word in reversed(words)) if self.backwards else words


class Splitter:
    """Which tokens are several words, and which words they are.

    seen    tokens of several words, as they were split most often
    whole   tokens that were one word, though without them in mind they would be split
    unseen  rules for other tokens, tried in order
    """

    def __init__(self, seen: Mapping[str, Words], whole: Iterable[str], unseen: Sequence[Endings]):
        self.seen, self.whole, self.unseen = dict(seen), set(whole), list(unseen)
        self._lower = {token.lower(): tuple(word.lower() for word in words) for token, words in self.seen.items()}
        self._words: dict[str, Words] = {}  # of tokens met so far

    @classmethod
    def learnt(cls, paragraphs: Iterable[Paragraph]) -> Splitter:
        """What a corpus says of its tokens."""
        counts: dict[str, Counter[Words]] = defaultdict(Counter)
        for paragraph in paragraphs:
            for i, (start, end) in enumerate(paragraph.tokens):
                counts[paragraph.text[start:end]][paragraph.splits.get(i, ())] += 1
        tokens = {token: max(count, key=lambda words: (count[words], words)) for token, count in counts.items()}
        seen = {token: words for token, words in tokens.items() if words}
        if not seen:
            return cls({}, (), ())
        kept = best_rules({token.lower(): tuple(word.lower() for word in words) for token, words in tokens.items()})
        splitter = cls(seen, (), kept)
        splitter.whole = {token for token, words in tokens.items() if not words and splitter(token)}
        splitter._words.clear()
        return splitter

    def __call__(self, token: str) -> Words:
        """The words of a token; () when it is one."""
        if not self.seen:
            return ()
        words = self._words.get(token)
        if words is None:
            if len(self._words) >= REMEMBERED:
                self._words.clear()
            words = self._words[token] = self._split(token)
        return words

    def _split(self, token: str) -> Words:
        if token in self.seen or token in self.whole:
            return self.seen.get(token, ())
        lower = token.lower()
        if lower in self._lower:
            return cased(token, self._lower[lower])
        return cased(token, next(filter(None, (rules(lower) for rules in self.unseen)), ()))


def best_rules(tokens: Mapping[str, Words]) -> list[Endings]:
    """The rules that are right most often for tokens of a fold that were left out of the learning; none where leaving
    such tokens whole is right as often."""
    forms, ways = sorted(tokens), ((), (False,), (True,), (False, True))
    right = [0] * len(ways)
    for fold in range(FOLDS):
        rest = {token: tokens[token] for i, token in enumerate(forms) if i % FOLDS != fold}
        made = {backwards: Endings.learnt(rest, backwards) for backwards in (False, True)}
        for token in forms[fold::FOLDS]:
            for k, way in enumerate(ways):
                right[k] += next(filter(None, (made[kind](token) for kind in way)), ()) == tokens[token]
    return [Endings.learnt(tokens, backwards) for backwards in ways[right.index(max(right))]]


def cased(token: str, words: Words) -> Words:
    """Words in lower case with the upper case of their token: character by character where they are cut from it,
    otherwise of all words, or of the first letter."""
    if "".join(words) == token.lower() and len(token.lower()) == len(token):
        starts = [sum(map(len, words[:i])) for i in range(len(words))]
        return tuple(token[start:start + len(word)] for start, word in zip(starts, words))
    if len(token) > 1 and token.isupper():
        return tuple(word.upper() for word in words)
    return (words[0].capitalize(), *words[1:]) if words and token[:1].isupper() else words


# ------------------------------------------------------------------ as lists of strings


def entries(table: Mapping[str, Sequence[str]]) -> list[str]:
    """Each key and its strings as one string."""
    return [MARK.join((key, *strings)) for key, strings in table.items()]


def from_entries(strings: Iterable[str], least: int) -> dict[str, tuple[str, ...]]:
    """The table that ``entries`` made, each key with no strings or with at least ``least``.

    Raises OptionError for anything else.
    """
    table = {}
    for string in strings:
        key, *rest = string.split(MARK)
        if not key or key in table or 0 < len(rest) < least:
            raise OptionError(f"an entry {quote(string)} of tokens with several words", "it is a token and its words")
        table[key] = tuple(rest)
    return table
