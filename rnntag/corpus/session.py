"""What somebody has accepted of a corpus: a line of JSON for each sentence, appended to a file as it happens."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..errors import RnntagError
from ..files import reporting


class Session:
    """The sentences that are done.

    accepted   by the sentence's key: its "tokens", how many of them a tagger was "judged" on and "agreed" on, and
               what was "changed"

    A last line that was cut off, by a crash, is taken away when the next one is written.
    """

    def __init__(self, path: str | Path | None):
        """``path`` None: it is forgotten at the end. Raises RnntagError for a file that is something else."""
        self.path = Path(path) if path is not None else None
        self.accepted: dict[str, dict[str, Any]] = {}
        self._whole = 0  # bytes of the file that are whole lines
        if self.path is None:
            return
        with reporting(self.path, "read"):
            data = self.path.read_bytes() if self.path.exists() else b""
        self._whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:self._whole].split(b"\n")[:-1], 1):
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                raise RnntagError("not a line of a session", "each is a JSON object about a sentence",
                                  "Name another file with --session.", f"{self.path}:{number}") from None

    def add(self, record: dict[str, Any]) -> None:
        """Note that a sentence was accepted, or ("undone") that this was taken back."""
        if self.path is not None:
            line = json.dumps(record).encode() + b"\n"
            with reporting(self.path, "write"), open(self.path, "r+b" if self.path.exists() else "xb") as stream:
                stream.truncate(self._whole)
                stream.seek(self._whole)
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
            self._whole += len(line)
        self._take(record)

    def _take(self, record: dict[str, Any]) -> None:
        key = record["sentence"]
        if not isinstance(key, str):
            raise TypeError
        if record.get("undone"):
            self.accepted.pop(key, None)
        else:
            self.accepted[key] = {"changed": list(record["changed"]),
                                  **{name: int(record[name]) for name in ("tokens", "judged", "agreed")}}
