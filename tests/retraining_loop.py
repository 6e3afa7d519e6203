"""A small shop whose customers change, with a server that answers, and people who say later what was true."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from command_line import trilho_json, write_project
from serving_process import JSON, Server
from trilho import journal

RETRAIN = {"on": ["drift"], "min_new_labels": 500}


def customers(count: int, *, moved: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Numbers, categories, missing values; who stays depends on where the customers are now."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "income": chance.normal(moved, 1, count),
            "age": chance.normal(moved, 1, count),
            "visits": chance.normal(0, 1, count),
            "city": chance.choice(["Porto", "Lyon", "Recife"], count),
        }
    )
    score = frame["income"] + frame["age"] - 2 * moved + (frame["city"] == "Lyon") - 0.3
    frame["target"] = np.where(score + chance.normal(0, 0.3, count) > 0, "stays", "leaves")
    frame.loc[chance.random(count) < 0.05, "visits"] = np.nan
    return frame


def shop(folder: Path, name: str, **settings: Any) -> Path:
    """A project over 400 customers who have not moved yet."""
    folder.mkdir(parents=True, exist_ok=True)
    customers(400).to_csv(folder / "customers.csv", index=False)
    found = {
        "data": {"source": "customers.csv"},
        "transform": {"using": "default"},
        "retrain": RETRAIN,
        "monitor": {"window": "1h"},
        **settings,
    }
    return write_project(folder, name, found)


def ask(server: Server, rows: pd.DataFrame, *, at_once: int = 1000) -> list[str]:
    """Have the rows answered; the prediction id of each."""
    found: list[str] = []
    for first in range(0, len(rows), at_once):
        part = rows.drop(columns="target")[first : first + at_once]
        body = json.dumps({"dataframe_split": json.loads(part.to_json(orient="split"))}).encode()
        status, headers, answer = server.ask("POST", "/invocations", body, JSON)
        assert status == 200, answer
        found += [f"{headers['x-prediction-id']}-{row}" for row in range(len(part))]
    return found


def kept(folder: Path, version: str) -> int:
    """Answers of this version that are in the journal by now: it is written within a second."""
    rows = journal.read(folder / ".trilho" / "journal", since=0, until=time.time() + 60, columns=(), version=version)
    return sum(len(part.ids) for part in rows)


def answers_by(server: Server) -> str:
    """The version that answers now; one more answer in the journal."""
    body = {"dataframe_records": [{"income": 1.5, "age": 1.5, "visits": 0.0, "city": "Lyon"}]}
    version: str = server.ask("POST", "/invocations", json.dumps(body).encode(), JSON)[1]["x-model-version"]
    return version


def tell(server: Server, ids: Sequence[str], truth: Sequence[Any]) -> None:
    """Say by /feedback what was true."""
    labels = [{"id": name, "label": label} for name, label in zip(ids, truth, strict=True)]
    for first in range(0, len(labels), 1000):
        status, _, answer = server.ask("POST", "/feedback", json.dumps(labels[first : first + 1000]).encode(), JSON)
        assert status == 202, answer


def answered(folder: Path, model: str, version: str, rows: pd.DataFrame, *, labelled: bool = True) -> None:
    """A journal as a server and people leave it."""
    asked = rows.drop(columns="target")
    columns = {
        name: values.to_numpy(dtype=float) if values.dtype.kind == "f" else values.to_numpy(dtype=object)
        for name, values in asked.items()
    }
    place, now = folder / ".trilho" / "journal", time.time() - 30
    written = journal.Journal(place)
    written.append(
        journal.Answered(
            request="a",
            time=now,
            model=model,
            version=version,
            latency=0.001,
            features=journal.Features.of({str(name): values for name, values in columns.items()}),
            labels=np.array(["stays"] * len(rows), dtype=object),
            probabilities=np.tile([0.4, 0.6], (len(rows), 1)),
        )
    )
    written.close()
    if labelled:
        truth = rows["target"].tolist()
        journal.label(
            place, [journal.TrueLabel(id=f"a-{row}", label=label, time=now + 10) for row, label in enumerate(truth)]
        )


def history(folder: Path, server: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = trilho_json(folder, "history", server=server)
    return found
