"""The progress bar of the commands."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


class Progress(tqdm):
    """A bar on standard error; none when the command is quiet or no terminal is there."""

    disable = True  # a signal may end the command while the bar is being made

    def __init__(self, quiet: bool, **settings: Any) -> None:
        super().__init__(file=sys.stderr, disable=quiet or not sys.stderr.isatty(), **settings)
