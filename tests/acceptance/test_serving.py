"""A champion that answers over real HTTP, leaves a journal, and is watched: the real command line throughout."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from command_line import environment, trilho, trilho_json, write_project
from conftest import free_port, stop, wait_for
from trilho import bundle, journal
from unit.bundle.tables import mixed, wide

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Champion:
    """A project with a champion in the registry, and its feature rows."""

    folder: Path
    name: str
    rows: pd.DataFrame
    server: str

    @property
    def predictor(self) -> bundle.Predictor:
        return bundle.open(self.folder / "artifacts" / "model" / "bundle.tar")

    def journaled(self) -> list[journal.Rows]:
        return list(journal.read(self.folder / ".trilho" / "journal", since=0, until=time.time() + 1))


def champion(folder: Path, rows: pd.DataFrame, truth: pd.Series[Any], server: str, train: dict[str, Any]) -> Champion:
    name = f"served-{uuid4().hex[:8]}"
    folder.mkdir()
    rows.assign(target=truth).to_csv(folder / "rows.csv", index=False)
    settings = {"data": {"source": "rows.csv"}, "transform": {"using": "default"}, "train": train}
    write_project(folder, name, {**settings, "evaluate": {"champion": {"margin": 0.05}}})
    trilho(folder, "run", server=server)
    return Champion(folder, name, pd.read_csv(folder / "rows.csv").drop(columns="target"), server)


LINEAR = {"estimator": "sklearn.linear_model.LogisticRegression", "params": {"max_iter": 1000}}
FOREST = {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 20}}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory, mlflow_server: str) -> Champion:
    table = load_breast_cancer(as_frame=True)
    return champion(tmp_path_factory.mktemp("a") / "numbers", table.data, table.target, mlflow_server, LINEAR)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory, mlflow_server: str) -> Champion:
    rows, truth = mixed()
    return champion(tmp_path_factory.mktemp("b") / "words", rows, truth, mlflow_server, FOREST)


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory, mlflow_server: str) -> Champion:
    rows, truth = wide()
    return champion(tmp_path_factory.mktemp("c") / "columns", rows, truth, mlflow_server, LINEAR)


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: subprocess.Popen[str]
    port: int
    first_line: str

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def predict(self, rows: pd.DataFrame) -> Any:
        status, _, body = self.ask("POST", "/invocations", split(rows), JSON)
        assert status == 200, body
        return json.loads(body)["predictions"]

    def health(self) -> Any:
        return json.loads(self.ask("GET", "/health")[2])


@contextmanager
def serving(champion: Champion, *words: str, server: str | None = None) -> Iterator[Running]:
    """`trilho serve` on a port of its own, ended by the end of the block."""
    command = [sys.executable, "-m", "trilho.cli", "serve", "--port", "0", *words]
    with subprocess.Popen(
        command,
        cwd=champion.folder,
        env=environment(server or champion.server),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Serving"), line + process.communicate()[1]
            yield Running(process, int(line.rsplit(":", 1)[1]), line)
        finally:
            stop(process)  # type: ignore[arg-type]


def split(rows: pd.DataFrame) -> bytes:
    return json.dumps({"dataframe_split": json.loads(rows.to_json(orient="split", double_precision=15))}).encode()


def end(running: Running) -> tuple[int, str]:
    """Ask it to stop, as a supervisor does; its exit code and what it said."""
    running.process.send_signal(signal.SIGTERM)
    out, err = running.process.communicate(timeout=300)
    return running.process.returncode, out + err


@pytest.mark.parametrize("table", ["numbers", "words", "columns"])
def test_champion_answers_as_its_bundle_and_leaves_a_journal(table: str, request: pytest.FixtureRequest) -> None:
    project: Champion = request.getfixturevalue(table)
    wanted = project.predictor.predict_frame(project.rows)
    before = sum(len(rows.ids) for rows in project.journaled())
    with serving(project) as running:
        assert f"{project.name} v1 answers" in running.first_line
        assert running.predict(project.rows) == wanted.labels.tolist()
        assert running.predict(project.rows[:1]) == wanted.labels[:1].tolist()
        status, headers, _ = running.ask("GET", "/ping")
        assert (status, headers["x-model-version"]) == (200, "1")
        code, said = end(running)
    assert code == 0, said
    found = project.journaled()
    assert sum(len(rows.ids) for rows in found) - before == len(project.rows) + 1
    assert {str(version) for rows in found for version in rows.versions} == {"1"}
    assert list(found[-1].columns) == list(project.rows.columns)


def test_row_reaches_the_disk_within_a_second_and_survives_kill_9(numbers: Champion) -> None:
    before = sum(len(rows.ids) for rows in numbers.journaled())
    with serving(numbers) as running:
        running.predict(numbers.rows[:5])
        while running.health()["journal"]["written"] < 5:
            time.sleep(0.05)
        running.process.kill()
        running.process.wait()
    assert sum(len(rows.ids) for rows in numbers.journaled()) == before + 5


def test_journal_that_cannot_be_written_fails_no_request(numbers: Champion, tmp_path: Path) -> None:
    folder = numbers.folder / ".trilho" / "journal"
    kept = folder.rename(tmp_path / "kept") if folder.exists() else None
    folder.write_text("in the way")
    try:
        with serving(numbers) as running:
            for _ in range(3):
                assert len(running.predict(numbers.rows[:2])) == 2
            while running.health()["journal"]["lost"] < 6:
                time.sleep(0.05)
            code, said = end(running)
        assert code == 0
        assert "answers go on" in said
    finally:
        folder.unlink()
        if kept is not None:
            kept.rename(folder)


def test_stopping_finishes_what_is_in_flight(numbers: Champion) -> None:
    body = split(numbers.rows)
    with serving(numbers) as running, socket.create_connection(("127.0.0.1", running.port), timeout=60) as slow:
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        slow.sendall(head.encode() + b"\r\n\r\n" + body[:1000])
        assert running.health()["status"] == "ok", "half a body holds nobody up"
        running.process.send_signal(signal.SIGTERM)
        slow.sendall(body[1000:])
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        assert (answer.status, len(json.loads(answer.read())["predictions"])) == (200, len(numbers.rows))
        assert running.process.wait(timeout=300) == 0


def test_last_champion_is_served_while_the_registry_is_down(numbers: Champion) -> None:
    with serving(numbers) as running:
        wanted = running.predict(numbers.rows[:9])
    nobody = f"http://127.0.0.1:{free_port()}"
    with serving(numbers, server=nobody) as running:
        assert running.predict(numbers.rows[:9]) == wanted
        assert running.ask("GET", "/ping")[1]["x-model-version"] == "1"
        code, said = end(running)
    assert code == 0
    assert f"{nobody} does not answer. This is the last version known: {numbers.name} v1." in said


def test_registry_that_is_down_is_told_where_nothing_was_served_yet(numbers: Champion) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    done = trilho(
        numbers.folder, "serve", "--port", "0", "--model", f"models:/{numbers.name}@previous", server=nobody, code=1
    )
    assert "does not answer" in done.stderr


def test_bundle_on_disk_is_served_without_a_registry(numbers: Champion) -> None:
    for model in ("artifacts/model", "artifacts/model/bundle.tar"):
        with serving(numbers, "--model", model, server="http://127.0.0.1:1") as running:
            assert len(running.predict(numbers.rows[:2])) == 2


def test_unknown_alias_is_an_error_that_names_those_there_are(numbers: Champion) -> None:
    done = trilho(numbers.folder, "serve", "--model", f"models:/{numbers.name}@campion", server=numbers.server, code=1)
    assert "champion" in done.stderr


def test_other_machines_are_let_in_on_purpose_only(numbers: Champion) -> None:
    done = trilho(numbers.folder, "serve", "--port", "0", "--host", "0.0.0.0", server=numbers.server, code=2)
    assert "--insecure" in done.stderr
    assert done.stdout == ""
    with serving(numbers, "--host", "0.0.0.0", "--insecure") as running:
        assert running.health()["status"] == "ok"


def test_taken_port_is_an_error_at_once(numbers: Champion) -> None:
    with serving(numbers) as running:
        done = trilho(numbers.folder, "serve", "--port", str(running.port), server=numbers.server, code=1)
    assert "Another program listens there" in done.stderr


def test_monitor_is_quiet_on_training_rows_and_finds_moved_ones(words: Champion) -> None:
    with serving(words) as running:
        running.predict(words.rows)
        end(running)
    calm = trilho_json(words.folder, "monitor", server=words.server)
    assert (calm["drift"], calm["version"]) == (False, "1")
    assert calm["rows"] >= len(words.rows)
    with serving(words) as running:
        moved = words.rows.assign(age=words.rows["age"] + 100, plan="new", income=np.nan)
        for _ in range(3):
            running.predict(moved)
        end(running)
    found = trilho_json(words.folder, "monitor", server=words.server, code=4)
    assert {column["name"] for column in found["columns"] if column["moved"]} == {"age", "plan", "income"}
    shown = trilho(words.folder, "monitor", "--window", "1h", server=words.server, code=4).stdout
    assert f"{words.name} v1, the last 1h: {found['rows']} predictions" in shown
    assert "3 of 6 columns moved" in shown
    few = ["--set", "monitor.drift.min_rows=1000000"]
    assert trilho_json(words.folder, "monitor", *few, server=words.server)["drift"] is None
    assert "1000000 predictions are needed" in trilho(words.folder, "monitor", *few, server=words.server).stdout


def test_file_is_scored_with_the_champion(words: Champion, tmp_path: Path) -> None:
    out = tmp_path / "scored.csv"
    done = trilho(words.folder, "score", "rows.csv", "-o", str(out), server=words.server)
    assert f"400 rows by {words.name} v1" in done.stdout
    found = pd.read_csv(out)
    assert found["prediction"].tolist() == words.predictor.predict_frame(words.rows).labels.tolist()
    assert set(found["model_version"]) == {1}


@pytest.fixture(scope="module")
def mlflow_models_serve(words: Champion, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of MLflow's own server with the same version."""
    port = free_port()
    log = tmp_path_factory.mktemp("log") / "server.log"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{words.name}@champion"]
    command += ["--env-manager", "local", "-p", str(port)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment(words.server, PATH=path), stdout=out, stderr=out)
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", process, log)
        yield port
    finally:
        stop(process)


