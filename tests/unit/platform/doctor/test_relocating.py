"""Artifact locations put behind the server while that server goes on: what came after the plan is not cut off."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trilho.platform.doctor import Site, plan_relocation, relocate

TABLES = """
CREATE TABLE alembic_version (version_num TEXT);
CREATE TABLE registered_models (name TEXT);
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT);
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, experiment_id INTEGER, artifact_uri TEXT);
CREATE TABLE logged_models (model_id TEXT PRIMARY KEY, experiment_id INTEGER, artifact_location TEXT);
CREATE TABLE model_versions (name TEXT, version INTEGER, source TEXT, storage_location TEXT, current_stage TEXT);
CREATE TABLE trace_info (request_id TEXT PRIMARY KEY, experiment_id INTEGER);
CREATE TABLE trace_tags (request_id TEXT, key TEXT, value TEXT);
"""
LOCATIONS = """
SELECT artifact_uri FROM runs
UNION ALL SELECT artifact_location FROM logged_models UNION ALL SELECT source FROM model_versions
UNION ALL SELECT storage_location FROM model_versions UNION ALL SELECT value FROM trace_tags
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An experiment at the path old/1, with the run r1 and its file."""
    found = Site(
        root=tmp_path,
        environment={},
        database=f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}",
        artifacts=str(tmp_path / "new"),
    )
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        database.executescript(TABLES)
        database.execute("INSERT INTO experiments VALUES (1, 'churn', ?)", [f"{tmp_path}/old/1"])
    begin(found, "r1")
    return found


def begin(site: Site, name: str) -> None:
    """A run, its model, a version of that and a trace, each with a file where the experiment keeps its artifacts."""
    old = f"{site.root}/old/1"
    places = [f"{old}/{name}/artifacts", f"{old}/models/{name}/artifacts", f"{old}/traces/{name}/artifacts"]
    for place in places:
        Path(place).mkdir(parents=True)
        (Path(place) / "file.txt").write_text(name, encoding="utf-8")
    run, model, trace = places
    with closing(sqlite3.connect(site.root / "mlflow.db")) as database, database:
        database.execute("INSERT INTO runs VALUES (?, 1, ?)", [name, run])
        database.execute("INSERT INTO logged_models VALUES (?, 1, ?)", [name, model])
        database.execute("INSERT INTO model_versions VALUES (?, 1, ?, ?, NULL)", [name, f"{run}/model", model])
        database.execute("INSERT INTO trace_info VALUES (?, 1)", [name])
        database.execute("INSERT INTO trace_tags VALUES (?, 'mlflow.artifactLocation', ?)", [name, trace])


def experiment(site: Site) -> str:
    with closing(sqlite3.connect(site.root / "mlflow.db")) as database:
        return str(database.execute("SELECT artifact_location FROM experiments").fetchone()[0])


def locations(site: Site, name: str) -> list[str]:
    """Those in the database that have `name` in them."""
    with closing(sqlite3.connect(site.root / "mlflow.db")) as database:
        return [location for (location,) in database.execute(LOCATIONS) if f"/{name}" in location]


def test_what_begins_while_it_copies_keeps_its_old_places_and_the_next_time_comes_along(site: Site) -> None:
    def meanwhile(said: str) -> None:
        if said == "Rewriting locations":
            begin(site, "r2")

    relocate(plan_relocation(site), backup_in=site.root, say=meanwhile)
    assert experiment(site) == "mlflow-artifacts:/1"
    assert [place.startswith("mlflow-artifacts:/1/") for place in locations(site, "r1")] == [True] * 5
    assert [place.startswith(f"{site.root}/old/1/") for place in locations(site, "r2")] == [True] * 5
    assert not list((site.root / "new").rglob("*r2*"))

    relocate(plan_relocation(site), backup_in=site.root)
    assert [place.startswith("mlflow-artifacts:/1/") for place in locations(site, "r2")] == [True] * 5
    copies = [file for file in (site.root / "new").rglob("file.txt") if file.read_text(encoding="utf-8") == "r2"]
    assert len(copies) == 3


def test_a_version_made_meanwhile_from_a_run_that_goes_goes_with_it(site: Site) -> None:
    old = f"{site.root}/old/1/r1/artifacts/late"

    def meanwhile(said: str) -> None:
        if said == "Rewriting locations":
            Path(old).mkdir()
            (Path(old) / "MLmodel").write_text("flavors: {}", encoding="utf-8")
            with closing(sqlite3.connect(site.root / "mlflow.db")) as database, database:
                database.execute("INSERT INTO model_versions VALUES ('late', 1, ?, ?, NULL)", [old, old])

    relocate(plan_relocation(site), backup_in=site.root, say=meanwhile)
    assert locations(site, "r1/artifacts/late") == ["mlflow-artifacts:/1/r1/artifacts/late"] * 2
    assert (site.root / "new" / "1" / "r1" / "artifacts" / "late" / "MLmodel").is_file()
