"""Who does not reach the server reads an error; doctor names what is behind it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from command_line import trilho
from conftest import free_port, stop, wait_for
from integration.doctor.conftest import Diagnose, PlainServers, in_trouble
from trilho.platform.doctor import server


@pytest.fixture(scope="module")
def strict(start_mlflow: PlainServers, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server as a compose file starts it: it listens everywhere, and knows the names of its clients."""
    names = "mlflow,mlflow:*,localhost,localhost:*"
    folder = tmp_path_factory.mktemp("strict")
    return start_mlflow(folder, environment={"MLFLOW_SERVER_ALLOWED_HOSTS": names})


def clients_error(address: str) -> str:
    """What MLflow's own client says."""
    with pytest.raises(MlflowException) as caught:
        mlflow.MlflowClient(address).search_experiments()
    return str(caught.value)


def test_refused_connection_is_named(diagnose: Diagnose) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    assert "[Errno 111] Connection refused" in clients_error(address)
    found = diagnose(tracking_uri=address)
    assert "server-unreachable" in in_trouble(found)
    assert "[Errno 111] Connection refused" in found["server-unreachable"].measured
    assert "curl -f" in found["server-unreachable"].remedy


def test_dead_server_of_the_project_itself_is_started_again_with_one_command(diagnose: Diagnose) -> None:
    found = diagnose(tracking_uri=f"http://127.0.0.1:{free_port()}", local=True)
    assert in_trouble(found) == ["server-unreachable"]
    assert found["server-unreachable"].remedy.startswith("trilho up")


