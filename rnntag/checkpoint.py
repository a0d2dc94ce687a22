"""Checkpoints: a training run that is killed goes on where it was.

Beside the model MODEL that is being trained there is, until it is written, a folder MODEL.training:

    lock             held by the running process
    arrays-0.npz, arrays-1.npz   weights, optimiser state, averages; written in turn
    state.json       options, digests of the corpora, position, random generator, log; names one of
                     the two and its SHA-256, and is replaced in one step after that is on the disk

so the last good checkpoint is there while the next is written. A run that is continued does the
same updates in the same order: it ends with the same bytes as one that was not interrupted.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from .errors import ModelError, RnntagError
from .files import Lock, reporting, write_bytes
from .modelfile import FORMAT_VERSION, MAX_WEIGHT_BYTES, pack_arrays, read_checked, sha256, unpack_arrays
from .trainer import Trainer

STATE = "state.json"
MAX_STATE_BYTES = 400_000_000


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
        self.folder = Path(f"{str(model).rstrip('/')}.training")
        self.identity = json.loads(json.dumps(identity))
        self.every, self.resume, self.force = every, resume, force
        self.log: list[dict[str, Any]] = []
        self._turn, self._saved_at = 0, time.monotonic()

    def __enter__(self) -> Checkpoints:
        with reporting(self.folder, "write"):
            self.folder.mkdir(exist_ok=True)
        self._lock = Lock(self.folder / "lock")
        if not self._lock.acquire():
            raise ModelError("another process is training there", hint="Wait for it, or choose another "
                             "MODEL.", place=self.folder)
        try:
            if (self.folder / STATE).exists() and not self.resume:
                if not self.force:
                    raise ModelError("an unfinished training", hint="Continue it with --resume, or start "
                                     "over with --force.", place=self.folder)
                (self.folder / STATE).unlink()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._lock.release()
        if self.folder.exists() and not (self.folder / STATE).exists():
            shutil.rmtree(self.folder, ignore_errors=True)  # nothing in it to go on from

    def due(self) -> bool:
        """Is it time for the next checkpoint?"""
        return time.monotonic() - self._saved_at >= self.every

    def save(self, trainer: Trainer) -> None:
        """Write a checkpoint; the one before stays good until this one is whole."""
        values, arrays = trainer.state()
        data = pack_arrays(arrays)
        name = f"arrays-{self._turn}.npz"
        write_bytes(self.folder / name, data)
        state = {"format_version": FORMAT_VERSION, "identity": self.identity, "log": self.log,
                 "arrays": name, "sha256": sha256(data), "trainer": values}
        write_bytes(self.folder / STATE, json.dumps(state).encode())
        self._turn, self._saved_at = 1 - self._turn, time.monotonic()

    def restore(self, trainer: Trainer) -> bool:
        """Bring ``trainer`` to the last checkpoint; False when there is none.

        Raises ModelError when it is damaged, or of a run with other options or corpora.
        """
        place = self.folder / STATE
        if not place.exists():
            return False
        try:
            state = json.loads(read_checked(place, MAX_STATE_BYTES, None))
            version, identity = state["format_version"], state["identity"]
            self.log, values = state["log"], state["trainer"]
            arrays_place = self.folder / state["arrays"]
            turn = ("arrays-0.npz", "arrays-1.npz").index(state["arrays"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(f"a damaged checkpoint ({error})", hint="Start over with --force.",
                             place=place) from None
        if version != FORMAT_VERSION:
            raise ModelError(f"a checkpoint of format {version}", f"this program continues {FORMAT_VERSION}",
                             "Start over with --force.", place)
        self._compare(identity, place)
        data = read_checked(arrays_place, MAX_WEIGHT_BYTES, state["sha256"])
        trainer.restore(values, unpack_arrays(arrays_place, data, trainer.shapes(values), "float32"))
        self._turn = 1 - turn
        return True

    def _compare(self, identity: dict[str, Any], place: Path) -> None:
        flat, own = _flatten(identity), _flatten(self.identity)
        for name in sorted(flat.keys() | own.keys()):
            if flat.get(name) != own.get(name):
                raise ModelError(f"{name} was {flat.get(name)!r}", f"it is {own.get(name)!r} now",
                                 "Give the same files and options, or start over with --force.", place)

    def finish(self) -> None:
        """The model is written: remove the folder."""
        with reporting(self.folder, "remove"):
            (self.folder / STATE).unlink(missing_ok=True)  # __exit__ does the rest


def _flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten(value, f"{prefix}{name} ") if isinstance(value, dict) else {prefix + name: value}
    return flat


class Interrupted(RnntagError):
    """The run was asked to stop; its checkpoint is written."""

    def __init__(self, signal: int, folder: Path):
        super().__init__("interrupted", hint="Continue it with --resume.", place=folder)
        self.exit_status = 128 + signal
