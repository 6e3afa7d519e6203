"""Where things are said to be, read from a project, options and environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from command_line import write_project
from trilho.platform.doctor import Site, site_of
from trilho.platform.doctor.local_path import local_path
from trilho.platform.doctor.site import addresses, named, without_user
from trilho.platform.tracking import database_path
from trilho.project import load


def test_project_that_never_ran_has_nothing_to_look_at(tmp_path: Path) -> None:
    project = load(write_project(tmp_path, "churn", {}), environment={})
    site = site_of(project, folder=tmp_path, environment={})
    assert (site.local, site.tracking_uri, site.database, site.artifacts) == (True, "", "", "")
    assert (site.model, site.experiment) == (project.register.name, project.experiment)


def test_local_project_is_looked_at_where_its_server_keeps_things(tmp_path: Path) -> None:
    project = load(write_project(tmp_path, "churn", {}), environment={})
    file = database_path(project.state_dir)
    file.parent.mkdir(parents=True)
    file.touch()
    site = site_of(project, folder=tmp_path, environment={})
    assert site.sqlite_file == file
    assert site.artifact_folder == file.parent / "artifacts"


def test_servers_machine_is_looked_at_by_the_names_that_its_server_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000",
        "MLFLOW_BACKEND_STORE_URI": "postgresql://team:secret@db/mlflow",
        "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow/",
        "PROMETHEUS_URL": "http://prometheus:9090",
    }
    site = site_of(None, folder=tmp_path, environment=environment)
    assert site.tracking_uri == "http://127.0.0.1:5000"
    assert (site.sqlite_file, site.artifact_folder) == (None, None)
    assert set(addresses(site)) == {"MLFLOW_TRACKING_URI", "PROMETHEUS_URL"}
    assert "secret" not in repr(site)
    monkeypatch.chdir(tmp_path)
    chosen = site_of(None, folder=Path(), environment=environment, backend_store_uri="sqlite:///own.db")
    assert chosen.sqlite_file == tmp_path / "own.db"


def test_named_places_begin_where_the_command_runs_and_the_projects_own_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load(write_project(tmp_path / "churn", "churn", {}), environment={})
    (tmp_path / "server").mkdir()
    monkeypatch.chdir(tmp_path / "server")
    named = {"MLFLOW_BACKEND_STORE_URI": "sqlite:///a/mlflow.db", "MLFLOW_ARTIFACTS_DESTINATION": "./mlartifacts"}
    for known in (project, None):  # as for trilho backup
        site = site_of(known, folder=tmp_path / "churn", environment=named)
        assert site.sqlite_file == tmp_path / "server" / "a" / "mlflow.db"
        assert site.artifact_folder == tmp_path / "server" / "mlartifacts"
        assert site.root == tmp_path / "churn"
    file = database_path(project.state_dir)
    file.parent.mkdir(parents=True)
    file.touch()
    assert site_of(project, folder=tmp_path / "churn", environment={}).sqlite_file == file


def test_places_are_relative_to_the_folder_that_is_looked_at(tmp_path: Path) -> None:
    site = Site(root=tmp_path, database="sqlite:///a/mlflow.db?timeout=5", artifacts="file:///srv/artifacts")
    assert site.sqlite_file == tmp_path / "a" / "mlflow.db"
    assert site.artifact_folder == Path("/srv/artifacts")
    assert Site(root=tmp_path, artifacts="./mlartifacts").artifact_folder == tmp_path / "mlartifacts"
    assert Site(root=tmp_path, artifacts="file:///srv/my%20artifacts").artifact_folder == Path("/srv/my artifacts")
    drive = Site(root=tmp_path, artifacts="C:\\mlartifacts").artifact_folder
    assert drive == (Path("C:\\mlartifacts") if sys.platform == "win32" else None)  # a drive is no scheme


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("file:///mlruns/artifacts/1", Path("/mlruns/artifacts/1")),
        ("file:///home/ana/my%20runs/1", Path("/home/ana/my runs/1")),
        ("/mlruns/1", Path("/mlruns/1")),
        ("./mlruns/1", Path("mlruns/1")),
        ("C:\\mlruns\\1", Path("C:\\mlruns\\1")),
        ("file:///C:/mlruns/1", Path("C:/mlruns/1")),
        ("mlflow-artifacts:/1", None),
        ("mlflow-artifacts://mlflow:5000/1", None),
        ("s3://mlflow/1", None),
        ("", None),
    ],
)
def test_locations_that_are_paths_are_told_from_others(location: str, path: Path | None) -> None:
    assert local_path(location) == path


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("mysql://team:ge%2Fheim@db:3306/mlflow", "db"),
        ("mysql://team:ge/heim@db:3306/mlflow", "db"),  # SQLAlchemy takes it, and the host is not "team"
        ("postgresql://db/mlflow", "db"),
        ("postgresql://team:[1@db/mlflow", "db"),
        ("postgresql://[::1", ""),
        ("sqlite:///ana@home/mlflow.db", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_database_is_found_behind_any_password(address: str, host: str) -> None:
    assert Site(root=Path(), database=address).database_host == host


@pytest.mark.parametrize("address", ["http://[::1", "http://localhost:abc", "http://", "http://ana:ge/heim1@host", "x"])
def test_what_is_no_address_of_a_server_is_none_to_ask(address: str) -> None:
    assert addresses(Site(root=Path(), environment={"PROMETHEUS_URL": address}, tracking_uri=address)) == {}


def test_addresses_are_shown_without_user_and_filters_quoted() -> None:
    assert without_user("http://ana:secret@mlflow:5000/x") == "http://mlflow:5000/x"
    assert without_user("http://mlflow:5000") == "http://mlflow:5000"
    assert without_user("") == ""
    assert (named("churn"), named("o'connor")) == ("name = 'churn'", 'name = "o\'connor"')
