from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conftest import free_port
from trilho.platform.answering import answers, choose_port, id_at, is_free
from trilho.platform.service import Record


@contextmanager
def server_that_says(answer: bytes | None) -> Iterator[int]:
    """Sends `answer` to each connection; None: takes the connection and stays silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if answer is None:
                    silent.append(connection)
                    continue
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    for connection in silent:
        connection.close()


def http(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", "content-length: 2", *headers, "", "OK"]).encode()


def record(port: int) -> Record:
    return Record(name="tracking", id="ours", pid=1, port=port, health="/health", started=0)


def test_service_is_known_by_the_id_it_answers_with() -> None:
    with server_that_says(http("200 OK", "X-Trilho-Service: ours")) as port:
        assert id_at(port, "/health") == "ours"
        assert answers(record(port))


def test_another_projects_service_is_not_ours() -> None:
    with server_that_says(http("200 OK", "x-trilho-service: theirs")) as port:
        assert id_at(port, "/health") == "theirs"
        assert not answers(record(port))


def test_plain_mlflow_server_is_not_ours() -> None:
    with server_that_says(http("200 OK")) as port:
        assert id_at(port, "/health") == ""
        assert not answers(record(port))


@pytest.mark.parametrize(
    "answer",
    [http("503 Busy", "x-trilho-service: ours"), b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 999999999 x\r\n\r\n"],
)
def test_what_is_not_healthy_http_is_nobody(answer: bytes) -> None:
    with server_that_says(answer) as port:
        assert id_at(port, "/health") is None


def test_silence_is_nobody_after_the_given_time() -> None:
    with server_that_says(None) as port:
        assert id_at(port, "/health", seconds=0.1) is None


def test_nobody_listening_is_nobody() -> None:
    assert id_at(free_port(), "/health") is None


def test_port_of_a_listener_on_any_address_is_not_free() -> None:
    for host in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as listener:
            listener.bind((host, 0))
            listener.listen()
            assert not is_free(listener.getsockname()[1])


def test_port_that_only_ipv6_localhost_answers_is_not_free() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with listener:
        assert not is_free(listener.getsockname()[1])


def test_port_bound_but_not_yet_listening_is_not_free() -> None:
    with socket.socket() as starting:
        starting.bind(("127.0.0.1", 0))
        assert not is_free(starting.getsockname()[1])


def test_port_of_a_server_that_just_ended_is_free_again() -> None:
    with server_that_says(http("200 OK")) as port:
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while client.recv(4096):  # the server closes first, so its side lingers in TIME_WAIT
            pass
        client.close()
    assert is_free(port)


def test_preferred_port_is_chosen_where_it_is_free_and_the_next_where_not() -> None:
    port = free_port()
    assert choose_port(port) == port
    with socket.create_server(("127.0.0.1", port)):
        other = choose_port(port)
        assert other != port
        assert is_free(other)


def test_last_port_of_all_taken_leads_to_any_free_one() -> None:
    with socket.socket() as last:
        try:
            last.bind(("127.0.0.1", 65_535))
        except OSError:
            pytest.skip("port 65535 is in use")
        assert is_free(choose_port(65_535))
