from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from conftest import free_port
from model_server import Running, running
from shipped import Shipped
from trilho.client import Client, Prediction
from trilho.errors import CannotPredict, MissingExtra, ServerRefused, ServerUnreachable

pytest.importorskip("httpx", reason='pip install "trilho[client]"')

ROW = {"plan": "a"}


def test_every_table_is_answered_as_its_model_does(shipped: Shipped) -> None:
    frame = shipped.frame[:40]
    wanted = shipped.answers(frame)
    with running(shipped) as server, Client(server.address) as client:
        found = client.predict(frame)
    assert [one.prediction for one in found] == wanted.labels.tolist()
    assert [one.label for one in found] == [str(label) for label in wanted.labels.tolist()]
    assert wanted.probabilities is not None
    for one, shares in zip(found, wanted.probabilities, strict=True):
        assert one.probabilities is not None
        assert list(one.probabilities) == list(shipped.schema.label_names)
        np.testing.assert_allclose(list(one.probabilities.values()), shares, atol=1e-12)
    assert {(one.model, one.version) for one in found} == {("tried", "3")}
    assert len({one.id for one in found}) == 40


def test_one_row_gives_one_answer_and_many_give_many(server: Running, numbers: Shipped) -> None:
    rows = numbers.frame[:3].to_dict("records")
    with Client(server.address) as client:
        one = client.predict(rows[0])
        assert isinstance(one, Prediction)
        assert client.predict(rows)[0].prediction == one.prediction
        assert client.predict([]) == []


def test_an_event_loop_gets_the_same_answers_all_at_once(server: Running, numbers: Shipped) -> None:
    frame = numbers.frame[:20]
    rows = frame.to_dict("records")

    async def main() -> list[Prediction]:
        async with Client(server.address) as client:
            assert (await client.ahealth()).status == "ok"
            assert (await client.amodel()).version == "3"
            await client.afeedback("a-0", 1)
            assert len(await client.apredict(frame)) == 20
            return await asyncio.gather(*(client.apredict(row) for row in rows))

    found = asyncio.run(main())
    assert [one.prediction for one in found] == numbers.answers(frame).labels.tolist()
    assert server.labels == {"a-0": 1}


def test_a_client_outlives_an_event_loop(server: Running, numbers: Shipped) -> None:
    client, row = Client(server.address), numbers.frame[:1].to_dict("records")[0]

    async def once() -> int:
        try:
            return int((await client.apredict(row)).prediction)
        finally:
            await client.aclose()

    assert asyncio.run(once()) == asyncio.run(once())


def test_a_row_that_does_not_fit_is_named_by_column_and_row(server: Running, numbers: Shipped) -> None:
    rows = numbers.frame[:3].to_dict("records")
    with Client(server.address) as client:
        with pytest.raises(CannotPredict, match="'mean area', row 2") as caught:
            client.predict([*rows[:2], {**rows[2], "mean area": "large"}])
        assert (caught.value.column, caught.value.row) == ("mean area", 2)
        assert "number" in caught.value.remedy
        with pytest.raises(CannotPredict) as caught:
            client.predict({**rows[0], "mean aera": 1.0})
        assert (caught.value.column, caught.value.row) == ("mean aera", 0)
        assert "mean area" in caught.value.remedy, "the near name is the server's"
        with pytest.raises(CannotPredict) as caught:
            client.predict({name: value for name, value in rows[0].items() if name != "mean area"})
        assert caught.value.column == "mean area"


def test_feedback_and_health(server: Running) -> None:
    with Client(server.address) as client:
        client.feedback("abc-0", 1)
        health = client.health()
    assert server.labels == {"abc-0": 1}
    assert (health.status, health.model, health.version, health.runtime) == ("ok", "tried", "3", "onnx")


def test_the_model_says_what_it_takes(words: Shipped) -> None:
    with running(words) as server, Client(server.address) as client:
        model = client.model()
    assert (model.task, model.target) == ("classification", "outcome")
    assert [label.name for label in model.labels] == ["leaves", "stays"]
    columns = {column.name: column for column in model.columns}
    assert list(columns) == list(words.schema.names)
    assert columns["income"].nullable
    assert len(columns["income"].quantiles) == 21
    assert columns["plan"].values[0] in ("a", "b")
    assert columns["member"].kind == "boolean"


def test_keys_are_sent_and_a_missing_one_is_named(numbers: Shipped) -> None:
    row = numbers.frame[:1].to_dict("records")[0]
    with running(numbers, keys=("secret",)) as server:
        with Client(server.address, api_key="secret") as client:
            assert client.predict(row).version == "3"
        with Client(server.address) as client, pytest.raises(ServerRefused) as caught:
            client.predict(row)
    assert caught.value.status == 401
    assert "api_key=" in caught.value.remedy


def test_no_model_yet_is_said_by_health_and_refused_by_predict() -> None:
    with running(None) as server, Client(server.address) as client:
        assert client.health().model is None
        with pytest.raises(ServerRefused) as caught:
            client.predict(ROW)
    assert caught.value.status == 503


