"""Decision trees and forests as one TreeEnsemble node each, exact to the order of summation, missing values included.

scikit-learn casts a row to float32 and compares it with thresholds in double; so do these graphs: Cast to float32, back
to double, and a tree node in double. The direction that a missing value takes at each node is written too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from trilho.bundle.compiling.nodes import ML, Nodes

LEAF = -1
_LESS_OR_EQUAL, _MEMBER = 0, 6


@dataclass(frozen=True, kw_only=True)
class Tree:
    """One tree as arrays over its nodes, root first; children and feature of a leaf are -1.

    Args:
        left: Child taken where the feature is at most the threshold. Shape (nodes,).
        missing_left: Does a missing value go left? Shape (nodes,).
        weights: What a leaf adds, one column per target. Shape (nodes, t); inner nodes' rows do not count.
        target: The target that the first column adds to.
        members: Node → the categories that go left, in place of the threshold.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    weights: np.ndarray
    target: int = 0
    members: dict[int, tuple[float, ...]] = field(default_factory=dict)


def convert_forest_classifier(scope: Any, operator: Any, container: Any) -> None:
    """RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier, ExtraTreeClassifier."""
    nodes, model = Nodes(scope, container), operator.raw_operator
    one_target(model)
    trees = [member.tree_ for member in getattr(model, "estimators_", [model])]
    rounded = as_float32(nodes, operator.inputs[0].full_name)
    label, probabilities = (output.full_name for output in operator.outputs[:2])
    if len(model.classes_) == 2:
        second = single_target_ensemble(
            nodes, [_plain(tree, tree.value[:, 0, 1:]) for tree in trees], rounded, mean=True
        )
        pair_of(nodes, second, out=probabilities)
    else:
        every = [_plain(tree, tree.value[:, 0, :]) for tree in trees]
        _many_target_mean(nodes, every, rounded, out=probabilities)
    most_likely(nodes, probabilities, model.classes_, out=label)


def convert_forest_regressor(scope: Any, operator: Any, container: Any) -> None:
    """RandomForestRegressor, ExtraTreesRegressor, DecisionTreeRegressor, ExtraTreeRegressor."""
    nodes, model = Nodes(scope, container), operator.raw_operator
    one_target(model)
    trees = [_plain(member.tree_, member.tree_.value[:, 0, :]) for member in getattr(model, "estimators_", [model])]
    rounded = as_float32(nodes, operator.inputs[0].full_name)
    single_target_ensemble(nodes, trees, rounded, mean=True, out=operator.outputs[0].full_name)


def single_target_ensemble(
    nodes: Nodes, trees: Sequence[Tree], features: str, *, targets: int = 1, mean: bool = False, out: str | None = None
) -> str:
    """A TreeEnsemble (double in, double out) of trees whose leaves each add to one target. Output: (n, targets)."""
    from onnx import numpy_helper

    parts: dict[str, list[Any]] = {
        name: [] for name in ("feature", "split", "mode", "missing", "yes", "no", "yes_leaf", "no_leaf")
    }
    roots, weights, targets_of, members = [], [], [], []
    branches = leaves = 0
    for tree in trees:
        roots.append(branches)
        is_leaf = tree.left == LEAF
        number = np.where(is_leaf, np.cumsum(is_leaf) - 1 + leaves, np.cumsum(~is_leaf) - 1 + branches)
        inner = np.flatnonzero(~is_leaf)
        # A tree of one leaf is written as a branch whose both sides are that leaf.
        yes, no = (tree.left[inner], tree.right[inner]) if len(inner) else (np.array([0]), np.array([0]))
        shown = inner if len(inner) else np.array([0])
        parts["feature"].append(np.maximum(tree.feature[shown], 0))
        parts["split"].append(tree.threshold[shown] if len(inner) else np.zeros(1))
        parts["mode"].append(
            np.array([_MEMBER if node in tree.members else _LESS_OR_EQUAL for node in shown.tolist()])
            if tree.members
            else np.zeros(len(shown))
        )
        parts["missing"].append(tree.missing_left[shown])
        for side, child in (("yes", yes), ("no", no)):
            parts[side].append(number[child])
            parts[f"{side}_leaf"].append(is_leaf[child])
        for node in inner.tolist() if tree.members else ():
            if node in tree.members:
                members.extend([*tree.members[node], float("nan")])
        weights.append(tree.weights[is_leaf, 0])
        targets_of.append(np.full(int(is_leaf.sum()), tree.target))
        branches, leaves = branches + len(shown), leaves + int(is_leaf.sum())
    joined = {name: np.concatenate(part) for name, part in parts.items()}
    whole = {name: values.astype(np.int64).tolist() for name, values in joined.items()}
    extra = {"membership_values": numpy_helper.from_array(np.array(members))} if members else {}
    return nodes.add(
        "TreeEnsemble",
        features,
        out=out,
        domain=ML,
        n_targets=targets,
        aggregate_function=0 if mean else 1,
        post_transform=0,
        tree_roots=roots,
        nodes_featureids=whole["feature"],
        nodes_splits=numpy_helper.from_array(joined["split"].astype(np.float64)),
        nodes_modes=numpy_helper.from_array(joined["mode"].astype(np.uint8)),
        nodes_missing_value_tracks_true=whole["missing"],
        nodes_truenodeids=whole["yes"],
        nodes_trueleafs=whole["yes_leaf"],
        nodes_falsenodeids=whole["no"],
        nodes_falseleafs=whole["no_leaf"],
        leaf_weights=numpy_helper.from_array(np.concatenate(weights).astype(np.float64)),
        leaf_targetids=np.concatenate(targets_of).astype(np.int64).tolist(),
        **extra,
    )


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


def _many_target_mean(nodes: Nodes, trees: Sequence[Tree], features: str, *, out: str) -> None:
    """The mean of leaves that hold a row of weights each, (n, t).

    A leaf of a TreeEnsemble adds to one target. So every tree gets a target of its own and answers with the number of
    its leaf; the leaves' rows are then looked up in one table and averaged.
    """
    numbered, rows, leaves = [], [], 0
    for place, tree in enumerate(trees):
        leaf = tree.left == LEAF
        number = np.where(leaf, np.cumsum(leaf) - 1 + leaves, 0)
        numbered.append(replace(tree, weights=number[:, None].astype(np.float64), target=place))
        rows.append(tree.weights[leaf])
        leaves += int(leaf.sum())
    found = nodes.cast(single_target_ensemble(nodes, numbered, features, targets=len(trees)), "INT64")
    weights = nodes.add("Gather", nodes.constant(np.concatenate(rows).astype(np.float64)), found, axis=0)
    total = nodes.add("ReduceSum", weights, nodes.constant([1]), keepdims=0)
    nodes.add("Div", total, nodes.constant(float(len(trees))), out=out)
