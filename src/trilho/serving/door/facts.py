"""What the page and GET /model say about the model in charge."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from trilho.bundle import Field
from trilho.bundle.columns import is_numeric
from trilho.serving.door.answers import names_of
from trilho.serving.pointer import Promotion
from trilho.serving.slot import Served

_MOST_VALUES = 200  # categories of a column that the page offers


def facts(served: Served) -> dict[str, Any]:
    """Everything about a model that a page needs to ask it, in JSON's types, but how it came to be in charge."""
    schema, metadata = served.predictor.schema, served.predictor.metadata
    labels = zip(schema.labels, names_of(schema), strict=True)
    rows = metadata.get("rows")
    return {
        "model": served.name,
        "version": served.version,
        "since": served.since,
        "task": schema.task,
        "target": schema.target,
        "labels": [{"value": value, "name": name} for value, name in labels],
        "metrics": {str(name): value for name, value in dict(metadata.get("metrics") or {}).items()},
        "rows": dict(rows) if isinstance(rows, Mapping) else {},
        "runtime": served.predictor.runtime,
        "form": hashlib.sha256(schema.to_json().encode()).hexdigest()[:16],
        "columns": [_column(field) for field in schema.fields],
    }


def promoted(promotion: Promotion | None) -> dict[str, Any]:
    """How it came to be in charge; null where the registry's history could not be asked."""
    return {"promoted_at": promotion and promotion.when, "promoted_by": promotion and promotion.who}


# ----------------------------------------------------------------------------------------------------------------------


def _column(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "kind": field.kind,
        "numeric": is_numeric(field) and field.kind != "boolean",
        "nullable": field.nullable,
        "closed": field.closed,
        "integer": field.integer,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "quantiles": list(field.quantiles),
        "typical": field.typical,
        "values": list(field.values if field.closed else field.values[:_MOST_VALUES]),
        "shares": list(field.shares if field.closed else field.shares[:_MOST_VALUES]),
        "missing": field.missing,
    }
