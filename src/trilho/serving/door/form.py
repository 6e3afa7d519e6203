"""A multipart body → canonical columns of one row: how an image comes in without base64."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from trilho.bundle import Field
from trilho.bundle.columns import is_numeric
from trilho.errors import CannotPredict
from trilho.serving.door.rows import Columns, Rows

_EMPTY = {"type": "string", "const": ""}
_MOST_TEXT = 1 << 20  # bytes of one column that is not an image


async def read_form(headers: Mapping[str, str], body: bytes, rows: Rows) -> Columns:
    """The canonical columns of a form with one part per column: images as files, the others as text.

    An empty text is null, and so is a part that is left out where the model takes null.

    Raises:
        CannotPredict: not a form, a part that is no column, a column without a part, a value of the wrong kind.
    """
    fields = {field.name: field for field in rows.schema.fields}
    try:
        parser = MultiPartParser(
            Headers(headers), _once(body), max_files=len(fields), max_fields=len(fields) + 1, max_part_size=_MOST_TEXT
        )
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise _malformed(f"The body is not a form: {getattr(error, 'message', None) or error}.") from error
    _, options = parse_options_header(headers["content-type"])
    if b"--" + options[b"boundary"] + b"--" not in body:  # the parser takes the parts that came for all there are
        await form.close()
        raise _malformed("The body ends before the form does: its last boundary is missing.")
    try:
        row: dict[str, Any] = {}
        for name, value in form.multi_items():
            if name in row:
                raise _malformed(f"Column '{name}' comes twice.", column=name)
            field = fields.get(name)
            if isinstance(value, UploadFile):
                row[name] = _file(field, name, await value.read())
            else:
                row[name] = value if field is None else _value(field, value)
    finally:
        await form.close()
    left_out = {name: None for name, field in fields.items() if field.nullable}
    return rows.take({**left_out, **row})


# ----------------------------------------------------------------------------------------------------------------------


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def _file(field: Field | None, name: str, data: bytes) -> Any:
    if field is None or field.kind != "image":
        known = f"Column '{name}' takes no file." if field is not None else f"The model has no column '{name}'."
        raise _malformed(known, column=name)
    return None if not data and field.nullable else data


def _value(field: Field, text: str) -> Any:
    """The text as JSON would have it; what cannot be read stays a text, which the row's type then refuses."""
    if text == "":
        return None if field.nullable or field.kind not in ("text", "category") or is_numeric(field) else ""
    if field.kind == "boolean":
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    if is_numeric(field):
        try:
            return float(text) if "_" not in text else text
        except ValueError:
            return text
    return text


def _malformed(what: str, *, column: str | None = None) -> CannotPredict:
    return CannotPredict(
        what,
        remedy="Send one part per column: files for images, texts for the others.",
        column=column,
        row=0 if column else None,
    )


def form_schema(rows: Rows) -> dict[str, Any]:
    """The form in JSON Schema: what a browser's form or curl -F sends."""
    described = rows.json_schema()["properties"]
    found: dict[str, Any] = {}
    for field in rows.schema.fields:
        shown = found[field.name] = dict(described[field.name])
        if field.kind == "image":
            found[field.name] = {"type": "string", "format": "binary", "title": field.name}
        elif field.nullable:
            shown["anyOf"] = [one if one.get("type") != "null" else _EMPTY for one in shown["anyOf"]]
    return {
        "type": "object",
        "title": "Form",
        "properties": found,
        "required": [field.name for field in rows.schema.fields if not field.nullable],
        "additionalProperties": False,
    }
