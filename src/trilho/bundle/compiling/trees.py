"""Decision trees and forests as one TreeEnsemble node each, exact to the order of summation, missing values included.

scikit-learn casts a row to float32 and compares it with thresholds in double; so do these graphs: Cast to float32, back
to double, and a tree node in double. The direction that a missing value takes at each node is written too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trilho.bundle.compiling.ensemble import Tree, write_ensemble, write_mean_of_rows
from trilho.bundle.compiling.nodes import Nodes


def convert_forest_classifier(scope: Any, operator: Any, container: Any) -> None:
    """RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier, ExtraTreeClassifier."""
    nodes, model = Nodes(scope, container), operator.raw_operator
    one_target(model)
    trees = [member.tree_ for member in getattr(model, "estimators_", [model])]
    rounded = as_float32(nodes, operator.inputs[0].full_name)
    label, probabilities = (output.full_name for output in operator.outputs[:2])
    if len(model.classes_) == 2:
        second = write_ensemble(nodes, [_plain(tree, tree.value[:, 0, 1:]) for tree in trees], rounded, mean=True)
        pair_of(nodes, second, out=probabilities)
    else:
        every = [_plain(tree, tree.value[:, 0, :]) for tree in trees]
        write_mean_of_rows(nodes, every, rounded, out=probabilities)
    most_likely(nodes, probabilities, model.classes_, out=label)


def convert_forest_regressor(scope: Any, operator: Any, container: Any) -> None:
    """RandomForestRegressor, ExtraTreesRegressor, DecisionTreeRegressor, ExtraTreeRegressor."""
    nodes, model = Nodes(scope, container), operator.raw_operator
    one_target(model)
    trees = [_plain(member.tree_, member.tree_.value[:, 0, :]) for member in getattr(model, "estimators_", [model])]
    rounded = as_float32(nodes, operator.inputs[0].full_name)
    write_ensemble(nodes, trees, rounded, mean=True, out=operator.outputs[0].full_name)


def as_float32(nodes: Nodes, features: str) -> str:
    """The features rounded as scikit-learn's trees round them, in double again."""
    return nodes.cast(nodes.cast(features, "FLOAT"), "DOUBLE")


def pair_of(nodes: Nodes, second: str, *, out: str) -> str:
    """Both probabilities of two classes from that of the second. (n, 1) → (n, 2)."""
    return nodes.add("Concat", nodes.add("Sub", nodes.constant([[1.0]]), second), second, out=out, axis=1)


def most_likely(nodes: Nodes, probabilities: str, classes: np.ndarray, *, out: str) -> None:
    """The label of the greatest probability, the first of equals."""
    nodes.label_of(nodes.add("ArgMax", probabilities, axis=1, keepdims=0), classes, out)


def one_target(model: Any) -> None:
    """Refuse a model that predicts several targets at once."""
    if getattr(model, "n_outputs_", 1) != 1:
        raise NotImplementedError(f"{type(model).__name__} with more than one target")


# ----------------------------------------------------------------------------------------------------------------------


def _plain(tree: Any, weights: np.ndarray) -> Tree:
    return Tree(
        feature=tree.feature,
        threshold=tree.threshold,
        left=tree.children_left,
        right=tree.children_right,
        missing_left=np.asarray(tree.missing_go_to_left),
        weights=weights,
    )
