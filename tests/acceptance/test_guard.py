"""After a promotion, with real parts: a version that passed every gate fails in production, and is gone back from."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from command_line import environment, trilho
from conftest import stop
from retraining_loop import history, shop
from serving_process import JSON, Server, serving, until

# A transformer of the project's own: what it does with customers whom no training row and no gate has ever seen.
OWN_CODE = """
import time

from sklearn.base import BaseEstimator, TransformerMixin


class Moody(BaseEstimator, TransformerMixin):
    def __init__(self, mood="calm"):
        self.mood = mood

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        rich = bool((X["income"] > 50).any())
        if rich and self.mood == "raises":
            raise ZeroDivisionError("nobody is as rich as that")
        if rich and self.mood == "sleeps":
            time.sleep(0.2)
        return X[["income", "age"]].fillna(0).to_numpy()
"""
CUSTOMER = {"income": 1.5, "age": 1.5, "visits": 0.0, "city": "Lyon"}
OFTEN = ("--set", "serve.reload_every=200ms")


@pytest.fixture
def name() -> str:
    return f"shop-{uuid4().hex[:8]}"


@pytest.fixture
def folder(tmp_path: Path, name: str, mlflow_server: str) -> Path:
    """A project whose v1 is champion."""
    found = shop(
        tmp_path / "shop",
        name,
        transform={"using": "moody:Moody", "params": {"mood": "calm"}},
        serve={"trust_code": True},
        retrain={},
    )
    (found / "moody.py").write_text(OWN_CODE, encoding="utf-8")
    trilho(found, "run", server=mlflow_server)
    return found


@dataclass
class Traffic:
    """Customers who ask one after the other, every fifth of them a rich one; how many were answered, by version."""

    answered: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    def asked(self, version: str) -> int:
        return self.answered.get(version, 0) + self.failed.get(version, 0)


@contextmanager
def traffic(server: Server) -> Iterator[Traffic]:
    found, over = Traffic(), threading.Event()

    def ask() -> None:
        count = 0
        while not over.wait(0.01):
            count += 1
            row = {**CUSTOMER, "income": 99.0} if count % 5 == 0 else CUSTOMER
            status, headers, _ = server.ask(
                "POST", "/invocations", json.dumps({"dataframe_records": [row]}).encode(), JSON
            )
            counts = found.answered if status == 200 else found.failed
            version = headers["x-model-version"]
            counts[version] = counts.get(version, 0) + 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


@contextmanager
def watching(folder: Path, server: Server, mlflow: str, **guard: Any) -> Iterator[Path]:
    """`trilho monitor --every 1h`, guarding what this server answers with; the file it writes to."""
    out = folder / "monitor.log"
    words = ["monitor", "--every", "1h", "--set", f"serve.port={server.port}"]
    words += [word for key, value in guard.items() for word in ("--set", f"guard.{key}={value}")]
    with out.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "trilho.cli", *words],
            cwd=folder,
            env=environment(mlflow, PYTHONUNBUFFERED="1"),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield out
    finally:
        stop(process)


def promoted(folder: Path, server: str, mood: str) -> None:
    """Train v2 and promote it, whatever the gates say."""
    trilho(folder, "run", "--set", f"transform.params.mood={mood}", server=server, code=None)
    trilho(folder, "promote", "2", "--force", "--reason", "in a hurry", server=server)


def champion(folder: Path, server: str) -> int:
    moves = [event for event in history(folder, server) if event["kind"] in ("promoted", "rolled back")]
    found: int = moves[-1]["after"]
    return found


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("raises", "requests failed in v2"),
        ("sleeps", "guard.slower allows 2 times as long"),
    ],
)
def test_version_that_does_badly_is_gone_back_from(
    folder: Path, name: str, mlflow_server: str, mood: str, said: str
) -> None:
    with serving(folder, *OFTEN, server=mlflow_server) as server, traffic(server) as asked:
        until(lambda: asked.asked("1") >= 60, "requests to v1")
        with watching(folder, server, mlflow_server) as log:
            until(lambda: "v1" in log.read_text(), "a first look")
            promoted(folder, mlflow_server, mood)
            until(lambda: asked.asked("2") >= 1, "requests to v2")
            until(lambda: f"{name} v1 is champion, was v2" in log.read_text(), "the guard goes back")
            until(lambda: server.health()["version"] == "1", "v1 answers again")
            before = asked.answered["1"]
            until(lambda: asked.answered["1"] > before + 20, "answers of v1")
            assert "1" not in asked.failed
            assert f"Guarding   {name} v2, was v1, for 10m" in log.read_text()

            back = history(folder, mlflow_server)[-1]
            assert (back["kind"], back["who"], back["before"], back["after"]) == ("rolled back", "trilho guard", 2, 1)
            assert said in back["why"]
            assert said in trilho(folder, "history", server=mlflow_server).stdout

            again = trilho(folder, "run", "--set", f"transform.params.mood={mood}", server=mlflow_server).stdout
            assert f"{name} v1; this model is v2, judged before" in again
            assert history(folder, mlflow_server)[-1] == back, "neither promoted again, nor rolled back again"
            assert log.read_text().count("Guarding") == 1, "what it went back to is not guarded"


def test_good_version_stays_and_so_does_one_that_a_person_goes_back_to(
    folder: Path, name: str, mlflow_server: str
) -> None:
    with (
        serving(folder, *OFTEN, server=mlflow_server) as server,
        traffic(server) as asked,
        watching(folder, server, mlflow_server, lasts="15s", min_requests=5, slower=1000) as log,
    ):  # slower=1000: a busy machine is no fault of v2; a slow version has a test of its own
        until(lambda: "v1" in log.read_text(), "a first look")
        promoted(folder, mlflow_server, "content")
        until(lambda: f"Guarded    {name} v2 stays: 0 of" in log.read_text(), "the guard's end")
        assert champion(folder, mlflow_server) == 2

        trilho(folder, "rollback", server=mlflow_server)
        until(lambda: server.health()["version"] == "1", "v1 answers")
        count = asked.asked("1")
        until(lambda: asked.asked("1") > count + 20, "requests to v1")
        assert champion(folder, mlflow_server) == 1
        assert log.read_text().count("Guarding") == 1
        assert not asked.failed
        assert "trilho guard" not in [event["who"] for event in history(folder, mlflow_server)]


def test_promotion_by_hand_ends_a_watch_and_a_monitor_without_a_guard_leaves_all_to_people(
    folder: Path, name: str, mlflow_server: str
) -> None:
    with serving(folder, *OFTEN, server=mlflow_server) as server, traffic(server) as asked:
        with watching(folder, server, mlflow_server, min_requests=1_000_000) as log:
            until(lambda: "v1" in log.read_text(), "a first look")
            promoted(folder, mlflow_server, "raises")
            until(lambda: f"Guarding   {name} v2" in log.read_text(), "a watch")
            trilho(folder, "rollback", "1", server=mlflow_server)
            until(lambda: f"{name} v2 is not in charge any more, v1 is" in log.read_text(), "the end of the watch")
        with watching(folder, server, mlflow_server, lasts="0s") as log:
            until(lambda: "page" in log.read_text(), "a first look")
            trilho(folder, "promote", "2", "--force", "--reason", "again", server=mlflow_server)
            failed = asked.failed.get("2", 0)
            until(lambda: asked.failed.get("2", 0) > failed + 100, "failures of v2")
            assert champion(folder, mlflow_server) == 2
            assert "Guarding" not in log.read_text()
