"""A picture through MLflow's protocol: JSON, CSV and Parquet, to the answer and into the journal."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pages import png
from trilho.bundle import Predictor
from trilho.journal import Journal, read
from trilho.serving.app import App
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.slot import Served, Slot
from unit.serving.asking import Answer, ask

PICTURES = {"light": png(240), "dark": png(15)}
JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"


def in_parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def bodies() -> dict[str, tuple[bytes, str]]:
    """The same two rows in every form."""
    rows = [{"scan": base64.b64encode(scan).decode(), "age": 61} for scan in PICTURES.values()]
    by_column = {name: [row[name] for row in rows] for name in rows[0]}
    split = {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}
    frame = pd.DataFrame({"scan": list(PICTURES.values()), "age": 61.0})
    return {
        "split": (json.dumps({"dataframe_split": split}).encode(), JSON),
        "records": (json.dumps({"dataframe_records": rows}).encode(), JSON),
        "inputs": (json.dumps({"inputs": by_column}).encode(), JSON),
        "instances": (json.dumps({"instances": rows}).encode(), JSON),
        "CSV": (pd.DataFrame(rows).to_csv(index=False).encode(), CSV),
        "Parquet": (in_parquet(frame), PARQUET),
    }


def app_of(predictor: Predictor, journal: Journal | None = None) -> App:
    served = Served(predictor=predictor, name="scans", version="4", since=time.time())
    return assembled(Desk(Slot(served), Counts(), journal))


def answer(app: App, body: bytes, content_type: str = JSON) -> Answer:
    found = ask(app, "POST", "/invocations", body, content_type=content_type)
    assert found is not None
    return found


@pytest.mark.parametrize("form", list(bodies()))
def test_pictures_are_answered_and_journaled(form: str, tmp_path: Path, model_of: Callable[[str], Predictor]) -> None:
    journal = Journal(tmp_path)
    found = answer(app_of(model_of("scans"), journal), *bodies()[form])
    journal.close()
    assert found.json == {"predictions": list(PICTURES)}
    [rows] = read(tmp_path, since=0, until=1e11)
    assert rows.columns["age"].tolist() == [61.0, 61.0]
    wanted = [hashlib.sha256(picture).hexdigest() for picture in PICTURES.values()]
    assert rows.columns["scan.sha256"].tolist() == wanted


@pytest.mark.parametrize("scan", ["not base64!", 7, [1, 2], {"$b64": "aGk="}, None])
def test_what_is_no_picture_in_base64_is_refused_by_column_and_row(
    scan: object, model_of: Callable[[str], Predictor]
) -> None:
    good = {"scan": base64.b64encode(PICTURES["light"]).decode(), "age": 61}
    found = answer(app_of(model_of("scans")), json.dumps({"inputs": [good, {**good, "scan": scan}]}).encode())
    assert found.status == 400
    assert (found.json["details"]["column"], found.json["details"]["row"]) == ("scan", 1)
