"""An RNN tagger as options, id maps and arrays, for a model folder; and back, with suspicion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..corpus.base import COLUMNS
from ..errors import OptionError, quote
from ..nn.layers import Array, Shapes
from ..text.features import FeatureMap, stored_slots
from ..text.vocab import Vocab
from .columns import LEMMA, MAX_GAIN, MAX_MEMBERSHIP, Labels, Lemmas, context_of
from .options import Options

TEMPERATURES = 0.5, 5.0  # the lowest and the highest
GAIN = "lemma_gain"  # the option that says what it is worth that a lemma was seen
NAMES = ("", *COLUMNS)  # of columns
SEEN = "lemmas"  # the array with the lemmas that were seen; in options its length, in id maps their strings


def stored(tagger: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Array]]:
    """Options, id maps and arrays of a tagger."""
    options = tagger.options.to_dict() | {"columns": list(tagger.columns)}
    options |= {"temperature": tagger.temperatures} if tagger.temperatures else {}
    ids: dict[str, Any] = {
        "words": tagger.words.strings, "columns": {n: each.vocab.strings for n, each in tagger.columns.items()},
        "features": {slot: vocab.strings for slot, vocab in tagger.features.vocabs.items() if slot != "form"}}
    value_parts: dict[str, Any] = {name: each.parts.strings for name, each in tagger.columns.items() if each.parts}
    more: dict[str, Any] = {"value_parts": value_parts} if value_parts else {}
    more |= {name: vocab.strings for name, vocab in (("characters", tagger.alphabet), ("vectors", tagger.vectors))
             if vocab is not None}
    lemmas = tagger.columns.get(LEMMA)
    if not isinstance(lemmas, Lemmas):
        return options, ids | more, tagger.params
    return (options | {SEEN: len(lemmas.seen), GAIN: lemmas.gain}, ids | more | {SEEN: lemmas.lexicon.strings},
            tagger.params | {SEEN: lemmas.seen})


@dataclass
class Stored:
    """What a model folder says of a tagger, checked: everything but its weights."""

    options: Options
    words: Vocab
    features: FeatureMap
    alphabet: Vocab | None
    vectors: Vocab | None
    labels: dict[str, Labels]
    lexicon: Vocab | None
    pairs: int
    gain: float
    temperatures: dict[str, float]

    def more_shapes(self) -> Shapes:
        """Name and shape of each array that is no weight."""
        return {SEEN: (self.pairs, 2)} if self.lexicon is not None else {}

    def columns(self, arrays: Mapping[str, Array] | None = None) -> dict[str, Labels]:
        """The columns; without arrays no lemma was seen.

        Raises OptionError for arrays that training would not have made.
        """
        if self.lexicon is None:
            return self.labels
        name = context_of(self.labels)
        contexts = self.labels[name].vocab if name else Vocab([])
        seen = np.zeros((0, 2)) if arrays is None else arrays[SEEN].astype(np.float64)
        lemma, tag = seen.T
        if not ((seen == np.floor(seen)).all() and lemma.min(initial=1) >= 1 and tag.min(initial=0) >= 0
                and lemma.max(initial=0) < len(self.lexicon) and tag.max(initial=0) < len(contexts)
                and (np.diff(lemma * len(contexts) + tag) > 0).all()):
            raise OptionError("lemmas or tags that do not exist, out of order or twice", f"{SEEN} has pairs of their "
                              "ids in rising order")
        lemmas = Lemmas(self.labels[LEMMA].vocab, self.lexicon, seen.astype(np.float32), contexts, self.gain)
        return {**self.labels, LEMMA: lemmas}


def checked(options: dict[str, Any], ids: dict[str, Any]) -> Stored:
    """Validated options, and the id maps that they call for, no more and no less; version 1 has one column.

    Raises OptionError for what does not fit.
    """
    options, ids = dict(options), dict(ids)
    if "columns" not in options:  # version 1
        options["columns"], ids["columns"] = [""], {"": ids.pop("tags", None)}
        if "temperature" in options:
            options["temperature"] = {"": options["temperature"]}
    names = options.pop("columns")
    if not (isinstance(names, list) and names and all(isinstance(name, str) and name in NAMES for name in names)
            and len(set(names)) == len(names)):
        raise OptionError(f"columns {quote(str(names))}", f"they are some of {', '.join(COLUMNS)}, each once")
    pairs, temperatures = options.pop(SEEN, None), _temperatures(options.pop("temperature", {}), names)
    gain = options.pop(GAIN, None)
    chosen = Options.from_dict(options)
    _check_maps(chosen, ids, names)
    if LEMMA not in names and pairs is not None or LEMMA in names and not (
            type(pairs) is int and 1 <= pairs <= len(ids[SEEN]) * 10**6):
        raise OptionError(f"{SEEN} {quote(str(pairs))}", "a model with lemmas has the number of those it has seen")
    _check_gain(gain, LEMMA in names)
    vocab = {name: Vocab(strings[1:]) for name, strings in ids.items() if isinstance(strings, list)}
    features = FeatureMap({slot: vocab["words"] if slot == "form" else Vocab(ids["features"][slot][1:])
                           for slot in _slots(chosen, ids["features"])})
    labels = _labels(ids, names)
    return Stored(chosen, vocab["words"], features, vocab.get("characters"), vocab.get("vectors"), labels,
                  vocab.get(SEEN), pairs or 0, gain or 0.0, temperatures)


def _temperatures(found: Any, names: list[str]) -> dict[str, float]:
    if not isinstance(found, dict) or not found.keys() <= set(names):
        raise OptionError(f"temperature {quote(str(found))}", "it has numbers by the names of columns")
    for value in found.values():
        if type(value) is not float or not TEMPERATURES[0] <= value <= TEMPERATURES[1]:
            raise OptionError(f"temperature {str(value)[:60]}", f"it is at least {TEMPERATURES[0]} and at most "
                              f"{TEMPERATURES[1]}")
    return found


def _check_gain(found: Any, lemmas: bool) -> None:
    if lemmas != (found is not None) or lemmas and not (type(found) is float and 0 <= found <= MAX_GAIN):
        raise OptionError(f"{GAIN} {str(found)[:60]}", f"a model with lemmas has it, from 0 to {MAX_GAIN}")


def _check_maps(options: Options, ids: dict[str, Any], names: list[str]) -> None:
    """Raise OptionError for id maps that do not fit."""
    wanted = {"words", "columns", "features", *(["characters"] if options.char_rnn else []),
              *(["vectors"] if options.vectors else []), *([SEEN] if LEMMA in names else [])}
    nested = ("columns", "features", "value_parts")
    if not (wanted <= ids.keys() <= wanted | {"value_parts"}
            and all(isinstance(ids[name], dict if name in nested else list) for name in ids)
            and all(isinstance(strings, list) for name in nested for strings in ids.get(name, {}).values())
            and ids["columns"].keys() == set(names) and _slots(options, ids["features"]) is not None
            and ids.get("value_parts", {}).keys() <= set(names) - {LEMMA}):
        raise OptionError("id maps that do not fit the options", f"these call for {', '.join(sorted(wanted))}")
    if min(map(len, ids["columns"].values())) < 2:
        raise OptionError("an empty tag set", "a tagger has at least one tag")
    if any(len(ids["columns"][name]) * len(parts) > MAX_MEMBERSHIP
           for name, parts in ids.get("value_parts", {}).items()):
        raise OptionError("too many parts of values", f"parts times values are at most {MAX_MEMBERSHIP:,}")


def _slots(options: Options, found: dict[str, Any]) -> Any:
    """The slots of the features, where the stored ones fit the options; the map of ``form`` is that of the words."""
    form = {"form"} if "form" in options.feature_names else set()
    return None if form & found.keys() else stored_slots(options.feature_names, found.keys() | form)


def _labels(ids: dict[str, Any], names: list[str]) -> dict[str, Labels]:
    parts = {name: Vocab(strings[1:]) for name, strings in ids.get("value_parts", {}).items()}
    labels = {name: Labels(Vocab(ids["columns"][name][1:]), parts.get(name)) for name in names if name != LEMMA}
    if LEMMA in names:
        try:
            lemmas: Labels = Lemmas(Vocab(ids["columns"][LEMMA][1:]), Vocab([]), np.zeros((0, 2)), Vocab([]))
        except ValueError as error:
            raise OptionError(f"{quote(str(error))} is no edit script", "the classes of lemmas are scripts") from None
        labels[LEMMA] = lemmas
    return {name: labels[name] for name in names}
