"""What happens, told to whoever listens to the logger ``rnntag`` of the module logging.

    logging.basicConfig(level=logging.INFO)                 # INFO:rnntag:epoch epoch=1 loss=1.2 seconds=0.5
    record.event, record.values                             # the same of a logging.LogRecord, for programs

    loaded, saved   a model: model, kind
    epoch           of training: as in log.jsonl, and seconds, tokens_per_second
    checkpoint      written: folder, epochs, batches
    tagged          a file: input, output, sentences, tokens, seconds
    begin, end      of a command: command, version; status, seconds, cpu_seconds, peak_memory_mb
    error, warning  of a command: message
"""

from __future__ import annotations

import sys
from typing import Any

LOGGER = "rnntag"


def tell(event: str, **values: Any) -> None:
    """An event with JSON values, at the level INFO."""
    logging = sys.modules.get("logging")  # who listens has imported it; it takes its time
    if logging is not None and (logger := logging.getLogger(LOGGER)).isEnabledFor(logging.INFO):
        text = " ".join(f"{name}={value}" for name, value in values.items())
        logger.info("%s %s", event, text, extra={"event": event, "values": values})
