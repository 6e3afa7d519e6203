"""How the server is: GET /ping, /health, /version and /metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from trilho.serving.asking import Desk
from trilho.serving.bodies import Request
from trilho.serving.counting import Counts
from trilho.serving.reported import Found
from trilho.serving.responses import Response, refusal
from trilho.serving.state import State


class Health:
    """Answers for this worker.

    Args:
        state: What the parent process knows.
        together: This worker's counts with those of the others.
        reported: What monitoring found last.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        state: Callable[[], State],
        together: Callable[[Counts], Counts],
        reported: Callable[[], Found] = Found,
    ) -> None:
        self._desk = desk
        self._state, self._together, self._reported = state, together, reported
        self._mlflow = _mlflow_here()

    async def ping(self, request: Request) -> Response:
        """200 once there is a model to ask."""
        if request.served is None:
            return refusal(503, "No model is in charge yet.")
        return Response(status=200, body=b"\n")

    async def version(self, _: Request) -> Response:
        """MLflow's version, as its own server says it; 404 on a server that answers without MLflow."""
        if not self._mlflow:
            return refusal(404, "MLflow is not installed on this server, which needs none to answer.")
        return Response(status=200, body=self._mlflow, content_type=b"text/plain; charset=utf-8")

    async def health(self, request: Request) -> Response:
        """200 while the process can answer, model or not; which model, and how everything around it is."""
        served, journal = request.served, self._desk.journal
        facts: dict[str, Any] = {"status": "waiting for a first model" if served is None else "ok"}
        if served is not None:
            facts |= {"model": served.name, "version": served.version}
            facts |= {"runtime": served.predictor.runtime, "since": served.since}
        facts["journal"] = asdict(journal.state) if journal is not None else None
        return Response(status=200, body=msgspec.json.encode({**facts, "server": self._state()}))

    async def metrics(self, _: Request) -> Response:
        """Everything counted, of all workers, in the text format of Prometheus."""
        from trilho.serving.exposition import CONTENT_TYPE, exposed

        body = exposed(self._together(take_stock(self._desk)), self._state(), self._reported())
        return Response(status=200, body=body, content_type=CONTENT_TYPE.encode())


def take_stock(desk: Desk) -> Counts:
    """The desk's counts, with how this worker and its journal are now."""
    counts = desk.counts
    counts.gauges["workers"] = 1
    if desk.journal is not None:
        state = desk.journal.state
        counts.rows |= {"journaled": state.written, "lost": state.lost}
        counts.gauges |= {"journal_waiting": state.waiting, "journal_failing": float(bool(state.problem))}
        counts.worst["journal_lag"] = state.lag
    return counts


# ----------------------------------------------------------------------------------------------------------------------


def _mlflow_here() -> bytes:
    try:
        return version("mlflow").encode()
    except PackageNotFoundError:
        return b""
