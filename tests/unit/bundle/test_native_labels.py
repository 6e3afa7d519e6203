from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier

from trilho import bundle
from trilho.bundle import Predictions
from trilho.bundle.columns import columns_of
from trilho.bundle.native import Native, names_likeliest
from unit.bundle.tables import bundled, cancer


class Counted(LogisticRegression):
    """Counts how often it is asked."""

    asked = 0

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        type(self).asked += 1
        return np.asarray(super().predict_proba(X))


@pytest.mark.parametrize("likeliest", [True, False])
def test_labels_are_the_models_own_however_they_are_found(
    likeliest: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame, truth = cancer()
    frame = frame.iloc[:, :4]
    schema = bundle.read_schema(
        bundled(LogisticRegression(max_iter=5000), frame, truth, tmp_path_factory.mktemp("b")).path
    )
    model = Counted(max_iter=5000).fit(frame.to_numpy(), truth)
    Counted.asked = 0
    found = Native(model, schema=schema, likeliest=likeliest).answer(columns_of(frame, schema.fields))
    assert found.labels.tolist() == model.predict(frame.to_numpy()).tolist()
    assert names_likeliest(found, schema)
    assert Counted.asked == 1


def test_model_with_a_threshold_of_its_own_does_not_name_the_likeliest(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    frame, truth = cancer()
    frame = frame.iloc[:, :4]
    schema = bundle.read_schema(
        bundled(LogisticRegression(max_iter=5000), frame, truth, tmp_path_factory.mktemp("b")).path
    )
    strict = FixedThresholdClassifier(LogisticRegression(max_iter=5000), threshold=0.95).fit(frame.to_numpy(), truth)
    found = Native(strict, schema=schema).answer(columns_of(frame, schema.fields))
    assert found.labels.tolist() == strict.predict(frame.to_numpy()).tolist()
    assert not names_likeliest(found, schema)


def test_without_probabilities_or_rows_nothing_is_known_of_labels(tmp_path_factory: pytest.TempPathFactory) -> None:
    frame, truth = cancer()
    frame = frame.iloc[:, :4]
    schema = bundle.read_schema(
        bundled(LogisticRegression(max_iter=5000), frame, truth, tmp_path_factory.mktemp("b")).path
    )
    assert not names_likeliest(Predictions(labels=np.array([0, 1])), schema)
    assert not names_likeliest(Predictions(labels=np.array([]), probabilities=np.empty((0, 2))), schema)
