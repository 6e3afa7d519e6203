"""One connection to a tracking server: JSON in, JSON out, its errors as ours, every wait bounded."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Literal
from urllib.parse import quote, urlencode

from trilho.errors import ServerRefused, ServerUnreachable
from trilho.wire.address import Address, parse_address
from trilho.wire.rights import FORBIDDEN, NOT_KNOWN, forbidden, not_known

CONNECT_SECONDS = 2.0
API = "/api/2.0/mlflow/"

# uvicorn closes idle connections after 5 s; a request on a closed one would fail half-sent.
_IDLE_SECONDS = 3.0
_CHUNK = 1 << 20
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Json = dict[str, Any]


class Client:
    """Speaks to one server over one kept connection. Not for use by several threads at once.

    Args:
        address: The server.
        seconds: How long one answer may take.
        transfer_seconds: How long a file on its way up or down may stand still.
    """

    def __init__(self, address: Address, *, seconds: float = 30.0, transfer_seconds: float = 60.0) -> None:
        self.address = address
        self.seconds = seconds
        self.transfer_seconds = transfer_seconds
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """GET below /api/2.0/mlflow; `params` become the query. Raises ServerUnreachable, ServerRefused."""
        query = f"?{urlencode(params, doseq=True)}" if params else ""
        return self._json("GET", API + path + query, None)

    def post(self, path: str, body: Json) -> Json:
        return self._json("POST", API + path, body)

    def patch(self, path: str, body: Json) -> Json:
        return self._json("PATCH", API + path, body)

    def delete(self, path: str, body: Json) -> Json:
        return self._json("DELETE", API + path, body)

    def send_file(self, path: str, content: IO[bytes], size: int) -> None:
        """PUT `size` bytes to `path` (from the server's root)."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        for _ in self._answer("PUT", path, content, headers, self.transfer_seconds):
            pass

    def receive_file(self, path: str, write: Callable[[bytes], object]) -> None:
        """GET `path` (from the server's root) and hand its bytes to `write` as they come."""
        for chunk in self._answer("GET", path, None, {}, self.transfer_seconds):
            write(chunk)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _json(self, method: Method, path: str, body: Json | None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        deadline = time.monotonic() + self.seconds
        text = b""
        for chunk in self._answer(method, path, data, {"Content-Type": "application/json"}, self.seconds):
            text += chunk
            if time.monotonic() > deadline:
                self.close()
                raise self._unreachable(TimeoutError(f"no whole answer within {self.seconds:g} s"))
        try:
            found = json.loads(text) if text else {}
        except ValueError as error:
            raise self._refused(method, path, None, 200, text) from error
        if not isinstance(found, dict):
            raise self._refused(method, path, None, 200, text)
        return _Answer(found, lambda: self._refused(method, path, None, 200, text))

    def _answer(
        self, method: Method, path: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str], seconds: float
    ) -> Iterator[bytes]:
        """The answer's body in pieces. What the caller does between pieces may raise its own errors unchanged."""
        whole = False
        try:
            response = self._ask(method, path, body, headers, seconds)
            while chunk := self._piece(response):
                yield chunk
            whole = True
            self._used = time.monotonic()
        finally:
            if not whole:
                self.close()  # half an answer on it: nothing else can follow

    def _ask(
        self, method: Method, path: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str], seconds: float
    ) -> http.client.HTTPResponse:
        try:
            connection = self._open()
            connection.sock.settimeout(seconds)
            extra = {"Authorization": self.address.authorization} if self.address.authorization else {}
            connection.request(method, self.address.path + path, body=body, headers={**headers, **extra})
            response = connection.getresponse()
            done = 200 <= response.status < 300  # a redirect leads to somebody else: to a page that asks for a login
            refusal = b"" if done else response.read(64_000)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        if not done:
            raise self._refused(method, path, body, response.status, refusal)
        return response

    def _piece(self, response: http.client.HTTPResponse) -> bytes:
        try:
            chunk = response.read1(_CHUNK)
            if not chunk and response.length:
                raise http.client.IncompleteRead(
                    b"", response.length
                )  # read1 itself takes a cut answer for a whole one
            if not chunk:
                response.close()
            return chunk
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is not None and (
            self._connection.sock is None  # the server closes after each answer, as gunicorn and HTTP/1.0 do
            or time.monotonic() - self._used > _IDLE_SECONDS
        ):
            self.close()
        if self._connection is None:
            connection = _connection(self.address, min(CONNECT_SECONDS, self.seconds))
            connection.connect()
            self._connection = connection
        return self._connection

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
            return ServerUnreachable(
                f"The server at {self.address.shown} does not speak https.",
                why="What it answers is not encrypted.",
                remedy=f"Write http://{self.address.shown.partition('://')[2]}",
            )
        return ServerUnreachable(
            f"The tracking server at {self.address.shown} does not answer.",
            why=_reason(error),
            remedy="Start it (trilho up for the local one), or correct tracking_uri or MLFLOW_TRACKING_URI.",
        )

    def _refused(
        self, method: Method, path: str, sent: bytes | IO[bytes] | None, status: int, answer: bytes
    ) -> ServerRefused:
        message, code = _error_of(answer)
        remedy = "See the server's log for the cause."
        if status == FORBIDDEN and "host" in message.lower():
            host = self.address.host
            remedy = f"Start the server with MLFLOW_SERVER_ALLOWED_HOSTS={host},{host}:*,localhost,localhost:*"
        elif status == NOT_KNOWN:
            message, remedy = not_known(self.address)
        elif status == FORBIDDEN:
            body = json.loads(sent) if isinstance(sent, bytes) else {}
            message, remedy = forbidden(self.address, method, path, body, message)
        elif not code:
            remedy = f"Is {self.address.shown} really an MLflow tracking server? Check tracking_uri."
        asked = f"{method} {path.split('?')[0]}"
        what = f"The tracking server at {self.address.shown} refused {asked} with {status}."
        if status < 400:
            what = f"What answers at {self.address.shown} is not MLflow: it answered {asked} with {status}."
        if 300 <= status < 400:
            message = "It sends on to somewhere else, as a proxy does that asks for a login."
        return ServerRefused(
            what,
            why=message,
            remedy=remedy,
            status=status,
            error_code=code,
        )


