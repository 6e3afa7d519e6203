"""Artifacts that fail on a path, and models whose files are gone."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MissingConfigException, MlflowException

from integration.doctor.conftest import Diagnose, PlainServers, in_trouble, python, train
from small_disk import small_disk

# Runs as root give up their rights once everything is imported: a user's own process has none to begin with.
NOBODY = """
import os
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def with_paths(start_mlflow: PlainServers, folder: Path) -> str:
    """A server that hands out paths of its container, as in MLFLOW_DEFAULT_ARTIFACT_ROOT=file:///mlruns/artifacts."""
    return start_mlflow(folder, "--default-artifact-root", "file:///mlruns/artifacts")


def logged(client: mlflow.MlflowClient, experiment: str) -> str:
    """A finished run with a metric."""
    found = client.get_experiment_by_name(experiment)
    number = found.experiment_id if found else client.create_experiment(experiment)
    run = client.create_run(number)
    client.log_metric(run.info.run_id, "f1", 0.9)
    client.set_terminated(run.info.run_id)
    run_id: str = run.info.run_id
    return run_id


@pytest.mark.skipif(sys.platform == "win32", reason="paths of Linux containers")
def test_permission_denied_on_the_servers_path_is_named(with_paths: str, diagnose: Diagnose, tmp_path: Path) -> None:
    run_id = logged(mlflow.MlflowClient(with_paths), "churn")
    script = f"""
import mlflow, mlflow.artifacts, mlflow.store.artifact.local_artifact_repo
client = mlflow.MlflowClient({with_paths!r})
client.get_run({run_id!r})
{NOBODY}
client.log_dict({run_id!r}, {{}}, "a.json")
"""
    said = python(script, folder=tmp_path, MLFLOW_DISABLE_TELEMETRY="true").stderr
    assert "PermissionError: [Errno 13] Permission denied: '/mlruns'" in said

    # The same user asks doctor.
    script = f"""
import os
from pathlib import Path
from trilho.platform.doctor import CHECKS, Site, examine
chosen = [check for check in CHECKS if check.name in ("artifact-roots", "artifacts-unwritable")]
import http.client, ssl, encodings.idna, getpass, pwd, urllib.request
{NOBODY}
site = Site(root=Path("/"), tracking_uri={with_paths!r}, environment={{}})
for finding in examine(site, chosen):
    print(finding.name, finding.state, finding.measured, finding.remedy)
"""
    told = python(script, folder=tmp_path, HOME="/nonexistent").stdout
    assert "artifacts-unwritable trouble" in told
    assert "/mlruns/artifacts/" in told
    assert "'/' is not writable for" in told
    assert "doctor --fix" in told


@pytest.mark.skipif(sys.platform == "win32", reason="paths of Linux containers")
def test_read_only_path_of_an_experiment_is_named(
    start_mlflow: PlainServers, diagnose: Diagnose, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "mlruns", "ro,size=256k") as place:
        address = start_mlflow(tmp_path, "--default-artifact-root", place.as_uri())
        run_id = logged(mlflow.MlflowClient(address), "churn")
        with pytest.raises(OSError, match=rf"\[Errno 30\] Read-only file system: '{place}/1'"):
            mlflow.MlflowClient(address).log_dict(run_id, {}, "a.json")
        found = diagnose(tracking_uri=address)
        assert set(in_trouble(found)) == {"artifact-roots", "artifacts-unwritable"}
        assert f"'churn' (1 run) at {place.as_uri()}/1" in found["artifact-roots"].measured


def test_experiments_at_a_path_are_named_and_their_runs_counted(with_paths: str, diagnose: Diagnose) -> None:
    client = mlflow.MlflowClient(with_paths)
    for _ in range(3):
        logged(client, "counted")
    client.create_experiment("fine", artifact_location="mlflow-artifacts:/77")
    client.create_run(client.get_experiment_by_name("fine").experiment_id)
    found = diagnose(tracking_uri=with_paths)["artifact-roots"]
    assert found.state == "trouble"
    assert "'counted' (3 runs) at file:///mlruns/artifacts/" in found.measured
    assert "'fine'" not in found.measured
    total = len(client.search_experiments())
    assert f"{total - 1} of {total} experiments" in found.measured


