from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from trilho.platform.tracking_metrics import Counted, Message, Receive, Send

RULES = (
    "/",
    "/health",
    "/api/2.0/mlflow/experiments/create",
    "/api/2.0/mlflow/runs/create",
    "/api/2.0/mlflow/logged-models",
    "/api/2.0/mlflow/logged-models/<model_id>/tags",
    "/api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>",
    "/<path:anything>",
)


def answers(status: int = 200) -> Any:
    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


def ask(app: Counted, path: str, method: str = "GET") -> list[MutableMapping[str, Any]]:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(app({"type": "http", "path": path, "method": method, "headers": []}, receive, send))
    return sent


def samples(app: Counted) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    body = ask(app, "/metrics")[1]["body"].decode()
    families = text_string_to_metric_families(body)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def counted(app: Counted, method: str, path: str, status: str) -> float | None:
    return samples(app).get(("http_requests_total", (("method", method), ("path", path), ("status", status))))


def test_requests_are_counted_by_method_path_and_status() -> None:
    app = Counted(answers(), RULES)
    for _ in range(3):
        assert ask(app, "/health")[0]["status"] == 200
    assert counted(app, "GET", "/health", "200") == 3
    found = samples(app)
    assert found["http_request_duration_seconds_count", (("method", "GET"), ("path", "/health"))] == 3
    assert ("http_request_duration_seconds_bucket", (("le", "1.0"), ("method", "GET"), ("path", "/health"))) in found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/2.0/mlflow/logged-models/m-1a2b/tags", "/api/2.0/mlflow/logged-models"),
        ("/api/2.0/mlflow/logged-models", "/api/2.0/mlflow/logged-models"),
        ("/api/2.0/mlflow-artifacts/artifacts/1/2/artifacts/model.onnx", "/api/2.0/mlflow-artifacts/artifacts"),
        ("/api/2.0/mlflow/logged-models-of-mine", "other"),
        ("/wp-admin.php", "other"),
        ("/metrics/", "other"),
    ],
)
def test_ids_and_strangers_make_no_names(path: str, name: str) -> None:
    assert Counted(answers(), RULES).named(path) == name


@given(st.lists(st.text(max_size=30), max_size=20))
def test_however_many_paths_are_asked_the_names_are_those_of_the_rules(paths: list[str]) -> None:
    app = Counted(answers(), RULES)
    assert {app.named(f"/{path}") for path in paths} <= {rule.partition("/<")[0] or "/" for rule in RULES} | {"other"}


def test_strange_method_is_counted_with_all_others() -> None:
    app = Counted(answers(405), RULES)
    ask(app, "/health", method="BREW")
    assert counted(app, "other", "/health", "405") == 1


def test_created_experiments_are_counted_from_zero_and_refused_ones_are_not() -> None:
    app = Counted(answers(), RULES)
    assert samples(app)["mlflow_experiment_created_total", ()] == 0
    ask(app, "/api/2.0/mlflow/experiments/create", method="POST")
    ask(app, "/api/2.0/mlflow/runs/create", method="POST")
    assert samples(app)["mlflow_experiment_created_total", ()] == 1
    refusing = Counted(answers(400), RULES)
    ask(refusing, "/api/2.0/mlflow/experiments/create", method="POST")
    assert samples(refusing)["mlflow_experiment_created_total", ()] == 0


def test_application_that_fails_is_counted_as_500_and_the_failure_goes_on() -> None:
    async def fails(scope: Message, receive: Receive, send: Send) -> None:
        raise RuntimeError("no")

    app = Counted(fails, RULES)
    with pytest.raises(RuntimeError):
        ask(app, "/health")
    assert counted(app, "GET", "/health", "500") == 1


def test_asking_for_metrics_is_not_counted_and_reaches_nobody_else() -> None:
    app = Counted(answers(), RULES)
    head = ask(app, "/metrics", method="HEAD")
    assert head[0]["status"] == 200
    assert head[1]["body"] == b""
    assert not [key for key in samples(app) if key[0] == "http_requests_total"]
