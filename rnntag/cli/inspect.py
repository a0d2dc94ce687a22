"""``rnntag inspect``: what is in a model, and why it tags a word so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from . import common
from .table import json_text, table, text

if TYPE_CHECKING:
    from ..models.hmm import HMMTagger
    from ..models.tagger import RNNTagger


@click.command("inspect", cls=common.Command)
@click.argument("model")
@click.argument("words", nargs=-1, metavar="[WORD...]")
@click.option("-n", "--count", type=click.IntRange(1, 1000), default=5, show_default=True, metavar="N",
              help="How many tags, words and features to show of each WORD.")
@click.option("--json", "as_json", is_flag=True, help="Write everything as one JSON object instead.")
def main(model: str, words: tuple[str, ...], count: int, as_json: bool) -> None:
    """Show where MODEL comes from, its sizes and options; or, with WORDs, what it knows of each.

    A WORD is tagged alone, as a sentence of one word. For an RNN, each of its features is taken away
    in turn (read as unknown) to see what speaks for its tag; and the words and features that are read
    most alike are those with the largest cosine. For an HMM the three terms of the score are shown.
    """
    from ..errors import OptionError
    from ..files import STANDARD, open_output
    from ..storage.modelfile import load, read_manifest

    if not words:
        common.refuse("without a WORD", "count")
    for word in words:
        if not word or " " in word or "\n" in word:
            raise OptionError(repr(word), "a word is not empty and has no space in it", place="WORD")
    manifest = read_manifest(model)
    tagger: Any = load(model)
    record: dict[str, Any] = {"model": model}
    if words:
        record["words"] = [look(tagger, word, count) for word in words]
        lines = [line for each in record["words"] for line in word_report(each)]
    else:
        record |= overview(model, manifest, tagger)
        lines = list(model_report(record))
    with open_output(STANDARD) as target:
        target.write(json_text(record) if as_json
                     else text([printable(line) for line in lines]))


def printable(line: str) -> str:
    """A line with what would move a terminal's cursor escaped: a model may come from a stranger."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


# ------------------------------------------------------------------ the model


def overview(folder: str, manifest: Mapping[str, Any], tagger: RNNTagger | HMMTagger) -> dict[str, Any]:
    """Provenance, options, sizes and log of a model, as JSON values."""
    from ..storage.modelfile import read_log
    _, ids, arrays = tagger.state()
    maps = {name: len(strings) - 1 for name, strings in ids.items() if isinstance(strings, list)}
    maps |= {name: len(strings) - 1 for name, strings in ids.get("features", {}).items()}
    return {"kind": manifest["kind"], "program": manifest.get("program"), "info": manifest["info"],
            "options": manifest["options"], "tags": tagger.tags.strings[1:], "maps": maps,
            "arrays": {name: list(array.shape) for name, array in arrays.items()},
            "epochs": read_log(folder)}


def model_report(record: Mapping[str, Any]) -> Iterator[str]:
    """The overview as text."""
    yield f"{record['model']}: a model of kind {record['kind']}, written by rnntag {record['program']}"
    yield ""
    yield "Provenance:"
    yield from table([("", *row) for row in _flat(record["info"])] or [("", "not recorded")])
    yield ""
    yield f"Tags: {len(record['tags'])}"
    yield from wrap(" ".join(record["tags"]), 98, initial_indent="    ", subsequent_indent="    ",
                    break_long_words=False, break_on_hyphens=False)
    yield "Known (entries of each map):"
    yield from table([("", name, f"{size:,}") for name, size in record["maps"].items()], right=[2])
    yield ""
    sizes = {name: math.prod(shape) for name, shape in record["arrays"].items()}
    yield f"Numbers: {sum(sizes.values()):,}"
    yield from table([("", name, " x ".join(map(str, record["arrays"][name])), f"{size:,}")
                      for name, size in sizes.items()], right=[3])
    if record["kind"] == "rnn":
        yield ""
        yield "Options (* other than the default):"
        yield from table(_options(record["options"]))
    yield from _training(record["epochs"])


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested JSON values as (path, text)."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name} ")
        else:
            yield prefix + name, f"{value:,}" if type(value) is int else str(value)


