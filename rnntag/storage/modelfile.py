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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..corpus import Layout, Sentence, field_names
from ..errors import ModelError
from ..events import tell
from ..files import OLD, digest, leftovers, reporting, whole_folder, write_bytes
from .archive import (MAX_ID_MAPS, MAX_WEIGHT_BYTES, SUPPORT, archive_bytes, blaming, containers, pack_arrays,
                      parse_json, read_checked, sha256, unpack_arrays)
from .kinds import KINDS, Model, State, check_kind, format_of, outline, shown, whole_state

FORMAT_VERSION = 2
MANIFEST, WEIGHTS, IDS, LOG = "model.json", "weights.npz", "ids.json", "log.jsonl"
MAX_JSON_BYTES = {MANIFEST: 1_000_000, IDS: 100_000_000}


# ------------------------------------------------------------------ saving


def save(folder: str | Path, model: Model, *, log: list[dict] | None = None, force: bool = False) -> None:
    """Write ``model`` as a model folder; the folder appears (or changes) in one step.

    log    the records of the epochs

    Raises RnntagError when the folder exists and ``force`` is not given, or cannot be written, and
    ModelError when ``load`` would refuse what is written.
    """
    with blaming(Path(folder), hint=""):
        check(model)
    _, ids, arrays = state = whole_state(model)
    with whole_folder(folder, force=force) as aside, reporting(folder, "write"):
        files = {WEIGHTS: pack_arrays(arrays), IDS: _json_bytes(ids),
                 LOG: b"".join(json.dumps(record).encode() + b"\n" for record in log or [])}
        for name, data in files.items():
            write_bytes(aside / name, data)
        write_bytes(aside / MANIFEST, _manifest(model, state, files))
    tell("saved", model=str(folder), kind=model.kind)


def check(model: Model) -> None:
    """Raise an RnntagError when ``load`` would refuse ``model``: call it before long work."""
    options, ids, arrays = state = whole_state(model)
    check_ids(ids)
    found = outline(model.kind, options, ids)
    shapes = found.shapes()
    archive_bytes(shapes, found.dtype)
    made = {name: f"{found.dtype} {shape}" for name, shape in shapes.items()}
    there = {name: f"{array.dtype} {array.shape}" for name, array in arrays.items()}
    for name in sorted(name for name, _ in made.items() ^ there.items()):
        raise ModelError(f"{name} is {there.get(name, 'absent')}",
                         f"options and id maps make it {made.get(name, 'absent')}")
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelError(f"{name} has values that are infinite or not a number",
                             "such a model is not written", "Lower --learning-rate, or set --clip.")
    found.restore(arrays)
    for what, data, limit, hint in (
            ("id maps", _json_bytes(ids), MAX_JSON_BYTES[IDS], "Raise --min-count."),
            ("a manifest", manifest := _manifest(model, state, dict.fromkeys((WEIGHTS, IDS, LOG), b"")),
             MAX_JSON_BYTES[MANIFEST], "Give a shorter --tag-map, or fewer files.")):
        if len(data) > limit:
            raise ModelError(f"{what} of {len(data):,} bytes", f"at most {limit:,} are loaded", hint)
    parse_json(manifest, Path(MANIFEST))


def _manifest(model: Model, state: State, files: Mapping[str, bytes]) -> bytes:
    """The manifest of a folder with these files; ``state`` is that of the whole model."""
    # a file name that is not UTF-8 has lone surrogates, which this writes as JSON's \udc80
    return _json_bytes({"format": "rnntag", "format_version": format_of(model.kind, state[0]),
                        "program": __version__, "kind": model.kind, "options": state[0], "info": model.info,
                        "sha256": {name: sha256(data) for name, data in files.items()}}, "backslashreplace")


def _json_bytes(value: Any, errors: str = "strict") -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", errors) + b"\n"


# ------------------------------------------------------------------ provenance


