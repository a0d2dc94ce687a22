"""Figures as inline SVG, by matplotlib (extra ``plot``).

Text and axes are drawn in the colour of the page's text and series in the colours that the page
names --s0, --s1 ..., so that one figure serves a light and a dark scheme.
"""

from __future__ import annotations

import functools
import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import OptionError
from ...evaluation.breakdown import Bin, Class
from ...evaluation.scores import Score
from ...evaluation.significance import Interval, wilson

WIDTH = 11.0  # inches, as wide as the page: letters are then as large as those of the text
SERIES = 6  # colours of series; more series begin again
INK = "#010203"  # stands for the colour of text
MARKS = "osD^vP"
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "rnntag", "font.family": "sans-serif", "font.size": 10,
              "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK,
              "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False, "grid.color": INK,
              "legend.frameon": False, "text.parse_math": False}  # a $ in a name is a $


def _colour(k: int) -> str:
    return f"#0a0b{k % SERIES:02x}"  # stands for the colour of series k


def styled(draw: Callable[..., str]) -> Callable[..., str]:
    """``draw`` with the style of this module, which is that of matplotlib again afterwards."""
    @functools.wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> str:
        figure()  # says what is missing, when matplotlib is
        import matplotlib
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)
    return drawn


def figure(height: float = 3.6, width: float = WIDTH) -> Any:
    """An empty figure, in inches.

    Raises OptionError when matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise OptionError("matplotlib is not installed", "the figures need it",
                          "Install it with pip install 'rnntag[plot]'.", "report") from None
    return Figure(figsize=(width, height), layout="constrained")


def svg(drawn: Any, label: str) -> str:
    """A figure as an ``<svg>`` element, labelled for those who cannot see it."""
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # the browser has fonts of its own
        drawn.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg"):].replace(INK, "currentColor")
    for k in range(SERIES):
        text = text.replace(_colour(k), f"var(--s{k})")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    head = re.search(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', text)
    assert head is not None
    text = text.replace(head[0], f'<svg viewBox="{head[1]}" role="img" aria-label="{label}">', 1)
    return text.strip()


@styled
def intervals(rows: Mapping[str, Sequence[tuple[float, Interval]]], names: Sequence[str]) -> str:
    """Scores with their intervals, in percent: a row for each kind, a mark for each answer."""
    drawn = figure(0.9 + 0.22 * len(rows) * (1 + len(names)))
    axes = drawn.add_subplot()
    for a in range(len(names)):
        values = [(k + (a - (len(names) - 1) / 2) * 0.2, 100 * value, 100 * low, 100 * high)
                  for k, cells in enumerate(rows.values()) for value, (low, high) in [cells[a]] if value == value]
        y, x, low, high = zip(*values)
        axes.errorbar(x, y, xerr=([max(0, v - b) for v, b in zip(x, low)],
                                  [max(0, t - v) for v, t in zip(x, high)]),
                      fmt=MARKS[a % 6], color=_colour(a), label=str(a), capsize=3)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set_xlabel("%")
    axes.grid(axis="x", alpha=0.2)
    _legend(drawn, axes, names)
    return svg(drawn, "Scores of each answer with 95 % intervals")


@styled
def classes(series: Mapping[str, Sequence[Class]], xlabel: str) -> str:
    """Accuracy by class, a line for each answer, with Wilson's intervals."""
    drawn = figure()
    axes = drawn.add_subplot()
    labels = list(dict.fromkeys(group.name for groups in series.values() for group in groups))
    for a, groups in enumerate(series.values()):
        _shares(axes, [labels.index(group.name) + (a - (len(series) - 1) / 2) * 0.12 for group in groups],
                [group.score for group in groups], a)
    axes.set_xticks(range(len(labels)), labels)
    axes.set(xlabel=xlabel, ylabel="accuracy in %")
    axes.grid(axis="y", alpha=0.2)
    _legend(drawn, axes, list(series))
    return svg(drawn, f"Accuracy by {xlabel}")


@styled
def reliability(series: Mapping[str, Sequence[Bin]]) -> str:
    """Accuracy against confidence, with Wilson's intervals; on the diagonal a tagger is right as often
    as it says."""
    drawn = figure(4.6)
    axes = drawn.add_subplot()
    axes.plot([0, 100], [0, 100], color=INK, alpha=0.4, linewidth=1, linestyle="--")
    for a, bins in enumerate(series.values()):
        _shares(axes, [100 * bin.confidence for bin in bins], [bin.score for bin in bins], a)
    axes.set(xlabel="mean probability of the answered tag in %", ylabel="accuracy in %", xlim=(0, 102), ylim=(0, 102))
    axes.grid(alpha=0.2)
    _legend(drawn, axes, list(series))
    return svg(drawn, "Accuracy against confidence")


@styled
def training(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Loss and, where there is one, dev accuracy by epoch, a line for each log."""
    scored = any(isinstance(epoch.get("dev_accuracy"), float) for log in logs.values() for epoch in log)
    drawn = figure(6.0 if scored else 3.6)
    panels = [("loss", "loss in nats a token", 1.0), ("dev_accuracy", "dev accuracy in %", 100.0)][:1 + scored]
    plots = drawn.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (key, label, factor) in zip(plots, panels):
        for a, log in enumerate(logs.values()):
            points = [(epoch["epoch"], factor * epoch[key]) for epoch in log if isinstance(epoch.get(key), float)]
            if points:
                axes.plot(*zip(*points), MARKS[a % 6] + "-", markersize=3, color=_colour(a), label=str(a))
        axes.set_ylabel(label)
        axes.grid(alpha=0.2)
    plots[-1].set_xlabel("epoch")
    plots[-1].xaxis.get_major_locator().set_params(integer=True)
    _legend(drawn, plots[0], list(logs))
    return svg(drawn, "Loss and accuracy by epoch")


def _shares(axes: Any, x: Sequence[float], scores: Sequence[Score], a: int) -> None:
    """A line of accuracies in percent with their intervals, in the colour of series ``a``."""
    y = [100 * score.accuracy for score in scores]
    ends = [wilson(*score) for score in scores]
    axes.errorbar(x, y, yerr=([max(0, v - 100 * low) for v, (low, _) in zip(y, ends)],
                              [max(0, 100 * high - v) for v, (_, high) in zip(y, ends)]),
                  fmt=MARKS[a % 6] + "-", color=_colour(a), label=str(a), capsize=3)


def _legend(drawn: Any, axes: Any, names: Sequence[str]) -> None:
    """Which series is which. They are labelled by number and named here: matplotlib leaves out a label that
    begins with an underscore."""
    if len(names) > 1:
        handles, numbers = axes.get_legend_handles_labels()
        legend = drawn.legend(handles, numbers, loc="outside upper center", ncols=min(3, len(names)))
        for text, number in zip(legend.get_texts(), numbers):
            name = names[int(number)]
            text.set_text("".join(c if c.isprintable() else ascii(c)[1:-1] for c in name))
