"""scikit-learn's boosted trees: a sum of trees over a start value, and a link from that score to the answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from trilho.bundle.compiling.ensemble import LEAF, Tree, write_ensemble
from trilho.bundle.compiling.nodes import Nodes
from trilho.bundle.compiling.trees import as_float32, most_likely, one_target, pair_of


def convert_gradient_boosting(scope: Any, operator: Any, container: Any) -> None:
    """GradientBoostingClassifier and GradientBoostingRegressor."""
    nodes, model = Nodes(scope, container), operator.raw_operator
    one_target(model)
    start = np.asarray(model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32)))
    if not (isinstance(model.init_, str) or type(model.init_).__name__ in ("DummyClassifier", "DummyRegressor")):
        raise NotImplementedError(f"{type(model).__name__} that starts from another estimator")
    trees = [
        Tree(
            feature=member.tree_.feature,
            threshold=member.tree_.threshold,
            left=member.tree_.children_left,
            right=member.tree_.children_right,
            missing_left=np.asarray(member.tree_.missing_go_to_left),
            weights=member.tree_.value[:, 0, :] * model.learning_rate,
            target=target,
        )
        for stage in model.estimators_
        for target, member in enumerate(stage)
    ]
    score = _score(nodes, trees, as_float32(nodes, operator.inputs[0].full_name), start)
    if not hasattr(model, "classes_"):
        nodes.add("Identity", score, out=operator.outputs[0].full_name)
        return
    label, probabilities = (output.full_name for output in operator.outputs[:2])
    if start.shape[1] > 1:
        nodes.add("Softmax", score, out=probabilities, axis=1)
        most_likely(nodes, probabilities, model.classes_, out=label)
        return
    steep = nodes.add("Mul", score, nodes.constant([[2.0]])) if model.loss == "exponential" else score
    pair_of(nodes, nodes.add("Sigmoid", steep), out=probabilities)
    second_wins = nodes.cast(nodes.add("GreaterOrEqual", score, nodes.constant([[0.0]])), "INT64")
    nodes.label_of(nodes.add("Reshape", second_wins, nodes.constant([-1])), model.classes_, out=label)


def convert_hist_gradient_boosting(scope: Any, operator: Any, container: Any) -> None:
    """HistGradientBoostingClassifier and HistGradientBoostingRegressor without categorical splits.

    These compare in double: nothing is rounded to float32 first.
    """
    nodes, model = Nodes(scope, container), operator.raw_operator
    if model.is_categorical_ is not None:
        raise NotImplementedError(f"{type(model).__name__} with categorical_features")
    trees = [
        _hist_tree(predictor.nodes, target) for stage in model._predictors for target, predictor in enumerate(stage)
    ]
    start = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1)
    score = _score(nodes, trees, operator.inputs[0].full_name, start)
    if not hasattr(model, "classes_"):
        link = type(model._loss.link).__name__
        if link not in ("IdentityLink", "LogLink"):
            raise NotImplementedError(f"{type(model).__name__} with loss '{model.loss}'")
        nodes.add("Exp" if link == "LogLink" else "Identity", score, out=operator.outputs[0].full_name)
        return
    label, probabilities = (output.full_name for output in operator.outputs[:2])
    if start.shape[1] > 1:
        nodes.add("Softmax", score, out=probabilities, axis=1)
    else:
        pair_of(nodes, nodes.add("Sigmoid", score), out=probabilities)
    most_likely(nodes, probabilities, model.classes_, out=label)


# ----------------------------------------------------------------------------------------------------------------------


def _score(nodes: Nodes, trees: list[Tree], features: str, start: np.ndarray) -> str:
    """Start value plus all trees, (n, targets)."""
    targets = start.shape[1]
    return nodes.add("Add", write_ensemble(nodes, trees, features, targets=targets), nodes.constant(start))


def _hist_tree(records: np.ndarray, target: int) -> Tree:
    leaf = records["is_leaf"].astype(bool)
    return Tree(
        feature=np.where(leaf, LEAF, records["feature_idx"]),
        threshold=records["num_threshold"],
        left=np.where(leaf, LEAF, records["left"].astype(np.int64)),
        right=np.where(leaf, LEAF, records["right"].astype(np.int64)),
        missing_left=records["missing_go_to_left"],
        weights=records["value"][:, None],
        target=target,
    )
