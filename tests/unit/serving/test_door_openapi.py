from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from pages import MODELS
from trilho.bundle import Predictor
from unit.serving.knocking import door_of, knock

ModelOf = Callable[[str], Predictor]


def description(predictor: Predictor, **more: Any) -> Any:
    answer = knock(door_of(predictor, **more), "GET", "/openapi.json")
    assert answer.status == 200
    return answer.json


@pytest.mark.parametrize("name", list(MODELS))
def test_description_is_valid_openapi(name: str, model_of: ModelOf) -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="pip install openapi-spec-validator")
    found = description(model_of(name))
    assert found["openapi"].startswith("3.1")
    validator.validate(found)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "scans"])
def test_every_example_of_predict_is_answered(name: str, model_of: ModelOf) -> None:
    predictor = model_of(name)
    bodies = description(predictor)["paths"]["/predict"]["post"]["requestBody"]["content"]
    door = door_of(predictor)
    for example in bodies["application/json"]["examples"].values():
        assert knock(door, "POST", "/predict", example["value"]).status == 200


def test_columns_have_types_examples_and_ranges(model_of: ModelOf) -> None:
    row = description(model_of("customers"))["components"]["schemas"]["Row"]
    assert row["additionalProperties"] is False
    assert set(row["required"]) == set(row["properties"])
    income = row["properties"]["income"]
    assert {"type": "null"} in income["anyOf"]
    assert "in training; typical" in income["description"]
    assert isinstance(income["examples"][0], float)
    [time, _] = row["properties"]["since"]["anyOf"]
    assert re.match(time["pattern"], row["properties"]["since"]["examples"][0])


def test_raw_routes_are_described_too(model_of: ModelOf) -> None:
    paths = description(model_of("breast-cancer"))["paths"]
    assert set(paths) == {
        "/predict",
        "/model",
        "/invocations",
        "/feedback",
        "/ping",
        "/health",
        "/version",
        "/metrics",
    }
    split = paths["/invocations"]["post"]["requestBody"]["content"]["application/json"]["examples"]["dataframe_split"]
    assert len(split["value"]["dataframe_split"]["columns"]) == 30


def test_keys_are_described_where_they_are_asked_for(model_of: ModelOf) -> None:
    open_door = description(model_of("progression"))
    assert "securitySchemes" not in open_door["components"]
    guarded = description(model_of("progression"), keys=True)
    assert guarded["components"]["securitySchemes"]["api key"]["name"] == "x-api-key"
    assert guarded["paths"]["/predict"]["post"]["security"] == [{"api key": []}]
    assert "security" not in guarded["paths"]["/health"]["get"]


def test_image_is_described_as_a_file_and_as_base64(model_of: ModelOf) -> None:
    bodies = description(model_of("scans"))["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert list(bodies) == ["multipart/form-data", "application/json"]
    assert bodies["multipart/form-data"]["schema"]["properties"]["scan"]["format"] == "binary"
    row = description(model_of("scans"))["components"]["schemas"]["Row"]
    assert row["properties"]["scan"]["contentEncoding"] == "base64"


def test_swagger_ui_comes_from_this_server(model_of: ModelOf) -> None:
    door = door_of(model_of("progression"))
    page = knock(door, "GET", "/docs")
    assert page.status == 200
    assert b"//" not in page.body.replace(b"<!--", b"")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for file in ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE"):
        assert knock(door, "GET", f"/static/swagger-ui/{file}").status == 200
