"""POST /invocations: MLflow's scoring protocol."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec
import numpy as np

from trilho.errors import TrilhoError
from trilho.journal import Features
from trilho.serving.asking import Answer, Desk
from trilho.serving.bodies import Request, media_type, whole_body
from trilho.serving.payload import READERS
from trilho.serving.responses import Response, failure, refusal
from trilho.serving.slot import Served

_EXPRESS = "application/json"
_encoded = msgspec.json.Encoder().encode
_INLINE_BYTES = 64 << 10  # a body up to this size is read faster than a thread could be woken


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one request; beyond them it is refused with 413."""

    body_bytes: int = 64 << 20
    rows: int = 100_000


class Invocations:
    """Answers bodies of every type that MLflow's server takes."""

    def __init__(self, desk: Desk, limits: Limits) -> None:
        self._desk = desk
        self._limits = limits

    async def __call__(self, request: Request) -> Response | None:
        served = request.served
        if served is None:
            return refusal(503, "No model is in charge yet.")
        kind, problem = media_type(request.headers.get(b"content-type", b""))
        if problem:
            return refusal(415, problem)
        limits = self._limits
        body = await whole_body(request, limits.body_bytes)
        if body is None or isinstance(body, Response):
            return body
        try:
            short = self._short(kind, body, served)
            answer = None if short is None else self._desk.ask_coded(*short, served)
            if answer is None:
                answer = await self._asked(kind, body, served, short)
        except TrilhoError as error:
            return failure(error)
        if answer is None:
            return refusal(413, f"The body has more than {limits.rows} rows. Send fewer at once.")
        named = ((b"x-prediction-id", answer.id.encode()),)
        return Response(status=200, body=_encoded({"predictions": answer.values}), headers=named)

    def _short(self, kind: str, body: bytes, served: Served) -> tuple[np.ndarray, Features] | None:
        """The rows, where they can be read by the short way; else None."""
        express = served.express
        if express is None or kind != _EXPRESS or len(body) > _INLINE_BYTES:
            return None
        found = express.read(body)
        return None if found is None or len(found[0]) > self._limits.rows else found

    async def _asked(
        self, kind: str, body: bytes, served: Served, short: tuple[np.ndarray, Features] | None
    ) -> Answer | None:
        """The answer to what cannot be answered at once; None for too many rows."""
        if short is not None and served.predictor.runtime == "native":
            matrix, features = short
            return await self._desk.ask(matrix, served, features)
        read, schema = READERS[kind], served.predictor.schema
        small = len(body) <= _INLINE_BYTES
        columns = read(body, schema) if small else await asyncio.to_thread(read, body, schema)
        if len(next(iter(columns.values()), ())) > self._limits.rows:
            return None
        return await self._desk.ask(columns, served)
