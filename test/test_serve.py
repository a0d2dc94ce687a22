"""``rnntag serve``: what it answers, what it refuses, and that nothing brings it down."""

import asyncio
import random
import socket
import threading

import pytest
from invoking import TINY, failure, invoke
from mutating import mutate_bytes
from samples import TEXT
from serving import Served

from rnntag.cli.serve import main
from rnntag.cli.train_rnn import main as train_rnn
from rnntag.corpus import read
from rnntag.corpus.tokenisation import split
from rnntag.storage.modelfile import load

BITS = [b"\r\n", b"\0", b"{" * 50, b"\xff", b"Transfer-Encoding: chunked\r\n", b"999"]  # to put into requests


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    (folder / "train").write_bytes(TEXT)
    invoke(train_rnn, folder / "train", folder / "m", *TINY, "-q")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with Served(folder, "serve", "m", "--max-bytes", 5_000, "--max-tokens", 50, "--timeout", 1) as served:
        yield served


def test_text_and_tokens_are_tagged_as_test_rnn_does(server, folder):
    (expected,) = load(folder / "m").tag([["the", "dog", "runs", "."]])
    for body in ({"tokens": ["the", "dog", "runs", "."]}, {"sentences": [["the", "dog", "runs", "."]]},
                 {"text": "the dog runs."}):
        assert server.ask("/tag", body) == {"sentences": [{"tokens": ["the", "dog", "runs", "."], "tags": expected}]}
    assert server.ask("/tag", {"sentences": []}) == {"sentences": []}
    assert [s["tokens"] for s in server.ask("/tag", {"sentences": [["a"], [], ["b", "c"]]})["sentences"]] == [
        ["a"], [], ["b", "c"]]


def test_the_answers_are_lines_of_jsonl(server, folder):
    import json
    (sentence,) = server.ask("/tag", {"tokens": ["the", "dog"], "best": 2})["sentences"]
    (folder / "line.jsonl").write_text(json.dumps(sentence) + "\n")
    (again,) = read(folder / "line.jsonl")
    assert again.words == ["the", "dog"] and [len(row) for row in again.first.best] == [2, 2]


