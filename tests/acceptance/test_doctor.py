"""trilho doctor as a person uses it: silent where all is well, plain where not, and no secret in either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import trilho, trilho_json, write_project
from conftest import free_port


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a champion on its own local server."""
    folder = write_project(tmp_path_factory.mktemp("project"), "churn", {})
    trilho(folder, "up", "tracking", "--port", str(free_port()))
    trilho(folder, "run")
    yield folder
    trilho(folder, "down")


def test_healthy_project_is_one_line(project: Path) -> None:
    done = trilho(project, "doctor")
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 1)
    assert done.stdout.startswith("Healthy: ")
    found = trilho_json(project, "doctor")
    assert found["healthy"] is True
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert set(states.values()) == {"ok"}
    wanted = {"server-unreachable", "artifact-roots", "artifacts-unwritable", "model-files", "database-locked", "disk"}
    wanted |= {"database-damaged", "database-schema", "versions", "runs-without-metrics", "no-versions", "clock"}
    assert wanted <= set(states)
    assert trilho(project, "doctor", "--fix").stdout.startswith("Nothing to fix")


def test_project_that_never_ran_is_healthy(tmp_path: Path) -> None:
    done = trilho(write_project(tmp_path, "fresh", {}), "doctor")
    assert done.stdout.startswith("Healthy: ")


def test_trouble_says_what_was_measured_and_what_to_do_and_ends_with_1(tmp_path: Path) -> None:
    folder = write_project(tmp_path, "churn", {})
    address = f"http://ana:hunter22@127.0.0.1:{free_port()}"
    done = trilho(folder, "doctor", server=address, code=1, AWS_SECRET_ACCESS_KEY="topsecret1")
    lines = done.stdout.splitlines()
    assert lines[0] == "trouble    server-unreachable"
    assert [line.split()[0] for line in lines[1:4]] == ["measured", "expected", "remedy"]
    assert "Connection refused" in lines[1]
    found = trilho_json(folder, "doctor", server=address, code=1, AWS_SECRET_ACCESS_KEY="topsecret1")
    assert found["healthy"] is False
    first = found["checks"][0]
    assert set(first) == {"name", "state", "measured", "expected", "remedy"}
    for text in (done.stdout, done.stderr, str(found)):
        assert "hunter22" not in text
        assert "topsecret1" not in text


def test_without_a_project_it_looks_at_what_the_environment_names(tmp_path: Path) -> None:
    assert "trilho.yaml" in trilho(tmp_path, "doctor", code=2).stderr
    words = ["doctor", "--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "."]
    assert trilho(tmp_path, *words, code=1).stdout.startswith("trouble    database-unreachable")
    (tmp_path / "mlflow.db").touch()
    assert trilho(tmp_path, *words).stdout.startswith("Healthy: ")
