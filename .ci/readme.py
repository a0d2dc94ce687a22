"""Print the commands of a document as one bash script: ``python3 .ci/readme.py README.md | bash``.

Every fenced ``sh`` block is taken, in order, into one shell session that ends at the first
command that fails. A block is left out, and its reason shown, when the line before its fence is

    <!-- not run in CI: the reason -->

With ``--all`` before the document these are taken too: so are the figures of the documentation made again.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

MARK = re.compile(r"<!-- not run in CI: (.+) -->")


def blocks(text: str) -> Iterator[tuple[int, str, str | None]]:
    """The sh blocks of a Markdown text: line number of the fence, commands, reason not to run."""
    before, fence, start, lines = "", None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if fence is None and line.lstrip().startswith("```"):
            fence, start, lines, above = line.strip()[3:].strip(), number, [], before
        elif fence is not None and line.strip() == "```":
            if fence == "sh":
                marked = MARK.fullmatch(above.strip())
                yield start, "\n".join(lines), marked and marked[1]
            fence = None
        elif fence is not None:
            lines.append(line)
        before = line
    if fence is not None:
        raise SystemExit(f"line {start}: a block that is not closed")


def script(name: str, text: str, everything: bool = False) -> str:
    """The blocks as a bash script that shows each block before it runs it, and its seconds after."""
    parts, ran = ["set -eo pipefail\n"], 0
    for line, commands, reason in blocks(text):
        if reason is not None and not everything:
            parts.append(f"echo {shlex.quote(f'-- {name}:{line}: skipped: {reason}')}\n")
            continue
        shown = f"-- {name}:{line}\n" + "\n".join(f"$ {command}" for command in commands.splitlines())
        parts.append(f"echo {shlex.quote(shown)}; began=$SECONDS\n{commands}\n"
                     f'echo "-- {name}:{line}: $((SECONDS - began)) s"\n')
        ran += 1
    if not ran:
        raise SystemExit(f"{name}: no sh block to run")
    return "\n".join(parts)


if __name__ == "__main__":
    *option, path = sys.argv[1:]
    print(script(Path(path).name, Path(path).read_text(encoding="utf-8"), everything=option == ["--all"]))
