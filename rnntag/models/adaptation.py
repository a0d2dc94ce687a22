"""A trained tagger as the start of another: for a new corpus, another domain, another tag set.

Weights are matched by what they belong to, not by where they are: the row of a word, a feature or a
character by its string, the column of a tag by its name, a transition of the CRF by both of its tags. What
belongs to none of these (the recurrent layers, for example) is taken over as it is; what the new corpus
adds starts at random, as in any training.

    words, features, characters   those of both: what the model knew it still knows
    tags                          those of the new corpus alone, of each column; a column that the model does not
                                  have starts at random
    lemmas                        those of both
    vectors                       the model's; or others, then nothing of the model's vectors is left
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..errors import OptionError, plural
from ..nn.layers import Array
from ..text.features import NGRAMS, FeatureMap, normalized, word_features
from ..text.vocab import Vocab
from .columns import LEMMA, Lemmas, learnt
from .options import PRESETS, Options, flag, refuse_unknown
from .tagger import RNNTagger

START = "Start from a model that train-rnn wrote."
OTHERS = ("min_count", "vectors")  # options of the input that may differ from the model's


def adapted_options(model: Options, given: Mapping[str, Any], preset: str | None = None) -> Options:
    """The options of a tagger that starts from one with options ``model``.

    given    options that are asked for; ``vectors`` is there when the tagger gets vectors of its own
    preset   where options of the training come from that are not given; None: from the model, too

    Raises OptionError for an option of the network that is not the model's.
    """
    refuse_unknown(given, Options)
    fixed = {option.name for option in fields(Options) if option.metadata["group"] in ("Input", "Network")}
    fixed -= {*OTHERS, *(["freeze_vectors"] if "vectors" in given else [])}
    wanted = {name: (flag(name), value) for name, value in given.items()}
    wanted |= {name: (f"--preset {preset}: {flag(name)}", value)
               for name, value in PRESETS.get(preset or "", {}).items() if name not in given}
    for name, (place, value) in wanted.items():
        own = getattr(model, name)
        if name in fixed and value != own:
            raise OptionError(_shown(value), f"the model that training starts from has {_shown(own)}",
                              "Leave it out, or train without --init.", place)
    if preset is None:
        return Options.from_dict(model.to_dict() | dict(given))
    kept = {name: getattr(model, name) for name in fixed | {"vectors"}}
    return Options(**{**PRESETS[preset], **kept, **given})


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def adapted(model: RNNTagger, sentences: Sequence[Sentence], options: Options, rng: np.random.Generator,
            vectors: tuple[Vocab, Array] | None = None) -> RNNTagger:
    """A tagger for the words and tags of ``sentences`` with the weights that it shares with ``model``.

    options   those of ``adapted_options``
    vectors   words and their pretrained vectors instead of the model's, as for RNNTagger.create
    """
    own = vectors
    if own is None and model.vectors is not None:  # to be filled below, as they are
        own = model.vectors, np.zeros((len(model.vectors), options.vectors), np.float32)
    tokens = normalized(chain.from_iterable(sentence.words for sentence in sentences), options.normalize)
    options = options.for_corpus(len(tokens))
    words = _both(model.words, Vocab.build(tokens, options.min_count))
    alphabet = model.alphabet and _both(model.alphabet, Vocab(sorted(set(chain.from_iterable(tokens)))))
    columns = learnt(sentences)
    lemmas, old = columns.get(LEMMA), model.columns.get(LEMMA)
    if isinstance(lemmas, Lemmas) and isinstance(old, Lemmas):
        columns[LEMMA] = lemmas.with_those_of(old)
    tagger = RNNTagger.untrained(options, words, _features(model.features, words, tokens, options.min_count), columns,
                                 alphabet, own, rng)
    _take_over(tagger, model, fresh_vectors=vectors is not None)
    return tagger


def _both(old: Vocab, new: Vocab) -> Vocab:
    """The strings of ``old``, then those that ``new`` adds."""
    return Vocab([*old.strings[1:], *(string for string in new.strings[1:] if string not in old)])


def _features(old: FeatureMap, words: Vocab, tokens: list[str], min_count: int) -> FeatureMap:
    """The maps of the model's slots with the features of ``tokens`` added; the map of ``form`` is ``words``."""
    cache = {word: word_features(word, old.slots) for word in set(tokens)}
    vocabs = {slot: words if slot == "form" else _both(
        old.vocabs[slot], Vocab.build((cache[word][k] for word in tokens), min_count))
        for k, slot in enumerate(old.slots)}
    if old.ngrams is not None:
        vocabs[NGRAMS] = _both(old.ngrams, FeatureMap.build(tokens, [NGRAMS]).vocabs[NGRAMS])
    return FeatureMap(vocabs)


