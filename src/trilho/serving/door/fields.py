"""A column → the type that /predict takes for it, with its range in words and an example."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, WithJsonSchema
from pydantic import Field as Described

from trilho.bundle import Field
from trilho.bundle.columns import is_numeric
from trilho.serving.door.images import looks_like_an_image

_BASE64 = {"type": "string", "contentEncoding": "base64"}
# What Python reads as ISO 8601. OpenAPI's "date-time" is narrower: it wants a time and a zone.
_TIME = (
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)?)?$"
)
_FEW = 20  # categories that a description lists


def type_of(field: Field, *, largest: float) -> Any:
    """The annotated type of one value. Whether null is allowed is part of it.

    Args:
        largest: The largest magnitude of a number that the model takes: the predictor refuses others, and says so.
    """
    kind = _kind(field, largest)
    shown = Described(
        title=field.name,
        description=described(field),
        examples=[example(field)] if field.kind != "image" else None,
    )
    return Annotated[kind | None if field.nullable else kind, shown]


def example(field: Field) -> Any:
    """A value as a typical training row has it, in the form that JSON has; null where none is known."""
    typical = field.typical
    if typical is None:
        return None if field.nullable else {"text": "some text", "category": "some category"}.get(field.kind)
    if field.kind == "time":
        return moment(float(typical))
    if field.kind == "boolean":
        return typical == "true"
    if is_numeric(field):
        number = float(f"{float(typical):.6g}")
        return int(number) if number.is_integer() and (field.integer or field.kind == "category") else number
    return typical


def described(field: Field) -> str:
    """What the training rows had here, in a sentence."""
    parts = []
    if field.kind == "time":
        parts.append("a time in ISO 8601, UTC where it names no zone")
    if field.minimum is not None and field.maximum is not None:
        parts.append(f"{_shown(field, field.minimum)} to {_shown(field, field.maximum)} in training")
        if field.typical is not None:
            parts.append(f"typical {_shown(field, float(field.typical))}")
        if field.integer and field.kind == "number":
            parts.append("whole numbers")
    elif field.kind == "category" and field.values:
        more = f", and {len(field.values) - _FEW} more" if len(field.values) > _FEW else ""
        known = "one of" if field.closed else "in training"
        parts.append(f"{known}: {', '.join(repr(value) for value in field.values[:_FEW])}{more}")
    elif field.kind == "image":
        parts.append("an image file in base64; send multipart/form-data to save a third of the bytes")
    if field.nullable:
        parts.append("null where it is unknown")
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def moment(seconds: float) -> str:
    """Seconds since 1970 UTC as ISO 8601, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


# ----------------------------------------------------------------------------------------------------------------------


def _kind(field: Field, largest: float) -> Any:
    if field.kind == "boolean":
        return bool
    if field.kind == "time":
        return Annotated[str, Described(json_schema_extra={"pattern": _TIME})]
    if field.kind == "image":
        return Annotated[Any, AfterValidator(_image), WithJsonSchema(_BASE64)]
    if is_numeric(field):
        number = Annotated[float, Described(allow_inf_nan=False)]
        if field.kind == "category" and field.closed:
            allowed: list[Any] = [float(value) for value in field.values]
            return Annotated[number, AfterValidator(_one_of(allowed)), Described(json_schema_extra={"enum": allowed})]
        return Annotated[number, Described(json_schema_extra={"minimum": -largest, "maximum": largest})]
    if field.kind == "category" and field.closed and field.values:
        return Literal[field.values]
    return str


def _one_of(allowed: list[float]) -> Callable[[float], float]:
    known = frozenset(allowed)

    def check(value: float) -> float:
        if value not in known:
            raise ValueError(f"the model takes only {', '.join(f'{one:g}' for one in allowed[:_FEW])}")
        return value

    return check


def _image(value: Any) -> bytes | None:
    """An image as a form has it, in bytes, or as JSON has it, in base64."""
    if isinstance(value, str):
        try:
            value = base64.b64decode(value, validate=True)
        except ValueError as error:
            raise ValueError("it is not base64") from error
    if not isinstance(value, bytes) or not looks_like_an_image(value):
        raise ValueError("it is no image file (PNG, JPEG, GIF, WebP, BMP, TIFF, DICOM …)")
    return value


def _shown(field: Field, value: float) -> str:
    return moment(value) if field.kind == "time" else f"{value:.6g}"
