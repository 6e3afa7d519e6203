"""Step 6: pack what goes to the registry: an MLflow model that plain MLflow serves, and the bundle inside it.

The step only writes files, so it works without a server; `publish` brings them there when one answers.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from trilho import bundle
from trilho.errors import CannotPredict
from trilho.steps.exporting import BUNDLE, export
from trilho.steps.materials import TEST, Materials
from trilho.steps.transform import BUILT_IN

_WARM_UP, _LATENCY_CALLS = 20, 500


def register(materials: Materials, out: Path) -> str:
    """Write mlflow_model/ (with trilho/bundle.tar in it), model.joblib, metadata.json and package.json, and copy
    them all to the project's `model_dir`.

    In addition: `register(folder, metrics)` of the user's, called with the finished `model_dir`.
    """
    from trilho.tracking.mlflow_model import save_model

    project, evaluation, model = materials.project, materials.evaluation, materials.model
    train = materials.train_rows
    code = _code_paths(materials)
    schema = bundle.describe(
        train,
        materials.features,
        task=project.task,
        target=project.target,
        labels=tuple(evaluation["labels"]),
        label_names=tuple(evaluation["label_names"]),
        positive=evaluation["positive"],
    )
    own = {path.stem for path in code}  # types of the project's own modules: the user wrote and named them
    foreign = bundle.unvetted(model) if own else []
    trusted = [*project.train.trusted_types, *(name for name in foreign if name.split(".")[0] in own)]
    built = bundle.build(
        model,
        schema=schema,
        train=train,
        test=materials.test_rows,
        metrics=evaluation["test"],
        row_hashes=materials.units[materials.parts != TEST],
        metadata=_metadata(materials),
        out=out / "bundle.tar",
        code=code,
        trusted=trusted,
    )
    save_model(
        model,
        out / "mlflow_model",
        example=train.head(100),
        trusted=[*bundle.vetted_in(model), *trusted],
        packages=_packages(_estimator(materials)),
        code=code,
    )
    (out / BUNDLE).parent.mkdir()
    (out / "bundle.tar").replace(out / BUNDLE)
    shutil.copyfile(materials.folders["train"] / "model.joblib", out / "model.joblib")
    latency = _latency(out / BUNDLE, materials)
    package = {
        "digest": built.digest,
        "runtime": built.runtime,
        "why_native": built.why_native,
        "latency": latency,
        "parity": json.loads(built.parity.to_json()),
    }
    (out / "package.json").write_text(json.dumps(package, ensure_ascii=False), encoding="utf-8")
    (out / "metadata.json").write_text(
        json.dumps(_readable(materials, package), indent=2, ensure_ascii=False), encoding="utf-8"
    )
    export(materials, out)
    kind = "compiled (ONNX)" if built.runtime == "onnx" else f"native: {built.why_native.removesuffix('.')}"
    return f"{kind}, p99 {latency * 1000:.2f} ms a row"


def _metadata(materials: Materials) -> dict[str, Any]:
    project = materials.project
    return {
        "name": project.register.name,
        "estimator": _estimator(materials),
        "transform": project.transform.using,
        "data": {"name": materials.dataset.name, "fingerprint": materials.dataset.fingerprint},
        # Training units of two versions can be compared only where both mean the same by a unit.
        "unit": f"group:{project.split.group_by}" if project.split.group_by else "row",
        "rows": materials.evaluation["rows"],
        "train_metrics": materials.evaluation["train"],
        # What monitoring asks of a version: are its probabilities right, and which columns does it lean on?
        "calibration": materials.evaluation.get("calibration"),
        "importance": materials.evaluation.get("importance", {}),
    }


def _readable(materials: Materials, package: dict[str, Any]) -> dict[str, Any]:
    """metadata.json for people and simple apps (document 001): names, labels, metrics."""
    evaluation = materials.evaluation
    return {
        "name": materials.project.register.name,
        "task": materials.project.task,
        "target": materials.project.target,
        "feature_names": [column.name for column in materials.features],
        "feature_kinds": {column.name: column.kind for column in materials.features},
        "labels": evaluation["labels"],
        "label_names": evaluation["label_names"],
        "metrics": evaluation["test"],
        "rows": evaluation["rows"],
        "runtime": package["runtime"],
        "bundle_sha256": package["digest"],
    }


def _latency(archive: Path, materials: Materials) -> float:
    """99th percentile of a single prediction by what will serve it, in seconds."""
    predictor = bundle.open(archive, trust_code=True)
    rows = materials.test_rows
    seconds = []
    columns = {name: rows[name].to_numpy() for name in rows.columns}
    for index in range(_WARM_UP + _LATENCY_CALLS):
        row = index % len(rows)
        one = {name: values[row : row + 1] for name, values in columns.items()}
        started = time.perf_counter()
        try:
            predictor.predict(one)
        except CannotPredict:  # a test row with a null that the compiled model refuses
            continue
        seconds.append(time.perf_counter() - started)
    return float(np.percentile(seconds[_WARM_UP:], 99)) if seconds[_WARM_UP:] else float("nan")


def _code_paths(materials: Materials) -> list[Path]:
    """The project's modules that the fitted model is made of: they must travel with it."""
    using = materials.project.steps.get("transform", materials.project.transform.using)
    paths = [path for path in (using, _estimator(materials)) if path not in BUILT_IN]
    found: dict[str, Path] = {}
    for path in paths:
        top = path.replace(":", ".").split(".")[0]
        for place in (materials.project.root / "src", materials.project.root):
            for candidate in (place / top, place / f"{top}.py"):
                if candidate.exists():
                    found.setdefault(top, candidate)
    return list(found.values())


def _estimator(materials: Materials) -> str:
    return materials.project.steps.get("train", materials.project.train.estimator)


def _packages(estimator: str) -> list[str]:
    """What pip must install to load the model."""
    top = estimator.replace(":", ".").split(".")[0]
    others = [top] if top in ("lightgbm", "xgboost", "catboost") else []
    return ["mlflow", "scikit-learn", "skops", "pandas", "numpy", *others]