class _Answer(dict[str, Any]):
    """An answer of MLflow's. Asked for a part that it has not, it says that it is none: a proxy's own, perhaps."""

    def __init__(self, found: Json, none: Callable[[], ServerRefused]) -> None:
        super().__init__(found)
        self._none = none

    def __missing__(self, name: str) -> Any:
        raise self._none()


def connect(uri: str, *, environment: Mapping[str, str] | None = None, seconds: float = 30.0) -> Client:
    """A client of the server at `uri`. Nothing is sent yet."""
    return Client(parse_address(uri, environment), seconds=seconds)


def probe(uri: str, *, environment: Mapping[str, str] | None = None, seconds: float = CONNECT_SECONDS) -> None:
    """Is a server there that talks to us?

    Asks one API call rather than /health: a server that refuses our Host header or our password is healthy, too.

    Raises:
        ServerUnreachable: nobody answers within `seconds`.
        ServerRefused: somebody answers, but not to us.
    """
    with connect(uri, environment=environment, seconds=seconds) as client:
        client.get("experiments/search", {"max_results": 1})


def quoted(path: str) -> str:
    """`path` with everything but its slashes escaped for a URL."""
    return quote(path, safe="/")


def _connection(address: Address, seconds: float) -> http.client.HTTPConnection:
    if not address.secure:
        return http.client.HTTPConnection(address.host, address.port, timeout=seconds)
    context = ssl.create_default_context(cafile=address.ca_file)
    if not address.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address.host, address.port, timeout=seconds, context=context)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "It took too long." if not error.args else f"It took too long: {error.args[-1]}."
    return f"{type(error).__name__}: {error}"


def _error_of(body: bytes) -> tuple[str, str]:
    text = body.decode("utf-8", "replace").strip()
    try:
        parsed = json.loads(text)
        return str(parsed["message"]), str(parsed["error_code"])
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:300], ""
