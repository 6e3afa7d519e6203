"""The address: who may reach it, and a socket that answers without delay."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys
from dataclasses import dataclass

from trilho.errors import InvalidProject, ServiceFailed


@dataclass(frozen=True, kw_only=True)
class Listening:
    """An open socket and the address a client types."""

    sock: socket.socket
    address: str


def listen(host: str, port: int, *, insecure: bool = False) -> Listening:
    """Open the socket. Connections wait in its queue until somebody answers.

    Args:
        port: 0 takes any free one.
        insecure: Listen beyond this machine although everybody there could ask.

    Raises:
        InvalidProject: the host is not this machine alone, and nobody said that this is meant.
        ServiceFailed: the address cannot be had: taken, not ours, not allowed.
    """
    family, place = _resolved(host, port)
    if not insecure and not ipaddress.ip_address(place[0]).is_loopback:
        raise InvalidProject(
            f"The model server was told to listen on {host}, where other machines reach it.",
            state="It was not started.",
            why="Whoever reaches it can ask the model and fill the journal: there is no key to keep them out.",
            remedy="Give it keys: TRILHO_API_KEYS=KEY,… or keep serve.host at 127.0.0.1; behind a firewall or a proxy "
            "that asks for keys: --insecure",
        )
    # A socket with protocol 0 would leave TCP_NODELAY off in asyncio, and each answer would wait 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there it would share the port with whoever has it
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
        sock.listen(2048)
    except OSError as error:
        sock.close()
        raise _refused(host, port, error) from error
    return Listening(sock=sock, address=f"http://{_shown(host)}:{sock.getsockname()[1]}")


# ----------------------------------------------------------------------------------------------------------------------


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise _refused(host, port, error) from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)  # IPv4 where there are both
    return family, (str(address[0]), port)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refused(host: str, port: int, error: OSError) -> ServiceFailed:
    if error.errno == errno.EADDRINUSE:
        why, remedy = "Another program listens there.", "Stop it, or choose another port: trilho serve --port 8001"
    elif error.errno == errno.EACCES:
        why, remedy = "Ports below 1024 are for the administrator.", "Choose another one: trilho serve --port 8000"
    else:
        why, remedy = f"{error.strerror or error}.", "Correct serve.host and serve.port in trilho.yaml."
    return ServiceFailed(f"The model server cannot listen on {host}, port {port}.", why=why, remedy=remedy)
