"""What is shipped with a version: one archive that answers, and says what it takes, how well it does, and what it was
trained on.

`build` makes it (that needs scikit-learn), `open` answers from it (a compiled one needs numpy and onnxruntime alone).
Everything but the values is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trilho.bundle.schema import Field, Schema

if TYPE_CHECKING:
    from trilho.bundle.archive import verify
    from trilho.bundle.building import Built, build
    from trilho.bundle.describing import describe
    from trilho.bundle.drift_profile import (
        CategoryCounts,
        DriftProfile,
        NumberCounts,
        count,
        count_predictions,
        merge,
        profile,
        profile_predictions,
    )
    from trilho.bundle.fetching import fetch
    from trilho.bundle.metadata import write_metadata
    from trilho.bundle.opening import open_bundle as open  # noqa: A004 - bundle.open(path) is what it does
    from trilho.bundle.opening import read_metadata, read_parity, read_profile, read_schema, training_rows
    from trilho.bundle.parity import ParityReport, Probe
    from trilho.bundle.plain_mlflow import from_mlflow
    from trilho.bundle.predictions import Predictions
    from trilho.bundle.predictor import Predictor
    from trilho.bundle.trusted import unvetted, vetted_in

_HOMES = {
    "archive": ("verify",),
    "building": ("Built", "build"),
    "describing": ("describe",),
    "drift_profile": (
        "CategoryCounts",
        "DriftProfile",
        "NumberCounts",
        "count",
        "count_predictions",
        "merge",
        "profile",
        "profile_predictions",
    ),
    "fetching": ("fetch",),
    "metadata": ("write_metadata",),
    "opening": ("open_bundle", "read_metadata", "read_parity", "read_profile", "read_schema", "training_rows"),
    "parity": ("ParityReport", "Probe"),
    "plain_mlflow": ("from_mlflow",),
    "predictions": ("Predictions",),
    "predictor": ("Predictor",),
    "trusted": ("unvetted", "vetted_in"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Built",
    "CategoryCounts",
    "DriftProfile",
    "Field",
    "NumberCounts",
    "ParityReport",
    "Predictions",
    "Predictor",
    "Probe",
    "Schema",
    "build",
    "count",
    "count_predictions",
    "describe",
    "fetch",
    "from_mlflow",
    "merge",
    "open",
    "profile",
    "profile_predictions",
    "read_metadata",
    "read_parity",
    "read_profile",
    "read_schema",
    "training_rows",
    "unvetted",
    "verify",
    "vetted_in",
    "write_metadata",
]


def __getattr__(name: str) -> Any:
    wanted = "open_bundle" if name == "open" else name
    if wanted in _HOME_OF:
        return getattr(import_module(f"trilho.bundle.{_HOME_OF[wanted]}"), wanted)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
