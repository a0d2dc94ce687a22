"""Files that are whole or absent: written aside, synced, then moved into place."""

from __future__ import annotations

import contextlib
import errno
import functools
import glob
import hashlib
import io
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from .compression import compressed, decompressed
from .errors import RnntagError

STANDARD = "-"  # standard input or output, on every command
MODEL_FILES = frozenset(("model.json", "weights.npz", "ids.json", "log.jsonl"))
PART, OLD = ".part", ".old"  # how the names of unfinished and of replaced files and folders end


@contextlib.contextmanager
def open_input(path: str | Path) -> Iterator[io.BufferedIOBase]:
    """``path`` for reading bytes, decompressed where it is compressed; ``-`` is standard input.

    Raises RnntagError when the file is missing, a folder, or not readable, also while it is read, and when its
    compressed data are damaged.
    """
    if str(path) == STANDARD:
        stream = _reported(_open_standard(sys.stdin, shown(path)).buffer, shown(path), "read")
        yield decompressed(stream, shown(path))
        return
    with reporting(path, "read"):
        stream = open(path, "rb")
    with _reported(stream, path, "read") as stream:
        yield decompressed(stream, shown(path))


@contextlib.contextmanager
def open_output(path: str | Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """``path`` for writing bytes, compressed where its name ends in .gz, .bz2 or .xz; ``-`` is standard output.

    A regular file appears under its name only when the block ends without an exception. What
    exists, a link to nothing too, is not overwritten without ``force``; a file that is overwritten
    keeps its permissions, and a link stays one: what it points to is replaced. Devices and pipes
    are written to directly.

    Raises RnntagError when the file exists, or cannot be written; what else goes wrong in the block
    is not blamed on it.
    """
    if str(path) == STANDARD:
        name = "standard output"
        stream = _reported(_open_standard(sys.stdout, name).buffer, name, "write")
        yield stream
        stream.flush()
        return
    path = Path(path)
    with reporting(path, "write"):
        try:
            regular = stat.S_ISREG(os.stat(path).st_mode)
        except FileNotFoundError:  # there is nothing, or a link to nothing
            regular = True
        if regular and os.path.lexists(path) and not force:
            raise RnntagError("exists already", hint="Choose another name, or overwrite it "
                              "with --force.", place=path)
        direct = None if regular else open(path, "wb")
    with (_reported(direct, path, "write") if direct else
          aside(Path(os.path.realpath(path)) if path.is_symlink() else path)) as stream, \
            compressed(stream, path) as target:
        yield target


@contextlib.contextmanager
def aside(path: Path) -> Iterator[BinaryIO]:
    """Write next to ``path``, flush to the disk, then move it there in one step; permissions are kept.

    Raises RnntagError when it cannot be written; what else goes wrong in the block is not blamed on it.
    """
    temporary = _beside(path)
    try:  # a signal may come at any time: the file is not there before its name is known here
        with reporting(path, "write"):
            handle = open(temporary, "xb")
        with _reported(handle, path, "write") as stream:
            yield stream
            with reporting(path, "write"):
                stream.flush()
                os.fsync(stream.fileno())
        with reporting(path, "write"):
            os.chmod(temporary, _permissions(path))
            os.replace(temporary, path)
            sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _beside(path: Path) -> Path:
    """A name that nothing has for what will be ``path``."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")


def write_bytes(path: Path, data: bytes) -> None:
    """``data`` as the whole contents of ``path``, or the old contents."""
    with aside(path) as stream:
        stream.write(data)


@contextlib.contextmanager
def whole_folder(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """An empty folder to fill, which becomes ``path`` when the block ends without an exception.

    What stood at ``path`` stays there, untouched, until then; a crash between the last two
    renames leaves it complete beside ``path``, under a name that ends in ``.old``, and
    ``check_free`` puts it back.

    Raises RnntagError when ``path`` exists and ``force`` is not given, or cannot be written; what
    else goes wrong in the block is not blamed on it.
    """
    path = Path(os.path.realpath(path))  # through links: what they point to is replaced, not they
    check_free(path, force=force)
    fresh = _beside(path)
    old = fresh.with_suffix(OLD)
    try:
        with reporting(path, "write"):
            fresh.mkdir()
        yield fresh
        with reporting(path, "write"):
            sync_folder(fresh)
            _swap(path, fresh, old)
            sync_folder(path.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _swap(path: Path, fresh: Path, old: Path) -> None:
    """Move ``path``, if it exists, to ``old`` and ``fresh`` to ``path``; all or nothing."""
    exists = path.exists()
    if exists:
        os.rename(path, old)
    try:
        os.rename(fresh, path)
    except BaseException:
        if exists:
            os.rename(old, path)
        raise


def leftovers(path: Path, *endings: str) -> list[Path]:
    """What a process that was killed left beside ``path`` of its files and folders for it."""
    return sorted(found for ending in endings
                  for found in path.parent.glob(f".{glob.escape(path.name)}.????????{ending}"))


def check_free(path: str | Path, *, force: bool = False) -> None:
    """Raise RnntagError when no model can be written to ``path``: call it before long work.

    Its folder must exist, and with ``force`` it may be a model, but one with nothing of the user's
    own in it, because the whole folder is replaced. A model that a crash left under another name
    while it was being replaced gets its name back.
    """
    path = Path(os.path.realpath(path))
    with reporting(path, "write"):
        if not path.parent.is_dir():
            raise RnntagError(f"there is no folder {path.parent}", hint="Make it first, or choose "
                              "another name.", place=path)
        if not path.exists():
            if not (replaced := leftovers(path, OLD)):
                return
            os.rename(replaced[-1], path)
        if not path.is_dir():
            raise RnntagError("a file stands there", "a model is a folder", "Choose another name.", path)
        names = {entry.name for entry in path.iterdir()}
    if names and "model.json" not in names:
        raise RnntagError("a folder that is not a model", hint="Choose another name.", place=path)
    if names and not force:
        raise RnntagError("exists already", hint="Choose another name, or overwrite it with "
                          "--force.", place=path)
    if names - MODEL_FILES:
        raise RnntagError(f"the model's folder also has {min(names - MODEL_FILES)}",
                          "the whole folder would be replaced", "Move that elsewhere first.", path)


def digest(path: str | Path) -> str | None:
    """The SHA-256 of a file in hexadecimal digits; None for what can be read only once."""
    with reporting(path, "read"):
        if str(path) == STANDARD or not stat.S_ISREG(os.stat(path).st_mode):
            return None
        total = hashlib.sha256()
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                total.update(block)
    return total.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable, where the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows: renames are durable without it
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def reporting(path: str | Path, action: str) -> Iterator[None]:
    """Turn the system's errors about ``path`` into one line (a closed pipe stays what it is)."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        place = error.filename if error.filename and PART not in str(error.filename) else _final(path)
        folder, hint = os.path.dirname(str(place)), ""
        if action == "write" and isinstance(error, FileNotFoundError) and folder and not os.path.isdir(folder):
            hint = f"Make the folder {folder} first."
        raise RnntagError(f"cannot {action} it: {reason}", hint=hint, place=place) from error


class _Reported:
    """A binary stream whose methods report the system's errors under a name."""

    def __init__(self, stream: BinaryIO, path: str | Path, action: str):
        self._stream, self._path, self._action = stream, path, action

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._stream, name)
        if callable(value):
            value = functools.partial(_call, value, self._path, self._action)
            setattr(self, name, value)  # so that the next call gets it at once
        return value

    def __enter__(self) -> _Reported:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _call(method: Callable[..., Any], path: str | Path, action: str, *arguments: Any) -> Any:
    try:  # calls are many, and a context for each takes time
        return method(*arguments)
    except OSError:
        with reporting(path, action):
            raise


