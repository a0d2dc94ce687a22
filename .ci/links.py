"""Check the links of the documentation: ``python3 .ci/links.py``.

A link to a file must lead to one, a link to a section to a heading. What stands in backquotes in the text of a
link to a Python file must be in that file:

    [`Softmax.loss`](../rnntag/nn/output.py)             a class, function or variable, by its dotted name
    [`p[rows, targets] -= 1`](../rnntag/nn/output.py)    code, in one place of the file
    [`nn/output.py`](../rnntag/nn/output.py)             the end of its path
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

LINK = re.compile(r"\[((?:`[^`]*`|[^\[\]`])*)\]\(([^()\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
QUOTED = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[A-Za-z_][\w.]*")


def documents(root: Path) -> list[Path]:
    """The Markdown files of the repository."""
    return [*sorted(root.glob("*.md")), *sorted(root.glob("docs/*.md")), *sorted(root.glob("data/*.md"))]


def defined(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """The dotted names of the classes, functions and variables that statements define."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield prefix + node.name
            yield from defined(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


@lru_cache
def source(path: Path) -> tuple[str, set[str]]:
    """The text of a Python file, and the names that it defines."""
    text = path.read_text(encoding="utf-8")
    return text, set(defined(ast.parse(text).body))


def headings(path: Path) -> set[str]:
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ +(.+?) *$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def faults(label: str, path: Path, anchor: str) -> Iterator[str]:
    """What is wrong with a link to a file, or to a section of it."""
    if not path.exists():
        yield "there is no such file"
    elif anchor and (path.suffix != ".md" or anchor not in headings(path)):
        yield "there is no such section"
    elif path.suffix == ".py":
        text, names = source(path)
        for part in QUOTED.findall(label):
            if path.as_posix().endswith(part):
                continue
            if NAME.fullmatch(part):
                if part not in names:
                    yield f"`{part}` is not defined there"
            elif text.count(part) != 1:
                yield f"`{part}` stands there {text.count(part)} times; once is wanted"


def check(document: Path) -> Iterator[tuple[int, str, str]]:
    """What is wrong with a document's links: the line, the link's target, the reason."""
    text = document.read_text(encoding="utf-8")
    text = FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)  # a block of code has no links
    for match in LINK.finditer(text):
        label, target = match.groups()
        if not re.match(r"[a-z]+:", target):
            name, _, anchor = target.partition("#")
            path = (document.parent / name).resolve() if name else document
            line = text.count("\n", 0, match.start()) + 1
            yield from ((line, target, fault) for fault in faults(label, path, anchor))


def main(root: Path) -> int:
    """Report what is wrong in all documents; the exit status."""
    wrong = [f"{document.relative_to(root)}:{line}: {target}: {reason}"
             for document in documents(root) for line, target, reason in check(document)]
    print("\n".join(wrong) or "All links lead somewhere.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent))
