"""Are the files of registered versions where the registry says?"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from trilho.errors import ServerRefused
from trilho.platform.doctor.finding import Finding, counted, ok, some, trouble
from trilho.platform.doctor.local_path import local_path
from trilho.platform.doctor.site import Site, named
from trilho.registry.event_tags import HISTORY_SUFFIX
from trilho.wire import PROXY_SCHEME, Client, connect

_VERSIONS = 50  # looked at, the newest first


def model_files(site: Site) -> Finding | None:
    """`Could not find an "MLmodel" configuration file`: a version is listed, and does not load."""
    if not site.answers:
        return None
    missing, looked = [], 0
    with connect(site.tracking_uri, environment=site.environment) as client:
        for version in _versions(client, site.model):
            question = {"name": version["name"], "version": version["version"]}
            root = client.get("model-versions/get-download-uri", question).get("artifact_uri", "")
            there = _there(client, root)
            looked += there is not None
            if there is False:
                missing.append(f"{version['name']} v{version['version']} at {root}")
    if not missing:
        return ok(f"{counted(looked, 'version')} with files.") if looked else None
    return trouble(
        f"{len(missing)} of {counted(looked, 'version')} without model files: {some(missing)}.",
        expected="An MLmodel file at the place that the registry names.",
        remedy="If the server was started with another --artifacts-destination (or volume) than when the model was\n"
        "logged, start it with that one. If the location is a path, the files are on the machine that logged them:\n"
        "trilho doctor --fix there. If they are gone, put back a backup, or train again: trilho run --force",
    )


# ---------------------------------------------------------------------------------------------------------------------


def _versions(client: Client, model: str) -> list[dict[str, Any]]:
    """The newest versions that have something to load; of the project's model, or of all where there is no project."""
    question: dict[str, Any] = {"max_results": _VERSIONS, "order_by": ["last_updated_timestamp DESC"]}
    if model:
        question["filter"] = named(model)
    found: list[dict[str, Any]] = client.get("model-versions/search", question).get("model_versions", [])
    return [version for version in found if not version["name"].endswith(HISTORY_SUFFIX) and version.get("source")]


def _there(client: Client, root: str) -> bool | None:
    """Whether an MLmodel file lies at `root`; None where this machine cannot look (a bucket)."""
    path = local_path(root)
    if path is not None:
        return (path / "MLmodel").is_file()
    parts = urlsplit(root)
    if parts.scheme != PROXY_SCHEME:
        return None
    body: list[bytes] = []
    try:
        client.receive_file(f"/api/2.0/mlflow-artifacts/artifacts?path={parts.path.strip('/')}", body.append)
    except ServerRefused as error:
        if error.status == 404:
            return False
        raise
    files = json.loads(b"".join(body) or b"{}").get("files", [])
    return any(str(found.get("path", "")).endswith("MLmodel") for found in files)
