"""What can be kept in a model folder: every kind of model, and models that are parts of others.

A part is stored in the files of the whole. The manifest has its kind and options under ``parts`` in the options
of the whole; its id maps and arrays are among those of the whole, their names behind its own: ``lemmatizer/...``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..corpus import Sentence
from ..errors import ModelError, quote
from ..models.answers import Posteriors, Words
from ..text.vocab import Vocab
from .archive import SUPPORT, Shapes

PARTS = "parts"  # the option under which a manifest has them
State = tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]


class Model(Protocol):
    """What can be kept in a model folder.

    info    JSON values that tell where the model is from: digest of the corpus, scores; {} when nobody knows
    place   the folder that it was loaded from, for messages
    parts   other models that belong to it, by name; the registry says which there can be
    """

    kind: str
    dtype: str
    info: dict[str, Any]
    place: str | Path
    parts: dict[str, Any]

    def state(self) -> State: ...

    @classmethod
    def shapes(cls, options: dict[str, Any], ids: dict[str, Any]) -> Shapes: ...

    @classmethod
    def restore(cls, options: dict[str, Any], ids: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any: ...


class Tagger(Model, Protocol):
    """A model that gives each word a tag."""

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]: ...
    def probabilities(self, sentences: Iterable[Sequence[str]]) -> Iterator[Posteriors]: ...
    def annotate(self, sentences: Iterable[Words], fields: Collection[str] | None = None,
                 best: int = 0) -> Iterator[Sentence]: ...

    @property
    def fields(self) -> tuple[str, ...]: ...

    @property
    def tags(self) -> Vocab: ...


class Kind(NamedTuple):
    """A kind of model.

    place     module and class in ``models``
    command   what is done with such a model on the command line
    parts     the name of each part that it can have, and the kind of that
    since     the format version that brought it
    """

    place: str
    command: str
    parts: Mapping[str, str] = {}
    since: int = 1


KINDS = {"rnn": Kind("tagger:RNNTagger", "test-rnn", {"lemmatizer": "transducer", "segmenter": "segmenter"}),
         "hmm": Kind("hmm:HMMTagger", "test-hmm"),
         "lm": Kind("language_model:LanguageModel", "rnntag score", since=2),
         "classifier": Kind("classifier:Classifier", "rnntag classify", since=2),
         "transducer": Kind("transducer:Transducer", "rnntag transduce", since=2),
         "segmenter": Kind("segmenter:Segmenter", "rnntag segment", since=2)}
TAGGERS = ("rnn", "hmm")


def check_kind(kind: Any) -> None:
    """Raise ModelError for a kind that does not exist."""
    if not isinstance(kind, str) or kind not in KINDS:
        raise ModelError(f"kind {shown(kind)}", f"it is one of {', '.join(KINDS)}", SUPPORT)


def model_class(kind: str) -> type[Model]:
    """The class of a kind of model, imported only now: an HMM needs no network."""
    module, name = KINDS[kind].place.split(":")
    return getattr(import_module(f"..models.{module}", __package__), name)


def shown(value: Any) -> str:
    """A JSON value as a message shows it."""
    if isinstance(value, (dict, list)):
        return f"a {type(value).__name__}"
    return quote(value) if isinstance(value, str) else str(value)[:60]


class Member(NamedTuple):
    """A model, or a part of one, before it is made; ``prefix`` is that of its names in the whole."""

    prefix: str
    model: type[Model]
    options: dict[str, Any]
    ids: dict[str, Any]

    def shapes(self) -> Shapes:
        """Name (in the whole) and shape of each array."""
        return {self.prefix + name: shape for name, shape in self.model.shapes(self.options, self.ids).items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> Any:
        """The model, from the arrays of the whole."""
        own = {name.removeprefix(self.prefix): arrays[name] for name in self.shapes()}
        return self.model.restore(self.options, self.ids, own)


class Outline(NamedTuple):
    """A model with its parts, before arrays are read."""

    whole: Member
    parts: dict[str, Member]

    @property
    def dtype(self) -> str:
        """That of all arrays."""
        return self.whole.model.dtype

    def shapes(self) -> Shapes:
        """Name and shape of every array. Raises an RnntagError when options and id maps do not fit."""
        return {name: shape for member in (self.whole, *self.parts.values())
                for name, shape in member.shapes().items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> Any:
        """The model with its parts."""
        model = self.whole.restore(arrays)
        model.parts = {name: part.restore(arrays) for name, part in self.parts.items()}
        return model


def outline(kind: str, options: dict[str, Any], ids: dict[str, Any]) -> Outline:
    """A model of this kind, taken apart into itself and its parts.

    Raises ModelError for parts that such a model does not have.
    """
    options, ids = dict(options), dict(ids)
    parts, members = options.pop(PARTS, {}), {}
    if not isinstance(parts, dict):
        raise ModelError(f"{PARTS} {shown(parts)}", "it is an object of models", SUPPORT)
    for name, part in parts.items():
        wanted = KINDS[kind].parts.get(name)
        if wanted is None:
            raise ModelError(f"a part {quote(name)}", f"a model of kind {kind} has none of this name", SUPPORT)
        if not (isinstance(part, dict) and part.keys() == {"kind", "options"} and part["kind"] == wanted
                and isinstance(part["options"], dict)):
            raise ModelError(f"part {quote(name)} is not described as a part is",
                             f"it has kind, which is {wanted}, and options", SUPPORT)
        prefix = f"{name}/"
        own = {key.removeprefix(prefix): ids.pop(key) for key in list(ids) if key.startswith(prefix)}
        members[name] = Member(prefix, model_class(wanted), part["options"], own)
    return Outline(Member("", model_class(kind), options, ids), members)


def whole_state(model: Model) -> State:
    """Options, id maps and arrays of a model, those of its parts among them: what ``outline`` takes apart."""
    options, ids, arrays = model.state()
    described = {}
    for name, part in model.parts.items():
        own, own_ids, own_arrays = part.state()
        described[name] = {"kind": part.kind, "options": own}
        ids = ids | {f"{name}/{key}": value for key, value in own_ids.items()}
        arrays = arrays | {f"{name}/{key}": array for key, array in own_arrays.items()}
    return options | ({PARTS: described} if described else {}), ids, arrays


def format_of(kind: str, options: Mapping[str, Any]) -> int:
    """The oldest format version that can hold a model of this kind with these options."""
    return max(KINDS[kind].since, 2 if {PARTS, "columns"} & options.keys() else 1)
