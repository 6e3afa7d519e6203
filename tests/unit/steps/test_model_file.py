from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from trilho.steps import model_file


def written(folder: Path, value: Any) -> bytes:
    file = folder / "value.joblib"
    model_file.write(value, file)
    return file.read_bytes()


def test_equal_texts_are_written_alike_whether_they_are_one_object_or_two(tmp_path: Path) -> None:
    one = "n_features in"
    other = "".join(["n_features", " in"])
    assert one is not other  # else this tests nothing
    assert written(tmp_path, [{one: 1}, {one: 2}]) == written(tmp_path, [{one: 1}, {other: 2}])


def test_other_values_are_written_otherwise(tmp_path: Path) -> None:
    values = [["a", "a"], ["a", "b"], ["a"], [np.array([1.0])], [np.array([2.0])], [np.array([1])]]
    assert len({written(tmp_path, value) for value in values}) == len(values)


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, "a", None, ("a", 2.5)]},
        np.arange(12.0).reshape(3, 4),
        np.array(["São Paulo", None], dtype=object),
        np.asfortranarray(np.arange(12).reshape(3, 4)),
    ],
)
def test_what_was_written_is_read_back_by_joblib(tmp_path: Path, value: Any) -> None:
    model_file.write(value, tmp_path / "value.joblib")
    found = joblib.load(tmp_path / "value.joblib")
    assert type(found) is type(value)
    assert np.array_equal(found, value) if isinstance(value, np.ndarray) else found == value


def test_a_model_answers_the_same_after_it_was_read_back(tmp_path: Path) -> None:
    frame = pd.DataFrame({"city": ["Porto", "Lyon"] * 30, "size": np.arange(60.0).astype(str)})
    model = make_pipeline(OneHotEncoder(), RandomForestClassifier(5, random_state=0)).fit(frame, [0, 1, 1] * 20)
    model_file.write(model, tmp_path / "model.joblib")
    assert np.array_equal(joblib.load(tmp_path / "model.joblib").predict_proba(frame), model.predict_proba(frame))
