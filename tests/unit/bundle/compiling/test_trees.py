from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeRegressor
from threadpoolctl import threadpool_limits

from trilho import bundle
from trilho.bundle.compiled import Compiled
from trilho.bundle.compiling.graph import compile_graph
from trilho.errors import NotCompilable
from unit.bundle.tables import columns_of as kinds_of
from unit.bundle.tables import iris


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """OpenMP threads that wait for a core another test has cost seconds."""
    with threadpool_limits(1):
        yield


chance = np.random.default_rng(3)
ROWS = pd.DataFrame(chance.normal(size=(600, 6)), columns=list("abcdef"))
TWO = (ROWS["a"] * ROWS["b"] + ROWS["c"] > 0).astype(int).to_numpy()
FOUR = (TWO * 2 + (ROWS["d"] > 0)).to_numpy()
NUMBER = (ROWS["a"] ** 2 + ROWS["b"]).to_numpy() * 100


def compiled(model: Any, frame: pd.DataFrame) -> Compiled:
    labels = list(getattr(model, "classes_", ()))
    schema = bundle.describe(
        frame, kinds_of(frame), task="classification" if labels else "regression", target="y", labels=labels
    )
    graph = compile_graph(model, schema)
    return Compiled(graph.model, schema=schema, words=graph.words, width=graph.width)


def same(model: Any, rows: np.ndarray) -> None:
    found = compiled(model, ROWS).answer_matrix(rows)
    frame = pd.DataFrame(rows, columns=ROWS.columns)
    assert np.allclose(found.labels, model.predict(frame), rtol=1e-12)
    if hasattr(model, "predict_proba"):
        assert found.probabilities is not None
        assert np.abs(found.probabilities - model.predict_proba(frame)).max() < 1e-14


MODELS = [
    (RandomForestClassifier(20, random_state=0), TWO),
    (RandomForestClassifier(20, random_state=0), FOUR),
    (RandomForestClassifier(20, max_depth=3, class_weight="balanced", random_state=0), FOUR),
    (ExtraTreesClassifier(20, random_state=0), FOUR),
    (DecisionTreeClassifier(random_state=0), FOUR),
    (HistGradientBoostingClassifier(max_iter=10, random_state=0), TWO),
    (HistGradientBoostingClassifier(max_iter=10, random_state=0), FOUR),
    (HistGradientBoostingRegressor(max_iter=10, random_state=0), NUMBER),
    (RandomForestRegressor(20, random_state=0), NUMBER),
    (ExtraTreeRegressor(random_state=0), NUMBER),
]


@pytest.mark.parametrize(("model", "truth"), MODELS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("trained_with_holes", [False, True])
def test_missing_values_take_the_side_they_take_in_the_model(
    model: Any, truth: np.ndarray, trained_with_holes: bool
) -> None:
    holes = ROWS.mask(np.random.default_rng(5).random(ROWS.shape) < 0.2)
    model.fit(holes if trained_with_holes else ROWS, truth)
    same(model, ROWS.to_numpy())
    same(model, ROWS.mask(np.random.default_rng(6).random(ROWS.shape) < 0.5).to_numpy())


@pytest.mark.parametrize(
    ("model", "truth"),
    [
        (GradientBoostingClassifier(n_estimators=10, random_state=0), TWO),
        (GradientBoostingClassifier(n_estimators=10, loss="exponential", random_state=0), TWO),
        (GradientBoostingClassifier(n_estimators=10, random_state=0), FOUR),
        (GradientBoostingClassifier(n_estimators=10, init="zero", random_state=0), TWO),
        (GradientBoostingRegressor(n_estimators=10, random_state=0), NUMBER),
        (GradientBoostingRegressor(n_estimators=10, init="zero", random_state=0), NUMBER),
        (GradientBoostingRegressor(n_estimators=10, loss="huber", random_state=0), NUMBER),
        (HistGradientBoostingRegressor(max_iter=10, loss="poisson", random_state=0), np.abs(NUMBER)),
        (HistGradientBoostingRegressor(max_iter=10, loss="quantile", quantile=0.9, random_state=0), NUMBER),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_loss_and_start_of_boosting_is_compiled(model: Any, truth: np.ndarray) -> None:
    same(model.fit(ROWS, truth), ROWS.to_numpy())


def test_a_threshold_on_the_data_is_decided_after_rounding_to_float32_as_in_the_model() -> None:
    values = np.linspace(0.1, 0.3, 400)
    frame = pd.DataFrame({"a": values})
    model = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)).fit(
        frame, (np.arange(400) // 2) % 2
    )
    near = np.concatenate([values, np.nextafter(values, 1), np.nextafter(values, 0), values + 1e-9, values - 1e-9])
    found = compiled(model, frame).answer_matrix(near[:, None])
    assert found.labels.tolist() == model.predict(pd.DataFrame({"a": near})).tolist()


def test_a_tree_of_one_leaf_and_a_forest_of_them_are_compiled() -> None:
    for model in (
        DecisionTreeClassifier(max_depth=1, min_samples_leaf=500),
        RandomForestClassifier(3, min_samples_leaf=500),
        HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=500),
    ):
        same(model.fit(ROWS, FOUR if hasattr(model, "predict_proba") else NUMBER), ROWS.to_numpy()[:5])


def test_boosting_that_starts_from_another_estimator_is_left_to_the_native_model() -> None:
    model = GradientBoostingClassifier(n_estimators=2, init=LogisticRegression()).fit(ROWS, TWO)
    with pytest.raises(NotCompilable) as caught:
        compiled(model, ROWS)
    assert (
        caught.value.why
        == "No exact conversion is known for GradientBoostingClassifier that starts from another estimator."
    )
    same(
        GradientBoostingClassifier(n_estimators=2, init=DummyClassifier(strategy="prior")).fit(ROWS, TWO),
        ROWS.to_numpy(),
    )


def test_a_graph_is_the_same_bytes_each_time() -> None:
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)).fit(ROWS, FOUR)
    schema = bundle.describe(ROWS, kinds_of(ROWS), task="classification", target="y", labels=list(model.classes_))
    assert compile_graph(model, schema).model == compile_graph(model, schema).model


def test_no_root_looks_like_a_leaf_to_an_older_onnxruntime() -> None:
    """onnxruntime before 1.24 mistakes a root whose leaf and branch have the same number for a leaf."""
    frame, truth = iris()  # one split tells setosa apart: many roots have a leaf
    for seed in range(5):
        model = RandomForestClassifier(30, random_state=seed).fit(frame, truth)
        schema = bundle.describe(frame, kinds_of(frame), task="classification", target="y", labels=[0, 1, 2])
        graph = onnx.load_from_string(compile_graph(model, schema).model).graph
        node = next(node for node in graph.node if node.op_type == "TreeEnsemble")
        found = {entry.name: np.array(entry.ints) for entry in node.attribute if entry.ints}
        roots = found["tree_roots"]
        different = found["nodes_trueleafs"][roots] != found["nodes_falseleafs"][roots]
        same_number = found["nodes_truenodeids"][roots] == found["nodes_falsenodeids"][roots]
        assert different.any()
        assert not (different & same_number).any()
