"""Old runs and versions go for good, rows and files; the champion answers after it as before."""

from __future__ import annotations

import io
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backups import files_of, log_runs, look
from command_line import environment, trilho, trilho_json, write_project
from conftest import start_mlflow, stop
from team_databases import PASSWORD, Database
from team_server import serving
from team_store import Store
from trilho.wire import connect

BUCKET = "cleared"
Sizes = Callable[[], dict[str, int]]


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[str, dict[str, str], Callable[[str], list[tuple[Any, ...]]], Sizes]]:
    """A server with three runs: its address, what a command is told, a look into its database and its artifacts."""
    if request.param == "sqlite":
        process, address = start_mlflow(tmp_path)
        told = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path}/mlflow.db"}
        told["MLFLOW_ARTIFACTS_DESTINATION"] = str(tmp_path / "artifacts")

        def sizes() -> dict[str, int]:
            folder = tmp_path / "artifacts"
            return {f.relative_to(folder).as_posix(): f.stat().st_size for f in folder.rglob("*") if f.is_file()}

        def ask(statement: str) -> list[tuple[Any, ...]]:
            import sqlite3
            from contextlib import closing

            with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
                return database.execute(statement).fetchall()

        try:
            log_runs(address)
            yield address, told, ask, sizes
        finally:
            stop(process)
        return
    database: Database = request.getfixturevalue(request.param)
    seaweed: Store = request.getfixturevalue("seaweed")
    uri, prefix = database.fresh(), secrets.token_hex(5)

    def stored() -> dict[str, int]:
        pages = seaweed.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    told = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{BUCKET}/{prefix}"}
    told |= seaweed.environment
    with serving(uri, told["MLFLOW_ARTIFACTS_DESTINATION"], **seaweed.environment) as running:
        log_runs(running.address)
        yield running.address, told, lambda statement: database.ask(statement, uri), stored


@pytest.mark.slow
def test_gc_deletes_for_good_what_is_old_and_nothing_else(
    server: tuple[str, dict[str, str], Callable[[str], list[tuple[Any, ...]]], Sizes], tmp_path: Path
) -> None:
    address, told, ask, sizes = server
    project = write_project(tmp_path / "project", "kept", {"experiment": "ação ✓"})
    with connect(address) as client:
        empty = client.post("runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"]
        client.post("runs/delete", {"run_id": empty})  # without any artifacts
    seen, before, runs = look(address), sizes(), ask("SELECT COUNT(*) FROM runs")[0][0]

    planned = trilho_json(project, "gc", "--keep", "1", server=address, **told)
    assert [each["version"] for each in planned["versions"]] == [1]
    assert planned["kept"] == [{"name": "kept", "version": 2, "why": "@champion"}]
    assert planned["deleted"] is False
    assert (look(address), sizes(), ask("SELECT COUNT(*) FROM runs")[0][0]) == (seen, before, runs), "only shown"

    done = trilho(project, "gc", "--keep", "1", "--yes", server=address, **told)
    assert PASSWORD not in done.stdout + done.stderr
    freed = sum(before.values()) - sum(sizes().values())
    assert freed == planned["bytes"] > 0
    assert f"{freed / 1e6:.1f} MB of artifacts; 1 versions, 2 runs, 1 models are gone." in done.stdout
    after = look(address)
    assert after["versions"] == [version for version in seen["versions"] if version[0] != "1"]
    assert (after["champion"], after["predicts"]) == (seen["champion"], seen["predicts"])
    assert after["runs"] == {run: found for run, found in seen["runs"].items() if found["stage"] == "active"}
    assert ask("SELECT COUNT(*) FROM runs")[0][0] == 2
    assert ask("SELECT COUNT(*) FROM logged_models")[0][0] == 2
    assert "is older than what is kept" in trilho(project, "gc", "--keep", "1", server=address, **told).stdout


@pytest.mark.slow
def test_gc_works_for_who_logged_in_and_takes_nothing_that_a_hidden_version_needs(
    mariadb: Database, tmp_path: Path
) -> None:
    pytest.importorskip("flask_wtf", reason='no forms for MLflow here: pip install "mlflow[auth]"')
    uri, folder, home = mariadb.fresh(), tmp_path / "artifacts", tmp_path / "home"
    home.mkdir()
    word = "correct horse battery"
    given = {"MLFLOW_AUTH_ADMIN_USERNAME": "ana", "MLFLOW_AUTH_ADMIN_PASSWORD": word}
    with serving(uri, str(folder), "--auth", **given) as running:
        ana, bob = ({"MLFLOW_TRACKING_USERNAME": who, "MLFLOW_TRACKING_PASSWORD": word} for who in ("ana", "bob"))
        with connect(running.address, environment=ana) as client:
            client.post("users/create", {"username": "bob", "password": word})
        with connect(running.address, environment=bob) as client:
            experiment = client.post("experiments/create", {"name": "of bob"})["experiment_id"]
            runs, places = [], []
            for when in range(3):
                made = client.post("runs/create", {"experiment_id": experiment, "start_time": when})["run"]["info"]
                runs.append(made["run_id"])
                client.post("runs/update", {"run_id": made["run_id"], "status": "FINISHED"})
                places.append(made["artifact_uri"].removeprefix("mlflow-artifacts:/") + "/made.txt")
                client.send_file(f"/api/2.0/mlflow-artifacts/artifacts/{places[-1]}", io.BytesIO(b"made"), 4)
        with connect(running.address, environment=ana) as client:
            client.post("registered-models/create", {"name": "hidden"})
            source = f"mlflow-artifacts:/{places[0]}"
            client.post("model-versions/create", {"name": "hidden", "source": source, "run_id": runs[0]})
        told = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_ARTIFACTS_DESTINATION": str(folder), "server": running.address}
        told |= {"HOME": str(home), "USERPROFILE": str(home)}
        gc = ("gc", "--keep", "1", "--all", "--yes")
        refused = trilho(tmp_path, *gc, code=1, **told)
        assert f"trilho login {running.address}" in refused.stderr
        assert sorted(files_of(folder)) == sorted(places)

        login = [sys.executable, "-m", "trilho.cli", "login", running.address, "--user", "bob", "--password-stdin"]
        env = environment(HOME=str(home), USERPROFILE=str(home))
        subprocess.run(login, input=f"{word}\n", text=True, env=env, check=True, cwd=tmp_path)
        assert "0 versions, 1 runs, 0 models are gone." in trilho(tmp_path, *gc, **told).stdout
        left = {found for (found,) in mariadb.ask("SELECT run_uuid FROM runs", uri)}
        assert left == {runs[0], runs[2]}, "the first is of a version that bob may not see"
        assert sorted(files_of(folder)) == sorted([places[0], places[2]])
