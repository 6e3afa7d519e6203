from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from shipped import Shipped
from trilho.bundle import Predictions
from trilho.journal import Journal, read
from trilho.serving.app import App
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.bodies import media_type
from trilho.serving.counting import Counts
from trilho.serving.invocations import Limits
from trilho.serving.slot import Served, Slot
from unit.serving.asking import Answer, ask, asking


def served(shipped: Shipped, version: str = "3") -> Served:
    return Served(predictor=shipped.predictor, name="tried", version=version, since=1000.0)


def app_of(slot: Slot, journal: Journal | None = None, *, share: float = 1.0, limits: Limits | None = None) -> App:
    return assembled(Desk(slot, Counts(), journal, share=share), limits=limits)


def body_of(shipped: Shipped, rows: int = 3) -> bytes:
    frame = json.loads(shipped.frame[:rows].to_json(orient="split", double_precision=15))
    return json.dumps({"dataframe_split": frame}).encode()


def answer(app: App, method: str, path: str, *pieces: bytes, **more: Any) -> Answer:
    found = ask(app, method, path, *pieces, **more)
    assert found is not None
    return found


@pytest.fixture
def app(numbers: Shipped) -> App:
    return app_of(Slot(served(numbers)))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


def test_every_table_is_answered_as_its_model_answers(shipped: Shipped) -> None:
    found = answer(app_of(Slot(served(shipped))), "POST", "/invocations", body_of(shipped))
    assert found.status == 200, found.body
    assert found.json == {"predictions": shipped.answers().labels[:3].tolist()}
    assert found.headers["content-type"] == "application/json"
    assert found.headers["content-length"] == str(len(found.body))


def test_ping_and_version_answer_as_mlflow_does(app: App) -> None:
    assert (answer(app, "GET", "/ping").status, answer(app, "GET", "/ping").body) == (200, b"\n")
    assert answer(app, "GET", "/version").body.decode() == mlflow.__version__


def test_a_server_without_mlflow_answers_all_the_same_and_says_that_it_has_none(
    numbers: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("trilho.serving.health.version", missing)  # as in an image that carries what serving needs
    app = app_of(Slot(served(numbers)))
    assert answer(app, "GET", "/version").status == 404
    assert answer(app, "POST", "/invocations", body_of(numbers)).status == 200


def test_health_names_the_model_in_charge(numbers: Shipped, journal: Journal) -> None:
    app = app_of(Slot(served(numbers, "7")), journal)
    answer(app, "POST", "/invocations", body_of(numbers))
    found = answer(app, "GET", "/health").json
    assert (found["status"], found["model"], found["version"], found["runtime"]) == ("ok", "tried", "7", "onnx")
    assert found["journal"]["waiting"] + found["journal"]["written"] == 3


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ping", 200),
        ("HEAD", "/health", 200),
        ("POST", "/ping", 405),
        ("GET", "/invocations", 405),
        ("HEAD", "/invocations", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/favicon.ico", 200),
        ("POST", "/invocations/", 404),
    ],
)
def test_every_answer_names_the_version_that_made_it(app: App, method: str, path: str, status: int) -> None:
    found = answer(app, method, path)
    assert found.status == status
    assert found.headers["x-model-version"] == "3"
    if status == 405:
        assert found.headers["allow"] in ("GET", "POST")
        assert found.json["error_code"] == "BAD_REQUEST"


def test_unknown_path_says_which_there_are(app: App) -> None:
    assert "/predict, /invocations" in answer(app, "GET", "/nowhere").json["message"]


def test_row_that_does_not_fit_is_refused_with_column_and_row(app: App, numbers: Shipped) -> None:
    sent = json.loads(body_of(numbers))
    sent["dataframe_split"]["data"][1][0] = "large"
    found = answer(app, "POST", "/invocations", json.dumps(sent).encode())
    assert found.status == 400
    assert found.json["error_code"] == "INVALID_PARAMETER_VALUE"
    assert found.json["message"] == "Column 'mean radius', row 1: 'large' is not a number."
    assert found.json["details"]["column"] == "mean radius"
    assert found.json["details"]["row"] == 1
    assert found.headers["x-model-version"] == "3"


