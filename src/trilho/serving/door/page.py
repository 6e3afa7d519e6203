"""The page at /, in the reader's language: a form made from the schema, around it what never changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from trilho.bundle import Field
from trilho.serving.door.fields import moment
from trilho.serving.door.groups import grouped
from trilho.serving.slot import Served

_SHARES_SHOWN = 3
_FILTERED = 16  # columns from which on a filter helps

# Own files alone: nothing from another host, and nothing that stands in the page itself, can run.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render(served: Served, facts: Mapping[str, Any], words: Mapping[str, str], *, keys: bool) -> str:
    """The page as HTML.

    Args:
        facts: What `facts.facts` says; the page's scripts read it.
        words: Of the reader's language (`words.words_for`).
        keys: Does the server ask for an API key?
    """
    schema = served.predictor.schema
    groups = [
        {"title": group.title, "columns": [_column(place, schema.fields[place], words) for place in group.places]}
        for group in grouped(schema.names)
    ]
    return (
        _environment()
        .get_template("page.html")
        .render(
            t=SimpleNamespace(**words),  # a dict has methods called copy and clear
            facts=facts,
            groups=groups,
            filtered=len(schema.fields) >= _FILTERED,
            columns=len(schema.fields),
            for_script={"facts": dict(facts), "words": dict(words), "keys": keys},
        )
    )


def render_waiting(words: Mapping[str, str]) -> str:
    """The page while no model is in charge: it goes by itself once there is one."""
    return _environment().get_template("waiting.html").render(t=SimpleNamespace(**words))


# ----------------------------------------------------------------------------------------------------------------------


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("trilho.serving.door"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _column(place: int, field: Field, words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "place": place,
        "name": field.name,
        "control": _control(field),
        "nullable": field.nullable,
        "value": _value(field),
        "values": field.values if field.closed else field.values[:200],
        "slides": len(field.quantiles) > 1 and field.minimum != field.maximum and field.kind == "number",
        "hint": _hint(field, words),
    }


def _control(field: Field) -> str:
    """Which of the template's controls."""
    if field.kind == "time" and whole_days(field):
        return "date"
    if field.kind == "category":
        return "select" if field.closed and field.values else "suggest"
    return field.kind


def _value(field: Field) -> str:
    """What the control holds at first: the typical value."""
    if field.typical is None:
        return ""
    if field.kind == "time":
        return moment(float(field.typical))[: 10 if whole_days(field) else None]
    return precise(field, float(field.typical)) if field.kind == "number" else str(field.typical)


def whole_days(field: Field) -> bool:
    """Did the training rows hold dates alone?"""
    return field.minimum is not None and field.minimum % 86_400 == 0 and (field.maximum or 0) % 86_400 == 0


def precise(field: Field, value: float) -> str:
    """A number with as many digits as the training range deserves: a ten-thousandth of it."""
    span = (field.maximum or 0.0) - (field.minimum or 0.0) or abs(value) or 1.0
    digits = 0 if field.integer and float(value).is_integer() else min(12, max(0, 4 - math.floor(math.log10(span))))
    if abs(value) >= 1e15:
        return f"{value:.6g}"
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _hint(field: Field, words: Mapping[str, str]) -> str:
    parts = []
    if field.kind == "time" and field.minimum is not None and field.maximum is not None:
        ends = [moment(end).replace("T", " ") for end in (field.minimum, field.maximum)]
        parts.append(" – ".join(end[:10] for end in ends) if whole_days(field) else f"{' – '.join(ends)} UTC")
    elif field.minimum is not None and field.maximum is not None:
        parts.append(f"{precise(field, field.minimum)} – {precise(field, field.maximum)}")
        if field.typical is not None:
            parts.append(f"{words['typical_of']} {precise(field, float(field.typical))}")
    elif field.values:
        spoken = {"true": words["yes"], "false": words["no"]} if field.kind == "boolean" else {}
        pairs = list(zip(field.values, field.shares, strict=False))[:_SHARES_SHOWN]
        parts.append(", ".join(f"{_short(spoken.get(value, value))} {share:.0%}" for value, share in pairs))
    return " · ".join(parts)


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"
