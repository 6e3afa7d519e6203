"""A table made by the user's function."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trilho import data
from trilho.errors import BadData, ImportFailed, SourceUnreadable

CODE = """
import pandas as pd

KEPT = pd.DataFrame({"n": [1, 2, 3], "when": ["2024-01-01", "2024-01-02", None], "y": ["a", "b", "a"]}, index=[7, 8, 9])

def read(rows=3, shift=0):
    return KEPT.iloc[:rows].assign(n=lambda frame: frame["n"] + shift)

def kept():
    return KEPT

def numbered():
    return pd.DataFrame([[1, "a"], [2, "b"]])

def twice():
    return pd.DataFrame([[1, 2, "a"], [3, 4, "b"]], columns=["n", "n", "y"])

def two_levels():
    return pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]))

def rows():
    return [{"n": 1}]

def exits():
    raise SystemExit(0)


def fails():
    return pd.to_datetime("no date")
"""


@pytest.fixture(params=["", "src"])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / request.param
    folder.mkdir(exist_ok=True)
    (folder / "trilho_test_features.py").write_text(CODE, encoding="utf-8")
    sys.modules.pop("trilho_test_features", None)
    return tmp_path


def test_it_is_called_with_the_options(project: Path) -> None:
    found = data.load("trilho_test_features:read", target="y", root=project, options={"rows": 2, "shift": 10})
    assert found.frame["n"].tolist() == [11, 12]
    assert found.frame.index.tolist() == [0, 1]
    assert (found.name, found.source) == ("read", "trilho_test_features:read")


def test_its_own_frame_is_left_as_it_was(project: Path) -> None:
    found = data.load("trilho_test_features:kept", target="y", root=project)
    assert found.frame["when"].dtype.kind == "M"
    found.frame.loc[0, "n"] = 99
    kept = sys.modules["trilho_test_features"].KEPT
    assert kept["n"].tolist() == [1, 2, 3]
    assert kept["when"].tolist()[:2] == ["2024-01-01", "2024-01-02"]


def test_equal_rows_have_equal_fingerprints(project: Path) -> None:
    def of(name: str, **options: int) -> str:
        return data.load(f"trilho_test_features:{name}", target="y", root=project, options=options).fingerprint

    assert of("read") == of("kept") == of("read", rows=3)
    assert len({of("read"), of("read", shift=1), of("read", rows=2)}) == 3


def test_column_names_become_text(project: Path) -> None:
    found = data.load("trilho_test_features:numbered", target="1", root=project)
    assert [column.name for column in found.columns] == ["0", "1"]


def test_what_is_no_table_is_refused(project: Path) -> None:
    for name, reason in (
        ("twice", "column 'n' appears 2 times"),
        ("rows", "returned list"),
        ("two_levels", "2 levels"),
    ):
        with pytest.raises(BadData, match=reason):
            data.load(f"trilho_test_features:{name}", target="y", root=project)


def test_its_own_error_is_told_with_its_own_line(project: Path) -> None:
    with pytest.raises(SourceUnreadable, match="raised DateParseError") as caught:
        data.load("trilho_test_features:fails", target="y", root=project)
    assert 'return pd.to_datetime("no date")' in caught.value.why
    assert "trilho_test_features.py, line" in caught.value.why
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(SourceUnreadable, match="raised SystemExit"):
        data.load("trilho_test_features:exits", target="y", root=project)
    with pytest.raises(SourceUnreadable, match="unexpected keyword argument 'row'"):
        data.load("trilho_test_features:read", target="y", root=project, options={"row": 1})


def test_a_function_that_does_not_exist_names_the_near_one(project: Path) -> None:
    with pytest.raises(ImportFailed, match="Did you mean 'read'"):
        data.load("trilho_test_features:raed", target="y", root=project)


def test_every_set_of_scikit_learn_has_a_target_and_names(tmp_path: Path) -> None:
    for name, rows, labels in (("breast_cancer", 569, 2), ("iris", 150, 3), ("wine", 178, 3), ("digits", 1797, 10)):
        found = data.load(f"sklearn:{name}", target="target", root=tmp_path)
        assert (found.name, len(found.frame), len(found.label_names)) == (name, rows, labels)
        assert {column.kind for column in found.columns} == {"number"}
    assert data.load("sklearn:breast_cancer", target="target", root=tmp_path).label_names == ("malignant", "benign")
    diabetes = data.load("sklearn:diabetes", target="target", root=tmp_path, task="regression")
    assert diabetes.label_names == ()
    assert np.isclose(diabetes.frame["target"].mean(), 152.1335, atol=1e-3)
    assert isinstance(diabetes.frame, pd.DataFrame)
