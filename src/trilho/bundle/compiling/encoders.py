"""Imputers and encoders over columns of numbers and category codes (`nodes.Vocabulary`), exact in double.

skl2onnx's own imputer keeps its fill values in float32, has no indicator columns and no None; its encoders read
strings, and know whole-number categories only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trilho.bundle.compiling.nodes import ML, Nodes, Vocabulary

Converter = Callable[[Any, Any, Any], None]
_NULL = -2.0  # stands for null where an encoder knows null as a category
_NEVER = -3.0  # stands for nothing


def imputer(vocabulary: Vocabulary) -> Converter:
    """SimpleImputer: numbers and words, any missing value, with or without indicator columns."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        nodes, model = Nodes(scope, container), operator.raw_operator
        features = operator.inputs[0].full_name
        fills = np.array([vocabulary.code(value) for value in model.statistics_])
        missing = _where_missing(nodes, features, vocabulary.code(model.missing_values))
        kept = np.flatnonzero(~np.isnan(fills))
        filled = nodes.add("Where", missing, nodes.constant(np.nan_to_num(fills)[None, :]), features)
        if len(kept) < len(fills):  # columns that had no value at all in training were dropped
            filled = nodes.add("Gather", filled, nodes.constant(kept), axis=1)
        if model.indicator_ is not None:
            shown = nodes.add("Gather", missing, nodes.constant(model.indicator_.features_), axis=1)
            filled = nodes.add("Concat", filled, nodes.cast(shown, "DOUBLE"), axis=1)
        nodes.add("Identity", filled, out=operator.outputs[0].full_name)

    return convert


def one_hot(vocabulary: Vocabulary) -> Converter:
    """OneHotEncoder: unknown ignored or infrequent, dropped and infrequent categories, null as a category."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        nodes, model = Nodes(scope, container), operator.raw_operator
        features, out = operator.inputs[0].full_name, operator.outputs[0].full_name
        place: list[int] = []  # the columns compared,
        codes: list[float] = []  # what with,
        order: list[int] = []  # and which of them go out, in order; -1 and below are infrequent columns
        group_of: list[tuple[int, float]] = []  # for each comparison: its feature's infrequent column, and its sign
        starts: list[float] = []  # what each infrequent column starts from
        known_null = False
        for feature, categories in enumerate(model.categories_):
            frequent, rare = _frequent(model, feature)
            dropped = None if model.drop_idx_ is None else model._drop_idx_after_grouping[feature]
            unknown_is_rare = bool(len(rare)) and model.handle_unknown != "ignore"
            group = len(starts) if len(rare) else -1
            for position, index in enumerate(frequent):
                if position != dropped:
                    order.append(len(codes))
                place.append(feature)
                codes.append(_known(vocabulary, categories[index]))
                known_null |= codes[-1] == _NULL
                group_of.append((group, -1.0 if unknown_is_rare else 0.0))
            if len(rare):
                if not unknown_is_rare:
                    for index in rare:
                        place.append(feature)
                        codes.append(_known(vocabulary, categories[index]))
                        known_null |= codes[-1] == _NULL
                        group_of.append((group, 1.0))
                if len(frequent) != dropped:
                    order.append(-1 - group)
                starts.append(1.0 if unknown_is_rare else 0.0)
        if not codes:  # every category is infrequent: one comparison that never holds keeps the tables rectangular
            place, codes, group_of = [0], [_NEVER], [(-1, 0.0)]
        if known_null:
            features = _null_as_code(nodes, features)
        hot = nodes.cast(
            nodes.add(
                "Equal",
                nodes.add("Gather", features, nodes.constant(np.array(place)), axis=1),
                nodes.constant(np.array(codes)[None, :]),
            ),
            "DOUBLE",
        )
        if starts:
            weights = np.zeros((len(codes), len(starts)))
            for row, (group, sign) in enumerate(group_of):
                if group >= 0:
                    weights[row, group] = sign
            rare_hot = nodes.add("Gemm", hot, nodes.constant(weights), nodes.constant(np.array(starts)))
            hot = nodes.add("Concat", hot, rare_hot, axis=1)
        columns = np.array([column if column >= 0 else len(codes) - 1 - column for column in order], dtype=np.int64)
        nodes.add("Gather", hot, nodes.constant(columns), out=out, axis=1)

    return convert


def ordinal(vocabulary: Vocabulary) -> Converter:
    """OrdinalEncoder: a number for each category, one for unknown, one for null."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        model = operator.raw_operator
        tables = []
        for feature, categories in enumerate(model.categories_):
            mapping = getattr(model, "_default_to_infrequent_mappings", None)
            numbers = np.arange(len(categories), dtype=np.float64)
            if mapping is not None and mapping[feature] is not None:
                numbers[: len(mapping[feature])] = mapping[feature]
            codes = np.array([vocabulary.code(category) for category in categories])
            numbers[np.isnan(codes)] = model.encoded_missing_value
            unknown = np.nan if model.unknown_value is None else float(model.unknown_value)
            tables.append((codes, numbers, unknown))
        _look_up(Nodes(scope, container), operator, tables)

    return convert


def target(vocabulary: Vocabulary) -> Converter:
    """TargetEncoder: the mean target of each category, the overall mean for unknown ones; not for many classes."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        model = operator.raw_operator
        if model.target_type_ == "multiclass":
            raise NotImplementedError("TargetEncoder with more than two classes")
        tables = [
            (np.array([vocabulary.code(category) for category in categories]), encodings, float(model.target_mean_))
            for categories, encodings in zip(model.categories_, model.encodings_, strict=True)
        ]
        _look_up(Nodes(scope, container), operator, tables)

    return convert


# ----------------------------------------------------------------------------------------------------------------------


def _where_missing(nodes: Nodes, features: str, code: float) -> str:
    if np.isnan(code):
        return nodes.add("IsNaN", features)
    return nodes.add("Equal", features, nodes.constant([[code]]))


def _null_as_code(nodes: Nodes, features: str) -> str:
    return nodes.add("Where", nodes.add("IsNaN", features), nodes.constant([[_NULL]]), features)


def _known(vocabulary: Vocabulary, category: Any) -> float:
    code = vocabulary.code(category)
    return _NULL if np.isnan(code) else code


def _frequent(model: Any, feature: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of a feature's own-column categories, and of those that share the infrequent column."""
    everything = np.arange(len(model.categories_[feature]))
    mappings = getattr(model, "_default_to_infrequent_mappings", None)
    if mappings is None or mappings[feature] is None:
        return everything, everything[:0]
    mapping = np.asarray(mappings[feature])
    rare = mapping == mapping.max()
    return everything[~rare][np.argsort(mapping[~rare])], everything[rare]


def _look_up(nodes: Nodes, operator: Any, tables: list[tuple[np.ndarray, np.ndarray, float]]) -> None:
    """Each column through its own table: codes, their numbers, and the number of all others."""
    from onnx import numpy_helper

    features, parts = operator.inputs[0].full_name, []
    for place, (codes, numbers, other) in enumerate(tables):
        one = nodes.add("Gather", features, nodes.constant([place]), axis=1)
        attributes = {
            "keys_tensor": numpy_helper.from_array(codes.astype(np.float64)),
            "values_tensor": numpy_helper.from_array(numbers.astype(np.float64)),
            "default_tensor": numpy_helper.from_array(np.array([other])),
        }
        parts.append(nodes.add("LabelEncoder", one, domain=ML, **attributes))
    nodes.add("Concat", *parts, out=operator.outputs[0].full_name, axis=1)
