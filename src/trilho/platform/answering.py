"""Does a service answer, and is it ours? And which ports are free. Loads nothing heavy: `trilho run` asks each time."""

from __future__ import annotations

import http.client
import os
import socket

from trilho.platform.service import HOST, ID_HEADER, Record

HEALTH_SECONDS = 2.0
_TRIES = 20  # ports after the preferred one, before the system chooses


def answers(record: Record, *, seconds: float = HEALTH_SECONDS) -> bool:
    """Whether the very service that was started answers, not another one on its port."""
    return id_at(record.port, record.health, seconds=seconds) == record.id


def id_at(port: int, health: str, *, seconds: float = HEALTH_SECONDS) -> str | None:
    """The id of the healthy service at `port`; "" for a stranger's, None where nobody answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request("GET", health)
        response = connection.getresponse()
        response.read(1024)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return response.getheader(ID_HEADER, "") if response.status == 200 else None


def is_free(port: int) -> bool:
    """Whether a service can listen at 127.0.0.1:`port` and be reached there as localhost, too.

    Binding alone does not tell: macOS lets us bind 127.0.0.1:5000 beside AirPlay's *:5000, and browsers then reach
    AirPlay as localhost:5000.
    """
    return not _somebody_listens(port) and _can_bind(port)


def choose_port(preferred: int) -> int:
    """`preferred`, else the next free one after it, else any that the system gives."""
    for port in range(preferred, min(preferred + _TRIES, 65_536)):
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        given: int = probe.getsockname()[1]
        return given


def _somebody_listens(port: int) -> bool:
    for host in (HOST, "::1"):
        try:
            socket.create_connection((host, port), timeout=0.3).close()
        except OSError:
            continue
        return True
    return False


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":  # as the server will do; without it a port just left cannot be taken again for a minute
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
