"""``rnntag annotate`` through its server: sessions, crashes, conflicts, training in the background."""

import random
import signal

import pytest
from conftest import ROOT
from invoking import TINY, failure, invoke
from mutating import mutate_bytes
from samples import TEXT
from serving import Served
from test_serve import BITS, send

from rnntag.cli.annotate import main
from rnntag.cli.train_rnn import main as train_rnn

SAMPLE = (ROOT / "data" / "sample-test.wordtag").read_bytes()
CONLLU = "".join(f"# n = {n}\n1\tthe\tthe\tDET\t_\t_\t_\t_\t_\t_\n"
                 "2\tdogs\tdog\tNOUN\tNNS\tNumber=Plur\t_\t_\t_\t_\n\n" for n in range(12))
QUICK = ("--options", "--hidden 4 --embedding 4 --epochs 1")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "c.wordtag").write_bytes(SAMPLE)
    return tmp_path


def annotate(folder, *more):
    return Served(folder, "annotate", "c.wordtag", *QUICK, *more)


def accept(server, number, changes, status=200):
    """Accept a sentence with {token: tag} changed; the tags that it had."""
    found = server.ask("/api/sentence", {"number": number})
    (field,) = found["fields"]
    values = [changes.get(i, value) for i, value in enumerate(field["values"])]
    server.ask("/api/accept", {"number": number, "version": found["version"], "values": {field["name"]: values}},
               status=status)
    return field["values"]


def corrected(data, changes):
    """The corpus with {(sentence, token): tag} changed."""
    lines = data.decode().split("\n")
    for (number, i), tag in changes.items():
        items = lines[number].split(" ")
        items[i] = items[i].rpartition("_")[0] + "_" + tag
        lines[number] = " ".join(items)
    return "\n".join(lines).encode()


def test_a_session_of_20_corrections_changes_just_these(folder):
    with annotate(folder) as server:
        changes = {}
        for number in range(0, 60, 3):
            changes[number, 0] = "QQ"
            accept(server, number, {0: "QQ"})
            accept(server, number + 1, {})
        now = server.ask("/api/status")
        assert (now["done"], now["changed"]) == (40, 20) and server.end() == 0
    assert (folder / "c.wordtag").read_bytes() == corrected(SAMPLE, changes)
    with annotate(folder) as server:  # where one left off
        assert server.ask("/api/status")["done"] == 40 and not (folder / ".c.wordtag.part").exists()
        assert server.ask("/api/next", {"number": -1, "order": "file"})["number"] == 2


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_server_that_is_killed_loses_nothing_that_was_accepted(folder):
    rng = random.Random(2)
    changes = {}
    for number in range(4):
        with annotate(folder) as server:
            for k in range(3):
                at = 12 * number + 3 * k
                changes[at, 0] = rng.choice(["QA", "QB"])
                accept(server, at, {0: changes[at, 0]})
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
        assert (folder / "c.wordtag").read_bytes() == corrected(SAMPLE, changes)
    assert len((folder / "c.wordtag.session.jsonl").read_bytes().splitlines()) == 12


def test_a_file_that_changes_underneath_is_kept_and_can_be_read_again(folder):
    with annotate(folder) as server:
        accept(server, 0, {0: "QQ"})
        other = b"new_NN line_NN\n" + (folder / "c.wordtag").read_bytes()
        (folder / "c.wordtag").write_bytes(other)
        assert server.ask("/api/status")["changed_on_disk"]
        accept(server, 1, {0: "QQ"}, status=409)
        server.ask("/api/undo", {}, status=409)
        assert (folder / "c.wordtag").read_bytes() == other
        server.ask("/api/reload", {})
        accept(server, 2, {0: "QR"})
        assert (folder / "c.wordtag").read_bytes() == corrected(other, {(2, 0): "QR"})
        assert server.ask("/api/undo", {})["number"] == 2 and (folder / "c.wordtag").read_bytes() == other


def test_a_sentence_changed_in_another_window_is_not_overwritten(folder):
    with annotate(folder) as server:
        old = server.ask("/api/sentence", {"number": 0})
        accept(server, 0, {0: "QQ"})
        answer = server.ask("/api/accept", {"number": 0, "version": old["version"], "values": {}}, status=409)
        assert answer["kind"] == "stale"


def test_answers_come_from_a_model_and_after_training_from_another(folder):
    (folder / "train").write_bytes(TEXT * 5)
    invoke(train_rnn, folder / "train", folder / "m", *TINY, "-q")
    with annotate(folder, "--model", "m", "--train", "train", "--retrain", 2) as server:
        first = server.until(lambda now: now["generation"] == 1)
        assert first["learns"] and server.ask("/api/sentence", {"number": 0})["fields"][0]["best"]
        for number in range(2):
            accept(server, number, {0: "QQ"})
        server.until(lambda now: now["generation"] == 2 and now["learner"] == "idle")
        answers = server.ask("/api/sentence", {"number": 3})["fields"][0]["best"]
        assert "QQ" in {value for row in answers for value, _ in row}  # learnt from what was accepted
        assert server.ask("/api/retrain", {})["learns"]
        server.until(lambda now: now["generation"] == 3)


