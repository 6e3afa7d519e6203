"""Bytes in, columns out; predictions in, bytes out: MLflow's scoring protocol, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from trilho.bundle import Predictions, Schema
from trilho.data.missing_words import MISSING_WORDS
from trilho.errors import CannotPredict
from trilho.serving.values import column_of, no_such_column

Columns = dict[str, np.ndarray]
Given = Mapping[str, Sequence[Any]]  # column → values, as JSON or CSV has them

KEYS = ("dataframe_split", "dataframe_records", "inputs", "instances")


def read_json(body: bytes, schema: Schema) -> Columns:
    """The rows of a JSON object with exactly one of dataframe_split, dataframe_records, inputs and instances.

    `inputs` and `instances` are rows as objects, columns as lists, or rows as lists in the schema's order. Columns the
    model does not know, and other keys, are ignored. A missing value is null or NaN.

    Returns:
        Canonical columns (`bundle.columns`), all of the schema's, each of shape (n,).

    Raises:
        CannotPredict: broken JSON, no or several of the keys, rows of different lengths, a missing column, a value of
            the wrong kind; names column and row.
    """
    return _columns(_named(_decoded(body), schema), schema)


def read_csv(body: bytes, schema: Schema) -> Columns:
    """The rows of a CSV text with a header, UTF-8, comma separated. Otherwise as `read_json`."""
    try:
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise _malformed(f"The body is not UTF-8: byte {error.start} is none.") from error
    except csv.Error as error:
        raise _malformed(f"The body is not CSV: {error}.") from error
    header, *lines = [row for row in rows if row] or [[]]
    if not header:
        raise _malformed("The body is empty.")
    given = _by_column(lines, header)
    known = {name: [None if word in MISSING_WORDS else word for word in words] for name, words in given.items()}
    return _columns(known, schema)


READERS: Mapping[str, Callable[[bytes, Schema], Columns]] = {"application/json": read_json, "text/csv": read_csv}


def write_json(predictions: Predictions) -> bytes:
    """{"predictions": [one label or number per row]}."""
    return msgspec.json.encode({"predictions": predictions.labels.tolist()})


# ----------------------------------------------------------------------------------------------------------------------


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # MLflow's own client writes NaN for a missing value, which JSON does not know but Python's reader does
    except RecursionError as error:
        raise _malformed("The body is nested too deeply.") from error
    try:
        return json.loads(body)
    except UnicodeDecodeError as error:
        raise _malformed(f"The body is not UTF-8: byte {error.start} is none.") from error
    except ValueError as error:
        raise _malformed(f"The body is not JSON: {error}.") from error
    except RecursionError as error:
        raise _malformed("The body is nested too deeply.") from error


def _named(found: Any, schema: Schema) -> Given:
    keys = [key for key in KEYS if key in found] if isinstance(found, dict) else []
    if len(keys) != 1:
        got = f"{type(found).__name__}" if not isinstance(found, dict) else f"the keys {sorted(found)[:10]}"
        raise _malformed(f"The body must be a JSON object with exactly one of {', '.join(KEYS)}; it is {got}.")
    [key] = keys
    if key == "dataframe_split":
        return _split(found[key], schema)
    if key == "dataframe_records":
        return _records(found[key], key)
    return _tensors(found[key], key, schema)


def _split(found: Any, schema: Schema) -> Given:
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        raise _malformed('dataframe_split must be an object: {"columns": [names], "data": [rows]}.')
    strange = sorted(found.keys() - {"columns", "data", "index"})
    if strange:
        raise _malformed(f"dataframe_split takes columns, data and index, not {', '.join(strange[:10])}.")
    names = found.get("columns")
    if names is None:
        names = schema.names
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise _malformed("dataframe_split.columns must be a list of names.")
    return _by_column(found["data"], names)


def _records(found: Any, key: str) -> Given:
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise _malformed(f"{key} must be a list of objects, one a row.")
    names = dict.fromkeys(name for row in found for name in row)
    return {name: [row.get(name) for row in found] for name in names}


def _tensors(found: Any, key: str, schema: Schema) -> Given:
    if isinstance(found, dict):
        whole = {name: values if isinstance(values, list) else [values] for name, values in found.items()}
        return _same_length(whole)
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return _records(found, key)
    if isinstance(found, list):
        return _by_column(found, schema.names)
    raise _malformed(f"{key} must be a list of rows, or an object of columns.")


def _by_column(rows: Sequence[Any], names: Sequence[str]) -> Given:
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if twice:
        raise _malformed(f"Column '{min(twice)}' appears more than once.", column=min(twice))
    lists = [row if isinstance(row, list) else [row] for row in rows]
    for place, row in enumerate(lists):
        if len(row) != len(names):
            raise _malformed(f"Row {place} has {len(row)} values; there are {len(names)} columns.", row=place)
    return dict(zip(names, zip(*lists, strict=True) if lists else ((),) * len(names), strict=True))


def _same_length(given: Given) -> Given:
    rows = len(next(iter(given.values()), ()))
    for name, values in given.items():
        if len(values) != rows:
            raise _malformed(f"Column '{name}' has {len(values)} rows, others have {rows}.", column=name)
    return given


def _columns(given: Given, schema: Schema) -> Columns:
    if not given and schema.names:
        raise no_such_column(schema.names[0], [])
    found = {}
    for field in schema.fields:
        if field.name not in given:
            raise no_such_column(field.name, list(given))
        found[field.name] = column_of(field, given[field.name])
    return found


def _malformed(what: str, *, column: str | None = None, row: int | None = None) -> CannotPredict:
    example = '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}'
    return CannotPredict(what, remedy=f"Send for example {example}", column=column, row=row)
