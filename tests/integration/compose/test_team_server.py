"""The files of `trilho deploy compose`, unchanged but for two image names, brought up by the real Compose.

Eight minutes on two quiet cores, four of them to make a base image and build on it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from docker_engine import Engine, compose_command, engine, import_base, pip_settings, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docker")]

TRILHO = [sys.executable, "-m", "trilho.cli"]
IMAGES = ("mlflow", "webapp", "model")
STAND_INS = Path(__file__).parent / "images"
MARK = "a-password-of-a-package-index"
# No registry can be reached here. Nothing else of compose.yml is another.
OVERRIDE = "services:\n  db: {image: standin/mysql}\n  s3: {image: standin/s3}\n"


@dataclass(frozen=True)
class Server:
    """What `trilho deploy compose` wrote, and the engine it runs on."""

    engine: Engine
    project: Path
    folder: Path
    version: str

    def compose(self, *words: str) -> str:
        files = ["-f", "compose.yml", "-f", "stand-ins.yml"]
        return run(compose_command(), *files, *words, env=self.engine.environment, cwd=self.folder)

    def ask(self, url: str, *words: str) -> str:
        """What curl gets from a published port; an answer that is an error is one here, too."""
        return run(*self.engine.inside("curl", "--silent", "--show-error", "--fail", "-m", "30", *words, url))

    def status(self, url: str, *words: str) -> str:
        """The status that curl gets, whatever it is."""
        told = ("--output", "/dev/null", "--write-out", "%{http_code}", "-m", "30")
        return run(*self.engine.inside("curl", "--silent", *told, *words, url))

    def secrets(self) -> list[str]:
        return re.findall(r"=([0-9a-f]{40})$", (self.folder / ".env").read_text(encoding="utf-8"), re.MULTILINE)

    def versions(self) -> list[str]:
        found = json.loads(self.ask("http://127.0.0.1:5000/api/2.0/mlflow/model-versions/search"))
        return sorted(version["version"] for version in found.get("model_versions", []) if version["name"] == "shop")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Built, up and healthy, with a champion trained through the profile."""
    compose_command()
    with engine() as made:
        import_base(made, tmp_path_factory.mktemp("base") / "root")
        project = tmp_path_factory.mktemp("compose") / "shop"
        run(*TRILHO, "new", str(project))
        folder = project / "server"
        run(*TRILHO, "deploy", "compose", str(folder), "-C", str(project))
        (folder / "stand-ins.yml").write_text(OVERRIDE, encoding="utf-8")
        wheel = next((folder / "image").glob("*.whl")).name
        found = Server(made, project, folder, wheel.split("-")[1])
        pip = pip_settings(tmp_path_factory.mktemp("pip") / "pip.conf")
        pip.write_text(pip.read_text(encoding="utf-8") + f"# {MARK}\n", encoding="utf-8")
        for name in ("mysql", "s3"):
            made.build(STAND_INS / name, f"standin/{name}", arguments={}, pip=pip)
        arguments = {"TRILHO": f"./{wheel}", "PIP_CONSTRAINT": "constraints.txt"}
        for name in IMAGES:
            made.build(folder / "image", f"trilho/{name}:{found.version}", target=name, arguments=arguments, pip=pip)
        made.stop()
        made.start(own_network=True)
        try:
            try:
                found.compose("up", "--detach", "--wait", "--wait-timeout", "300")
                found.compose(
                    "--profile", "training", "up", "training", "--exit-code-from", "training", "--no-recreate"
                )
            except AssertionError as error:
                error.add_note(found.compose("logs", "--no-color", "--tail", "30"))
                raise
            yield found
        finally:
            found.compose("--profile", "training", "down", "--volumes", "--timeout", "5")


def test_up_waits_until_all_services_are_healthy(server: Server) -> None:
    lines = server.compose("ps", "--format", "{{.Service}} {{.Health}}").splitlines()
    assert sorted(lines) == [f"{name} healthy" for name in ("db", "mlflow", "monitor", "s3", "webapp")]


