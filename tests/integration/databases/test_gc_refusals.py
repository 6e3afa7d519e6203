"""What gc keeps although it was deleted on MLflow's page, and where it stops before anything is changed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backups import at, files_of, log_runs, look
from command_line import trilho, trilho_json, write_project
from conftest import free_port, start_mlflow, stop
from small_disk import small_disk
from team_databases import PASSWORD, USER
from trilho.wire import connect

pytestmark = pytest.mark.xdist_group("gc")  # what its server holds is logged once


@dataclass
class Server:
    """A plain MLflow server over SQLite and a folder; it holds what `log_runs` logs."""

    address: str
    folder: Path
    project: Path

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "mlflow.db")) as database, database:
            return database.execute(statement).fetchall()

    def files(self) -> dict[str, bytes]:
        return files_of(self.folder / "artifacts")

    def version(self, number: int) -> dict[str, Any]:
        with connect(self.address) as client:
            asked = {"name": "kept", "version": str(number)}
            found: dict[str, Any] = client.get("model-versions/get", asked)["model_version"]
        return found


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a server that was stopped left in its folder."""
    folder = tmp_path_factory.mktemp("logged")
    process, address = start_mlflow(folder)
    try:
        log_runs(address)
    finally:
        stop(process)
    return folder


@pytest.fixture
def server(logged: Path, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    shutil.copytree(logged, folder)
    process, address = start_mlflow(folder)
    try:
        yield Server(address, folder, write_project(tmp_path / "project", "kept", {"experiment": "ação ✓"}))
    finally:
        stop(process)


@pytest.mark.slow
def test_a_champions_model_deleted_on_the_page_stays_and_others_go(server: Server) -> None:
    used, other = (server.version(number)["source"].removeprefix("models:/") for number in (2, 1))
    seen = look(server.address)
    with connect(server.address) as client:
        for model in (used, other):
            client.delete(f"logged-models/{model}", {})
    planned = trilho_json(server.project, "gc", "--keep", "1", server=server.address, **at(server.folder))
    assert planned["deleted_before"]["models"] == [other]
    assert planned["deleted_before_but_kept"] == [{"kind": "model", "name": used, "why": "kept v2 needs it"}]

    before = {path: size for path, size in server.files().items() if used in path}
    shown = trilho(server.project, "gc", "--keep", "1", "--yes", server=server.address, **at(server.folder)).stdout
    assert f"{used} was deleted in MLflow, but kept v2 needs it" in shown
    assert {path: size for path, size in server.files().items() if used in path} == before != {}
    assert not [path for path in server.files() if other in path]
    after = look(server.address)
    assert (after["champion"], after["predicts"]) == (seen["champion"], seen["predicts"])
    again = trilho(server.project, "gc", "--keep", "1", server=server.address, **at(server.folder)).stdout
    assert "is older than what is kept" in again


@pytest.mark.slow
def test_only_a_model_deleted_before_is_counted_and_said_to_be_gone(server: Server, tmp_path: Path) -> None:
    """On a server's machine: no project, all experiments."""
    known = {"server": server.address, **at(server.folder)}
    trilho(tmp_path, "gc", "--keep", "9", "--all", "--yes", **known)  # the run that log_runs deleted
    with connect(server.address) as client:
        made = client.post("logged-models", {"experiment_id": "0", "name": "alone"})["model"]["info"]
        client.delete(f"logged-models/{made['model_id']}", {})
    place = server.folder / "artifacts" / made["artifact_uri"].removeprefix("mlflow-artifacts:/")
    place.mkdir(parents=True)
    (place / "weights").write_bytes(bytes(300_000))
    shown = trilho(tmp_path, "gc", "--keep", "9", "--all", **known).stdout
    assert f"1 models deleted in MLflow, still take up room: {made['model_id']}" in " ".join(shown.split())
    assert "Would free 0.3 MB" in shown
    assert "Do it      trilho gc --keep 9 --all --yes " in shown
    done = trilho(tmp_path, "gc", "--keep", "9", "--all", "--yes", **known).stdout
    assert "0.3 MB of artifacts; 0 versions, 0 runs, 1 models are gone." in done
    assert "is older" not in done
    assert not place.exists()
    assert "trilho.yaml" in trilho(tmp_path, "gc", "--keep", "9", code=2, **known).stderr, "whose, without --all?"


@pytest.mark.slow
def test_the_champions_experiment_deleted_on_the_page_stays_and_others_go(server: Server) -> None:
    with connect(server.address) as client:
        empty = client.post("experiments/create", {"name": "away"})["experiment_id"]
        client.post("runs/create", {"experiment_id": empty, "start_time": 1})
        for experiment in (empty, server.ask("SELECT experiment_id FROM experiments WHERE name LIKE 'a_%o%'")[0][0]):
            client.post("experiments/delete", {"experiment_id": str(experiment)})
    champion = server.version(2)["run_id"]
    rows = [
        f"SELECT * FROM {table} WHERE {column} = '{champion}' ORDER BY 1, 2"
        for table, column in (("runs", "run_uuid"), ("metrics", "run_uuid"), ("params", "run_uuid"))
    ]
    rows.append(f"SELECT * FROM logged_models WHERE source_run_id = '{champion}'")
    before, answers = [server.ask(each) for each in rows], look(server.address)["predicts"]

    done = trilho(server.project, "gc", "--keep", "1", "--yes", server=server.address, **at(server.folder)).stdout
    assert f"{champion} was deleted in MLflow, but kept v2 needs it" in done
    assert "ação ✓ was deleted in MLflow, but run" in done
    assert all(before)
    assert [server.ask(each) for each in rows] == before
    assert look(server.address)["predicts"] == answers
    assert server.ask("SELECT name FROM experiments ORDER BY name") == [("Default",), ("ação ✓",)]
    assert server.ask("SELECT COUNT(*) FROM runs") == [(2,)], "those of versions 2 and 3"


@pytest.mark.slow
def test_a_version_that_only_names_a_place_keeps_the_run_whose_place_it_is(server: Server) -> None:
    run = server.version(1)["run_id"]
    with connect(server.address) as client:
        place = client.get("runs/get", {"run_id": run})["run"]["info"]["artifact_uri"]
        client.post("registered-models/create", {"name": "by hand"})
        client.post("model-versions/create", {"name": "by hand", "source": f"{place}/notes", "run_id": run})
    server.ask("UPDATE model_versions SET run_id = NULL WHERE name = 'by hand'")  # as MLflow took it, once
    before = {path: content for path, content in server.files().items() if run in path}
    trilho(server.project, "gc", "--keep", "1", "--yes", server=server.address, **at(server.folder))
    assert {path: content for path, content in server.files().items() if run in path} == before != {}


@pytest.mark.slow
def test_a_copy_of_the_database_is_refused_before_anything_is_changed(server: Server, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(server.folder / "mlflow.db", copy)
    active = server.version(1)["run_id"]
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = 1 WHERE run_uuid = ?", (active,))
    tables = ("runs", "logged_models", "model_versions", "experiments", "experiment_tags")
    seen = [server.ask(f"SELECT * FROM {table}") for table in tables]
    files, copied = server.files(), copy.read_bytes()
    told = {**at(server.folder), "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{copy}"}
    refused = trilho(server.project, "gc", "--keep", "1", "--all", "--yes", server=server.address, code=1, **told)
    assert "is not that of the server" in refused.stderr
    assert "Nothing was changed." in refused.stderr
    assert [server.ask(f"SELECT * FROM {table}") for table in tables] == seen
    assert server.files() == files
    assert copy.read_bytes() == copied


@pytest.mark.slow
def test_a_database_that_is_not_there_is_said_before_anything_is_changed(server: Server, tmp_path: Path) -> None:
    from sqlalchemy.engine import URL

    seen, files = look(server.address), server.files()
    for kind in ("mysql", "postgresql", "sqlite"):
        place = URL.create(kind, USER, PASSWORD, "127.0.0.1", free_port(), "mlflow")
        uri = f"sqlite:///{tmp_path}/no.db" if kind == "sqlite" else place.render_as_string(hide_password=False)
        told = {**at(server.folder), "MLFLOW_BACKEND_STORE_URI": uri}
        refused = trilho(server.project, "gc", "--keep", "1", "--yes", server=server.address, code=1, **told)
        assert "cannot be used" in refused.stderr
        assert PASSWORD not in refused.stderr
        assert len(refused.stderr.strip().splitlines()) <= 4, "no warnings of tries that go on"
    assert (look(server.address), server.files()) == (seen, files)
    assert not (tmp_path / "no.db").exists()


@pytest.mark.slow
def test_where_a_file_cannot_be_removed_the_error_says_what_is_gone_and_the_same_command_goes_on(
    server: Server, tmp_path: Path
) -> None:
    model = server.version(1)["source"].removeprefix("models:/")
    (place,) = {path.parent for path in (server.folder / "artifacts").rglob("MLmodel") if model in path.as_posix()}
    told = {"server": server.address, **at(server.folder)}
    with small_disk(place / "busy", "size=1m"):
        failed = trilho(server.project, "gc", "--keep", "1", "--yes", code=1, **told)
        assert f"The model {model} could not be removed. Gone are 1 versions, 0 models and 0 runs." in failed.stderr
        assert "Traceback" not in failed.stderr
        assert server.ask("SELECT COUNT(*) FROM runs") == [(3,)]
        assert server.ask("SELECT COUNT(*) FROM runs WHERE lifecycle_stage = 'deleted'") == [(1,)], "as before"
    trilho(server.project, "gc", "--keep", "1", "--yes", **told)
    assert server.ask("SELECT COUNT(*) FROM runs") == [(2,)]
    assert not [path for path in server.files() if model in path]
