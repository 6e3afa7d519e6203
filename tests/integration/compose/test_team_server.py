"""The files of `trilho deploy compose`, unchanged but for two image names, brought up by the real Compose.

Five minutes on two busy cores, after four to make a base image and build on it, which other modules share.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose_server import IMAGES, MARK, MLFLOW, MODEL, Built, ComposeServer
from docker_engine import run
from serving_process import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docker")]


@pytest.fixture(scope="module")
def server(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeServer]:
    """MySQL and S3, up and healthy, with a champion trained through the profile."""
    with built.written(tmp_path_factory.mktemp("compose") / "shop").running() as found:
        yield found


def test_up_waits_until_all_services_are_healthy(server: ComposeServer) -> None:
    assert server.healthy() == ["db", "mlflow", "monitor", "s3", "webapp"]


def test_a_champion_trained_through_the_profile_answers_on_the_three_ports(server: ComposeServer) -> None:
    assert server.versions() == ["1"]
    server.wait_for_model()
    for port in (8000, 8080, 5001):
        assert server.predictions(port)[0] in (0, 1)


def test_the_database_is_reached_by_nobody_outside_its_network(server: ComposeServer) -> None:
    assert "->3306" not in server.compose("ps", "--format", "{{.Ports}}")  # published; 3306/tcp alone is a note
    reach = "import socket; socket.create_connection(('db', 3306), timeout=3); print('it answers')"
    assert "it answers" in server.compose("exec", "mlflow", "python", "-c", reach)
    outside = server.compose("exec", "webapp", "python", "-c", reach)  # Compose says 0 whatever came of it
    assert "gaierror" in outside
    assert "it answers" not in outside


def test_training_on_the_host_needs_no_key_of_the_store(server: ComposeServer) -> None:
    server.run_on_host("run", "--set", "train.params.n_estimators=60", "--set", "register.promote=always")
    assert server.versions() == ["1", "2"]
    count = "import boto3; print(boto3.client('s3').list_objects_v2(Bucket='mlflow')['KeyCount'])"
    set_endpoint = "import os; os.environ['AWS_ENDPOINT_URL'] = os.environ['MLFLOW_S3_ENDPOINT_URL'];"
    assert int(server.compose("exec", "mlflow", "python", "-c", set_endpoint + count)) > 10


def test_one_image_has_two_roles(server: ComposeServer) -> None:
    """Document 001: SERVE_MODEL=1 SERVE_MODEL_PATH=/model, with artifacts/model mounted."""
    for name in ("webapp", "mlflow"):
        words = ["run", "--detach", "--publish", "127.0.0.1:8123:8000", "--env", "SERVE_MODEL=1"]
        words += ["--env", "SERVE_MODEL_PATH=/model", "--volume", f"{server.project}/artifacts/model:/model:ro"]
        container = server.engine.docker(*words, f"trilho/{name}:{server.version}").strip()
        try:
            server.ask("http://127.0.0.1:8123/ping", "--retry", "60", "--retry-delay", "1", "--retry-all-errors")
        finally:
            server.engine.docker("rm", "--force", container)


def test_no_secret_is_in_layers_history_logs_or_process_lists(server: ComposeServer, tmp_path: Path) -> None:
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


def test_services_have_no_right_of_the_system_and_cannot_get_one(server: ComposeServer) -> None:
    for name in ("mlflow", "webapp", "monitor"):
        found = dict(line.split(":\t") for line in server.compose("exec", name, "cat", "/proc/1/status").splitlines())
        assert {found[kind].strip("0") for kind in ("CapPrm", "CapEff", "CapBnd")} == {""}, name
        assert found["NoNewPrivs"] == "1"
    container = server.compose("ps", "--quiet", "mlflow").strip()
    logs = json.loads(server.engine.docker("inspect", "--format", "{{json .HostConfig.LogConfig}}", container))
    assert logs == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}


def test_images_run_without_rights_and_carry_no_compiler(server: ComposeServer) -> None:
    for name in IMAGES:
        image = f"trilho/{name}:{server.version}"
        look = "id -u; command -v gcc cc g++ make || echo none"
        assert server.engine.docker("run", "--rm", image, "sh", "-c", look).split() == ["10001", "none"]
        assert "HEALTHCHECK" in server.engine.docker("history", "--no-trunc", image)


def test_the_serving_image_is_less_than_half_of_the_training_image(server: ComposeServer) -> None:
    base = _size(server, "python:3.11-slim")
    serving, training = (_size(server, f"trilho/{name}:{server.version}") - base for name in ("webapp", "model"))
    assert serving < training / 2, (serving, training)


def test_a_backup_of_the_running_server_brings_back_what_was_lost(server: ComposeServer) -> None:
    before = server.versions(), server.stored()
    assert len(before[1]) > 10
    server.back_up()
    server.lose_the_model()
    assert server.versions() == []
    assert len(server.stored()) < len(before[1])
    server.restore()
    assert (server.versions(), server.stored()) == before
    assert server.wait_for_model() == before[0][-1]


def test_down_and_up_again_has_everything_still(server: ComposeServer) -> None:
    server.wait_for_model()
    answered = server.predictions()
    until(lambda: _asked(server) >= len(answered), "the predictions are in the journal")
    before = server.wait_for_model(), server.versions(), server.stored(), _asked(server)
    server.down()
    server.up()
    assert (server.wait_for_model(), server.versions(), server.stored(), _asked(server)) == before
    assert server.predictions() == answered


def test_a_server_that_others_reach_asks_for_user_and_key(server: ComposeServer, built: Built, tmp_path: Path) -> None:
    """On SQLite and a folder, with none of the stand-ins."""
    server.down()
    kinds = ("--database", "sqlite", "--artifacts", "folder", "--host", "mlflow.example.org")
    opened = built.written(tmp_path / "open", *kinds)
    told = opened.settings()
    user = f"{told['MLFLOW_AUTH_ADMIN_USERNAME']}:{told['MLFLOW_AUTH_ADMIN_PASSWORD']}"
    runs = f"{MLFLOW}/api/2.0/mlflow/experiments/search?max_results=1"
    named = ("-H", "Host: mlflow.example.org:5000")
    with opened.running(train=False):
        assert opened.status(runs, *named) == "401"
        assert opened.status(runs, *named, "--user", user) == "200"
        assert opened.status(runs, "-H", "Host: another.example.org", "--user", user) == "403"
        opened.train()
        opened.wait_for_model()
        known = opened.compose("exec", "webapp", "env")
        assert told["MLFLOW_AUTH_ADMIN_PASSWORD"] not in known, "strangers reach this service"
        assert told["TRILHO_READER_PASSWORD"] in known
        reader = ("--user", f"trilho-reader:{told['TRILHO_READER_PASSWORD']}", *named)
        assert opened.status(runs, *reader) == "200"
        gone = ("-X", "DELETE", "-H", "Content-Type: application/json", "-d", json.dumps({"name": "open"}))
        assert opened.status(f"{MLFLOW}/api/2.0/mlflow/registered-models/delete", *gone, *reader) == "403"
        assert "Nothing" in opened.compose("exec", "mlflow", "trilho", "gc", "--all", "--keep", "5")
        opened.back_up()
        body = ("-H", "Content-Type: application/json", "-d", '{"dataframe_split": {"columns": [], "data": []}}')
        assert opened.status(f"{MODEL}/invocations", *body) == "401"
        assert opened.status(f"{MODEL}/metrics") == opened.status(f"{MLFLOW}/metrics") == "200"  # Prometheus has no key
        assert opened.status(f"{MODEL}/invocations", *body, "-H", f"X-API-Key: {told['TRILHO_API_KEYS']}") == "400"


# ----------------------------------------------------------------------------------------------------------------------


def _asked(server: ComposeServer) -> int:
    """Predictions in the journal, as the model server's own machine counts them."""
    told = server.compose("exec", "webapp", "trilho", "journal", "--json")
    return int(json.loads(told[told.index("{") :])["rows"])


def _among(words: list[str], text: str) -> list[str]:
    return [word for word in words if word in text]


def _size(server: ComposeServer, image: str) -> int:
    return int(server.engine.docker("image", "inspect", "--format", "{{.Size}}", image))
