"""A server of the commands in a process of its own, for tests: started, asked, ended."""

import http.client
import json
import re
import signal
import subprocess
import sys
import time

import pytest
from conftest import ENVIRONMENT

pytest.importorskip("starlette", reason="the extra web is not installed")
pytest.importorskip("uvicorn", reason="the extra web is not installed")
JSON = {"Content-Type": "application/json"}


class Served:
    """``rnntag COMMAND ARGUMENTS`` at a free port, in ``folder``."""

    def __init__(self, folder, command, *arguments, environment=ENVIRONMENT):
        self.log = folder / "server.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rnntag", command, *map(str, arguments), "--port", "0"], stderr=log,
                stdout=log, cwd=folder, env=environment)
        deadline = time.monotonic() + 60
        while not (found := re.search(r"(http://[\d.]+:(\d+)/\S*)", self.said())):
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        self.url, self.port = found[1], int(found[2])

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.process.kill()
        self.process.wait()

    def said(self):
        """What the server has written so far."""
        return self.log.read_text("utf-8")

    def ask(self, path, body=None, method=None, headers=(), status=200):
        """The JSON answer to a GET, or to a POST of a body; a str goes as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        connection.request(method or ("GET" if body is None else "POST"), path, data, {**JSON, **dict(headers)})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == status, (answer.status, content)
        self.headers = dict(answer.getheaders())
        connection.close()
        return json.loads(content) if self.headers["content-type"] == "application/json" else content.decode()

    def until(self, what, path="/api/status", seconds=60):
        """The first answer for which ``what`` holds."""
        deadline = time.monotonic() + seconds
        while not what(found := self.ask(path)):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found

    def end(self, number=signal.SIGINT):
        """Tell the server to end; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)
