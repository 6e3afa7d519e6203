"""What the parent tells the processes it starts, as one line of JSON on their standard input."""

from __future__ import annotations

from typing import Any

import msgspec

from trilho import errors
from trilho.errors import TrilhoError

COUNTS = "counts"  # the folder below the run's in which workers leave what they have counted


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker works.

    Args:
        folder: Of this server's run: pointer, state, what workers say and count.
        journal: Where answers are written.
        share: Of the requests that are journaled; at 0 nothing is.
        columns: The features that are journaled (`journal.columns`).
        trust_code: May code that travels with a version run here?
        trusted: Types that may be made besides the vetted ones.
        service_id: Sent with every answer; given by `trilho up`.
        connections: Open at once; who comes on top is answered 503.
        concurrency: Predictions at once; beyond that 429.
        max_body, max_rows: Of a request: bytes and rows; beyond that 413.
        body_seconds: A body must have come within; else 408.
        cors: Origins whose pages may ask.
        head_seconds: A request's line and headers must have come within, counted from its first byte, or from the
            connection's beginning.
        keep_seconds: A connection may rest so long between two requests.
        stop_seconds: What is in flight may take so long after the call to stop.
        family: Of the socket (a number of `socket.AddressFamily`).
        descriptor: The socket, where it is inherited by number.
        shared: The socket, where the system hands it over as text (Windows), in Base64.
    """

    folder: str
    journal: str
    share: float = 1.0
    columns: tuple[str, ...] = ()
    trust_code: bool = False
    trusted: tuple[str, ...] = ()
    service_id: str = ""
    connections: int = 1000
    concurrency: int = 512
    max_body: int = 64 << 20
    max_rows: int = 100_000
    body_seconds: float = 30.0
    cors: tuple[str, ...] = ()
    head_seconds: float = 10.0
    keep_seconds: float = 75.0
    stop_seconds: float = 30.0
    family: int = 0
    descriptor: int = -1
    shared: str = ""


def told(error: TrilhoError) -> dict[str, Any]:
    """An error as plain values, for the process that started this one."""
    parts = {name: value for name, value in vars(error).items() if isinstance(value, str | int | type(None))}
    return {"kind": type(error).__name__, **parts}


def retold(parts: dict[str, Any]) -> TrilhoError:
    """The error that `told` made plain."""
    kind = getattr(errors, str(parts.get("kind")), TrilhoError)
    words = {name: value for name, value in parts.items() if name not in ("kind", "what")}
    try:
        found: TrilhoError = kind(parts["what"], **words)
    except (KeyError, TypeError):
        return TrilhoError("A model could not be opened.", why=str(parts), remedy="See the server's log.")
    return found