def test_server_that_accepts_and_never_answers_is_named_in_time(
    diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        assert "Read timed out" in clients_error(address)
        assert "server-unreachable" in in_trouble(diagnose(tracking_uri=address))


def test_listening_address_is_no_client_address(diagnose: Diagnose, strict: str) -> None:
    wrong = strict.replace("127.0.0.1", "0.0.0.0")
    assert "Invalid Host header" in clients_error(wrong)
    found = diagnose(tracking_uri=wrong, environment={"MLFLOW_TRACKING_URI": wrong})
    assert "listening-address" in in_trouble(found)
    assert "0.0.0.0" in found["listening-address"].measured
    port = wrong.rpartition(":")[2]
    assert f"MLFLOW_TRACKING_URI=http://127.0.0.1:{port}" in found["listening-address"].remedy


def test_refused_host_header_is_named_while_health_is_green(diagnose: Diagnose, strict: str) -> None:
    assert "Invalid Host header - possible DNS rebinding attack detected" in clients_error(strict)
    found = diagnose(tracking_uri=strict)
    assert in_trouble(found) == ["host-refused"]
    assert "/health answers 200" in found["host-refused"].measured
    assert "MLFLOW_SERVER_ALLOWED_HOSTS" in found["host-refused"].remedy
    assert "127.0.0.1,127.0.0.1:*" in found["host-refused"].remedy


def test_the_remedy_for_a_refused_host_works(
    diagnose: Diagnose, strict: str, start_mlflow: PlainServers, tmp_path: Path
) -> None:
    names = diagnose(tracking_uri=strict)["host-refused"].remedy.splitlines()[1].strip()
    address = start_mlflow(tmp_path, environment={"MLFLOW_SERVER_ALLOWED_HOSTS": names})
    assert mlflow.MlflowClient(address).search_experiments()
    assert in_trouble(diagnose(tracking_uri=address)) == []


def test_another_program_at_the_port_is_told_from_a_server_that_is_away(diagnose: Diagnose, tmp_path: Path) -> None:
    prometheus = shutil.which("prometheus")
    if not prometheus:
        pytest.skip("no Prometheus here: apt-get install prometheus")
    (tmp_path / "prometheus.yml").write_text("scrape_configs: []\n", encoding="utf-8")
    address, log = f"http://127.0.0.1:{free_port()}", tmp_path / "log"
    command = [prometheus, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, f"--web.listen-address={address[7:]}"], stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_for(f"{address}/-/ready", process, log)
        assert "failed with error code 404 != 200" in clients_error(address)
        found = diagnose(tracking_uri=address)
        assert in_trouble(found) == ["wrong-port"]
        assert "somebody answers who is not MLflow" in found["wrong-port"].measured
    finally:
        stop(process)


def test_mlflow_at_a_usual_port_is_found_from_a_wrong_one(
    diagnose: Diagnose, start_mlflow: PlainServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.USUAL_PORTS[0] == 5000
    right = start_mlflow(tmp_path)
    usual = (free_port(), int(right.rpartition(":")[2]))  # 5000 is asked for by every local server of other tests
    monkeypatch.setattr(server, "USUAL_PORTS", usual)
    wrong = f"http://127.0.0.1:{free_port()}"
    assert "Connection refused" in clients_error(wrong)
    found = diagnose(tracking_uri=wrong)
    assert "wrong-port" in in_trouble(found)
    assert right in found["wrong-port"].remedy


def test_name_without_an_address_is_named(diagnose: Diagnose) -> None:
    address = "http://mlflow.hm-mlflow.invalid:5000"
    assert "Failed to resolve 'mlflow.hm-mlflow.invalid'" in clients_error(address)
    found = diagnose(tracking_uri=address)
    assert in_trouble(found) == ["host-names"]
    assert "mlflow.hm-mlflow.invalid" in found["host-names"].measured
    assert "hosts" in found["host-names"].remedy


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://localhost:abc", "http://nothere.invalid:abc", "http://", "http://ana:ge/heim1@x"]
)
def test_address_that_is_none_is_trouble_by_one_name(diagnose: Diagnose, address: str) -> None:
    found = diagnose(tracking_uri=address, environment={"MLFLOW_TRACKING_URI": address})
    assert in_trouble(found) == ["server-unreachable"]
    assert "http://HOST:PORT" in found["server-unreachable"].remedy
    assert [name for name, finding in found.items() if finding.state == "unknown"] == []
    assert "heim1" not in str(found)


def test_address_that_is_none_is_trouble_on_a_servers_machine(tmp_path: Path) -> None:
    done = trilho(tmp_path, "doctor", code=1, MLFLOW_TRACKING_URI="http://[::1")
    assert done.stdout.startswith("trouble    server-unreachable")
    assert done.stderr == ""


@pytest.mark.parametrize("host", [".example.org", "a" * 64 + ".example.org"])
def test_name_that_no_resolver_takes_is_named(diagnose: Diagnose, host: str) -> None:
    found = diagnose(tracking_uri=f"http://{host}:5000")
    assert in_trouble(found) == ["host-names"]
    assert "label" in found["host-names"].measured
    assert [name for name, finding in found.items() if finding.state == "unknown"] == []


def test_name_of_a_compose_service_is_known_as_one(diagnose: Diagnose) -> None:
    found = diagnose(tracking_uri="http://mlflow:5000")
    if "host-names" not in in_trouble(found):
        pytest.skip("this network has a machine called mlflow")
    assert "127.0.0.1" in found["host-names"].remedy


def test_wrong_password_is_named_and_not_shown(diagnose: Diagnose, start_mlflow: PlainServers, tmp_path: Path) -> None:
    config = tmp_path / "auth.ini"
    config.write_text(
        "[mlflow]\ndefault_permission = READ\n"
        f"database_uri = sqlite:///{tmp_path / 'auth.db'}\n"
        "admin_username = admin\nadmin_password = rightpassword1\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
        encoding="utf-8",
    )
    secrets = {"MLFLOW_AUTH_CONFIG_PATH": str(config), "MLFLOW_FLASK_SERVER_SECRET_KEY": "x" * 20}
    address = start_mlflow(tmp_path, "--app-name", "basic-auth", environment=secrets)
    assert "You are not authenticated" in clients_error(address) or "401" in clients_error(address)
    login = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "wrongpassword1"}
    found = diagnose(tracking_uri=address, environment=login)
    assert in_trouble(found) == ["login-refused"]
    assert "wrongpassword1" not in str(found)
    assert (
        in_trouble(diagnose(tracking_uri=address, environment=login | {"MLFLOW_TRACKING_PASSWORD": "rightpassword1"}))
        == []
    )
