"""The client against a real MLflow server, and against sockets that misbehave."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trilho.errors import InvalidProject, ServerRefused, ServerUnreachable
from trilho.wire import connect, download, parse_address, probe, upload


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that treats each connection with `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        answer(connection)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_probe_finds_a_running_server(mlflow_server: str) -> None:
    probe(mlflow_server)


def test_nobody_listening_is_unreachable_and_says_what_to_do() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ServerUnreachable, match="trilho up"):
            probe(f"http://127.0.0.1:{unused.getsockname()[1]}")


def test_a_server_that_accepts_and_never_answers_is_given_up() -> None:
    release = threading.Event()
    with server(lambda _: release.wait(30) and None) as address:
        started = time.monotonic()
        with pytest.raises(ServerUnreachable, match="too long"):
            probe(address, seconds=0.2)
        waited = time.monotonic() - started
        release.set()
    assert waited < 15, "the wait is bounded by the client, not by the server"


def test_a_server_that_trickles_its_answer_is_given_up() -> None:
    def trickle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(400):
            connection.sendall(b"x")
            time.sleep(0.05)

    with server(trickle) as address, connect(address, seconds=0.3) as client, pytest.raises(ServerUnreachable):
        client.get("experiments/search")


@pytest.mark.parametrize("first", [b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n"])
def test_a_server_that_closes_after_each_answer_is_asked_again(first: bytes) -> None:
    def once(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(first + b'Content-Length: 9\r\n\r\n{"it": 1}')

    with server(once) as address, connect(address, seconds=10) as client:
        assert [client.get("experiments/search")["it"] for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("302 Found\r\nLocation: http://login.example.org/", b""),
        ("200 OK", b"{}"),
        ("200 OK", b""),
        ("200 OK", b"[]"),
        ("200 OK", b"null"),
        ("200 OK", b"<html>Please log in</html>"),
    ],
)
def test_an_answer_that_is_none_of_mlflows_is_a_refusal_and_no_crash(status: str, body: bytes) -> None:
    def proxy(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    with server(proxy) as address, connect(address, seconds=10) as client, pytest.raises(ServerRefused) as refusal:
        assert client.get("experiments/get-by-name", {"experiment_name": "x"})["experiment"] is None
    assert "is not MLflow" in str(refusal.value)
    assert "really an MLflow tracking server" in str(refusal.value)


def test_a_server_that_dies_within_its_answer_is_unreachable() -> None:
    def half(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"half":')

    with server(half) as address, connect(address, seconds=2) as client, pytest.raises(ServerUnreachable):
        client.get("experiments/search")


def test_something_that_is_no_mlflow_is_refused_with_a_hint() -> None:
    def other(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found")

    with server(other) as address, pytest.raises(ServerRefused, match="really an MLflow") as caught:
        probe(address)
    assert caught.value.status == 404


def test_mlflow_error_code_comes_along(mlflow_server: str) -> None:
    with connect(mlflow_server) as client, pytest.raises(ServerRefused, match="does-not-exist") as caught:
        client.get("experiments/get-by-name", {"experiment_name": "does-not-exist"})
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_foreign_host_header_names_the_allowed_hosts_setting(mlflow_server: str) -> None:
    with connect(mlflow_server) as client:
        client.get("experiments/search", {"max_results": 1})
        assert client._connection is not None
        client._connection.putheader = _with_host(client._connection.putheader)  # type: ignore[method-assign]
        client._connection.putrequest = _without_host(client._connection.putrequest)  # type: ignore[method-assign]
        with pytest.raises(ServerRefused, match="MLFLOW_SERVER_ALLOWED_HOSTS"):
            client.get("experiments/search", {"max_results": 1})


def test_connection_can_be_used_again_after_an_error(mlflow_server: str) -> None:
    with connect(mlflow_server) as client:
        with pytest.raises(ServerRefused):
            client.get("experiments/get-by-name", {"experiment_name": "does-not-exist"})
        assert client.get("experiments/search", {"max_results": 1})["experiments"]


def test_artifact_goes_up_and_comes_back_unchanged(mlflow_server: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "out.bin").write_bytes(content)
    with connect(mlflow_server) as client:
        run = client.post("runs/create", {"experiment_id": "0"})["run"]["info"]
        upload(client, run["artifact_uri"], "some folder/ü.bin", tmp_path / "out.bin")
        download(client, run["artifact_uri"], "some folder/ü.bin", tmp_path / "in.bin")
    assert (tmp_path / "in.bin").read_bytes() == content


def test_missing_artifact_leaves_no_file(mlflow_server: str, tmp_path: Path) -> None:
    with connect(mlflow_server) as client:
        run = client.post("runs/create", {"experiment_id": "0"})["run"]["info"]
        with pytest.raises(ServerRefused):
            download(client, run["artifact_uri"], "nothing.bin", tmp_path / "in.bin")
    assert list(tmp_path.iterdir()) == []


def test_full_disk_while_receiving_is_not_blamed_on_the_server(mlflow_server: str, tmp_path: Path) -> None:
    def full(_: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "out.bin").write_bytes(b"content")
    with connect(mlflow_server) as client:
        run = client.post("runs/create", {"experiment_id": "0"})["run"]["info"]
        upload(client, run["artifact_uri"], "out.bin", tmp_path / "out.bin")
        path = "/api/2.0/mlflow-artifacts/artifacts" + run["artifact_uri"].removeprefix("mlflow-artifacts:")
        with pytest.raises(OSError, match="No space left"):
            client.receive_file(f"{path}/out.bin", full)


@pytest.mark.parametrize("uri", ["./mlruns", "sqlite:///mlflow.db", "http://", "http://host:99999"])
def test_what_is_no_server_address_is_refused(uri: str) -> None:
    with pytest.raises(InvalidProject, match=r"Write http|tracking_uri"):
        parse_address(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://ana:s3cret@host:50x0",
        "http://ana:s3/cret@host:5000",
        "http://ana:12/s3cret@host:5000",
        "https:/ana:s3cret@host:5000",
        "postgresql://ana:s3cret@host/db",
        "http://ana:s3cret@mlflow..example.org",
        "http://ana:s3cret@.example.org",
        "http://ana:s3cret@[::1",
    ],
)
def test_nor_does_it_show_in_the_refusal_of_a_mistyped_address(uri: str) -> None:
    with pytest.raises(InvalidProject) as refusal:
        parse_address(uri)
    assert "cret" not in str(refusal.value)
    assert "ana:***@" in str(refusal.value)


def test_password_never_shows() -> None:
    address = parse_address("https://ana:s3cret@example.org/mlflow/", {})
    assert "s3cret" not in repr(address)
    assert address.shown == "https://example.org:443/mlflow"
    assert address.authorization.startswith("Basic ")


def test_listening_address_is_no_client_address() -> None:
    assert parse_address("http://0.0.0.0:5000", {}).host == "127.0.0.1"


def test_token_and_user_come_from_mlflows_own_names() -> None:
    assert parse_address("http://h", {"MLFLOW_TRACKING_TOKEN": "t"}).authorization == "Bearer t"
    named = parse_address("http://h", {"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"})
    assert named.authorization == "Basic dTpw"


def _without_host(putrequest: Callable[..., None]) -> Callable[..., None]:
    return lambda method, url, **named: putrequest(method, url, **{**named, "skip_host": True})


def _with_host(putheader: Callable[..., None]) -> Callable[..., None]:
    sent = []

    def put(header: str, *values: str) -> None:
        if not sent:
            sent.append(header)
            putheader("Host", "mlflow.example:5000")
        putheader(header, *values)

    return put
