from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from trilho.data.dataset import Dataset
from trilho.errors import BadData, ImportFailed, StepFailed
from trilho.importer import project_code
from trilho.project.file import ServeSection
from trilho.steps.materials import Materials
from trilho.steps.transform import takes_frame
from unit.steps.cases import after, cancer, dataset, mixed, module, project, run, wide

MINE = """
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler


def ratio(frame):
    return frame.assign(ratio=frame["mean radius"] / frame["mean area"])


def times(frame, by=2):
    return frame * by


def factory(with_mean=True):
    return StandardScaler(with_mean=with_mean)


def of_columns(columns):
    from sklearn.compose import make_column_transformer
    return make_column_transformer((StandardScaler(), [column.name for column in columns if column.kind == "number"]))


def named_columns(*, columns, top=1):
    return MinMaxScaler((0, top))


class Halved(TransformerMixin, BaseEstimator):
    def __init__(self, by=2):
        self.by = by

    def fit(self, X, y=None):
        self.seen_ = len(X)
        return self

    def transform(self, X):
        return X / self.by


class Plain:
    \"\"\"Has no fit_transform and is no BaseEstimator.\"\"\"

    def fit(self, X, y=None):
        self.labels = sorted(set(y))
        return self

    def transform(self, X):
        return np.asarray(X) + len(self.labels)


instance = MinMaxScaler()
plain_instance = Plain()
number = 3


def returns_number():
    return 3


def drops_rows(frame):
    return frame.head(3)


def one_dimension(frame):
    return frame["mean radius"].to_numpy()


def no_column(frame):
    return frame[[]]


def nothing(frame):
    return None


def fails(frame):
    raise ValueError("mean radius is gone")
"""


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Materials]:
    """Runs the transform step with `using` and gives the materials after it."""
    module(tmp_path, "my_features", MINE)

    def make(using: str, params: dict[str, Any] | None = None, found: Dataset | None = None) -> Materials:
        settings = {"using": using, "params": params or {}}
        materials = after(project(tmp_path, transform=settings), found or cancer(120), "split")
        with project_code(tmp_path):
            run("transform", materials)
        return materials

    return make


def features(materials: Materials) -> np.ndarray:
    with project_code(materials.project.root):
        return np.asarray(joblib.load(materials.folders["transform"] / "features.joblib"), dtype=float)


def transformer(materials: Materials) -> Any:
    with project_code(materials.project.root):
        return joblib.load(materials.folders["transform"] / "transformer.joblib")


@pytest.mark.parametrize(
    ("using", "params", "expected"),
    [
        ("none", None, lambda rows: rows),
        ("default", None, lambda rows: rows),
        ("standard_scaler", None, lambda rows: (rows - rows.mean()) / rows.std(ddof=0)),
        ("sklearn.preprocessing.MinMaxScaler", None, lambda rows: (rows - rows.min()) / (rows.max() - rows.min())),
        ("sklearn.preprocessing.StandardScaler", {"with_std": False}, lambda rows: rows - rows.mean()),
        ("my_features:ratio", None, lambda rows: rows.assign(ratio=rows["mean radius"] / rows["mean area"])),
        ("my_features:times", None, lambda rows: rows * 2),
        ("my_features:times", {"by": 3}, lambda rows: rows * 3),
        ("my_features:factory", None, lambda rows: (rows - rows.mean()) / rows.std(ddof=0)),
        ("my_features:factory", {"with_mean": False}, lambda rows: rows / rows.std(ddof=0)),
        ("my_features:of_columns", None, lambda rows: (rows - rows.mean()) / rows.std(ddof=0)),
        ("my_features:named_columns", {"top": 2}, lambda rows: 2 * (rows - rows.min()) / (rows.max() - rows.min())),
        ("my_features:Halved", None, lambda rows: rows / 2),
        ("my_features:Halved", {"by": 4}, lambda rows: rows / 4),
        ("my_features:Plain", None, lambda rows: rows + 2),
        ("my_features:instance", None, lambda rows: (rows - rows.min()) / (rows.max() - rows.min())),
        ("my_features:instance", {"feature_range": (0, 2)}, lambda r: 2 * (r - r.min()) / (r.max() - r.min())),
        ("my_features:plain_instance", None, lambda rows: rows + 2),
        ("numpy.log1p", None, np.log1p),
    ],
)  # fmt: skip
def test_whatever_using_names_is_fitted_on_the_training_rows(
    made: Callable[..., Materials], using: str, params: dict[str, Any] | None, expected: Any
) -> None:
    materials = made(using, params)
    assert np.allclose(features(materials), expected(materials.train_rows))
    again = transformer(materials).transform(materials.train_rows)
    assert np.allclose(np.asarray(again, dtype=float), features(materials))


def test_the_test_rows_are_not_seen(made: Callable[..., Materials]) -> None:
    materials = made("my_features:Halved")
    assert transformer(materials).seen_ == len(materials.train_rows) < 120


