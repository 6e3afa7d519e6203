from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from trilho import data
from trilho.data.dataset import Column, Kind
from trilho.data.row_hash import mix, row_hashes, shares

WHOLE = st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=30)
FLOATS = st.lists(st.floats(allow_infinity=True, allow_nan=True), min_size=1, max_size=30)
WORDS = st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=1, max_size=30)


def hashes(values: Any, kind: Kind = "number", name: str = "a") -> list[int]:
    found: list[int] = row_hashes(pd.DataFrame({name: values}), [Column(name=name, kind=kind)]).tolist()
    return found


def test_hashes_are_what_they_have_always_been() -> None:
    # Written down once. If this fails, every split of every project moves and no champion can be compared any more.
    frame = pd.DataFrame(
        {
            "age": [41.0, np.nan, -0.0],
            "member": [True, False, True],
            "city": ["Porto", None, "São Paulo"],
            "since": [pd.Timestamp("2026-01-31"), pd.NaT, pd.Timestamp("2026-01-31 12:59:00")],
        }
    )
    columns = [
        Column(name="age", kind="number"),
        Column(name="member", kind="boolean"),
        Column(name="city", kind="category"),
        Column(name="since", kind="time"),
    ]
    found = row_hashes(frame, columns)
    assert found.dtype == np.uint64
    assert found.tolist() == [9435418937198555068, 5126200508929332528, 10342298409128665418]
    assert shares(found, 42).tolist() == [0.45412384007936846, 0.009882084802352975, 0.8084845874443242]


def test_mix_is_splitmix64() -> None:
    # The first outputs of the generator seeded with 0 and with 1234567, as its authors' C code gives them.
    assert mix(np.array([0], dtype=np.uint64)).tolist() == [0xE220A8397B1DCDAF]
    assert mix(np.array([1234567], dtype=np.uint64)).tolist() == [6457827717110365317]


@given(WHOLE)
def test_equal_numbers_of_any_type_have_equal_hashes(values: list[int]) -> None:
    objects = pd.Series(values, dtype=object)
    assert hashes(pd.Series(values, dtype="int64")) == hashes(pd.Series(values, dtype="float64"))
    assert hashes(objects) == hashes(pd.Series(values, dtype="Int64")) == hashes(pd.Series(values, dtype="Float64"))


@given(st.lists(st.booleans(), min_size=1, max_size=10))
def test_true_is_one_and_false_is_zero(values: list[bool]) -> None:
    numbers = hashes([float(value) for value in values])
    assert hashes(values, "boolean") == hashes(values, "number") == numbers
    assert hashes(pd.Series(values, dtype=object), "boolean") == numbers


@given(FLOATS, st.integers(0, 29))
def test_a_missing_value_elsewhere_moves_no_row(values: list[float], place: int) -> None:
    place %= len(values)
    with_gap = [np.nan if index == place else value for index, value in enumerate(values)]
    assert [h for i, h in enumerate(hashes(values)) if i != place] == [
        h for i, h in enumerate(hashes(with_gap)) if i != place
    ]


def test_all_ways_to_be_missing_are_one() -> None:
    other_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]
    assert len(set(hashes([np.nan, other_nan, -np.nan]))) == 1
    assert len(set(hashes(pd.Series([None, np.nan, pd.NA], dtype=object), "category"))) == 1
    assert hashes([np.nan]) == hashes([None], "category") == hashes([pd.NaT], "time")


def test_minus_zero_is_zero_and_missing_is_not() -> None:
    zero, minus, missing = hashes([0.0, -0.0, np.nan])
    assert zero == minus != missing


@pytest.mark.parametrize("word", ["nan", "None", "", "<NA>", "missing"])
def test_no_word_is_the_same_as_missing(word: str) -> None:
    there, missing = hashes([word, None], "category")
    assert there != missing


@given(WORDS)
def test_text_of_any_type_has_equal_hashes(values: list[str | None]) -> None:
    objects = hashes(pd.Series(values, dtype=object), "category")
    assert objects == hashes(pd.Series(values, dtype="string"), "text")
    assert objects == hashes(pd.Series(pd.Categorical(values)), "category")


@given(WORDS)
def test_words_have_equal_hashes_only_if_they_are_equal(values: list[str | None]) -> None:
    found = hashes(pd.Series(values, dtype=object), "category")
    assert len(set(found)) == len(set(values))


@given(WHOLE)
def test_numbers_have_equal_hashes_only_if_they_are_equal(values: list[int]) -> None:
    assert len(set(hashes(pd.Series(values, dtype="float64")))) == len(set(values))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_moment_is_the_same_in_every_unit(unit: str) -> None:
    moments = pd.Series([pd.Timestamp("2026-01-31"), pd.Timestamp("1969-07-20 20:17:40"), pd.NaT])
    assert hashes(moments.astype(f"datetime64[{unit}]"), "time") == hashes(moments.astype("datetime64[ns]"), "time")


