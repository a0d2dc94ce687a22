"""Run a document's commands and write their output into it: ``python3 .ci/fill.py [--all] docs/tutorial.md``.

The commands are those that .ci/readme.py takes, with --all also those that CI leaves out. The output of an
``sh`` block goes into the ``text`` block that follows it, if one does. To be run in a fresh clone, from its
top, with the environment active: the commands leave their files there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from readme import blocks


def room(lines: list[str], fence: int) -> tuple[int, int] | None:
    """Where the text block after the sh block that begins in line ``fence`` has its output: lines from, to."""
    at = lines.index("```", fence) + 1  # line numbers count from 1, so this is the line after the block
    while at < len(lines) and not lines[at].strip():
        at += 1
    return (at + 1, lines.index("```", at + 1)) if at < len(lines) and lines[at] == "```text" else None


def fill(text: str, everything: bool) -> str:
    """The document with the output that its commands have now. Raises SystemExit when one fails."""
    taken = [(fence, commands) for fence, commands, reason in blocks(text) if everything or reason is None]
    with tempfile.TemporaryDirectory() as folder:
        parts = [f"exec >{folder}/{fence} 2>&1\n{commands}\n" for fence, commands in taken]
        ran = subprocess.run(["bash", "-c", "set -eo pipefail\n" + "".join(parts)], stdin=subprocess.DEVNULL)
        outputs = {fence: (Path(folder) / str(fence)).read_text(encoding="utf-8")
                   for fence, _ in taken if (Path(folder) / str(fence)).exists()}
    if ran.returncode:
        fence = max(outputs)
        raise SystemExit(f"line {fence}: a command ended with {ran.returncode}\n{outputs[fence]}")
    lines = text.split("\n")
    for fence, output in sorted(outputs.items(), reverse=True):
        place = room(lines, fence)
        if place:
            lines[place[0]:place[1]] = [line.rstrip() for line in output.rstrip("\n").split("\n")]
    return "\n".join(lines)


if __name__ == "__main__":
    *option, name = sys.argv[1:]
    document = Path(name)
    filled = fill(document.read_text(encoding="utf-8"), everything=option == ["--all"])
    document.write_text(filled, encoding="utf-8", newline="\n")
