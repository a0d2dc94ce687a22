"""What the annotation page asks for: sentences, examples, progress; and what it sends: accepted sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ...analysis.annotation import Annotation, StaleError
from ...corpus.document import ChangedError
from ...errors import RnntagError
from .guard import Refused
from .learning import Learner
from .tagging import health, parsed, strings

ORDERS = ("file", "doubt")
CONFLICT = 409


class Editor:
    """An annotation that is answered for over HTTP; every question and every command is a POST of JSON, or a GET."""

    def __init__(self, annotation: Annotation, learner: Learner):
        self.annotation, self.learner = annotation, learner
        self.commands: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "/api/sentence": self.sentence, "/api/examples": self.examples, "/api/next": self.next,
            "/api/accept": self.accept, "/api/undo": self.undo, "/api/reload": self.reload,
            "/api/retrain": self.retrain}

    def routes(self) -> list[Route]:
        """The paths that it answers."""
        return [Route("/api/document", self.document, methods=["GET"]),
                Route("/api/status", self.asked_status, methods=["GET"]), Route("/health", health, methods=["GET"]),
                *(Route(path, _command(command), methods=["POST"]) for path, command in self.commands.items())]

    async def document(self, request: Request) -> JSONResponse:
        """The corpus as a whole."""
        return JSONResponse(await asyncio.to_thread(lambda: {**self.annotation.overview(), **self.status()}))

    async def asked_status(self, request: Request) -> JSONResponse:
        """How far one is, and what the learner does."""
        return JSONResponse(await asyncio.to_thread(self.status))

    def status(self) -> dict[str, Any]:
        """The same as a value."""
        return {**self.annotation.progress(), "learner": self.learner.state, "learns": self.learner.learns,
                "problem": self.learner.error, "changed_on_disk": self.annotation.document.has_changed()}

    def sentence(self, body: dict[str, Any]) -> dict[str, Any]:
        """A sentence."""
        return self.annotation.sentence(_number(body, "number"))

    def examples(self, body: dict[str, Any]) -> dict[str, Any]:
        """Other places of a word."""
        return {"examples": self.annotation.examples(_number(body, "number"), _number(body, "token"))}

    def next(self, body: dict[str, Any]) -> dict[str, Any]:
        """The sentence to do next."""
        if body.get("order") not in ORDERS:
            raise Refused(400, f'"order" is not one of {", ".join(ORDERS)}')
        return {"number": self.annotation.next(_number(body, "number", -1), body["order"])}

    def accept(self, body: dict[str, Any]) -> dict[str, Any]:
        """Save a sentence as done."""
        values = body.get("values")
        if not isinstance(values, dict):
            raise Refused(400, '"values" is not an object with a list of values for each column')
        checked = {field: strings(row, '"values"') for field, row in values.items()}
        number = _number(body, "number")
        changed = self.annotation.accept(number, _number(body, "version"), checked)
        self.learner.accepted()
        return {"changed": changed, "sentence": self.annotation.sentence(number), "status": self.status()}

    def undo(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take the last one back."""
        return {"number": self.annotation.undo(), "status": self.status()}

    def reload(self, body: dict[str, Any]) -> dict[str, Any]:
        """Read the file again."""
        self.annotation.reload()
        return self.status()

    def retrain(self, body: dict[str, Any]) -> dict[str, Any]:
        """Train now."""
        if not self.learner.again():
            raise Refused(400, "the model's training corpus is not here; give it with --train")
        return self.status()


def _command(do: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
    async def command(request: Request) -> JSONResponse:
        body = await parsed(request)
        try:
            return JSONResponse(await asyncio.to_thread(do, body))
        except (ChangedError, StaleError) as error:
            kind = "changed" if isinstance(error, ChangedError) else "stale"
            return JSONResponse({"error": str(error), "kind": kind}, CONFLICT)
        except RnntagError as error:
            raise Refused(400, str(error)) from None
    return command


def _number(body: dict[str, Any], key: str, least: int = 0) -> int:
    value = body.get(key)
    if type(value) is not int or not least <= value < 1 << 31:
        raise Refused(400, f'"{key}" is not a whole number from {least}')
    return value
