"""The report as one HTML page: no scripts, nothing fetched, a light and a dark scheme, any width."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from ...evaluation.breakdown import most_confused
from ...evaluation.scores import Pair, TagScore, mistakes

HEAT_TAGS = 16  # rows and columns of the confusion table

STYLE = """
:root { color-scheme: light dark; --ink: #1b1d21; --soft: #5b626c; --paper: #fdfdfc; --line: #d9dce1;
  --heat: 190, 60, 20; --s0: #1f6fb4; --s1: #c2570c; --s2: #1a7f5a; --s3: #9b4fa5; --s4: #8a6d00; --s5: #b3354c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a3abb5; --paper: #15181c; --line: #353b43;
  --heat: 255, 130, 70; --s0: #6cb2f2; --s1: #f59a55; --s2: #5ccfa0; --s3: #d69be0; --s4: #dcc04e; --s5: #f2879a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin-bottom: .3rem; overflow-wrap: anywhere; }
p, li { overflow-wrap: anywhere; } .soft, figcaption, small { color: var(--soft); }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { display: block; width: 100%; min-width: 40rem; height: auto; }
nav ol { columns: 18rem; padding-left: 1.4rem; margin: .6rem 0; } nav li { break-inside: avoid; }
a { color: var(--s0); } section { scroll-margin-top: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
thead th { white-space: normal; overflow-wrap: anywhere; min-width: 5rem; vertical-align: bottom; }
table.heat thead th { min-width: 0; }
table.heat th, table.heat td { padding: .15rem .4rem; font-size: .8rem; text-align: center;
  border: 1px solid var(--line); }
table.heat td.right { color: var(--soft); }
summary { cursor: pointer; margin: .5rem 0; }
.sentence { margin: .8rem 0; padding-left: .8rem; border-left: 3px solid var(--line); line-height: 2; }
mark { background: rgba(var(--heat), .22); color: inherit; padding: .1rem .25rem; border-radius: .2rem; }
mark small { color: inherit; white-space: nowrap; }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page from the HTML of its parts, with its contents before them."""
    titles: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        titles.append(found[1])
        return f'<h2 id="part-{len(titles)}">{found[1]}</h2>'

    parts = [re.sub(r"^<h2>(.*?)</h2>", numbered, part, flags=re.MULTILINE) for part in parts]
    contents = "".join(f'<li><a href="#part-{k}">{title}</a></li>\n' for k, title in enumerate(titles, 1))
    return ("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
            f"<h1>{escape(title)}</h1>\n<nav aria-label=\"Contents\">\n<ol>\n{contents}</ol>\n</nav>\n"
            + "\n".join(parts) + "\n</main>\n</body>\n</html>\n")


def section(title: str, *parts: str) -> str:
    """A heading and what follows it."""
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str, soft: bool = False) -> str:
    """Plain text as a paragraph."""
    return f"<p{' class=soft' if soft else ''}>{escape(text)}</p>"


def picture(svg: str, caption: str) -> str:
    """A figure with its caption."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain text, line ends kept; the first column names the row. It scrolls by itself when
    it is too wide."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(f'<tr><th scope="row">{escape(row[0])}</th>'
                     + "".join(f"<td>{_cell(cell)}</td>" for cell in row[1:]) + "</tr>" for row in rows)
    return (f'<div class="wide" tabindex="0"><table><thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n'
            '</tbody></table></div>')


def _cell(text: str) -> str:
    first, *more = text.split("\n")
    return escape(first) + "".join(f"<br><small>{escape(line)}</small>" for line in more)


def folded(title: str, content: str) -> str:
    """Something that is shown when asked for."""
    return f"<details><summary>{escape(title)}</summary>\n{content}\n</details>"


def heat_map(counts: Counter[tuple[str, str]]) -> str:
    """The confusion of the tags with the most mistakes: rows are right, columns answered, and the
    darker a cell, the larger its share of the row's tag; right answers are not shaded."""
    tags = most_confused(counts, HEAT_TAGS)
    support: Counter[str] = Counter()
    for (right, _), n in counts.items():
        support[right] += n
    top = "".join(f'<th scope="col">{escape(tag)}</th>' for tag in tags)
    rows = []
    for right in tags:
        cells = []
        for given in tags:
            n = counts[right, given]
            share = n / support[right] if support[right] else 0
            if right == given:
                cells.append(f'<td class="right">{n}</td>')
            else:
                shade = f' style="background: rgba(var(--heat), {min(.85, .1 + 2.5 * share):.2f})"' if n else ""
                cells.append(f"<td{shade}>{n or ''}</td>")
        others = sum(n for (a, b), n in counts.items() if a == right and b not in tags)
        rows.append(f'<tr><th scope="row">{escape(right)}</th>{"".join(cells)}<td>{others or ""}</td></tr>')
    return ('<div class="wide" tabindex="0"><table class="heat"><thead><tr><th>right \\ answered</th>' + top
            + '<th scope="col">others</th></tr></thead>\n<tbody>\n' + "\n".join(rows) + "\n</tbody></table></div>")


def mistakes_table(counts: Counter[tuple[str, str]], limit: int) -> str:
    """The most common mistakes."""
    return table(["Right", "answered", "times"],
                 [(right, given, str(n)) for right, given, n in mistakes(counts)[:limit]])


def tags_table(tags: Mapping[str, TagScore]) -> str:
    """Precision, recall and F1 of each tag."""
    return table(["Tag", "support", "answered", "precision", "recall", "F1"], [
        (tag, str(s.support), str(s.answered), f"{100 * s.precision:.2f}" if s.answered else "-",
         f"{100 * s.recall:.2f}" if s.support else "-", f"{100 * s.f1:.2f}") for tag, s in tags.items()])


def marked(pair: Pair, annotation: str | None = None) -> str:
    """A sentence with its wrong tags marked: word, answered tag, right tag. Its line is a link to where it is
    corrected, when ``annotation`` is the address of that page."""
    place = f"line {pair.line}"
    if annotation is not None:
        place = f'<a href="{escape(annotation)}#line={pair.line}">{place}</a>'
    return (f'<div class="sentence"><small>{place}: {pair.wrong} of {len(pair.reference)} wrong</small>'
            + "<br>" + " ".join(_tokens(pair)) + "</div>")


def _tokens(pair: Pair) -> Iterator[str]:
    for word, right, given in pair.tokens():
        if right == given:
            yield escape(word)
        else:
            yield f"<mark>{escape(word)} <small><s>{escape(given)}</s> {escape(right)}</small></mark>"
