"""Checkpoints: a training run that is killed goes on where it was.

Beside the model MODEL that is being trained there is, until it is written, a folder MODEL.training:

    lock             held by the running process
    arrays-0.npz, arrays-1.npz   weights, optimiser state, averages; written in turn
    state.json       options, digests of the corpora, position, random generator, log, and a SHA-256 of these;
                     names one of the two and its SHA-256, and is replaced in one step after that is on the disk

so the last good checkpoint is there while the next is written. A run that is continued does the
same updates in the same order: it ends with the same bytes as one that was not interrupted.

A checkpoint may come from a stranger, as a model may: it is read with the same suspicion.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import time
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import ModelError, RnntagError, quote
from ..events import tell
from ..files import OLD, PART, Lock, leftovers, reporting, write_bytes
from ..storage.archive import (MAX_WEIGHT_BYTES, SUPPORT, archive_bytes, pack_arrays, parse_json, read_checked,
                               sha256, unpack_arrays)
from ..storage.modelfile import FORMAT_VERSION, read_manifest
from .trainer import Trainer

STATE, SEAL = "state.json", "sha256_of_state"  # the file, and the key of its checksum in it
OWN = re.compile(r"lock|state\.json|arrays-[01]\.npz|\.(state\.json|arrays-[01]\.npz)\.\w{8}\.part")
MAX_ARRAYS = 8 * MAX_WEIGHT_BYTES  # weights, optimiser state, averages, the best and the last weights
AGAIN = "Start over with --force."
KEPT = "The training so far is kept: continue it with --resume."


class Checkpoints:
    """The checkpoints of one run; a context manager that holds the lock of MODEL.training.

    identity   JSON values that a continued run must share: options, digests of the corpora
    every      seconds between checkpoints
    log        records of the epochs so far, read back by ``restore``

    Raises ModelError when another process trains there, when an unfinished run stands there and
    neither ``resume`` nor ``force`` is given, and when what stands there cannot be continued.
    """

    def __init__(self, model: str | Path, identity: dict[str, Any], *, every: float = 30.0,
                 resume: bool = False, force: bool = False):
        self.model = Path(os.path.realpath(model))  # one folder, whatever the model is called
        self.folder = self.model.with_name(f"{self.model.name}.training")
        self.identity = json.loads(json.dumps(identity))
        self.every, self.resume, self.force = every, resume, force
        self.log: list[dict[str, Any]] = []
        self._turn, self._saved_at = 0, time.monotonic()

    def __enter__(self) -> Checkpoints:
        with reporting(self.folder, "write"):
            self.folder.mkdir(exist_ok=True)
            odd = [entry.name for entry in self.folder.iterdir() if not OWN.fullmatch(entry.name)]
        if odd:
            raise ModelError(f"it has {quote(min(odd))} in it", "this folder is for checkpoints alone",
                             "Move that elsewhere, or choose another MODEL.", self.folder)
        self._lock = Lock(self.folder / "lock")
        if not self._lock.acquire():
            raise ModelError("another process is training there", hint="Wait for it, or choose another "
                             "MODEL.", place=self.folder)
        try:
            if self._stands() and not self.resume:
                if not self.force:
                    raise ModelError("an unfinished training", hint="Continue it with --resume, or start "
                                     "over with --force.", place=self.folder)
                self._forget()
            self._tidy()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        stands = self._stands()
        if stands and isinstance(error, RnntagError) and not error.hint:
            error.hint = KEPT
        if not stands and os.name == "posix":
            shutil.rmtree(self.folder, ignore_errors=True)  # before another process gets the lock
        self._lock.release()
        if not stands and os.name != "posix":  # where a file that is open cannot be removed
            shutil.rmtree(self.folder, ignore_errors=True)

    def _stands(self) -> bool:
        """Is there a checkpoint?"""
        with reporting(self.folder, "read"):
            return os.path.lexists(self.folder / STATE)

    def _forget(self) -> None:
        with reporting(self.folder / STATE, "remove"):
            (self.folder / STATE).unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Remove what was half written when a process was killed; whoever has the lock may."""
        for path in leftovers(self.model, PART, *([OLD] if self.model.exists() else [])):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob(f".*{PART}"):
            with reporting(path, "remove"):
                path.unlink()

    def due(self) -> bool:
        """Is it time for the next checkpoint?"""
        return time.monotonic() - self._saved_at >= self.every

    def save(self, trainer: Trainer) -> None:
        """Write a checkpoint; the one before stays good until this one is whole.

        Weights that are no longer finite are not worth a checkpoint: the trainer stops over them soon.
        """
        values, arrays = trainer.state()
        if not all(np.isfinite(array).all() for array in arrays.values()):
            return
        data = pack_arrays(arrays)
        name = f"arrays-{self._turn}.npz"
        write_bytes(self.folder / name, data)
        state = {"format_version": FORMAT_VERSION, "identity": self.identity, "log": self.log,
                 "arrays": name, "sha256": sha256(data), "trainer": values}
        write_bytes(self.folder / STATE, json.dumps({**state, SEAL: _digest(state)}).encode())
        self._turn, self._saved_at = 1 - self._turn, time.monotonic()
        tell("checkpoint", folder=str(self.folder), epochs=trainer.at.epoch, batches=trainer.at.batch)

    def restore(self, trainer: Trainer) -> bool:
        """Bring ``trainer`` to the last checkpoint; False when there is none.

        Raises ModelError when it is damaged, or of a run with other options or corpora.
        """
        if not self._stands():
            return False
        try:
            self._read(trainer)
        except ModelError as error:
            error.hint = AGAIN if error.hint == SUPPORT else error.hint
            raise
        return True

    def _read(self, trainer: Trainer) -> None:
        place = self.folder / STATE
        # its plan has a number a sentence, its log a record an epoch
        size = 1_000_000 + 32 * len(trainer.task.sizes) + 1_000 * trainer.options.epochs
        state = parse_json(read_checked(place, size, None), place)
        try:
            self._compare(state, place)
            turn, digest = ("arrays-0.npz", "arrays-1.npz").index(state["arrays"]), str(state["sha256"])
            check_values(state["trainer"], state["log"], trainer)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ModelError(f"a damaged checkpoint ({quote(str(error))})", hint=AGAIN, place=place) from None
        shapes, arrays_place = trainer.shapes(state["trainer"]), self.folder / state["arrays"]
        most = archive_bytes(shapes, "float32", MAX_ARRAYS)
        data = read_checked(arrays_place, MAX_ARRAYS, digest, most, STATE)
        trainer.restore(state["trainer"], unpack_arrays(arrays_place, data, shapes, "float32"))
        self._turn, self.log = 1 - turn, state["log"]

    def _compare(self, state: dict[str, Any], place: Path) -> None:
        """Raise ModelError unless the checkpoint is of this format, whole, and of this very run."""
        version = state["format_version"]
        if type(version) is not int or version != FORMAT_VERSION:
            raise ModelError(f"a checkpoint of format {quote(str(version))}", "this program continues "
                             f"{FORMAT_VERSION}", AGAIN, place)
        if state.pop(SEAL, None) != _digest(state):
            raise ModelError("its checksum is not that of what is in it", "it was damaged or edited", AGAIN, place)
        flat, own = _flatten(state["identity"]), _flatten(self.identity)
        for name in sorted(flat.keys() | own.keys()):
            if flat.get(name) != own.get(name):
                raise ModelError(f"{quote(name)[1:-1]} was {quote(str(flat.get(name)))}",
                                 f"it is {quote(str(own.get(name)))} now",
                                 "Give the same files and options, or start over with --force.", place)

    def written(self) -> bool:
        """Is MODEL what this run ends with? Then it ended, or was killed after it had written MODEL."""
        try:
            manifest = read_manifest(self.model)
            found = _flatten({"options": manifest["options"], **manifest["info"]})
        except (ModelError, RecursionError):
            return False
        own = _flatten(self.identity)
        return (manifest.get("program") == __version__ and "stopped" not in found
                and own == {name: found.get(name) for name in own})

    def finish(self) -> None:
        """The model is written: remove the folder."""
        self._forget()  # __exit__ does the rest


