"""An answer → tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from trilho.bundle import Schema
from trilho.errors import CannotPredict
from trilho.serving.asking import Answer
from trilho.serving.v2.metadata import PREDICT, PROBABILITIES, type_of_answers
from trilho.serving.v2.tensors import NUMBERS, Asked, Output


def check_outputs(asked: Asked, schema: Schema) -> None:
    """Nothing, if a model with this schema can give each output that is asked for. Raises CannotPredict."""
    _check(asked.outputs, (PREDICT, PROBABILITIES) if schema.labels else (PREDICT,))


def tensors_of(answer: Answer, asked: Asked) -> tuple[bytes, bytes]:
    """The response's JSON, and the binary tensors that follow it (b"" for none).

    `predict` has the shape [n]; `probabilities`, where the model has them, [n, labels].

    Raises:
        CannotPredict: an output was asked for that the model does not give.
    """
    shares = answer.predictions.probabilities
    known = (PREDICT,) if shares is None else (PREDICT, PROBABILITIES)
    _check(asked.outputs, known)  # not every classifier gives probabilities
    told, tail = [], []
    for output in asked.outputs or [Output(name=name) for name in known]:
        if output.name == PREDICT or shares is None:
            datatype, values, shape = (
                type_of_answers(answer.served.predictor.schema),
                answer.values,
                [len(answer.values)],
            )
        else:
            datatype, values, shape = "FP64", shares.ravel().tolist(), list(shares.shape)
        tensor: dict[str, Any] = {"name": output.name, "shape": shape, "datatype": datatype}
        if datatype == "BYTES":
            values = [value if isinstance(value, str) else str(value) for value in values]
        if output.parameters.get("binary_data", asked.binary) is True:
            tail.append(_binary(datatype, values))
            tensor["parameters"] = {"binary_data_size": len(tail[-1])}
        else:
            tensor["data"] = values
        told.append(tensor)
    served = answer.served
    head = {"model_name": served.name, "model_version": served.version, "id": asked.id or answer.id}
    parameters = {"prediction_id": answer.id}
    return msgspec.json.encode({**head, "parameters": parameters, "outputs": told}), b"".join(tail)


# ----------------------------------------------------------------------------------------------------------------------


def _check(outputs: Sequence[Output], known: Sequence[str]) -> None:
    for output in outputs:
        if output.name not in known:
            raise CannotPredict(
                f"There is no output '{output.name}'.", remedy=f"Ask for {' or '.join(known)}, or for none to get all."
            )


def _binary(datatype: str, values: Sequence[Any]) -> bytes:
    if datatype != "BYTES":
        return np.array(values, NUMBERS[datatype]).tobytes()
    words = [value.encode(errors="replace") for value in values]
    return b"".join(len(word).to_bytes(4, "little") + word for word in words)