def bodies(rows: pd.DataFrame) -> dict[str, tuple[str, bytes]]:
    """Name → content type and body: what clients send, whole and broken."""
    plain = rows[:4].astype(object).where(rows[:4].notna(), None)
    table = plain.to_dict(orient="split", index=False)
    records = plain.to_dict(orient="records")
    short = [{name: value for name, value in record.items() if name != "age"} for record in records]
    whole = {
        "split": {"dataframe_split": table},
        "split with an index": {"dataframe_split": {**table, "index": [5, 6, 7, 8]}},
        "records": {"dataframe_records": records},
        "inputs by column": {"inputs": plain.to_dict(orient="list")},
        "inputs as records": {"inputs": records},
        "instances": {"instances": records},
        "reordered": {"dataframe_records": [dict(reversed(list(record.items()))) for record in records]},
        "column too many": {"dataframe_records": [{**record, "more": 1} for record in records]},
        "number in quotes": {"dataframe_records": [{**record, "age": "41"} for record in records]},
        "unknown category": {"dataframe_records": [{**record, "city": "Atlantis"} for record in records]},
        "other keys": {"dataframe_records": records, "params": None, "more": 3},
        "column missing": {"dataframe_records": short},
        "text for a number": {"dataframe_records": [{**record, "income": "much"} for record in records]},
        "no key": {"columns": [], "data": []},
        "two keys": {"dataframe_records": records, "inputs": records},
        "records of numbers": {"dataframe_records": [1, 2]},
        "split as a list": {"dataframe_split": [[1]]},
        "lengths differ": {"dataframe_split": {"columns": table["columns"], "data": [[1]]}},
        "a list": [1, 2],
    }
    found = {name: ("application/json", json.dumps(value).encode()) for name, value in whole.items()}
    return {
        **found,
        "csv": ("text/csv", rows[:4].to_csv(index=False).encode()),
        "broken json": ("application/json", b'{"dataframe_split": '),
        "other charset": ("application/json; charset=latin-1", found["split"][1]),
        "other parameter": ("application/json; odata=verbose", found["split"][1]),
        "other type": ("text/plain", found["split"][1]),
    }


def test_answers_are_those_of_mlflow_models_serve(words: Champion, mlflow_models_serve: int) -> None:
    wrong = {}
    answered = 0
    with serving(words) as running:
        theirs = Running(running.process, mlflow_models_serve, "")
        for name, (kind, body) in bodies(words.rows).items():
            mine, _, said = running.ask("POST", "/invocations", body, {"Content-Type": kind})
            wanted, _, told = theirs.ask("POST", "/invocations", body, {"Content-Type": kind})
            same = mine == wanted and (wanted != 200 or json.loads(said) == json.loads(told))
            answered += wanted == 200
            if wanted == 400:
                same = same and {"error_code", "message"} <= set(json.loads(said))
            if not same:
                wrong[name] = (mine, said[:300], wanted, told[:300])
        for path in ("/ping", "/version"):
            assert running.ask("GET", path)[::2] == theirs.ask("GET", path)[::2]
    assert wrong == {}
    assert answered >= 8, "the table is no comparison of refusals alone"
