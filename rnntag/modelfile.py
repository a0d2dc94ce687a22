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
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import re
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from . import __version__
from .errors import ModelError, RnntagError, quote
from .files import reporting, whole_folder, write_bytes

FORMAT_VERSION = 1
MANIFEST, WEIGHTS, IDS, LOG = "model.json", "weights.npz", "ids.json", "log.jsonl"
MAX_JSON_BYTES = {MANIFEST: 4_000_000, IDS: 400_000_000, LOG: 100_000_000}
MAX_WEIGHT_BYTES = 4_000_000_000
NPY_HEADER_BYTES = 4_096  # more than numpy writes for any array of ours
ZIP_ENTRY_BYTES = 1_024  # upper bound of the archive's own bytes for one member
SUPPORT = "Train it again, or fetch it again from where it came."

COMMANDS = {"rnn": "test-rnn", "hmm": "test-hmm"}  # the kinds of taggers, and what tags with each

# The header of an npy file as numpy writes it. Read with this and not with numpy's reader, which
# evaluates it as Python and fails in many ways.
NPY_HEADER = re.compile(rb"\{'descr': '([<>|=]?\w+)', 'fortran_order': (True|False), "
                        rb"'shape': \(([0-9, ]*)\), \} *\n?")

Shapes = dict[str, tuple[int, ...]]


class Tagger(Protocol):
    """What can be kept in a model folder; every kind of tagger is one of these."""

    kind: str
    dtype: str

    def tag(self, sentences: Any) -> Any: ...
    def state(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]: ...

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
        from .hmm import HMMTagger
        return HMMTagger
    if kind == "rnn":
        from .tagger import RNNTagger
        return RNNTagger
    raise ModelError(f"kind {quote(kind)}", f"it is one of {', '.join(COMMANDS)}", SUPPORT)


# ------------------------------------------------------------------ saving


def save(folder: str | Path, tagger: Tagger, *, info: Mapping[str, Any] | None = None,
         log: list[dict] | None = None, force: bool = False) -> None:
    """Write ``tagger`` as a model folder; the folder appears (or changes) in one step.

    info   JSON values that tell where the model is from: seed, digest of the corpus, scores
    log    the records of the epochs

    Raises ModelError when the folder exists and ``force`` is not given, or cannot be written.
    """
    options, ids, arrays = tagger.state()
    with whole_folder(folder, force=force) as aside:
        parts = {WEIGHTS: pack_arrays(arrays), IDS: _json_bytes(ids),
                 LOG: b"".join(json.dumps(record).encode() + b"\n" for record in log or [])}
        for name, data in parts.items():
            write_bytes(aside / name, data)
        manifest = {"format": "rnntag", "format_version": FORMAT_VERSION, "program": __version__,
                    "kind": tagger.kind, "options": options, "info": dict(info or {}),
                    "sha256": {name: sha256(data) for name, data in parts.items()}}
        write_bytes(aside / MANIFEST, _json_bytes(manifest))


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as the bytes of an uncompressed npz archive; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    plain = {name: np.asarray(array, array.dtype.newbyteorder("<"), order="C")
             for name, array in arrays.items()}
    np.savez(buffer, **plain)
    return buffer.getvalue()


def sha256(data: bytes) -> str:
    """The SHA-256 of ``data`` in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"


# ------------------------------------------------------------------ loading


def load(folder: str | Path, kind: str | None = None) -> Tagger:
    """The tagger in a model folder; ``kind`` is the only kind that will do.

    Raises ModelError when anything in it is not what this program writes.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if kind not in (None, manifest["kind"]):
        raise ModelError(f"a model of kind {manifest['kind']}", f"this command takes {kind}",
                         f"Use {COMMANDS[manifest['kind']]}.", folder)
    found = tagger_class(manifest["kind"])
    ids = check_ids(folder / IDS, read_json(folder, IDS, manifest["sha256"][IDS]))
    options = manifest["options"]
    with _blaming(folder / MANIFEST):  # options out of range, ids that do not fit them
        shapes = found.shapes(options, ids)
        most = archive_bytes(shapes, found.dtype)
    data = read_checked(folder / WEIGHTS, MAX_WEIGHT_BYTES, manifest["sha256"][WEIGHTS], most)
    arrays = unpack_arrays(folder / WEIGHTS, data, shapes, found.dtype)
    with _blaming(folder):
        return found.restore(options, ids, arrays)


