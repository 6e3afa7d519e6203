"""doctor --fix: what a plain server with a path as its root wrote is read through the server afterwards."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import mlflow
import pytest

from command_line import trilho, trilho_json
from integration.doctor.conftest import Diagnose, PlainServers, in_trouble, python, train
from team_databases import PASSWORD, Database
from team_store import Store
from trilho.errors import BackupFailed
from trilho.platform.doctor import Site, plan_relocation, relocate


def all_is_there(address: str, run_id: str, folder: Path) -> None:
    """Everything that `train` logged comes back, and through the server."""
    client = mlflow.MlflowClient(address)
    run = client.get_run(run_id)
    assert run.info.artifact_uri == f"mlflow-artifacts:/{run.info.experiment_id}/{run_id}/artifacts"
    assert [found.path for found in client.list_artifacts(run_id, "notes")] == ["notes/a.txt"]
    assert client.get_model_version_download_uri("churn", "1").startswith("mlflow-artifacts:/")
    load = f"""
import mlflow
mlflow.set_tracking_uri({address!r})
print(mlflow.artifacts.load_text({run.info.artifact_uri + "/notes/a.txt"!r}))
print(mlflow.pyfunc.load_model("models:/churn/1").predict([[0.0], [1.0]]).tolist())
"""
    done = python(load, folder=folder)
    assert done.stdout.splitlines() == ["a note", "[0, 1]"], done.stderr
    new = client.create_run(run.info.experiment_id)
    client.log_text(new.info.run_id, "new", "new.txt")
    assert [found.path for found in client.list_artifacts(new.info.run_id)] == ["new.txt"]
    assert new.info.artifact_uri.startswith("mlflow-artifacts:/")


def locations(file: Path) -> list[str]:
    """Every location in the database."""
    with closing(sqlite3.connect(file)) as database:
        return [
            row[0]
            for query in (
                "SELECT artifact_location FROM experiments ORDER BY experiment_id",
                "SELECT artifact_uri FROM runs ORDER BY run_uuid",
                "SELECT artifact_location FROM logged_models",
                "SELECT storage_location FROM model_versions",
                "SELECT value FROM trace_tags WHERE key = 'mlflow.artifactLocation'",
            )
            for row in database.execute(query)
        ]


def test_what_a_server_with_a_path_as_root_wrote_is_read_through_the_server(
    start_mlflow: PlainServers, diagnose: Diagnose, tmp_path: Path
) -> None:
    old, database, new = tmp_path / "old root", tmp_path / "mlflow.db", tmp_path / "artifacts"
    address = start_mlflow(tmp_path, "--default-artifact-root", old.as_uri())
    run_id = train(address, tmp_path)
    found = diagnose(tracking_uri=address)
    assert in_trouble(found) == ["artifact-roots"]
    assert "2 of 2 experiments" in found["artifact-roots"].measured
    assert f"'churn' (1 run) at {old.as_uri()}/1" in found["artifact-roots"].measured
    start_mlflow.stop(address)

    places = ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(new)]
    before = locations(database)
    shown = trilho(tmp_path, "doctor", "--fix", *places, code=1)
    assert f"{old.as_uri()}/1 → mlflow-artifacts:/1" in shown.stdout
    assert "--yes" in shown.stdout
    assert locations(database) == before  # nothing was done yet
    assert not new.exists()

    done = trilho_json(tmp_path, "doctor", "--fix", "--yes", *places)["relocation"]["done"]
    assert all(place.startswith("mlflow-artifacts:/") for place in locations(database))
    backup = Path(done["backup"])
    assert locations(backup / "database.sqlite") == before
    assert json.loads((backup / "moves.json").read_text())[f"{old.as_uri()}/1"] == "mlflow-artifacts:/1"

    address = start_mlflow(tmp_path, "--artifacts-destination", str(new))
    all_is_there(address, run_id, tmp_path)
    site = {"tracking_uri": address, "database": f"sqlite:///{database}", "artifacts": str(new)}
    assert in_trouble(diagnose(**site)) == []
    assert "Nothing to fix" in trilho(tmp_path, "doctor", "--fix", *places).stdout


def test_files_of_a_container_are_found_where_they_are_on_this_machine(
    start_mlflow: PlainServers, tmp_path: Path
) -> None:
    inside, volume, database = tmp_path / "inside", tmp_path / "volume", tmp_path / "mlflow.db"
    address = start_mlflow(tmp_path, "--default-artifact-root", (inside / "artifacts").as_uri())
    run_id = train(address, tmp_path)
    start_mlflow.stop(address)
    inside.rename(volume)  # from here on this machine is the host: the path in the database is the container's

    places = ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(volume / "artifacts")]
    before = locations(database)
    refused = trilho(tmp_path, "doctor", "--fix", "--yes", *places, code=1)
    assert f"1 run without files here: {(inside / 'artifacts').as_uri()}/1/{run_id}/artifacts" in refused.stdout
    assert "--files OLD=NEW" in refused.stdout
    assert locations(database)[1:] == before[1:]  # MLflow's empty default experiment needs no files

    trilho(tmp_path, "doctor", "--fix", "--yes", "--files", f"{inside}={volume}", *places)
    address = start_mlflow(tmp_path, "--artifacts-destination", str(volume / "artifacts"))
    all_is_there(address, run_id, tmp_path)


def test_links_to_the_destination_are_known_as_the_same_files(start_mlflow: PlainServers, tmp_path: Path) -> None:
    new, database = tmp_path / "artifacts", tmp_path / "mlflow.db"
    new.mkdir()
    (tmp_path / "old").symlink_to(new, target_is_directory=True)
    address = start_mlflow(tmp_path, "--default-artifact-root", str(tmp_path / "old"))
    run_id = train(address, tmp_path)
    start_mlflow.stop(address)
    places = ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(new)]
    trilho(tmp_path, "doctor", "--fix", "--yes", *places)
    all_is_there(start_mlflow(tmp_path, "--artifacts-destination", str(new)), run_id, tmp_path)


def test_interrupted_before_the_rows_were_written_it_goes_on(start_mlflow: PlainServers, tmp_path: Path) -> None:
    old, database, new = tmp_path / "old", tmp_path / "mlflow.db", tmp_path / "artifacts"
    address = start_mlflow(tmp_path, "--default-artifact-root", str(old))
    run_id = train(address, tmp_path)
    start_mlflow.stop(address)
    places = ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(new)]
    site, before = Site(root=tmp_path, database=f"sqlite:///{database}", artifacts=str(new)), locations(database)
    with closing(sqlite3.connect(database)) as holder:

        def hold(said: str) -> None:  # who holds the database stops it there
            if said == "Rewriting locations":
                holder.execute("BEGIN IMMEDIATE")

        with pytest.raises(BackupFailed, match="database is locked"):
            relocate(plan_relocation(site), backup_in=tmp_path, say=hold)
        assert list(new.rglob("*.pkl"))
        said = trilho(tmp_path, "doctor", "--fix", "--yes", *places, code=1).stdout  # and it does not begin meanwhile
    assert "Left       database-locked:" in said
    assert locations(database) == before
    assert list(old.rglob("*.pkl"))  # still read from the old place
    trilho(tmp_path, "doctor", "--fix", "--yes", *places)
    shutil.rmtree(old)
    all_is_there(start_mlflow(tmp_path, "--artifacts-destination", str(new)), run_id, tmp_path)


@pytest.mark.parametrize("kind", ["mariadb", "postgres"])
def test_a_database_server_and_a_bucket(
    kind: str, start_mlflow: PlainServers, seaweed: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Database = request.getfixturevalue(kind)
    database, old, bucket = server.fresh(), tmp_path / "old", f"moved-{kind}"
    address = start_mlflow(tmp_path, "--default-artifact-root", str(old), database=database)
    run_id = train(address, tmp_path)
    start_mlflow.stop(address)
    seaweed.client().create_bucket(Bucket=bucket)
    known = {"MLFLOW_BACKEND_STORE_URI": database, "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{bucket}/team"}
    done = trilho(tmp_path, "doctor", "--fix", "--yes", **known, **seaweed.environment)
    assert PASSWORD not in done.stdout + done.stderr
    assert any(key.startswith(f"team/1/{run_id}/artifacts/notes") for key in seaweed.keys(bucket))
    shutil.rmtree(old)
    address = start_mlflow(
        tmp_path,
        *("--artifacts-destination", f"s3://{bucket}/team"),
        database=database,
        environment={**seaweed.environment, "AWS_DEFAULT_REGION": "us-east-1"},
    )
    all_is_there(address, run_id, tmp_path)


def test_where_nothing_is_named_it_says_what_it_needs(tmp_path: Path) -> None:
    done = trilho(tmp_path, "doctor", "--fix", code=1, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert "--backend-store-uri" in done.stdout
    assert "Left       server-unreachable" in done.stdout
    done = trilho(tmp_path, "doctor", "--fix", code=1, PROMETHEUS_URL="", MLFLOW_ARTIFACTS_DESTINATION=str(tmp_path))
    assert "--backend-store-uri" in done.stderr  # nothing else is to be told
    assert trilho(tmp_path, "doctor", "--yes", code=2, MLFLOW_TRACKING_URI="http://127.0.0.1:9").stdout == ""


def test_what_is_put_right_beside_a_damaged_database_is_told(tmp_path: Path) -> None:
    wrong = "http://0.0.0.0:9"
    (tmp_path / ".env").write_text(f"MLFLOW_TRACKING_URI={wrong}\n", encoding="utf-8")
    (tmp_path / "mlflow.db").write_text("no database at all" * 100, encoding="utf-8")
    places = ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "artifacts"]
    told = trilho_json(tmp_path, "doctor", "--fix", "--yes", *places, code=1, MLFLOW_TRACKING_URI=wrong)
    assert (tmp_path / ".env").read_text(encoding="utf-8") == "MLFLOW_TRACKING_URI=http://127.0.0.1:9\n"
    assert [fix["check"] for fix in told["fixes"]] == ["listening-address"]
    assert told["fixes"][0]["done"].startswith("Written")
    assert "database-damaged" in told["left"]
    assert "database-damaged" in told["relocation_waits"]
    assert told["error"] is None