def test_a_champion_trained_through_the_profile_answers_on_the_three_ports(server: Server) -> None:
    assert server.versions() == ["1"]
    _wait_for_model(server)
    row = json.loads(server.ask("http://127.0.0.1:8000/v2/models/shop"))["inputs"]
    body = {"dataframe_split": {"columns": [field["name"] for field in row], "data": [[1.0] * len(row)]}}
    for port in (8000, 8080, 5001):
        header = ("-H", "Content-Type: application/json", "-d", json.dumps(body))
        answered = json.loads(server.ask(f"http://127.0.0.1:{port}/invocations", *header))
        assert answered["predictions"][0] in (0, 1)


def test_the_database_is_reached_by_nobody_outside_its_network(server: Server) -> None:
    assert "->3306" not in server.compose("ps", "--format", "{{.Ports}}")  # published; 3306/tcp alone is a note
    reach = "import socket; socket.create_connection(('db', 3306), timeout=3); print('it answers')"
    assert "it answers" in server.compose("exec", "mlflow", "python", "-c", reach)
    outside = server.compose("exec", "webapp", "python", "-c", reach)  # Compose says 0 whatever came of it
    assert "gaierror" in outside
    assert "it answers" not in outside


def test_training_on_the_host_needs_no_key_of_the_store(server: Server) -> None:
    command = [*TRILHO, "run", "--set", "train.params.n_estimators=60", "--set", "register.promote=always"]
    told = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}
    environment = {key: value for key, value in server.engine.environment.items() if not key.startswith("AWS_")}
    run(*server.engine.inside(*command), env={**environment, **told}, cwd=server.project)
    assert server.versions() == ["1", "2"]
    count = "import boto3; print(boto3.client('s3').list_objects_v2(Bucket='mlflow')['KeyCount'])"
    set_endpoint = "import os; os.environ['AWS_ENDPOINT_URL'] = os.environ['MLFLOW_S3_ENDPOINT_URL'];"
    assert int(server.compose("exec", "mlflow", "python", "-c", set_endpoint + count)) > 10


def test_one_image_has_two_roles(server: Server) -> None:
    """Document 001: SERVE_MODEL=1 SERVE_MODEL_PATH=/model, with artifacts/model mounted."""
    for name in ("webapp", "mlflow"):
        words = ["run", "--detach", "--publish", "127.0.0.1:8123:8000", "--env", "SERVE_MODEL=1"]
        words += ["--env", "SERVE_MODEL_PATH=/model", "--volume", f"{server.project}/artifacts/model:/model:ro"]
        container = server.engine.docker(*words, f"trilho/{name}:{server.version}").strip()
        try:
            server.ask("http://127.0.0.1:8123/ping", "--retry", "60", "--retry-delay", "1", "--retry-all-errors")
        finally:
            server.engine.docker("rm", "--force", container)


def test_no_secret_is_in_layers_history_logs_or_process_lists(server: Server, tmp_path: Path) -> None:
    words = [*server.secrets(), MARK]
    assert len(words) > 5
    listed = tmp_path / "words"
    listed.write_text("\n".join(words) + "\n", encoding="utf-8")
    for name in IMAGES:
        image = f"trilho/{name}:{server.version}"
        assert not _among(words, server.engine.docker("history", "--no-trunc", image))
        packed = tmp_path / "image.tar"
        server.engine.docker("save", "--output", str(packed), image)
        found = subprocess.run(["grep", "--text", "--count", "-F", "-f", str(listed), str(packed)], check=False)
        packed.unlink()
        assert found.returncode == 1, f"a secret is in a layer of {image}"
    assert not _among(words, server.compose("logs", "--no-color"))
    assert not _among(words, run("ps", "-e", "-ww", "-o", "args"))