def difference(tagger: RNNTagger, model: RNNTagger) -> str:
    """What a tagger has from ``model`` and what it does not, in words."""
    told = [f"From the model: {plural(len(model.words) - 1, 'word')}, and {len(tagger.words) - len(model.words):,} "
            "new"]
    for name, labels in tagger.columns.items():
        old = _counterpart(name, tagger, model)
        before, now = model.columns[old].vocab if old is not None else Vocab([]), labels.vocab
        shared = sum(value in before for value in now.strings[1:])
        gone = [value for value in before.strings[1:] if value not in now]
        which = f" ({', '.join(gone[:8])}{', ...' if len(gone) > 8 else ''})" if gone else ""
        told.append(f"{plural(shared, labels.called(name))}, and {len(now) - 1 - shared} new; {len(gone)} left out"
                    + which)
    return "; ".join(told)


def _counterpart(name: str, tagger: RNNTagger, model: RNNTagger) -> str | None:
    """The column of ``model`` with this name; where one of both has no name, the first is the first."""
    first = model.fields[0]
    return name if name in model.columns else first if name == tagger.fields[0] and "" in (name, first) else None


# ------------------------------------------------------------------ weights


def _take_over(tagger: RNNTagger, model: RNNTagger, fresh_vectors: bool) -> None:
    """Copy into ``tagger`` the weights that it shares with ``model``."""
    shared: dict[str, tuple[str | None, dict[int, Any]]] = {}  # name: the old one; axis to the indices in new and old
    rows = _rows(tagger.features, model.features)
    shared |= {name: (name, {0: rows}) for name in tagger.network.networks(tagger.params)[0][0].feature_tables}
    if tagger.alphabet and model.alphabet:
        shared["characters.table"] = "characters.table", {0: _shared(tagger.alphabet, model.alphabet)}
    if tagger.features.ngrams and model.features.ngrams:
        shared["ngrams.table"] = "ngrams.table", {0: _shared(tagger.features.ngrams, model.features.ngrams)}
    for number, name in enumerate(tagger.fields):
        old = _counterpart(name, tagger, model)
        shared |= _of_output(tagger, number, model, model.fields.index(old) if old is not None else None)
    for name, array in tagger.params.items():
        member, plain = name.split(".", 1) if name.startswith("net") else ("", name)  # of an ensemble
        if fresh_vectors and plain.startswith("vectors."):
            continue
        source, axes = shared.get(plain, (plain, {}))
        before = model.params.get(f"{member}.{source}" if member else source) if source is not None else None
        if before is not None:
            here, there = (np.ix_(*(axes[axis][side] if axis in axes else np.arange(array.shape[axis])
                                    for axis in range(array.ndim))) for side in (0, 1))
            array[here] = before[there]
        elif source is not None:  # the model knows the classes, and nothing of their parts
            array[...] = 0


def _of_output(tagger: RNNTagger, number: int, model: RNNTagger,
               other: int | None) -> dict[str, tuple[str | None, dict[int, Any]]]:
    """The parameters of an output layer: their names in the model's (None: it has no such column), and what of them
    belongs to the same classes and parts."""
    layer = tagger.network.outputs[number]
    if other is None:
        return {name: (None, {}) for name in layer.shapes()}
    before, (new, old) = model.network.outputs[other], (
        list(each.columns.values())[k] for each, k in ((tagger, number), (model, other)))
    classes, parts = (tuple(ids[1:] - 1 for ids in _shared(a or Vocab([]), b or Vocab([])))  # id 0 has no class
                      for a, b in ((new.vocab, old.vocab), (new.parts, old.parts)))
    axes = {"W_o": {1: classes}, "transition": {0: classes, 1: classes}, "W_p": {1: parts}, "b_p": {0: parts}}
    return {name: (before.name + name.removeprefix(layer.name),
                   axes.get(name.removeprefix(layer.name + "."), {0: classes})) for name in layer.shapes()}


def _shared(new: Vocab, old: Vocab) -> tuple[Array, Array]:
    """The ids in ``new`` and in ``old`` of the strings of both, the unknown being one."""
    strings = [string for string in new.strings[1:] if string in old]
    return np.array([0, *new.ids(strings)], np.intp), np.array([0, *old.ids(strings)], np.intp)


def _rows(new: FeatureMap, old: FeatureMap) -> tuple[Array, Array]:
    """The rows of both feature tables that belong to the same feature of the same slot."""
    found = [_shared(new.vocabs[slot], old.vocabs[slot]) for slot in new.slots]
    return tuple(np.concatenate([ids[side] + offset for ids, offset in zip(found, offsets)] or [np.zeros(0, np.intp)])
                 for side, offsets in ((0, new.offsets), (1, old.offsets)))  # type: ignore[return-value]
