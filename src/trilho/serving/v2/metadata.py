"""What a model takes and gives, in tensors."""

from __future__ import annotations

from typing import Any

import msgspec

from trilho.bundle import Field, Schema
from trilho.bundle.columns import is_numeric
from trilho.serving.slot import Served

PREDICT, PROBABILITIES = "predict", "probabilities"
_PLATFORMS = {"onnx": "onnx_onnxv1", "native": "sklearn_skops"}


def described(served: Served) -> dict[str, Any]:
    """The model's metadata: one tensor per column, in the model's order, one row for each of its elements."""
    schema = served.predictor.schema
    outputs: list[dict[str, Any]] = [{"name": PREDICT, "datatype": type_of_answers(schema), "shape": [-1]}]
    if schema.labels:
        words = msgspec.json.encode(schema.label_names).decode()
        shares = {"name": PROBABILITIES, "datatype": "FP64", "shape": [-1, len(schema.labels)]}
        outputs.append({**shares, "parameters": {"label_names": words}})
    return {
        "name": served.name,
        "versions": [served.version],
        "platform": _PLATFORMS.get(served.predictor.runtime, served.predictor.runtime),
        "inputs": [{"name": field.name, "datatype": _type(field), "shape": [-1]} for field in schema.fields],
        "outputs": outputs,
    }


def type_of_answers(schema: Schema) -> str:
    """The datatype of `predict`."""
    types = set(map(type, schema.labels))
    if not types or types == {float}:
        return "FP64"
    return {bool: "BOOL", int: "INT64"}.get(types.pop(), "BYTES") if len(types) == 1 else "BYTES"


# ----------------------------------------------------------------------------------------------------------------------


def _type(field: Field) -> str:
    if field.kind == "boolean":
        return "BOOL"
    return "FP64" if is_numeric(field) else "BYTES"  # times are ISO 8601
