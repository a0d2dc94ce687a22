"""Files read with suspicion: JSON, and arrays in an npz archive that is stored, not compressed.

Nothing is read before its size is known to fit, and nothing is allocated that the file's own size
does not pay for: the caller derives name and shape of each array from what it has checked already,
and an archive is refused unless its members say the same. numpy's reader is not used: it evaluates
the header of a member as Python, inflates whatever is compressed and takes members twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import re
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelError, RnntagError, quote
from ..files import reporting

MAX_WEIGHT_BYTES = 4_000_000_000
NPY_HEADER_BYTES = 4_096  # more than numpy writes for any array of ours
ZIP_ENTRY_BYTES = 1_024  # upper bound of the archive's own bytes for one member
SUPPORT = "Train it again, or fetch it again from where it came."
MAX_DEPTH = 32  # of lists and objects within each other
MAX_ID_MAPS = 64  # lists and objects in ids.json

# The header of an npy file as numpy writes it.
NPY_HEADER = re.compile(rb"\{'descr': '([<>|=]?\w+)', 'fortran_order': (True|False), "
                        rb"'shape': \(([0-9, ]*)\), \} *\n?")

STRUCTURE = re.compile(rb'\\.|["[{]', re.DOTALL)

Shapes = dict[str, tuple[int, ...]]


@contextlib.contextmanager
def blaming(place: Path, hint: str = SUPPORT) -> Iterator[None]:
    """Give errors that name no file this place, as ModelErrors with a next step."""
    try:
        yield
    except RnntagError as error:
        if error.place.startswith("--"):  # an option, here of the model
            raise ModelError(f"{error.place} is {error.found}", error.wanted, hint, place) from error
        raise ModelError(error.found, error.wanted, error.hint or hint, error.place or place) from error


def read_checked(place: Path, limit: int, digest: str | None, at_most: int | None = None,
                 named_in: str = "model.json") -> bytes:
    """The bytes of a regular file, refused before they are read when it is too large.

    digest     the SHA-256 that it must have, as the file ``named_in`` says
    at_most    the size that other files of the folder make it have
    """
    with blaming(place), reporting(place, "read"):
        _check_status(place.stat(), limit, at_most)
        with open(place, "rb", opener=_open_at_once) as stream:
            status = os.fstat(stream.fileno())  # again: the name may mean another file by now
            _check_status(status, limit, at_most)
            data = stream.read(status.st_size)
    if digest is not None and sha256(data) != digest:
        raise ModelError(f"its checksum is not the one in {named_in}",
                         "the files of a model belong together", SUPPORT, place)
    return data


def _check_status(status: os.stat_result, limit: int, at_most: int | None) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ModelError("not a regular file")
    if status.st_size > limit:
        raise ModelError(f"{status.st_size:,} bytes", f"at most {limit:,} are read")
    if at_most is not None and status.st_size > at_most:
        raise ModelError(f"{status.st_size:,} bytes", f"the options make it at most {at_most:,}")


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # never wait for a pipe's writer


def sha256(data: bytes) -> str:
    """The SHA-256 of ``data`` in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


# ------------------------------------------------------------------ JSON


def parse_json(data: bytes, place: Path) -> Any:
    """The value of strict JSON: UTF-8, no NaN, no key twice, not too deep. Raises ModelError otherwise."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"not readable as JSON: {error}", hint=SUPPORT, place=place) from None
    level = [value]
    for _ in range(MAX_DEPTH):  # so that whoever walks through it or shows it may do so by recursion
        level = [inner for outer in level if isinstance(outer, (dict, list))
                 for inner in (outer.values() if isinstance(outer, dict) else outer)
                 if isinstance(inner, (dict, list))]
    if level:
        raise ModelError(f"nested more than {MAX_DEPTH} deep", hint=SUPPORT, place=place)
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def containers(data: bytes) -> int:
    """How many lists and objects begin in a JSON text, strings skipped; counted to MAX_ID_MAPS + 1."""
    if data.count(b"[") + data.count(b"{") <= MAX_ID_MAPS:
        return 0
    inside, found = False, 0
    for token in STRUCTURE.finditer(data):
        mark = token[0]
        if mark == b'"':
            inside = not inside
        elif not inside and mark in b"[{":
            found += 1
            if found > MAX_ID_MAPS:
                break
    return found


# ------------------------------------------------------------------ arrays


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as the bytes of an uncompressed npz archive; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    plain: dict[str, Any] = {name: np.asarray(array, array.dtype.newbyteorder("<"), order="C")
                             for name, array in arrays.items()}
    np.savez(buffer, **plain)
    return buffer.getvalue()


def archive_bytes(shapes: Shapes, dtype: str, limit: int = MAX_WEIGHT_BYTES) -> int:
    """The most bytes that an honest archive of arrays with these shapes takes.

    Raises ModelError when that is over ``limit``.
    """
    total = sum(math.prod(shape) * np.dtype(dtype).itemsize + NPY_HEADER_BYTES + ZIP_ENTRY_BYTES
                for shape in shapes.values())
    if total > limit:
        raise ModelError(f"weights of {total:,} bytes", f"at most {limit:,} are loaded")
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
        raise fault(f"a damaged archive ({quote(str(error))[1:-1]})") from None  # it may quote the file
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
