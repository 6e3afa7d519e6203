"""The guide for people who come from a configs.yaml: its files are read, and its mapping is true."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from trilho.delivery import Project
from trilho.project import ProjectFile, load
from trilho.project.sections import value_of
from trilho.settings import BY_NAME

GUIDE = (Path(__file__).parents[2] / "docs/guides/from-configs-yaml.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```ya?ml\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> ProjectFile:
    (tmp_path / "trilho.yaml").write_text(dict(BLOCKS)["trilho.yaml"], encoding="utf-8")
    return load(tmp_path, environment={})


def test_every_key_of_the_old_file_is_in_the_new_one_with_its_value(project: ProjectFile) -> None:
    old = yaml.safe_load(dict(BLOCKS)["configs.yaml"])
    assert project.split.test_size == old["test_size"]
    assert project.split.random_state == project.train.random_state == old["random_state"]
    assert project.train.params == old["model"]["params"]
    assert project.model_dir == Path(old["paths"]["exported_model_dir"])


def test_every_setting_that_the_guide_names_exists(project: ProjectFile) -> None:
    section = GUIDE.split("## Key by key")[1].split("\n## ")[0]
    rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("| `") or "train.py |" in line]
    named = [word.split(":")[0] for row in rows for word in re.findall(r"`([^`]+)`", row)]
    assert len(named) > 10
    for name in named:
        known = name in BY_NAME or name.startswith("train.params.") or name in ("max_depth", "n_jobs")
        assert known, name
        if name in BY_NAME:
            value_of(project, name)


def test_the_same_rows_are_for_testing_and_the_same_scaler_is_fitted(project: ProjectFile) -> None:
    data = load_breast_cancer(as_frame=True)
    kept, tested = train_test_split(data.data, test_size=0.2, random_state=42, stratify=data.target)
    run = Project(project.root)
    run.run("transform")
    train, test = run.inspect("split")
    assert np.array_equal(test[data.feature_names].to_numpy(), tested.sort_index().to_numpy())
    assert len(train) == len(kept)
    scaler = run.inspect("transform")
    assert isinstance(scaler, StandardScaler)
    assert not scaler.with_mean
    assert np.allclose(scaler.scale_, StandardScaler(with_mean=False).fit(kept).scale_)
