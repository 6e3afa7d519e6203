"""A native model: scikit-learn itself, saved by skops, fed with a frame like the one it was trained on."""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trilho.bundle.columns import is_null, is_numeric
from trilho.bundle.predictions import Predictions, label_array
from trilho.bundle.schema import Field, Schema
from trilho.bundle.trusted import VETTED
from trilho.errors import BundleDamaged, UntrustedModel


class Native:
    """A fitted estimator that answers as a compiled model does.

    Args:
        likeliest: Is the label always the likeliest one (`names_likeliest`)? Then the model is asked once, not twice.
    """

    def __init__(self, model: Any, *, schema: Schema, likeliest: bool = False) -> None:
        self._model = model
        self._schema = schema
        self._probable = hasattr(model, "predict_proba")
        self._labels = label_array(schema.labels) if likeliest and self._probable and schema.labels else None
        self._doubles = _are_doubles(schema.fields)
        self._names = _index(schema.names)

    def answer(self, columns: Mapping[str, np.ndarray]) -> Predictions:
        """Answers for canonical columns without refused values."""
        return self._of(frame_of(columns, self._schema.fields))

    def answer_matrix(self, matrix: np.ndarray) -> Predictions:
        """As `answer`, of rows of numbers in the order of the schema. Shape (n, fields), float64, NaN for null."""
        matrix = matrix.copy()  # a transformer may write into its frame
        if not self._doubles:
            return self.answer({name: matrix[:, place] for place, name in enumerate(self._schema.names)})
        import pandas as pd

        # Names that pandas has looked through already: as a list they would take it longer than all the rest.
        return self._of(pd.DataFrame(matrix, columns=self._names.view(), copy=False))

    def _of(self, frame: Any) -> Predictions:
        with warnings.catch_warnings():
            # Unknown categories and missing feature names are decided cases here, not news.
            warnings.simplefilter("ignore")
            probabilities = np.asarray(self._model.predict_proba(frame)) if self._probable else None
            if self._labels is not None and probabilities is not None:
                return Predictions(labels=self._labels[probabilities.argmax(axis=1)], probabilities=probabilities)
            found = np.asarray(self._model.predict(frame))
        if not self._schema.labels:
            return Predictions(labels=found.astype(np.float64).ravel())
        own = label_array(self._schema.labels)
        return Predictions(labels=found.astype(own.dtype), probabilities=probabilities)


def names_likeliest(answers: Predictions, schema: Schema) -> bool:
    """Was the likeliest label the predicted one, in every row? For most classifiers that is how they predict."""
    if answers.probabilities is None or not len(answers.labels):
        return False
    likeliest = label_array(schema.labels)[answers.probabilities.argmax(axis=1)]
    return bool((likeliest == answers.labels).all())


def frame_of(columns: Mapping[str, np.ndarray], fields: Sequence[Field]) -> Any:
    """A DataFrame in the training data's types, as far as the values allow: a null makes whole numbers fractions."""
    import pandas as pd

    if _are_doubles(fields):
        # One block of doubles: a frame built column by column takes 20 µs for each.
        block = np.column_stack([columns[field.name] for field in fields])
        return pd.DataFrame(block, columns=[field.name for field in fields], copy=False)
    return pd.DataFrame({field.name: _values(columns[field.name], field) for field in fields}, copy=False)


def settled(data: bytes) -> bytes:
    """The same skops file for the same model: its own ids are memory addresses, its dates the time of day."""
    source = zipfile.ZipFile(io.BytesIO(data))
    schema = source.read("schema.json").decode()
    order: dict[str, str] = {}
    for found in re.finditer(r'"__id__": (\d+)|"file": "(\d+)\.\w+"', schema):
        order.setdefault(found[1] or found[2], str(len(order)))
    schema = re.sub(r'"__id__": (\d+)', lambda found: f'"__id__": {order[found[1]]}', schema)
    schema = re.sub(r'"file": "(\d+)(\.\w+)"', lambda found: f'"file": "{order[found[1]]}{found[2]}"', schema)
    json.loads(schema)
    entries = {"schema.json": schema.encode()}
    for name in source.namelist():
        stem, dot, kind = name.partition(".")
        if name != "schema.json":
            entries[order.get(stem, stem) + dot + kind] = source.read(name)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(entries):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), entries[name])
    return out.getvalue()


