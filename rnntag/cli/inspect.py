"""``rnntag inspect``: what is in a model, and why it tags a word so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

import click

from . import common
from .table import json_text, table, text

MOST_TAGS = 200  # of a column that are shown


BAR, BAR_WIDTH = "\u2588", 40  # of the largest weight


@click.command("inspect", cls=common.Command)
@click.argument("model")
@click.argument("words", nargs=-1, metavar="[WORD...]")
@click.option("-n", "--count", type=click.IntRange(1, 1000), default=5, show_default=True, metavar="N",
              help="How many tags, words and features to show of each WORD.")
@click.option("--json", "as_json", is_flag=True, help="Write everything as one JSON object instead.")
def main(model: str, words: tuple[str, ...], count: int, as_json: bool) -> None:
    """Show where MODEL comes from, its sizes and options; or, with WORDs, what it knows of each.

    A WORD is tagged alone, as a sentence of one word. To a classifier all WORDs are one text: its labels are shown
    and, with --pooling attention, what each word weighs. For an RNN, each of its features is taken away
    in turn (read as unknown) to see what speaks for its tag; and the words and features that are read
    most alike are those with the largest cosine. For an HMM the three terms of the score are shown.
    """
    from ..analysis.inspection import look, look_at_text, overview
    from ..errors import OptionError, quote
    from ..files import STANDARD, open_output
    from ..storage.kinds import KINDS, TAGGERS
    from ..storage.logs import read_log
    from ..storage.modelfile import load, read_manifest

    if not words:
        common.refuse("without a WORD", "count")
    for word in words:
        if not word or " " in word or "\n" in word:
            raise OptionError(repr(word), "a word is not empty and has no space in it", place="WORD")
    manifest = read_manifest(model)
    found: Any = load(model)
    if words and manifest["kind"] == "classifier":
        record = {"model": model, **look_at_text(found, words, count)}
        lines = list(text_report(record))
    elif words:
        if manifest["kind"] not in TAGGERS:
            raise OptionError(f"{quote(words[0])}, for a model of kind {manifest['kind']}", "taggers and classifiers "
                              "know words", f"Use {KINDS[manifest['kind']].command}.", "WORD")
        looks = [look(found, word, count) for word in words]
        record = {"model": model, "words": looks}
        lines = [line for known in looks for line in word_report(known)]
    else:
        record = {"model": model, **overview(manifest, found), "epochs": read_log(model)}
        lines = list(model_report(record, _defaults(found)))
    with open_output(STANDARD) as target:
        target.write(json_text(record) if as_json
                     else text([printable(line) for line in lines]))


def printable(line: str) -> str:
    """A line with what would move a terminal's cursor escaped: a model may come from a stranger."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


# ------------------------------------------------------------------ the model


def _defaults(model: Any) -> dict[str, Any]:
    """The default options of such a model, for a corpus of as many tokens; none of one without options."""
    if not hasattr(model, "options"):
        return {}
    train = model.info.get("train")
    tokens = train.get("tokens") if isinstance(train, dict) else None
    return type(model.options)().for_corpus(tokens if isinstance(tokens, int) else 0).to_dict()


def model_report(record: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    """The overview as text."""
    yield f"{record['model']}: a model of kind {record['kind']}, written by rnntag {record['program']}"
    yield ""
    yield "Provenance:"
    yield from table([("", *row) for row in _flat(record["info"])] or [("", "not recorded")])
    yield ""
    for name, values in record["columns"].items():
        if values:
            yield f"Tags{' of ' * bool(name)}{name}: {len(values):,}"
            shown = " ".join(values[:MOST_TAGS]) + " ..." * (len(values) > MOST_TAGS)
            yield from wrap(shown, 98, initial_indent="    ", subsequent_indent="    ", break_long_words=False,
                            break_on_hyphens=False)
    yield "Known (entries of each map):"
    yield from table([("", name, f"{size:,}") for name, size in record["maps"].items()], right=[2])
    yield ""
    sizes = {name: math.prod(shape) for name, shape in record["arrays"].items()}
    yield f"Numbers: {sum(sizes.values()):,}"
    yield from table([("", name, " x ".join(map(str, record["arrays"][name])), f"{size:,}")
                      for name, size in sizes.items()], right=[3])
    if defaults:
        yield ""
        yield "Options (* other than the default):"
        yield from table(_options(record["options"], {**defaults, "temperature": 1.0}))
    yield from _training(record["epochs"])


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested JSON values as (path, text)."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name} ")
        else:
            yield prefix + name, f"{value:,}" if type(value) is int else str(value)


