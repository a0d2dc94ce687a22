"""Fetching a corpus, against a server on this machine that misbehaves on request."""

import hashlib
import http.server
import importlib
import os
import threading

import pytest
from click.testing import CliRunner

from rnntag.cli import data
from rnntag.corpus import fetch as datasets
from rnntag.corpus.fetch import CORPORA, Corpus, File, fetch
from rnntag.errors import OptionError, RnntagError

BODIES = {"toy-train.norm_pos": b"I_PRP read_VBP\n" * 9_000, "toy-test.norm": b"You read\n"}
TRAIN, TEST = BODIES


class Server(http.server.ThreadingHTTPServer):
    """Serves BODIES; ``faults`` maps a file name to a way of doing it wrong."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults, self.asked, self.released = {}, [], threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        fault, body = self.server.faults.get(name), BODIES[name]
        self.server.asked.append(self.path)
        if fault == "missing":
            self.send_error(404)
            return
        if fault == "elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
            return
        if fault == "moved" and not self.path.startswith("/new/"):
            self.send_response(301)
            self.send_header("Location", f"/new/{name}")
            self.end_headers()
            return
        self.send_response(200)
        if fault != "oversized":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "silent":
            self.server.released.wait(20)
        body = {"truncated": body[:-5], "changed": b"i" + body[1:], "oversized": body + b"x" * 10**6,
                "silent": b""}.get(fault, body)
        try:
            self.wfile.write(body)
        except OSError:  # the client has hung up, as it should on a body that is too long
            pass

    def log_message(self, *_args):
        """Keep the test's output clean."""


