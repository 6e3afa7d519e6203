"""Who may ask, how much, and what is said to the others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from shipped import Shipped
from trilho.journal import Journal, read_labelled
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.invocations import Limits
from trilho.serving.keys import Keys
from trilho.serving.slot import Served, Slot
from unit.serving.asking import Answer, ask, asking

GUARDED = ("/invocations", "/predict", "/feedback")


def body_of(shipped: Shipped, rows: int = 1) -> bytes:
    return json.dumps({"dataframe_split": json.loads(shipped.frame[:rows].to_json(orient="split"))}).encode()


def app_of(shipped: Shipped | None, folder: Path, **more: Any) -> Any:
    served = shipped and Served(predictor=shipped.predictor, name="tried", version="3", since=0.0)
    return assembled(Desk(Slot(served), Counts()), journal=folder, **more)


def answer(app: Any, method: str, path: str, *pieces: bytes, **more: Any) -> Answer:
    found = ask(app, method, path, *pieces, **more)
    assert found is not None
    return found


@pytest.mark.parametrize("path", GUARDED)
def test_with_keys_nobody_asks_without_one(numbers: Shipped, tmp_path: Path, path: str) -> None:
    app = app_of(numbers, tmp_path, keys=Keys(["open"]))
    for headers in ([], [("x-api-key", "wrong")]):
        found = answer(app, "POST", path, b"{}", headers=headers)
        assert (found.status, found.json["error_code"]) == (401, "UNAUTHENTICATED")
        assert found.headers["www-authenticate"] == "Bearer"
    assert answer(app, "POST", path, b"{}", headers=[("x-api-key", "open")]).status == 400, "read, and found wanting"


@pytest.mark.parametrize("path", ["/ping", "/health", "/version", "/metrics", "/", "/docs", "/openapi.json", "/model"])
def test_keys_are_for_predictions_alone(numbers: Shipped, tmp_path: Path, path: str) -> None:
    assert answer(app_of(numbers, tmp_path, keys=Keys(["open"])), "GET", path).status == 200


@pytest.mark.parametrize("path", GUARDED)
def test_before_there_is_a_model_one_is_told_to_come_back(tmp_path: Path, path: str) -> None:
    found = answer(app_of(None, tmp_path), "POST", path, b"{}")
    assert found.status == 503
    assert "trilho run" in found.json["message"]
    assert "retry-after" in found.headers


@pytest.mark.parametrize("path", ["/model", "/docs", "/openapi.json"])
def test_before_there_is_a_model_there_is_nothing_to_describe_yet(tmp_path: Path, path: str) -> None:
    found = answer(app_of(None, tmp_path), "GET", path)
    assert found.status == 503
    assert "trilho run" in found.json["message"]
    assert "retry-after" in found.headers


def test_before_there_is_a_model_the_server_is_healthy_but_not_ready(tmp_path: Path) -> None:
    app = app_of(None, tmp_path)
    assert answer(app, "GET", "/ping").status == 503
    assert answer(app, "GET", "/health").json["status"] == "waiting for a first model"
    assert answer(app, "GET", "/").status == 200


@pytest.mark.parametrize("rows", [5, 300])
def test_more_rows_than_allowed_are_refused(numbers: Shipped, tmp_path: Path, rows: int) -> None:
    app = app_of(numbers, tmp_path, limits=Limits(rows=rows))
    assert answer(app, "POST", "/invocations", body_of(numbers, rows)).status == 200
    found = answer(app, "POST", "/invocations", body_of(numbers, rows + 1))
    assert (found.status, found.json["error_code"]) == (413, "REQUEST_LIMIT_EXCEEDED")
    assert str(rows) in found.json["message"]


def test_beyond_the_places_one_is_told_to_come_back_and_is_answered_then(numbers: Shipped, tmp_path: Path) -> None:
    app = app_of(numbers, tmp_path, concurrency=2)
    body = body_of(numbers)

    async def scene() -> tuple[Answer | None, Answer | None, list[Any]]:
        gate = asyncio.Event()

        async def slow(scope: Any, first: asyncio.Event) -> Any:
            async def receive() -> Any:
                first.set()
                await gate.wait()
                return {"type": "http.request", "body": body, "more_body": False}

            sent: list[Any] = []

            async def send(message: Any) -> None:
                sent.append(message)

            await app(scope, receive, send)
            return sent[0]["status"]

        scope = {"type": "http", "method": "POST", "path": "/invocations", "query_string": b""}
        scope["headers"] = [(b"content-type", b"application/json")]
        inside = [asyncio.Event(), asyncio.Event()]
        waiting = [asyncio.create_task(slow(dict(scope), event)) for event in inside]
        for event in inside:
            await event.wait()
        refused = await asking(app, "POST", "/invocations", body)
        gate.set()
        statuses = await asyncio.gather(*waiting)
        return refused, await asking(app, "POST", "/invocations", body), statuses

    refused, after, statuses = asyncio.run(scene())
    assert refused is not None
    assert after is not None
    assert (refused.status, refused.json["error_code"]) == (429, "RESOURCE_EXHAUSTED")
    assert refused.headers["retry-after"] == "1"
    assert statuses == [200, 200]
    assert after.status == 200


def test_other_pages_may_ask_only_where_they_are_named(numbers: Shipped, tmp_path: Path) -> None:
    origin = [("origin", "https://app.example")]
    closed = app_of(numbers, tmp_path)
    found = answer(closed, "POST", "/invocations", body_of(numbers), headers=origin)
    assert "access-control-allow-origin" not in found.headers
    app = app_of(numbers, tmp_path, origins=("https://app.example",))
    found = answer(app, "POST", "/invocations", body_of(numbers), headers=origin)
    assert found.headers["access-control-allow-origin"] == "https://app.example"
    found = answer(app, "POST", "/invocations", body_of(numbers), headers=[("origin", "https://evil.example")])
    assert "access-control-allow-origin" not in found.headers
    asked = [*origin, ("access-control-request-method", "POST"), ("access-control-request-headers", "x-api-key")]
    assert answer(app, "OPTIONS", "/invocations", headers=asked).status == 200


def test_every_request_is_counted_under_few_names(numbers: Shipped, tmp_path: Path) -> None:
    app = app_of(numbers, tmp_path)
    answer(app, "POST", "/invocations", body_of(numbers, 3))
    answer(app, "POST", "/invocations", b"{}")
    for path in ("/a", "/b", "/wp-admin.php"):
        answer(app, "GET", path)
    body = answer(app, "GET", "/metrics").body.decode()
    assert 'http_requests_total{method="POST",path="/invocations",status="200"} 1.0' in body
    assert 'http_requests_total{method="POST",path="/invocations",status="400"} 1.0' in body
    assert 'http_requests_total{method="GET",path="other",status="404"} 3.0' in body
    assert "wp-admin" not in body
    assert 'mlflow_model_request_duration_seconds_count{model="tried",version="3"} 1.0' in body
    predicted = [line for line in body.splitlines() if line.startswith("mlflow_predictions_total{")]
    assert sum(float(line.rpartition(" ")[2]) for line in predicted) == 3


def test_label_is_kept_beside_its_prediction(numbers: Shipped, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    served = Served(predictor=numbers.predictor, name="tried", version="3", since=0.0)
    app = assembled(Desk(Slot(served), Counts(), journal), journal=tmp_path)
    name = answer(app, "POST", "/invocations", body_of(numbers, 2)).headers["x-prediction-id"]
    journal.close()
    label = numbers.schema.label_names[1]
    found = answer(app, "POST", "/feedback", json.dumps([{"id": f"{name}-1", "label": label}]).encode())
    assert (found.status, found.json) == (202, {"accepted": 1})
    [rows] = read_labelled(tmp_path, since=0, until=1e11)
    known = dict(zip(rows.rows.ids.tolist(), rows.truth.tolist(), strict=True))
    assert known == {f"{name}-1": numbers.schema.labels[1]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id": "a-0", "label": "no such"}',
        b'{"id": 1, "label": 0}',
    ],
)
def test_feedback_that_cannot_be_is_refused_with_its_reason(numbers: Shipped, tmp_path: Path, body: bytes) -> None:
    found = answer(app_of(numbers, tmp_path), "POST", "/feedback", body)
    assert (found.status, found.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert found.json["details"]["remedy"]
    assert list(tmp_path.iterdir()) == []


def test_open_inference_protocol_is_below_v2_under_two_names(numbers: Shipped, tmp_path: Path) -> None:
    app = app_of(numbers, tmp_path, keys=Keys(["open"]))
    assert answer(app, "GET", "/v2/health/ready").json["ready"] is True
    assert answer(app, "GET", "/v2/models/tried").json["versions"] == ["3"]
    row = numbers.frame[:1].to_numpy().tolist()
    tensor = {"name": "rows", "shape": [1, len(row[0])], "datatype": "FP64", "data": row}
    body = json.dumps({"inputs": [tensor]}).encode()
    for path in ("/v2/models/tried/infer/", "/v2/models/tried/infer//", "/v2/models/tried/versions/3/infer/"):
        assert answer(app, "POST", path, body).status == 401, "read by the guard as by who answers"
    refused = answer(app, "POST", "/v2/models/tried/infer", body)
    assert refused.status == 401
    assert "API key" in refused.json["error"], "where clients of this protocol look"
    with_key = [("x-api-key", "open")]
    unknown = json.dumps({"inputs": [tensor], "outputs": [{"name": "nope"}]}).encode()
    assert answer(app, "POST", "/v2/models/tried/infer", unknown, headers=with_key).status == 400
    assert app.desk.counts.predictions == {}, "what is refused is neither counted nor journaled"
    found = answer(app, "POST", "/v2/models/tried/infer", body, headers=with_key)
    assert found.status == 200
    outputs = {output["name"]: output["data"] for output in found.json["outputs"]}
    assert outputs["predict"] == numbers.answers().labels[:1].tolist()
    metrics = answer(app, "GET", "/metrics").body.decode()
    assert 'http_requests_total{method="POST",path="/v2/infer",status="200"} 1.0' in metrics
    assert 'http_requests_total{method="POST",path="/v2/infer",status="401"} 4.0' in metrics
    assert 'http_requests_total{method="GET",path="/v2",status="200"} 2.0' in metrics
