"""What stands between the network and the handlers: who may ask, how much, how long, how many at a time.

A page of another site that the user visits can send requests to this machine, too, and can make its own name mean
127.0.0.1 (DNS rebinding). Hence the name in Host must be one of ours or a number, Origin must be the page's own, and
what changes something must be JSON, which no form of another site can send without asking first.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import sys
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse

from ...errors import RnntagError

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

HEADERS = [(b"content-security-policy", b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
           (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"),
           (b"cross-origin-resource-policy", b"same-origin"), (b"cache-control", b"no-store")]


@dataclass(frozen=True)
class Limits:
    """What one request may take, and all of them together.

    body       bytes of a request
    tokens     to tag in one request
    seconds    for a request to arrive, and again for its answer
    waiting    requests that are being answered or wait for it
    """

    body: int = 1_000_000
    tokens: int = 20_000
    seconds: float = 30.0
    waiting: int = 32


class Refused(Exception):
    """A request that is answered with this status and message."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Guard:
    """An ASGI application around another.

    names   host names that may stand in Host; numbers (IP addresses) always may
    token   what every request must bring, but those for ``open_paths``; None: nothing
    """

    app: App
    names: Collection[str]
    token: str | None = None
    limits: Limits = Limits()
    open_paths: Collection[str] = ()
    _busy: int = field(default=0, init=False)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        began = False

        async def sending(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        try:
            await self._answer(scope, receive, sending)
        except Exception as error:  # whatever a request brings, the server goes on and shows no traceback
            status, text = told(error)
            if not began:
                await JSONResponse({"error": text}, status)(scope, receive, sending)

    async def _answer(self, scope: Message, receive: Any, send: Any) -> None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        self.check(scope["method"], scope["path"], headers)
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        if self._busy >= self.limits.waiting:
            raise Refused(503, "too many requests at a time; try again later")
        self._busy += 1
        try:
            try:
                body = await asyncio.wait_for(self._body(headers, receive), self.limits.seconds)
            except (asyncio.TimeoutError, TimeoutError):
                raise Refused(408, f"the request took longer than {self.limits.seconds:g} s to arrive") from None

            async def whole() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}
            await asyncio.wait_for(self.app(scope, whole, send), 2 * self.limits.seconds)
        except (asyncio.TimeoutError, TimeoutError):
            raise Refused(503, "the answer took too long") from None
        finally:
            self._busy -= 1

    def check(self, method: str, path: str, headers: dict[bytes, list[bytes]]) -> None:
        """Raise Refused for a request that may not be answered."""
        host = self._one(headers, b"host")
        if not self._ours(host):
            raise Refused(421, "Host is no name of this server; start it with --name to allow one")
        if b"origin" in headers and self._one(headers, b"origin") not in (f"http://{host}", f"https://{host}"):
            raise Refused(403, "Origin is another site")
        if method not in ("GET", "HEAD", "POST"):
            raise Refused(405, "only GET, HEAD and POST are answered")
        if method == "POST":
            kind = self._one(headers, b"content-type").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise Refused(415, "Content-Type is not application/json")
        if self.token is not None and path not in self.open_paths:
            scheme, _, given = self._one(headers, b"authorization").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self.token.encode()):
                raise Refused(401, "the token is missing or wrong: Authorization: Bearer TOKEN")

    def _one(self, headers: dict[bytes, list[bytes]], name: bytes) -> str:
        """The value of a header, "" where there is none. Raises Refused for several."""
        values = headers.get(name, [b""])
        if len(values) > 1:
            raise Refused(400, f"{name.decode()} stands twice")
        return values[0].decode("latin-1")

    def _ours(self, host: str) -> bool:
        """Is this a name of the server, with a port or without?"""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        if name.lower() in self.names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    async def _body(self, headers: dict[bytes, list[bytes]], receive: Any) -> bytes:
        """The body of a request, read no further than it may go."""
        declared = self._one(headers, b"content-length")
        if declared.isdigit() and len(declared) < 19 and int(declared) > self.limits.body:
            raise Refused(413, f"more than {self.limits.body:,} bytes")
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the connection was closed")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.limits.body:
                raise Refused(413, f"more than {self.limits.body:,} bytes")
            if not message.get("more_body"):
                return b"".join(parts)


def told(error: Exception) -> tuple[int, str]:
    """Status and message for an exception: what a request did wrong is said to it; what is wrong here is said in one
    line on standard error."""
    if isinstance(error, Refused):
        return error.status, error.message
    if isinstance(error, RnntagError):
        return 400, str(error)
    print(f"Error: {type(error).__name__}: {error}"[:300].replace("\n", " "), file=sys.stderr)
    return 500, "a fault of the server; its messages say more"
