import errno
import hashlib
import io
import os
import sys
from pathlib import Path

import pytest

from rnntag import files
from rnntag.errors import RnntagError
from rnntag.files import Lock, digest, open_input, open_output, write_bytes

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("name", ["missing", "missing/too"])
def test_a_missing_input_is_reported_with_its_name(tmp_path, name):
    with pytest.raises(RnntagError, match="missing.*cannot read it: no such file"):
        with open_input(tmp_path / name):
            pass


def test_a_folder_is_not_an_input(tmp_path):
    with pytest.raises(RnntagError, match="cannot read it"):
        with open_input(tmp_path):
            pass


def test_an_output_is_written_with_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    with open_output(tmp_path / "out") as stream:
        stream.write(b"text\n")
    assert (tmp_path / "out").read_bytes() == b"text\n"
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert names(tmp_path) == ["out", "usual"]


def test_an_existing_output_is_kept_without_force(write):
    path = write("out", b"old")
    with pytest.raises(RnntagError, match="exists already.*--force"):
        with open_output(path):
            pytest.fail("the block was entered")
    assert path.read_bytes() == b"old"


def test_an_existing_output_is_replaced_with_force(write):
    path = write("out", b"old")
    with open_output(path, force=True) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@posix
def test_an_overwritten_file_keeps_its_permissions(write):
    path = write("out", b"old")
    for mode in (0o640, 0o755):
        path.chmod(mode)
        with open_output(path, force=True) as stream:
            stream.write(b"new")
        assert path.stat().st_mode & 0o777 == mode


@posix
def test_an_output_behind_a_link_is_replaced_and_the_link_stays(write, tmp_path):
    (tmp_path / "folder").mkdir()
    target = write("folder/target", b"old")
    link, second = tmp_path / "link", tmp_path / "second"
    link.symlink_to("folder/target")
    second.symlink_to("link")
    with pytest.raises(RnntagError, match="second: exists already"), open_output(second):
        pytest.fail("the block was entered")
    with open_output(second, force=True) as stream:
        stream.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new" and link.is_symlink() and second.is_symlink()
    assert names(tmp_path / "folder") == ["target"]


@posix
def test_a_link_to_nothing_is_an_output_that_exists(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("target")
    with pytest.raises(RnntagError, match="link: exists already.*--force"), open_output(link):
        pytest.fail("the block was entered")
    with open_output(link, force=True) as stream:
        stream.write(b"new")
    assert link.is_symlink() and (tmp_path / "target").read_bytes() == b"new"


@posix
def test_a_link_to_itself_is_no_output(tmp_path):
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(RnntagError, match="link: cannot write it: too many levels"):
        with open_output(tmp_path / "link", force=True):
            pytest.fail("the block was entered")
    assert (tmp_path / "link").is_symlink()


def test_an_output_that_fails_half_way_leaves_what_was_there(write, tmp_path):
    path = write("out", b"old")
    for target in (path, tmp_path / "fresh"):
        with pytest.raises(ZeroDivisionError):
            with open_output(target, force=True) as stream:
                stream.write(b"half")
                raise ZeroDivisionError
    assert names(tmp_path) == ["out"] and path.read_bytes() == b"old"


def test_an_output_in_a_missing_folder_is_reported_under_its_own_name(tmp_path):
    with pytest.raises(RnntagError) as error:
        with open_output(tmp_path / "missing" / "out"):
            pass
    folder = tmp_path / "missing"
    assert str(error.value) == (f"{folder / 'out'}: cannot write it: no such file or directory. Make the folder "
                                f"{folder} first.")


def test_a_folder_is_not_an_output(tmp_path):
    with pytest.raises(RnntagError, match="cannot write it"):
        with open_output(tmp_path, force=True):
            pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_reported(tmp_path):
    with pytest.raises(RnntagError, match="/dev/full: cannot write it: no space left"):
        with open_output("/dev/full") as stream:
            stream.write(b"text")


@pytest.mark.parametrize("name", ["out", "-", os.devnull])
def test_an_output_is_not_blamed_for_the_errors_of_others(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError) as error, open_output(name) as stream:
        stream.write(b"text")
        raise OSError(errno.EAGAIN, "no more processes")
    assert error.value.errno == errno.EAGAIN and names(tmp_path) == []


class Broken(io.RawIOBase):
    """What can be opened, but neither read nor written."""

    def readable(self):
        return True

    writable = readable

    def readinto(self, _buffer):
        raise OSError(errno.EIO, "Input/output error")

    write = readinto


def test_an_error_while_reading_is_blamed_on_the_input_that_is_read(write, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Broken())))
    with pytest.raises(RnntagError, match="^standard input: cannot read it: input/output error"):
        with open_output(tmp_path / "out") as target, open_input("-") as stream:
            target.write(stream.read1(100))
    source = write("in", b"text")
    monkeypatch.setattr("builtins.open", lambda *_: io.BufferedReader(Broken()))
    with pytest.raises(RnntagError, match="in: cannot read it: input/output error"):
        with open_output("-"), open_input(source) as stream:
            stream.read(100)
    assert names(tmp_path) == ["in"]


def test_an_error_while_writing_is_blamed_on_the_output_that_is_written(write, tmp_path, monkeypatch):
    source = write("in", b"x" * 100_000)
    monkeypatch.setattr(files, "open", lambda path, mode: io.BufferedWriter(Broken()) if mode == "xb"
                        else io.open(path, mode), raising=False)
    with pytest.raises(RnntagError, match="out: cannot write it: input/output error"):
        with open_input(source) as stream, open_output(tmp_path / "out") as target:
            target.write(stream.read())
    assert names(tmp_path) == ["in"]


def test_standard_streams_that_are_closed_are_reported(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(RnntagError, match="standard input: closed"), open_input("-"):
        pass
    with pytest.raises(RnntagError, match="standard output: closed"), open_output("-"):
        pass


def test_write_bytes_replaces_the_whole_file(write, tmp_path):
    write_bytes(write("file", b"a long old text"), b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_digest_is_the_sha256_of_the_file(write):
    data = b"x" * 3_000_000
    assert digest(write("file", data)) == hashlib.sha256(data).hexdigest()


def test_all_of_a_file_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    seen = []
    fsync, replace = os.fsync, os.replace

    def synced(handle):
        seen.append(os.fstat(handle).st_size)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", lambda *names: (seen.append("named"), replace(*names)))
    write_bytes(tmp_path / "file", b"x" * 100)
    assert seen[:2] == [100, "named"]


@posix
def test_a_lock_on_a_file_that_was_removed_meanwhile_is_none(tmp_path, monkeypatch):
    import fcntl
    lock, flock = Lock(tmp_path / "lock"), fcntl.flock

    def late(stream, how):
        os.unlink(tmp_path / "lock")  # as the process that had it does at its end
        if again:
            (tmp_path / "lock").touch()  # and the next one that comes
        flock(stream, how)

    monkeypatch.setattr(fcntl, "flock", late)
    for again in (True, False):
        assert not lock.acquire()
    monkeypatch.undo()
    assert lock.acquire()
    lock.release()


def test_a_file_system_without_locks_is_not_taken_for_another_process(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl", reason="needs a POSIX system")

    def fail(*_arguments):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(RnntagError, match="lock: cannot lock it: no locks available"):
        Lock(tmp_path / "lock").acquire()
