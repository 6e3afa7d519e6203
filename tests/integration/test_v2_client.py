"""NVIDIA's own client, unchanged, against this server."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import uvicorn

from shipped import KINDS, Shipped
from trilho.serving.asking import Desk
from trilho.serving.counting import Counts
from trilho.serving.slot import Served, Slot
from trilho.serving.v2 import respond

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    tritonclient = pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[http]'")

pytestmark = pytest.mark.filterwarnings("ignore")  # gevent's


@pytest.fixture(scope="module", params=["all numbers", "categories and missing", "200 columns"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shipped, Any]]:
    """A table, and a client of its model."""
    shipped = KINDS[request.param](tmp_path_factory.mktemp("shipped"))
    model = Served(predictor=shipped.predictor, name="tried", version="7", since=time.time())
    desk = Desk(Slot(model), Counts())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = await respond(scope, body, desk, model)
        length = (b"content-length", str(len(answer.body)).encode())
        headers = [(b"content-type", answer.content_type), length, *answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    client = tritonclient.InferenceServerClient(f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
    yield shipped, client
    client.close()
    server.should_exit = True
    thread.join(timeout=30)


def tensors_of(shipped: Shipped, client: Any, rows: int, *, binary: bool) -> list[Any]:
    """A tensor for each column, of the type that the model's metadata asks for."""
    frame = shipped.frame.dropna()[:rows]
    found = []
    for described in client.get_model_metadata("tried")["inputs"]:
        name, datatype = described["name"], described["datatype"]
        kind: Any = {"FP64": np.float64, "BOOL": np.bool_}.get(datatype, np.object_)
        tensor = tritonclient.InferInput(name, [rows], datatype)
        tensor.set_data_from_numpy(frame[name].to_numpy().astype(kind), binary_data=binary)
        found.append(tensor)
    return found


def test_the_client_finds_server_and_model_alive_and_ready(served: tuple[Shipped, Any]) -> None:
    _, client = served
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("tried")
    assert client.is_model_ready("tried", "7")
    assert not client.is_model_ready("tried", "8")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    assert client.get_model_metadata("tried", "7")["versions"] == ["7"]


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_the_client_gets_the_models_answers(served: tuple[Shipped, Any], binary_in: bool, binary_out: bool) -> None:
    shipped, client = served
    outputs = [tritonclient.InferRequestedOutput(name, binary_data=binary_out) for name in ("predict", "probabilities")]
    found = client.infer("tried", tensors_of(shipped, client, 20, binary=binary_in), request_id="42", outputs=outputs)
    wanted = shipped.answers(shipped.frame.dropna()[:20])
    assert wanted.probabilities is not None
    labels = [label.decode() if isinstance(label, bytes) else label for label in found.as_numpy("predict").tolist()]
    assert labels == wanted.labels.tolist()
    np.testing.assert_allclose(found.as_numpy("probabilities"), wanted.probabilities, atol=1e-6)
    assert found.get_response()["id"] == "42"


def test_the_client_sends_one_matrix(served: tuple[Shipped, Any]) -> None:
    shipped, client = served
    if not shipped.predictor.all_numbers:
        words = tritonclient.InferInput("rows", [1, len(shipped.schema.fields)], "FP32")
        words.set_data_from_numpy(np.zeros((1, len(shipped.schema.fields)), dtype="float32"))
        with pytest.raises(Exception, match=f"'{shipped.schema.names[0]}' is not in the request"):
            client.infer("tried", [words])
        return
    rows = shipped.frame[:50].to_numpy(dtype="float32")
    tensor = tritonclient.InferInput("rows", rows.shape, "FP32")
    tensor.set_data_from_numpy(rows)
    found = client.infer("tried", [tensor])
    wanted = shipped.predictor.predict_matrix(rows.astype("float64"))
    assert found.as_numpy("predict").tolist() == wanted.labels.tolist()


def test_the_client_is_told_what_was_wrong(served: tuple[Shipped, Any]) -> None:
    shipped, client = served
    tensors = tensors_of(shipped, client, 2, binary=True)
    with pytest.raises(tritonclient.InferenceServerException, match="is not in the request") as caught:
        client.infer("tried", tensors[1:])
    assert caught.value.status() == "400"
    with pytest.raises(tritonclient.InferenceServerException, match="The model in charge is 'tried'"):
        client.infer("another", tensors)
