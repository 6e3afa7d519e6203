"""Every kind of trouble has a decided answer: a status, a sentence, never a failure."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shipped import Shipped
from trilho.serving.app import App
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.invocations import Limits
from trilho.serving.slot import Served, Slot
from unit.serving.asking import Answer, ask

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"


def app_of(shipped: Shipped, **limits: Any) -> App:
    served = Served(predictor=shipped.predictor, name="tried", version="3", since=time.time())
    return assembled(Desk(Slot(served), Counts()), limits=Limits(**limits) if limits else None)


def answer(app: App, body: bytes, content_type: str | None = JSON, method: str = "POST") -> Answer:
    found = ask(app, method, "/invocations", body, content_type=content_type)
    assert found is not None
    return found


def bodies(frame: pd.DataFrame) -> dict[str, tuple[bytes, str]]:
    """The rows in every form."""
    split = json.loads(frame.to_json(orient="split", double_precision=15))
    rows = json.loads(frame.to_json(orient="records", double_precision=15))
    by_column = {name: [row[name] for row in rows] for name in rows[0]}
    out = io.BytesIO()
    frame.to_parquet(out)
    found: dict[str, Any] = {
        "split": {"dataframe_split": split},
        "records": {"dataframe_records": rows},
        "inputs": {"inputs": by_column},
        "instances": {"instances": rows},
    }
    sent = {name: (json.dumps(body).encode(), JSON) for name, body in found.items()}
    return {**sent, "CSV": (frame.to_csv(index=False).encode(), CSV), "Parquet": (out.getvalue(), PARQUET)}


def without_gaps(shipped: Shipped) -> pd.DataFrame:
    """Rows without missing values, nor texts that stand for one in CSV."""
    return shipped.frame.replace("", None).dropna()


@pytest.mark.parametrize("form", ["split", "records", "inputs", "instances", "CSV", "Parquet"])
def test_twenty_thousand_rows_are_answered_in_every_form(form: str, words: Shipped) -> None:
    known = without_gaps(words)
    frame = pd.concat([known] * (20_000 // len(known) + 1), ignore_index=True)[:20_000]
    found = answer(app_of(words), *bodies(frame)[form])
    assert found.status == 200, found.body[:300]
    predictions = found.json["predictions"]
    assert len(predictions) == 20_000
    assert predictions[: len(known)] == words.answers(known).labels.tolist()


@pytest.mark.parametrize("form", ["split", "records", "inputs", "instances", "CSV", "Parquet"])
def test_more_rows_than_allowed_are_413_in_every_form(form: str, numbers: Shipped) -> None:
    sent = bodies(numbers.frame[:11])[form]
    assert answer(app_of(numbers, rows=11), *sent).status == 200
    found = answer(app_of(numbers, rows=10), *sent)
    assert (found.status, found.json["error_code"]) == (413, "REQUEST_LIMIT_EXCEEDED")


@pytest.mark.parametrize("form", ["split", "records", "inputs", "instances", "CSV", "Parquet"])
def test_a_missing_column_is_named_in_every_form(form: str, shipped: Shipped) -> None:
    name = shipped.schema.names[1]
    found = answer(app_of(shipped), *bodies(shipped.frame.dropna()[:3].drop(columns=name))[form])
    assert (found.status, found.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert found.json["details"]["column"] == name


@pytest.mark.parametrize("form", ["split", "records", "inputs", "instances", "CSV", "Parquet"])
def test_reordered_and_unknown_columns_change_nothing(form: str, shipped: Shipped) -> None:
    frame = without_gaps(shipped)[:20]
    moved = frame[frame.columns[::-1]].assign(**{"never heard of": "x"})
    assert answer(app_of(shipped), *bodies(moved)[form]).json["predictions"] == shipped.answers(frame).labels.tolist()


def test_unknown_categories_are_answered_as_the_model_answers_them(words: Shipped) -> None:
    frame = words.frame.dropna()[:20].assign(city="Atlantis", plan="zzz")
    for sent in bodies(frame).values():
        assert answer(app_of(words), *sent).json["predictions"] == words.answers(frame).labels.tolist()


def test_missing_values_are_answered_where_the_model_takes_them(words: Shipped) -> None:
    frame = words.frame[words.frame.isna().any(axis=1)][:20]
    wanted = words.answers(frame).labels.tolist()
    for form, sent in bodies(frame).items():
        assert answer(app_of(words), *sent).json["predictions"] == wanted, form


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), None])
def test_what_the_model_cannot_take_is_refused_in_every_form(value: Any, numbers: Shipped) -> None:
    frame = numbers.frame[:3].copy()
    frame.iloc[1, 4] = np.nan if value is None else value
    for form, sent in bodies(frame).items():
        found = answer(app_of(numbers), *sent)
        assert found.status == 400, form
        assert found.json["details"] == {**found.json["details"], "column": frame.columns[4], "row": 1}, form


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_another_method_is_405_and_says_which(method: str, numbers: Shipped) -> None:
    found = answer(app_of(numbers), b"", method=method)
    assert (found.status, found.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/xml",
        f"{JSON}; charset=latin-1",
        f"{CSV}; charset=utf-16",
        f"{JSON}; a=b",
        "/",
    ],
)
def test_another_content_type_or_charset_is_415(content_type: str | None, numbers: Shipped) -> None:
    found = answer(app_of(numbers), b"{}", content_type)
    assert found.status == 415
    assert found.json["message"]


@pytest.mark.parametrize("content_type", [JSON, CSV, PARQUET])
@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"{", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b'"', b"," * 999]
)
def test_what_nobody_can_read_is_400_with_a_sentence(body: bytes, content_type: str, numbers: Shipped) -> None:
    found = answer(app_of(numbers), body, content_type)
    assert found.status == 400
    assert found.json["message"]
    assert found.json["details"]["remedy"]


def test_an_oversize_body_is_413(numbers: Shipped) -> None:
    for body, content_type in bodies(numbers.frame[:50]).values():
        assert answer(app_of(numbers, body_bytes=1_000), body, content_type).status == 413
