"""Draw what compare.py measured: accuracy against training time (extra ``plot``).

    python scripts/compare.py --peer all -o results.json
    python scripts/plot.py results.json -o plane.svg

Every tagger of the files is one mark: the mean accuracy of its runs with their standard deviation.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import click  # noqa: E402

from rnntag.cli.common import Command  # noqa: E402
from rnntag.errors import OptionError  # noqa: E402
from rnntag.files import open_output  # noqa: E402

OURS, OTHERS = "#1f6fb2", "#777777"
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "rnntag", "font.family": "sans-serif", "font.size": 10,
         "axes.spines.top": False, "axes.spines.right": False}


@click.command(cls=Command)
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("-o", "--output", required=True, metavar="FILE", help="The figure, SVG.")
@click.option("--title", default="", help="Above the figure.")
@click.option("--least", type=float, default=0.0, show_default=True, help="Leave out what is less accurate, in %.")
@click.option("--label", "labels", multiple=True, metavar="NAME=LABEL", help="Another name for a tagger, repeatable.")
@click.option("--force", is_flag=True, help="Overwrite what exists.")
def main(results: tuple[str, ...], output: str, title: str, least: float, labels: tuple[str, ...],
         force: bool) -> None:
    """Draw accuracy against CPU seconds of training, from RESULTS of compare.py.

    A tagger that is in several of them is drawn once. An empty LABEL leaves it out.
    """
    rows = {row["tagger"]: row for path in results for row in json.loads(Path(path).read_text("utf-8"))["rows"]}
    for name, _, label in (text.rpartition("=") for text in labels):
        if name not in rows:
            raise OptionError(f"{name}", f"it is one of {', '.join(rows)}", place="--label")
        rows[name] = {**rows[name], "label": label}
    rows = [row for row in rows.values() if row.get("label", "yes")]
    drawn = plane([row for row in rows if statistics.fmean(run["accuracy"] for run in row["runs"]) >= least], title)
    with open_output(output, force=force) as file:
        drawn.savefig(file, format="svg", metadata={"Date": None})


def plane(rows: Sequence[dict[str, Any]], title: str) -> Any:
    """A figure with a mark for each tagger, seconds on a scale of powers of ten.

    Raises OptionError when matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise OptionError("matplotlib is not installed", "the figure needs it",
                          "Install it with pip install 'rnntag[plot]'.", "plot.py") from None
    matplotlib.rcParams.update(STYLE)
    drawn = Figure(figsize=(7.2, 4.2), layout="constrained", facecolor="white")
    axes = drawn.add_subplot()
    for row in rows:
        ours = row["tagger"].startswith("RNN")
        scores = [run["accuracy"] for run in row["runs"]]
        at = max(0.05, statistics.fmean(run["seconds"] for run in row["runs"])), statistics.fmean(scores)
        axes.errorbar(*at, yerr=statistics.stdev(scores) if len(scores) > 1 else 0, fmt="o" if ours else "s",
                      color=OURS if ours else OTHERS, capsize=2)
        name = row.get("label", row["tagger"].removeprefix("RNN "))
        axes.annotate(name, at, xytext=(6, 4), textcoords="offset points",
                      color=OURS if ours else OTHERS, fontsize=9, parse_math=False)
    axes.set(xscale="log", xlabel="CPU seconds of training", ylabel="accuracy in %")
    axes.set_title(title, parse_math=False)
    axes.margins(x=0.15)
    axes.grid(alpha=0.25)
    return drawn


if __name__ == "__main__":
    main()
