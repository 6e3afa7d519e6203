"""What goes back: bodies in MLflow's form, and the table from errors to HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trilho.errors import BadFeedback, CannotPredict, JournalUnwritable, TrilhoError

Headers = tuple[tuple[bytes, bytes], ...]

JSON = b"application/json"

# The edge translates: no other room, and no other file of this one, knows which error is which status.
STATUSES: Mapping[type[TrilhoError], tuple[int, str]] = {
    CannotPredict: (400, "INVALID_PARAMETER_VALUE"),
    BadFeedback: (400, "INVALID_PARAMETER_VALUE"),
    JournalUnwritable: (503, "TEMPORARILY_UNAVAILABLE"),
}
ERROR_CODES: Mapping[int, str] = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    404: "ENDPOINT_NOT_FOUND",
    405: "BAD_REQUEST",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_LIMIT_EXCEEDED",
    415: "BAD_REQUEST",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}


class Response(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`headers` come on top of content type, length and model version. (A Struct: made once per request.)"""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: Headers = ()


def refusal(status: int, message: str, *, headers: Headers = ()) -> Response:
    """An answer to a request that no model has seen."""
    # "error" is where clients of the Open Inference Protocol look.
    body = msgspec.json.encode({"error_code": ERROR_CODES[status], "message": message, "error": message})
    return Response(status=status, body=body, headers=headers)


def no_model() -> Response:
    """An answer as long as no model is in charge."""
    message = "No model is in charge yet: nothing was promoted. Train one: trilho run"
    return refusal(503, message, headers=((b"retry-after", b"5"),))


def failure(error: TrilhoError) -> Response:
    """One of our errors; `details` say where in the rows, and what to do."""
    status, code, details = explained(error)
    message = "\n".join(part for part in (error.what, error.why) if part)
    body = msgspec.json.encode({"error_code": code, "message": message, "details": details})
    return Response(status=status, body=body)


def explained(error: TrilhoError) -> tuple[int, str, dict[str, object]]:
    """Status, MLflow's error code, and {"column", "row", "remedy"} as far as known."""
    status, code = STATUSES.get(type(error), (500, ERROR_CODES[500]))
    if getattr(error, "malformed", False):
        code = ERROR_CODES[400]
    where = {"column": getattr(error, "column", None), "row": getattr(error, "row", None)}
    return status, code, {**where, "remedy": error.remedy}
