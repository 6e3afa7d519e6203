"""The port of MLflow's server: taken early, listened on when there is somebody to answer."""

from __future__ import annotations

import errno
import os
import socket

from trilho.errors import ServiceFailed

_BACKLOG = 2048  # uvicorn's own


def bound(host: str, port: int) -> socket.socket:
    """A socket that has the address and does not listen yet: clients are refused until `listen`.

    Raises:
        ServiceFailed: another program has the address, or it is none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # TCP is named: else asyncio leaves out TCP_NODELAY on it.
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise _refused(f"{host}:{port}", error) from error
    if os.name == "posix":  # on Windows the same option would let two servers share a port
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise _refused(f"{host}:{port}", error) from error
    return found


def listen(found: socket.socket) -> None:
    """Listen.

    Raises:
        ServiceFailed: another one bound the port in the same seconds: two may, until one of them listens.
    """
    try:
        found.listen(_BACKLOG)
    except OSError as error:
        host, port, *_ = found.getsockname()
        raise _refused(f"{host}:{port}", error) from error


# ----------------------------------------------------------------------------------------------------------------------


def _refused(address: str, error: OSError) -> ServiceFailed:
    if error.errno == errno.EADDRINUSE:
        why, remedy = "Another program listens there.", "Stop that program, or choose another port: --port 5001"
    elif error.errno == errno.EACCES:
        why, remedy = "Ports below 1024 are the administrator's.", "Choose another one: --port 5000"
    else:
        why, remedy = (
            f"{error.strerror or error}.",
            "--host is an address of this machine: 127.0.0.1, or 0.0.0.0 for all.",
        )
    return ServiceFailed(
        f"MLflow's server cannot listen on {address}.", state="Nothing was started.", why=why, remedy=remedy
    )