def _reported(stream: BinaryIO, path: str | Path, action: str) -> Any:
    return _Reported(stream, path, action)


def _final(path: str | Path) -> Path:
    """The name that what is being written aside will have."""
    return Path(*(re.sub(r"^\.(.+)\.\w{8}\.part$", r"\1", part) for part in Path(path).parts))


def shown(path: str | Path) -> str:
    """An input's name as messages show it."""
    return "standard input" if str(path) == STANDARD else str(path)


def _open_standard(stream: TextIO | None, name: str) -> TextIO:
    if stream is None:  # what Python makes of a closed descriptor
        raise RnntagError("closed", "something to read or write is needed", "Name a file.", name)
    return stream


def _permissions(path: Path) -> int:
    """Those of the file that stands at ``path``, or those of a new one."""
    with contextlib.suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode):
            return mode & 0o777
    return 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Lock:
    """A file that one process at a time can hold; the system lets go of it when the process dies."""

    def __init__(self, path: Path):
        self.path = path
        self._stream: BinaryIO | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process has it.

        Raises RnntagError when the file cannot be written, or its file system has no locks.
        """
        with reporting(self.path, "lock"):
            stream = open(self.path, "a+b")
            try:
                if sys.platform == "win32":
                    import msvcrt
                    stream.seek(0)
                    msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    import fcntl
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # the one who had it may have removed the file meanwhile: then this is a lock on nothing
                held = os.path.samestat(os.fstat(stream.fileno()), os.stat(self.path))
            except OSError as error:
                stream.close()
                if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.ENOENT):
                    return False
                raise
        if not held:
            stream.close()
            return False
        self._stream = stream
        return True

    def release(self) -> None:
        """Let go of the lock."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
