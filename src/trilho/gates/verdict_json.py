"""Verdicts as JSON and back: what a model's history and `--json` hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from trilho.errors import BadData
from trilho.gates.verdict import Verdict

_FIELDS = tuple(field.name for field in fields(Verdict))
_NEEDED = ("gate", "outcome", "reason")


def verdicts_to_json(verdicts: Iterable[Verdict]) -> str:
    """A JSON list of objects in the order given; fields that say nothing are left out."""
    return json.dumps([_plain(verdict) for verdict in verdicts], ensure_ascii=False, allow_nan=False)


def verdicts_from_json(text: str) -> tuple[Verdict, ...]:
    """What `verdicts_to_json` wrote. Fields that a newer trilho added are passed over.

    Raises:
        BadData: the text is not such a list.
    """
    try:
        return tuple(_verdict(item) for item in json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadData(
            "Verdicts in the model's history cannot be read.",
            why=f"{type(error).__name__}: {error}",
            remedy="Judge the version again: trilho promote VERSION",
        ) from error


def _plain(verdict: Verdict) -> dict[str, Any]:
    empty = (None, "")
    return {name: value for name in _FIELDS if (value := getattr(verdict, name)) not in empty or name in _NEEDED}


def _verdict(item: dict[str, Any]) -> Verdict:
    known = {name: item[name] for name in _FIELDS if name in item or name in _NEEDED}
    if known.get("interval") is not None:
        lower, upper = known["interval"]
        known["interval"] = (lower, upper)
    return Verdict(**known)
