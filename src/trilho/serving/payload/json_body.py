"""A JSON body in MLflow's scoring protocol → canonical columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from trilho.bundle import Schema
from trilho.errors import CannotPredict
from trilho.serving.payload.given import Columns, Given, by_position, columns_of, malformed

KEYS = ("dataframe_split", "dataframe_records", "inputs", "instances")


def read_json(body: bytes, schema: Schema) -> Columns:
    """The rows of a JSON object with exactly one of dataframe_split, dataframe_records, inputs and instances.

    `inputs` and `instances` are rows as objects, columns as lists (a single value stands for all rows), or rows as
    lists in the schema's order. Columns that the model does not read, and other keys, are ignored. A missing value is
    null or NaN.

    Returns:
        Canonical columns (`bundle.columns`), all of the schema's, each of shape (n,).

    Raises:
        CannotPredict: broken JSON, no or several of the keys, rows of different lengths, a missing column, a value of
            the wrong kind; names column and row.
    """
    return columns_of(_given(decoded(body), schema), schema)


def decoded(body: bytes) -> Any:
    """What a JSON body says; NaN and Infinity are numbers in it, as they are to Python.

    Raises:
        CannotPredict: it is not JSON, not text, or nested too deeply.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # MLflow's own client writes NaN for a missing value, which JSON does not know but Python's reader does
    except RecursionError as error:
        raise _too_deep() from error
    try:
        found = json.loads(body)
        if b"\\u" in body or b"\\\0u" in body:
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise malformed("The body holds half of a surrogate pair, which is no text: \\ud83d for example.") from error
    except UnicodeDecodeError as error:
        raise malformed(f"The body is not UTF-8: byte {error.start} is none.") from error
    except ValueError as error:
        raise malformed(f"The body is not JSON: {error}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    return found


# ----------------------------------------------------------------------------------------------------------------------


def _too_deep() -> CannotPredict:
    return malformed("The body is nested too deeply.")


def _given(found: Any, schema: Schema) -> Given:
    keys = [key for key in KEYS if key in found] if isinstance(found, dict) else []
    if len(keys) != 1:
        got = f"the keys {sorted(found)[:10]}" if isinstance(found, dict) else _word(found)
        raise malformed(f"The body must be a JSON object with exactly one of {', '.join(KEYS)}; it is {got}.")
    [key] = keys
    if key == "dataframe_split":
        return _split(found[key], schema)
    if key == "dataframe_records":
        return _records(found[key], key, schema)
    return _tensors(found[key], key, schema)


def _split(found: Any, schema: Schema) -> Given:
    if not isinstance(found, dict) or not isinstance(found.get("data"), list | dict):
        raise malformed('dataframe_split must be an object: {"columns": [names], "data": [rows]}.')
    strange = sorted(found.keys() - {"columns", "data", "index"})
    if strange:
        raise malformed(f"dataframe_split takes columns, data and index, not {', '.join(strange[:10])}.")
    data, names = found["data"], found.get("columns")
    if isinstance(names, dict):
        names = list(names)
    if names is not None and (not isinstance(names, list) or any(isinstance(name, list | dict) for name in names)):
        raise malformed("dataframe_split.columns must be a list of names.")
    if isinstance(data, dict):
        return _chosen(_by_name(data, "dataframe_split.data"), names)
    if data and isinstance(data[0], dict):
        return _chosen(_records(data, "dataframe_split.data", schema), names)
    return by_position(data, schema.names if names is None else names, schema)


def _chosen(given: Given, names: Sequence[Any] | None) -> Given:
    """What pandas does with columns that have names already: `columns` chooses among them."""
    return given if names is None else {name: given[name] for name in names if name in given}


def _records(found: Any, key: str, schema: Schema) -> Given:
    if not isinstance(found, list):
        raise malformed(f"{key} must be a list of objects, one a row; it is {_word(found)}.")
    if not set(map(type, found)) <= {dict}:
        row = next(place for place, value in enumerate(found) if type(value) is not dict)
        raise malformed(f"{key} must be a list of objects, one a row; row {row} is {_word(found[row])}.", row=row)
    names = schema.names
    if not found:
        return {name: [] for name in names}
    if names:
        try:
            rows = list(map(itemgetter(*names), found))
            return dict(zip(names, zip(*rows, strict=True) if len(names) > 1 else [rows], strict=True))
        except KeyError:
            pass  # a row without all columns
    known: dict[str, None] = {}
    for row in found:
        known.update(dict.fromkeys(row))
    return {name: [row.get(name) for row in found] for name in known}


def _tensors(found: Any, key: str, schema: Schema) -> Given:
    if isinstance(found, dict):
        return _by_name(found, key)
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return _records(found, key, schema)
    if isinstance(found, list):
        return by_position(found, schema.names, schema)
    raise malformed(f"{key} must be a list of rows, or an object of columns; it is {_word(found)}.")


def _by_name(found: Mapping[str, Any], key: str) -> Given:
    """Columns as lists or, as pandas' to_dict writes them, as objects by index. A single value stands for all rows."""
    given: dict[str, Any] = {}
    index: list[str] | None = None
    for name, values in found.items():
        if isinstance(values, dict):
            index = list(values) if index is None else index
            if values.keys() != set(index):
                raise malformed(f"{key}: column '{name}' has another index than those before it.", column=name)
            given[name] = [values[place] for place in index]
        else:
            given[name] = values
    rows = next((len(values) for values in given.values() if isinstance(values, list)), 1)
    return {name: values if isinstance(values, list) else [values] * rows for name, values in given.items()}


def _word(value: Any) -> str:
    """What JSON calls it."""
    words = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return words.get(type(value), "a number")
