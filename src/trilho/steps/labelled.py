"""Answers whose truth is known by now, as rows to learn from: from the journal to the training columns.

They become a file first, which does not change while models are made from it: `.trilho/labelled/N.parquet`, N being
the number of the retraining in the history. The step ingest puts its rows below those of data.source. The split hashes
them like any others, so a row is in the part that it will be in next time, too.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trilho.errors import BadData, CannotPredict
from trilho.project.file import ProjectFile

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from trilho.bundle import Schema
    from trilho.data.dataset import Dataset

_END = 253_402_300_799.0  # of the year 9999


def freeze_labelled(project: ProjectFile, schema: Schema, *, number: int, until: float) -> Path | None:
    """Write the labelled answers to the file of retraining `number`; None where there are none.

    Left out are answers to other models, answers without one of the features, and labels that the schema does not have.
    If the file is there, from somebody who was killed since, it is taken as it is.

    Args:
        schema: The champion's: which columns there are, of which kinds, and which labels.
        until: Labels that came later are for the next retraining; seconds since 1970.

    Raises:
        BadData: a feature is an image, of which the journal holds no more than a digest.
        JournalUnreadable: labels or answers may not be read.
    """
    path = project.state_dir / "labelled" / f"{number}.parquet"
    if path.is_file():
        return path
    images = [field.name for field in schema.fields if field.kind == "image"]
    if images:
        raise BadData(
            f"Answers to images cannot be learned from: the journal keeps no image of column '{images[0]}'.",
            remedy="Add the images to data.source, and set retrain.data: original in trilho.yaml.",
        )
    parts = _parts(project, schema, until)
    if not parts:
        return None
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(whole.pop(_ID).astype(str))  # the same rows in the same order, however often it is done
    table = pa.table({name: pa.array(values[order], from_pandas=True) for name, values in whole.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    pq.write_table(table, fresh)
    fresh.replace(path)
    for old in path.parent.iterdir():  # what people had deleted from the journal is not kept here
        if old != path:
            with suppress(OSError):
                old.unlink()
    return path


def content_with(content: str, labelled: Path | None) -> str:
    """The fingerprint of a source and of the labelled rows below it."""
    if labelled is None:
        return content
    with labelled.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return hashlib.blake2b(f"{content} {digest}".encode(), digest_size=16).hexdigest()


def with_labelled(dataset: Dataset, project: ProjectFile) -> Dataset:
    """The data set with the labelled rows below its own, each column of the kind that it has there.

    A column of weights is 1 for them.

    Raises:
        BadData: the data has a column that they do not have, or they have values that are none of its kind.
    """
    import pandas as pd

    from trilho.data.kinds import describe

    if project.labelled is None:
        return dataset
    rows = pd.read_parquet(project.labelled)
    weight = project.train.sample_weight
    if weight is not None and weight not in rows:
        rows[weight] = 1.0
    strange = [column.name for column in dataset.columns if column.name not in rows]
    if strange:
        raise BadData(
            f"The answers in the journal have no column '{strange[0]}', which {dataset.source} has.",
            state="Nothing was trained; the champion is unchanged.",
            remedy="Deliver a model that takes it first: trilho run. Or set retrain.data: original in trilho.yaml.",
        )
    frame = pd.DataFrame(
        {one.name: _below(dataset.frame[one.name], rows[one.name], one.kind) for one in dataset.columns}, copy=False
    )
    return replace(
        dataset,
        frame=frame,
        columns=tuple(describe(frame[one.name], one.kind) for one in dataset.columns),
        fingerprint=content_with(dataset.fingerprint, project.labelled),
    )


# ----------------------------------------------------------------------------------------------------------------------

_ID = "\0id"  # no feature is called that


def _parts(project: ProjectFile, schema: Schema, until: float) -> list[dict[str, np.ndarray]]:
    """The labelled rows as arrays: each feature, the target, the prediction's id."""
    import numpy as np

    from trilho import journal
    from trilho.bundle.columns import canonical

    found: list[dict[str, np.ndarray]] = []
    folder, name = project.state_dir / "journal", project.register.name
    for labelled in journal.read_labelled(folder, since=0.0, until=_END, columns=schema.names, model=name):
        rows = labelled.rows
        if not set(schema.names) <= rows.columns.keys():
            continue  # of a version that took other columns
        in_time = labelled.times.astype("datetime64[us]").astype(np.int64) / 1e6 <= until
        truths = [_label(schema, value) for value in labelled.truth.tolist()]
        chosen = in_time & np.array([truth is not None for truth in truths], dtype=bool)
        if not chosen.any():
            continue
        with suppress(CannotPredict):  # of a version whose columns were of other kinds
            part = {field.name: canonical(field, rows.columns[field.name])[chosen] for field in schema.fields}
            target = np.array([truth for truth, wanted in zip(truths, chosen, strict=True) if wanted])
            if isinstance(target[0], str):
                target = target.astype(object)
            found.append({**part, schema.target: target, _ID: rows.ids[chosen]})
    return found


def _label(schema: Schema, value: Any) -> Any:
    """The label as the target holds it; None for what it does not have."""
    if schema.task == "regression":
        number = not isinstance(value, bool | str) and math.isfinite(value)
        return float(value) if number else None
    known: Mapping[Any, Any] = {label: label for label in schema.labels}
    return known.get(value)


def _below(above: pd.Series[Any], rows: pd.Series[Any], kind: Any) -> pd.Series[Any]:
    """Both in one column; of the type of the upper one where that holds every value."""
    import pandas as pd

    from trilho.data.convert import converted

    made, refused = converted(rows, kind)
    if refused.any():
        raise BadData(
            f"Column '{above.name}' is no {kind} in the journal: {rows[refused].iloc[0]!r}.",
            state="Nothing was trained; the champion is unchanged.",
            remedy="Correct data.kinds, or set retrain.data: original in trilho.yaml.",
        )
    if made.dtype != above.dtype:
        with suppress(ValueError, TypeError):
            same = made.astype(above.dtype)
            if (same.isna() == made.isna()).all() and (same[made.notna()] == made[made.notna()]).all():
                made = same
    return pd.concat([above, made], ignore_index=True)