def test_nobody_there_is_asked_again_a_few_times_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("trilho.client.client.time.sleep", pauses.append)
    address = f"http://127.0.0.1:{free_port()}"
    with Client(address) as client, pytest.raises(ServerUnreachable, match="No answer from the model server") as caught:
        client.predict(ROW)
    assert pauses == [0.1, 0.2, 0.4]
    assert address in caught.value.what
    assert "trilho serve" in caught.value.remedy

    async def main() -> None:
        async with Client(address, retries=0) as client:
            with pytest.raises(ServerUnreachable):
                await client.apredict(ROW)

    asyncio.run(main())


def test_a_server_that_was_restarted_is_found_again(numbers: Shipped) -> None:
    row = numbers.frame[:1].to_dict("records")[0]
    with running(numbers) as first:
        port = int(first.address.rpartition(":")[2])
        client = Client(first.address)
        before = client.predict(row)
    again = threading.Event()

    def restart() -> None:
        with running(numbers, port=port):
            again.wait(60)

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        after = client.predict(row)
        assert (after.prediction, after.probabilities) == (before.prediction, before.probabilities)
    finally:
        again.set()
        thread.join()
        client.close()


def answering(*answers: Callable[[socket.socket], None]) -> tuple[str, list[int], threading.Thread, socket.socket]:
    """A listener that treats one connection after the other as told."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[int] = []

    def work() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                asked.append(1)
                answer(connection)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", asked, thread, listener


def test_only_failed_connections_are_asked_again() -> None:
    body = b'{"predictions": [{"prediction": 1, "id": "a-0"}], "model": "m", "version": "1"}'
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    failing = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"
    address, asked, thread, listener = answering(
        lambda _: None, lambda to: to.sendall(whole[:40]), lambda to: to.sendall(whole)
    )
    with listener, Client(address) as client:
        assert client.predict(ROW).prediction == 1
        thread.join()
    assert len(asked) == 3

    address, asked, thread, listener = answering(lambda to: to.sendall(failing))
    with listener, Client(address) as client, pytest.raises(ServerRefused) as caught:
        client.predict(ROW)
    assert (caught.value.status, len(asked)) == (500, 1)

    address, asked, thread, listener = answering(lambda to: to.recv(1))
    with listener:
        with Client(address, timeout=0.2) as client, pytest.raises(ServerUnreachable, match="ReadTimeout"):
            client.predict(ROW)
        thread.join()
    assert len(asked) == 1


@pytest.mark.parametrize("answer", [b"<html>hello</html>", b'{"predictions": [1]}', b"\xff", b"[]"])
def test_an_answer_of_something_else_is_named(answer: bytes) -> None:
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(answer) + answer
    address, _, thread, listener = answering(lambda to: to.sendall(whole))
    with listener, Client(address) as client, pytest.raises(ServerRefused, match="not one of a trilho model server"):
        client.predict(ROW)
    thread.join()


@pytest.mark.parametrize("address", ["http://", "ftp://somewhere", "http://a b", "no-such-host.invalid:1"])
def test_what_is_no_address_is_named(address: str) -> None:
    with Client(address, retries=0, timeout=2) as client, pytest.raises(ServerUnreachable, match="No answer"):
        client.health()


def test_values_of_pandas_and_numpy_are_sent_as_what_they_are(words: Shipped) -> None:
    frame = words.frame[:5].astype({"plan": "category", "age": "Int64", "member": "boolean"})
    frame.loc[0, "income"] = np.nan
    frame.loc[1, "city"] = pd.NA
    with running(words) as server, Client(server.address) as client:
        found = client.predict(frame)
        plain = words.frame[:5].astype({"income": object, "city": object})
        plain.loc[0, "income"] = None
        plain.loc[1, "city"] = None
        assert [one.probabilities for one in found] == [
            one.probabilities for one in client.predict(plain.to_dict("records"))
        ]


@pytest.mark.parametrize(
    ("rows", "why"),
    [(3, "not a dict"), ("text", "not a dict"), ([1], "not a dict"), ({"a": float("inf")}, "infinite"),
     ([{"a": 1}, {"a": [1]}], "'a', row 1"), ({"a": object()}, "not a value")],
)  # fmt: skip
def test_what_is_no_row_is_refused_before_it_is_sent(rows: object, why: str) -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(CannotPredict, match=why):
        client.predict(rows)  # type: ignore[call-overload]


def test_without_httpx_the_install_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(MissingExtra) as caught:
        Client("http://127.0.0.1:8000")
    assert caught.value.remedy == 'pip install "trilho[client]"'


def test_a_client_loads_nothing_heavy() -> None:
    script = """
import sys
from trilho.client import Client
from trilho.errors import ServerUnreachable
try:
    Client("http://127.0.0.1:1", retries=0).predict({"a": 1})
except ServerUnreachable:
    print({"mlflow", "pandas", "numpy", "sklearn", "onnxruntime", "pyarrow"} & sys.modules.keys())
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "set()"
