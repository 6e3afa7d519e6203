"""Writing ONNX nodes in few words, and the numbers that stand for categories."""

from __future__ import annotations

from typing import Any

import numpy as np

ML = "ai.onnx.ml"
# What skl2onnx writes. It knows the machine-learning operators up to version 3 only; the graph is declared as version 5
# in the end, of which those are a part, and which brings TreeEnsemble and LabelEncoder in double (onnxruntime 1.21).
OPSETS = {"": 18, ML: 3}
FINAL_ML = 5


class Nodes:
    """Adds nodes to skl2onnx's container under names that are free; each call returns the name of its output."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def add(self, op: str, *inputs: str, out: str | None = None, domain: str = "", **attributes: Any) -> str:
        """A node with one output, which is called `out` where given."""
        out = out or self._scope.get_unique_variable_name(op.lower())
        name = self._scope.get_unique_operator_name(op)
        self._container.add_node(
            op, list(inputs), [out], op_domain=domain, op_version=OPSETS[domain], name=name, **attributes
        )
        return out

    def constant(self, values: Any) -> str:
        """A constant tensor: double for fractions, int64 for whole numbers."""
        from onnx import numpy_helper

        array = np.asarray(values)
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        name: str = self._scope.get_unique_variable_name("constant")
        self._container.add_initializer(name, None, None, numpy_helper.from_array(np.ascontiguousarray(array)))
        return name

    def cast(self, value: str, to: str, out: str | None = None) -> str:
        from onnx import TensorProto

        return self.add("Cast", value, out=out, to=getattr(TensorProto, to))

    def label_of(self, index: str, classes: np.ndarray, out: str) -> None:
        """The label tensor that skl2onnx asks of a classifier, from the index of the class."""
        from onnx import TensorProto

        name = self._scope.get_unique_variable_name("classes")
        if classes.dtype.kind in "iufb":
            values = [int(label) for label in classes]
            self._container.add_initializer(name, TensorProto.INT64, [len(values)], values)
        else:
            words = [str(label).encode() for label in classes]
            self._container.add_initializer(name, TensorProto.STRING, [len(words)], words)
        self.add("Gather", name, index, out=out, axis=0)


class Vocabulary:
    """Categories as numbers, so that a graph has one input: a matrix of doubles.

    Each distinct word that an encoder knows gets the next whole number; NaN stands for null, and `UNKNOWN` for a word
    that no encoder knows. Numbers and booleans stand for themselves.
    """

    UNKNOWN = -1.0

    def __init__(self) -> None:
        self.codes: dict[str, float] = {}

    def code(self, value: Any) -> float:
        """The number for a category; NaN for null."""
        if isinstance(value, str):
            return self.codes.setdefault(str(value), float(len(self.codes)))
        return float("nan") if value is None or type(value).__name__ == "NAType" else float(value)
