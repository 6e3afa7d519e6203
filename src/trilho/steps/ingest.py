"""Step 1: read the data once, so that every later step sees the same rows."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from trilho import data
from trilho.data.dataset import Dataset
from trilho.steps.facts import counted
from trilho.steps.labelled import with_labelled
from trilho.steps.materials import Materials


def ingest(materials: Materials, out: Path) -> str:
    """Write data.parquet and dataset.json (name, source, fingerprint, columns with kinds).

    A retraining puts labelled answers of the journal below them (`ProjectFile.labelled`).

    In its place: a function without arguments that returns a DataFrame (the same as `data.source: module:function`).
    """
    project = materials.project
    dataset = data.load(
        project.steps.get("ingest", project.data.source),
        target=project.target,
        root=project.root,
        task=project.task,
        options=project.data.options,
        kinds=project.data.kinds,
        drop=project.data.drop,
        checks=project.data.checks,
        memory=project.state_dir / "files",
    )
    own = len(dataset.frame)
    dataset = with_labelled(dataset, project)
    write_dataset(dataset, out)
    more = f" and {len(dataset.frame) - own:,} from the journal" if project.labelled else ""
    return f"{counted(own, 'row')}{more}, {counted(len(dataset.columns), 'column')}"


def write_dataset(dataset: Dataset, out: Path) -> None:
    """Write a data set as data.parquet and dataset.json into the folder `out`."""
    dataset.frame.to_parquet(out / "data.parquet", index=False)
    facts = {name: value for name, value in vars(dataset).items() if name not in ("frame", "columns")}
    facts["columns"] = [asdict(column) for column in dataset.columns]
    (out / "dataset.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
