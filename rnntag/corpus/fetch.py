"""Corpora to fetch: where their files are, and what they have to be when they arrive.

A corpus is one entry of CORPORA, its files pinned by size and SHA-256 at a fixed revision, so
that a number in the documentation always belongs to the same data. A file that has not these
bytes never appears under its name, wherever it comes from.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .. import __version__
from ..errors import OptionError, RnntagError, quote
from ..files import open_output, reporting

TIMEOUT = 30.0  # seconds without a byte before a connection is given up
CHUNK_BYTES = 65_536
SCHEMES = ("http", "https")
BY_HAND = "Try again, or fetch the files by other means and name their folder with --from."


@dataclass(frozen=True, slots=True)
class File:
    """A file of a corpus: its name, both there and here, and what it must contain."""

    name: str
    size: int  # bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus: a line about it, the address of the folder that its files are in, the files."""

    about: str
    base: str
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


CORPORA = {
    "wiki-en": Corpus(
        "English Wikipedia, Penn Treebank tags; train 1,301 sentences, test 171. From the NLP "
        "Programming Tutorial by Graham Neubig (github.com/neubig/nlptutorial), which states no licence.",
        "https://raw.githubusercontent.com/neubig/nlptutorial/"
        "012aa64fd618fccf9a51ebdde5e2ae8da95cbdb7/data",
        (File("wiki-en-train.norm_pos", 315_315,
              "4e6e00e78e264f48167e665894f5c87c012ab06c8be86f71b2d7aa609c11a810"),
         File("wiki-en-test.norm", 26_989,
              "2983da89b3cf7a653b27a4654d81fa5d97e6a2dc77465775e45302ea6cccb65c"),
         File("wiki-en-test.pos", 14_690,
              "2a131fcf35f7556b26b2c197f6869125a2d0ab387e9e09f273af26e064581459"),
         File("wiki-en-test.norm_pos", 41_679,
              "3c21b8ced183bf75c8fb5fa54585f940531be365f87ef20f6bb2a5b5970e6c93"))),
}


def fetch(name: str, folder: str | Path | None = None, source: str | None = None, *,
          force: bool = False, advance: Callable[[int], object] = lambda count: None,
          ) -> Iterator[tuple[Path, bool]]:
    """Bring the files of corpus ``name`` to ``folder``; yields each path and whether it was written.

    folder   where the files go, made when it is missing; None is a folder named as the corpus
    source   an http or https address, or a folder, that has the files; None is the corpus's own
    force    replace files of the same name that have other contents
    advance  called with the number of bytes of every piece that is done

    A file that is there already, byte for byte, is left alone (False); the first that is not, and
    may not be replaced, ends the work before anything is fetched.

    Raises OptionError for a name or a scheme that is not known, and RnntagError when a file is
    missing, is not the one that CORPORA describes, or cannot be written.
    """
    if name not in CORPORA:
        raise OptionError(f"no corpus {quote(name)}", f"it is one of {', '.join(CORPORA)}")
    corpus, folder = CORPORA[name], Path(folder or name)
    base = check_source(source) if source is not None else corpus.base
    there = {file: _is_there(folder / file.name, file, force) for file in corpus.files}
    made = _make(folder)
    try:
        for file in corpus.files:
            path = folder / file.name
            if there[file]:
                advance(file.size)
            else:
                _bring(base, file, path, force, advance)
            yield path, not there[file]
    except BaseException:
        for empty in made:  # a folder that has a file by now stays
            with contextlib.suppress(OSError):
                empty.rmdir()
        raise


def check_source(source: str) -> str:
    """``source`` when it is an http or https address or a folder.

    Raises OptionError for another scheme, RnntagError for a folder that is not there.
    """
    scheme, separator, _ = source.partition("://")
    if separator and scheme.lower() not in SCHEMES:
        raise OptionError(f"an address with {quote(scheme)}", f"{' and '.join(SCHEMES)} are fetched",
                          "Name a folder by its path alone.", place=source)
    if not separator and not Path(source).is_dir():
        raise RnntagError("not a folder" if Path(source).exists() else "no such folder",
                          "--from is a folder, or an address that starts with https://", place=source)
    return source


