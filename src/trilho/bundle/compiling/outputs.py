"""The graph's outputs under our names and in our types, whatever skl2onnx called them."""

from __future__ import annotations

from typing import Any

from trilho.bundle.compiling.nodes import FINAL_ML, ML
from trilho.bundle.schema import Schema

INPUT, INDEX, PROBABILITIES, VALUES = "rows", "index", "probabilities", "values"


def name_outputs(model: Any, schema: Schema, *, with_probabilities: bool) -> None:
    """Outputs under our names and in our types; names of nodes by number, so that equal models give equal bytes."""
    from onnx import TensorProto, helper

    graph = model.graph
    outputs = [output.name for output in graph.output]
    del graph.output[:]
    if not schema.labels:
        flat = helper.make_tensor("flat", TensorProto.INT64, [1], [-1])
        graph.initializer.append(flat)
        graph.node.append(helper.make_node("Cast", [outputs[0]], ["values_cast"], to=TensorProto.DOUBLE))
        graph.node.append(helper.make_node("Reshape", ["values_cast", "flat"], [VALUES]))
        graph.output.append(helper.make_tensor_value_info(VALUES, TensorProto.DOUBLE, [None]))
    else:
        _index_output(graph, outputs[0], schema)
        graph.output.append(helper.make_tensor_value_info(INDEX, TensorProto.INT64, [None]))
        if with_probabilities:
            graph.node.append(
                helper.make_node("Cast", [outputs[1]], ["double_" + PROBABILITIES], to=TensorProto.DOUBLE)
            )
            _rename(graph, "double_" + PROBABILITIES, PROBABILITIES)
            shape = [None, len(schema.labels)]
            graph.output.append(helper.make_tensor_value_info(PROBABILITIES, TensorProto.DOUBLE, shape))
    for number, node in enumerate(graph.node):
        node.name = str(number)
    model.doc_string = ""
    ours = any(node.op_type == "TreeEnsemble" for node in graph.node)  # which replaced skl2onnx's tree operators
    kept = [entry for entry in model.opset_import if entry.domain != ML]
    del model.opset_import[:]
    model.opset_import.extend([*kept, helper.make_opsetid(ML, FINAL_ML if ours else FINAL_ML - 1)])


# ----------------------------------------------------------------------------------------------------------------------


def _index_output(graph: Any, label: str, schema: Schema) -> None:
    """From the label to its index. Our own converters gathered the label by its index: that is taken instead."""
    from onnx import helper

    for place, node in enumerate(graph.node):
        if node.output[0] == label and node.op_type == "Gather" and node.input[0].startswith("classes"):
            index = node.input[1]
            del graph.node[place]
            graph.node.append(helper.make_node("Identity", [index], [INDEX]))
            return
    words = not all(isinstance(value, bool | int | float) for value in schema.labels)
    keys = (
        {"keys_strings": [str(value) for value in schema.labels]}
        if words
        else {"keys_int64s": [int(value) for value in schema.labels]}
    )
    graph.node.append(
        helper.make_node(
            "LabelEncoder",
            [label],
            [INDEX],
            domain="ai.onnx.ml",
            values_int64s=list(range(len(schema.labels))),
            default_int64=-1,
            **keys,
        )
    )


def _rename(graph: Any, old: str, new: str) -> None:
    """Calls a tensor by another name; whatever had that name before gets out of the way."""
    for node in graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name in (old, new):
                    names[place] = new if name == old else f"{new}_before"
