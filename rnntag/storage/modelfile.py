"""Model folders: written whole, loaded with suspicion.

    weights.npz   named arrays, stored uncompressed, never pickled
    ids.json      word, feature and tag maps: a string's id is its place in the list, 0 is unknown
    model.json    the manifest: format version, kind, options, provenance, SHA-256 of the others
    log.jsonl     an epoch a line

A folder may come from a stranger. Before an array is allocated, the set of names, dtypes and
shapes is derived from the validated options and ids, and compared with what the headers of the
archive's members say; the sizes follow from that, so nothing can inflate. Names in a manifest
select from a fixed table of kinds; nothing in a model folder is imported or run.

Compatibility: a program reads every format version up to its own FORMAT_VERSION.
docs/model-format.md says all this for users.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .. import __version__
from ..corpus import FIELDS, Layout, Sentence
from ..errors import ModelError, quote
from ..files import OLD, digest, leftovers, reporting, whole_folder, write_bytes
from ..models.answers import Posteriors, Words
from ..models.options import Options
from ..text.vocab import Vocab
from .archive import (MAX_ID_MAPS, MAX_WEIGHT_BYTES, SUPPORT, Shapes, archive_bytes, blaming, containers, pack_arrays,
                      parse_json, read_checked, sha256, unpack_arrays)

FORMAT_VERSION = 1
MANIFEST, WEIGHTS, IDS, LOG = "model.json", "weights.npz", "ids.json", "log.jsonl"
MAX_JSON_BYTES = {MANIFEST: 1_000_000, IDS: 100_000_000}
MAX_EPOCHS, EPOCH_BYTES, EPOCH_VALUES = 100_000, 1_000, 32  # lines of a log; bytes and values of a line

COMMANDS = {"rnn": "test-rnn", "hmm": "test-hmm"}  # the kinds of taggers, and what tags with each


class Tagger(Protocol):
    """What can be kept in a model folder; every kind of tagger is one of these.

    info   JSON values that tell where the tagger is from: digest of the corpus, scores; {} when nobody knows
    """

    kind: str
    dtype: str
    tags: Vocab
    info: dict[str, Any]
    place: str | Path  # the folder that it was loaded from, for messages

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[str]]: ...
    def probabilities(self, sentences: Iterable[Sequence[str]]) -> Iterator[Posteriors]: ...
    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]: ...
    def annotate(self, sentences: Iterable[Words], fields: Collection[str] | None = None,
                 best: int = 0) -> Iterator[Sentence]: ...

    @property
    def fields(self) -> tuple[str, ...]: ...

    @classmethod
    def shapes(cls, options: dict[str, Any], ids: dict[str, Any]) -> Shapes: ...

    @classmethod
    def restore(cls, options: dict[str, Any], ids: dict[str, Any],
                arrays: dict[str, np.ndarray]) -> Tagger: ...


def tagger_class(kind: str) -> type[Tagger]:
    """The class of a kind of tagger, imported only now: an HMM needs no network.

    Raises ModelError for a kind that does not exist.
    """
    if kind == "hmm":
        from ..models.hmm import HMMTagger
        return HMMTagger
    if kind == "rnn":
        from ..models.tagger import RNNTagger
        return RNNTagger
    raise ModelError(f"kind {quote(kind)}", f"it is one of {', '.join(COMMANDS)}", SUPPORT)


# ------------------------------------------------------------------ saving


def save(folder: str | Path, tagger: Tagger, *, log: list[dict] | None = None, force: bool = False) -> None:
    """Write ``tagger`` as a model folder; the folder appears (or changes) in one step.

    log    the records of the epochs

    Raises RnntagError when the folder exists and ``force`` is not given, or cannot be written, and
    ModelError when ``load`` would refuse what is written.
    """
    with blaming(Path(folder), hint=""):
        check(tagger)
    _, ids, arrays = tagger.state()
    with whole_folder(folder, force=force) as aside, reporting(folder, "write"):
        parts = {WEIGHTS: pack_arrays(arrays), IDS: _json_bytes(ids),
                 LOG: b"".join(json.dumps(record).encode() + b"\n" for record in log or [])}
        for name, data in parts.items():
            write_bytes(aside / name, data)
        write_bytes(aside / MANIFEST, _manifest(tagger, parts))


def check(tagger: Tagger) -> None:
    """Raise an RnntagError when ``load`` would refuse ``tagger``: call it before long work."""
    options, ids, arrays = tagger.state()
    check_ids(ids)
    shapes = tagger.shapes(options, ids)
    archive_bytes(shapes, tagger.dtype)
    made = {name: f"{tagger.dtype} {shape}" for name, shape in shapes.items()}
    there = {name: f"{array.dtype} {array.shape}" for name, array in arrays.items()}
    for name in sorted(name for name, _ in made.items() ^ there.items()):
        raise ModelError(f"{name} is {there.get(name, 'absent')}",
                         f"options and id maps make it {made.get(name, 'absent')}")
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelError(f"{name} has values that are infinite or not a number",
                             "such a model is not written", "Lower --learning-rate, or set --clip.")
    tagger.restore(options, ids, arrays)
    for what, data, limit, hint in (
            ("id maps", _json_bytes(ids), MAX_JSON_BYTES[IDS], "Raise --min-count."),
            ("a manifest", manifest := _manifest(tagger, dict.fromkeys((WEIGHTS, IDS, LOG), b"")),
             MAX_JSON_BYTES[MANIFEST], "Give a shorter --tag-map, or fewer files.")):
        if len(data) > limit:
            raise ModelError(f"{what} of {len(data):,} bytes", f"at most {limit:,} are loaded", hint)
    parse_json(manifest, Path(MANIFEST))


def _manifest(tagger: Tagger, parts: Mapping[str, bytes]) -> bytes:
    """The manifest of a folder with these files."""
    # a file name that is not UTF-8 has lone surrogates, which this writes as JSON's \udc80
    return _json_bytes({"format": "rnntag", "format_version": FORMAT_VERSION, "program": __version__,
                        "kind": tagger.kind, "options": tagger.state()[0], "info": tagger.info,
                        "sha256": {name: sha256(data) for name, data in parts.items()}}, "backslashreplace")


def _json_bytes(value: Any, errors: str = "strict") -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", errors) + b"\n"


# ------------------------------------------------------------------ provenance


def origin(corpus: Any, kept: Sequence[Sentence], layout: Layout) -> dict[str, Any]:
    """What a manifest keeps of a training corpus and of how it was read."""
    return {"train": provenance(corpus, kept),
            **{name: value for name, value in (("field", layout.field), ("tag_map", layout.tag_map)) if value}}


def provenance(corpus: Any, kept: Sequence[Sentence]) -> dict[str, Any]:
    """What a corpus was: its name, size and digest; the digest of its sentences when it came
    through a pipe or from a program."""
    path = corpus if isinstance(corpus, (str, Path)) else None
    record: dict[str, Any] = {"name": Path(path).name} if path is not None else {}
    record |= {"sentences": len(kept), "tokens": sum(map(len, kept))}
    if path is not None and (of_file := digest(path)):
        return {**record, "sha256": of_file}
    total = hashlib.sha256()
    for sentence in kept:
        total.update(repr((sentence.words, sentence.tags)).encode("utf-8", "backslashreplace"))
    return {**record, "sha256_of_sentences": total.hexdigest()}


# ------------------------------------------------------------------ loading


def load(folder: str | Path, kind: str | None = None, hint: str = "") -> Tagger:
    """The tagger in a model folder; ``kind`` is the only kind that will do, ``hint`` what to do otherwise
    (else: use the command that tags with it).

    Raises ModelError when anything in it is not what this program writes.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if kind not in (None, manifest["kind"]):
        raise ModelError(f"a model of kind {manifest['kind']}", f"this command takes {kind}",
                         hint or f"Use {COMMANDS[manifest['kind']]}.", folder)
    found = tagger_class(manifest["kind"])
    ids, options = read_json(folder, IDS, manifest["sha256"][IDS]), manifest["options"]
    with blaming(folder / IDS):
        check_ids(ids)
    with blaming(folder / MANIFEST):  # options out of range, ids that do not fit them
        shapes = found.shapes(options, ids)
        most = archive_bytes(shapes, found.dtype)
    data = read_checked(folder / WEIGHTS, MAX_WEIGHT_BYTES, manifest["sha256"][WEIGHTS], most)
    arrays = unpack_arrays(folder / WEIGHTS, data, shapes, found.dtype)
    with blaming(folder):
        tagger = found.restore(options, ids, arrays)
    tagger.info, tagger.place = manifest["info"], folder
    return tagger


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a model folder, its outline checked.

    Raises ModelError when it is missing, foreign, or of a newer format.
    """
    folder, place = Path(folder), Path(folder) / MANIFEST
    with reporting(folder, "read"):
        if not (folder.is_dir() and place.exists()):
            found = (f"a folder without {MANIFEST}" if folder.is_dir() else
                     "not a folder" if folder.exists() else "no such folder")
            old = leftovers(folder, OLD)
            raise ModelError(found, "a model is the folder that train-rnn or train-hmm writes",
                             f"{old[-1]} is one that was being replaced." if old else "", folder)
    manifest = read_json(folder, MANIFEST, None)
    if not isinstance(manifest, dict) or manifest.get("format") != "rnntag":
        raise ModelError("not a manifest of rnntag", hint=SUPPORT, place=place)
    version = manifest.get("format_version")
    if type(version) is not int or version < 1:
        raise ModelError(f"format version {_scalar(version)}", "it is a number from 1", SUPPORT, place)
    if version > FORMAT_VERSION:
        raise ModelError(f"format version {_scalar(version)}", f"this program reads up to {FORMAT_VERSION}",
                         "Install a newer rnntag.", place)
    kind = manifest.get("kind")
    if not isinstance(kind, str) or kind not in COMMANDS:
        raise ModelError(f"kind {_scalar(kind)}", f"it is one of {', '.join(COMMANDS)}", SUPPORT, place)
    sums = manifest.get("sha256")
    if (not isinstance(manifest.get("options"), dict) or not isinstance(manifest.get("info"), dict)
            or not isinstance(sums, dict) or sorted(sums) != sorted((WEIGHTS, IDS, LOG))
            or not all(isinstance(digest, str) for digest in sums.values())):
        raise ModelError("an incomplete manifest", "it has options, info and sha256", SUPPORT, place)
    if manifest.get("program") == "0.1.0":
        _translate(manifest["options"])
    return manifest


def _translate(options: dict[str, Any]) -> None:
    """Options of version 0.1.0 as later ones mean them: its step size was divided by the batch size."""
    rate, size = options.get("learning_rate"), options.get("batch_size")
    if isinstance(rate, (int, float)) and isinstance(size, int) and size > 1:
        options["learning_rate"] = rate / size


def read_json(folder: Path, name: str, digest: str | None) -> Any:
    """A JSON file of the folder, its size and checksum verified, no key twice in an object."""
    data = read_checked(folder / name, MAX_JSON_BYTES[name], digest)
    if name == IDS and containers(data) > MAX_ID_MAPS:  # each takes 20 times its bytes once parsed
        raise ModelError(f"more than {MAX_ID_MAPS} lists and objects", hint=SUPPORT, place=folder / name)
    return parse_json(data, folder / name)


def trained_field(folder: str | Path) -> str | None:
    """The column of CoNLL-U that the model's training corpus had its tags in, if it was one that was asked for.

    Raises ModelError when there is no such column.
    """
    field = read_manifest(folder)["info"].get("field")
    if field is not None and (not isinstance(field, str) or field not in FIELDS):
        raise ModelError(f"field {_scalar(field)}", f"it is one of {', '.join(FIELDS)}", SUPPORT,
                         Path(folder) / MANIFEST)
    return field


def read_log(path: str | Path) -> list[dict[str, Any]]:
    """The epochs of a model folder's log, or of a log by itself; no more of them than its options allow.

    Raises ModelError when it is no log.
    """
    path, most, digest = Path(path), MAX_EPOCHS, None
    if path.is_dir():
        manifest = read_manifest(path)
        most, digest = manifest["options"].get("epochs", Options.epochs), manifest["sha256"][LOG]
        if type(most) is not int or not 1 <= most <= MAX_EPOCHS:
            raise ModelError(f"epochs {_scalar(most)}", f"it is a number from 1 to {MAX_EPOCHS:,}", SUPPORT,
                             path / MANIFEST)
        path /= LOG
    data = read_checked(path, MAX_EPOCHS * EPOCH_BYTES, digest, most * EPOCH_BYTES)
    lines = data.removesuffix(b"\n").count(b"\n") + 1
    if lines > most:
        raise ModelError(f"{lines:,} lines", f"the options allow {most:,} epochs", SUPPORT, path)
    return [_epoch(line, Path(f"{path}:{number}")) for number, line in enumerate(data.split(b"\n"), 1)
            if line.strip()]


def _epoch(line: bytes, place: Path) -> dict[str, Any]:
    record = None
    if len(line) <= EPOCH_BYTES:
        with suppress(ModelError):
            record = parse_json(line, place)
    if not (isinstance(record, dict) and len(record) <= EPOCH_VALUES
            and all(value is None or type(value) in (bool, int, float) and abs(value) < 1e300
                    for value in record.values())
            and type(record.get("epoch")) is int and 1 <= record["epoch"] <= MAX_EPOCHS):
        raise ModelError("not an epoch", "a log has a JSON object with epoch and loss a line", place=place)
    return record


def check_ids(ids: Any) -> None:
    """Raise ModelError unless ``ids`` is an object of lists of distinct strings (or of such objects)."""
    def check(value: Any, depth: int) -> None:
        if isinstance(value, dict) and depth < 2:
            for inner in value.values():
                check(inner, depth + 1)
        elif not (isinstance(value, list) and value[:1] == [""]
                  and set(map(type, value)) == {str}
                  and len(set(value)) == len(value)):
            raise ModelError('an id map that is no list of distinct strings starting with ""')
        else:
            try:
                "".join(value).encode()
            except UnicodeEncodeError:
                raise ModelError("an id map with half a character (a lone surrogate)") from None

    if not isinstance(ids, dict):
        raise ModelError("no object of id maps")
    check(ids, 0)


def _scalar(value: Any) -> str:
    """A JSON value as a message shows it."""
    if isinstance(value, (dict, list)):
        return f"a {type(value).__name__}"
    return quote(value) if isinstance(value, str) else str(value)[:60]
