"""trilho deploy compose: what is written, for every combination, and what is left alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from docker_engine import compose_command, run
from documented import ROOT
from trilho.deploy import ComposePlan, write_compose
from trilho.errors import InvalidProject, UnknownName
from trilho.project import ProjectFile, load
from trilho.project.new import create

KINDS = list(product(("mysql", "postgres", "sqlite"), ("s3", "folder", "s3://team/models")))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectFile:
    folder = tmp_path_factory.mktemp("deploy") / "shop"
    create(folder)
    return load(folder)


def written(folder: Path, **plan: Any) -> dict[str, Any]:
    write_compose(folder, ComposePlan(**plan))
    found: dict[str, Any] = yaml.safe_load((folder / "compose.yml").read_text(encoding="utf-8"))
    return found


def settings(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize(("database", "artifacts"), KINDS)
def test_compose_takes_every_combination(tmp_path: Path, project: ProjectFile, database: str, artifacts: str) -> None:
    command = compose_command()
    for hosts, of in (((), project), (("mlflow.example.org",), project), ((), None)):
        folder = tmp_path / f"{len(hosts)}-{of is not None}"
        write_compose(folder, ComposePlan(database=database, artifacts=artifacts, hosts=hosts, project=of))
        run(command, "--profile", "training", "--profile", "monitoring", "config", "--quiet", cwd=folder)


@pytest.mark.parametrize(("database", "artifacts"), KINDS)
def test_only_what_is_asked_for_is_started(tmp_path: Path, project: ProjectFile, database: str, artifacts: str) -> None:
    services = written(tmp_path, database=database, artifacts=artifacts, project=project)["services"]
    assert ("db" in services) == (database != "sqlite")
    assert ("s3" in services) == (artifacts == "s3")
    waits = services["mlflow"].get("depends_on", {})
    assert set(waits) == {"db", "s3"} & set(services)
    assert all(how == {"condition": "service_healthy"} for how in waits.values())
    told = services["mlflow"]["environment"]
    assert told["MLFLOW_BACKEND_STORE_URI"].startswith(
        {"mysql": "mysql+pymysql://", "postgres": "postgresql+psycopg2://", "sqlite": "sqlite:////mlruns/"}[database]
    )
    assert (
        told["MLFLOW_ARTIFACTS_DESTINATION"]
        == {
            "s3": "s3://${AWS_BUCKET_NAME:?is missing in .env}/",
            "folder": "/mlruns/artifacts",
            "s3://team/models": "s3://team/models",
        }[artifacts]
    )


def test_the_database_is_on_the_internal_network_only_and_publishes_nothing(tmp_path: Path) -> None:
    for database in ("mysql", "postgres"):
        found = written(tmp_path / database, database=database)
        assert found["services"]["db"]["networks"] == ["internal"]
        assert "ports" not in found["services"]["db"]
        assert found["networks"]["internal"] == {"internal": True}


def test_who_asks_nobody_for_a_password_is_published_on_this_machine_only(tmp_path: Path, project: ProjectFile) -> None:
    services = written(tmp_path, project=project, hosts=("mlflow.example.org",))["services"]
    for name in ("prometheus", "alertmanager"):
        assert all(port.startswith("127.0.0.1:") for port in services[name]["ports"]), name


def test_monitoring_finds_its_parts_by_the_names_of_services(tmp_path: Path, project: ProjectFile) -> None:
    """None of them is in another's network: it would be cut off when the other one is started anew."""
    services = written(tmp_path, project=project)["services"]
    assert not [name for name, service in services.items() if "network_mode" in service]
    folder = tmp_path / "monitoring"
    settings = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))
    manager = settings["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    source = (folder / "grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8")
    assert manager == ["alertmanager:9093"]
    assert yaml.safe_load(source)["datasources"][0]["url"] == "http://prometheus:9090"


def test_prometheus_is_told_of_servers_that_are_there(tmp_path: Path, project: ProjectFile) -> None:
    for of, there in ((project, [{"targets": ["webapp:8000"]}]), (None, None)):
        folder = tmp_path / str(of is not None)
        written(folder, project=of)
        told = (folder / "monitoring/targets/model-server.yml").read_text(encoding="utf-8")
        assert yaml.safe_load(told) == there


def test_services_start_again_check_their_health_and_keep_what_they_have(tmp_path: Path, project: ProjectFile) -> None:
    found = written(tmp_path, project=project)
    images = (ROOT / "src/trilho/deploy/image/Dockerfile").read_text(encoding="utf-8")
    for name, service in found["services"].items():
        assert service["restart"] == ("no" if name == "training" else "unless-stopped"), name
        if "profiles" not in service:
            built = service.get("build", {}).get("target", "nothing")
            assert "healthcheck" in service or f"AS {built}\n" in images, name
    used = {volume.split(":")[0] for service in found["services"].values() for volume in service.get("volumes", ())}
    assert set(found["volumes"]) == {volume for volume in used if not volume.startswith((".", "$"))}


def test_files_that_are_mounted_are_there(tmp_path: Path, project: ProjectFile) -> None:
    found = written(tmp_path, project=project)
    for service in found["services"].values():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                assert (tmp_path / volume.split(":")[0]).exists(), volume
    told = (tmp_path / "monitoring/targets/mlflow-server.yml").read_text(encoding="utf-8")
    assert "mlflow:5000" in told
    assert (tmp_path / "settings/trilho.yaml").read_text(encoding="utf-8") == project.file.read_text(encoding="utf-8")


def test_ports_are_this_machines_until_a_name_is_given_and_guarded_then(tmp_path: Path, project: ProjectFile) -> None:
    written(tmp_path / "closed", project=project)
    closed = settings(tmp_path / "closed")
    assert (closed["PUBLISH"], closed["TRILHO_AUTH"], closed["TRILHO_API_KEYS"]) == ("127.0.0.1", "false", "")
    written(tmp_path / "open", project=project, hosts=("mlflow.example.org",))
    opened = settings(tmp_path / "open")
    assert (opened["PUBLISH"], opened["TRILHO_AUTH"]) == ("0.0.0.0", "true")
    assert opened["MLFLOW_SERVER_ALLOWED_HOSTS"] == "mlflow.example.org"
    assert len(opened["TRILHO_API_KEYS"]) == 40


def test_secrets_are_strong_each_another_and_in_no_file_but_env(tmp_path: Path, project: ProjectFile) -> None:
    written(tmp_path, project=project, hosts=("mlflow.example.org",))
    found = [value for value in settings(tmp_path).values() if re.fullmatch(r"[0-9a-f]{40}", value)]
    assert len(found) == len(set(found)) == 8
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != ".env":
            content = path.read_bytes()
            assert not [value for value in found if value.encode() in content], path
    written(tmp_path / "other", project=project)
    assert not set(found) & set(settings(tmp_path / "other").values())
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == ".env\nbackups/\n"


def test_who_strangers_reach_has_no_administrators_password(tmp_path: Path, project: ProjectFile) -> None:
    services = written(tmp_path, project=project, hosts=("mlflow.example.org",))["services"]
    assert "ADMIN" not in str(services["webapp"]["environment"])
    assert services["mlflow"]["environment"]["TRILHO_READER_PASSWORD"].startswith("${TRILHO_READER_PASSWORD:")


@pytest.mark.parametrize(
    ("source", "here", "there"),
    [
        ("../subscribers.csv", "../../subscribers.csv", "/subscribers.csv"),
        ("../../data/of $5/*.parquet", "../../../data/of $$5", "/data/of $$5"),
        ("{root}/data/subscribers.csv", "../data/subscribers.csv", "{root}/data/subscribers.csv"),
        ("data/subscribers.csv", None, None),
        ("sklearn:iris", None, None),
        ("package:function", None, None),
    ],
)
def test_data_outside_of_the_project_is_where_a_training_in_a_container_looks_for_it(
    tmp_path: Path, source: str, here: str | None, there: str | None
) -> None:
    folder = tmp_path / "a" / "shop"
    create(folder)
    settings = folder / "trilho.yaml"
    text = settings.read_text(encoding="utf-8")
    named = source.format(root=folder)
    settings.write_text(re.sub(r"source: [^\s,}]+", lambda _: f"source: '{named}'", text, count=1), encoding="utf-8")
    found = written(folder / "server", project=load(folder))["services"]["training"]["volumes"]
    mounts = [volume for volume in found if isinstance(volume, dict)]
    if here is None or there is None:
        assert not mounts
    else:
        assert [(mount["source"], mount["target"]) for mount in mounts] == [(here, there.format(root=folder))]
        assert mounts[0]["read_only"]
        assert not mounts[0]["bind"]["create_host_path"], "Docker makes no folder where a file is missing"


def test_a_host_may_be_an_address_and_its_name_counts(tmp_path: Path) -> None:
    written(tmp_path, hosts=("*.acme.lan", "http://MLflow.acme.lan:5000/", "10.1.2.3:5000"))
    assert settings(tmp_path)["MLFLOW_SERVER_ALLOWED_HOSTS"] == "*.acme.lan,mlflow.acme.lan,10.1.2.3"
    assert "http://mlflow.acme.lan:5000" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_images_are_built_with_the_versions_of_all_that_they_install(tmp_path: Path) -> None:
    written(tmp_path)
    lines = (tmp_path / "image/constraints.txt").read_text(encoding="utf-8").splitlines()
    found = dict(line.split("==") for line in lines if not line.startswith("#"))
    for name in ("mlflow", "alembic", "sqlalchemy", "pymysql", "psycopg2-binary", "boto3", "flask-wtf"):
        assert found[name] == version(name)
    assert "trilho" not in found
    assert not {"pip", "setuptools"} & set(found)


def test_every_container_keeps_few_logs_and_ours_have_no_right_of_the_system(
    tmp_path: Path, project: ProjectFile
) -> None:
    for name, service in written(tmp_path, project=project)["services"].items():
        assert service["logging"]["options"]["max-size"] == "10m", name
        if "build" in service:
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_without_a_project_there_is_the_tracking_server_alone(tmp_path: Path) -> None:
    services = written(tmp_path)["services"]
    assert set(services) == {"db", "s3", "mlflow", "prometheus", "alertmanager", "grafana"}


@pytest.mark.parametrize(
    ("plan", "error", "says"),
    [
        ({"database": "mysqll"}, UnknownName, "Did you mean mysql?"),
        ({"artifacts": "minio"}, UnknownName, "s3, folder, s3://BUCKET/PREFIX"),
        ({"artifacts": "s3://"}, InvalidProject, "names no bucket"),
        ({"hosts": ("a.org,b.org",)}, InvalidProject, "--host mlflow.example.org --host 10.1.2.3"),
        ({"hosts": ("http://",)}, InvalidProject, "no name of a machine"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(plan: dict[str, str], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=re.escape(says)):
        ComposePlan(**plan)  # type: ignore[arg-type]


def test_the_wheel_for_the_images_installs_what_runs_here(tmp_path: Path) -> None:
    written(tmp_path)
    wheel = next((tmp_path / "image").glob("*.whl"))
    target = tmp_path / "installed"
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel))
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith("trilho/")]
    assert "trilho/deploy/image/Dockerfile" in names
    assert not [name for name in names if "__pycache__" in name]
    done = subprocess.run(
        [sys.executable, "-c", "import trilho; print(trilho.__file__)"],
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(target)


def test_the_serving_image_installs_ranges_that_the_package_asks_for() -> None:
    import tomllib

    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    known = {requirement.partition(";")[0].strip() for requirement in asked}
    text = (ROOT / "src/trilho/deploy/image/Dockerfile").read_text(encoding="utf-8")
    serving = text.partition("AS serving")[2].partition("SERVING_PACKAGES}\n")[0]
    named = set(re.findall(r'"([\w-]+>=[^"]+)"', serving))
    assert len(named) > 12
    assert named <= known, sorted(named - known)
    assert not [name for name in named if name.startswith(("mlflow", "pandas", "scikit", "scipy", "onnx>", "skops"))]
