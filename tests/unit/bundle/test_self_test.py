from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trilho import bundle
from trilho.bundle.archive import Contents, write_archive
from trilho.bundle.self_test import ROWS, made_up_rows, written
from trilho.errors import BundleDamaged
from unit.bundle.tables import bundled, cancer, columns_of, diabetes, mixed


def with_other_answers(path: Path, out: Path) -> None:
    """The same bundle, its self-test altered as if another machine had answered."""
    contents = Contents(path)
    members = {name: contents.read(name) for name in contents.members}
    test = json.loads(members["self_test.json"])
    if test["probabilities"]:
        test["probabilities"][3] = [0.3, 0.7]
    else:
        test["labels"][3] += 1.0
    members["self_test.json"] = json.dumps(test).encode()
    facts = {name: value for name, value in contents.manifest.items() if name not in ("format", "members", "checksum")}
    write_archive(members, facts, out)


@pytest.mark.parametrize("model", [LogisticRegression(), KNeighborsClassifier()], ids=["compiled", "native"])
def test_a_bundle_that_answers_otherwise_than_where_it_was_made_is_refused(model: object, tmp_path: Path) -> None:
    frame, truth = cancer()
    built = bundled(make_pipeline(StandardScaler(), model), frame, truth, tmp_path)
    bundle.open(built.path)
    with_other_answers(built.path, tmp_path / "other.tar")
    with pytest.raises(
        BundleDamaged, match=r"(?s)answers otherwise here than where it was made. It was not opened.*packages"
    ):
        bundle.open(tmp_path / "other.tar")


def test_numbers_are_compared_for_regression(tmp_path: Path) -> None:
    frame, truth = diabetes()
    built = bundled(Ridge(), frame, truth, tmp_path)
    with_other_answers(built.path, tmp_path / "other.tar")
    with pytest.raises(BundleDamaged, match="answers otherwise"):
        bundle.open(tmp_path / "other.tar")


def test_made_up_rows_lie_in_the_training_ranges_and_are_nobodys() -> None:
    frame, _ = mixed()
    schema = bundle.describe(frame, columns_of(frame), task="classification", target="y", labels=["a", "b"])
    rows = made_up_rows(schema)
    for field in schema.fields:
        assert len(rows[field.name]) == ROWS
        if field.kind == "number":
            assert field.minimum is not None
            assert field.maximum is not None
            assert (rows[field.name] >= field.minimum).all()
            assert (rows[field.name] <= field.maximum).all()
        if field.kind == "category":
            assert set(rows[field.name]) <= set(field.values)
    real = set(frame[["income", "age", "city", "street"]].itertuples(index=False, name=None))
    assert not real & set(zip(rows["income"], rows["age"], rows["city"], rows["street"], strict=True))


def test_times_texts_and_empty_columns_have_made_up_values() -> None:
    fields = (
        bundle.Field(name="day", kind="time", nullable=False, dtype="datetime64[ns]", quantiles=(0.0, 60.0)),
        bundle.Field(name="note", kind="text", nullable=False, dtype="str"),
        bundle.Field(name="code", kind="category", nullable=False, dtype="int64", values=("3", "4")),
        bundle.Field(name="nothing", kind="number", nullable=True, dtype="float64"),
    )
    rows = made_up_rows(bundle.Schema(task="regression", target="y", fields=fields))
    assert set(rows["day"]) <= {np.datetime64(0, "ns"), np.datetime64(60_000_000_000, "ns")}
    assert set(rows["note"]) == {""}
    assert set(rows["code"]) == {3.0, 4.0}
    assert set(rows["nothing"]) == {0.0}


def test_a_model_that_answers_no_made_up_rows_has_no_test() -> None:
    def refuse(_: object) -> bundle.Predictions:
        raise ValueError("no")

    image = bundle.Schema(task="t", target="y", fields=(bundle.Field(name="x", kind="image", nullable=False),))
    number = bundle.Schema(task="t", target="y", fields=(bundle.Field(name="x", kind="number", nullable=False),))
    assert written(image, refuse, 0.0) == b"{}"
    assert written(number, refuse, 0.0) == b"{}"
