"""One fitted model, one graph: a matrix of doubles in, the index of the label and the probabilities out."""

from __future__ import annotations

import logging
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from trilho.bundle.compiling import boosting, encoders, lightgbm_trees, trees
from trilho.bundle.compiling.nodes import OPSETS, Vocabulary
from trilho.bundle.compiling.outputs import INPUT, name_outputs
from trilho.bundle.compiling.places import by_place, refuse_foreign_kinds
from trilho.bundle.schema import Schema
from trilho.errors import NotCompilable

TREES_TOLERANCE, OTHER_TOLERANCE = 1e-6, 1e-5

_FOREST = ("RandomForest", "ExtraTrees", "DecisionTree", "ExtraTree")
_WITHOUT_INDEX = ("KNeighbors", "RadiusNeighbors")
_MESSAGE_LENGTH = 160


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A compiled model.

    Args:
        model: The ONNX file. Input `rows` (n, columns of the schema) double; outputs `index` (n,) int64 with
            `probabilities` (n, labels) double where the model has them, or `values` (n,) double for regression.
        words: Category → the number that stands for it in `rows`.
        width: Columns of the widest table in between, roughly: memory goes with it.
        tolerance: How far its probabilities may lie from the model's.
    """

    model: bytes
    words: dict[str, float]
    width: int
    tolerance: float


def compile_graph(model: Any, schema: Schema) -> Graph:
    """The graph of a fitted estimator or pipeline.

    Raises:
        NotCompilable: a part has no exact counterpart; `why` is one sentence.
    """
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType

    placed = by_place(model, schema.names)
    refuse_foreign_kinds(placed, schema)
    vocabulary = Vocabulary()
    converters = _converters(vocabulary)
    last = placed.steps[-1][1] if hasattr(placed, "steps") else placed
    if type(last).__name__.startswith(_WITHOUT_INDEX):
        raise NotCompilable(
            f"{type(last).__name__} is not compiled.",
            why=f"{type(last).__name__} as ONNX would compare every row with all training rows; here it has an index.",
            remedy="It is bundled native instead.",
        )
    zipped = hasattr(last, "classes_") and type(last) not in converters and type(last).__module__.startswith("sklearn.")
    try:
        with warnings.catch_warnings(), _quiet("skl2onnx"):
            warnings.simplefilter("ignore")
            onnx = convert_sklearn(
                placed,
                name="trilho",
                initial_types=[(INPUT, DoubleTensorType([None, len(schema.fields)]))],
                target_opset=dict(OPSETS),
                options={id(last): {"zipmap": False}} if zipped else None,
                custom_parsers={kind: _parse_classifier for kind, pair in converters.items() if pair[1] is _classified},
                custom_conversion_functions={kind: pair[0] for kind, pair in converters.items()},
                custom_shape_calculators={kind: pair[1] for kind, pair in converters.items()},
            )
        name_outputs(onnx, schema, with_probabilities=hasattr(model, "predict_proba"))
    except Exception as error:  # skl2onnx raises whatever its parts do
        raise NotCompilable(
            f"{type(last).__name__} cannot become ONNX.", why=_sentence(error), remedy="It is bundled native instead."
        ) from error
    return Graph(
        model=onnx.SerializeToString(),
        words=vocabulary.codes,
        width=_width(last, schema),
        tolerance=TREES_TOLERANCE if type(last) in converters else OTHER_TOLERANCE,
    )


# ----------------------------------------------------------------------------------------------------------------------


def _converters(vocabulary: Vocabulary) -> dict[type, tuple[Any, Any]]:
    """For each class that we convert ourselves: its converter and the function that tells its output's shape."""
    from sklearn import ensemble, impute, preprocessing, tree

    found: dict[type, tuple[Any, Any]] = {
        impute.SimpleImputer: (encoders.imputer(vocabulary), _transformed),
        preprocessing.OneHotEncoder: (encoders.one_hot(vocabulary), _transformed),
        preprocessing.OrdinalEncoder: (encoders.ordinal(vocabulary), _transformed),
        preprocessing.TargetEncoder: (encoders.target(vocabulary), _transformed),
        ensemble.GradientBoostingClassifier: (boosting.convert_gradient_boosting, _classified),
        ensemble.GradientBoostingRegressor: (boosting.convert_gradient_boosting, _one_number),
        ensemble.HistGradientBoostingClassifier: (boosting.convert_hist_gradient_boosting, _classified),
        ensemble.HistGradientBoostingRegressor: (boosting.convert_hist_gradient_boosting, _one_number),
    }
    for room in (ensemble, tree):
        for name in _FOREST:
            if hasattr(room, f"{name}Classifier"):
                found[getattr(room, f"{name}Classifier")] = (trees.convert_forest_classifier, _classified)
                found[getattr(room, f"{name}Regressor")] = (trees.convert_forest_regressor, _one_number)
    lightgbm = sys.modules.get("lightgbm")  # where it is not loaded, no model is of it
    if lightgbm is None:
        return found
    found[lightgbm.LGBMClassifier] = (lightgbm_trees.converter(vocabulary), _classified)
    found[lightgbm.LGBMRegressor] = (lightgbm_trees.converter(vocabulary), _one_number)
    return found


def _width(last: Any, schema: Schema) -> int:
    several = len(getattr(last, "estimators_", ())) * len(schema.labels) if len(schema.labels) > 2 else 0
    return max(len(schema.fields), getattr(last, "n_features_in_", 0), several)


def _parse_classifier(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:  # noqa: ARG001
    """Declares a classifier of ours: a label and probabilities as a matrix, without options (to look them up, skl2onnx
    would walk through every tree of a forest).
    """
    from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType

    operator = scope.declare_local_operator(None, model)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("label", Int64TensorType()))
    operator.outputs.append(scope.declare_local_variable("probabilities", DoubleTensorType()))
    return operator.outputs


def _transformed(operator: Any) -> None:
    """The output of a transformer: doubles, as many columns as it names."""
    from skl2onnx.common.data_types import DoubleTensorType

    model = operator.raw_operator
    columns = model.n_features_in_
    given = np.array([f"x{place}" for place in range(columns)], dtype=object)
    names = getattr(model, "feature_names_in_", given)
    operator.outputs[0].type = DoubleTensorType([None, len(model.get_feature_names_out(names))])


def _classified(operator: Any) -> None:
    """The outputs of a classifier: the label as skl2onnx wants it, the probabilities in double."""
    from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType, StringTensorType

    classes = operator.raw_operator.classes_
    operator.outputs[0].set_type((Int64TensorType if classes.dtype.kind in "iufb" else StringTensorType)([None]))
    operator.outputs[1].set_type(DoubleTensorType([None, len(classes)]))


def _one_number(operator: Any) -> None:
    from skl2onnx.common.data_types import DoubleTensorType

    operator.outputs[0].type = DoubleTensorType([None, 1])


def _sentence(error: Exception) -> str:
    """The first sentence of an error: converters put whole models into theirs."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, NotImplementedError) and len(text) < _MESSAGE_LENGTH:
        return f"No exact conversion is known for {text}."
    first = text.split(". ")[0]
    return (first if len(first) <= _MESSAGE_LENGTH else first[: _MESSAGE_LENGTH - 1] + "…").rstrip(".") + "."


class _quiet:  # noqa: N801 - reads as a statement
    """Silences a logger while inside."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def __enter__(self) -> None:
        self._level = self._logger.level
        self._logger.setLevel(logging.ERROR)

    def __exit__(self, *exc: object) -> None:
        self._logger.setLevel(self._level)
