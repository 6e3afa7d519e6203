"""What a model server says, as values; and what it refuses, as errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from trilho.errors import CannotPredict, ServerRefused, TrilhoError

Value = float | int | bool | str

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The answer for one row.

    Args:
        prediction: The label as the target holds it, or the predicted number.
        label: The label in words; None for regression.
        probabilities: By label name; None for regression and for models without probabilities.
        id: What `Client.feedback` takes.
        model, version: Who answered.
    """

    prediction: Value
    label: str | None
    probabilities: Mapping[str, float] | None
    id: str
    model: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a server is.

    Args:
        status: "ok" once a model is in charge.
        model, version, runtime: Of the model in charge; None before the first.
        since: When it was put in charge, seconds since 1970.
        server: What else the server says: reloads, failures, the registry.
    """

    status: str
    model: str | None = None
    version: str | None = None
    runtime: str | None = None
    since: float | None = None
    server: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Label:
    """A label as the target holds it, and in words."""

    value: Value
    name: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that the model reads, as the training data had it.

    Args:
        kind: number, category, boolean, text, time or image.
        nullable: May it be None?
        closed: Are `values` the only ones it takes?
        minimum, maximum: Of numbers, and of times in seconds since 1970.
        quantiles: At 0, 5, 10, … 100 %; empty where there are none.
        typical: The median, or the most frequent category.
        values, shares: Categories by falling frequency, and the share of rows of each.
        missing: Share of rows without a value.
    """

    name: str
    kind: str
    nullable: bool
    closed: bool = False
    integer: bool = False
    minimum: float | None = None
    maximum: float | None = None
    quantiles: tuple[float, ...] = ()
    typical: float | str | None = None
    values: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    missing: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Model:
    """The model in charge: what it takes, what it gives, how well it did.

    Args:
        labels: In the order of its probabilities; empty for regression.
        promoted_at, promoted_by: As far as the registry's history says.
    """

    model: str
    version: str
    task: str
    target: str
    columns: tuple[Column, ...]
    labels: tuple[Label, ...] = ()
    metrics: Mapping[str, Any] = msgspec.field(default_factory=dict)
    promoted_at: float | None = None
    promoted_by: str | None = None


def predictions_in(body: bytes) -> list[Prediction]:
    """The predictions in an answer of /predict. Raises ServerRefused where it is none."""
    found = read(body, _Answered)
    return [
        Prediction(
            prediction=row.prediction,
            label=row.label,
            probabilities=row.probabilities,
            id=row.id,
            model=found.model,
            version=found.version,
        )
        for row in found.predictions
    ]


def read(body: bytes, kind: type[_Kind]) -> _Kind:
    """The value in a JSON body. Raises ServerRefused where it holds another."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServerRefused(
            "The answer is not one of a trilho model server.",
            why=f"{error}: {body[:200].decode(errors='replace')}",
            remedy="Check the address: it must be that of trilho serve, without a path.",
            status=200,
        ) from error


def refused(address: str, path: str, status: int, body: bytes) -> TrilhoError:
    """The error in an answer that is none. `address` as it may be shown: without a password."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = _Problem(message=body[:300].decode(errors="replace").strip())
    details = problem.details
    if status == 400 and details is not None and path == "/predict":
        what, _, why = problem.message.partition("\n")
        remedy = details.remedy or _REMEDIES[400]
        return CannotPredict(what, why=why, remedy=remedy, column=details.column, row=details.row)
    remedy = details.remedy if details is not None and details.remedy else _REMEDIES.get(status, _REMEDIES[500])
    return ServerRefused(
        f"{address}{path} answered {status}.",
        why=problem.message,
        remedy=remedy,
        status=status,
        error_code=problem.error_code,
    )


# ----------------------------------------------------------------------------------------------------------------------

_REMEDIES = {
    400: "Send what the server's /docs describe.",
    401: "Give one of the server's keys (TRILHO_API_KEYS): Client(address, api_key=...)",
    403: "Give one of the server's keys (TRILHO_API_KEYS): Client(address, api_key=...)",
    404: "Check the address: it must be that of trilho serve, without a path.",
    413: "Send fewer rows at once, or score a file: trilho score IN -o OUT",
    429: "Ask again in a moment, with fewer requests at once.",
    503: "Ask again when a model is in charge; client.health() says so.",
    500: "The server's log says why: trilho logs serving",
}


class _Row(msgspec.Struct):
    prediction: Value
    id: str
    label: str | None = None
    probabilities: dict[str, float] | None = None


class _Answered(msgspec.Struct):
    predictions: Sequence[_Row]
    model: str
    version: str


class _Where(msgspec.Struct):
    column: str | None = None
    row: int | None = None
    remedy: str | None = None


class _Problem(msgspec.Struct):
    message: str
    error_code: str = ""
    details: _Where | None = None
