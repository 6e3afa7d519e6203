"""The routes of the door, and what goes wrong on them. Made anew for every version that is put in charge."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from trilho.errors import TrilhoError
from trilho.serving import responses
from trilho.serving.door.answers import Answered, Problem, encoded
from trilho.serving.door.facts import facts, promoted
from trilho.serving.door.form import read_form
from trilho.serving.door.openapi import document
from trilho.serving.door.page import PAGE_POLICY, render, render_waiting
from trilho.serving.door.rows import Rows
from trilho.serving.door.words import words_for
from trilho.serving.slot import Served

if TYPE_CHECKING:
    from trilho.serving.asking import Desk
    from trilho.serving.pointer import Promotion

BODY_BYTES = 64 << 20
MOST_ROWS = 100_000

_log = logging.getLogger("trilho.serving")

_STATIC = Path(__file__).parent / "static"
_READ = ["GET", "HEAD"]
_JSON, _FORM = "application/json", "multipart/form-data"
# Swagger UI writes styles into its own page; nothing else may.
_DOCS_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace("blob:", "data:")
_HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-cache"}
_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The rows do not fit the model; `details` name column and row."},
    413: {"model": Problem, "description": "The body has too many bytes, or too many rows."},
    415: {"model": Problem, "description": "The body is neither JSON nor a form."},
}


def application(
    desk: Desk,
    served: Served | None,
    *,
    promotion: Callable[[], Promotion | None] = lambda: None,
    keys: bool = False,
    body_bytes: int = BODY_BYTES,
    most_rows: int = MOST_ROWS,
) -> FastAPI:
    """The ASGI application for one version: `/`, `/predict`, `/model`, `/docs`, `/openapi.json`, `/favicon.ico`.

    Args:
        desk: Answers, counts and journals.
        served: None while no model is in charge: then `/` waits for one, and there is nothing to predict or describe.
        promotion: What the registry's history says of this version, as far as it is known by then.
        keys: Does the server ask for an API key? Checking it is the caller's part.
        body_bytes, most_rows: Larger bodies of /predict are refused.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)  # described once, below, not on request
    if served is None:
        _add_waiting(app)
    else:
        rows = Rows(served.predictor.schema, most=most_rows, largest=served.predictor.largest)
        known = facts(served)

        def now() -> dict[str, Any]:
            return {**known, **promoted(promotion())}

        _add_predict(app, desk, served, rows, body_bytes)
        _add_model(app, now)
        _add_description(app, document(app, served, rows, keys=keys))
        _add_page(app, served, now, keys=keys)
    app.mount("/static", _Static(directory=_STATIC), name="static")
    app.add_exception_handler(HTTPException, _not_here)
    return app


# ----------------------------------------------------------------------------------------------------------------------


class _Static(StaticFiles):
    """Files that browsers keep, but ask about: another release of trilho may bring others under the same names."""

    def file_response(self, *args: Any, **named: Any) -> Response:
        response = super().file_response(*args, **named)
        response.headers.update(_HEADERS)
        return response