@pytest.mark.parametrize("params", [None, {"clip": True}])
def test_an_instance_of_the_users_is_not_fitted_itself(
    tmp_path: Path, made: Callable[..., Materials], params: dict[str, Any] | None
) -> None:
    with project_code(tmp_path):
        made("my_features:instance", params=params)
        instance = sys.modules["my_features"].instance
    assert not hasattr(instance, "data_min_")
    assert instance.clip is False


def test_a_step_of_the_users_goes_before_the_section(tmp_path: Path) -> None:
    module(tmp_path, "my_features", MINE)
    materials = after(project(tmp_path, steps={"transform": "my_features:times"}), cancer(120), "split")
    with project_code(tmp_path):
        run("transform", materials)
    assert np.allclose(features(materials), materials.train_rows * 2)


def test_facts_count_the_columns_and_name_those_left_out(tmp_path: Path) -> None:
    materials = after(project(tmp_path), mixed(), "split")
    assert run("transform", materials) == (
        "5 columns → 6; left out: note, since (text, time or image: see transform.using)"
    )


@pytest.mark.parametrize(("trusted", "said"), [(False, True), (True, False)])
def test_own_code_says_before_training_that_serving_must_trust_it(tmp_path: Path, trusted: bool, said: bool) -> None:
    module(tmp_path, "my_features", MINE)
    settings = project(tmp_path, transform={"using": "my_features:Halved"})
    materials = after(replace(settings, serve=ServeSection(trust_code=trusted)), cancer(120), "split")
    with project_code(tmp_path):
        facts = run("transform", materials)
    assert ("my_features.Halved" in facts and "serve.trust_code: true" in facts) is said


def test_200_columns_pass(tmp_path: Path) -> None:
    materials = after(project(tmp_path), wide(), "split")
    assert run("transform", materials) == "200 columns → 200"


@pytest.mark.parametrize("using", ["default", "standard_scaler", "none"])
def test_the_weight_is_no_feature(tmp_path: Path, using: str) -> None:
    weighed = dataset(cancer(120).frame.assign(w=1.0))
    settings: dict[str, Any] = {"transform": {"using": using}, "train": {"sample_weight": "w"}}
    materials = after(project(tmp_path, **settings), weighed, "split", "transform")
    assert features(materials).shape[1] == 30


# Errors name the setting.


@pytest.mark.parametrize(
    ("using", "params", "parts"),
    [
        ("my_features:fails", None, ["transform.using: my_features:fails failed", "ValueError: mean radius is gone"]),
        ("my_features:drops_rows", None, ["transform.using: my_features:drops_rows", "(3, 30)", "rows went in"]),
        ("my_features:one_dimension", None, ["transform.using: my_features:one_dimension", "at least one column"]),
        ("my_features:no_column", None, ["transform.using: my_features:no_column", ", 0)"]),
        ("my_features:nothing", None, ["transform.using: my_features:nothing"]),
        ("my_features:number", None, ["transform.using: my_features:number is neither a transformer nor a function"]),
        ("my_features:returns_number", None, ["my_features:returns_number returned int", "taken for a factory"]),
        ("my_features:factory", {"with_meen": 1}, ["transform.params does not fit", "with_meen", "with_mean"]),
        ("my_features:Halved", {"times": 1}, ["transform.params does not fit my_features:Halved", "It takes: by."]),
        ("sklearn.preprocessing.StandardScaler", {"mean": 1}, ["transform.params does not fit", "copy, with_mean"]),
        ("my_features:times", {"wrong": 1}, ["transform.using: my_features:times failed", "wrong"]),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_by_the_name_of_its_setting(
    made: Callable[..., Materials], using: str, params: dict[str, Any] | None, parts: list[str]
) -> None:
    with pytest.raises(StepFailed) as caught:
        made(using, params)
    for part in parts:
        assert part in str(caught.value)


def test_a_name_that_is_not_there_names_the_near_one(made: Callable[..., Materials]) -> None:
    with pytest.raises(ImportFailed, match="Did you mean 'ratio'"):
        made("my_features:ratios")


@pytest.mark.parametrize("using", ["default", "standard_scaler"])
def test_data_without_a_column_to_use_names_them_with_their_kinds(tmp_path: Path, using: str) -> None:
    frame = mixed().frame[["note", "since", "target"]]
    found = dataset(frame, {"note": "text", "since": "time"})
    materials = after(project(tmp_path, transform={"using": using}), found, "split")
    with pytest.raises(BadData, match="No column is a number") as caught:
        run("transform", materials)
    assert "note (text), since (time)" in caught.value.why
    assert "data.kinds" in caught.value.remedy


def of_frame(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (of_frame, True),
        (lambda X: X, True),
        (lambda X, by=1: X * by, True),
        (lambda X, /: X, True),
        (lambda: None, False),
        (lambda by=1: by, False),
        (lambda columns: columns, False),
        (lambda *, columns: columns, False),
        (lambda columns, by=1: columns * by, False),
        (lambda **params: params, False),
    ],
)
def test_a_function_with_a_required_argument_takes_the_frame_unless_it_is_the_columns(
    function: Callable[..., Any], expected: bool
) -> None:
    assert takes_frame(function) is expected
