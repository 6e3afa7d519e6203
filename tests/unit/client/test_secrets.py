"""Keys and passwords reach the server, and nothing that is printed or logged."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from conftest import free_port
from model_server import running
from shipped import Shipped
from trilho.client import Client
from trilho.errors import ServerRefused, ServerUnreachable, TrilhoError

pytest.importorskip("httpx", reason='pip install "trilho[client]"')

PASSWORD = "s3cretpw"


def printed(error: BaseException) -> str:
    """All that a program ends with that does not catch it."""
    return "".join(traceback.format_exception(error))


@contextmanager
def refusing() -> Iterator[tuple[str, list[str]]]:
    """Host and port of a server that answers 401, and the Authorization headers that it was sent."""
    sent: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent.append(self.headers.get("authorization", ""))
            self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", sent
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("key", ["key2BBB\n", " key2BBB\r\n", "key2BBB"])
def test_a_key_that_was_read_from_a_file_opens_the_server(numbers: Shipped, key: str) -> None:
    row = numbers.frame[:1].to_dict("records")[0]
    with running(numbers, keys=("key2BBB",)) as server, Client(server.address, api_key=key) as client:
        assert client.predict(row).version == "3"


@pytest.mark.parametrize("key", ["key2BBB\nkey3CCC", "key2BBB\x00", "key2BBBé", "key2BBB\udce9", "key2BBB\x7f"])
def test_a_key_that_no_request_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ServerRefused, match="API key cannot be sent") as caught:
        Client("http://127.0.0.1:1", api_key=key)
    assert "key2BBB" not in printed(caught.value)
    assert "TRILHO_API_KEYS" in caught.value.remedy


@pytest.mark.parametrize(
    "password",
    [PASSWORD, f"{PASSWORD}/more", f"{PASSWORD}#more", f"{PASSWORD}?more", f"{PASSWORD}[more", f"{PASSWORD}\udce9"],
)
def test_the_password_of_an_address_is_not_in_an_error(password: str) -> None:
    address = f"ana:{password}@127.0.0.1:{free_port()}"
    with Client(f"http://{address}", retries=0) as client, pytest.raises(ServerUnreachable) as caught:
        client.health()
    assert "http://ana:***@127.0.0.1" in caught.value.what
    assert PASSWORD not in printed(caught.value)

    async def main() -> None:
        async with Client(address, retries=0) as client:
            with pytest.raises(ServerUnreachable) as caught:
                await client.ahealth()
        assert PASSWORD not in printed(caught.value)

    asyncio.run(main())


def test_a_password_is_sent_and_neither_shown_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def ask(address: str) -> None:
        async with Client(address) as client:
            await client.ahealth()

    with refusing() as (place, sent):
        address = f"http://ana:{PASSWORD}%2F@{place}"
        with Client(address) as client, pytest.raises(ServerRefused) as caught:
            client.health()
        with pytest.raises(TrilhoError):
            asyncio.run(ask(address))
    assert sent == ["Basic " + base64.b64encode(f"ana:{PASSWORD}/".encode()).decode()] * 2
    assert caught.value.what == f"http://ana:***@{place}/health answered 401."
    assert place in caplog.text
    assert PASSWORD not in caplog.text + printed(caught.value)


@pytest.mark.parametrize("address", ["http://a..b", "http://" + "a" * 70, "http://h\udce9"])
def test_a_name_that_no_machine_can_have_is_named(address: str) -> None:
    with Client(address, retries=0) as client, pytest.raises(ServerUnreachable, match="No answer"):
        client.health()
