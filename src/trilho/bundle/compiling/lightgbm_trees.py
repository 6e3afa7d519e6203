"""LightGBM's scikit-learn models, read from the text they save themselves as; categorical splits included.

Text format: "Tree" sections of `model_to_string`, as src/io/tree.cpp of LightGBM writes them. `decision_type` holds
three facts in its bits: 1 categorical, 2 missing goes left, and from 4 on what counts as missing (0 nothing, 1 zero,
2 NaN). Children below zero are leaves, ~child.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trilho.bundle.compiling.ensemble import LEAF, Tree, write_ensemble
from trilho.bundle.compiling.nodes import ML, Nodes, Vocabulary
from trilho.bundle.compiling.trees import most_likely, pair_of

_CATEGORICAL, _MISSING_LEFT = 1, 2
_NOTHING_MISSING, _ZERO_MISSING = 0, 1
_REGRESSION = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_LOG_LINK = ("poisson", "gamma", "tweedie")


def converter(vocabulary: Vocabulary) -> Callable[[Any, Any, Any], None]:
    """The converter of LGBMClassifier and LGBMRegressor, for skl2onnx."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        nodes, model = Nodes(scope, container), operator.raw_operator
        header, *sections = model.booster_.model_to_string().split("\nTree=")
        facts = _entries(header)
        objective, *settings = facts.get("objective", "custom").split()
        if "average_output" in header.split("\n") or objective not in (
            "binary",
            "multiclass",
            *_REGRESSION,
            *_LOG_LINK,
        ):
            raise NotImplementedError(f"LightGBM with objective '{objective}' or random-forest boosting")
        targets = int(facts["num_tree_per_iteration"])
        features = _coded(nodes, model, operator.inputs[0].full_name, vocabulary)
        trees = [_tree(_entries(section), number % targets) for number, section in enumerate(sections)]
        score = write_ensemble(nodes, trees, features, targets=targets)
        if not hasattr(model, "classes_"):
            nodes.add("Exp" if objective in _LOG_LINK else "Identity", score, out=operator.outputs[0].full_name)
            return
        label, probabilities = (output.full_name for output in operator.outputs[:2])
        if objective == "multiclass":
            nodes.add("Softmax", score, out=probabilities, axis=1)
        else:
            steepness = float(dict(setting.split(":") for setting in settings).get("sigmoid", "1"))
            pair_of(
                nodes, nodes.add("Sigmoid", nodes.add("Mul", score, nodes.constant([[steepness]]))), out=probabilities
            )
        most_likely(nodes, probabilities, model.classes_, out=label)

    return convert


# ----------------------------------------------------------------------------------------------------------------------


def _entries(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.split("\n") if "=" in line)


def _tree(entries: dict[str, str], target: int) -> Tree:
    def numbers(name: str, kind: type) -> np.ndarray:
        return np.array(entries.get(name, "").split(), dtype=kind)

    if entries.get("is_linear", "0") != "0":
        raise NotImplementedError("LightGBM with linear_tree")
    values = numbers("leaf_value", np.float64)
    inner = len(values) - 1
    decision, threshold = numbers("decision_type", np.int64), numbers("threshold", np.float64)
    categorical, missing = (decision & _CATEGORICAL) > 0, decision >> 2
    if (missing[~categorical] == _ZERO_MISSING).any():
        raise NotImplementedError("LightGBM with zero_as_missing")
    # Where nothing counts as missing, LightGBM takes NaN for 0.
    left_if_missing = np.where(missing == _NOTHING_MISSING, threshold >= 0, (decision & _MISSING_LEFT) > 0)
    bounds, bits = numbers("cat_boundaries", np.int64), numbers("cat_threshold", np.uint32)
    members = {
        int(node): _members(bits[bounds[int(threshold[node])] : bounds[int(threshold[node]) + 1]])
        for node in np.flatnonzero(categorical)
    }
    leaves = np.full(inner + 1, LEAF)
    return Tree(
        feature=np.concatenate([numbers("split_feature", np.int64), leaves]),
        threshold=np.concatenate([np.where(categorical, 0.0, threshold), np.zeros(inner + 1)]),
        left=np.concatenate([_children(numbers("left_child", np.int64), inner), leaves]),
        right=np.concatenate([_children(numbers("right_child", np.int64), inner), leaves]),
        missing_left=np.concatenate([left_if_missing & ~categorical, np.zeros(inner + 1, dtype=bool)]),
        weights=np.concatenate([np.zeros(inner), values])[:, None],
        target=target,
        members=members,
    )


def _children(children: np.ndarray, inner: int) -> np.ndarray:
    """Inner nodes keep their number, leaves come after them."""
    return np.where(children < 0, inner + ~children, children)


def _members(words: np.ndarray) -> tuple[float, ...]:
    """The set bits of a bit set, as the categories they stand for."""
    return tuple(
        float(32 * place + bit) for place, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1
    )


def _coded(nodes: Nodes, model: Any, features: str, vocabulary: Vocabulary) -> str:
    """Columns that were pandas categories at training, renumbered as LightGBM numbered them then."""
    from onnx import numpy_helper

    lists = model.booster_.pandas_categorical or []
    if not lists:
        return features
    infos = model.booster_.dump_model(num_iteration=1)["feature_infos"]
    columns = [name for name in model.booster_.feature_name() if infos.get(name, {}).get("values")]
    if len(columns) != len(lists):
        raise NotImplementedError("LightGBM with pandas categories that no tree uses")
    parts: list[str] = []
    for place, name in enumerate(model.booster_.feature_name()):
        one = nodes.add("Gather", features, nodes.constant([place]), axis=1)
        if name in columns:
            words = lists[columns.index(name)]
            one = nodes.add(
                "LabelEncoder",
                one,
                domain=ML,
                keys_tensor=numpy_helper.from_array(np.array([vocabulary.code(word) for word in words])),
                values_tensor=numpy_helper.from_array(np.arange(len(words), dtype=np.float64)),
                default_tensor=numpy_helper.from_array(np.array([np.nan])),
            )
        parts.append(one)
    return nodes.add("Concat", *parts, axis=1)
