"""JSON → canonical columns, strictly: a pydantic type made from the model's schema."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import numpy as np
from pydantic import ConfigDict, FailFast, TypeAdapter, ValidationError, with_config
from pydantic import Field as Described
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from trilho.bundle import Schema
from trilho.bundle.columns import canonical
from trilho.errors import CannotPredict
from trilho.serving.door.fields import example, type_of

Columns = dict[str, np.ndarray]

_WANTED = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "dict_type": "a row, an object of columns",
}


class Rows:
    """Reads rows for one model.

    Args:
        most: Rows of one body.
        largest: The largest magnitude of a number that the model takes.
    """

    def __init__(self, schema: Schema, *, most: int, largest: float = math.inf) -> None:
        self.schema = schema
        self.most = most
        make: Any = TypedDict  # a type that is only known now, which no type checker can follow
        row = make("Row", {field.name: type_of(field, largest=largest) for field in schema.fields})
        row.__doc__ = "All columns of a row, by name."
        row = with_config(ConfigDict(extra="forbid", strict=True))(row)
        self._one: TypeAdapter[dict[str, Any]] = TypeAdapter(row)
        # After the first row with a mistake the rest is not looked at: a body may have many rows.
        rows: Any = Annotated[list[row], FailFast(), Described(max_length=most)]  # type: ignore[valid-type]
        self._many: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(rows)

    def read(self, body: bytes) -> Columns | None:
        """The canonical columns of a row (an object) or of several (a list of objects); None for more than `most`.

        Raises:
            CannotPredict: names column and row, from 0.
        """
        start = body.lstrip()[:1]
        try:
            if start == b"[":
                return self._columns(self._many.validate_json(body))
            if start == b"{":
                return self._columns([self._one.validate_json(body)])
        except ValidationError as error:
            problems = error.errors(include_url=False)
            if problems[0]["type"] == "too_long":
                return None
            raise self._refused(problems) from error
        raise CannotPredict(
            "The body is neither a row (a JSON object) nor a list of rows.",
            remedy="Send one row as an object of columns, or a list of such objects.",
        )

    def take(self, row: Mapping[str, Any]) -> Columns:
        """The canonical columns of one row of Python values. Raises CannotPredict."""
        try:
            return self._columns([self._one.validate_python(dict(row))])
        except ValidationError as error:
            raise self._refused(error.errors(include_url=False)) from error

    def json_schema(self) -> dict[str, Any]:
        """The type of a row in JSON Schema (2020-12), with a typical row as its example."""
        found = self._one.json_schema()
        found["title"] = "Row"
        if not any(field.kind == "image" for field in self.schema.fields):
            found["examples"] = [typical_row(self.schema)]
        return found

    # ------------------------------------------------------------------------------------------------------------------

    def _columns(self, rows: Sequence[Mapping[str, Any]]) -> Columns:
        return {field.name: canonical(field, [row[field.name] for row in rows]) for field in self.schema.fields}

    def _refused(self, problems: Sequence[ErrorDetails]) -> CannotPredict:
        # A misspelt column is missing and unknown at once: only the second tells what was meant.
        first = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
        loc = [part for part in first["loc"] if part != "function-after"]
        row = int(loc.pop(0)) if loc and isinstance(loc[0], int) else 0
        column = str(loc[0]) if loc else None
        what, remedy = self._worded(dict(first), column, row)
        more = len(problems) - 1
        why = f"{more} more {'values have' if more > 1 else 'value has'} a problem in this row." if more else ""
        at = row if first["type"] != "json_invalid" else None
        return CannotPredict(what, why=why, remedy=remedy, column=column, row=at)

    def _worded(self, problem: Mapping[str, Any], column: str | None, row: int) -> tuple[str, str]:
        kind, context = problem["type"], problem.get("ctx") or {}
        if kind == "json_invalid":
            return f"The body is not JSON: {context.get('error')}.", "Send a JSON object of columns, or a list of them."
        if column is None:
            return f"Row {row} is not an object of columns.", "Send every row as an object of columns."
        at = f"Column '{column}', row {row}"
        if kind == "missing":
            return f"{at} is missing.", f"Send '{column}' with every row; null where it is unknown and allowed."
        if kind == "extra_forbidden":
            near = get_close_matches(column, self.schema.names, n=1)
            known = ", ".join(self.schema.names[:20]) + (", …" if len(self.schema.names) > 20 else "")
            hint = f"Did you mean '{near[0]}'?" if near else f"It has: {known}."
            return f"{at}: the model has no such column.", hint
        field = next(field for field in self.schema.fields if field.name == column)
        if problem["input"] is None:
            return f"{at}: the model takes no missing value here.", f"Send a value such as {example(field)!r}."
        shown = repr(problem["input"])
        shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
        if kind == "value_error":
            return f"{at}: {shown} cannot be taken: {context.get('error')}.", "Send a value that the model takes."
        wanted = _WANTED.get(kind, f"one of: {', '.join(field.values[:20])}{', …' if len(field.values) > 20 else ''}")
        return f"{at}: {shown} is not {wanted}.", f"Send {wanted}{', or null' if field.nullable else ''}."


def typical_row(schema: Schema) -> dict[str, Any]:
    """A row of the typical values."""
    return {field.name: example(field) for field in schema.fields}
