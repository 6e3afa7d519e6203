"""The client: one class, each question in two forms, `predict` and `apredict`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from trilho.client.answers import Health, Model, Prediction, Value, predictions_in, read, refused
from trilho.client.rows import encoded, encoded_truth
from trilho.errors import ServerRefused, ServerUnreachable
from trilho.importer import load_module
from trilho.shown_address import without_password

if TYPE_CHECKING:
    import httpx

    from trilho.client.rows import Rows

_CONNECT_SECONDS = 5.0
_FIRST_PAUSE = 0.1  # before asking again; doubled each time


class Client:
    """Asks one model server. Connections are kept; may be used by several threads, and by one event loop at a time.

    Args:
        address: Of `trilho serve`: "http://127.0.0.1:8000".
        api_key: One of the server's TRILHO_API_KEYS, where it has some; blanks and line breaks around it are left out.
        timeout: Seconds that an answer may take.
        retries: How often to ask again where the connection failed; nothing else is asked twice.

    Raises:
        MissingExtra: httpx is not installed.
        ServerRefused: the key is none that a request can carry; it is not shown.
    """

    def __init__(self, address: str, api_key: str | None = None, *, timeout: float = 10.0, retries: int = 3) -> None:
        self.address = (address if "://" in address else f"http://{address}").rstrip("/")
        self._shown = without_password(self.address)
        self._retries = retries
        self._httpx: Any = load_module("httpx")
        key = _sendable(api_key or "")
        self._settings: dict[str, Any] = {
            "headers": {"x-api-key": key} if key else {},
            "timeout": self._httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
        }
        self._sync: httpx.Client | None = None
        self._async: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    @overload
    def predict(self, rows: Mapping[str, Any]) -> Prediction: ...
    @overload
    def predict(self, rows: Rows) -> list[Prediction]: ...
    def predict(self, rows: Mapping[str, Any] | Rows) -> Prediction | list[Prediction]:
        """The answer for a row, or the answers for a list of rows or a DataFrame, in their order.

        Args:
            rows: Column → value, all the model's columns and no others; None (or NaN) where a value is unknown.

        Raises:
            CannotPredict: a row does not fit the model; names column and row, and says what to send.
            ServerRefused: a wrong key, too many rows, no model in charge yet, …
            ServerUnreachable: nobody answers, or not in time.
        """
        return _one_or_all(rows, self._ask("POST", "/predict", encoded(rows)))

    def feedback(self, id: str, label: Value) -> None:  # noqa: A002 - what it is called in the journal, too
        """Tell what was true for the prediction `id`: a label, its name, or a number. The last one counts.

        Raises:
            BadFeedback: the id or the label is nothing that can be sent.
            ServerRefused, ServerUnreachable: as `predict`.
        """
        self._ask("POST", "/feedback", encoded_truth(id, label))

    def health(self) -> Health:
        """How the server is, and which version is in charge. Raises ServerRefused, ServerUnreachable."""
        return read(self._ask("GET", "/health"), Health)

    def model(self) -> Model:
        """The model in charge: columns with their ranges, labels, metrics. Raises ServerRefused, ServerUnreachable."""
        return read(self._ask("GET", "/model"), Model)

    def close(self) -> None:
        """Close the connections of `predict`, `feedback`, `health` and `model`."""
        if self._sync is not None:
            self._sync.close()
            self._sync = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # The same for an event loop ---------------------------------------------------------------------------------------

    @overload
    async def apredict(self, rows: Mapping[str, Any]) -> Prediction: ...
    @overload
    async def apredict(self, rows: Rows) -> list[Prediction]: ...
    async def apredict(self, rows: Mapping[str, Any] | Rows) -> Prediction | list[Prediction]:
        """As `predict`."""
        return _one_or_all(rows, await self._aask("POST", "/predict", encoded(rows)))

    async def afeedback(self, id: str, label: Value) -> None:  # noqa: A002
        """As `feedback`."""
        await self._aask("POST", "/feedback", encoded_truth(id, label))

    async def ahealth(self) -> Health:
        """As `health`."""
        return read(await self._aask("GET", "/health"), Health)

    async def amodel(self) -> Model:
        """As `model`."""
        return read(await self._aask("GET", "/model"), Model)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._async is not None:
            _, client = self._async
            self._async = None
            await client.aclose()
        self.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    # ------------------------------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        if self._sync is None:
            self._sync = self._httpx.Client(**self._settings)
        pauses = self._pauses()
        while True:
            try:
                found = self._sync.request(method, **self._to(path), content=body, headers=_HEADERS)
                return self._whole(found, path)
            except (self._httpx.HTTPError, self._httpx.InvalidURL, UnicodeError) as error:
                time.sleep(self._pause(error, pauses))

    async def _aask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        loop = asyncio.get_running_loop()
        if self._async is None or self._async[0] is not loop:  # connections belong to the loop they were made in
            self._async = loop, self._httpx.AsyncClient(**self._settings)
        pauses = self._pauses()
        while True:
            try:
                found = await self._async[1].request(method, **self._to(path), content=body, headers=_HEADERS)
                return self._whole(found, path)
            except (self._httpx.HTTPError, self._httpx.InvalidURL, UnicodeError) as error:
                await asyncio.sleep(self._pause(error, pauses))

    def _to(self, path: str) -> dict[str, Any]:
        """Where a request goes: user and password beside the address, which httpx writes into its log."""
        url = self._httpx.URL(self.address + path)
        if not url.userinfo:
            return {"url": url}
        return {"url": url.copy_with(userinfo=b""), "auth": (url.username, url.password)}

    def _whole(self, found: httpx.Response, path: str) -> bytes:
        if not found.is_success:
            raise refused(self._shown, path, found.status_code, found.content)
        return found.content

    def _pauses(self) -> Iterator[float]:
        return iter(_FIRST_PAUSE * 2**attempt for attempt in range(self._retries))

    def _pause(self, error: Exception, pauses: Iterator[float]) -> float:
        """Seconds to wait before asking again; the error for the caller where it is not asked again."""
        failed = (self._httpx.NetworkError, self._httpx.RemoteProtocolError, self._httpx.ConnectTimeout)
        pause = next(pauses, None) if isinstance(error, failed) else None
        if pause is None:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            # InvalidURL quotes what it cannot read, and with "/" in a password that is a part of it.
            quotes = self._shown != self.address and not isinstance(error, self._httpx.HTTPError)
            raise ServerUnreachable(
                f"No answer from the model server at {self._shown}.",
                why=_UNREADABLE if quotes else why,
                remedy="Check the address, and that it runs there: trilho serve",
            ) from (None if quotes else error)
        return pause


_HEADERS = {"content-type": "application/json", "accept": "application/json"}
_UNREADABLE = "It cannot be read as an address. In a password / is written %2F, # is %23 and ? is %3F."


def _sendable(api_key: str) -> str:
    """The key as a header can carry it. Raises ServerRefused, which does not quote it: errors end up in logs."""
    key = api_key.strip()  # one that was read from a file ends with a line break
    if key.isascii() and key.isprintable():
        return key
    raise ServerRefused(
        "The API key cannot be sent, and is not shown here.",
        state="No server was asked.",
        why="It holds a line break or a sign outside ASCII, which no HTTP header can carry.",
        remedy="Give one of the server's keys (TRILHO_API_KEYS), of ASCII letters, digits and signs: "
        "Client(address, api_key=...)",
    )


def _one_or_all(rows: Mapping[str, Any] | Rows, body: bytes) -> Prediction | list[Prediction]:
    found = predictions_in(body)
    return found[0] if isinstance(rows, Mapping) else found