def test_a_model_alone_answers_and_does_not_learn(folder):
    invoke(train_rnn, folder / "c.wordtag", folder / "m", *TINY, "-q")
    with Served(folder, "annotate", "c.wordtag", "--model", "m") as server:
        assert not server.until(lambda now: now["generation"] == 1)["learns"]
        assert "--train" in server.ask("/api/retrain", {}, status=400)["error"]


def test_without_a_model_each_sentence_is_answered_by_one_that_has_not_seen_it(folder):
    with annotate(folder) as server:
        now = server.until(lambda now: now["generation"] == 3 and now["learner"] == "idle")
        assert 0 < now["expected"] < 1 and now["problem"] == ""
        assert server.ask("/api/next", {"number": -1, "order": "doubt"})["number"] is not None


def test_all_columns_are_shown_corrected_and_learnt(tmp_path):
    (tmp_path / "c.conllu").write_text(CONLLU, newline="\n")
    with Served(tmp_path, "annotate", "c.conllu", *QUICK) as server:
        server.until(lambda now: now["generation"] == 3)
        found = server.ask("/api/sentence", {"number": 5})
        assert [field["name"] for field in found["fields"]] == ["upos", "xpos", "feats", "lemma"]
        assert [bool(field["best"]) for field in found["fields"]] == [True, False, True, True]  # xpos has gaps
        values = {"lemma": ["the", "hound"], "upos": ["DET", "PROPN"]}
        server.ask("/api/accept", {"number": 5, "version": 0, "values": values})
    assert (tmp_path / "c.conllu").read_text() == CONLLU.replace(
        "# n = 5\n1\tthe\tthe\tDET\t_\t_\t_\t_\t_\t_\n2\tdogs\tdog\tNOUN",
        "# n = 5\n1\tthe\tthe\tDET\t_\t_\t_\t_\t_\t_\n2\tdogs\thound\tPROPN")


@pytest.mark.parametrize("path, body", [
    ("/api/sentence", {"number": 10**6}), ("/api/sentence", {"number": -1}), ("/api/sentence", {"number": True}),
    ("/api/sentence", {}), ("/api/examples", {"number": 0, "token": 999}), ("/api/next", {"number": 0, "order": "x"}),
    ("/api/accept", {"number": 0, "version": 0, "values": [1]}), ("/api/accept", "[]"), ("/api/accept", "{"),
    ("/api/accept", {"number": 0, "version": 0, "values": {"": ["X"]}}),
    ("/api/accept", {"number": 0, "version": 0, "values": {"../x": ["X"]}}),
    ("/api/accept", {"number": 0, "version": 0, "values": {"": [1, 2]}})])
def test_commands_that_are_wrong_change_nothing(running, path, body):
    server, folder = running
    assert server.ask(path, body, status=400)["error"]
    assert (folder / "c.wordtag").read_bytes() == SAMPLE


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotate")
    (folder / "c.wordtag").write_bytes(SAMPLE)
    with annotate(folder) as server:
        yield server, folder


def test_other_sites_cannot_accept(running):
    server, folder = running
    body = {"number": 0, "version": 0, "values": {}}
    for headers, status in (({"Origin": "http://evil.example"}, 403), ({"Content-Type": "text/plain"}, 415),
                            ({"Host": "evil.example"}, 421)):
        server.ask("/api/accept", body, headers=headers, status=status)
    assert server.ask("/api/status")["done"] == 0


def test_nothing_malformed_changes_the_file(running):
    server, folder = running
    rng = random.Random(8)
    body = b'{"number": 0, "version": 0, "values": {"": ["X Y"]}}'
    good = (b"POST /api/accept HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
            + str(len(body)).encode() + b"\r\n\r\n" + body)
    for _ in range(200):
        send(server.port, mutate_bytes(rng, good, BITS))
    assert (folder / "c.wordtag").read_bytes() == SAMPLE and "Traceback" not in server.said()
    assert server.ask("/api/status")["done"] == 0


def test_one_server_at_a_time_works_on_a_corpus(running, monkeypatch):
    server, folder = running
    monkeypatch.chdir(folder)
    assert "c.wordtag is in use" in failure(main, "c.wordtag", "--port", 0, status=2)


def test_options_that_would_change_nothing_are_refused(folder, monkeypatch):
    monkeypatch.chdir(folder)
    invoke(train_rnn, "c.wordtag", "m", *TINY, "-q")
    assert "--retrain: given with --model" in failure(main, "c.wordtag", "--model", "m", "--retrain", 3, status=2)
    assert "cannot be corrected" in failure(main, "c.wordtag", "--on-error", "skip", status=2)