def test_null_that_the_model_does_not_take_is_refused(app: App, numbers: Shipped) -> None:
    sent = json.loads(body_of(numbers))
    sent["dataframe_split"]["data"][2][1] = None
    found = answer(app, "POST", "/invocations", json.dumps(sent).encode())
    assert found.status == 400
    assert "'mean texture', row 2" in found.json["message"]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ('application/json; charset="utf-8"', 200),
        ("application/json; charset=latin-1", 415),
        ("application/json; version=2", 415),
        ("text/plain", 415),
        ("", 415),
        (None, 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_body_of_another_type_is_refused(app: App, numbers: Shipped, header: str | None, status: int) -> None:
    found = answer(app, "POST", "/invocations", body_of(numbers), content_type=header)
    assert found.status == status, found.body


def test_refused_type_says_which_are_read() -> None:
    assert media_type(b"image/png")[1].startswith("The body must be application/json or text/csv")


def test_csv_is_answered(app: App, numbers: Shipped) -> None:
    sent = numbers.frame[:2].to_csv(index=False).encode()
    found = answer(app, "POST", "/invocations", sent, content_type="text/csv")
    assert found.json == {"predictions": numbers.answers().labels[:2].tolist()}


def test_body_in_many_pieces_is_one_body(app: App, numbers: Shipped) -> None:
    sent = body_of(numbers)
    assert answer(app, "POST", "/invocations", *(sent[i : i + 100] for i in range(0, len(sent), 100))).status == 200


def test_body_over_the_limit_is_refused_before_it_is_read(numbers: Shipped) -> None:
    app = app_of(Slot(served(numbers)), limits=Limits(body_bytes=1000))
    announced = answer(app, "POST", "/invocations", b"x", headers=[("content-length", "1001")])
    assert announced.status == 413
    pieces = [b"x" * 600, b"x" * 600, b"never asked for"]
    assert answer(app, "POST", "/invocations", *pieces).status == 413
    assert answer(app, "POST", "/invocations", b"x" * 1000).status == 400, "at the limit it is read"


def test_client_that_leaves_gets_and_costs_nothing(numbers: Shipped, journal: Journal) -> None:
    app = app_of(Slot(served(numbers)), journal)
    assert ask(app, "POST", "/invocations", body_of(numbers), gone=True) is None
    assert journal.state.waiting == 0


def test_large_body_is_answered_without_holding_others_up(numbers: Shipped) -> None:
    found = answer(app_of(Slot(served(numbers))), "POST", "/invocations", body_of(numbers, rows=569))
    assert len(found.json["predictions"]) == 569


def test_no_rows_are_answered_with_no_predictions(app: App, numbers: Shipped) -> None:
    sent = json.dumps({"dataframe_split": {"columns": list(numbers.frame.columns), "data": []}}).encode()
    assert answer(app, "POST", "/invocations", sent).json == {"predictions": []}


def test_answered_rows_reach_the_journal(shipped: Shipped, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    app = app_of(Slot(served(shipped)), journal)
    first = answer(app, "POST", "/invocations", body_of(shipped, rows=2)).headers["x-prediction-id"]
    answer(app, "POST", "/invocations", b"{}")
    journal.close()
    [rows] = read(tmp_path, since=0, until=1e11)
    assert rows.ids.tolist() == [f"{first}-0", f"{first}-1"], "refused requests are no predictions"
    assert set(rows.versions) == {"3"}
    wanted = shipped.answers()
    assert wanted.probabilities is not None
    assert rows.probabilities is not None
    assert rows.labels.tolist() == wanted.labels[:2].tolist()
    np.testing.assert_allclose(rows.probabilities, wanted.probabilities[:2])
    assert list(rows.columns) == list(shipped.schema.names)
    again = shipped.predictor.predict(rows.columns)
    np.testing.assert_array_equal(again.labels, rows.labels)
    assert (rows.latencies > 0).all()


def test_share_of_the_answers_is_journaled(numbers: Shipped, tmp_path: Path) -> None:
    for share, least, most in ((0.0, 0, 0), (0.5, 60, 140), (1.0, 200, 200)):
        journal = Journal(tmp_path / str(share))
        app = app_of(Slot(served(numbers)), journal, share=share)
        for _ in range(200):
            answer(app, "POST", "/invocations", body_of(numbers, rows=1))
        journal.close()
        assert least <= journal.state.written <= most


def test_journal_that_cannot_be_written_fails_no_request(numbers: Shipped, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    journal = Journal(tmp_path / "journal")
    app = app_of(Slot(served(numbers)), journal)
    assert answer(app, "POST", "/invocations", body_of(numbers)).status == 200
    journal.close()
    assert answer(app, "POST", "/invocations", body_of(numbers)).status == 200
    assert answer(app, "GET", "/health").json["journal"]["lost"] == 6


class Broken:
    """A model with a bug."""

    def __init__(self, shipped: Shipped) -> None:
        self.schema = shipped.schema
        self.runtime = "onnx"
        self.coded = self.all_numbers = False

    def predict(self, columns: object) -> Predictions:
        raise ZeroDivisionError("secret of the model")


def test_bug_is_answered_with_500_and_told_to_the_log_only(numbers: Shipped, caplog: pytest.LogCaptureFixture) -> None:
    broken = Served(predictor=Broken(numbers), name="b", version="9", since=0)  # type: ignore[arg-type]
    found = answer(app_of(Slot(broken)), "POST", "/invocations", body_of(numbers))
    assert found.status == 500
    assert found.json["error_code"] == "INTERNAL_ERROR"
    assert b"secret" not in found.body
    assert "secret of the model" in caplog.text


class Slow:
    """A model that answers when it is told to."""

    def __init__(self, shipped: Shipped) -> None:
        self.schema = shipped.schema
        self.runtime = "native"
        self.coded = self.all_numbers = False
        self.asked = threading.Event()
        self.told = threading.Event()

    def predict(self, columns: object) -> Predictions:
        self.asked.set()
        assert self.told.wait(60)
        return Predictions(labels=np.array([0]))


def test_request_in_flight_finishes_on_the_model_it_began_with(numbers: Shipped) -> None:
    slow = Slow(numbers)
    slot = Slot(Served(predictor=slow, name="tried", version="1", since=0))  # type: ignore[arg-type]
    app = app_of(slot)

    async def scene() -> tuple[Answer | None, Answer | None]:
        first = asyncio.create_task(asking(app, "POST", "/invocations", body_of(numbers)))
        await asyncio.to_thread(slow.asked.wait)
        before = slot.swap(served(numbers, "2"))
        assert before is not None
        assert before.version == "1"
        second = await asking(app, "POST", "/invocations", body_of(numbers))
        assert not first.done(), "the slow model holds nobody up"
        slow.told.set()
        return await first, second

    first, second = asyncio.run(scene())
    assert first is not None
    assert second is not None
    assert (first.headers["x-model-version"], first.json) == ("1", {"predictions": [0]})
    assert (second.headers["x-model-version"], len(second.json["predictions"])) == ("2", 3)


def test_compiled_model_is_served_without_mlflow_pandas_and_scikit_learn(
    numbers: Shipped, words: Shipped, tmp_path: Path
) -> None:
    script = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from trilho import bundle
from trilho.journal import Journal
from trilho.serving import worker
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.slot import Served, Slot
from unit.serving.asking import ask
journal = Journal(Path(sys.argv[2]) / "journal")
for path, body in zip(sys.argv[3::2], sys.argv[4::2]):
    slot = Slot(Served(predictor=bundle.open(Path(path)), name="m", version="1", since=0.0))
    app = assembled(Desk(slot, Counts(), journal))
    print(ask(app, "POST", "/invocations", body.encode()).status)
    print(ask(app, "GET", "/version").status)
journal.close()
print(journal.state.written, sorted({"mlflow", "pandas", "sklearn", "skops", "scipy", "typer"} & set(sys.modules)))
"""
    told = [word for one in (numbers, words) for word in (str(one.path), body_of(one).decode())]
    tests = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script, tests, str(tmp_path), *told], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["200", "200", "200", "200", "6", "[]"], done.stderr
