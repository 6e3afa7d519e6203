"""Docker, Kubernetes, Prometheus, the disk: real ones that are in the state of the error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import free_port, stop, wait_for
from docker_engine import engine
from integration.doctor.conftest import Diagnose, in_trouble
from small_disk import small_disk
from trilho.platform.doctor import Finding
from trilho.platform.doctor.disk import LEAST_FREE


@pytest.fixture(scope="module")
def docker_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Docker engine of our own, with one tiny image."""
    with engine() as made:
        empty = tmp_path_factory.mktemp("image") / "empty.tar"
        with tarfile.open(empty, "w"):
            pass
        made.docker("import", str(empty), "empty:1")
        yield made.address


def docker(host: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *words], env={**os.environ, "DOCKER_HOST": host}, capture_output=True, text=True, check=False
    )


def test_docker_that_does_not_run_is_named(diagnose: Diagnose, tmp_path: Path) -> None:
    if not shutil.which("docker"):
        pytest.skip("no docker here: apt-get install docker.io")
    (tmp_path / "compose.yml").write_text("services: {}\n", encoding="utf-8")
    host = f"unix://{tmp_path}/none.sock"
    assert "Is the docker daemon running?" in docker(host, "ps").stderr
    found = diagnose(environment={"DOCKER_HOST": host})
    assert in_trouble(found) == ["docker"]
    assert "Is the docker daemon running?" in found["docker"].measured


def test_docker_is_not_looked_at_where_nothing_needs_it(diagnose: Diagnose, tmp_path: Path) -> None:
    assert "docker" not in diagnose(environment={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})


def test_container_name_in_use_is_named(diagnose: Diagnose, docker_host: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(
        "services:\n  mlflow:\n    image: empty:1\n    container_name: my_mlflow\n", encoding="utf-8"
    )
    environment = {"DOCKER_HOST": docker_host}
    assert in_trouble(diagnose(environment=environment)) == []
    create = ["create", "--network=none", "--name"]
    assert docker(docker_host, *create, "my_mlflow", "empty:1", "x").returncode == 0
    again = docker(docker_host, *create, "my_mlflow", "empty:1", "x").stderr
    assert 'The container name "/my_mlflow" is already in use' in again
    found = diagnose(environment=environment)
    assert in_trouble(found) == ["container-names"]
    assert "my_mlflow (made by hand, Created)" in found["container-names"].measured
    assert "docker rename my_mlflow my_mlflow-before" in found["container-names"].remedy
    assert "docker rm" not in found["container-names"].remedy
    docker(docker_host, "rm", "-f", "my_mlflow")
    other = "com.docker.compose.project.working_dir=/srv/another checkout"
    docker(docker_host, *create, "my_mlflow", "--label", other, "empty:1", "x")
    found = diagnose(environment=environment)
    assert in_trouble(found) == ["container-names"]
    assert "my_mlflow (of /srv/another checkout" in found["container-names"].measured
    assert found["container-names"].fix is None  # another project's is not ours to touch
    docker(docker_host, "rm", "-f", "my_mlflow")
    label = f"com.docker.compose.project.working_dir={tmp_path.resolve()}"  # what Compose writes on its own containers
    docker(docker_host, "create", "--network=none", "--name", "my_mlflow", "--label", label, "empty:1", "x")
    assert in_trouble(diagnose(environment=environment)) == []
    docker(docker_host, "rm", "-f", "my_mlflow")


def test_container_that_nothing_wants_the_name_of_is_no_trouble(
    diagnose: Diagnose, docker_host: str, tmp_path: Path
) -> None:
    (tmp_path / "compose.yml").write_text("services: {mlflow: {image: 'empty:1'}}\n", encoding="utf-8")
    names = ("model_server", "mlflow_local", "mlflow_db", "mlflow-server-container")
    for name in names:
        assert docker(docker_host, "create", "--network=none", "--name", name, "empty:1", "x").returncode == 0
    assert in_trouble(diagnose(environment={"DOCKER_HOST": docker_host})) == []
    docker(docker_host, "rm", *names)


def test_names_for_containers_are_no_trouble_outside_of_them(diagnose: Diagnose, tmp_path: Path) -> None:
    environment = {
        "MLFLOW_S3_ENDPOINT_URL": "http://trilho-s3:9000",
        "AWS_ACCESS_KEY_ID": "admin",
        "AWS_SECRET_ACCESS_KEY": "a secret key",
    }
    shared = {"database": "mysql://mlflow:pw@trilho-db/mlflow", "artifacts": "s3://mlflow/", "environment": environment}
    assert {"host-names", "database-unreachable"} <= set(in_trouble(diagnose(**shared)))
    (tmp_path / "compose.yml").write_text("services: {trilho-s3: {}, trilho-db: {}}\n", encoding="utf-8")
    assert set(in_trouble(diagnose(**shared))) <= {"docker"}
    found = diagnose(**shared, tracking_uri="http://trilho-s3:9000")  # but this one is asked from here
    assert "host-names" in in_trouble(found)


def test_cluster_that_does_not_run_is_named(diagnose: Diagnose, tmp_path: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl here")
    (tmp_path / "k8s").mkdir()
    config = tmp_path / "config"
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "minikube",
                "clusters": [{"name": "minikube", "cluster": {"server": f"http://127.0.0.1:{free_port()}"}}],
                "contexts": [{"name": "minikube", "context": {"cluster": "minikube", "user": ""}}],
            }
        ),
        encoding="utf-8",
    )
    environment = {**os.environ, "KUBECONFIG": str(config)}
    said = subprocess.run(
        ["kubectl", "get", "pods"], env=environment, capture_output=True, text=True, check=False
    ).stderr
    text = "was refused - did you specify the right host or port?"
    assert text in said
    found = diagnose(environment={"KUBECONFIG": str(config)})
    assert in_trouble(found) == ["kubernetes"]
    assert text in found["kubernetes"].measured
    assert "minikube start" in found["kubernetes"].remedy