@contextlib.contextmanager
def _blaming(place: Path) -> Iterator[None]:
    """Give errors that name no place this one, as ModelErrors with a next step."""
    try:
        yield
    except RnntagError as error:
        raise ModelError(error.found, error.wanted, error.hint or SUPPORT,
                         error.place or place) from error


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a model folder, its outline checked.

    Raises ModelError when it is missing, foreign, or of a newer format.
    """
    folder, place = Path(folder), Path(folder) / MANIFEST
    if not folder.is_dir():
        raise ModelError("not a folder" if folder.exists() else "no such folder",
                         "a model is the folder that train-rnn or train-hmm writes", place=folder)
    if not place.exists():
        raise ModelError(f"a folder without {MANIFEST}",
                         "a model is the folder that train-rnn or train-hmm writes", place=folder)
    manifest = read_json(folder, MANIFEST, None)
    if not isinstance(manifest, dict) or manifest.get("format") != "rnntag":
        raise ModelError("not a manifest of rnntag", hint=SUPPORT, place=place)
    version = manifest.get("format_version")
    if type(version) is not int or version < 1:
        raise ModelError(f"format version {quote(str(version))}", "it is a number from 1", SUPPORT, place)
    if version > FORMAT_VERSION:
        raise ModelError(f"format version {version}", f"this program reads up to {FORMAT_VERSION}",
                         "Install a newer rnntag.", place)
    kind = manifest.get("kind")
    if not isinstance(kind, str) or kind not in COMMANDS:
        raise ModelError(f"kind {quote(str(kind))}", f"it is one of {', '.join(COMMANDS)}", SUPPORT, place)
    sums = manifest.get("sha256")
    if (not isinstance(manifest.get("options"), dict) or not isinstance(manifest.get("info"), dict)
            or not isinstance(sums, dict) or sorted(sums) != sorted((WEIGHTS, IDS, LOG))
            or not all(isinstance(digest, str) for digest in sums.values())):
        raise ModelError("an incomplete manifest", "it has options, info and sha256", SUPPORT, place)
    return manifest


def read_json(folder: Path, name: str, digest: str | None) -> Any:
    """A JSON file of the folder, its size and checksum verified, no key twice in an object."""
    data = read_checked(folder / name, MAX_JSON_BYTES[name], digest)
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique_keys,
                          parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"not readable as JSON: {error}", hint=SUPPORT, place=folder / name) from None


def check_ids(place: Path, ids: Any) -> dict[str, Any]:
    """``ids`` when it is an object of lists of distinct strings (or of such objects).

    Raises ModelError otherwise.
    """
    def check(value: Any, depth: int) -> None:
        if isinstance(value, dict) and depth < 2:
            for inner in value.values():
                check(inner, depth + 1)
        elif not (isinstance(value, list) and value[:1] == [""]
                  and all(isinstance(item, str) for item in value)
                  and len(set(value)) == len(value)):
            raise ModelError('an id map that is no list of distinct strings starting with ""',
                             hint=SUPPORT, place=place)

    if not isinstance(ids, dict):
        raise ModelError("no object of id maps", hint=SUPPORT, place=place)
    check(ids, 0)
    try:
        json.dumps(ids, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ModelError("an id map with half a character (a lone surrogate)", hint=SUPPORT,
                         place=place) from None
    return ids


def archive_bytes(shapes: Shapes, dtype: str) -> int:
    """The most bytes that an honest archive of arrays with these shapes takes.

    Raises ModelError when that is over MAX_WEIGHT_BYTES.
    """
    total = sum(math.prod(shape) * np.dtype(dtype).itemsize + NPY_HEADER_BYTES + ZIP_ENTRY_BYTES
                for shape in shapes.values())
    if total > MAX_WEIGHT_BYTES:
        raise ModelError(f"weights of {total:,} bytes", f"at most {MAX_WEIGHT_BYTES:,} are loaded")
    return total + ZIP_ENTRY_BYTES


def unpack_arrays(place: Path, data: bytes, shapes: Shapes, dtype: str) -> dict[str, np.ndarray]:
    """The arrays of an archive written by ``pack_arrays``, each exactly as ``shapes`` says.

    Raises ModelError for a damaged archive, a member too many, too few or twice, compression,
    another dtype or shape, and values that are not finite.
    """
    def fault(found: str, wanted: str = "") -> ModelError:
        return ModelError(found, wanted, SUPPORT, place)

    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if len(members) != len(archive.infolist()):
                raise fault("a member stands twice in the archive")
            wanted = {f"{name}.npy" for name in shapes}
            if members.keys() != wanted:
                odd = sorted(members.keys() ^ wanted)[0]
                raise fault(f"member {quote(odd)} is {'foreign' if odd in members else 'missing'}")
            for name, shape in shapes.items():
                member = members[f"{name}.npy"]
                size = math.prod(shape) * np.dtype(dtype).itemsize
                if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
                    raise fault(f"{name} is compressed or encrypted", "arrays are stored as they are")
                if not size < member.file_size <= size + NPY_HEADER_BYTES:
                    raise fault(f"{name} has {member.file_size:,} bytes",
                                f"its shape {shape} takes {size:,}")
                arrays[name] = _read_array(archive.read(member), name, shape, dtype, fault)
    except (zipfile.BadZipFile, struct.error, EOFError, ValueError, KeyError, IndexError,
            NotImplementedError, OverflowError, RuntimeError, OSError) as error:
        raise fault(f"a damaged archive ({error})") from None
    return arrays


def _read_array(data: bytes, name: str, shape: tuple[int, ...], dtype: str, fault: Any) -> np.ndarray:
    """One npy file (version 1.0: magic, version, length of the header, header, values)."""
    if data[:8] != b"\x93NUMPY\x01\x00" or len(data) < 10:
        raise fault(f"{name} is no npy file of version 1.0")
    start = 10 + int.from_bytes(data[8:10], "little")
    header = NPY_HEADER.fullmatch(data[10:start])
    if header is None:
        raise fault(f"{name} has an npy header that numpy does not write")
    found_dtype, fortran, found_shape = (field.decode() for field in header.groups())
    sizes = tuple(int(size) for size in found_shape.split(",") if size.strip())
    stored = np.dtype(dtype).newbyteorder("<")
    if sizes != shape or fortran == "True" or found_dtype != stored.str:
        raise fault(f"{name} is {found_dtype} {sizes}", f"the options make it {stored.str} {shape}")
    if len(data) - start != math.prod(shape) * stored.itemsize:
        raise fault(f"{name} is cut short or too long")
    array = np.frombuffer(data, stored, offset=start).reshape(shape).astype(dtype)
    if not np.isfinite(array).all():
        raise fault(f"{name} has values that are infinite or not a number")
    return array


def read_checked(place: Path, limit: int, digest: str | None, at_most: int | None = None) -> bytes:
    """The bytes of a regular file, refused before they are read when it is too large."""
    with _blaming(place), reporting(place, "read"):
        status = place.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError("not a regular file")
        if status.st_size > limit:
            raise ModelError(f"{status.st_size:,} bytes", f"at most {limit:,} are read")
        if at_most is not None and status.st_size > at_most:
            raise ModelError(f"{status.st_size:,} bytes", f"the options make it at most {at_most:,}")
        data = place.read_bytes()
    if digest is not None and sha256(data) != digest:
        raise ModelError("its checksum is not the one in model.json",
                         "the files of a model belong together", SUPPORT, place)
    return data


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