def _add_predict(app: FastAPI, desk: Desk, served: Served, rows: Rows, body_bytes: int) -> None:
    schema = served.predictor.schema

    @app.post(
        "/predict",
        tags=["model"],
        operation_id="predict",
        summary="Predict, strictly typed",
        response_model=Answered,
        responses=_REFUSED,
    )
    async def predict(request: Request) -> Response:
        """One row or a list of rows. Every column of the schema must be there, under its name, in its type; a column
        that the model does not know is refused. A form takes one row, its images as files.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (_JSON, _FORM):
            return _refused(
                415, f"The body must be {_JSON} or {_FORM}, not '{kind[:100]}'. Set the header Content-Type."
            )
        try:
            body = await _body(request, body_bytes)
            if body is None:
                return _refused(413, f"The body is larger than {body_bytes} bytes. Send fewer rows at once.")
            columns = rows.read(body) if kind == _JSON else await read_form(request.headers, body, rows)
            if columns is None:
                return _refused(
                    413, f"The body has more than {rows.most} rows. Send fewer at once, or use: trilho score"
                )
            answer = await desk.ask(columns, served)
        except TrilhoError as error:
            failed = responses.failure(error)
            return Response(failed.body, failed.status, media_type=_JSON)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception:
            _log.exception("POST /predict failed")
            return _refused(500, "The server failed; its log says why.")
        return Response(
            encoded(answer.predictions, schema, request=answer.id, model=served.name, version=served.version),
            media_type=_JSON,
            headers={"x-prediction-id": answer.id},
        )


def _add_model(app: FastAPI, now: Callable[[], dict[str, Any]]) -> None:
    @app.get(
        "/model", tags=["model"], operation_id="model", summary="The model in charge", response_model=dict[str, Any]
    )
    async def model() -> Response:
        """Its version, metrics and promotion, and its columns with the ranges of the training data."""
        return Response(msgspec.json.encode(now()), media_type=_JSON, headers=_HEADERS)


def _add_description(app: FastAPI, description: Mapping[str, Any]) -> None:
    body = msgspec.json.encode(description)

    @app.api_route("/openapi.json", methods=_READ, include_in_schema=False)
    async def openapi() -> Response:
        return Response(body, media_type=_JSON, headers=_HEADERS)

    @app.api_route("/docs", methods=_READ, include_in_schema=False)
    async def docs() -> Response:
        return _html((_STATIC / "docs.html").read_text(encoding="utf-8"), _DOCS_POLICY)


def _add_page(app: FastAPI, served: Served, now: Callable[[], dict[str, Any]], *, keys: bool) -> None:
    pages: dict[tuple[Any, ...], str] = {}  # there are few: two languages, its promotion known or not yet

    @app.api_route("/", methods=_READ, include_in_schema=False)
    async def page(request: Request) -> Response:
        words, known = words_for(request.headers.get("accept-language", "")), now()
        kind = (words["language"], known["promoted_at"], known["promoted_by"])
        if kind not in pages:
            pages[kind] = render(served, known, words, keys=keys)
        return _html(pages[kind], PAGE_POLICY)

    _add_icon(app)


def _add_waiting(app: FastAPI) -> None:
    @app.api_route("/", methods=_READ, include_in_schema=False)
    async def page(request: Request) -> Response:
        return _html(render_waiting(words_for(request.headers.get("accept-language", ""))), PAGE_POLICY)

    async def nothing_yet() -> Response:
        found = responses.no_model()
        headers = {name.decode(): value.decode() for name, value in found.headers}
        return Response(found.body, found.status, media_type=_JSON, headers=headers)

    for path in ("/model", "/docs", "/openapi.json"):
        app.add_api_route(path, nothing_yet, methods=_READ, include_in_schema=False)
    _add_icon(app)


def _add_icon(app: FastAPI) -> None:
    @app.api_route("/favicon.ico", methods=_READ, include_in_schema=False)
    async def icon() -> Response:
        return Response((_STATIC / "icon.ico").read_bytes(), media_type="image/x-icon", headers=_HEADERS)


def _html(text: str, policy: str) -> Response:
    headers = {**_HEADERS, "content-security-policy": policy, "vary": "accept-language"}
    return Response(text, media_type="text/html", headers=headers)


async def _body(request: Request, most: int) -> bytes | None:
    """The body; None as soon as it is longer than `most`."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def _refused(status: int, message: str) -> Response:
    refusal = responses.refusal(status, message)
    return Response(refusal.body, refusal.status, media_type=_JSON)


async def _not_here(request: Request, error: Exception) -> Response:
    """What no route takes, in the same form as every other error."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    path, here = request.url.path[:200], "/, /predict, /model, /docs, /openapi.json"
    message = f"{path} does not take {request.method}." if status == 405 else f"There is no {path}. There are: {here}."
    answer = _refused(status, message)
    for name, value in (getattr(error, "headers", None) or {}).items():
        answer.headers[name] = value
    return answer
