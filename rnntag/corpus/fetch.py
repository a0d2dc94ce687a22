"""Corpora to fetch: where their files are, and what they have to be when they arrive.

A corpus is one entry of CORPORA, its files pinned by size and SHA-256 at a fixed revision, so
that a number in the documentation always belongs to the same data. A file that has not these
bytes never appears under its name, wherever it comes from.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote as quote_url
from urllib.request import urlopen

from ..errors import OptionError, RnntagError, quote
from ..files import digest, open_output, reporting

TIMEOUT = 30.0  # seconds without a byte before a connection is given up
SCHEMES = ("http", "https")


class File(NamedTuple):
    """A file of a corpus: its name, both there and here, and what it must contain."""

    name: str
    size: int  # bytes
    sha256: str

    def __str__(self) -> str:
        return f"{self.size:,} bytes with SHA-256 {self.sha256[:12]}..."


class Corpus(NamedTuple):
    """A corpus: a line about it, the address of the folder that its files are in, the files."""

    about: str
    address: str
    files: tuple[File, ...]


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
          force: bool = False) -> Iterator[tuple[Path, bool]]:
    """Bring the files of corpus ``name`` to ``folder``; yields each path and whether it was written.

    folder   where the files go, made when it is missing; None is a folder named as the corpus
    source   an http or https address, or a folder, that has the files; None is the corpus's own
    force    replace files of the same name that have other contents

    A file that is there already, byte for byte, is left alone (False); the first that is not, and
    may not be replaced, ends the work before anything is fetched.

    Raises OptionError for a name or a scheme that is not known, and RnntagError when a file is
    missing, is not the one that CORPORA describes, or cannot be written.
    """
    if name not in CORPORA:
        raise OptionError(f"no corpus {quote(name)}", f"it is one of {', '.join(CORPORA)}")
    corpus, folder = CORPORA[name], Path(folder or name)
    source = corpus.address if source is None else source
    _check_source(source)
    there = [_is_there(folder / file.name, file, force) for file in corpus.files]
    for file, is_there in zip(corpus.files, there):
        path = folder / file.name
        if not is_there:
            data = _read(source, file)
            with reporting(folder, "make"):
                folder.mkdir(parents=True, exist_ok=True)
            with open_output(path, force=force) as out:
                out.write(data)
        yield path, not is_there


def _check_source(source: str) -> None:
    """Raise OptionError for an address of another scheme, RnntagError for a folder that is not there."""
    scheme, separator, _ = source.partition("://")
    if separator and scheme.lower() not in SCHEMES:
        raise OptionError(f"an address with {quote(scheme)}", f"{' and '.join(SCHEMES)} are fetched",
                          "Name a folder by its path alone.", place=source)
    if not separator and not Path(source).is_dir():
        raise RnntagError("no such folder", "--from is a folder, or an address that starts with https://",
                          place=source)


def _is_there(path: Path, file: File, force: bool) -> bool:
    """Whether ``path`` is ``file`` already. Raises RnntagError when it is another, without ``force``."""
    if not os.path.lexists(path):
        return False
    with reporting(path, "read"):
        if not path.is_file():
            raise RnntagError("something that is not a file stands there", hint="Name another folder with --to.",
                              place=path)
        same = path.stat().st_size == file.size and digest(path) == file.sha256
    if not same and not force:
        raise RnntagError("another file stands there", f"the corpus has {file}",
                          "Name another folder with --to, or replace the file with --force.", path)
    return same


def _read(source: str, file: File) -> bytes:
    """The bytes of ``file`` from a folder or address; never more than its size and one are read."""
    place = f"{source.rstrip('/')}/{quote_url(file.name)}" if "://" in source else str(Path(source, file.name))
    try:
        with urlopen(place, timeout=TIMEOUT) if "://" in source else open(place, "rb") as stream:
            data = stream.read(file.size + 1)
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a crooked address
        reason: Any = error if isinstance(error, HTTPError) else getattr(error, "reason", error)
        raise RnntagError(f"cannot read it: {getattr(reason, 'strerror', None) or reason}".lower(), "",
                          "Try again, or fetch the files by other means and name their folder with --from.",
                          place) from error
    if (found := File(file.name, len(data), hashlib.sha256(data).hexdigest())) != file:
        raise RnntagError(f"{found}{' and more' * (len(data) > file.size)}", f"the corpus has {file}",
                          "It was changed (line ends count), damaged or cut off; nothing was written.", place)
    return data
