"""One GET over the standard library: status, headers and the beginning of the body, within seconds."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

_MOST = 4_000_000  # bytes of a body


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server said to one GET."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    text: str

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def get(url: str, *, seconds: float = 3.0) -> Answer | None:
    """The answer to GET `url`, whatever its status; None where nobody answers."""
    try:
        parts = urlsplit(url)
    except ValueError:  # "http://[::1"
        return None
    headers = {"User-Agent": "trilho-doctor"}
    if "@" in parts.netloc:
        login, _, host = parts.netloc.rpartition("@")
        headers["Authorization"] = "Basic " + base64.b64encode(unquote(login).encode()).decode()
        url = parts._replace(netloc=host).geturl()
    request = urllib.request.Request(url, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=seconds) as response:
            return _answer(response.status, response.headers, response.read(_MOST))
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read(_MOST))
    except (OSError, http.client.HTTPException, ssl.SSLError, ValueError):
        return None


# ---------------------------------------------------------------------------------------------------------------------


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer, too; following it would ask somebody else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    named = {str(name).lower(): str(value) for name, value in headers.items()}
    return Answer(status=status, headers=named, text=body.decode("utf-8", "replace"))
