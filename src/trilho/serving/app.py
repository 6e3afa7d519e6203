"""The routes, and which error is which HTTP status. A raw ASGI application: no framework on the way to the model."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import msgspec

from trilho.bundle import Predictions
from trilho.errors import CannotPredict, TrilhoError
from trilho.journal import Answered, Journal
from trilho.serving.payload import READERS, Columns, write_json
from trilho.serving.slot import Served, Slot

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_BYTES = 64 << 20  # larger bodies are refused
INLINE_BYTES = 64 << 10  # a compiled model answers a body up to this size faster than a thread could be woken

STATUSES: Mapping[type[TrilhoError], tuple[int, str]] = {
    CannotPredict: (400, "INVALID_PARAMETER_VALUE"),
}
_REFUSALS = {
    404: "ENDPOINT_NOT_FOUND",
    405: "BAD_REQUEST",
    413: "REQUEST_LIMIT_EXCEEDED",
    415: "BAD_REQUEST",
    500: "INTERNAL_ERROR",
}

_log = logging.getLogger("trilho.serving")


@dataclass(frozen=True, kw_only=True)
class Response:
    """`headers` come on top of content type, length and model version. `answered` is what the journal gets."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    answered: Answered | None = field(default=None, repr=False)


class App:
    """Answers MLflow's scoring protocol with the model in the slot.

    Args:
        journal: Gets what was answered; None keeps nothing.
        share: Of the requests that the journal gets.
        body_bytes: Larger bodies are refused with 413.
    """

    def __init__(
        self, slot: Slot, journal: Journal | None = None, *, share: float = 1.0, body_bytes: int = BODY_BYTES
    ) -> None:
        self.slot = slot
        self.journal = journal
        self.share = share
        self.body_bytes = body_bytes
        self._mlflow = version("mlflow").encode()
        self._routes: Mapping[str, tuple[bytes, Callable[[Message, Receive, Served], Awaitable[Response | None]]]] = {
            "/ping": (b"GET", self._ping),
            "/health": (b"GET", self._health),
            "/version": (b"GET", self._version),
            "/invocations": (b"POST", self._invocations),
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"trilho serves http, not {scope['type']}")
        served = self.slot.served  # this request's model, whatever is swapped in meanwhile
        try:
            response = await self._respond(scope, receive, served)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            response = refusal(500, "The server failed; its log says why.")
        if response is None:
            return  # the client is gone
        headers = [
            (b"content-type", response.content_type),
            (b"content-length", str(len(response.body)).encode()),
            (b"x-model-version", served.version.encode()),
            *response.headers,
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})
        if response.answered is not None and self.journal is not None:
            self.journal.append(response.answered)

    async def _respond(self, scope: Message, receive: Receive, served: Served) -> Response | None:
        route = self._routes.get(scope["path"])
        if route is None:
            return refusal(404, f"There is no {scope['path'][:200]}. There are: {', '.join(self._routes)}.")
        method, handler = route
        asked = scope["method"]
        if asked != method.decode() and not (asked == "HEAD" and method == b"GET"):
            return refusal(405, f"{scope['path']} takes {method.decode()}.", headers=((b"allow", method),))
        return await handler(scope, receive, served)

    async def _ping(self, _scope: Message, _receive: Receive, _served: Served) -> Response:
        return Response(status=200, body=b"\n")

    async def _health(self, _scope: Message, _receive: Receive, served: Served) -> Response:
        state = self.journal.state if self.journal is not None else None
        facts = {
            "status": "ok",
            "model": served.name,
            "version": served.version,
            "runtime": served.predictor.runtime,
            "since": served.since,
            "journal": vars(state) if state is not None else None,
        }
        return Response(status=200, body=msgspec.json.encode(facts))

    async def _version(self, _scope: Message, _receive: Receive, _served: Served) -> Response:
        return Response(status=200, body=self._mlflow)

    async def _invocations(self, scope: Message, receive: Receive, served: Served) -> Response | None:
        headers = dict(scope["headers"])
        kind, problem = media_type(headers.get(b"content-type", b"").decode("latin-1"))
        if problem:
            return refusal(415, problem)
        if int(headers.get(b"content-length", b"0")) > self.body_bytes:
            return self._too_large()
        body = await whole_body(receive, self.body_bytes)
        if body is None:
            return None
        if len(body) > self.body_bytes:
            return self._too_large()
        if served.predictor.runtime == "onnx" and len(body) <= INLINE_BYTES:
            return self._answer(kind, body, served)
        return await asyncio.to_thread(self._answer, kind, body, served)

    def _answer(self, kind: str, body: bytes, served: Served) -> Response:
        began = time.perf_counter()
        try:
            columns = READERS[kind](body, served.predictor.schema)
            predictions = served.predictor.predict(columns)
        except TrilhoError as error:
            return failure(error)
        request = secrets.token_hex(8)
        return Response(
            status=200,
            body=write_json(predictions),
            headers=((b"x-prediction-id", request.encode()),),
            answered=self._record(served, request, columns, predictions, time.perf_counter() - began),
        )

    def _record(
        self, served: Served, request: str, columns: Columns, predictions: Predictions, latency: float
    ) -> Answered | None:
        if self.journal is None or (self.share < 1 and random.random() >= self.share):
            return None
        images = {field.name for field in served.predictor.schema.fields if field.kind == "image"}
        return Answered(
            request=request,
            time=time.time(),
            model=served.name,
            version=served.version,
            latency=latency,
            columns={name: values for name, values in columns.items() if name not in images},
            labels=predictions.labels,
            probabilities=predictions.probabilities,
        )

    def _too_large(self) -> Response:
        return refusal(413, f"The body is larger than {self.body_bytes} bytes. Send fewer rows at once.")


def media_type(header: str) -> tuple[str, str]:
    """The media type of a body, and what is wrong with it ("" if we read it)."""
    kind, *parameters = (part.strip() for part in header.split(";"))
    given = {
        name.strip().lower(): value.strip(' "').lower() for name, _, value in (p.partition("=") for p in parameters)
    }
    if given.pop("charset", "utf-8") not in ("utf-8", "utf8"):
        return kind, "The body must be UTF-8."
    if given:
        return kind, f"Unknown parameters of the content type: {', '.join(given)}."
    if kind.lower() not in READERS:
        return kind, f"The body must be {' or '.join(READERS)}, not '{kind[:100]}'. Set the header Content-Type."
    return kind.lower(), ""


async def whole_body(receive: Receive, most: int) -> bytes | None:
    """The body; as soon as it is longer than `most`, what came so far. None if the client is gone."""
    message = await receive()
    parts = [message.get("body", b"")]
    size = len(parts[0])
    while message.get("more_body") and size <= most:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    return None if message["type"] == "http.disconnect" else b"".join(parts)


def refusal(status: int, message: str, *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Response:
    """An answer to a request that no model has seen, in MLflow's form."""
    body = msgspec.json.encode({"error_code": _REFUSALS[status], "message": message})
    return Response(status=status, body=body, headers=headers)


def failure(error: TrilhoError) -> Response:
    """One of our errors in MLflow's form; `details` say where, and what to do."""
    status, code = STATUSES.get(type(error), (500, _REFUSALS[500]))
    details = {"column": getattr(error, "column", None), "row": getattr(error, "row", None), "remedy": error.remedy}
    message = "\n".join(part for part in (error.what, error.why) if part)
    body = msgspec.json.encode({"error_code": code, "message": message, "details": details})
    return Response(status=status, body=body)
