from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trilho.data.dataset import Dataset
from unit.steps.cases import after, cancer, dataset, diabetes, mixed, module, project, wide

PNG = b"\x89PNG\r\n\x1a\n"
CLASSES = {
    "permutation_importance.png",
    "confusion_matrix.png",
    "roc_curve.png",
    "precision_recall_curve.png",
}


def drawn(root: Path, found: Dataset, **changes: Any) -> dict[str, bytes]:
    """Name → content of the figures of an evaluation."""
    materials = after(project(root, **changes), found, "split", "transform", "train", "evaluate")
    return {file.name: file.read_bytes() for file in (materials.folders["evaluate"] / "figures").iterdir()}


def report(root: Path) -> str:
    return (root / "made" / "evaluate" / "report.txt").read_text(encoding="utf-8")


def has_ink(content: bytes) -> bool:
    """Is there more in the picture than one colour?"""
    from io import BytesIO

    from matplotlib.image import imread

    pixels = imread(BytesIO(content))
    return bool(pixels.shape[0] > 200 and pixels.std() > 0.01)


@pytest.mark.parametrize("found", [cancer(200), mixed(), wide()], ids=["numbers", "mixed", "wide"])
def test_a_classification_is_drawn_in_four_figures(tmp_path: Path, found: Dataset) -> None:
    figures = drawn(tmp_path, found)
    assert set(figures) == CLASSES
    for content in figures.values():
        assert content.startswith(PNG)
        assert has_ink(content)
    assert len(set(figures.values())) == 4
    assert "precision" in report(tmp_path)


def test_a_regression_is_drawn_in_three_figures(tmp_path: Path) -> None:
    ridge = {"estimator": "sklearn.linear_model.Ridge", "params": {}}
    figures = drawn(tmp_path, diabetes(), task="regression", train=ridge, evaluate={"metrics": ("rmse",)})
    assert set(figures) == {"permutation_importance.png", "predicted_against_true.png", "residuals.png"}
    assert all(has_ink(content) for content in figures.values())
    lines = report(tmp_path).splitlines()
    numbers = [float(line.split()[-1]) for line in lines]
    assert [line.split()[0] for line in lines] == ["5", "25", "50", "75", "95"]
    assert numbers == sorted(numbers)


def test_a_model_without_chances_has_no_curves(tmp_path: Path) -> None:
    ridge = {"estimator": "sklearn.linear_model.RidgeClassifier", "params": {}}
    assert set(drawn(tmp_path, cancer(200), train=ridge)) == CLASSES - {"roc_curve.png", "precision_recall_curve.png"}


def test_many_labels_are_drawn(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": np.arange(900) % 30 + random.normal(0, 0.1, 900), "target": np.arange(900) % 30})
    assert set(drawn(tmp_path, dataset(frame))) == CLASSES


def test_a_label_that_no_test_row_has_is_drawn_without_a_warning(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": np.arange(100.0), "target": ["a", "b", "c", "a", "b"] * 16 + ["a", "b"] * 10})
    settings: dict[str, Any] = {"split": {"method": "time", "time_column": "day"}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(drawn(tmp_path, dataset(frame), **settings)) == CLASSES


@pytest.mark.parametrize("name", ["price $^{$ per m²", "高血圧", "a_b", "x" * 80, "<b>", "\\frac{1"])
def test_any_name_of_a_column_or_label_can_be_drawn(tmp_path: Path, name: str) -> None:
    frame = cancer(200).frame[["mean radius", "mean area", "target"]].rename(columns={"mean radius": name})
    words = frame["target"].map({0: name, 1: "other"}).astype(object)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(drawn(tmp_path, dataset(frame.assign(target=words)))) == CLASSES


SCORELESS = """
import numpy as np
from sklearn.base import BaseEstimator


class Nearest(BaseEstimator):
    \"\"\"Has predict, but no score.\"\"\"

    def fit(self, X, y):
        self.rows_, self.labels_ = np.asarray(X), y
        return self

    def predict(self, X):
        distances = ((np.asarray(X)[:, None, :] - self.rows_[None]) ** 2).sum(axis=2)
        return self.labels_[distances.argmin(axis=1)]
"""


def test_an_estimator_without_a_score_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, "scoreless", SCORELESS)
    monkeypatch.syspath_prepend(str(tmp_path))
    nearest = {"estimator": "scoreless:Nearest", "params": {}}
    assert "permutation_importance.png" in drawn(tmp_path, cancer(120), train=nearest)


def test_the_plots_of_a_notebook_stay_as_they_were(tmp_path: Path) -> None:
    import matplotlib

    before = {name: matplotlib.rcParams._get(name) for name in ("backend", "text.parse_math")}  # type: ignore[attr-defined]
    drawn(tmp_path, cancer(120))
    assert {name: matplotlib.rcParams._get(name) for name in before} == before  # type: ignore[attr-defined]


def test_equal_evaluations_are_equal_pictures(tmp_path: Path) -> None:
    assert drawn(tmp_path / "one", cancer(200)) == drawn(tmp_path / "two", cancer(200))