@pytest.fixture
def server(monkeypatch):
    """A running server whose files are the corpus "toy"."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        files = tuple(File(name, len(body), hashlib.sha256(body).hexdigest())
                      for name, body in BODIES.items())
        monkeypatch.setitem(CORPORA, "toy", Corpus("A toy.", server.address + "/data", files))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_files_arrive(server, tmp_path):
    records = list(fetch("toy", tmp_path / "new" / "toy"))
    assert records == [(tmp_path / "new" / "toy" / name, True) for name in BODIES]
    assert contents(tmp_path / "new" / "toy") == BODIES
    assert server.asked == [f"/data/{name}" for name in BODIES]


def test_a_redirection_to_another_address_is_followed(server, tmp_path):
    server.faults[TRAIN] = "moved"
    list(fetch("toy", tmp_path))
    assert contents(tmp_path) == BODIES


@pytest.mark.parametrize(("fault", "message"), [
    ("missing", r"toy-train\.norm_pos: cannot read it: http error 404: not found\. Try again.*--from"),
    ("truncated", r"134,995 bytes .*; the corpus has 135,000 bytes|incompleteread"),
    ("changed", r"SHA-256 [0-9a-f]{12}\.\.\.; the corpus has .* nothing was written"),
    ("oversized", r"135,001 bytes .* and more; the corpus has 135,000 bytes"),
    ("elsewhere", r"302"),
])
def test_what_arrives_wrong_leaves_nothing_behind(server, tmp_path, fault, message):
    server.faults[TRAIN] = fault
    with pytest.raises(RnntagError, match=message) as caught:
        list(fetch("toy", tmp_path / "new" / "toy"))
    assert str(caught.value).startswith(f"{server.address}/data/{TRAIN}: ")
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "TIMEOUT", 0.2)
    server.faults[TRAIN] = "silent"
    with pytest.raises(RnntagError, match="cannot read it: timed out"):
        list(fetch("toy", tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_nobody_at_the_address_is_an_error_that_names_it(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(RnntagError, match=rf"{server.address}/data/{TRAIN}: cannot read it: "):
        list(fetch("toy", tmp_path / "toy"))
    assert list(tmp_path.iterdir()) == []


def test_files_that_arrived_before_a_fault_stay_and_are_not_fetched_again(server, tmp_path):
    server.faults[TEST] = "missing"
    with pytest.raises(RnntagError, match="404"):
        list(fetch("toy", tmp_path / "toy"))
    assert contents(tmp_path / "toy") == {TRAIN: BODIES[TRAIN]}
    server.faults.clear()
    assert [written for _, written in fetch("toy", tmp_path / "toy")] == [False, True]
    assert server.asked.count(f"/data/{TRAIN}") == 1


@pytest.mark.parametrize("other", [b"mine", b"Me read\n\n"])  # another size, and the same size
def test_another_file_of_the_same_name_is_kept_without_force(server, tmp_path, other):
    (tmp_path / TEST).write_bytes(other)
    with pytest.raises(RnntagError, match="another file stands there.*--force"):
        list(fetch("toy", tmp_path))
    assert contents(tmp_path) == {TEST: other}
    assert server.asked == []  # found out before anything was fetched
    list(fetch("toy", tmp_path, force=True))
    assert contents(tmp_path) == BODIES


def test_a_file_that_cannot_be_replaced_survives_a_failed_fetch_with_force(server, tmp_path):
    (tmp_path / TEST).write_bytes(b"mine")
    server.faults[TEST] = "changed"
    with pytest.raises(RnntagError, match="SHA-256"):
        list(fetch("toy", tmp_path, force=True))
    assert contents(tmp_path)[TEST] == b"mine"


def test_a_folder_under_the_name_of_a_file_is_never_replaced(server, tmp_path):
    (tmp_path / TEST).mkdir()
    with pytest.raises(RnntagError, match="not a file stands there"):
        list(fetch("toy", tmp_path, force=True))


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_a_link_under_the_name_of_a_file_stays_one(server, tmp_path):
    for force in (False, True):
        (tmp_path / TEST).symlink_to("elsewhere")
        with pytest.raises(RnntagError, match="not a file stands there"):
            list(fetch("toy", tmp_path, force=force))
        (tmp_path / TEST).unlink()
    (tmp_path / "elsewhere").write_bytes(b"old")
    (tmp_path / TEST).symlink_to("elsewhere")
    list(fetch("toy", tmp_path, force=True))
    assert (tmp_path / TEST).is_symlink() and (tmp_path / "elsewhere").read_bytes() == BODIES[TEST]


def test_a_folder_is_a_source(server, tmp_path):
    (tmp_path / "here").mkdir()
    for name, body in BODIES.items():
        (tmp_path / "here" / name).write_bytes(body)
    list(fetch("toy", tmp_path / "there", str(tmp_path / "here")))
    assert contents(tmp_path / "there") == BODIES
    assert server.asked == []


def test_a_file_missing_in_the_folder_is_named(server, tmp_path):
    (tmp_path / "here").mkdir()
    with pytest.raises(RnntagError, match=rf"{TRAIN}: cannot read it: no such file"):
        list(fetch("toy", tmp_path / "there", str(tmp_path / "here")))
    assert not (tmp_path / "there").exists()


def test_a_changed_file_in_the_folder_is_not_copied(server, tmp_path):
    (tmp_path / TRAIN).write_bytes(BODIES[TRAIN].replace(b"\n", b"\r\n"))
    with pytest.raises(RnntagError, match="line ends count"):
        list(fetch("toy", tmp_path / "there", str(tmp_path)))
    assert not (tmp_path / "there").exists()


def test_a_target_that_cannot_be_made_is_one_line(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for target in (tmp_path / "file", tmp_path / "file" / "toy"):
        with pytest.raises(RnntagError, match="cannot make it"):
            list(fetch("toy", target))
    assert contents(tmp_path) == {"file": b""}


def test_a_full_disk_is_one_line_and_leaves_nothing_behind(server, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnntag.files.os.fsync", full)
    with pytest.raises(RnntagError, match=f"{TRAIN}: cannot write it: no space left on device"):
        list(fetch("toy", tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["ftp://127.0.0.1/", "file:///tmp"])
def test_other_schemes_are_misuse(server, source, tmp_path):
    with pytest.raises(OptionError, match="http and https are fetched"):
        list(fetch("toy", tmp_path, source))


def test_a_crooked_address_is_one_line(server, tmp_path):
    with pytest.raises(RnntagError, match="cannot read it"):
        list(fetch("toy", tmp_path, "http://name:of a port"))


def test_an_unknown_corpus_and_an_absent_folder_are_told(server, tmp_path):
    with pytest.raises(OptionError, match="no corpus 'toys'; it is one of wiki-en, toy"):
        list(fetch("toys", tmp_path))
    with pytest.raises(RnntagError, match="no such folder"):
        list(fetch("toy", tmp_path, str(tmp_path / "absent")))


def test_the_command_reports_each_file_on_standard_error(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for word in ("written", "already there"):
        result = CliRunner().invoke(data_command(), ["toy"])
        assert result.exit_code == 0
        assert result.stderr.splitlines() == [f"{tmp_path.joinpath('toy', name).relative_to(tmp_path)}: "
                                              f"{word}" for name in BODIES]
    assert CliRunner().invoke(data_command(), ["toy", "--quiet"]).output == ""
    server.faults[TRAIN] = "missing"
    result = CliRunner().invoke(data_command(), ["toy", "--to", "other"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: http://127.0.0.1:")
    assert not (tmp_path / "other").exists()


def data_command():
    """The command with the corpora of the moment: its choices are fixed when it is imported."""
    return importlib.reload(data).main