def _is_there(path: Path, file: File, force: bool) -> bool:
    """Whether ``path`` is ``file`` already. Raises RnntagError when it is another, without ``force``."""
    with reporting(path, "read"):
        if not os.path.lexists(path):
            return False
        is_file = path.is_file()
        if is_file and path.stat().st_size == file.size:
            with open(path, "rb") as stream:
                digest = hashlib.sha256()
                for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
                    digest.update(chunk)
            if digest.hexdigest() == file.sha256:
                return True
    if not is_file:
        raise RnntagError("something that is not a file stands there",
                          hint="Name another folder with --to.", place=path)
    if not force:
        raise RnntagError("another file stands there", f"the corpus has {file.size:,} bytes with "
                          f"SHA-256 {file.sha256[:12]}...",
                          "Name another folder with --to, or replace the file with --force.", path)
    return False


def _make(folder: Path) -> list[Path]:
    """Make ``folder`` and what is missing above it; returns what was made, the innermost first."""
    with reporting(folder, "make"):
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    return missing


def _bring(base: str, file: File, path: Path, force: bool, advance: Callable[[int], object]) -> None:
    """Copy ``file`` from ``base`` to ``path``, which appears only when the bytes are the right ones."""
    place, stream = _open_address(base, file) if "://" in base else _open_copy(Path(base), file)
    with stream, open_output(path, force=force) as out:
        digest, done = hashlib.sha256(), 0
        for chunk in _chunks(stream, place, file.size):
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            advance(len(chunk))
        if done < file.size:
            raise RnntagError(f"ended after {done:,} bytes", f"the file has {file.size:,}", BY_HAND, place)
        if digest.hexdigest() != file.sha256:
            raise RnntagError(f"SHA-256 {digest.hexdigest()[:12]}...",
                              f"the corpus has {file.sha256[:12]}...",
                              "The file was changed (line ends count) or damaged; nothing was written.",
                              place)


def _chunks(stream: BinaryIO, place: str, size: int) -> Iterator[bytes]:
    """The bytes of ``stream`` in pieces; never more than ``size`` and one are read."""
    done = 0
    while True:
        try:
            chunk = stream.read(min(CHUNK_BYTES, size - done + 1))
        except (OSError, http.client.HTTPException) as error:
            raise _no_way(place, error) from error
        if not chunk:
            return
        done += len(chunk)
        if done > size:
            raise RnntagError(f"more than {size:,} bytes", "the corpus has a shorter file", BY_HAND, place)
        yield chunk


def _open_copy(folder: Path, file: File) -> tuple[str, BinaryIO]:
    path = folder / file.name
    if not path.exists():
        nearby = sorted(folder.glob(f"*/{file.name}"))
        raise RnntagError("no such file", "the files of a corpus keep their names",
                          f"It is in {nearby[0].parent}; name that folder." if nearby else "", path)
    with reporting(path, "read"):
        return str(path), open(path, "rb")


def _open_address(base: str, file: File) -> tuple[str, BinaryIO]:
    address = f"{base.rstrip('/')}/{urllib.parse.quote(file.name)}"
    try:
        request = urllib.request.Request(address, headers={"User-Agent": f"rnntag/{__version__}"})
        return address, _opener().open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise RnntagError(f"the server answers {error.code} {error.reason}".rstrip(), "",
                          BY_HAND, address) from None
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a crooked address
        raise _no_way(address, error) from error


def _opener() -> urllib.request.OpenerDirector:
    """An opener that knows http and https, redirections and proxies, but not file: or ftp:."""
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler, urllib.request.HTTPHandler,
                    urllib.request.HTTPSHandler, urllib.request.HTTPRedirectHandler,
                    urllib.request.HTTPErrorProcessor, urllib.request.HTTPDefaultErrorHandler,
                    urllib.request.UnknownHandler):
        opener.add_handler(handler())
    return opener


def _no_way(place: str, error: Exception) -> RnntagError:
    """What the network (or a disk) said, as one line."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    text = (reason.strerror if isinstance(reason, OSError) else None) or str(reason)
    return RnntagError(f"cannot read it: {text.lower() or type(reason).__name__}", "", BY_HAND, place)
