from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from trilho import bundle
from trilho.bundle.columns import columns_of
from trilho.bundle.compiled import Compiled
from trilho.bundle.compiling.graph import compile_graph
from trilho.bundle.native import Native
from trilho.errors import NotCompilable
from unit.bundle.tables import columns_of as kinds_of

WORDS = ["a", "b", "cc", "", "É", "10"]
words = st.sampled_from([*WORDS, None])
tables = st.lists(st.tuples(words, words, st.floats(-9, 9) | st.none()), min_size=12, max_size=40)


def fill() -> SimpleImputer:
    return SimpleImputer(strategy="constant", fill_value="missing")


ENCODERS: dict[str, Any] = {
    "one column a category": lambda: make_pipeline(fill(), OneHotEncoder(handle_unknown="ignore")),
    "null as a category": lambda: OneHotEncoder(handle_unknown="ignore"),
    "rare ones together": lambda: OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=4),
    "rare ones together, unknown ignored": lambda: OneHotEncoder(handle_unknown="ignore", min_frequency=4),
    "the widest bounded": lambda: make_pipeline(
        fill(), OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=3)
    ),
    "first dropped": lambda: make_pipeline(fill(), OneHotEncoder(handle_unknown="ignore", drop="first")),
    "first dropped, rare together": lambda: OneHotEncoder(
        handle_unknown="infrequent_if_exist", drop="first", min_frequency=4
    ),
    "one of two dropped": lambda: make_pipeline(fill(), OneHotEncoder(handle_unknown="ignore", drop="if_binary")),
    "numbered": lambda: make_pipeline(fill(), OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
    "numbered, null its own number": lambda: OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ),
    "numbered, rare together": lambda: make_pipeline(
        fill(), OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=4)
    ),
    "most frequent fills": lambda: make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    ),
    "mean target": lambda: make_pipeline(fill(), TargetEncoder(cv=2, target_type="continuous")),
}
IMPUTERS: dict[str, Any] = {
    "median": lambda: SimpleImputer(strategy="median", keep_empty_features=True),
    "mean with indicator": lambda: SimpleImputer(add_indicator=True, keep_empty_features=True),
    "constant": lambda: SimpleImputer(strategy="constant", fill_value=-7.25),
}


def compared(encoder: Any, imputer: Any, rows: list[tuple[Any, Any, Any]], asked: list[tuple[Any, Any, Any]]) -> None:
    """A linear model shows every column of the transform: fitted on `rows`, both forms answer `asked` alike."""
    frame, other = (
        pd.DataFrame(part, columns=["first", "second", "x"]).astype({"x": float, "first": "str", "second": "str"})
        for part in (rows, asked)
    )
    truth = np.arange(len(frame)) % 7 + frame["x"].fillna(0).to_numpy()
    transform = ColumnTransformer(
        [("words", encoder, ["second", "first"]), ("numbers", imputer, ["x"])], sparse_threshold=0
    )
    model = Pipeline([("transform", transform), ("estimator", LinearRegression())])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(frame, truth)
        except (ValueError, TypeError):
            return  # scikit-learn itself takes no such rows
    # Weights that tell the columns apart, whatever the fit made of them.
    model[-1].coef_ = np.linspace(1.0, 2.0, len(model[-1].coef_)) ** 5
    model[-1].intercept_ = np.float64(0.0)
    schema = bundle.describe(
        frame, kinds_of(frame, {"first": "category", "second": "category"}), task="regression", target="y"
    )
    graph = compile_graph(model, schema)
    columns = columns_of(other, schema.fields)
    compiled = Compiled(graph.model, schema=schema, words=graph.words, width=graph.width)
    wanted = Native(model, schema=schema).answer(columns).labels
    assert np.allclose(compiled.answer(columns).labels, wanted, rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=15, deadline=None)
@given(
    rows=tables,
    asked=st.lists(
        st.tuples(words | st.just("unheard of"), words, st.floats(-9, 9) | st.none()), min_size=1, max_size=30
    ),
)
def test_an_encoder_is_compiled_exactly(name: str, rows: list[Any], asked: list[Any]) -> None:
    compared(ENCODERS[name](), IMPUTERS["median"](), rows, asked)


@pytest.mark.parametrize("name", IMPUTERS)
@settings(max_examples=15, deadline=None)
@given(rows=tables, asked=tables)
def test_an_imputer_is_compiled_exactly(name: str, rows: list[Any], asked: list[Any]) -> None:
    compared(ENCODERS["one column a category"](), IMPUTERS[name](), rows, asked)


def test_a_median_that_float32_cannot_hold_is_kept_in_full(tmp_path: Any) -> None:
    value = 1234567.1234567
    rows = [("a", "b", value)] * 12
    compared(ENCODERS["one column a category"](), IMPUTERS["median"](), rows, [("a", "b", None)])


def test_numbers_as_categories_are_compared_as_numbers() -> None:
    frame = pd.DataFrame({"code": [1, 2, 3, 1, 2, 3] * 3, "flag": [True, False] * 9, "part": [0.5, 1.5, 2.5] * 6})
    for encoder in (
        OneHotEncoder(handle_unknown="ignore"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    ):
        model = Pipeline([("transform", encoder), ("estimator", LinearRegression())]).fit(frame, np.arange(18.0))
        schema = bundle.describe(frame, kinds_of(frame, {}), task="regression", target="y")
        graph = compile_graph(model, schema)
        columns = columns_of(frame, schema.fields) | {"part": np.array([0.5, 9.0] * 9)}
        compiled = Compiled(graph.model, schema=schema, words=graph.words, width=graph.width)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert np.allclose(compiled.answer(columns).labels, Native(model, schema=schema).answer(columns).labels)


def test_mean_targets_of_many_classes_are_left_to_the_native_model() -> None:
    from sklearn.linear_model import LogisticRegression

    frame = pd.DataFrame({"word": ["a", "b", "c"] * 20})
    model = Pipeline([("transform", TargetEncoder(cv=2)), ("estimator", LogisticRegression())])
    model.fit(frame, np.array([0, 1, 2, 2, 1, 0] * 10))
    schema = bundle.describe(frame, kinds_of(frame, {}), task="classification", target="y", labels=[0, 1, 2])
    with pytest.raises(NotCompilable) as caught:
        compile_graph(model, schema)
    assert caught.value.why == "No exact conversion is known for TargetEncoder with more than two classes."
