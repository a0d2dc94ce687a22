"""A trained tagger as the start of another: for a new corpus, another domain, another tag set.

Weights are matched by what they belong to, not by where they are: the row of a word, a feature or a
character by its string, the column of a tag by its name, a transition of the CRF by both of its tags. What
belongs to none of these (the recurrent layers, for example) is taken over as it is; what the new corpus
adds starts at random, as in any training.

    words, features, characters   those of both: what the model knew it still knows
    tags                          those of the new corpus alone
    vectors                       the model's; or others, then nothing of the model's vectors is left
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any

import numpy as np

from ..corpus import Sentence
from ..errors import OptionError
from ..nn.layers import Array
from ..text.features import FeatureMap, normalized, word_features
from ..text.vocab import Vocab
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
    words = _both(model.words, Vocab.build(tokens, options.min_count))
    tags = Vocab(sorted(set(chain.from_iterable(sentence.tags or [] for sentence in sentences))))
    alphabet = model.alphabet and _both(model.alphabet, Vocab(sorted(set(chain.from_iterable(tokens)))))
    tagger = RNNTagger.untrained(options, words, _features(model.features, words, tokens, options.min_count), tags,
                                 alphabet, own, rng)
    _take_over(tagger, model, fresh_vectors=vectors is not None)
    return tagger


def _both(old: Vocab, new: Vocab) -> Vocab:
    """The strings of ``old``, then those that ``new`` adds."""
    return Vocab([*old.strings[1:], *(string for string in new.strings[1:] if string not in old)])


def _features(old: FeatureMap, words: Vocab, tokens: list[str], min_count: int) -> FeatureMap:
    """The maps of the model's slots with the features of ``tokens`` added; the map of ``form`` is ``words``."""
    cache = {word: word_features(word, old.slots) for word in set(tokens)}
    return FeatureMap({slot: words if slot == "form" else _both(
        old.vocabs[slot], Vocab.build((cache[word][k] for word in tokens), min_count))
        for k, slot in enumerate(old.slots)})


def difference(tagger: RNNTagger, model: RNNTagger) -> str:
    """What a tagger has from ``model`` and what it does not, in words."""
    shared = sum(tag in model.tags for tag in tagger.tags.strings[1:])
    gone = [tag for tag in model.tags.strings[1:] if tag not in tagger.tags]
    which = f" ({', '.join(gone[:8])}{', ...' if len(gone) > 8 else ''})" if gone else ""
    return (f"From the model: {len(model.words) - 1:,} words, and {len(tagger.words) - len(model.words):,} new ones; "
            f"{shared} tags, and {len(tagger.tags) - 1 - shared} new ones; {len(gone)} left out{which}")


# ------------------------------------------------------------------ weights


def _take_over(tagger: RNNTagger, model: RNNTagger, fresh_vectors: bool) -> None:
    """Copy into ``tagger`` the weights that it shares with ``model``."""
    rows = _rows(tagger.features, model.features)
    classes = tuple(ids[1:] - 1 for ids in _shared(tagger.tags, model.tags))  # id 0, no tag, has no class
    letters = _shared(tagger.alphabet, model.alphabet) if tagger.alphabet and model.alphabet else None
    of_features = tagger.network.networks(tagger.params)[0][0].feature_tables
    for name, array in tagger.params.items():
        plain = name.split(".", 1)[1] if name.startswith("net") else name  # of a member of an ensemble
        if fresh_vectors and plain.startswith("vectors."):
            continue
        axes: dict[int, Any] = {}  # axis to the indices that both have: in tagger, in model
        if plain in of_features:
            axes[0] = rows
        elif plain == "characters.table":
            axes[0] = letters
        elif plain in ("output.start", "output.end", "output.b_o"):
            axes[0] = classes
        elif plain == "output.W_o":
            axes[1] = classes
        elif plain == "output.transition":
            axes = {0: classes, 1: classes}
        old = model.params[name]
        here, there = (np.ix_(*(axes[axis][side] if axis in axes else np.arange(array.shape[axis])
                                for axis in range(array.ndim))) for side in (0, 1))
        array[here] = old[there]


def _shared(new: Vocab, old: Vocab) -> tuple[Array, Array]:
    """The ids in ``new`` and in ``old`` of the strings of both, the unknown being one."""
    strings = [string for string in new.strings[1:] if string in old]
    return np.array([0, *new.ids(strings)], np.intp), np.array([0, *old.ids(strings)], np.intp)


def _rows(new: FeatureMap, old: FeatureMap) -> tuple[Array, Array]:
    """The rows of both feature tables that belong to the same feature of the same slot."""
    found = [_shared(new.vocabs[slot], old.vocabs[slot]) for slot in new.slots]
    return tuple(np.concatenate([ids[side] + offset for ids, offset in zip(found, offsets)] or [np.zeros(0, np.intp)])
                 for side, offsets in ((0, new.offsets), (1, old.offsets)))  # type: ignore[return-value]
