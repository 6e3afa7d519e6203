"""A request's tensors → canonical columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from trilho.bundle import Schema
from trilho.bundle.columns import is_numeric
from trilho.errors import CannotPredict
from trilho.serving.payload.given import Columns, Values, by_position, columns_of
from trilho.serving.payload.json_body import decoded

NUMBERS = {
    "BOOL": np.dtype("?"),
    **{f"INT{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"UINT{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
    **{f"FP{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
}
DATATYPES = (*NUMBERS, "BYTES")
_EXAMPLE = '{"inputs": [{"name": "age", "shape": [2], "datatype": "FP64", "data": [41.5, 7]}]}'


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """An output that was asked for."""

    name: str
    parameters: dict[str, Any] = {}


class _Input(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: Any = None


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    inputs: list[_Input]
    id: str = ""
    parameters: dict[str, Any] = {}
    outputs: list[Output] = []


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for.

    Args:
        columns: Canonical, all of the schema's.
        id: The client's own name for the request; "" for none.
        outputs: The ones it wants; empty for all.
        binary: Are outputs binary that say nothing of it?
    """

    columns: Columns
    id: str = ""
    outputs: Sequence[Output] = field(default=())
    binary: bool = False


def read_request(body: bytes, header_length: bytes | None, schema: Schema) -> Asked:
    """The rows that the tensors hold: a tensor per column, or a matrix [rows, columns] for a model of numbers alone.

    A column's tensor has the shape [n] or [n, 1]. Tensors that are no column of the model are ignored.

    Args:
        header_length: Of the JSON at the body's beginning, where binary tensors follow it; None where none do.

    Raises:
        CannotPredict: not such a request, or rows that the model does not take; names column and row.
    """
    length = len(body)
    if header_length is not None:
        if not header_length.isdigit() or int(header_length) > length:
            raise _malformed("The header Inference-Header-Content-Length is not the length of the JSON in the body.")
        length = int(header_length)
    try:
        asked = msgspec.convert(decoded(body[:length]), _Request)
    except msgspec.ValidationError as error:
        raise _malformed(f"The body is no inference request: {error}.") from error
    tensors = _tensors(asked.inputs, memoryview(body)[length:])
    return Asked(
        columns=_columns(tensors, schema),
        id=asked.id,
        outputs=asked.outputs,
        binary=asked.parameters.get("binary_data_output") is True,
    )


# ----------------------------------------------------------------------------------------------------------------------


def _tensors(inputs: Sequence[_Input], binary: memoryview) -> dict[str, tuple[_Input, Values]]:
    """By name, with their elements in row-major order."""
    found: dict[str, tuple[_Input, Values]] = {}
    at = 0
    for tensor in inputs:
        if tensor.name in found:
            raise _malformed(f"Tensor '{tensor.name}' comes twice.", column=tensor.name)
        if tensor.datatype not in DATATYPES:
            what = f"Tensor '{tensor.name}' has datatype '{tensor.datatype}'; there are {', '.join(DATATYPES)}."
            raise _malformed(what, column=tensor.name)
        if not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 0:
            what = f"Tensor '{tensor.name}' has shape {tensor.shape}; columns are [n] or [n, 1], matrices [n, k]."
            raise _malformed(what, column=tensor.name)
        size = tensor.parameters.get("binary_data_size")
        if size is None:
            values: Values = _flat(tensor)
        else:
            if type(size) is not int or not 0 <= size <= len(binary) - at:
                what = f"Tensor '{tensor.name}' is said to have {size} binary bytes; {len(binary) - at} are left."
                raise _malformed(what, column=tensor.name)
            values = _decoded(tensor, binary[at : at + size])
            at += size
        if len(values) != math.prod(tensor.shape):
            what = f"Tensor '{tensor.name}' of shape {tensor.shape} has {len(values)} elements."
            raise _malformed(what, column=tensor.name)
        found[tensor.name] = (tensor, values)
    if at != len(binary):
        raise _malformed(f"After the tensors there are {len(binary) - at} bytes more.")
    return found


def _flat(tensor: _Input) -> list[Any]:
    """Elements as JSON has them; rows may be nested."""
    data = tensor.data
    if not isinstance(data, list):
        raise _malformed(f"Tensor '{tensor.name}' has no data: a list is wanted.", column=tensor.name)
    if len(tensor.shape) == 2 and data and all(type(row) is list for row in data):
        if any(len(row) != tensor.shape[1] for row in data):
            what = f"Tensor '{tensor.name}' of shape {tensor.shape} has rows of other lengths."
            raise _malformed(what, column=tensor.name)
        return [value for row in data for value in row]
    return data


def _decoded(tensor: _Input, data: memoryview) -> Values:
    if tensor.datatype == "BYTES":
        return _words(tensor, data)
    dtype = NUMBERS[tensor.datatype]
    if len(data) % dtype.itemsize:
        what = f"Tensor '{tensor.name}': {len(data)} bytes are no whole number of {tensor.datatype}."
        raise _malformed(what, column=tensor.name)
    return np.frombuffer(data, dtype)


def _words(tensor: _Input, data: memoryview) -> list[Any]:
    """Each element is its length in four bytes, and its bytes."""
    found, at = [], 0
    while at < len(data):
        start = at + 4
        at = start + int.from_bytes(data[at:start], "little")
        if start > len(data) or at > len(data):
            raise _malformed(f"Tensor '{tensor.name}': its last element is cut off.", column=tensor.name)
        found.append(bytes(data[start:at]))
    return found


def _columns(tensors: dict[str, tuple[_Input, Values]], schema: Schema) -> Columns:
    names = schema.names
    if len(tensors) == 1 and all(map(is_numeric, schema.fields)):
        [(tensor, values)] = tensors.values()
        width = tensor.shape[-1]
        if len(tensor.shape) == 2 and width == len(names) and (width > 1 or tensor.name not in names):
            if isinstance(values, np.ndarray):
                matrix = values.reshape(tensor.shape).astype(np.float64)
                return columns_of(dict(zip(names, matrix.T, strict=True)), schema)
            rows = [values[start : start + width] for start in range(0, len(values), width)]
            return columns_of(by_position(rows, names, schema), schema)
    given = {}
    for field_ in schema.fields:
        if field_.name in tensors:
            tensor, values = tensors[field_.name]
            if len(tensor.shape) == 2 and tensor.shape[1] != 1:
                what = f"Tensor '{tensor.name}' has shape {tensor.shape}; a column is [n] or [n, 1]."
                raise _malformed(what, column=tensor.name)
            given[field_.name] = _plain(tensor, values, as_bytes=field_.kind == "image", numeric=is_numeric(field_))
    return columns_of(given, schema)


def _plain(tensor: _Input, values: Values, *, as_bytes: bool, numeric: bool) -> Values:
    """As `values.column_of` takes them."""
    if isinstance(values, np.ndarray):
        return values.astype(np.float64) if numeric else values.tolist()
    if tensor.datatype != "BYTES" or as_bytes or not values or type(values[0]) is not bytes:
        return values
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError as error:
        raise _malformed(f"Tensor '{tensor.name}' holds bytes that are not UTF-8.", column=tensor.name) from error


def _malformed(what: str, *, column: str | None = None) -> CannotPredict:
    return CannotPredict(what, remedy=f"Send for example {_EXAMPLE}", column=column, malformed=True)
