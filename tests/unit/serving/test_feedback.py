from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.bundle import Schema
from trilho.errors import BadFeedback
from trilho.serving.feedback import read_feedback, read_feedback_file, true_label

CANCER = Schema(task="classification", target="t", fields=(), labels=(0, 1), label_names=("malignant", "benign"))
CHURN = Schema(task="classification", target="t", fields=(), labels=("no", "yes"), label_names=("no", "yes"))
MEMBER = Schema(task="classification", target="t", fields=(), labels=(False, True), label_names=("False", "True"))
PRICE = Schema(task="regression", target="t", fields=())


def read(value: Any, schema: Schema = CANCER) -> list[tuple[str, Any]]:
    return [(one.id, one.label) for one in read_feedback(json.dumps(value).encode(), schema, now=5.0)]


def test_one_label_or_a_list_of_them_is_taken() -> None:
    assert read({"id": "a-0", "label": 1}) == [("a-0", 1)]
    assert read([{"id": "a-0", "label": 1}, {"id": "a-1", "label": "malignant"}]) == [("a-0", 1), ("a-1", 0)]
    assert read([]) == []
    [one] = read_feedback(b'{"id": "a-0", "label": 1}', CANCER, now=5.0)
    assert one.time == 5.0


@pytest.mark.parametrize(
    ("schema", "given", "meant"),
    [
        (CANCER, 0, 0), (CANCER, 1.0, 1), (CANCER, "benign", 1), (CANCER, "1", 1), (CANCER, "1.0", 1),
        (CHURN, "yes", "yes"), (MEMBER, True, True), (MEMBER, "true", True), (MEMBER, "False", False),
        (PRICE, 3, 3.0), (PRICE, -1.5, -1.5), (PRICE, "1e3", 1000.0),
    ],
)  # fmt: skip
def test_label_is_meant_by_its_value_its_name_or_either_as_text(schema: Schema, given: Any, meant: Any) -> None:
    found = true_label(given, schema)
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (CANCER, 2), (CANCER, True), (CANCER, "Benign"), (CANCER, None), (CANCER, [1]), (CANCER, {}), (CANCER, ""),
        (CHURN, 1), (CHURN, True), (MEMBER, 1), (MEMBER, "yes"), (MEMBER, "1"),
        (PRICE, True), (PRICE, "dear"), (PRICE, float("inf")), (PRICE, "nan"), (PRICE, None), (PRICE, 10**400),
    ],
)  # fmt: skip
def test_label_that_the_model_does_not_have_is_none(schema: Schema, given: Any) -> None:
    assert true_label(given, schema) is None


def test_wrong_label_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        BadFeedback, match=r"Item 1: 'bening' is no label of the model.\nIt has: 0 \(malignant\)"
    ) as told:
        read([{"id": "a-0", "label": 1}, {"id": "a-1", "label": "bening"}])
    assert told.value.row == 1
    with pytest.raises(BadFeedback, match="is no finite number"):
        read({"id": "a-0", "label": "dear"}, PRICE)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"3", b'"a"', b"null", b'{"id": "a-0"}', b'{"label": 1}', b"[3]", b"[[]]", b"\xff\xfe",
        b'{"id": 3, "label": 1}', b'{"id": "", "label": 1}', b'{"id": "a\\nb", "label": 1}',
        b'{"id": null, "label": 1}', b'[{"id": "a", "label": 1}, 4]',
    ],
)  # fmt: skip
def test_body_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(BadFeedback) as told:
        read_feedback(body, CANCER, now=5.0)
    assert told.value.remedy


@given(st.one_of(st.binary(max_size=60), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["id", "label", "benign"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "label", "x"]), inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    for schema in (CANCER, CHURN, PRICE):
        try:
            found = read_feedback(body, schema, now=5.0)
        except BadFeedback:
            continue
        assert all(true_label(one.label, schema) == one.label for one in found)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_file_of_labels_is_read_and_rows_without_one_are_counted(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"note": [1, 2, 3], "id": ["1-0", "1-1", "1-2"], "label": [1.0, None, 0.0]})
    path = tmp_path / f"labels{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    labels, without = read_feedback_file(path, CANCER, now=5.0)
    assert [(one.id, one.label) for one in labels] == [("1-0", 1), ("1-2", 0)]
    assert without == 1


def test_file_that_is_no_table_of_labels_is_refused(tmp_path: Path) -> None:
    for name, content in {"a.csv": "id,truth\n1,2\n", "b.parquet": "no", "c.csv": ""}.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(BadFeedback, match="cannot be read as labels"):
            read_feedback_file(tmp_path / name, CANCER, now=5.0)
    with pytest.raises(BadFeedback, match="cannot be read"):
        read_feedback_file(tmp_path / "nowhere.csv", CANCER, now=5.0)


def test_file_with_one_wrong_label_is_refused_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,label\na-0,benign\na-1,\na-2,maybe\n")
    with pytest.raises(BadFeedback, match="Item 2: 'maybe'") as told:
        read_feedback_file(tmp_path / "a.csv", CANCER, now=5.0)
    assert told.value.row == 2
