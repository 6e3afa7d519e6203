"""A request's headers and body, read within limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import msgspec

from trilho.serving.payload import READERS
from trilho.serving.responses import Response, refusal
from trilho.serving.slot import Served

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_LAST = ((b"connection", b"close"),)  # what may still come on this connection is no request


class Request(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """One request. `served` is its model, whatever is swapped in meanwhile; None as long as there is none."""

    scope: Message
    headers: Mapping[bytes, bytes]
    receive: Receive
    served: Served | None


async def whole_body(request: Request, most: int) -> bytes | Response | None:
    """The body, the refusal it earned, or None if the client is gone or was too slow (`connection` sees to that).

    Args:
        most: Bytes; a longer body is refused with 413, before all of it is read.
    """
    receive = request.receive
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        announced = request.headers.get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > most:
            return _too_large(most)
        parts, size = [body], len(body)
        while message.get("more_body") and size <= most:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        body = b"".join(parts)
    if len(body) > most:
        return _too_large(most)
    return None if message["type"] == "http.disconnect" else body


@lru_cache(maxsize=256)
def media_type(header: bytes) -> tuple[str, str]:
    """The media type of a body, and what is wrong with it ("" if we read it)."""
    kind, *parameters = (part.strip() for part in header.decode("latin-1").split(";"))
    given = {
        name.strip().lower(): value.strip(' "').lower() for name, _, value in (p.partition("=") for p in parameters)
    }
    if given.pop("charset", "utf-8") not in ("utf-8", "utf8"):
        return kind, "The body must be UTF-8."
    if given:
        return kind, f"Unknown parameters of the content type: {', '.join(given)}."
    if kind.lower() not in READERS:
        return kind, f"The body must be {' or '.join(READERS)}, not '{kind[:100]}'. Set the header Content-Type."
    return kind.lower(), ""


# ----------------------------------------------------------------------------------------------------------------------


def _too_large(most: int) -> Response:
    return refusal(413, f"The body is larger than {most} bytes. Send fewer rows at once.", headers=_LAST)