def origin(corpus: Any, kept: Sequence[Sentence], layout: Layout) -> dict[str, Any]:
    """What a manifest keeps of a training corpus and of how it was read."""
    names = list(filter(None, kept[0].columns)) or (field_names(layout.field) if layout.field else [])
    return {"train": provenance(corpus, kept), **({"field": ",".join(names)} if names else {}),
            **({"tag_map": layout.tag_map} if layout.tag_map else {})}


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
        values = (column.values for column in sentence.columns.values())
        total.update(repr((sentence.words, *values)).encode("utf-8", "backslashreplace"))
    return {**record, "sha256_of_sentences": total.hexdigest()}


# ------------------------------------------------------------------ loading


def load(folder: str | Path, kind: str | Sequence[str] | None = None, hint: str = "") -> Any:
    """The model in a model folder; ``kind`` is the only kind (or kinds) that will do, ``hint`` what to do otherwise
    (else: use the command for it).

    Raises ModelError when anything in it is not what this program writes.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    kinds = (kind,) if isinstance(kind, str) else kind
    if kinds is not None and manifest["kind"] not in kinds:
        raise ModelError(f"a model of kind {manifest['kind']}", f"this command takes {' or '.join(kinds)}",
                         hint or f"Use {KINDS[manifest['kind']].command}.", folder)
    ids, options = read_json(folder, IDS, manifest["sha256"][IDS]), manifest["options"]
    with blaming(folder / IDS):
        check_ids(ids)
    with blaming(folder / MANIFEST):  # options out of range, ids that do not fit them
        found = outline(manifest["kind"], options, ids)
        shapes = found.shapes()
        most = archive_bytes(shapes, found.dtype)
    data = read_checked(folder / WEIGHTS, MAX_WEIGHT_BYTES, manifest["sha256"][WEIGHTS], most)
    arrays = unpack_arrays(folder / WEIGHTS, data, shapes, found.dtype)
    with blaming(folder):
        model = found.restore(arrays)
    model.info = manifest["info"]
    for own in (model, *model.parts.values()):
        own.place = folder
    tell("loaded", model=str(folder), kind=model.kind)
    return model


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
            raise ModelError(found, "a model is the folder that train-rnn or another train- command writes",
                             f"{old[-1]} is one that was being replaced." if old else "", folder)
    manifest = read_json(folder, MANIFEST, None)
    if not isinstance(manifest, dict) or manifest.get("format") != "rnntag":
        raise ModelError("not a manifest of rnntag", hint=SUPPORT, place=place)
    version = manifest.get("format_version")
    if type(version) is not int or version < 1:
        raise ModelError(f"format version {shown(version)}", "it is a number from 1", SUPPORT, place)
    if version > FORMAT_VERSION:
        raise ModelError(f"format version {shown(version)}", f"this program reads up to {FORMAT_VERSION}",
                         "Install a newer rnntag.", place)
    with blaming(place):
        check_kind(manifest.get("kind"))
    sums = manifest.get("sha256")
    if (not isinstance(manifest.get("options"), dict) or not isinstance(manifest.get("info"), dict)
            or not isinstance(sums, dict) or sorted(sums) != sorted((WEIGHTS, IDS, LOG))
            or not all(isinstance(digest, str) for digest in sums.values())):
        raise ModelError("an incomplete manifest", "it has options, info and sha256", SUPPORT, place)
    if (field := manifest["info"].get("field")) is not None:
        with blaming(place):
            field_names(field if isinstance(field, str) else [field])
    needed = format_of(manifest["kind"], manifest["options"])
    if version < needed:
        raise ModelError(f"format version {version}", f"what it says of the model came with version {needed}",
                         SUPPORT, place)
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


def trained_field(model: Any) -> str | None:
    """The columns of CoNLL-U that a tagger learnt, by its own account or by that of its origin; None: they had no
    names."""
    return ",".join(filter(None, model.fields)) or model.info.get("field")


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
