from __future__ import annotations

import socket

import pytest

from trilho.errors import InvalidProject, ServiceFailed
from trilho.serving import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_this_machine_alone_is_listened_on(host: str) -> None:
    listening = listen(host, 0)
    with listening.sock:
        port = listening.sock.getsockname()[1]
        assert listening.address == f"http://{host}:{port}"
        with socket.create_connection((host, port), timeout=10):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", ""])
def test_other_machines_are_let_in_on_purpose_only(host: str) -> None:
    if host:
        with pytest.raises(InvalidProject, match="--insecure"):
            listen(host, 0)
    else:
        with pytest.raises((InvalidProject, ServiceFailed)):
            listen(host, 0)


def test_insecure_listens_everywhere() -> None:
    listening = listen("0.0.0.0", 0, insecure=True)
    with listening.sock:
        assert listening.sock.getsockname()[0] == "0.0.0.0"


def test_socket_is_marked_so_that_answers_are_not_delayed() -> None:
    with listen("127.0.0.1", 0).sock as sock:
        assert sock.proto == socket.IPPROTO_TCP


def test_taken_port_says_how_to_choose_another() -> None:
    with listen("127.0.0.1", 0).sock as sock:
        port = sock.getsockname()[1]
        with pytest.raises(ServiceFailed, match=f"port {port}") as caught:
            listen("127.0.0.1", port)
    assert "--port" in caught.value.remedy


def test_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(ServiceFailed, match=r"nowhere\.invalid"):
        listen("nowhere.invalid", 0)
