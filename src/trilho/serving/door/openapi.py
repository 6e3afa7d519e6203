"""/openapi.json (OpenAPI 3.1): the door's routes from FastAPI, the raw routes beside them described here."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from trilho.bundle import Schema
from trilho.bundle.columns import is_numeric
from trilho.serving.door.form import form_schema
from trilho.serving.door.rows import Rows, typical_row
from trilho.serving.slot import Served

_PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_KEY = "api key"


def document(app: FastAPI, served: Served, rows: Rows, *, keys: bool) -> dict[str, Any]:
    """The description of everything that the server answers."""
    found = get_openapi(
        title=served.name,
        version=served.version,
        summary=f"Predicts '{rows.schema.target}' ({rows.schema.task}).",
        description="Strict and typed: `/predict`. MLflow's scoring protocol: `/invocations`. "
        "Every answer names the version that gave it in the header `x-model-version`.",
        openapi_version="3.1.0",
        routes=app.routes,
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas["Row"] = rows.json_schema()
    predict = found["paths"]["/predict"]["post"]
    predict["requestBody"] = {"required": True, "content": _bodies(rows)}
    found["paths"].update(_raw_paths(rows.schema))
    if keys:
        found["components"]["securitySchemes"] = {_KEY: {"type": "apiKey", "in": "header", "name": "x-api-key"}}
        for path in ("/predict", "/invocations", "/feedback"):
            found["paths"][path]["post"]["security"] = [{_KEY: []}]
            found["paths"][path]["post"]["responses"]["401"] = _answer("The key is missing or wrong.")
    return found


# ----------------------------------------------------------------------------------------------------------------------


def _bodies(rows: Rows) -> dict[str, Any]:
    row = {"$ref": "#/components/schemas/Row"}
    bodies: dict[str, Any] = {
        "application/json": {
            "schema": {"anyOf": [row, {"type": "array", "items": row, "maxItems": rows.most}]},
        },
        "multipart/form-data": {"schema": form_schema(rows)},
    }
    if not _images(rows.schema):
        typical = typical_row(rows.schema)
        bodies["application/json"]["examples"] = {
            "one row": {"summary": "A row of typical values", "value": typical},
            "several rows": {"summary": "A list of rows", "value": [typical, typical]},
        }
        return bodies
    return {kind: bodies[kind] for kind in ("multipart/form-data", "application/json")}  # /docs opens with the first


def _raw_paths(schema: Schema) -> dict[str, Any]:
    return {
        "/invocations": {"post": _invocations(schema)},
        "/feedback": {"post": _feedback(schema)},
        "/ping": _get("ping", "Is there a model to ask?", "application/json", {}),
        "/health": _get("health", "How the server is, and which version is in charge", "application/json", _OBJECT),
        "/version": _get("version", "The version of MLflow", "text/plain", {"type": "string"}),
        "/metrics": _get("metrics", "Metrics for Prometheus", "text/plain", {"type": "string"}),
    }


_OBJECT: dict[str, Any] = {"type": "object"}
_RECORDS: dict[str, Any] = {"type": "array", "items": _OBJECT}
_SPLIT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "data": {"type": "array", "items": {"type": "array", "items": {}}},
    },
    "required": ["data"],
}


def _invocations(schema: Schema) -> dict[str, Any]:
    typical = typical_row(schema)
    split = {"dataframe_split": {"columns": list(typical), "data": [list(typical.values())]}}
    forms = {"dataframe_split": _SPLIT, "dataframe_records": _RECORDS, "inputs": {}, "instances": {}}
    one = [{"type": "object", "properties": {name: form}, "required": [name]} for name, form in forms.items()]
    body: dict[str, Any] = {"schema": {"oneOf": one}}
    if not _images(schema):
        records = {"dataframe_records": [typical]}
        body["examples"] = {"dataframe_split": {"value": split}, "dataframe_records": {"value": records}}
    number = all(is_numeric(field) for field in schema.fields)
    lines = f"{','.join(map(_quoted, typical))}\n{','.join(_quoted(str(value)) for value in typical.values())}\n"
    return {
        "tags": ["MLflow"],
        "operationId": "invocations",
        "summary": "Predict, by MLflow's scoring protocol",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": body,
                "text/csv": {"schema": {"type": "string"}, **({"example": lines} if number else {})},
            },
        },
        "responses": {
            "200": {
                "description": "One label or number per row",
                "content": {
                    "application/json": {
                        "schema": {"type": "object", "properties": {"predictions": {"type": "array", "items": {}}}}
                    }
                },
            },
            **_refusals(),
        },
    }


def _feedback(schema: Schema) -> dict[str, Any]:
    label: dict[str, Any] = {"description": "What was true: a label, its name, or a number."}
    if schema.labels:
        label["examples"] = [schema.label_names[0] if schema.label_names else str(schema.labels[0])]
    one = {
        "type": "object",
        "properties": {"id": {"type": "string", "description": "A prediction id"}, "label": label},
        "required": ["id", "label"],
    }
    return {
        "tags": ["model"],
        "operationId": "feedback",
        "summary": "Say what was true",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"anyOf": [one, {"type": "array", "items": one}]}}},
        },
        "responses": {"202": {"description": "Noted"}, **_refusals()},
    }


def _get(name: str, summary: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": "OK", "content": {kind: {"schema": schema}}}
    return {"get": {"tags": ["server"], "operationId": name, "summary": summary, "responses": {"200": answer}}}


def _refusals() -> dict[str, Any]:
    return {
        "400": _answer("The rows do not fit the model; `details` name column and row."),
        "413": _answer("The body is too large."),
        "415": _answer("The body is of another type."),
        "429": _answer("Too many requests at once."),
        "503": _answer("No model is in charge yet."),
    }


def _answer(description: str) -> dict[str, Any]:
    return {"description": description, "content": _PROBLEM}


def _images(schema: Schema) -> bool:
    return any(field.kind == "image" for field in schema.fields)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n\r') else text
