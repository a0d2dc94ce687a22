"""``--log-json``: the events of a command (events.py) as JSON lines."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from .. import __version__
from ..errors import OptionError
from ..events import LOGGER, tell
from ..files import STANDARD, reporting


class JsonLines(logging.Handler):
    """Writes each event as a JSON object with its time (UTC, ISO 8601), at once."""

    def __init__(self, stream: IO[bytes], path: Path):
        super().__init__(logging.INFO)
        self.stream, self.path = stream, path

    def emit(self, record: logging.LogRecord) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        values: dict[str, Any] = getattr(record, "values", {"message": record.getMessage()})
        line = {"time": f"{at}.{int(record.msecs):03}Z", "event": getattr(record, "event", "message"), **values}
        with reporting(self.path, "write"):
            self.stream.write(json.dumps(line, default=str).encode() + b"\n")


@contextlib.contextmanager
def logged(path: str, command: str) -> Iterator[None]:
    """Add the events of the block to the file ``path``, with ``begin`` and ``end`` around them.

    Raises RnntagError when it cannot be written.
    """
    if path == STANDARD:
        raise OptionError("standard output", "it is for data", "Name a file.", "--log-json")
    logger, status = logging.getLogger(LOGGER), 0
    before = logger.level
    with reporting(path, "write"):
        stream = open(path, "ab", buffering=0)
    with stream:
        handler = JsonLines(stream, Path(path))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            tell("begin", command=command, version=__version__)
            start, cpu = time.perf_counter(), time.process_time()
            try:
                yield
            except click.exceptions.Exit as end:
                status = end.exit_code
                raise
            except BaseException:  # with --debug
                status = 1
                raise
            finally:
                tell("end", status=status, seconds=round(time.perf_counter() - start, 3),
                     cpu_seconds=round(time.process_time() - cpu, 3), **_memory())
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before)


def _memory() -> dict[str, float]:
    """The most memory that this process had, in MB, where the system says."""
    if sys.platform == "win32":
        return {}
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak_memory_mb": round(peak / (2 ** 20 if sys.platform == "darwin" else 2 ** 10), 1)}
