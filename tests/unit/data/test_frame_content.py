"""The fingerprint of a table in memory: equal exactly when the content is equal."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.data.frame_content import fingerprint_of_frame
from trilho.errors import BadData

CELLS: dict[str, st.SearchStrategy[Any]] = {
    "int64": st.integers(-2, 2),
    "float64": st.sampled_from([0.0, -0.0, 1.0, 1.5, float("nan"), float("inf"), -float("inf")]),
    "bool": st.booleans(),
    "text": st.one_of(st.none(), st.sampled_from(["", "a", "b", "ab", "a\0b", "é", "1", "nan"])),
    "datetime64[ns]": st.sampled_from([pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01T00:00:00.000001"), pd.NaT]),
    "category": st.sampled_from(["x", "y", None]),
    "object": st.sampled_from([1, 1.0, True, "1", "True", None, b"1", Decimal(1), datetime.date(2024, 1, 1)]),
}


def series(kind: str, cells: list[Any]) -> pd.Series[Any]:
    if kind == "category":
        return pd.Series(pd.Categorical(cells, categories=["x", "y"]))
    return pd.Series(cells, dtype="object" if kind == "text" else kind)


@st.composite
def frames(draw: st.DrawFn) -> tuple[pd.DataFrame, object]:
    """A small frame, and its content in a form that Python itself compares."""
    rows = draw(st.integers(0, 3))
    kinds = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=2))
    made, content = {}, []
    for place, kind in enumerate(kinds):
        name = draw(st.sampled_from(["u", "v"])) + str(place)
        cells = [draw(CELLS[kind]) for _ in range(rows)]
        made[name] = series(kind, cells)
        # Text is text whatever it is stored as, and an object column that holds only text is text.
        stored = (
            "text"
            if kind in ("text", "object") and all(cell is None or isinstance(cell, str) for cell in cells)
            else kind
        )
        stored = "object" if kind == "text" and all(cell is None for cell in cells) else stored
        stored = "object" if kind == "object" and all(cell is None for cell in cells) else stored
        content.append(
            (name, stored, [("missing",) if pd.isna(cell) else (type(cell).__name__, cell) for cell in cells])
        )
    return pd.DataFrame(made), content


@given(frames(), frames())
def test_fingerprints_are_equal_exactly_when_the_contents_are(
    one: tuple[pd.DataFrame, object], other: tuple[pd.DataFrame, object]
) -> None:
    assert (fingerprint_of_frame(one[0]) == fingerprint_of_frame(other[0])) == (one[1] == other[1])


@given(frames(), st.data())
def test_copies_agree_whatever_their_index_and_their_memory(
    made: tuple[pd.DataFrame, object], choice: st.DataObject
) -> None:
    frame = made[0]
    copy = pd.concat([frame.iloc[:1], frame.iloc[1:]]).set_axis([f"row {row}" for row in range(len(frame))])
    backwards = frame.iloc[::-1].iloc[::-1]
    assert fingerprint_of_frame(copy.astype(frame.dtypes)) == fingerprint_of_frame(frame)
    assert fingerprint_of_frame(backwards) == fingerprint_of_frame(frame)


def test_the_order_of_rows_and_of_columns_counts() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    others = [frame.iloc[::-1], frame[["b", "a"]], frame.rename(columns={"a": "b", "b": "a"}), frame.astype("int32")]
    assert len({fingerprint_of_frame(one) for one in [frame, *others]}) == 5


def test_there_is_one_zero_and_one_missing_value() -> None:
    zeros = [pd.DataFrame({"a": [value, float("nan")]}) for value in (0.0, -0.0)]
    assert fingerprint_of_frame(zeros[0]) == fingerprint_of_frame(zeros[1])
    strange = np.array([0, 0x7FF8000000000001], dtype="uint64").view("float64")  # NaN with another payload
    assert fingerprint_of_frame(pd.DataFrame({"a": strange})) == fingerprint_of_frame(zeros[0])
    gaps = [pd.DataFrame({"a": pd.Series(["x", gap], dtype=object)}) for gap in (None, float("nan"), pd.NA)]
    assert len({fingerprint_of_frame(frame) for frame in gaps}) == 1


def test_text_is_the_same_however_pandas_stores_it() -> None:
    words = ["a", None, "b", "a"]
    stored = [pd.Series(words, dtype=kind) for kind in ("object", "string")] + [pd.Series(words)]
    assert len({fingerprint_of_frame(pd.DataFrame({"w": column})) for column in stored}) == 1


def test_neighbouring_cells_do_not_run_into_each_other() -> None:
    one, other = pd.DataFrame({"a": ["ab", "c"]}), pd.DataFrame({"a": ["a", "bc"]})
    assert fingerprint_of_frame(one) != fingerprint_of_frame(other)
    one, other = pd.DataFrame({"a": ["x"], "b": ["yz"]}), pd.DataFrame({"a": ["xy"], "b": ["z"]})
    assert fingerprint_of_frame(one) != fingerprint_of_frame(other)


def test_arrays_bytes_zones_and_nullable_types_have_content() -> None:
    def of(values: Any, **more: Any) -> str:
        return fingerprint_of_frame(pd.DataFrame({"a": pd.Series(values, **more)}))

    pixels = np.zeros((2, 2), dtype="uint8")
    changed = pixels.copy()
    changed[1, 1] = 1
    assert of([pixels, pixels]) == of([pixels.copy(), pixels.copy()]) != of([pixels, changed])
    assert of([b"ab"]) != of([b"ac"])
    assert of([1, None], dtype="Int64") == of([1, None], dtype="Int64") != of([1, 0], dtype="Int64")
    berlin = pd.Series(pd.to_datetime(["2024-01-01"]).tz_localize("Europe/Berlin"))
    assert of(berlin) != of(berlin.dt.tz_convert("UTC"))
    assert of(pd.to_timedelta(["1s"])) != of(pd.to_timedelta(["2s"]))


def test_an_object_without_content_is_refused() -> None:
    with pytest.raises(BadData, match="'a'"):
        fingerprint_of_frame(pd.DataFrame({"a": [lambda: 1]}))


def test_every_process_computes_the_same(tmp_path: Path) -> None:
    code = (
        "import pandas as pd; from trilho.data.frame_content import fingerprint_of_frame as of\n"
        "frame = pd.DataFrame({'w': ['a', None, 'é'], 'c': pd.Categorical(['x', 'y', 'x']), 'o': [1, 'b', (1, 'z')],\n"
        "                      't': pd.to_datetime(['2024-01-01'] * 3), 'f': [0.5, None, 2.0]})\n"
        "print(of(frame))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
