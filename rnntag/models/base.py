"""What all models share that are a network with id maps: other weights, a folder, scores that do not overflow."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..errors import ModelError, OptionError
from ..nn.layers import Array, Shapes
from ..text.vocab import Vocab

BATCH_TOKENS = 4_096  # tokens in one pass through the network
MAX_SCORE = 1e37  # beyond, float32 may not hold what is made of scores
Self = TypeVar("Self", bound="NetworkModel")


class Weighted:
    """What has weights, and can be kept in a model folder.

    params   name to array
    info     where it is from, as its model folder says
    parts    models that belong to it, by name
    place    the folder that it was loaded from, for messages
    """

    dtype = "float32"
    place: str | Path = ""

    def __init__(self, params: dict[str, Array]):
        self.params = params
        self.info: dict[str, Any] = {}
        self.parts: dict[str, Any] = {}

    @property
    def size(self) -> int:
        """How many weights there are."""
        return sum(array.size for array in self.params.values())

    def finite(self, scores: Array) -> Array:
        """``scores``. Raises ModelError when some are not finite, or nearly so: finite weights can be too large."""
        if not -MAX_SCORE <= scores.min() <= scores.max() <= MAX_SCORE:
            raise ModelError("weights so large that scores overflow", "no training ends with such weights",
                             "Train it again, or fetch it again from where it came.", self.place)
        return scores


class NetworkModel(Weighted):
    """A trained (or freshly initialised) model that is determined by options, id maps and weights: what the
    constructor takes, in this order. A subclass says how a network is made of them, and when they fit."""

    def __init__(self, *given: Any):
        *described, params = given
        super().__init__(params)
        self._described, self.network = described, self.network_of(*described)

    @staticmethod
    def network_of(*described: Any) -> Any:
        """The network, from options and id maps."""
        raise NotImplementedError

    @staticmethod
    def checked(options: dict[str, Any], ids: dict[str, Any]) -> tuple[Any, ...]:
        """Options and id maps from what ``state`` gave. Raises OptionError when they do not fit."""
        raise NotImplementedError

    @classmethod
    def untrained(cls: type[Self], rng: np.random.Generator, *described: Any) -> Self:
        """A model with random weights."""
        random = cls.network_of(*described).initialise(rng)
        return cls(*described, {name: array.astype(cls.dtype) for name, array in random.items()})

    def with_params(self: Self, params: dict[str, Array]) -> Self:
        """The same model with other weights."""
        return type(self)(*self._described, params)

    @classmethod
    def shapes(cls, options: dict[str, Any], ids: dict[str, Any]) -> Shapes:
        """Name and shape of every array of a model with these options and id maps. Raises as ``checked``."""
        return cls.network_of(*cls.checked(options, ids)).shapes()

    @classmethod
    def restore(cls: type[Self], options: dict[str, Any], ids: dict[str, Any], arrays: dict[str, Array]) -> Self:
        """The model that ``state`` described."""
        return cls(*cls.checked(options, ids), arrays)


def vocabs(ids: dict[str, Any], names: Collection[str], nested: Collection[str] = ()) -> dict[str, Any]:
    """Stored id maps as Vocabs, those of ``nested`` as several by name.

    Raises OptionError unless they are these and no others.
    """
    if ids.keys() != {*names, *nested} or any(isinstance(ids[name], dict) != (name in nested) for name in ids) or any(
            isinstance(strings, dict) for name in nested for strings in ids[name].values()):
        raise OptionError("id maps that do not fit the options",
                          f"these call for {', '.join(sorted((*names, *nested)))}")
    return {name: Vocab(found[1:]) if name in names else {slot: Vocab(part[1:]) for slot, part in found.items()}
            for name, found in ids.items()}
