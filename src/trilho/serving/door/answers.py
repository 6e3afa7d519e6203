"""Predictions → the answer of /predict, and the types that describe it."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from trilho.bundle import Predictions, Schema


class Predicted(BaseModel):
    """The answer for one row."""

    prediction: float | int | bool | str = Described(description="The label as the target holds it, or the number.")
    label: str | None = Described(default=None, description="The label in words; only for classification.")
    probabilities: dict[str, float] | None = Described(
        default=None, description="By label name; absent for regression and for models without probabilities."
    )
    id: str = Described(description="The prediction id: what /feedback takes.")


class Answered(BaseModel):
    """The answers, row by row, and the model that gave them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "predictions": [
                        {
                            "prediction": 0,
                            "label": "malignant",
                            "probabilities": {"malignant": 0.97, "benign": 0.03},
                            "id": "1f0c9a4be3d2877a-0",
                        }
                    ],
                    "model": "breast-cancer",
                    "version": "12",
                }
            ]
        }
    )

    predictions: list[Predicted]
    model: str
    version: str


class Where(BaseModel):
    """Where in the request, as far as that is known, and what to do."""

    column: str | None = None
    row: int | None = Described(default=None, description="From 0.")
    remedy: str | None = None


class Problem(BaseModel):
    """What went wrong: MLflow's error code and message, and details."""

    error_code: str
    message: str
    details: Where | None = None


def names_of(schema: Schema) -> tuple[str, ...]:
    """A different name for each label: its words, or its own text where the words are the same for two."""
    words = schema.label_names
    if len(words) == len(schema.labels) == len(set(words)):
        return words
    return tuple(str(label) for label in schema.labels)


def encoded(predictions: Predictions, schema: Schema, *, request: str, model: str, version: str) -> bytes:
    """The answer as JSON. Row i has the prediction id "REQUEST-i"."""
    names = names_of(schema)
    words = dict(zip(schema.labels, names, strict=True))
    rows: list[dict[str, Any]] = []
    shares = None if predictions.probabilities is None else predictions.probabilities.tolist()
    for place, label in enumerate(predictions.labels.tolist()):
        row: dict[str, Any] = {"prediction": label}
        if schema.labels:
            row["label"] = words.get(label, str(label))
        if shares is not None:
            row["probabilities"] = dict(zip(names, shares[place], strict=True))
        row["id"] = f"{request}-{place}"
        rows.append(row)
    return msgspec.json.encode({"predictions": rows, "model": model, "version": version})
