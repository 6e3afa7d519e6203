"""The Open Inference Protocol, as its specification words it."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipped import Shipped
from trilho.bundle import Predictor
from trilho.serving.asking import Desk
from trilho.serving.counting import Counts
from trilho.serving.responses import Response
from trilho.serving.slot import Served, Slot
from trilho.serving.v2 import respond
from trilho.serving.v2.tensors import NUMBERS


def served_by(predictor: Predictor) -> Served:
    return Served(predictor=predictor, name="tried", version="7", since=time.time())


def ask(
    served: Served | None, method: str, path: str, body: bytes = b"", *, rows: int = 100_000, **headers: str
) -> Response:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": given}
    return asyncio.run(respond(scope, body, Desk(Slot(served), Counts()), served, rows=rows))


def infer(served: Served, found: Any, *binary: bytes, **more: Any) -> Response:
    head = json.dumps(found).encode()
    headers = {"inference_header_content_length": str(len(head))} if binary else {}
    return ask(served, "POST", "/v2/models/tried/infer", head + b"".join(binary), **headers, **more)


def told(response: Response) -> Any:
    return json.loads(response.body)


def by_column(shipped: Shipped, rows: int = 3) -> dict[str, Any]:
    """A tensor for each column, in JSON."""
    kinds = {"FP64": float, "BOOL": bool}
    described = told(ask(served_by(shipped.predictor), "GET", "/v2/models/tried"))
    frame = shipped.frame[:rows].astype(object).where(shipped.frame[:rows].notna(), None)
    tensors = []
    for tensor in described["inputs"]:
        make = kinds.get(tensor["datatype"], str)
        data = [None if value is None else make(value) for value in frame[tensor["name"]]]
        tensors.append({**tensor, "shape": [rows], "data": data})
    return {"inputs": tensors}


def matrix(shipped: Shipped, rows: int = 3) -> np.ndarray:
    return shipped.frame[:rows].to_numpy(dtype="float64")


def test_server_and_model_tell_what_they_are(numbers: Shipped, words: Shipped) -> None:
    served = served_by(words.predictor)
    server = told(ask(served, "GET", "/v2"))
    assert (server["name"], server["extensions"]) == ("trilho", ["binary_tensor_data"])
    model = told(ask(served, "GET", "/v2/models/tried/versions/7"))
    assert model == told(ask(served, "GET", "/v2/models/tried/"))
    assert (model["name"], model["versions"], model["platform"]) == ("tried", ["7"], "onnx_onnxv1")
    types = {tensor["name"]: (tensor["datatype"], tensor["shape"]) for tensor in model["inputs"]}
    assert types["income"] == ("FP64", [-1])
    assert types["member"] == ("BOOL", [-1])
    assert types["city"] == ("BYTES", [-1])
    predict, probabilities = model["outputs"]
    assert (predict["datatype"], predict["shape"]) == ("BYTES", [-1])
    assert (probabilities["datatype"], probabilities["shape"]) == ("FP64", [-1, 2])
    assert json.loads(probabilities["parameters"]["label_names"]) == ["leaves", "stays"]
    assert told(ask(served_by(numbers.predictor), "GET", "/v2/models/tried"))["outputs"][0]["datatype"] == "INT64"


def test_health_is_told_before_and_after_a_model_is_there(numbers: Shipped) -> None:
    served = served_by(numbers.predictor)
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/tried/ready", "/v2/models/tried/versions/7/ready"):
        assert ask(served, "GET", path).status == 200
        assert ask(served, "HEAD", path).status == 200
        assert ask(served, "POST", path).status == 405
    assert told(ask(served, "GET", "/v2/models/tried/ready")) == {"name": "tried", "ready": True}
    assert ask(None, "GET", "/v2/health/live").status == 200
    assert ask(None, "GET", "/v2/health/ready").status == 503
    assert ask(None, "GET", "/v2/models/tried/ready").status == 503


@pytest.mark.parametrize(
    "path",
    ["/v2/other", "/v2/models", "/v2/models/another", "/v2/models/tried/versions/8", "/v2/models/tried/versions/7/no"],
)
def test_what_is_not_there_is_404_in_this_protocols_form(path: str, numbers: Shipped) -> None:
    found = ask(served_by(numbers.predictor), "GET", path)
    assert found.status == 404
    assert list(told(found)) == ["error"]


def test_a_tensor_per_column_is_answered_as_the_model_answers(shipped: Shipped) -> None:
    found = infer(served_by(shipped.predictor), {"id": "42", **by_column(shipped)})
    assert found.status == 200, found.body
    answer, wanted = told(found), shipped.answers(shipped.frame[:3])
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("tried", "7", "42")
    assert dict(found.headers)[b"x-prediction-id"].decode() == answer["parameters"]["prediction_id"]
    predict, probabilities = answer["outputs"]
    assert (predict["shape"], predict["data"]) == ([3], wanted.labels.tolist())
    assert probabilities["shape"] == [3, 2]
    assert wanted.probabilities is not None
    np.testing.assert_allclose(probabilities["data"], wanted.probabilities.ravel(), atol=1e-6)


def test_one_matrix_is_all_columns_of_a_model_of_numbers(numbers: Shipped) -> None:
    served, rows = served_by(numbers.predictor), matrix(numbers)
    tensor = {"name": "input-0", "shape": list(rows.shape), "datatype": "FP64"}
    wanted = numbers.answers(numbers.frame[:3]).labels.tolist()
    for data in (rows.tolist(), rows.ravel().tolist()):
        assert told(infer(served, {"inputs": [{**tensor, "data": data}]}))["outputs"][0]["data"] == wanted
    sized = {**tensor, "parameters": {"binary_data_size": rows.nbytes}}
    assert told(infer(served, {"inputs": [sized]}, rows.tobytes()))["outputs"][0]["data"] == wanted


def test_binary_tensors_of_every_type_come_in_and_go_out(words: Shipped) -> None:
    def packed(values: list[str]) -> bytes:
        return b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)

    columns = {
        "income": ("FP32", np.array([3000, 100], "<f4").tobytes()),
        "age": ("UINT8", np.array([40, 50], "u1").tobytes()),
        "member": ("BOOL", b"\1\0"),
        "city": ("BYTES", packed(["São Paulo", ""])),
        "plan": ("BYTES", packed(["a", "b"])),
        "street": ("BYTES", packed(["street 1", "nowhere"])),
    }
    inputs = [
        {"name": name, "shape": [2, 1], "datatype": datatype, "parameters": {"binary_data_size": len(data)}}
        for name, (datatype, data) in columns.items()
    ]
    binary = [data for _, data in columns.values()]
    served = served_by(words.predictor)
    plain = told(infer(served, {"inputs": inputs}, *binary))
    found = infer(served, {"inputs": inputs, "parameters": {"binary_data_output": True}}, *binary)
    length = int(dict(found.headers)[b"inference-header-content-length"])
    predict, probabilities = json.loads(found.body[:length])["outputs"]
    tail = found.body[length:]
    size = predict["parameters"]["binary_data_size"]
    assert tail[:size] == packed(plain["outputs"][0]["data"])
    assert np.frombuffer(tail[size:], "<f8").tolist() == plain["outputs"][1]["data"]
    assert probabilities["parameters"]["binary_data_size"] == 32
    wanted = words.predictor.predict(
        {"income": [3000, 100], "age": [40, 50], "member": [True, False], "city": ["São Paulo", ""],
         "plan": ["a", "b"], "street": ["street 1", "nowhere"]}
    )  # fmt: skip
    assert plain["outputs"][0]["data"] == wanted.labels.tolist()


@pytest.mark.parametrize("datatype", list(NUMBERS))
def test_every_datatype_of_numbers_is_read(datatype: str, numbers: Shipped) -> None:
    rows = np.ones((2, len(numbers.schema.names)), NUMBERS[datatype])
    tensor = {"name": "x", "shape": list(rows.shape), "datatype": datatype}
    sized = {**tensor, "parameters": {"binary_data_size": rows.nbytes}}
    served = served_by(numbers.predictor)
    wanted = numbers.predictor.predict_matrix(np.ones(rows.shape)).labels.tolist()
    assert told(infer(served, {"inputs": [sized]}, rows.tobytes()))["outputs"][0]["data"] == wanted


def test_only_the_outputs_that_were_asked_for_are_given(numbers: Shipped) -> None:
    served, found = served_by(numbers.predictor), by_column(numbers)
    outputs = [{"name": "probabilities"}]
    assert [output["name"] for output in told(infer(served, {**found, "outputs": outputs}))["outputs"]] == [
        "probabilities"
    ]
    wrong = infer(served, {**found, "outputs": [{"name": "logits"}]})
    assert wrong.status == 400
    assert "no output 'logits'" in told(wrong)["error"]


def changed(found: Any, **fields: Any) -> Any:
    """The request with another first tensor."""
    first, *others = found["inputs"]
    return {"inputs": [{**first, **fields}, *others]}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "other"}, "'mean radius' is not in the request"),
        ({"name": "mean texture"}, "'mean texture' comes twice"),
        ({"datatype": "FP128"}, "datatype 'FP128'"),
        ({"shape": [2]}, "shape [2] has 3 elements"),
        ({"shape": []}, "shape []"),
        ({"shape": [3, 1, 1]}, "shape [3, 1, 1]"),
        ({"shape": [-1]}, "shape [-1]"),
        ({"shape": [1, 3]}, "a column is [n] or [n, 1]"),
        ({"shape": ["3"]}, "no inference request"),
        ({"shape": [10**30]}, "has 3 elements"),
        ({"data": [1, "x", 2]}, "'mean radius', row 1: 'x' is not a number"),
        ({"data": [1, None, 2]}, "row 1: null cannot be predicted"),
        ({"data": [[1], [2], [3]]}, "row 0: [1] is not a number"),
        ({"data": 5}, "no data"),
        ({"data": None}, "no data"),
        ({"parameters": {"binary_data_size": 24}}, "24 binary bytes; 0 are left"),
        ({"parameters": {"binary_data_size": -1}}, "-1 binary bytes"),
        ({"parameters": {"binary_data_size": "24"}}, "24 binary bytes"),
        ({"shape": [2], "data": [1, 2]}, "rows"),
    ],
)
def test_a_wrong_tensor_is_refused_with_a_sentence(fields: dict[str, Any], said: str, numbers: Shipped) -> None:
    found = infer(served_by(numbers.predictor), changed(by_column(numbers), **fields))
    assert found.status == 400
    assert list(told(found)) == ["error"]
    assert said in told(found)["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"inputs": 5}', b'{"inputs": [5]}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_request_is_refused(body: bytes, numbers: Shipped) -> None:
    found = ask(served_by(numbers.predictor), "POST", "/v2/models/tried/infer", body)
    assert found.status == 400
    assert told(found)["error"]


def test_binary_data_that_does_not_fit_is_refused(numbers: Shipped, words: Shipped) -> None:
    served = served_by(numbers.predictor)
    sized = changed(by_column(numbers), parameters={"binary_data_size": 23})
    assert "no whole number of FP64" in told(infer(served, sized, b"\0" * 23))["error"]
    assert "1 bytes more" in told(infer(served, by_column(numbers), b"\0"))["error"]
    for length in ("x", "-1", "99999999"):
        found = ask(served, "POST", "/v2/models/tried/infer", b"{}", inference_header_content_length=length)
        assert found.status == 400
    request = by_column(words, rows=1)
    for tensor in request["inputs"]:
        if tensor["name"] == "street":
            tensor.update(parameters={"binary_data_size": 6})
    for cut in (b"\5\0\0\0ab", b"\2\0\0\0\xff\xff", b"ab\0\0ab"):
        assert infer(served_by(words.predictor), request, cut).status == 400


def test_too_many_rows_and_compressed_bodies_are_refused(numbers: Shipped) -> None:
    served = served_by(numbers.predictor)
    assert infer(served, by_column(numbers), rows=2).status == 413
    assert ask(served, "POST", "/v2/models/tried/infer", b"{}", content_encoding="gzip").status == 415


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
TENSORS = st.fixed_dictionaries(
    {"name": st.just("income") | st.text(max_size=3), "shape": st.lists(st.integers(-1, 4), max_size=3) | TREES},
    optional={
        "datatype": st.sampled_from([*NUMBERS, "BYTES", "?"]),
        "data": TREES,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": st.integers(-1, 20) | TREES}),
    },
)


@given(found=st.fixed_dictionaries({"inputs": st.lists(TENSORS, max_size=3) | TREES}), binary=st.binary(max_size=20))
def test_whatever_comes_is_answered_or_refused(found: Any, binary: bytes, words: Shipped) -> None:
    response = infer(served_by(words.predictor), found, binary)
    assert response.status in (200, 400)
    assert told(response)["error"] if response.status == 400 else True
