"""POST /invocations: MLflow's scoring protocol."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec

from trilho.errors import TrilhoError
from trilho.serving.asking import Answer, Desk
from trilho.serving.bodies import Request, media_type, whole_body
from trilho.serving.payload import READERS
from trilho.serving.responses import Response, failure, refusal
from trilho.serving.slot import Served

_EXPRESS = "application/json"
_INLINE_BYTES = 64 << 10  # a body up to this size is read faster than a thread could be woken


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one request. Beyond `body_bytes` and `rows` it is refused with 413, after `body_seconds` with 408."""

    body_bytes: int = 64 << 20
    rows: int = 100_000
    body_seconds: float = 30.0


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
        body = await whole_body(request, most=limits.body_bytes, seconds=limits.body_seconds)
        if body is None or isinstance(body, Response):
            return body
        try:
            answer = await self._asked(kind, body, served)
        except TrilhoError as error:
            return failure(error)
        if answer is None:
            return refusal(413, f"The body has more than {limits.rows} rows. Send fewer at once.")
        return Response(
            status=200,
            body=msgspec.json.encode({"predictions": answer.values}),
            headers=((b"x-prediction-id", answer.id.encode()),),
        )

    async def _asked(self, kind: str, body: bytes, served: Served) -> Answer | None:
        """The answer; None for too many rows."""
        small = len(body) <= _INLINE_BYTES
        if served.express is not None and kind == _EXPRESS:
            coded = served.express.read(body) if small else await asyncio.to_thread(served.express.read, body)
            if coded is not None and len(coded[0]) <= self._limits.rows:
                answer = await self._desk.ask_coded(*coded, served)
                if answer is not None:
                    return answer
        read, schema = READERS[kind], served.predictor.schema
        columns = read(body, schema) if small else await asyncio.to_thread(read, body, schema)
        if len(next(iter(columns.values()), ())) > self._limits.rows:
            return None
        return await self._desk.ask(columns, served)