def _options(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [("  *" if value != defaults.get(name) else "", name,
             " ".join(map(str, value)) or "none" if isinstance(value, list) else str(value))
            for name, value in options.items()]


def _training(epochs: list[dict[str, Any]]) -> Iterator[str]:
    """First, best and last epoch of the log."""
    kept = [epoch for epoch in epochs if all(isinstance(epoch.get(key), (int, float)) for key in ("epoch", "loss"))]
    if not kept:
        return
    name = next((name for epoch in kept for name in epoch if name.startswith("dev_")), "dev_accuracy")
    scored = [epoch for epoch in kept if isinstance(epoch.get(name), float)]
    best = max(scored, key=lambda epoch: epoch[name], default=kept[0])
    rows = {epoch["epoch"]: epoch for epoch in (kept[0], kept[-1], best)}
    form = "{:.2%}" if name.endswith("accuracy") else "{:.4f}"
    yield ""
    yield "Training:"
    yield from table([("", "epoch", "loss", name.replace("_", " ")), *(
        ("", str(number), f"{epoch['loss']:.4f}", form.format(epoch[name]) if epoch in scored else "-")
        for number, epoch in sorted(rows.items()))], right=[1, 2, 3])


# ------------------------------------------------------------------ words


def word_report(record: Mapping[str, Any]) -> Iterator[str]:
    """What is known of a word, as text."""
    tags = record["tags"]
    yield f"{record['word']}: {'a' if record['known'] else 'not a'} training word"
    if "evidence" not in record:
        if record["seen"]:
            yield "  seen as:  " + "  ".join(f"{tag} {n:,}" for tag, n in record["seen"].items())
        rows: list[tuple[str, ...]] = [("  alone:", "probability", "log P(t|<s>)", "log P(w|t)", "log P(</s>|t)")]
        rows += [(f"    {tag['tag']}", _percent(tag["probability"]),
                  *(_log(tag[key]) for key in ("start", "emission", "end"))) for tag in tags]
        yield from table(rows, right=range(1, 5))
        return
    yield "  alone:    " + "  ".join(f"{tag['tag']} {_percent(tag['probability'])}" for tag in tags)
    if record["evidence"]:
        best, second = tags[:2]
        margin = math.log(max(best["probability"], 1e-300) / max(second["probability"], 1e-300))
        yield (f"  why {best['tag']} and not {second['tag']}: log odds {margin:+.2f}; with a feature taken away, "
               "less by")
        yield from table([("   ", item["feature"], item["value"] if item["known"] else f"{item['value']} (unknown)",
                           f"{item['effect']:+.2f}") for item in record["evidence"]], right=[3])
    for title, key in (("words", "nearest_words"), ("features", "nearest_features")):
        if record[key]:
            yield f"  nearest {title}: " + ", ".join(f"{name} {cosine:.2f}" for name, cosine in record[key])


def text_report(record: Mapping[str, Any]) -> Iterator[str]:
    """The labels of a text, and a bar for what each word weighs."""
    yield "label:  " + "  ".join(f"{label['label']} {_percent(label['probability'])}" for label in record["labels"])
    weights = record["attention"]
    if weights is None:
        yield "(A classifier with --pooling attention also shows which words it looks at.)"
        return
    yield ""
    yield from table([(word, _percent(weight), BAR * round(BAR_WIDTH * weight / max(weights)))
                      for word, weight in zip(record["words"], weights)], right=[1])


def _percent(p: float) -> str:
    return f"{p:.1%}" if p >= 0.0005 else "<0.1%"


def _log(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}"
