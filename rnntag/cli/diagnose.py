"""``rnntag diagnose``: how far back a model's errors reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..corpus import Layout
from . import common


@click.command("diagnose", cls=common.Command)
@click.argument("model")
@click.argument("corpus")
@click.option("--beside", multiple=True, metavar="MODEL", help="Another model to show beside it; repeatable "
              "(default: none).")
@click.option("--steps", type=click.IntRange(1, 1000), default=20, show_default=True,
              help="Largest distance, in words.")
@click.option("--plot", metavar="FILE", help="Draw the table too, as PNG, SVG or PDF (extra: plot; default: no "
              "drawing).")
@common.corpus_options()
@common.force
def main(model: str, corpus: str, beside: tuple[str, ...], steps: int, plot: str | None, layout: Layout,
         force: bool) -> None:
    """Show the vanishing or exploding gradient of MODEL on the tagged CORPUS, or of a classifier on labelled texts.

    For each distance k: the mean norm of the gradient of a word's loss with respect to the state k
    words before it (forward) and after it (backward), of the last recurrent layer; and its share of
    the norm at distance 0. Of a classifier (train-classifier --pooling last) it is the gradient of
    a text's loss, and the distance is from the end at which it is answered.
    """
    from ..analysis.diagnose import gradient_norms, text_gradient_norms
    from ..corpus import read_tagged
    from ..corpus.labelled import read_labelled
    from ..storage.modelfile import load, read_manifest

    kind, measure, items = "rnn", gradient_norms, list[Any]()
    hint = "Give one that train-rnn or train-classifier wrote."
    if read_manifest(model)["kind"] == "classifier":
        common.refuse("for a classifier", "format", "separator", "field", "column", "on_error")
        kind, measure, hint = "classifier", text_gradient_norms, ""  # type: ignore[assignment]
        items += read_labelled(corpus, learning=True)
    else:
        items += read_tagged(corpus, layout)
    curves = {}
    for path in (model, *beside):
        found: Any = load(path, kind, hint)
        for name, norms in zip(("forward", "backward"), measure(found, items, steps)):
            curves[f"{Path(path).name} {name}"] = norms
    click.echo("\t".join(["distance", *(f"{name}\tshare" for name in curves)]))
    for k in range(steps + 1):
        click.echo("\t".join([str(k), *(f"{norms[k]:.3e}\t{norms[k] / norms[0]:.4f}"
                                        for norms in curves.values())]))
    if plot:
        _draw(curves, plot, force)


def _draw(curves: dict, path: str, force: bool) -> None:
    from ..errors import OptionError
    from ..files import open_output
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise OptionError("matplotlib is not installed", "drawing needs it",
                          "Install it with pip install 'rnntag[plot]'.", "--plot") from None
    kind = Path(path).suffix.lstrip(".").lower() or "png"
    if kind not in ("png", "svg", "pdf"):
        raise OptionError(f"{kind!r}", "a picture is png, svg or pdf", place="--plot")
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, norms in curves.items():
        axes.semilogy(norms, marker=".", label=name)
    axes.set(xlabel="distance t - k in words", ylabel="mean norm of d loss_t / d state_k")
    axes.grid(alpha=0.3)
    axes.legend()
    with open_output(path, force=force) as stream:
        figure.savefig(stream, format=kind)
