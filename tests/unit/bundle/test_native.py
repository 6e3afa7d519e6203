from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from trilho import bundle
from trilho.bundle import columns as canonical
from trilho.bundle.native import Native, frame_of, load, settled
from trilho.bundle.trusted import saved
from trilho.errors import CannotPredict
from unit.bundle.tables import bundled, cancer, columns_of, mixed


def schema_of(frame: pd.DataFrame, **kinds: str) -> bundle.Schema:
    return bundle.describe(frame, columns_of(frame, kinds), task="regression", target="y")


def test_a_frame_comes_back_in_the_training_datas_types() -> None:
    frame = pd.DataFrame(
        {
            "fraction": [1.5, 2.5],
            "single": np.array([1.5, 2.5], dtype="float32"),
            "whole": [1, 2],
            "small": np.array([1, 2], dtype="int8"),
            "flag": [True, False],
            "nullable": pd.array([1, None], dtype="Int64"),
            "perhaps": pd.array([True, None], dtype="boolean"),
            "word": ["a", None],
            "plain": pd.Series(["a", "b"], dtype="object"),
            "choice": pd.Categorical(["x", "y"]),
            "code": pd.Categorical([10, 20]),
            "day": pd.to_datetime(["2026-01-01", None]),
            "zoned": pd.to_datetime(["2026-01-01", "2026-01-02"]).tz_localize("America/Sao_Paulo"),
        }
    )
    schema = schema_of(frame, nullable="number", perhaps="boolean")
    back = frame_of(canonical.columns_of(frame, schema.fields), schema.fields)
    assert back.dtypes.astype(str).to_dict() == frame.dtypes.astype(str).to_dict()
    for name in frame.columns:
        assert back[name].isna().tolist() == frame[name].isna().tolist()
        assert back[name].dropna().tolist() == frame[name].dropna().tolist(), name


@pytest.mark.parametrize("value", [np.nan, 1e300, 2.5, 300.0])
def test_a_number_that_a_whole_number_type_cannot_hold_makes_it_fractions(value: float) -> None:
    frame = pd.DataFrame({"small": np.array([1, 2], dtype="int8")})
    fields = schema_of(frame).fields
    back = frame_of({"small": np.array([1.0, value])}, fields)["small"]
    assert back.dtype == np.float64
    assert np.array_equal(back.to_numpy(), [1.0, value], equal_nan=True)


def test_a_null_makes_a_boolean_a_number() -> None:
    fields = schema_of(pd.DataFrame({"flag": [True, False]})).fields
    assert frame_of({"flag": np.array([1.0, np.nan])}, fields)["flag"].dtype == np.float64


def test_the_same_model_gives_the_same_file() -> None:
    frame, truth = cancer()
    files = [
        settled(saved(make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)).fit(frame, truth)))
        for _ in range(2)
    ]
    assert files[0] == files[1]
    back = load(files[0], allowed=(), modules=(), path=Path("model.skops"))
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)).fit(frame, truth)
    assert (back.predict_proba(frame) == model.predict_proba(frame)).all()


def test_a_loaded_model_uses_one_thread() -> None:
    frame, truth = cancer()
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3, n_jobs=2, random_state=0)).fit(frame, truth)
    back = load(saved(model), allowed=(), modules=(), path=Path("model.skops"))
    assert back.get_params()["randomforestclassifier__n_jobs"] == 1
    assert model.get_params()["randomforestclassifier__n_jobs"] == 2


def test_mixed_columns_survive_the_way_there_and_back() -> None:
    frame, _ = mixed()
    fields = schema_of(frame).fields
    back = frame_of(canonical.columns_of(frame, fields), fields)
    pd.testing.assert_frame_equal(back, frame)


class Scribbler(BaseEstimator):  # type: ignore[misc]
    """Keeps what it was asked, and writes into it."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        self.asked = frame.copy()
        frame.columns.name = "mine"
        frame.iloc[:, 0] = -1.0
        return np.zeros(len(frame))


WHOLE = pd.DataFrame({"count": [1, 2], "ratio": [0.5, 1.5], "flag": [True, False]})
DOUBLES = pd.DataFrame({"a": [0.5, 1.5], "b": [2.0, 3.0]})
VALUES = st.one_of(st.none(), st.floats(-1e300, 1e300), st.integers(-(2**70), 2**70), st.sampled_from([0.0, 1.0, -0.0]))


@given(data=st.data(), table=st.sampled_from([WHOLE, DOUBLES]))
@settings(deadline=None)
def test_rows_as_a_matrix_and_as_columns_become_the_same_frame(data: st.DataObject, table: pd.DataFrame) -> None:
    schema, model = schema_of(table), Scribbler()
    engine = Native(model, schema=schema)
    row = st.tuples(*(VALUES for _ in schema.fields))
    matrix = np.array(data.draw(st.lists(row, min_size=1, max_size=4)), dtype=np.float64)
    before = matrix.copy()
    engine.answer_matrix(matrix)
    short = model.asked
    np.testing.assert_array_equal(matrix, before, "what a model writes into its frame reaches nobody else")
    engine.answer({name: before[:, place].copy() for place, name in enumerate(schema.names)})
    pd.testing.assert_frame_equal(short, model.asked)
    assert short.columns.name is None, "nor does the name it gives to the columns"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e301, 1e200])
@pytest.mark.parametrize("rows", [1, 100])
def test_matrix_is_refused_as_columns_are(value: float, rows: int, tmp_path: Path) -> None:
    frame, truth = cancer()
    shipped = bundled(
        make_pipeline(SplineTransformer(), StandardScaler(), LogisticRegression()), frame, truth, tmp_path
    )
    predictor = bundle.open(shipped.path)
    assert predictor.runtime == "native"
    matrix = frame.to_numpy(dtype=float)[:rows].copy()
    matrix[rows // 2, 3] = value
    said = []
    for ask, asked in (
        (predictor.predict_matrix, matrix),
        (predictor.predict, {name: matrix[:, place] for place, name in enumerate(frame.columns)}),
    ):
        try:
            said.append(ask(asked).probabilities.tolist())  # type: ignore[operator]
        except CannotPredict as error:
            said.append((str(error), error.column, error.row))
    assert said[0] == said[1]
    assert isinstance(said[0], tuple) == (not abs(value) <= predictor.largest)