def test_info_health_and_the_description(server):
    info = server.ask("/info")
    assert (info["model"], info["kind"], info["tags"]) == ("m", "rnn", [".", "DT", "NN", "VB"])
    assert info["limits"] == {"bytes": 5_000, "tokens": 50, "seconds": 1.0} and info["words"] == 9
    assert server.ask("/health") == {"status": "ok"}
    described = server.ask("/openapi.json")
    assert described["openapi"] == "3.1.0" and set(described["paths"]) == {"/tag", "/info", "/health"}
    known = described["paths"]["/tag"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert set(known) == {"text", "tokens", "sentences", "best", "fields"}


def test_the_pages_are_served_with_headers_that_keep_others_out(server):
    for path in ("/", "/try.js", "/common.js", "/style.css", "/icon.svg"):
        assert server.ask(path)
        assert "default-src 'none'" in server.headers["content-security-policy"]
        assert server.headers["x-content-type-options"] == "nosniff"
    assert "server" not in server.headers


@pytest.mark.parametrize("path", ["/../setup.cfg", "/static/../../x", "/%2e%2e/x", "/style.css/..", "//etc/passwd",
                                  "/try.html", "/annotate.js", "/api/accept"])
def test_no_other_path_leads_anywhere(server, path):
    server.ask(path, status=404)


@pytest.mark.parametrize("body, message", [
    ("", "not JSON"), ("{", "not JSON"), ("[]", "not a JSON object"), ("null", "not a JSON object"),
    ('{"text": NaN}', "NaN is not JSON"), ("[" * 4_000, "not JSON"), (b"\xff\xfe", "not JSON"), ({}, "one of"),
    ({"text": "a", "tokens": ["a"]}, "one of"), ({"text": 3}, "not text"), ({"tokens": "a b"}, "not text"),
    ({"tokens": [["a"]]}, "not text"), ({"sentences": "a"}, "not a list"), ({"sentences": ["a"]}, "not text"),
    ({"tokens": ["a", ""]}, "empty token"), ('{"text": "\\ud800"}', "half a character"),
    ({"text": "a", "best": 51}, "whole number"), ({"text": "a", "best": True}, "whole number"),
    ({"text": "a", "fields": ["xpos"]}, "no named columns"), ({"text": "a", "fields": 3}, "not text"),
    ({"text": "a", "nonsense": 1}, "'nonsense' is not known")])
def test_a_request_that_is_wrong_is_told_so(server, body, message):
    assert message in server.ask("/tag", body, method="POST", status=400)["error"]


def test_too_much_is_refused(server):
    assert "5,000 bytes" in server.ask("/tag", {"text": "a" * 6_000}, status=413)["error"]
    assert "50 tokens" in server.ask("/tag", {"tokens": ["a"] * 60}, status=413)["error"]
    assert "50 tokens" in server.ask("/tag", {"sentences": [[]] * 60}, status=413)["error"]


@pytest.mark.parametrize("headers, status", [
    ({"Host": "evil.example"}, 421), ({"Host": "evil.example:80"}, 421), ({"Host": ""}, 421),
    ({"Host": "localhost.evil.example"}, 421), ({"Host": "127.0.0.1.nip.example"}, 421),
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ({"Host": "localhost"}, 200), ({"Host": "[::1]:80"}, 200),
    ({"Content-Type": "application/json; charset=utf-8"}, 200)])
def test_other_sites_are_kept_out(server, headers, status):
    answer = server.ask("/tag", {"text": "a"}, headers=headers, status=status)
    assert ("error" in answer) == (status != 200)


def test_the_own_page_may_ask(server):
    server.ask("/tag", {"text": "a"}, headers={"Origin": f"http://127.0.0.1:{server.port}"})
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
        server.ask("/tag", {"text": "a"}, method=method, status=405)


def test_a_request_that_never_ends_is_ended(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
        slow.sendall(b"POST /tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 100\r\n\r\n{")
        assert b" 408 " in slow.recv(1000)


def test_the_clock_runs_only_until_the_head_of_a_request_has_come():
    from unittest.mock import Mock

    import uvicorn
    from uvicorn.server import ServerState

    from rnntag.adapters.web.server import Protocol

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def talk():
        config = uvicorn.Config(app, http=Protocol, lifespan="off", log_config=None)
        config.load()
        protocol = Protocol(config, ServerState(), {})
        protocol.connection_made(Mock(get_extra_info=lambda name: None, is_closing=lambda: False))
        running = [protocol._timer is not None]
        for data in (b"GET / HTTP/1.1\r\nHo", b"st: a\r\n\r\n", b"GET / HT"):
            protocol.data_received(data)
            running.append(protocol._timer is not None)
            await asyncio.sleep(0.05)
        protocol.connection_lost(None)
        return [*running, protocol._timer is not None]

    assert asyncio.run(talk()) == [True, True, False, True, False]


def test_what_is_answered_goes_out_at_once():
    """asyncio sets TCP_NODELAY on sockets that say that they are TCP; without, the end of an answer waits 40 ms."""
    from rnntag.adapters.web.server import bound

    async def talk(made):
        set_on = asyncio.get_running_loop().create_future()

        class Server(asyncio.Protocol):
            def connection_made(self, transport):
                accepted = transport.get_extra_info("socket")
                set_on.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        async with await asyncio.get_running_loop().create_server(Server, sock=made):
            _, writer = await asyncio.open_connection(*made.getsockname())
            try:
                return await set_on
            finally:
                writer.close()

    assert asyncio.run(talk(bound("127.0.0.1", 0)))


def test_nothing_malformed_brings_it_down(server):
    rng = random.Random(6)
    good = (b"POST /tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
            b'{"text": "a b"}')
    for _ in range(300):
        send(server.port, mutate_bytes(rng, good, BITS))
    server.ask("/tag", {"text": "a"})
    assert "Traceback" not in server.said() and server.said().count("\n") == 2


def send(port, data):
    """Send this, hear a little, and hang up."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.settimeout(0.05)
        try:
            connection.sendall(data)
            connection.recv(200)
        except OSError:
            pass


def test_more_requests_than_can_wait_are_told_to_come_again(folder):
    with Served(folder, "serve", "m", "--max-waiting", 2) as served:
        held = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(2)]
        for connection in held:
            connection.sendall(b"POST /tag HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               b"Content-Length: 9\r\n\r\n")
        served.until(lambda answer: True, "/health")
        assert "try again later" in served.ask("/tag", {"text": "a"}, status=503)["error"]
        for connection in held:
            connection.close()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(served.ask("/tag", {"text": "a"})))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 2


def test_a_segmenter_finds_the_words_of_plain_text(folder):
    from rnntag.cli.train_segmenter import main as train_segmenter
    words = "".join(f"{i}\t{w}" + "\t_" * 7 + f"\t{space}\n" for i, (w, space) in enumerate(
        (("the", "_"), ("dog", "SpaceAfter=No"), ("s", "_"), ("run", "SpaceAfter=No"), (".", "_")), 1))
    (folder / "s.conllu").write_text((words + "\n") * 60)
    invoke(train_segmenter, folder / "s.conllu", folder / "seg", "--hidden", "8", "--embedding", "8",
           "--epochs", "20", "--learning-rate", "0.02", "-q")
    with Served(folder, "serve", "m", "--segmenter", "seg") as served:
        (sentence,) = served.ask("/tag", {"text": "the dogs run."})["sentences"]
        assert sentence["tokens"] == ["the", "dog", "s", "run", "."] and len(sentence["tags"]) == 5


def test_a_token_is_asked_for_where_others_can_reach_it(folder):
    with Served(folder, "serve", "m", "--host", "0.0.0.0") as served:
        token = served.url.partition("#token=")[2]
        assert len(token) >= 32
        served.ask("/")  # the page itself says nothing
        for path in ("/info", "/openapi.json"):
            served.ask(path, status=401)
        served.ask("/tag", {"text": "a"}, status=401)
        served.ask("/tag", {"text": "a"}, headers={"Authorization": f"Bearer {token[:-1]}"}, status=401)
        served.ask("/tag", {"text": "a"}, headers={"Authorization": f"Bearer {token}"})


def test_a_token_can_be_given(folder):
    with Served(folder, "serve", "m", "--token", "abcdefgh12", "--name", "Tagger.Example") as served:
        served.ask("/info", headers={"Authorization": "Bearer abcdefgh12", "Host": "tagger.example"})
        served.ask("/info", headers={"Authorization": "Basic abcdefgh12"}, status=401)
        assert served.end() == 0 and "Traceback" not in served.said()


def test_mistakes_on_the_command_line(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert failure(main, "nothing", "--port", 0).startswith("nothing: ")
    assert "too short" in failure(main, "m", "--token", "abc", "--port", 0, status=2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot listen there" in failure(main, "m", "--port", taken.getsockname()[1])


@pytest.mark.parametrize("text, expected", [
    ("I read. You don't!", ["I read .", "You don't !"]), ("a b\nc", ["a b", "c"]), ("", []), (" \n ", []),
    ("He paid $3.50 (at 9 a.m. today) ...", ["He paid $ 3.50 ( at 9 a.m . today ) ..."]),
    ("\u00abOui\u00bb, dit-il", ["\u00ab Oui \u00bb , dit-il"]), ("?!", ["? !"])])
def test_plain_text_is_split_by_simple_rules(text, expected):
    assert [" ".join(words) for words in split(text)] == expected
