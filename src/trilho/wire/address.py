"""Where the tracking server is and who we are there: MLflow's own environment names, read once."""

from __future__ import annotations

import base64
import getpass
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from trilho.errors import InvalidProject
from trilho.shown_address import without_password
from trilho.wire.credentials import kept_credentials

_WITHOUT_SCHEME = re.compile(r"[^/:@]+:\d+(/.*)?")  # HOST:PORT


@dataclass(frozen=True, kw_only=True)
class Address:
    """A tracking server. `shown` is the address without user and password, for messages and logs."""

    shown: str
    secure: bool
    host: str
    port: int
    path: str = ""  # prefix before /api, where the server sits behind one
    user: str = ""  # who we say we are there; "" with a token, or with nothing
    authorization: str = field(default="", repr=False)
    verify: bool = True
    ca_file: str | None = None

    @property
    def signature(self) -> str:
        """Who does something there: "ana (root@laptop)", or "root@laptop" where nobody is logged in."""
        try:
            here = f"{getpass.getuser()}@{socket.gethostname()}"
        except (OSError, KeyError, ImportError):  # an account without a name, as in a container
            here = f"unknown@{socket.gethostname()}"
        return f"{self.user} ({here})" if self.user else here


def parse_address(uri: str, environment: Mapping[str, str] | None = None) -> Address:
    """The server behind `uri`, with user, token and TLS settings from the environment.

    Reads MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_INSECURE_TLS and
    MLFLOW_TRACKING_SERVER_CERT_PATH as MLflow's own client does; a user in the address wins over them. Where none of
    these names a user or a token, what `trilho login` kept for this server counts.

    Raises:
        InvalidProject: `uri` is not the http(s) address of a server (file stores, ./mlruns, no longer exist in MLflow),
            or the file of kept passwords is not understood.
    """
    env = os.environ if environment is None else environment
    if _WITHOUT_SCHEME.fullmatch(uri):
        raise InvalidProject(f"'{uri}' does not say how to speak to it.", remedy=f"Write http://{uri} or https://{uri}")
    shown = without_password(uri)
    try:
        parts = urlsplit(uri)
        (parts.hostname or "").encode("idna")  # what a resolver would make of it
        if "@" in parts.path:
            raise ValueError('what stands before the last "@" ends at a "/"')
    except ValueError as error:
        raise InvalidProject(
            f"'{shown}' names no host that could be looked up.",
            why=str(error),
            remedy="Write http://HOST:PORT. Signs such as / @ : in a password are written as codes (%2F %40 %3A).",
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidProject(
            f"'{shown}' is not the address of a tracking server.",
            why="trilho talks to a server; MLflow removed the ./mlruns file store in 3.13.",
            remedy="Leave tracking_uri out to use the local platform, or set it to http://HOST:PORT.",
        )
    host = "127.0.0.1" if parts.hostname == "0.0.0.0" else parts.hostname  # 0.0.0.0 is for listening only
    secure = parts.scheme == "https"
    try:
        port = parts.port or (443 if secure else 80)
    except ValueError as error:
        raise InvalidProject(
            f"'{shown}' has a port that is no number from 1 to 65535.", remedy="Write http://HOST:PORT."
        ) from error
    shown = f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"
    user, authorization = _authorization(unquote(parts.username or ""), unquote(parts.password or ""), env, shown)
    return Address(
        shown=shown,
        secure=secure,
        host=host,
        port=port,
        path=parts.path.rstrip("/"),
        user=user,
        authorization=authorization,
        verify=env.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() not in ("true", "1"),
        ca_file=env.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None,
    )


def _authorization(user: str, password: str, env: Mapping[str, str], server: str) -> tuple[str, str]:
    user = user or env.get("MLFLOW_TRACKING_USERNAME", "")
    password = password or env.get("MLFLOW_TRACKING_PASSWORD", "")
    token = env.get("MLFLOW_TRACKING_TOKEN", "")
    if not user and not token:
        user, password = kept_credentials(server)
    if user:
        return user, "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return "", f"Bearer {token}" if token else ""
