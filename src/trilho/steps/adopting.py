"""A model that plain MLflow logged becomes a version with a bundle: judged, served and watched like any other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from trilho import bundle, registry
from trilho.project.file import ProjectFile
from trilho.registry import Version
from trilho.tracking import RUN_KEY
from trilho.tracking.download import download_model
from trilho.wire import Client, upload

BUNDLE_PATH = "trilho/bundle.tar"


def adopt(project: ProjectFile, client: Client, uri: str) -> tuple[Version, str]:
    """Bundle the logged model at `uri`, put the bundle beside it, and register it under the project's name.

    Nothing of the logged model is changed. Which rows it was trained on is unknown, so the champion gate will call it
    "not comparable" until a version of this project's own is champion.

    Returns:
        The version, and one line about its bundle.

    Raises:
        VersionNotFound, BadData, UntrustedModel: there is no such model, or it cannot be bundled.
    """
    with tempfile.TemporaryDirectory() as place:
        logged = download_model(client, uri, Path(place))
        metrics = _metrics(client, logged.run_id)
        built = bundle.from_mlflow(
            logged.folder,
            out=Path(place) / "bundle.tar",
            metadata={"name": project.register.name, "unit": "unknown", "adopted": uri},
            metrics=metrics,
            trust_code=project.serve.trust_code,
            trusted=project.train.trusted_types,
        )
        upload(client, logged.artifact_root, BUNDLE_PATH, built.path)
    version = registry.open_store(client).create(
        project.register.name,
        source=f"models:/{logged.model_id}",
        run_id=logged.run_id,
        model_id=logged.model_id,
        tags={
            RUN_KEY: f"adopted-{logged.model_id}",
            "trilho.bundle_sha256": built.digest,
            "trilho.bundle_path": BUNDLE_PATH,
            "trilho.runtime": built.runtime,
        },
    )
    return version, "compiled (ONNX)" if built.runtime == "onnx" else f"native: {built.why_native}"


def _metrics(client: Client, run_id: str) -> dict[str, float]:
    """The run's metrics, under the names that thresholds know ("test_f1" and "f1" alike)."""
    if not run_id:
        return {}
    found = client.get("runs/get", {"run_id": run_id})["run"]["data"].get("metrics", [])
    return {metric["key"].removeprefix("test_"): float(metric["value"]) for metric in found}