def test_folder_that_is_in_the_way_is_named_before_the_server_fails_on_it(diagnose: Diagnose, tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("a file where the folder belongs", encoding="utf-8")
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        (tmp_path / "artifacts" / "1").mkdir(parents=True)
    found = diagnose(artifacts=str(tmp_path / "artifacts" / "1"))
    assert in_trouble(found) == ["artifacts-unwritable"]
    assert str(tmp_path / "artifacts") in found["artifacts-unwritable"].measured


def test_model_files_that_are_gone_are_named(start_mlflow: PlainServers, diagnose: Diagnose, tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    address = start_mlflow(tmp_path, "--artifacts-destination", str(artifacts))
    for _ in range(2):
        train(address, tmp_path)
    site = {"tracking_uri": address, "model": "churn", "experiment": "churn"}
    assert in_trouble(diagnose(**site)) == []
    version = mlflow.MlflowClient(address).get_model_version("churn", "2")
    shutil.rmtree(artifacts / "1" / "models" / version.source.removeprefix("models:/"))
    load = f"import mlflow\nmlflow.set_tracking_uri({address!r})\nmlflow.pyfunc.load_model('models:/churn/2')"
    assert 'Could not find an "MLmodel" configuration file' in python(load, folder=tmp_path).stderr
    found = diagnose(**site)
    assert in_trouble(found) == ["model-files"]
    assert found["model-files"].measured.startswith(
        "1 of 2 versions without model files: churn v2 at mlflow-artifacts:/1"
    )


def test_missing_config_of_a_file_store_is_named(
    diagnose: Diagnose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of old set-ups, where the store itself is a folder of yaml files."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.chdir(tmp_path)
    client = mlflow.MlflowClient((tmp_path / "mlruns").as_uri())
    experiment = client.create_experiment("churn")
    run = client.create_run(experiment)
    model = client.create_logged_model(experiment, name="model", source_run_id=run.info.run_id)
    meta = tmp_path / "mlruns" / experiment / "models" / model.model_id / "meta.yaml"
    meta.unlink()
    with pytest.raises(MissingConfigException, match=rf"Yaml file '.*{model.model_id}/meta\.yaml' does not exist"):
        client.get_logged_model(model.model_id)
    found = diagnose()
    assert in_trouble(found) == ["file-store"]
    assert "1 model folder without its meta.yaml" in found["file-store"].measured


def test_file_store_beside_a_server_is_named(
    with_paths: str, diagnose: Diagnose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MlflowException, match="is in maintenance mode and will not receive further updates"):
        mlflow.MlflowClient((tmp_path / "mlruns").as_uri()).search_experiments()
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    left = mlflow.MlflowClient((tmp_path / "mlruns").as_uri())
    experiment = left.create_experiment("left behind")
    for _ in range(2):
        left.create_run(experiment)
    found = diagnose(tracking_uri=with_paths)["file-store"]
    assert found.state == "trouble"
    assert "2 runs" in found.measured
    assert f"The server at {with_paths} does not show them" in found.measured
    assert f"mlflow migrate-filestore --source {tmp_path}" in found.remedy


def test_address_that_is_a_folder_is_named(diagnose: Diagnose, tmp_path: Path) -> None:
    with pytest.raises(MlflowException, match="is in maintenance mode and will not receive further updates"):
        mlflow.MlflowClient("./mlruns").search_experiments()
    found = diagnose(tracking_uri="./mlruns")
    assert in_trouble(found) == ["file-store"]
    assert "MLFLOW_TRACKING_URI is ./mlruns" in found["file-store"].measured


def test_empty_folder_called_mlruns_is_no_file_store(diagnose: Diagnose, tmp_path: Path) -> None:
    (tmp_path / "mlruns" / ".trash").mkdir(parents=True)
    assert in_trouble(diagnose()) == []
