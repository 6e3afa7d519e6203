from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trilho.errors import InvalidProject
from trilho.journal import Answered, Features, Journal
from unit.journal.entries import KINDS, everything, journaled, numbers


def kept(folder: Path, columns: list[str], entry: Answered) -> list[str]:
    journal = Journal(folder, columns=columns)
    journal.append(entry)
    journal.close()
    [rows] = everything(folder)
    assert rows.ids[0] == f"{entry.request}-0"
    return list(rows.columns)


def person() -> Answered:
    features = Features.of({name: np.ones(2) for name in ("age", "cpf", "name_first", "name_last", "city (of birth)")})
    return Answered(request="r", time=1.0, model="m", version="1", latency=0.0, features=features, labels=np.ones(2))


@pytest.mark.parametrize(
    ("columns", "left"),
    [
        ([], ["age", "cpf", "name_first", "name_last", "city (of birth)"]),
        (["age", "cpf"], ["age", "cpf"]),
        (["cpf", "age"], ["age", "cpf"]),
        (["name*"], ["name_first", "name_last"]),
        (["-cpf", "-name_*"], ["age", "city (of birth)"]),
        (["-city (of birth)"], ["age", "cpf", "name_first", "name_last"]),
        (["-*"], []),
        (["a.e"], []),
    ],
)
def test_features_that_are_not_wanted_never_reach_the_disk(tmp_path: Path, columns: list[str], left: list[str]) -> None:
    assert kept(tmp_path, columns, person()) == left
    [path] = tmp_path.glob("*.arrows")
    assert [name for name in ("age", "cpf", "name_first") if name.encode() in path.read_bytes()] == [
        name for name in ("age", "cpf", "name_first") if name in left
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_what_is_kept_are_untouched(tmp_path: Path, kind: str) -> None:
    entry = KINDS[kind]("a", rows=5)
    journaled(tmp_path / "all", entry)
    [whole] = everything(tmp_path / "all")
    name = list(whole.columns)[1]
    assert kept(tmp_path / "one", [name], entry) == [name]
    [rows] = everything(tmp_path / "one")
    np.testing.assert_array_equal(rows.columns[name], whole.columns[name])
    np.testing.assert_array_equal(rows.probabilities, whole.probabilities)


def test_name_that_no_feature_has_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path, columns=["-cfp"])
    journal.append(numbers("a"))
    journal.append(numbers("b"))
    journal.close()
    assert caplog.text.count("journal.columns names '-cfp', and the model has no such feature.") == 1


def test_columns_to_keep_beside_columns_to_leave_out_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidProject, match="to keep, and columns to leave out"):
        Journal(tmp_path, columns=["age", "-cpf"])
