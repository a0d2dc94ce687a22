"""Check the links of the documentation: ``python3 .ci/links.py [--fix]``.

A link to a file must lead to one, a link to a section to a heading. A link to lines of code says in its
text what stands there, in backquotes:

    [`Softmax.loss`](../rnntag/output.py#L24-L34)          a class, function or variable: its lines
    [`p[rows, targets] -= 1`](../rnntag/output.py#L33)     code: the one line of the file that has it
    [`Softmax.loss`: `p[rows, targets] -= 1`](...#L33)     code: the one line of that function that has it

``--fix`` writes the right line numbers into the links when the code has moved. What cannot be found,
or stands in several places, is for a person to look at.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

LINK = re.compile(r"(?<!!)\[((?:`[^`]*`|[^\[\]`])*)\]\(([^()\s]+)\)|!\[([^\]]*)\]\(([^()\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
QUOTED = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[A-Za-z_][\w.]*")


def documents(root: Path) -> list[Path]:
    """The Markdown files of the repository."""
    return [*sorted(root.glob("*.md")), *sorted(root.glob("docs/*.md")), *sorted(root.glob("data/*.md"))]


@lru_cache
def definitions(path: Path) -> dict[str, tuple[int, int]]:
    """First and last line of every class, function and variable of a Python file, by dotted name."""
    found: dict[str, tuple[int, int]] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                start = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                found[prefix + node.name] = start, node.end_lineno or start
                visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        found.setdefault(prefix + target.id, (node.lineno, node.end_lineno or node.lineno))

    visit(ast.parse(path.read_text(encoding="utf-8")).body, "")
    return found


def lines_of(text: str, path: Path) -> tuple[int, int]:
    """The lines that a link's text speaks of. Raises LookupError with what to tell."""
    named = QUOTED.findall(text)
    known = definitions(path) if path.suffix == ".py" else {}
    within, last = (1, 10**9), ""
    for part in named:
        if part in known:
            within, last = known[part], part
            continue
        lines = path.read_text(encoding="utf-8").split("\n")
        found = [n for n, line in enumerate(lines, 1) if part in line and within[0] <= n <= within[1]]
        if len(found) != 1:
            where = f"in lines {', '.join(map(str, found[:5]))}" if found else "nowhere"
            raise LookupError(f"`{part}` is {where}{f' of `{last}`' if last else ''}; one place is wanted")
        return found[0], found[0]
    if not last:
        raise LookupError("nothing in backquotes says what stands there")
    return within


def headings(path: Path) -> set[str]:
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ +(.+?) *$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def check(document: Path) -> Iterator[tuple[int, str, str, str]]:
    """What is wrong with a document's links: position, the link's target, the right one or "", the reason."""
    text = document.read_text(encoding="utf-8")
    blank = FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)  # a block of code has no links
    for match in LINK.finditer(blank):
        label, target = (match[1], match[2]) if match[2] else (match[3], match[4])
        at = match.start(2) if match[2] else match.start(4)
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists():
            yield at, target, "", "there is no such file"
        elif re.fullmatch(r"L\d+(-L\d+)?", anchor):
            try:
                first, last = lines_of(label, path)
            except LookupError as error:
                yield at, target, "", str(error)
                continue
            right = f"L{first}" if first == last else f"L{first}-L{last}"
            if right != anchor:
                yield at, target, f"{name}#{right}", "the lines have moved; python3 .ci/links.py --fix"
        elif anchor and (path.suffix != ".md" or anchor not in headings(path)):
            yield at, target, "", "there is no such section"


def main(root: Path, fix: bool) -> int:
    """Report, or mend, all documents; how many links stay wrong."""
    left = 0
    for document in documents(root):
        text = document.read_text(encoding="utf-8")
        for at, target, right, reason in sorted(check(document), reverse=True):
            if fix and right:
                text = text[:at] + right + text[at + len(target):]
                continue
            left += 1
            line = text.count("\n", 0, at) + 1
            print(f"{document.relative_to(root)}:{line}: {target}: {reason}" + (f" ({right})" if right else ""))
        if fix:
            document.write_text(text, encoding="utf-8", newline="\n")
    return left


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent, "--fix" in sys.argv[1:]) > 0)
