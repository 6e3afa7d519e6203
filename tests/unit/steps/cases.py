"""Small projects and data sets for the steps, made by hand."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes

from trilho.data.dataset import Column, Dataset, Kind
from trilho.project.file import (
    ChampionRule,
    DataSection,
    EvaluateSection,
    MonitorSection,
    ProjectFile,
    RegisterSection,
    ServeSection,
    SplitSection,
    TrainSection,
    TransformSection,
)
from trilho.steps.ingest import write_dataset
from trilho.steps.materials import Materials

FOREST = "sklearn.ensemble.RandomForestClassifier"


def project(root: Path, **changes: Any) -> ProjectFile:
    """A project in `root`; a dict changes fields of its section, anything else takes the field's place."""
    made = ProjectFile(
        root=root,
        name="shop",
        task="classification",
        target="target",
        primary_metric="f1",
        profile="local",
        tracking_uri=None,
        experiment="shop",
        data=DataSection(source="shop.csv"),
        split=SplitSection(),
        transform=TransformSection(),
        train=TrainSection(estimator=FOREST, params={"n_estimators": 10}),
        evaluate=EvaluateSection(metrics=("f1", "accuracy"), champion=ChampionRule(metric="f1")),
        register=RegisterSection(name="shop"),
        serve=ServeSection(),
        monitor=MonitorSection(),
    )
    fields: dict[str, Any] = {}
    for name, value in changes.items():
        section = getattr(made, name)
        fields[name] = replace(section, **value) if isinstance(value, dict) and name != "steps" else value
    return replace(made, **fields)


def dataset(frame: pd.DataFrame, kinds: dict[str, Kind] | None = None, **facts: Any) -> Dataset:
    """The frame as a Dataset: what is not told is a number, or a category where it holds texts."""
    columns = []
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name].dtype) or pd.api.types.is_bool_dtype(frame[name].dtype)
        kind = (kinds or {}).get(name, "number" if numeric else "category")
        columns.append(Column(name=name, kind=kind, nullable=bool(frame[name].isna().any())))
    known = {"name": "made", "source": "made", "fingerprint": "0" * 40, "target": "target"}
    return Dataset(frame=frame.reset_index(drop=True), columns=tuple(columns), **{**known, **facts})


def cancer(rows: int = 569) -> Dataset:
    return dataset(load_breast_cancer(as_frame=True).frame.head(rows), label_names=("malignant", "benign"))


def diabetes() -> Dataset:
    return dataset(load_diabetes(as_frame=True).frame)


def mixed(rows: int = 300, seed: int = 0) -> Dataset:
    """Numbers, a boolean, categories, free text and a time, most with missing values; words as labels."""
    random = np.random.default_rng(seed)
    age, city = random.normal(50, 15, rows).round(1), random.choice(["Porto", "Lyon", "São Paulo"], rows)
    member = random.random(rows) < 0.5
    churn = np.where(age / 50 + member + (city == "Lyon") + random.normal(0, 0.3, rows) > 1.9, "gone", "stays")
    frame = pd.DataFrame(
        {
            "age": np.where(random.random(rows) < 0.2, np.nan, age),
            "member": pd.Series(np.where(random.random(rows) < 0.1, np.nan, member.astype(object)), dtype=object),
            "city": pd.Series(np.where(random.random(rows) < 0.1, None, city.astype(object)), dtype=object),
            "note": pd.Series([f"note {number}" for number in range(rows)], dtype=object),
            "since": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.permutation(rows), unit="D"),
            "target": pd.Series(churn, dtype=object),
        }
    )
    return dataset(frame, {"member": "boolean", "note": "text", "since": "time"})


def wide(rows: int = 200, columns: int = 200) -> Dataset:
    random = np.random.default_rng(1)
    frame = pd.DataFrame({f"c{place}": random.normal(size=rows) for place in range(columns)})
    frame["target"] = (frame["c0"] + frame["c7"] > 0).astype(int)
    return dataset(frame)


def after(made: ProjectFile, found: Dataset, *steps: str) -> Materials:
    """Materials after ingest wrote `found` and `steps` ran, without the cache."""
    folders: dict[str, Path] = {}
    folders["ingest"] = made.root / "made" / "ingest"
    folders["ingest"].mkdir(parents=True)
    write_dataset(found, folders["ingest"])
    materials = Materials(made, folders)
    for step in steps:
        run(step, materials)
    return materials


def run(step: str, materials: Materials) -> str:
    """Run one more step; gives its facts."""
    folder = materials.project.root / "made" / step
    folder.mkdir(parents=True)
    facts: str = getattr(import_module(f"trilho.steps.{step}"), step)(materials, folder)
    folders: dict[str, Path] = materials.folders  # type: ignore[assignment]
    folders[step] = folder
    return facts


def module(root: Path, name: str, text: str) -> None:
    """A module of the project, never taken for an older one of the same length."""
    file = root / f"{name}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    if before:
        os.utime(file, ns=(before + 5_000_000_000, before + 5_000_000_000))
