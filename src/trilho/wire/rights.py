"""What a server with users refuses: who asked, which right was missing, and the line that gives it.

MLflow's permissions are READ, EDIT and MANAGE, on an experiment (for its runs and their files) or on a registered
model. It answers no more than 401 or 403, so what was asked for tells the rest.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from trilho.wire.address import Address

NOT_KNOWN, FORBIDDEN = 401, 403

GRANT = "/api/3.0/mlflow/users/permissions/grant"

_PLAIN = "Permission denied"  # MLflow's words, which name neither the user nor the right
_MODEL = re.compile(r"/mlflow/(?:registered-models|model-versions)/")
_EXPERIMENT = re.compile(r"/mlflow/(?:experiments|runs|logged-models)(?:/|$)|/mlflow-artifacts/artifacts/(\d+)/")


def not_known(address: Address) -> tuple[str, str]:
    """Why the server refused with 401, and what to do."""
    login = f"trilho login {address.shown}"
    others = "Or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
    if address.user:
        return f"Wrong user or password: you are '{address.user}' there.", f"{login}\n{others}"
    if address.authorization:
        return "It does not know this token.", f"{login}\n{others}"
    return "It asks for user and password, and none are given.", f"{login}\n{others}"


def forbidden(address: Address, method: str, path: str, body: Mapping[str, Any], said: str) -> tuple[str, str]:
    """Why the server refused with 403, and the line by which somebody gives the right that is missing.

    Args:
        path: With its query.
        body: The JSON that was sent.
        said: The server's own words.
    """
    who = f"You are '{address.user}' there" if address.user else "Your token is known there"
    who = who if address.authorization else "Nobody is logged in"
    said = "" if said == _PLAIN else f" {said}"
    level = "READ" if method == "GET" or path.endswith("/search") else "EDIT"
    level = "MANAGE" if method == "DELETE" or path.endswith("/restore") else level
    kind, name = _resource(path, body)
    if not kind:
        return f"{who}, which is not enough for this.{said}", "Ask an administrator of that server for the right."
    where = f"the {kind.replace('_', ' ')} {name or 'it belongs to'}"
    grant = {
        "username": address.user or "USER",
        "resource_type": kind,
        "resource_id": name or "ID",
        "permission": level,
    }
    line = f"curl -u admin {address.shown}{GRANT} -H Content-Type:application/json -d {shlex.quote(json.dumps(grant))}"
    return (
        f"{who}, and this takes the right {level} on {where}.{said}",
        f"Its owner or an administrator gives it:\n{line}",
    )


def _resource(path: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """Type and id as MLflow's permissions name them; an empty id where the request does not say which."""
    path, _, query = path.partition("?")
    asked = {**dict(parse_qsl(query)), **body}
    if path.endswith(("/experiments/create", "/registered-models/create")):
        return "", ""
    if _MODEL.search(path):
        return "registered_model", str(asked.get("name", ""))
    found = _EXPERIMENT.search(path)
    if found is None:
        return "", ""
    several = asked.get("experiment_ids") or [""]
    return "experiment", str(asked.get("experiment_id") or found[1] or several[0])
