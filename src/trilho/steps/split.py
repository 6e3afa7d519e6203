"""Step 2: which rows are for training, which for testing.

By default a row's part is decided by a hash of its content (or of its group), so that appended data never moves a row
between the parts: what was once in test is never trained on by a later version.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.data.row_hash import row_hashes, shares
from trilho.errors import BadData, StepFailed
from trilho.importer import load_object
from trilho.steps.materials import TEST, Materials, labels_of

if TYPE_CHECKING:
    import pandas as pd


def split(materials: Materials, out: Path) -> str:
    """Write parts.npy (0 train, 1 test) and units.npy (hash of each row or group).

    In its place: `split(frame) -> mask`, true or "test" for the rows to test on. Shape (n,).
    """
    units = unit_hashes(materials)
    method = _method(materials)
    if method == "steps.split":
        parts = _by_user(materials)
    elif method == "time":
        parts = _by_time(materials)
    elif method == "stratified":
        parts = _stratified(materials, units)
    else:
        parts = _by_hash(materials, units)
    train, test = int((parts != TEST).sum()), int((parts == TEST).sum())
    if not train or not test:
        raise BadData(
            f"The split leaves {train} rows to train on and {test} to test on.",
            why=f"{len(parts)} rows were split by method {method}.",
            remedy="Bring more rows, or set split.method: stratified or another split.test_size in trilho.yaml.",
        )
    _check_labels(materials, parts)
    np.save(out / "parts.npy", parts)
    np.save(out / "units.npy", units)
    return f"{train:,} train, {test:,} test"


def unit_hashes(materials: Materials) -> np.ndarray:
    """The hash of each row's content, or of its group where split.group_by names one. Shape (n,), uint64."""
    dataset, group = materials.dataset, materials.project.split.group_by
    weight = materials.project.train.sample_weight
    columns = [
        column for column in dataset.columns if column.name == group or (group is None and column.name != weight)
    ]
    if not columns:
        raise BadData(
            f"There is no column '{group}' to group by.",
            why=f"Columns: {', '.join(column.name for column in dataset.columns)}.",
            remedy="Correct split.group_by in trilho.yaml.",
        )
    return row_hashes(dataset.frame, columns)


def _method(materials: Materials) -> str:
    return "steps.split" if "split" in materials.project.steps else materials.project.split.method


def _by_hash(materials: Materials, units: np.ndarray) -> np.ndarray:
    section = materials.project.split
    return (shares(units, section.random_state) < section.test_size).astype(np.uint8)


def _stratified(materials: Materials, units: np.ndarray) -> np.ndarray:
    """Shares of each label alike in both parts (document 001's split); groups stay whole."""
    from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split

    section, dataset = materials.project.split, materials.dataset
    truth = labels_of(dataset.frame[dataset.target])
    rows, parts = np.arange(len(truth)), np.zeros(len(truth), dtype=np.uint8)
    strata = truth if materials.project.task != "regression" else None
    size, seed = section.test_size, section.random_state
    try:
        if section.group_by is None:
            _, test = train_test_split(rows, test_size=size, random_state=seed, stratify=strata)
        elif strata is None:
            _, test = next(GroupShuffleSplit(1, test_size=size, random_state=seed).split(rows, groups=units))
        else:
            folds = StratifiedGroupKFold(max(2, round(1 / size)), shuffle=True, random_state=seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of rare labels: whether one is missing is checked below
                _, test = next(folds.split(rows, strata, units))
    except ValueError as error:
        raise BadData(
            "The rows cannot be split by strata.",
            why=str(error),
            remedy="Bring more rows (or groups) of the rarest label, remove it, or set split.method: hash.",
        ) from error
    parts[test] = TEST
    return parts


def _by_time(materials: Materials) -> np.ndarray:
    """The latest rows are for testing; rows of the same moment stay together."""
    section, frame = materials.project.split, materials.dataset.frame
    if section.time_column not in frame.columns:
        raise BadData(
            f"There is no column '{section.time_column}' to split by time.",
            why=f"Columns: {', '.join(map(str, frame.columns))}.",
            remedy="Correct split.time_column in trilho.yaml.",
        )
    times = frame[section.time_column]
    kind = next(column.kind for column in materials.dataset.columns if column.name == section.time_column)
    if kind not in ("time", "number"):
        raise _no_time(times, kind)
    if times.isna().any():
        raise BadData(
            f"Column '{section.time_column}' has {int(times.isna().sum())} rows without a time.",
            remedy="Drop these rows, or split by another method (split.method in trilho.yaml).",
        )
    order = np.sort(times.to_numpy())
    first_test = order[min(len(order) - 1, round(len(order) * (1 - section.test_size)))]
    return np.asarray(times.to_numpy() >= first_test, dtype=np.uint8)


def _no_time(column: pd.Series[Any], kind: str) -> BadData:
    """The error for a column that sorts by its letters: the latest rows of it are not those at its end."""
    from trilho.data.convert import converted

    _, refused = converted(column, "time")
    return BadData(
        f"Column '{column.name}' is of kind {kind}; split.method: time needs times or numbers.",
        why=f"'{column[refused].iloc[0]}' is no time that trilho reads, and text is ordered by its letters: "
        "31/01/2026 after 28/02/2026."
        if refused.any()
        else f"data.kinds makes a {kind} of it.",
        remedy="Write dates as 2026-01-31 and leave them out of data.kinds, or set data.source to a function of yours "
        "that returns times (module:function).",
    )


def _by_user(materials: Materials) -> np.ndarray:
    path = materials.project.steps["split"]
    answer: Any = np.asarray(load_object(path)(materials.dataset.frame.copy()))
    if answer.shape != (len(materials.dataset.frame),):
        raise StepFailed(
            f"{path} returned an array of shape {answer.shape}.",
            why=f"The data has {len(materials.dataset.frame)} rows.",
            remedy='Return one value for each row: True or "test" for the rows to test on.',
        )
    marks = answer.tolist()
    unknown = [mark for mark in marks if mark not in (True, False, "train", "test")]
    if unknown:
        raise StepFailed(
            f"{path} marked a row with {unknown[0]!r}.", remedy='Return True or "test", False or "train" for each row.'
        )
    return np.array([mark in (True, "test") for mark in marks], dtype=np.uint8)


def _check_labels(materials: Materials, parts: np.ndarray) -> None:
    if materials.project.task == "regression":
        return
    truth = labels_of(materials.dataset.frame[materials.dataset.target])
    unseen = set(truth.tolist()) - set(truth[parts != TEST].tolist())
    if unseen:
        raise BadData(
            f"No row to train on has the label {', '.join(sorted(map(str, unseen)))}.",
            why="All rows of it are in the test part.",
            remedy="Bring more rows of it, or set split.method: stratified in trilho.yaml.",
        )
