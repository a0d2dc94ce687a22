"""How fast ``rnntag serve`` answers, and whether malformed requests bring it or ``rnntag annotate`` down.

    python scripts/stress.py latency MODEL TEXT --clients 8
    python scripts/stress.py malformed MODEL CORPUS --requests 100000

``latency`` sends sentences of TEXT one by one from several clients, each over a connection of its own, and tags them
once more by plain calls in one process. ``malformed`` sends changed, cut and repeated requests to both servers: there
may be no traceback, no changed byte of CORPUS, and a right answer at the end.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "test")]

import rnntag.cli  # noqa: E402, F401 - sets the number of BLAS threads before numpy is imported

import click  # noqa: E402
import numpy as np  # noqa: E402
from mutating import mutate_bytes  # noqa: E402

from rnntag.cli.common import Command  # noqa: E402
from rnntag.corpus import read  # noqa: E402
from rnntag.storage.modelfile import load  # noqa: E402

BODIES = [b'{"text": "a b"}', b'{"sentences": [["a", "b"], []], "best": 3}', b'{"number": 0, "token": 1}',
          b'{"number": 0, "version": 0, "values": {"": ["X", "Y"]}}', b'{"number": -1, "order": "doubt"}']
PATHS = [b"/tag", b"/api/accept", b"/api/sentence", b"/api/examples", b"/api/next", b"/api/status", b"/info", b"/"]
PIECES = [b"\r\n", b"\0", b"{" * 2_000, b"\xff\xfe", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 99999\r\n",
          b"9" * 5_000, b'"\\ud800"', b"Host: evil.example\r\n", b"../" * 20, b"\r\n\r\n", b"null", b"NaN", b"1e999"]


@click.group()
def main() -> None:
    """Measure the servers."""


@contextmanager
def served(*arguments: object) -> Iterator[tuple[int, Path]]:
    """A command that serves at a free port: the port, and the file of its messages."""
    with tempfile.NamedTemporaryFile("w+b", suffix=".log") as log:
        process = subprocess.Popen([sys.executable, "-m", "rnntag", *map(str, arguments), "--port", "0"], cwd=ROOT,
                                   stdout=log, stderr=log)
        try:
            path = Path(log.name)
            while not (found := re.search(r"http://[\d.]+:(\d+)/", path.read_text("utf-8"))):
                if process.poll() is not None:
                    raise click.ClickException(path.read_text("utf-8"))
                time.sleep(0.1)
            yield int(found[1]), path
        finally:
            process.kill()
            process.wait()


@main.command(cls=Command)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("text")
@click.option("--clients", type=click.IntRange(1), default=8, show_default=True)
@click.option("--requests", type=click.IntRange(1), default=4_000, show_default=True, help="Of all clients together.")
def latency(model: Path, text: str, clients: int, requests: int) -> None:
    """Show how long POST /tag takes, beside a plain call."""
    sentences = [sentence.words for sentence in read(text, want="words") if sentence.words][:1_000]
    times: list[float] = []
    with served("serve", model.resolve()) as (port, _):
        began = time.perf_counter()
        threads = [threading.Thread(target=ask, args=(port, sentences[k::clients], requests // clients, times))
                   for k in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
    tagger, plain = load(model), []
    for k in range(requests):
        began = time.perf_counter()
        list(tagger.tag([sentences[k % len(sentences)]]))
        plain.append(time.perf_counter() - began)
    for name, values in ((f"POST /tag, {clients} clients", times), ("plain call", plain)):
        p50, p99 = np.quantile(values, [0.5, 0.99])
        click.echo(f"{name}: p50 {1000 * p50:.2f} ms, p99 {1000 * p99:.2f} ms")
    click.echo(f"{len(times) / seconds:,.0f} requests/s, {1 / np.mean(plain):,.0f} plain calls/s")


def ask(port: int, sentences: list[list[str]], count: int, times: list[float]) -> None:
    """A client: one request after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for k in range(count):
        body = json.dumps({"tokens": sentences[k % len(sentences)]})
        began = time.perf_counter()
        connection.request("POST", "/tag", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - began)
        assert answer.status == 200, answer.status


@main.command(cls=Command)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--requests", type=click.IntRange(1), default=2_000, show_default=True, help="To both together.")
@click.option("--seed", type=int, default=1, show_default=True)
def malformed(model: Path, corpus: Path, requests: int, seed: int) -> None:
    """Send malformed requests, and see that nothing happens."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / corpus.name
        shutil.copy(corpus, copy)
        before = copy.read_bytes()
        statuses: dict[str, int] = {}
        for arguments in (("serve", model.resolve()), ("annotate", copy, "--model", model.resolve())):
            with served(*arguments) as (port, log):
                for _ in range(requests // 2):
                    status = sent(port, request(rng))
                    statuses[status] = statuses.get(status, 0) + 1
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("GET", "/health")
                right = connection.getresponse().status == 200
                said = log.read_text("utf-8", "replace")
                click.echo(f"{arguments[0]}: {requests // 2:,} requests, "
                           f"{said.count('Traceback')} tracebacks, {said.count('Error')} other errors, "
                           f"{'answers still' if right else 'DEAD'}")
        click.echo(f"corpus: {'every byte as it was' if copy.read_bytes() == before else 'CHANGED'}")
        click.echo(", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items())))


def request(rng: random.Random) -> bytes:
    """A request with something wrong in it, mostly."""
    body, path = rng.choice(BODIES), rng.choice(PATHS)
    if rng.random() < 0.5:  # only the body is changed, and the length fits
        body = mutate_bytes(rng, body, PIECES)
        return b"POST " + head(path, len(body)) + body
    method = rng.choice([b"POST ", b"POST ", b"GET ", b"PUT "])
    return mutate_bytes(rng, method + head(path, len(body)) + body, PIECES)


def head(path: bytes, length: int) -> bytes:
    """What follows the method of a request, up to its body."""
    return path + (b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n" % length)


def sent(port: int, data: bytes) -> str:
    """Send this, and hang up; the status of the answer, if there was one at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.settimeout(0.02)
        answer: Any = b""
        try:
            connection.sendall(data)
            answer = connection.recv(200)
        except OSError:
            pass
        found = re.match(rb"HTTP/1.1 (\d+)", answer)
        return found[1].decode() if found else "none"


if __name__ == "__main__":
    main()
