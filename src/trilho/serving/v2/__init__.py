"""The Open Inference Protocol, version 2: `/v2`, which clients of Triton, KServe and Seldon speak.

paths     which of them ask the model
tensors   a request's tensors, in JSON or binary → columns
outputs   an answer → tensors, in JSON or binary
metadata  what the model takes and gives, in tensors

Source: the specification, github.com/kserve/open-inference-protocol (inference_rest.md); for binary tensors, Triton's
extension_binary_data.md. Errors are {"error": text} with the status that the same error has elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from importlib.metadata import version
from typing import Any

import msgspec

from trilho.errors import TrilhoError
from trilho.serving.asking import Desk
from trilho.serving.responses import Response, explained
from trilho.serving.slot import Served
from trilho.serving.v2.metadata import described
from trilho.serving.v2.outputs import check_outputs, tensors_of
from trilho.serving.v2.paths import MODELS, action, plain
from trilho.serving.v2.tensors import Asked, read_request

_HEADER_LENGTH = b"inference-header-content-length"


async def respond(
    scope: MutableMapping[str, Any], body: bytes, desk: Desk, served: Served | None, *, rows: int = 100_000
) -> Response:
    """The answer to a request whose path begins with /v2.

    Args:
        served: The model in charge; None as long as there is none.
        rows: More rows than this are refused with 413.
    """
    path, method = plain(scope["path"]), scope["method"]
    if path.startswith(MODELS):
        return await _of_model(path, method, dict(scope["headers"]), body, desk, served, rows)
    told: dict[str, dict[str, Any]] = {
        "/v2": {"name": "trilho", "version": version("trilho"), "extensions": ["binary_tensor_data"]},
        "/v2/health/live": {"live": True},
        "/v2/health/ready": {"ready": served is not None, "live": True},
    }
    found = told.get(path)
    if found is None:
        return failed(404, f"There is no {path[:200]}.")
    if method not in ("GET", "HEAD"):
        return failed(405, f"{path} takes GET.")
    return _told(found, status=200 if found.get("ready", True) else 503)


def failed(status: int, message: str) -> Response:
    """An error in this protocol's form."""
    return Response(status=status, body=msgspec.json.encode({"error": message}))


# ----------------------------------------------------------------------------------------------------------------------


async def _of_model(
    path: str,
    method: str,
    headers: Mapping[bytes, bytes],
    body: bytes,
    desk: Desk,
    served: Served | None,
    rows: int,
) -> Response:
    if served is None:
        return failed(503, "No model is in charge yet.")
    asked = action(path, served)
    if asked is None:
        message = f"There is no {path[:200]}. The model in charge is '{served.name}', version '{served.version}'."
        return failed(404, message)
    wanted = "POST" if asked == "infer" else "GET"
    if method != wanted and not (method == "HEAD" and wanted == "GET"):
        return failed(405, f"{path} takes {wanted}.")
    if asked == "ready":
        return _told({"name": served.name, "ready": True})
    if asked == "infer":
        return await _inferred(headers, body, desk, served, rows)
    return _told(described(served))


async def _inferred(headers: Mapping[bytes, bytes], body: bytes, desk: Desk, served: Served, rows: int) -> Response:
    if headers.get(b"content-encoding", b"identity") != b"identity":
        return failed(415, "The body must not be compressed.")
    try:
        asked: Asked = read_request(body, headers.get(_HEADER_LENGTH), served.predictor.schema)
        if len(next(iter(asked.columns.values()), ())) > rows:
            return failed(413, f"The body has more than {rows} rows. Send fewer at once.")
        check_outputs(asked, served.predictor.schema)  # before it is answered, counted and journaled
        answer = await desk.ask(asked.columns, served)
        head, tail = tensors_of(answer, asked)
    except TrilhoError as error:
        status, _, _ = explained(error)
        return failed(status, " ".join(part for part in (error.what, error.why, error.remedy) if part))
    told: tuple[tuple[bytes, bytes], ...] = ((b"x-prediction-id", answer.id.encode()),)
    if not tail:
        return Response(status=200, body=head, headers=told)
    told += ((_HEADER_LENGTH, b"%d" % len(head)),)
    return Response(status=200, body=head + tail, content_type=b"application/octet-stream", headers=told)


def _told(found: Mapping[str, Any], *, status: int = 200) -> Response:
    return Response(status=status, body=msgspec.json.encode(found))
