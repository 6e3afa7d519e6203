"""What the tracking server counts for Prometheus, under the names that the model server uses, path included.

MLflow's own exporter has other names and no path, and counts no experiments; this is one ASGI application around
MLflow's. It answers GET /metrics itself and hands on everything else unchanged. One process needs no more than
prometheus_client's plain registry.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

PATH = "/metrics"
OTHER = "other"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
_NEW_EXPERIMENT = "/mlflow/experiments/create"
_OK = 200
_BROKEN = 500  # nothing was answered before the application failed


class Counted:
    """An ASGI application that counts what another one answers.

    Args:
        app: Answers.
        rules: The other one's routes, such as "/health" or "/api/2.0/mlflow/traces/<trace_id>/tags". Requests are
            counted under these names, cut before the first variable part, and all others together: no name comes from
            strangers, and none holds an id.
    """

    def __init__(self, app: Asgi, rules: Iterable[str]) -> None:
        self._app = app
        self._whole, self._cut = _names(rules)
        # Else a third series stands beside each counter.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry(auto_describe=False)
        self._requests = Counter(
            "http_requests", "Requests answered.", ("method", "path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "From request to answer.",
            ("method", "path"),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._experiments = Counter(
            "mlflow_experiment_created", "Experiments created since this server started.", registry=self._registry
        )
        ProcessCollector(registry=self._registry)  # memory and processor time, where the system tells

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == PATH and scope["method"] in ("GET", "HEAD"):
            await self._answer(scope, send)
        else:
            await self._count(scope, receive, send)

    def named(self, path: str) -> str:
        """The name that a path is counted under."""
        if path in self._whole:
            return path
        while path:
            path = path.rpartition("/")[0]
            if path in self._cut:
                return path
        return OTHER

    async def _count(self, scope: Message, receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else OTHER
            name = self.named(scope["path"])
            self._requests.labels(method, name, str(status or _BROKEN)).inc()
            self._seconds.labels(method, name).observe(time.perf_counter() - began)
            if status == _OK and method == "POST" and name.endswith(_NEW_EXPERIMENT):
                self._experiments.inc()

    async def _answer(self, scope: Message, send: Send) -> None:
        body = generate_latest(self._registry)
        headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": _OK, "headers": headers})
        await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})


# ----------------------------------------------------------------------------------------------------------------------


def _names(rules: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Routes without variable parts, and what stands before the first variable part of the others."""
    whole, cut = set(), set()
    for rule in rules:
        before, variable, _ = rule.partition("<")
        if not variable:
            whole.add(rule)
        elif len(before) > 1:
            cut.add(before.rstrip("/"))
    return frozenset(whole), frozenset(cut)
