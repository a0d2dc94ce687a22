"""Mutations: bytes, and the files of model folders, changed so that nothing that reads them may trust them.

A mutation of a model folder takes (rng, files, wholes): it changes ``files``, {name: bytes}, in place, and may take
parts of other models from ``wholes``.
"""

import contextlib
import io
import json
import re
import struct
import warnings
import zipfile

from rnntag.storage.archive import sha256

BITS = [b"", b"\0", b"\xff", b"\xc3", b"\r\n", b"\r", b"\n", b"\n\n", b" ", b"  ", b"_", b"\t", b"\t\t",
        b"\xef\xbb\xbf", b"\xe3\x80\x80", b"\xe2\x80\xa8", b"\xc2\x85", b"\xed\xa0\x80", b"#", b"1-2\t", b"8.1\t",
        b"{", b"}", b"[" * 5000, b"\"", b"\\", b"\\ud800", b"null", b"NaN", b"-1", b"1e999", b"9" * 5000,
        b"x" * 70_000, b"PK\x03\x04", b"PK\x01\x02"]
VALUES = [None, True, False, 0, -1, 1, 2, 10 ** 30, 10 ** 400, 2 ** 63, -2 ** 31, 0.5, 1e308, -0.0, "", "x", "\0",
          "\ud800", "../x", "\U0001f600" * 9, "x" * 5000, [], [[]], {}, [""], ["", "a", "a"], {"": None}, "lstm",
          "crf", "gru", "relu", "hmm", "rnn", "tanh", 4096, 1024]


def mutate_bytes(rng, data, bits=BITS):
    """``data`` with one to four places changed, cut out, moved or filled with one of ``bits``."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 1, 2, 4, 16, 100))
        match rng.randrange(7):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(data):
                data[at] = rng.randrange(256)
            case 2:
                data[at:at] = rng.choice(bits)
            case 3:
                data[at:at + size] = rng.choice(bits)
            case 4:
                del data[at:at + size]
            case 5:
                other = rng.randrange(len(data) + 1)
                data[at:at] = data[other:other + size]
            case 6 if rng.random() < 0.2:
                del data[at:]
    return bytes(data)


def _seal(files):
    """Checksums that fit again, as a stranger would make them."""
    with contextlib.suppress(Exception):
        manifest = json.loads(files["model.json"])
        manifest["sha256"] = {name: sha256(files.get(name, b"")) for name in manifest["sha256"]}
        files["model.json"] = json.dumps(manifest).encode()


def _any_bytes(rng, files, wholes):
    name = rng.choice(list(files))
    files[name] = mutate_bytes(rng, files[name])


def _sealed_bytes(rng, files, wholes):
    name = rng.choice([name for name in files if name != "model.json"] or list(files))
    files[name] = mutate_bytes(rng, files[name])
    _seal(files)


def _file(rng, files, wholes):
    """A file is missing, empty, or of another model."""
    name = rng.choice(list(files))
    if rng.random() < 0.3:
        files.pop(name)
    else:
        files[name] = rng.choice([b"", *[whole[name] for whole in wholes.values()]])
        _seal(files)


def _json(rng, files, wholes):
    """A value somewhere in model.json or ids.json is another one, twice there, nested or gone."""
    name = rng.choice(("model.json", "model.json", "ids.json"))
    try:
        root = json.loads(files[name])
        at, depth = root, rng.randrange(4)
        key = rng.choice(list(at) if isinstance(at, dict) else range(len(at)))
        while depth and isinstance(at[key], (dict, list)) and at[key]:
            at, depth = at[key], depth - 1
            key = rng.choice(list(at) if isinstance(at, dict) else range(len(at)))
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return
    match rng.randrange(6):
        case 0:
            del at[key]
        case 1 if isinstance(at, dict):
            at[rng.choice(list(filter(str, map(str, VALUES)))).replace("\ud800", "?")] = at[key]
        case 1:
            at.insert(rng.randrange(len(at) + 1), at[key])
        case 2:
            for _ in range(rng.choice((1, 5, 200))):
                at[key] = rng.choice(([at[key]], {"x": at[key]}))
        case _:
            at[key] = rng.choice(VALUES)
    text = json.dumps(root)
    for old, new in (("true", "NaN"), ("1", "Infinity"), ("0", "1e999"), ("1", "[" * 3000 + "]" * 3000)):
        if rng.random() < 0.03:
            text = text.replace(old, new, 1)
    files[name] = text.encode("utf-8", "backslashreplace")
    _seal(files)


def _archive(rng, files, wholes):
    """Members renamed, twice there, compressed, gone, too many, or with another header."""
    try:
        with zipfile.ZipFile(io.BytesIO(files["weights.npz"])) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:
        return
    if not members:
        return
    i = rng.randrange(len(members))
    name, data = members[i]
    match rng.randrange(6):
        case 0:
            odd = rng.choice((name, "../" + name, "/etc/x.npy", "x" * 300, "\u3000", "", name + "/"))
            members.append((odd, data))
        case 1:
            members[i] = (rng.choice(("../" + name, name.upper(), name[:-4], "pickle.npy", "\0")), data)
        case 2:
            del members[i]
        case 3 | 4:
            members[i] = (name, _npy(rng, data))
        case 5:
            members[i] = (name, mutate_bytes(rng, data))
    buffer = io.BytesIO()
    kind = rng.choice((zipfile.ZIP_STORED,) * 5 + (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(buffer, "w", kind) as archive:
            for name, data in members:
                archive.writestr(zipfile.ZipInfo(name), data, kind)
    files["weights.npz"] = buffer.getvalue()
    if rng.random() < 0.2:
        files["weights.npz"] = _directory(rng, files["weights.npz"])
    _seal(files)


def _npy(rng, data):
    """An npy file with other values in it, another header, or a header of another length."""
    header, values = data[10:128], data[128:]
    old, new = rng.choice(((b"<f", b"<i"), (b"<f4", b"|O"), (b"<f", b">f"), (b"False", b"True"), (b"(", b"(9, "),
                           (b"False", b"exit()"), (b"(", b"(-"), (b"(", b"(9999999999, "), (b", ", b","),
                           (b" ", b"")))
    if rng.random() < 0.4:
        special = rng.choice((float("nan"), float("inf"), -3e38, 3e38, -1.0, 1e-45, 1e9))
        wide = b"<f8" in data[:128]
        at = 0 if rng.random() < 0.3 else rng.randrange(max(1, len(values) // 8)) * 8
        many = len(values) // 8 - at // 8 if rng.random() < 0.5 else 1
        values = values[:at] + struct.pack("<d" if wide else "<ff", *[special] * (1 if wide else 2)) * many + \
            values[at + 8 * many:]
        old = new = b""
    header = header.replace(old, new, 1)
    size = len(header) if rng.random() < 0.7 else rng.choice((0, 1, 118, 65535, len(header) - 1))
    return data[:8] + struct.pack("<H", size) + header + values


def _directory(rng, data):
    """A number in an entry of the archive's directory, or in its end, is another one."""
    at = rng.choice([m.start() for m in re.finditer(b"PK\x01\x02|PK\x05\x06|PK\x03\x04", data)])
    at += rng.randrange(4, 46)
    return data[:at] + struct.pack("<I", rng.choice((0, 1, 0x7fffffff, 0xffffffff, 400_000_000))) + data[at + 4:]


MUTATIONS = (_any_bytes, _sealed_bytes, _sealed_bytes, _file, _json, _json, _json, _archive, _archive, _archive)