def load(data: bytes, *, allowed: Collection[str], modules: Collection[str], path: Path) -> Any:
    """The model in a skops file, made of vetted types, of `allowed` ones, and of those that `modules` define.

    Raises:
        UntrustedModel: it holds others; names them.
        BundleDamaged: it cannot be made here.
    """
    import skops.io

    wanted = set(skops.io.get_untrusted_types(data=data))
    refused = sorted(name for name in wanted - set(VETTED) - set(allowed) if name.partition(".")[0] not in modules)
    if refused:
        raise UntrustedModel(
            f"The bundle {path.name} holds types that nobody vouched for: {', '.join(refused)}.",
            state="It was not opened.",
            remedy="If you trust whoever trained it: serve: {trust_code: true} in trilho.yaml, "
            "or trust_code=True where you open it.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _single_threaded(skops.io.loads(data, trusted=sorted(wanted)))
    except Exception as error:  # imports of other packages' modules, and their own __setstate__
        raise BundleDamaged(
            f"The model in {path.name} cannot be made here.",
            why=f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}",
            remedy="Install the packages that the bundle names in metadata.json (packages).",
        ) from error


# ----------------------------------------------------------------------------------------------------------------------


def _are_doubles(fields: Sequence[Field]) -> bool:
    return all(field.dtype == "float64" and field.kind == "number" for field in fields)


def _index(names: Sequence[str]) -> Any:
    import pandas as pd

    return pd.Index(list(names))


def _values(values: np.ndarray, field: Field) -> Any:
    """A canonical column as an array that makes a frame's column of the training data's type."""
    import pandas as pd

    if field.kind == "image":
        return values
    dtype: Any = field.dtype  # pandas' stubs list every name of a type there is
    if is_numeric(field) and not dtype.startswith("category"):
        return _numbers(values, dtype)
    if field.kind == "time":
        series = pd.Series(values)
        if "," in dtype:  # "datetime64[ns, UTC]"
            series = series.dt.tz_localize("UTC")
        return series.astype(dtype) if dtype.startswith("datetime64") else series
    null = is_null(values)
    if dtype.startswith("category"):
        whole = dtype.startswith("category:int") and not null.all()
        plain = np.full(len(values), None, dtype=object)
        plain[~null] = [int(value) for value in values[~null]] if whole else list(values[~null])
        return pd.Categorical(plain)
    filled = np.where(null, np.nan, values) if null.any() else values
    return pd.Series(filled, dtype=object) if dtype in ("", "object") else pd.array(filled, dtype=dtype)


def _numbers(values: np.ndarray, dtype: Any) -> Any:
    """Numbers in the training data's type; as they are where it cannot hold them."""
    import pandas as pd

    if dtype[:1].isupper() or dtype == "boolean":  # pandas' nullable types
        return pd.array(values, dtype="Float64").astype(dtype)
    if dtype.startswith("float"):
        return values.astype(dtype, copy=False)
    if not (np.isfinite(values) & (np.abs(values) < 2.0**53) & (values == np.floor(values))).all():
        return values
    if dtype.startswith("bool"):
        return values.astype(dtype) if ((values == 0) | (values == 1)).all() else values
    bounds = np.iinfo(dtype)
    return values.astype(dtype) if ((values >= bounds.min) & (values <= bounds.max)).all() else values


def _single_threaded(model: Any) -> Any:
    """The model with every n_jobs at 1: a server has a process per core already, and a row is no work to share out."""
    if hasattr(model, "get_params"):
        jobs = {name: 1 for name, value in model.get_params().items() if name.rpartition("__")[2] == "n_jobs" and value}
        if jobs:
            model.set_params(**jobs)
    return model
