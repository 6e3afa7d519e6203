"""A few rows with their answers inside the bundle: does it still answer so, here and with these packages?

A bundle made with one version of onnxruntime or scikit-learn may be opened with another, on another processor. The rows
are made from the schema's quantiles and categories, column by column, so that they are nobody's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trilho.bundle.columns import is_numeric
from trilho.bundle.parity import ParityReport, compare
from trilho.bundle.predictions import Predictions, label_array
from trilho.bundle.schema import Field, Schema
from trilho.errors import BundleDamaged

ROWS = 16


def made_up_rows(schema: Schema) -> dict[str, np.ndarray]:
    """Rows as canonical columns, every one from all over the training ranges; the same for the same schema."""
    return {field.name: _column(field, place) for place, field in enumerate(schema.fields)}


def written(schema: Schema, ask: Callable[[Mapping[str, np.ndarray]], Predictions], tolerance: float) -> bytes:
    """The test as a member of a bundle; an empty one where the model answers no made-up rows (images, say)."""
    columns = made_up_rows(schema)
    facts: dict[str, Any] = {}
    if not any(field.kind == "image" for field in schema.fields):
        try:
            answers = ask(columns)
        except Exception:  # a model refuses in its own way; a test is no reason to refuse it
            answers = None
        if answers is not None:
            shares = answers.probabilities
            facts = {
                "labels": [list(schema.labels).index(label) for label in answers.labels.tolist()]
                if schema.labels
                else answers.labels.tolist(),
                "probabilities": None if shares is None else shares.tolist(),
                "tolerance": tolerance,
            }
    return json.dumps(facts).encode()


def check(text: bytes, schema: Schema, ask: Callable[[Mapping[str, np.ndarray]], Predictions], path: Path) -> None:
    """Ask the made-up rows again.

    Raises:
        BundleDamaged: the answers are not those of the machine that made the bundle.
    """
    facts = json.loads(text)
    if not facts:
        return
    labels = np.array(facts["labels"])
    shares = facts["probabilities"]
    wanted = Predictions(
        labels=label_array(schema.labels)[labels] if schema.labels else labels,
        probabilities=None if shares is None else np.array(shares),
    )
    probe = compare("made-up rows", wanted, ask(made_up_rows(schema)))
    if not ParityReport(tolerance=facts["tolerance"], probes=(probe,)).passed:
        raise BundleDamaged(
            f"The bundle {path.name} answers otherwise here than where it was made.",
            state="It was not opened.",
            why=f"On {probe.rows} rows answers differ by up to {probe.largest:.2g}, {probe.flips} labels are others.",
            remedy="Install the packages that its metadata.json names (packages), or build it anew: trilho run --force",
        )


# ----------------------------------------------------------------------------------------------------------------------


def _column(field: Field, place: int) -> np.ndarray:
    steps = np.arange(ROWS) * 7 + place * 5  # 7, 5 and the 21 quantiles share no factor with most table widths
    if field.kind in ("number", "time"):
        quantiles = np.array(field.quantiles or (0.0,))
        values = quantiles[steps % len(quantiles)]
        return values if field.kind == "number" else (values * 1e9).astype(np.int64).astype("datetime64[ns]")
    if field.kind == "boolean":
        return (steps % 2).astype(np.float64)
    words = field.values or ("",)
    if is_numeric(field):
        return np.array([float(words[step % len(words)] or 0) for step in steps])
    return np.array([words[step % len(words)] for step in steps], dtype=object)
