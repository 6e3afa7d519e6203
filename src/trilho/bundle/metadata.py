"""What a bundle says about itself in a form that anything can read: metadata.json.

Pages and programs that know nothing of trilho load it for the feature names, the label names and the metrics.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trilho.bundle.archive import Contents
from trilho.bundle.opening import read_metadata
from trilho.bundle.schema import Schema

_PACKAGES = (
    "trilho",
    "scikit-learn",
    "numpy",
    "pandas",
    "onnx",
    "onnxruntime",
    "skl2onnx",
    "skops",
    "lightgbm",
    "mlflow",
)


def describe_bundle(
    schema: Schema, *, runtime: str, metrics: Mapping[str, float], extra: Mapping[str, Any]
) -> dict[str, Any]:
    """The entries of metadata.json; `extra` (the model's name, its commit, …) comes first."""
    return {
        **extra,
        "task": schema.task,
        "target": schema.target,
        "feature_names": list(schema.names),
        "labels": list(schema.labels),
        "label_names": list(schema.label_names),
        "metrics": dict(metrics),
        "runtime": runtime,
        "packages": {"python": platform.python_version(), **_versions()},
    }


def write_metadata(bundle: Path, to: Path) -> None:
    """Write a bundle's metadata.json to the file `to`, with the bundle's digest, for readers that have no bundle.

    Raises:
        BundleDamaged: the bundle does not hold together.
    """
    facts = {**read_metadata(bundle), "digest": Contents(bundle).digest()}
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def encoded(facts: Mapping[str, Any]) -> bytes:
    """The entries as the bytes of a file."""
    return json.dumps(facts, ensure_ascii=False, indent=2).encode()


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
