"""gzip, bzip2 and xz: told by their first bytes when they are read, asked for by the name when they are written.

BZ2File and LZMAFile of the standard library would be shorter, but they end without a word where the second of two
compressed texts is damaged, and LZMAFile sets no limit to memory.
"""

from __future__ import annotations

import contextlib
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .errors import RnntagError

BLOCK_BYTES = 65_536  # taken and given at once, whatever they become: memory is bounded
MAX_XZ_BYTES = 256_000_000  # of memory for xz, whose files choose themselves how much they need; xz -9 takes 65 MB
SUFFIX = re.compile(r"\.(gz|bz2|xz)$", re.IGNORECASE)
BEGINS = {b"\x1f\x8b\x08": "gzip", b"\xfd7zXZ\x00": "xz",
          **{b"BZh%d" % level + block: "bzip2" for level in range(1, 10)  # BZh alone could be text
             for block in (b"1AY&SY", b"\x17rE8P\x90")}}


def plain(name: str) -> str:
    """A file's name without the ending that says that it is compressed."""
    return SUFFIX.sub("", name)


class Decompressed(io.RawIOBase):
    """What ``stream`` holds, decompressed when its first bytes call for it, otherwise as it is.

    Reading raises RnntagError, with the name of the stream, when it is damaged or cut off.
    """

    def __init__(self, stream: io.BufferedIOBase, name: str):
        self._blocks, self._rest = _blocks(stream, name), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._rest or next(self._blocks, b"")
        count = min(len(block), len(buffer))
        buffer[:count], self._rest = block[:count], block[count:]
        return count


def decompressed(stream: io.BufferedIOBase, name: str) -> io.BufferedIOBase:
    """``Decompressed`` with a buffer."""
    return io.BufferedReader(Decompressed(stream, name), BLOCK_BYTES)


def _blocks(stream: io.BufferedIOBase, name: str) -> Iterator[bytes]:
    data = b""
    while any(begin != data and begin.startswith(data) for begin in BEGINS) and (more := stream.read1(BLOCK_BYTES)):
        data += more
    kind = next((kind for begin, kind in BEGINS.items() if data.startswith(begin)), None)
    while data and kind:  # one member after the other
        decompressor = _decompressor(kind)
        while not decompressor.eof:
            block = _decompress(decompressor, data, kind, name)
            if block:
                yield block
            full, data = len(block) == BLOCK_BYTES, b""
            if not full and not decompressor.eof and not (data := stream.read1(BLOCK_BYTES)):
                raise RnntagError(f"the {kind} data end early", hint="Is the file cut off?", place=name)
        data = decompressor.unused_data.lstrip(b"\0")  # zeros may fill up a file
        while not data and (more := stream.read1(BLOCK_BYTES)):
            data = more.lstrip(b"\0")
    while data:
        yield data
        data = stream.read1(BLOCK_BYTES)


def _decompressor(kind: str) -> Any:
    if kind == "gzip":
        return zlib.decompressobj(31)
    if kind == "bzip2":
        import bz2
        return bz2.BZ2Decompressor()
    import lzma
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, MAX_XZ_BYTES)


def _decompress(decompressor: Any, data: bytes, kind: str, name: str) -> bytes:
    """At most BLOCK_BYTES of what ``data``, and what was left of the last call, hold."""
    try:
        return decompressor.decompress(getattr(decompressor, "unconsumed_tail", b"") + data, BLOCK_BYTES)
    except MemoryError:
        raise
    except Exception as error:  # zlib.error, LZMAError, OSError, ValueError: as the libraries please
        raise RnntagError(f"the {kind} data cannot be read ({error})", hint="Is the file damaged?",
                          place=name) from None


@contextlib.contextmanager
def compressed(stream: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """``stream`` for writing, through gzip, bzip2 or xz where the name of ``path`` ends so.

    The same data give the same bytes: there is no time and no name in them.
    """
    suffix = path.name[len(plain(path.name)):].lower()
    writer: Any = contextlib.nullcontext(stream)
    if suffix == ".gz":
        import gzip
        writer = gzip.GzipFile("", "wb", 6, stream, mtime=0)
    elif suffix == ".bz2":
        import bz2
        writer = bz2.BZ2File(stream, "wb")
    elif suffix == ".xz":
        import lzma
        writer = lzma.LZMAFile(stream, "wb")
    with writer as target:
        yield target
