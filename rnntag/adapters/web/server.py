"""A socket, uvicorn, and the end: everything that is served goes through here."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Collection
from importlib.resources import files
from typing import Any

from ...errors import OptionError, RnntagError

try:
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError:
    raise OptionError("starlette and uvicorn are not installed", "the server needs them",
                      "Install them with pip install 'rnntag[web]'.", "serve") from None

LOCAL = ("127.0.0.1", "::1", "localhost")
KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
HEAD_SECONDS = 10.0  # for the first line and the headers of a request to arrive
CONNECTIONS = 200


class Protocol(H11Protocol):
    """uvicorn's, with a bound on the time in which a request must begin to be answered: it has none for headers. And
    a request that is followed by nonsense is hung up on, where uvicorn would answer twice."""

    _timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Start the clock with the first byte of a request."""
        if self._timer is None and not self._answering():
            self._timer = self.loop.call_later(HEAD_SECONDS, self._expire)
        super().data_received(data)
        if self._answering():  # its head has come
            self._stop()

    def connection_made(self, transport: Any) -> None:
        """Start the clock: who connects has something to say."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_SECONDS, self._expire)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        if self._answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expire(self) -> None:
        self._timer = None
        if not self._answering() and self.transport is not None and not self.transport.is_closing():
            self.transport.close()


def page_routes(pages: dict[str, str]) -> tuple[list[Route], set[str]]:
    """Routes for some of ``pages``, path to file name, read once; and their paths. No part of a request's path
    becomes part of a file's."""
    routes, folder = [], files(__package__) / "pages"
    for path, name in pages.items():
        content, kind = (folder / name).read_bytes(), KINDS[name.rpartition(".")[2]]
        routes.append(Route(path, _page(content, kind), methods=["GET"]))
    return routes, set(pages)


def _page(content: bytes, kind: str) -> Callable[[Request], Any]:
    async def page(request: Request) -> Response:
        return Response(content, media_type=kind)
    return page


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0: any that is free. Raises RnntagError when it cannot."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so asyncio sets TCP_NODELAY
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(128)
    except (OSError, OverflowError) as error:
        raise RnntagError(f"cannot listen there: {getattr(error, 'strerror', None) or error}".lower(), hint="Is "
                          "another server there? Try another --port.", place=f"{host}:{port}") from None
    return made


def is_local(host: str) -> bool:
    """Can only this machine reach it?"""
    return host in LOCAL


def chosen_token(host: str, given: str | None) -> str | None:
    """The token to ask for: the one given, or a new one where other machines can reach the server."""
    if given is not None:
        if len(given) < 8 or not given.isascii() or not given.isprintable() or " " in given:
            raise OptionError("a token that is too short or odd", "it has at least 8 visible ASCII characters",
                              place="--token")
        return given
    return None if is_local(host) else secrets.token_urlsafe(24)


def host_names(host: str, more: Collection[str]) -> set[str]:
    """The names that requests may have in Host."""
    return {"localhost", host.lower(), *(name.lower() for name in more), *(
        () if is_local(host) else (socket.gethostname().lower(), socket.getfqdn().lower()))}


def address(made: socket.socket, token: str | None) -> str:
    """Where a browser finds the page; the token is in the fragment, which browsers keep to themselves."""
    host, port = made.getsockname()[:2]
    host = "127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/" + (f"#token={token}" if token else "")


def run(app: Any, made: socket.socket) -> None:
    """Serve until a signal comes."""
    config = uvicorn.Config(app, http=Protocol, ws="none", lifespan="off", loop="asyncio", log_config=None,
                            log_level="error", access_log=False, server_header=False, date_header=False,
                            proxy_headers=False, limit_concurrency=CONNECTIONS,
                            timeout_keep_alive=15, timeout_graceful_shutdown=3, h11_max_incomplete_event_size=32_768)
    uvicorn.Server(config).run(sockets=[made])
