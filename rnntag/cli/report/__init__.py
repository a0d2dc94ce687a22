"""``rnntag report``: the command, the figures (matplotlib) and the HTML page."""

from .command import main

__all__ = ["main"]
