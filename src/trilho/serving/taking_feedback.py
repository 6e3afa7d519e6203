"""POST /feedback: what turned out to be true, to be read beside what was predicted."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec

from trilho.errors import TrilhoError
from trilho.journal import label
from trilho.serving.bodies import Request, whole_body
from trilho.serving.feedback import read_feedback
from trilho.serving.responses import Response, failure, refusal


class TakingFeedback:
    """Writes labels down; whether their predictions are known shows when both are read.

    Args:
        journal: Its folder.
        body_bytes: Larger bodies are refused with 413.
    """

    def __init__(self, journal: Path, *, body_bytes: int) -> None:
        self._journal = journal
        self._body_bytes = body_bytes

    async def __call__(self, request: Request) -> Response | None:
        served = request.served
        if served is None:
            return refusal(503, "No model is in charge yet, whose labels could be checked.")
        body = await whole_body(request, self._body_bytes)
        if body is None or isinstance(body, Response):
            return body
        try:
            labels = read_feedback(body, served.predictor.schema, now=time.time())
            taken = await asyncio.to_thread(label, self._journal, labels)  # as long as the disk takes
        except TrilhoError as error:
            return failure(error)
        return Response(status=202, body=msgspec.json.encode({"accepted": taken}))
