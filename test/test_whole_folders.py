"""Folders that appear whole or not at all: models."""

import errno
import os

import pytest

from rnntag.errors import RnntagError
from rnntag.files import check_free, whole_folder

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
unprivileged = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0,
                                  reason="permissions do not bind this user")


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def fill(folder, text, **kwargs):
    with whole_folder(folder, **kwargs) as fresh:
        (fresh / "model.json").write_text(text)


def test_a_folder_appears_when_it_is_whole(tmp_path):
    with whole_folder(tmp_path / "model") as fresh:
        (fresh / "model.json").write_text("1")
        assert not (tmp_path / "model").exists()
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["model.json"]


def test_an_empty_folder_may_become_a_model(tmp_path):
    (tmp_path / "model").mkdir()
    fill(tmp_path / "model", "1")
    assert (tmp_path / "model" / "model.json").read_text() == "1"


def test_an_existing_model_is_replaced_only_with_force(tmp_path):
    fill(tmp_path / "model", "1")
    with pytest.raises(RnntagError, match="exists already.*--force"):
        fill(tmp_path / "model", "2")
    assert (tmp_path / "model" / "model.json").read_text() == "1"
    fill(tmp_path / "model", "2", force=True)
    assert (tmp_path / "model" / "model.json").read_text() == "2"
    assert names(tmp_path) == ["model"]


def test_an_existing_model_is_untouched_when_writing_fails_half_way(tmp_path):
    fill(tmp_path / "model", "1")
    for error in (ZeroDivisionError, KeyboardInterrupt):
        with pytest.raises(error):
            with whole_folder(tmp_path / "model", force=True) as fresh:
                (fresh / "model.json").write_text("2")
                raise error
        assert names(tmp_path) == ["model"] and (tmp_path / "model" / "model.json").read_text() == "1"


def test_an_existing_model_is_put_back_when_the_last_step_fails(tmp_path, monkeypatch):
    fill(tmp_path / "model", "1")
    rename = os.rename

    def fail(source, target):
        if str(source).endswith(".part"):
            raise PermissionError(13, "Permission denied", str(source))
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(RnntagError, match="model: cannot write it: permission denied"):
        fill(tmp_path / "model", "2", force=True)
    assert names(tmp_path) == ["model"] and (tmp_path / "model" / "model.json").read_text() == "1"


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(RnntagError, match="a folder that is not a model"):
        fill(tmp_path / "photos", "1", force=True)
    assert names(tmp_path / "photos") == ["cat.jpg"]


def test_a_model_with_the_user_s_own_files_in_it_is_never_replaced(tmp_path):
    fill(tmp_path / "model", "1")
    (tmp_path / "model" / "notes.txt").touch()
    with pytest.raises(RnntagError, match="also has notes.txt"):
        fill(tmp_path / "model", "2", force=True)
    assert names(tmp_path / "model") == ["model.json", "notes.txt"]


def test_a_file_is_never_replaced_by_a_folder(write):
    path = write("model", b"text")
    with pytest.raises(RnntagError, match="a file stands there; a model is a folder"):
        fill(path, "1", force=True)
    assert path.read_bytes() == b"text"


@posix
def test_a_link_to_a_model_stays_a_link(tmp_path):
    fill(tmp_path / "model", "1")
    (tmp_path / "link").symlink_to("model")
    fill(tmp_path / "link", "2", force=True)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "model" / "model.json").read_text() == "2"


def test_a_model_in_a_missing_folder_is_refused_before_any_work(tmp_path):
    with pytest.raises(RnntagError, match="there is no folder"):
        check_free(tmp_path / "missing" / "model")
    assert names(tmp_path) == []


@unprivileged
def test_a_folder_without_permission_to_write_is_reported(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(RnntagError, match="permission denied"):
            fill(tmp_path / "model", "1")
    finally:
        tmp_path.chmod(0o700)


def test_a_model_is_not_blamed_for_the_errors_of_others(tmp_path):
    with pytest.raises(OSError, match="no more processes"), whole_folder(tmp_path / "model"):
        raise OSError(errno.EAGAIN, "no more processes")
    assert names(tmp_path) == []