def test_prometheus_target_that_is_down_is_named(diagnose: Diagnose, tmp_path: Path) -> None:
    prometheus = shutil.which("prometheus")
    if not prometheus:
        pytest.skip("no Prometheus here: apt-get install prometheus")
    port, dead = free_port(), free_port()
    (tmp_path / "prometheus.yml").write_text(
        f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - {{job_name: prometheus, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
  - {{job_name: model-server, static_configs: [{{targets: ["127.0.0.1:{dead}"]}}]}}
""",
        encoding="utf-8",
    )
    address, log = f"http://127.0.0.1:{port}", tmp_path / "log"
    command = [prometheus, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_for(f"{address}/-/ready", process, log)
        found = diagnose(prometheus=address)
        for _ in range(300):  # the first scrape
            if "down" in found["prometheus-targets"].measured:
                break
            time.sleep(0.1)
            found = diagnose(prometheus=address)
        measured = found["prometheus-targets"].measured
        assert in_trouble(found) == ["prometheus-targets"]
        assert "1 of 2 targets down: model-server" in measured
        assert f"dial tcp 127.0.0.1:{dead}: connect: connection refused" in measured
    finally:
        stop(process)
    assert in_trouble(diagnose(prometheus=address)) == ["prometheus-targets"]  # and one that does not run at all


def test_prometheus_target_that_was_not_scraped_yet_is_not_called_up_and_no_secret_of_one_is_shown(
    diagnose: Diagnose, tmp_path: Path
) -> None:
    prometheus = shutil.which("prometheus")
    if not prometheus:
        pytest.skip("no Prometheus here: apt-get install prometheus")
    port, dead = free_port(), free_port()
    (tmp_path / "prometheus.yml").write_text(
        f"""
scrape_configs:
  - {{job_name: later, scrape_interval: 1000h, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
""",
        encoding="utf-8",
    )
    address, log = f"http://127.0.0.1:{port}", tmp_path / "log"
    command = [prometheus, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}", "--web.enable-lifecycle"],
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        wait_for(f"{address}/-/ready", process, log)
        found = eventually(lambda: diagnose(prometheus=address)["prometheus-targets"], "not scraped yet")
        assert (found.state, found.measured) == ("unknown", "1 of 1 target not scraped yet.")
        (tmp_path / "prometheus.yml").write_text(
            f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: model-server
    params: {{token: [topsecret1]}}
    static_configs: [{{targets: ["127.0.0.1:{dead}", "ana:hunter22@127.0.0.1:{dead}"]}}]
""",
            encoding="utf-8",
        )
        urllib.request.urlopen(urllib.request.Request(f"{address}/-/reload", method="POST")).close()
        found = eventually(lambda: diagnose(prometheus=address)["prometheus-targets"], "2 of 2 targets down")
        said = urllib.request.urlopen(f"{address}/api/v1/targets").read().decode()
        assert "topsecret1" in said
        assert "hunter22" in said
    finally:
        stop(process)
    assert f"curl -i http://127.0.0.1:{dead}/metrics\n" in found.remedy
    assert found.measured.count(f"model-server at http://127.0.0.1:{dead}/metrics (") == 2
    assert f'Get "http://127.0.0.1:{dead}/metrics": dial tcp 127.0.0.1:{dead}: connect:' in found.measured
    for secret in ("topsecret1", "hunter22", "ana"):
        assert secret not in found.measured + found.remedy


def eventually(look: Callable[[], Finding], words: str) -> Finding:
    """What is found once it says `words`; at last whatever it says."""
    found = look()
    for _ in range(300):
        if words in found.measured:
            break
        time.sleep(0.1)
        found = look()
    return found


def test_full_disk_is_named(diagnose: Diagnose, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "size=256k") as place:
        with pytest.raises(OSError, match="No space left on device"):
            (place / "model.pkl").write_bytes(b"x" * 1_000_000)
        found = diagnose(artifacts=str(place))
        assert in_trouble(found) == ["disk"]
        assert str(place) in found["disk"].measured
    if shutil.disk_usage(tmp_path).free >= LEAST_FREE:
        assert in_trouble(diagnose(artifacts=str(place))) == []
