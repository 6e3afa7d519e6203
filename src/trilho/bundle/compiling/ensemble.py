"""Many trees as one TreeEnsemble node, double in and double out, missing values included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from trilho.bundle.compiling.nodes import ML, Nodes

LEAF = -1
_LESS_OR_EQUAL, _MEMBER = 0, 6
_SUM, _MEAN = 1, 0


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


def write_ensemble(
    nodes: Nodes, trees: Sequence[Tree], features: str, *, targets: int = 1, mean: bool = False, out: str | None = None
) -> str:
    """Trees whose leaves each add to one target: their sum, or their mean. Output: (n, targets)."""
    from onnx import numpy_helper

    parts = [_laid_out(tree) for tree in trees]
    branch_starts = np.cumsum([0, *(len(part["feature"]) for part in parts)])
    leaf_starts = np.cumsum([0, *(len(part["weight"]) for part in parts)])
    for part, branches, leaves in zip(parts, branch_starts, leaf_starts, strict=False):
        for side in ("yes", "no"):
            part[side] = part[side] + np.where(part[f"{side}_leaf"], leaves, branches)
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    roots = branch_starts[:-1]
    _avoid_leaf_like_roots(whole, roots)
    members = [value for tree in trees for node in sorted(tree.members) for value in (*tree.members[node], np.nan)]
    extra = {"membership_values": numpy_helper.from_array(np.array(members))} if members else {}
    return nodes.add(
        "TreeEnsemble",
        features,
        out=out,
        domain=ML,
        n_targets=targets,
        aggregate_function=_MEAN if mean else _SUM,
        post_transform=0,
        tree_roots=roots.tolist(),
        nodes_featureids=whole["feature"].tolist(),
        nodes_splits=numpy_helper.from_array(whole["split"]),
        nodes_modes=numpy_helper.from_array(whole["mode"].astype(np.uint8)),
        nodes_missing_value_tracks_true=whole["missing"].tolist(),
        nodes_truenodeids=whole["yes"].tolist(),
        nodes_trueleafs=whole["yes_leaf"].astype(np.int64).tolist(),
        nodes_falsenodeids=whole["no"].tolist(),
        nodes_falseleafs=whole["no_leaf"].astype(np.int64).tolist(),
        leaf_weights=numpy_helper.from_array(whole["weight"]),
        leaf_targetids=whole["target"].tolist(),
        **extra,
    )


def write_mean_of_rows(nodes: Nodes, trees: Sequence[Tree], features: str, *, out: str) -> None:
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
    found = nodes.cast(write_ensemble(nodes, numbered, features, targets=len(trees)), "INT64")
    weights = nodes.add("Gather", nodes.constant(np.concatenate(rows).astype(np.float64)), found, axis=0)
    total = nodes.add("ReduceSum", weights, nodes.constant([1]), keepdims=0)
    nodes.add("Div", total, nodes.constant(float(len(trees))), out=out)


# ----------------------------------------------------------------------------------------------------------------------


def _laid_out(tree: Tree) -> dict[str, Any]:
    """A tree in the operator's terms: branches and leaves numbered apart, each from 0."""
    is_leaf = tree.left == LEAF
    leaves = np.flatnonzero(is_leaf)
    shown = np.flatnonzero(~is_leaf)
    number = np.where(is_leaf, np.cumsum(is_leaf), np.cumsum(~is_leaf)) - 1
    yes, no, split = tree.left[shown], tree.right[shown], tree.threshold[shown]
    if not len(shown):  # a tree of one leaf is written as a branch whose both sides are that leaf
        shown, yes, no, split = (np.array([0]),) * 4
    mode = np.full(len(shown), _LESS_OR_EQUAL)
    mode[np.isin(shown, list(tree.members))] = _MEMBER
    return {
        "feature": np.maximum(tree.feature[shown], 0).astype(np.int64),
        "split": split.astype(np.float64),
        "mode": mode,
        "missing": tree.missing_left[shown].astype(np.int64),
        "yes": number[yes],
        "yes_leaf": is_leaf[yes],
        "no": number[no],
        "no_leaf": is_leaf[no],
        "weight": tree.weights[leaves, 0].astype(np.float64),
        "target": np.full(len(leaves), tree.target),
    }


def _avoid_leaf_like_roots(whole: dict[str, Any], roots: np.ndarray) -> None:
    """Number the leaves so that no root has a leaf and a branch of the same number as children.

    onnxruntime before 1.24 takes such a root for a leaf (its issue 24679).
    """
    leaves = len(whole["weight"])
    one_of_each = roots[whole["yes_leaf"][roots] != whole["no_leaf"][roots]]
    leaf = np.where(whole["yes_leaf"], whole["yes"], whole["no"])[one_of_each]
    branch = np.where(whole["yes_leaf"], whole["no"], whole["yes"])[one_of_each]
    shift = next((shift for shift in range(leaves) if not ((leaf + shift) % leaves == branch).any()), 0)
    for side in ("yes", "no"):
        whole[side] = np.where(whole[f"{side}_leaf"], (whole[side] + shift) % leaves, whole[side])
    for name in ("weight", "target"):
        whole[name] = np.roll(whole[name], shift)