def test_images_run_without_rights_and_carry_no_compiler(server: Server) -> None:
    for name in IMAGES:
        image = f"trilho/{name}:{server.version}"
        look = "id -u; command -v gcc cc g++ make || echo none"
        assert server.engine.docker("run", "--rm", image, "sh", "-c", look).split() == ["10001", "none"]
        assert "HEALTHCHECK" in server.engine.docker("history", "--no-trunc", image)


def test_the_serving_image_is_less_than_half_of_the_training_image(server: Server) -> None:
    base = _size(server, "python:3.11-slim")
    serving, training = (_size(server, f"trilho/{name}:{server.version}") - base for name in ("webapp", "model"))
    assert serving < training / 2, (serving, training)


def test_down_and_up_again_has_everything_still(server: Server) -> None:
    _wait_for_model(server)
    before = server.versions(), json.loads(server.ask("http://127.0.0.1:8000/health"))["version"]
    server.compose("--profile", "training", "down", "--timeout", "20")
    server.compose("up", "--detach", "--wait", "--wait-timeout", "300")
    _wait_for_model(server)
    assert (server.versions(), json.loads(server.ask("http://127.0.0.1:8000/health"))["version"]) == before
    assert int(json.loads(server.ask("http://127.0.0.1:8000/health"))["journal"]["written"]) >= 0
    kept = server.compose("exec", "webapp", "sh", "-c", "ls -R /state/.trilho/journal")
    assert "reports" in kept


def test_a_server_that_others_reach_asks_for_user_and_key(server: Server) -> None:
    """On SQLite and a folder, with none of the stand-ins."""
    server.compose("--profile", "training", "down", "--timeout", "20")
    folder = server.project / "open"
    kinds = ("--database", "sqlite", "--artifacts", "folder", "--host", "mlflow.example.org")
    run(*TRILHO, "deploy", "compose", str(folder), "-C", str(server.project), *kinds)
    (folder / "stand-ins.yml").write_text("services: {}\n", encoding="utf-8")
    opened = replace(server, folder=folder)
    told = dict(re.findall(r"(?m)^(\w+)=(.+)$", (folder / ".env").read_text(encoding="utf-8")))
    user = f"{told['MLFLOW_AUTH_ADMIN_USERNAME']}:{told['MLFLOW_AUTH_ADMIN_PASSWORD']}"
    runs, model = "http://127.0.0.1:5000/api/2.0/mlflow/experiments/search?max_results=1", "http://127.0.0.1:8000"
    named = ("-H", "Host: mlflow.example.org:5000")
    try:
        opened.compose("--project-name", "open", "up", "--detach", "--wait", "--wait-timeout", "300")
        assert opened.status(runs, *named) == "401"
        assert opened.status(runs, *named, "--user", user) == "200"
        assert opened.status(runs, "-H", "Host: another.example.org", "--user", user) == "403"
        opened.compose("--project-name", "open", "--profile", "training", "run", "--rm", "training")
        _wait_for_model(opened)
        body = ("-H", "Content-Type: application/json", "-d", '{"dataframe_split": {"columns": [], "data": []}}')
        assert opened.status(f"{model}/invocations", *body) == "401"
        assert opened.status(f"{model}/invocations", *body, "-H", f"X-API-Key: {told['TRILHO_API_KEYS']}") == "400"
    finally:
        opened.compose("--project-name", "open", "--profile", "training", "down", "--volumes", "--timeout", "5")


# ----------------------------------------------------------------------------------------------------------------------


def _wait_for_model(server: Server) -> None:
    server.ask("http://127.0.0.1:8000/ping", "--retry", "60", "--retry-delay", "1", "--retry-all-errors")


def _among(words: list[str], text: str) -> list[str]:
    return [word for word in words if word in text]


def _size(server: Server, image: str) -> int:
    return int(server.engine.docker("image", "inspect", "--format", "{{.Size}}", image))
