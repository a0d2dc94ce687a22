"""``POST /tag`` and what goes with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ... import __version__
from ...corpus import FORMATS, MAX_SENTENCE_TOKENS, Sentence
from ...corpus.tokenisation import split
from ...errors import quote
from .guard import Limits, Refused

MOST_BEST = 50
THREADS = 2  # that tag at the same time: a long request does not hold up all short ones


class Service:
    """A tagger that answers requests.

    name        of the model, for people
    segmenter   finds the sentences and words of plain text; None: simple rules do
    """

    def __init__(self, tagger: Any, name: str, limits: Limits = Limits(), segmenter: Any = None):
        self.tagger, self.name, self.limits, self.segmenter = tagger, name, limits, segmenter
        self._threads = ThreadPoolExecutor(THREADS, "tagging")
        fields = [field for field in tagger.fields if field]
        self._writer = FORMATS["jsonl"](fields=fields if len(fields) > 1 else None)

    def routes(self) -> list[Route]:
        """The paths that it answers."""
        return [Route("/tag", self.tag, methods=["POST"]), Route("/info", self.info, methods=["GET"]),
                Route("/health", health, methods=["GET"]), Route("/openapi.json", self.openapi, methods=["GET"])]

    async def tag(self, request: Request) -> JSONResponse:
        """Tag what the request has."""
        body = await parsed(request)
        loop = asyncio.get_running_loop()
        sentences = await loop.run_in_executor(self._threads, self.sentences, body)
        best, fields = body.get("best", 0), body.get("fields")
        if type(best) is not int or not 0 <= best <= MOST_BEST:
            raise Refused(400, f'"best" is not a whole number from 0 to {MOST_BEST}')
        if fields is not None:
            strings(fields, '"fields"')
        answer = await loop.run_in_executor(self._threads, self.answer, sentences, fields, best)
        return JSONResponse({"sentences": answer})

    def answer(self, sentences: Sequence[list[str]], fields: Sequence[str] | None, best: int) -> list[Any]:
        """The sentences tagged, as the objects that jsonl has."""
        return [json.loads(self._writer.write(sentence))
                for sentence in self.tagger.annotate(map(Sentence, sentences), fields, best)]

    def sentences(self, body: dict[str, Any]) -> list[list[str]]:
        """The sentences of a request: its text, split, or its tokens. Raises Refused for anything else."""
        known = {"text", "tokens", "sentences", "best", "fields"}
        if odd := sorted(body.keys() - known):
            raise Refused(400, f"{quote(odd[0])} is not known; a request has {', '.join(sorted(known))}")
        given = [key for key in ("text", "tokens", "sentences") if key in body]
        if len(given) != 1:
            raise Refused(400, 'a request has one of "text", "tokens" and "sentences"')
        value = body[given[0]]
        if given[0] == "text":
            text = strings([value], '"text"')[0]
            found = [s.words for s in self.segmenter.read(iter([text]))] if self.segmenter else split(text)
        elif given[0] == "tokens":
            found = [strings(value, '"tokens"')]
        elif isinstance(value, list):
            found = [strings(each, '"sentences"') for each in value]
        else:
            raise Refused(400, '"sentences" is not a list')
        if any("" in words for words in found):
            raise Refused(400, "an empty token")
        if sum(map(len, found)) + len(found) > min(self.limits.tokens, MAX_SENTENCE_TOKENS):
            raise Refused(413, f"more than {self.limits.tokens:,} tokens and sentences")
        return found

    async def info(self, request: Request) -> JSONResponse:
        """What the model is, and what may be asked of it."""
        tagger = self.tagger
        vocab = getattr(tagger, "tags", None)
        return JSONResponse({"version": __version__, "model": self.name, "kind": tagger.kind,
                             "fields": list(tagger.fields), "words": len(tagger.words) - 1,
                             "tags": vocab.strings[1:] if vocab is not None else [],
                             "limits": {"bytes": self.limits.body, "tokens": self.limits.tokens,
                                        "seconds": self.limits.seconds}})

    async def openapi(self, request: Request) -> JSONResponse:
        """The description of all this for programs."""
        return JSONResponse(description(self.limits))


async def health(request: Request) -> JSONResponse:
    """Is the server there?"""
    return JSONResponse({"status": "ok"})


async def parsed(request: Request) -> dict[str, Any]:
    """The JSON object that a request has as its body. Raises Refused for anything else."""
    try:
        body = json.loads((await request.body()).decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"not JSON in UTF-8 ({str(error)[:80]})") from None
    if not isinstance(body, dict):
        raise Refused(400, "not a JSON object")
    return body


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def strings(value: Any, what: str) -> list[str]:
    """A list of strings. Raises Refused for anything else, and for half characters."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused(400, f"{what} is not text, as it should be")
    try:
        "".join(value).encode()
    except UnicodeEncodeError:
        raise Refused(400, f"{what} has half a character (a lone surrogate)") from None
    return value


def description(limits: Limits) -> dict[str, Any]:
    """The OpenAPI description of what ``Service`` answers."""
    def answer(text: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {"description": text, "content": {"application/json": {"schema": schema}}}

    strings = {"type": "array", "items": {"type": "string"}}
    error = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    refusals = {code: answer(text, error) for code, text in (
        ("400", "The request is not as described"), ("401", "The token is missing or wrong"),
        ("403", "Another site asks"), ("408", "The request took too long"),
        ("413", f"More than {limits.body:,} bytes or {limits.tokens:,} tokens"), ("415", "The body is not JSON"),
        ("503", "Too many requests at a time"))}
    question = {"type": "object", "additionalProperties": False, "properties": {
        "text": {"type": "string", "description": "Plain text: split into sentences and words by the model's "
                 "segmenter, or by simple rules"},
        "tokens": {**strings, "description": "The words of one sentence"},
        "sentences": {"type": "array", "items": strings, "description": "The words of several"},
        "best": {"type": "integer", "minimum": 0, "maximum": MOST_BEST, "default": 0,
                 "description": "So many tags of each word, with probabilities"},
        "fields": {**strings, "description": "Which columns (default: all that the model has)"}},
        "oneOf": [{"required": [key]} for key in ("text", "tokens", "sentences")]}
    pairs = {"type": "array", "items": {"type": "array", "items": {"type": "array"}}}
    tagged = {"type": "object", "required": ["tokens"], "description": "A line of jsonl; columns with names stand "
              "under them, and their probabilities one level deeper", "properties": {
                  "tokens": strings, "tags": strings, "n_best": pairs,
                  "probabilities": {"type": "array", "items": {"type": "number"}}}}
    anything: dict[str, Any] = {"type": "object"}
    paths = {
        "/tag": {"post": {"summary": "Tag text", "operationId": "tag", "requestBody": {
            "required": True, "content": {"application/json": {"schema": question}}}, "responses": {
                "200": answer("The sentences with their tags", {"type": "object", "properties": {
                    "sentences": {"type": "array", "items": tagged}}}), **refusals}}},
        "/info": {"get": {"summary": "The model and the limits", "operationId": "info",
                          "responses": {"200": answer("About the model", anything)}}},
        "/health": {"get": {"summary": "Is the server there?", "operationId": "health",
                            "responses": {"200": answer("It is", anything)}}}}
    return {"openapi": "3.1.0", "info": {"title": "rnntag", "version": __version__}, "paths": paths,
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
            "security": [{}, {"token": []}]}


def in_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    """A blocking function as one to wait for."""
    async def call(*arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)
    return call