def check_values(values: dict[str, Any], log: list[dict[str, Any]], trainer: Trainer) -> None:
    """Raise ValueError, KeyError or TypeError unless ``trainer`` could have had these values."""
    options = trainer.options
    own, _ = trainer.state()
    _check_like(values, own, "trainer")
    at, random = values["position"], values["random"]
    _want(random["bit_generator"] == own["random"]["bit_generator"], "another random generator")
    _want(all(0 <= number < 2 ** 128 for number in random["state"].values()), "random state")
    _want(random["has_uint32"] in (0, 1) and 0 <= random["uinteger"] < 2 ** 32, "random state")
    _want(0 <= at["epoch"] <= options.epochs and 0 <= at["stale"] <= at["epoch"], "epoch")
    plan = at["plan"]
    _want(plan is None or isinstance(plan, list), "plan")
    if plan is not None:
        order = list(chain.from_iterable(plan))
        _want(all(type(number) is int for number in order) and sorted(order) == list(range(len(trainer.task.sizes)))
              and all(1 <= len(members) <= options.batch_size for members in plan), "plan")
    _want(0 <= at["clipped"] <= at["batch"] <= len(plan or ()), "batch")
    best = at["best_score"]
    _want(best is None or at["epoch"] > 0 and type(best) is float and math.isfinite(best), "best_score")
    _want(at["loss"] >= 0, "loss")
    _want(0 <= values["averaged"] <= values["updates"] < 2 ** 53, "updates")
    _want(values["averaging"] <= bool(options.average) and values["judged"] == (at["epoch"] > 0), "averages")
    names = {"epoch", "loss", trainer.task.score_name, "best", "clipped", "learning_rate"}
    _want(isinstance(log, list) and len(log) == at["epoch"], "log")
    for number, record in enumerate(log, 1):
        _want(record.keys() == names and record["epoch"] == number and all(
            value is None or type(value) in (bool, int, float) and math.isfinite(value)
            for value in record.values()), "log")


def _check_like(found: Any, own: Any, name: str) -> None:
    """The same keys, and values of the same types, finite; what may be None is looked at elsewhere."""
    if isinstance(own, dict):
        _want(isinstance(found, dict) and found.keys() == own.keys(), name)
        for key in own:
            _check_like(found[key], own[key], key)
    elif name not in ("plan", "best_score"):
        number = isinstance(own, float) and type(found) in (int, float) and abs(found) < 1e300
        _want(number or not isinstance(own, float) and type(found) is type(own), name)


def _digest(state: dict[str, Any]) -> str:
    """The SHA-256 of a state: JSON values that are read and written again give the same text."""
    return sha256(json.dumps(state).encode())


def _want(right: bool, name: str) -> None:
    if not right:
        raise ValueError(name)


def _flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """One flat object with the keys of nested ones joined: ``train sha256``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten(value, f"{prefix}{name} ") if isinstance(value, dict) else {prefix + name: value}
    return flat


class Interrupted(RnntagError):
    """The run was asked to stop; its checkpoint is written."""

    def __init__(self, signal: int, folder: Path):
        super().__init__("interrupted", hint="Continue it with --resume.", place=folder)
        self.exit_status = 128 + signal