def _options(options: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    from ..models.options import Options
    defaults = {**Options().to_dict(), "temperature": 1.0}
    return [("  *" if value != defaults.get(name) else "", name,
             " ".join(map(str, value)) or "none" if isinstance(value, list) else str(value))
            for name, value in options.items()]


def _training(epochs: list[dict[str, Any]]) -> Iterator[str]:
    """First, best and last epoch of the log."""
    kept = [each for each in epochs if all(isinstance(each.get(key), (int, float)) for key in ("epoch", "loss"))]
    if not kept:
        return
    scored = [each for each in kept if isinstance(each.get("dev_accuracy"), float)]
    rows = {each["epoch"]: each for each in (kept[0], kept[-1])}
    if scored:
        best = max(scored, key=lambda each: each["dev_accuracy"])
        rows[best["epoch"]] = best
    yield ""
    yield "Training:"
    yield from table([("", "epoch", "loss", "dev accuracy"), *(
        ("", str(number), f"{each['loss']:.4f}",
         f"{each['dev_accuracy']:.2%}" if each in scored else "-") for number, each in sorted(rows.items()))],
        right=[1, 2, 3])


# ------------------------------------------------------------------ words


def look(tagger: RNNTagger | HMMTagger, word: str, count: int) -> dict[str, Any]:
    """What a model knows of a word, as JSON values."""
    from ..analysis import inspection
    from ..models.hmm import HMMTagger
    known = word in tagger.words
    if isinstance(tagger, HMMTagger):
        found = inspection.terms(tagger, word, count)
        return {"word": word, "known": known, "seen": inspection.seen_as(tagger, word),
                "tags": [{**each._asdict(), "start": _possible(each.start), "end": _possible(each.end)}
                         for each in found]}
    why = inspection.reasons(tagger, word, max(2, count))
    return {"word": word, "known": known,
            "tags": [{"tag": tag, "probability": p} for tag, p in why.tags],
            "evidence": [each._asdict() for each in why.evidence],
            "nearest_words": inspection.nearest_words(tagger, word, count),
            "nearest_features": inspection.nearest_features(tagger, word, count)}


def _possible(logarithm: float) -> float | None:
    """A logarithm, None for that of a step that never occurred."""
    from ..models.hmm import IMPOSSIBLE
    return None if logarithm == IMPOSSIBLE else logarithm


def word_report(record: Mapping[str, Any]) -> Iterator[str]:
    """What is known of a word, as text."""
    tags = record["tags"]
    yield f"{record['word']}: {'a' if record['known'] else 'not a'} training word"
    if "evidence" not in record:
        if record["seen"]:
            yield "  seen as:  " + "  ".join(f"{tag} {n:,}" for tag, n in record["seen"].items())
        rows: list[tuple[str, ...]] = [("  alone:", "probability", "log P(t|<s>)", "log P(w|t)", "log P(</s>|t)")]
        rows += [(f"    {each['tag']}", _percent(each["probability"]),
                  *(_log(each[key]) for key in ("start", "emission", "end"))) for each in tags]
        yield from table(rows, right=range(1, 5))
        return
    yield "  alone:    " + "  ".join(f"{each['tag']} {_percent(each['probability'])}" for each in tags)
    if record["evidence"]:
        best, second = tags[:2]
        margin = math.log(max(best["probability"], 1e-300) / max(second["probability"], 1e-300))
        yield (f"  why {best['tag']} and not {second['tag']}: log odds {margin:+.2f}; with a feature taken away, "
               "less by")
        yield from table([("   ", each["feature"], each["value"] if each["known"] else f"{each['value']} (unknown)",
                           f"{each['effect']:+.2f}") for each in record["evidence"]], right=[3])
    for title, key in (("words", "nearest_words"), ("features", "nearest_features")):
        if record[key]:
            yield f"  nearest {title}: " + ", ".join(f"{name} {cosine:.2f}" for name, cosine in record[key])


def _percent(p: float) -> str:
    return f"{p:.1%}" if p >= 0.0005 else "<0.1%"


def _log(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}"