@given(WHOLE, st.randoms(use_true_random=False))
def test_the_order_of_the_columns_does_not_count(values: list[int], random: Any) -> None:
    frame = pd.DataFrame({"a": values, "b": [str(value) for value in values], "c": values[::-1]})
    columns = [Column(name="a", kind="number"), Column(name="b", kind="category"), Column(name="c", kind="number")]
    shuffled = random.sample(columns, 3)
    other = frame[[column.name for column in shuffled]]
    assert row_hashes(frame, columns).tolist() == row_hashes(other, shuffled).tolist()


def test_the_names_of_the_columns_count() -> None:
    assert hashes([1.0], name="a") != hashes([1.0], name="b")
    columns = [Column(name="a", kind="number"), Column(name="b", kind="number")]
    swapped = row_hashes(pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]}), columns)
    assert swapped[0] != swapped[1]


def test_equal_values_in_two_columns_do_not_cancel_out() -> None:
    columns = [Column(name="a", kind="number"), Column(name="b", kind="number")]
    found = row_hashes(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]}), columns)
    assert len(set(found.tolist())) == 3


@given(FLOATS, FLOATS, WORDS, WORDS)
def test_appended_rows_move_no_row(a: list[float], more_a: list[float], b: list[str], more_b: list[str]) -> None:
    columns = [Column(name="a", kind="number"), Column(name="b", kind="category")]
    first = pd.DataFrame({"a": (a * 30)[:30], "b": pd.Series((b * 30)[:30], dtype=object)})
    more = pd.DataFrame({"a": (more_a * 30)[:30], "b": pd.Series((more_b * 30)[:30], dtype=object)})
    both = pd.concat([first, more], ignore_index=True)
    assert row_hashes(both, columns)[:30].tolist() == row_hashes(first, columns).tolist()
    assert row_hashes(both, columns)[30:].tolist() == row_hashes(more, columns).tolist()


def test_no_rows_have_no_hashes() -> None:
    columns = [Column(name="a", kind="number"), Column(name="b", kind="category")]
    found = row_hashes(pd.DataFrame({"a": np.zeros(0), "b": np.zeros(0, dtype=object)}), columns)
    assert (found.shape, found.dtype) == ((0,), np.uint64)


def load(folder: Path, text: str) -> data.Dataset:
    (folder / "shop.csv").write_text(text, encoding="utf-8")
    return data.load("shop.csv", target="churn", root=folder)


def test_a_file_that_grows_a_gap_a_fraction_and_a_new_word_moves_no_row(tmp_path: Path) -> None:
    old = "age,size,member,city,churn\n1,3,true,Porto,0\n2,4,false,Lyon,1\n3,5,true,Porto,0\n4,1,false,Lyon,1\n"
    new = old + ",2.5,,Tokyo,1\n7,,true,,0\n"
    before, after = load(tmp_path, old), load(tmp_path, new)
    assert before.frame["age"].dtype != after.frame["age"].dtype  # else this tests nothing
    found = row_hashes(after.frame, after.columns)
    assert found[:4].tolist() == row_hashes(before.frame, before.columns).tolist()
    assert len(set(found.tolist())) == 6


def test_shares_lie_between_zero_and_one() -> None:
    ends = np.array([0, 1, 2**63, 2**64 - 1], dtype=np.uint64)
    for seed in (0, 1, -1, 2**64 + 5):
        found = shares(ends, seed)
        assert found.dtype == np.float64
        assert ((found >= 0) & (found < 1)).all()


@pytest.mark.parametrize("kind", ["counting numbers", "fractions", "words"])
def test_shares_are_spread_evenly(kind: str) -> None:
    # Rows that differ least: a counter. Fixed data, so the statistic is a fixed number: no flake.
    rows = 40_000
    frame = {
        "counting numbers": pd.DataFrame({"a": np.arange(rows)}),
        "fractions": pd.DataFrame({"a": np.arange(rows) / rows}),
        "words": pd.DataFrame({"a": [f"customer {number}" for number in range(rows)]}),
    }[kind]
    found = shares(row_hashes(frame, [Column(name="a", kind="category" if kind == "words" else "number")]), 42)
    counts, _ = np.histogram(found, bins=100, range=(0, 1))
    assert stats.chisquare(counts).pvalue > 0.001
    assert stats.chisquare(counts).pvalue < 0.999  # too even would be no hash either


def test_seeds_are_independent() -> None:
    found = row_hashes(pd.DataFrame({"a": np.arange(20_000)}), [Column(name="a", kind="number")])
    for one, other in [(0, 1), (42, 43), (1, -1), (0, 2**32)]:
        table, _, _ = np.histogram2d(shares(found, one), shares(found, other), bins=10, range=((0, 1), (0, 1)))
        assert stats.chi2_contingency(table).pvalue > 0.001
        assert not np.array_equal(shares(found, one), shares(found, other))
