"""What is in a model, what it knows of a word, and why it tags the word so.

A word is looked at alone, as a sentence of one word, so that nothing but itself speaks for a tag.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..models.classifier import Classifier
from ..models.hmm import END, IMPOSSIBLE, START, HMMTagger
from ..models.inputs import FEATURES
from ..models.tagger import RNNTagger
from ..nn.packing import Packing
from ..text.features import WordTable, normalized, word_features
from ..text.vocab import Vocab

FREQUENT = 500  # rows of rarer features have hardly been trained


class Evidence(NamedTuple):
    """What taking one thing away from a word does.

    feature   which (a slot of features.py, or vector, characters) and its value
    known     had training seen it? Otherwise it is read as unknown already, and its effect is 0
    effect    how much larger log P(best) - log P(second) is with it than without it
    """

    feature: str
    value: str
    known: bool
    effect: float


@dataclass
class Reasons:
    """A word alone: its most probable tags with their probabilities, and what speaks for the first
    and against the second, sorted by effect."""

    tags: list[tuple[str, float]]
    evidence: list[Evidence]


class Terms(NamedTuple):
    """What an HMM makes of a word alone: log P(t | <s>) + log P(word | t) + log P(</s> | t)."""

    tag: str
    start: float
    emission: float
    end: float
    probability: float


def overview(manifest: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """Provenance, options and sizes of a model of any kind, as JSON values; the classes of its columns, when it has
    some, and as ``tags`` those of the first."""
    _, ids, arrays = model.state()
    named = (getattr(model, name, None) for name in ("tags", "labels"))
    answers = next((vocab for vocab in named if isinstance(vocab, Vocab)), Vocab([]))
    maps = {name: len(strings) - 1 for name, strings in ids.items() if isinstance(strings, list)}
    maps |= {name: len(strings) - 1 for name, strings in ids.get("features", {}).items()}
    columns = {name: strings[1:] for name, strings in ids.get("columns", {"": answers.strings}).items()}
    return {"kind": manifest["kind"], "program": manifest.get("program"), "info": manifest["info"],
            "options": manifest["options"], "tags": next(iter(columns.values())), "columns": columns, "maps": maps,
            "arrays": {name: list(array.shape) for name, array in arrays.items()}}


def look(tagger: RNNTagger | HMMTagger, word: str, count: int) -> dict[str, Any]:
    """What a model knows of a word, as JSON values; the logarithm of what never occurred is None."""
    record: dict[str, Any] = {"word": word, "known": word in tagger.words}
    if isinstance(tagger, HMMTagger):
        tags = [term._asdict() for term in terms(tagger, word, count)]
        for tag in tags:
            tag.update((end, None) for end in ("start", "end") if tag[end] == IMPOSSIBLE)
        return {**record, "seen": seen_as(tagger, word), "tags": tags}
    why = reasons(tagger, word, max(2, count))
    return {**record, "tags": [{"tag": tag, "probability": p} for tag, p in why.tags],
            "evidence": [evidence._asdict() for evidence in why.evidence],
            "nearest_words": nearest_words(tagger, word, count),
            "nearest_features": nearest_features(tagger, word, count)}


def look_at_text(classifier: Classifier, words: Sequence[str], count: int) -> dict[str, Any]:
    """What a classifier makes of a text, as JSON values: its most probable labels, and what each word weighs in the
    attention, None without one."""
    (found,) = classifier.probabilities([words])
    names = classifier.labels.strings[1:]
    ranked = np.argsort(-found.p, kind="stable")[:count].tolist()
    return {"words": list(words), "labels": [{"label": names[k], "probability": float(found.p[k])} for k in ranked],
            "attention": None if found.attention is None else found.attention.tolist()}


def reasons(tagger: RNNTagger, word: str, count: int = 3) -> Reasons:
    """Why a word alone gets its tag.

    Its features are read as unknown, one after the other, and the network is asked again. Effects do not
    add up: the network is not linear, and features that say the same stand in for each other.
    """
    table = tagger.word_table()
    table.ids([word])
    features, offsets = table.features[0], tagger.features.offsets
    read = word_features(normalized([word], tagger.options.normalize)[0], tagger.features.slots)
    kinds = [(slot, value, bool(row > offset), k) for k, (slot, value, row, offset)
             in enumerate(zip(tagger.features.slots, read, features, offsets))]
    rows = np.tile(features, (1 + len(kinds), 1))
    for number, (_, _, _, k) in enumerate(kinds, 1):
        rows[number, k] = offsets[k]
    extra = [name for name, there in (("vector", tagger.options.vectors), ("characters", tagger.options.char_rnn),
                                      ("ngrams", tagger.features.ngrams)) if there]
    table.features = np.concatenate((rows, np.tile(features, (len(extra), 1))))
    N = len(table.features)
    if tagger.options.vectors:
        table.vectors = np.repeat(table.vectors, N)
        table.vectors[len(rows) + extra.index("vector")] = 0
    if tagger.options.char_rnn:
        table.characters = table.characters * N
        table.characters[len(rows) + extra.index("characters")] = np.zeros(1, np.intp)
    if tagger.features.ngrams:
        table.ngrams = table.ngrams * N
        table.ngrams[len(rows) + extra.index("ngrams")] = np.zeros(1, np.intp)
    packing = Packing((1,) * N)
    with np.errstate(over="ignore", invalid="ignore"):
        z = tagger.network.input_projection(tagger.params, table, np.arange(N))
        scores = tagger.finite(tagger.network.scores(tagger.params, z, packing)[0])
        p = tagger.network.outputs[0].probabilities(tagger.params, scores, packing,
                                                    tagger.temperatures.get(tagger.fields[0], 1.0))
    p = np.maximum(p.astype(np.float64), 1e-300)
    order = np.argsort(-p[0], kind="stable")
    names = tagger.tags.strings[1:]
    tags = [(names[k], float(p[0, k])) for k in order[:count]]
    if len(order) < 2:
        return Reasons(tags, [])
    margins = np.log(p[:, order[0]]) - np.log(p[:, order[1]])
    effects = (margins[0] - margins[1:]).tolist()
    evidence = [Evidence(slot, value, known, effect) for (slot, value, known, _), effect in zip(kinds, effects)]
    evidence += [Evidence(name, "", name != "vector" or bool(table.vectors[0]), effect)
                 for name, effect in zip(extra, effects[len(kinds):])]
    return Reasons(tags, sorted(evidence, key=lambda item: -item.effect))


def nearest_words(tagger: RNNTagger, word: str, count: int = 5) -> list[tuple[str, float]]:
    """The training words that the network reads most alike: the cosine of what the first layer gets
    of each (the sum of its features' rows, vector and characters; for one-hot input, rows of W_x),
    less the mean over all training words."""
    words = [known for known in tagger.words.strings[1:] if known != word]
    if not words:
        return []
    table = tagger.word_table()
    x = np.concatenate([_input(tagger, table, part) for part in _parts([word, *words])])
    mean = x[1:].mean(axis=0)
    return _closest(x[0] - mean, x[1:] - mean, words, count)


def nearest_features(tagger: RNNTagger, word: str, count: int = 5) -> list[tuple[str, float]]:
    """The features that the word does not have whose rows are closest to what is read of it, as
    ``suf3 ing``: affixes and shapes, of each slot the FREQUENT most frequent ones."""
    table = tagger.word_table()
    x = _input(tagger, table, [word])[0]
    names, rows = [], []
    of_word = set(table.features[0].tolist())
    for slot, vocab, offset in zip(tagger.features.slots, tagger.features.vocabs.values(), tagger.features.offsets):
        if slot not in ("form", "lower"):
            for i in range(1, min(len(vocab), FREQUENT + 1)):  # the rows are in order of frequency
                if offset + i not in of_word:
                    names.append(f"{slot} {vocab.strings[i]}")
                    rows.append(offset + i)
    return _closest(x, feature_rows(tagger)[rows], names, count) if names else []


def feature_rows(tagger: RNNTagger) -> np.ndarray:
    """What stands for each feature: its embedding, or its rows of W_x for all directions; those of all
    networks of an ensemble side by side."""
    tables = [params[name] for network, params in tagger.network.networks(tagger.params)
              for name in network.feature_tables]
    return np.concatenate(tables, axis=1)


def _input(tagger: RNNTagger, table: WordTable, words: list[str]) -> np.ndarray:
    """What the first layer gets of each word, without biases: (N, E) or (N, D n H)."""
    ids = table.ids(words)
    networks = tagger.network.networks(tagger.params)
    with np.errstate(over="ignore", invalid="ignore"):
        if FEATURES not in networks[0][0].feature_tables:  # one-hot
            return tagger.finite(feature_rows(tagger)[table.features[ids]].sum(axis=1))
        return tagger.finite(np.concatenate([network.inputs.forward(params, table, ids)[0]
                                             for network, params in networks], axis=1))


def _parts(words: list[str], size: int = 8_192) -> list[list[str]]:
    return [words[k:k + size] for k in range(0, len(words), size)]


def _closest(x: np.ndarray, rows: np.ndarray, names: list[str], count: int) -> list[tuple[str, float]]:
    rows, x = rows.astype(np.float64), x.astype(np.float64)  # squares may be beyond float32
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosines = np.where(lengths > 0, rows @ x / lengths, 0)
    return [(names[k], float(cosines[k])) for k in np.argsort(-cosines, kind="stable")[:count]]


def terms(tagger: HMMTagger, word: str, count: int = 3) -> list[Terms]:
    """The most probable tags of a word alone, with the three terms of each and its probability.

    As in tagging, a step that never occurred costs IMPOSSIBLE, so that the fewest such steps win.
    """
    scored = []
    for tag in tagger.tags.strings[1:]:
        parts = tagger.transition(START, tag), tagger.emission(tag, word), tagger.transition(tag, END)
        start, emission, end = (math.log(p) if p else IMPOSSIBLE for p in parts)
        scored.append(Terms(tag, start, emission, end, start + emission + end))
    scored.sort(key=lambda terms: -terms.probability)  # ties in the order of the tags, as in tagging
    highest = scored[0].probability  # a logarithm still
    total = sum(math.exp(terms.probability - highest) for terms in scored)
    return [terms._replace(probability=math.exp(terms.probability - highest) / total) for terms in scored[:count]]


def seen_as(tagger: HMMTagger, word: str) -> dict[str, int]:
    """How often training saw the word with each tag, the most frequent first."""
    rows = tagger.emissions[tagger.emissions[:, 0] == tagger.words[word]] if word in tagger.words else []
    return {tagger.tags.strings[int(tag)]: int(n) for _, tag, n in sorted(rows, key=lambda row: -row[2])}
