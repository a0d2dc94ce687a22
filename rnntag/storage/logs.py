"""The log of a model folder: an epoch a line, read with suspicion."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..models.options import TrainingOptions
from .archive import SUPPORT, parse_json, read_checked
from .kinds import shown
from .modelfile import LOG, MANIFEST, read_manifest

MAX_EPOCHS, EPOCH_BYTES, EPOCH_VALUES = 100_000, 1_000, 32  # lines of a log; bytes and values of a line


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """The epochs of a model folder's log, or of a log by itself; no more of them than its options allow.

    Raises ModelError when it is no log.
    """
    path, most, digest = Path(path), MAX_EPOCHS, None
    if path.is_dir():
        manifest = read_manifest(path)
        most, digest = manifest["options"].get("epochs", TrainingOptions.epochs), manifest["sha256"][LOG]
        if type(most) is not int or not 1 <= most <= MAX_EPOCHS:
            raise ModelError(f"epochs {shown(most)}", f"it is a number from 1 to {MAX_EPOCHS:,}", SUPPORT,
                             path / MANIFEST)
        path /= LOG
    data = read_checked(path, MAX_EPOCHS * EPOCH_BYTES, digest, most * EPOCH_BYTES)
    lines = data.removesuffix(b"\n").count(b"\n") + 1
    if lines > most:
        raise ModelError(f"{lines:,} lines", f"the options allow {most:,} epochs", SUPPORT, path)
    return [_epoch(line, Path(f"{path}:{number}")) for number, line in enumerate(data.split(b"\n"), 1)
            if line.strip()]


def _epoch(line: bytes, place: Path) -> dict[str, Any]:
    record = None
    if len(line) <= EPOCH_BYTES:
        with suppress(ModelError):
            record = parse_json(line, place)
    if not (isinstance(record, dict) and len(record) <= EPOCH_VALUES
            and all(value is None or type(value) in (bool, int, float) and abs(value) < 1e300
                    for value in record.values())
            and type(record.get("epoch")) is int and 1 <= record["epoch"] <= MAX_EPOCHS):
        raise ModelError("not an epoch", "a log has a JSON object with epoch and loss a line", place=place)
    return record
