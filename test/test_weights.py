"""The archive of the weights in a model folder, when it is not what it was; the rest is in test_modelfile.py."""

import io
import shutil
import struct
import zipfile

import numpy as np
import pytest
from samples import refusal, seal

from rnntag.errors import ModelError
from rnntag.storage import modelfile
from rnntag.storage.modelfile import IDS, LOG, WEIGHTS, unpack_arrays


def change_weights(folder, change=lambda arrays: None, **kwargs):
    """Rewrite the archive: ``change`` edits the dict of arrays, or {member name: bytes}."""
    with np.load(folder / WEIGHTS) as archive:
        arrays = dict(archive)
    change(arrays)
    write_archive(folder, {f"{name}.npy": npy(array) for name, array in arrays.items()}, **kwargs)


def npy(array):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def write_archive(folder, members, compression=zipfile.ZIP_STORED, more=()):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in [*members.items(), *more]:
            archive.writestr(name, data)
    (folder / WEIGHTS).write_bytes(buffer.getvalue())
    seal(folder)


@pytest.mark.parametrize("data", [
    b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"\x80\x04K\x01.", b"\x93NUMPY\x01\0"])
def test_weights_that_are_no_archive_are_refused(model, data):
    (model / WEIGHTS).write_bytes(data)
    seal(model)
    assert refusal(model).startswith(str(model / WEIGHTS))


def test_weights_cut_anywhere_are_refused(model):
    whole = (model / WEIGHTS).read_bytes()
    for size in range(0, len(whole), 7):
        (model / WEIGHTS).write_bytes(whole[:size])
        seal(model)
        refusal(model)


def test_weights_with_any_byte_changed_are_refused_or_harmless(model):
    """Checksums sealed again, as a stranger would do."""
    whole = (model / WEIGHTS).read_bytes()
    shapes = {"transitions": (4, 4), "emissions": (4, 3)}
    for position in range(len(whole)):
        data = bytearray(whole)
        data[position] ^= 0x41
        try:
            arrays = unpack_arrays(model, bytes(data), shapes, "float64")
        except ModelError:
            continue
        assert all(np.isfinite(array).all() for array in arrays.values())


@pytest.mark.parametrize("name, change, message", [
    ("one too few", lambda arrays: arrays.pop("emissions"), "member 'emissions.npy' is missing"),
    ("one too many", lambda arrays: arrays.update(more=np.zeros(1)), "member 'more.npy' is foreign"),
    ("float32", lambda arrays: arrays.update(emissions=np.zeros((8, 3), "float32")), "is <f4 (8, 3)"),
    ("int64", lambda arrays: arrays.update(emissions=np.ones((4, 3), "int64")), "is <i8 (4, 3)"),
    ("big-endian", lambda arrays: arrays.update(emissions=np.ones((4, 3), ">f8")), "is >f8 (4, 3)"),
    ("shape", lambda arrays: arrays.update(emissions=np.ones((3, 4))), "is <f8 (3, 4); the options"),
    ("too large", lambda arrays: arrays.update(emissions=np.ones((700, 3))), "the options make it at most"),
    ("too small", lambda arrays: arrays.update(emissions=np.ones((3, 3))), "is <f8 (3, 3)"),
    ("column order", lambda arrays: arrays.update(emissions=np.ones((3, 4)).T), "the options make it"),
    ("objects", lambda arrays: arrays.update(emissions=np.array([print] * 9)), "emissions "),
    ("NaN", lambda arrays: arrays["emissions"].fill(np.nan), "infinite or not a number"),
    ("infinite", lambda arrays: arrays["transitions"].fill(np.inf), "infinite or not a number"),
    ("negative", lambda arrays: arrays["transitions"].fill(-1), "not all counts"),
    ("enormous", lambda arrays: arrays["transitions"].fill(1e300), "not all counts"),
    ("zero", lambda arrays: arrays["transitions"].fill(0), "do not agree")])
def test_arrays_that_do_not_fit_are_refused(model, name, change, message):
    change_weights(model, change)
    assert message in refusal(model)


def test_a_member_that_stands_twice_is_refused(model):
    with pytest.warns(UserWarning, match="Duplicate name"):
        change_weights(model, more=[("emissions.npy", npy(np.ones((4, 3))))])
    assert "a member stands twice" in refusal(model)


@pytest.mark.parametrize("name", ["../emissions.npy", "/emissions.npy", "emissions", "emissions.npy/"])
def test_members_of_other_names_are_refused(model, name):
    change_weights(model, more=[(name, b"")])
    assert "is foreign" in refusal(model)


def test_a_message_does_not_quote_the_archive_at_length(model):
    data = bytearray((model / WEIGHTS).read_bytes())
    data[26:28] = b"\xff\xff"  # the length of the first member's name
    (model / WEIGHTS).write_bytes(data)
    seal(model)
    assert "a damaged archive (" in refusal(model) and len(refusal(model)) < 400 + len(str(model))


def test_a_compressed_archive_is_refused(model):
    change_weights(model, compression=zipfile.ZIP_DEFLATED)
    assert "is compressed or encrypted" in refusal(model)


def test_a_small_archive_that_would_inflate_to_a_gigabyte_is_refused_at_once(model):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("transitions.npy", npy(np.ones((4, 4))))
        archive.writestr("emissions.npy", npy(np.ones((4, 3))))
    data = buffer.getvalue()
    entry = data.index(b"PK\x01\x02")  # the first entry of the archive's directory
    lie = struct.pack("<I", 1 << 30)
    (model / WEIGHTS).write_bytes(data[:entry + 20] + lie + lie + data[entry + 28:])
    seal(model)
    assert "transitions has 1,073,741,824 bytes" in refusal(model)


def test_a_header_that_claims_more_than_the_file_has_is_refused(model):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4, 4), }"
    for text in (header.replace(b"(4, 4)", b"(99999999999, 4)"), header.replace(b"4, 4", b"-4, -4"),
                 header.replace(b"False", b"print()"), header.replace(b"'<f8'", b"'|O'"), b"((((((", b"",
                 header.replace(b"'<f8'", b"[('a', '<f8')]"), header.replace(b"4, 4", b"4" * 3000)):
        member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n" + bytes(128)
        write_archive(model, {"transitions.npy": member, "emissions.npy": npy(np.ones((4, 3)))})
        assert "transitions" in refusal(model)


def test_a_shape_too_large_to_load_is_refused_before_reading(model):
    shutil.copy(model / IDS, model / LOG)
    with pytest.raises(ModelError, match="at most 4,000,000,000 are loaded"):
        modelfile.archive_bytes({"x": (10 ** 6, 10 ** 6)}, "float64")
