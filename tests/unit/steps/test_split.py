from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trilho import data
from trilho.data.dataset import Dataset
from trilho.errors import BadData, ImportFailed, StepFailed
from trilho.importer import project_code
from trilho.steps.materials import TEST, Materials
from unit.steps.cases import after, cancer, dataset, diabetes, mixed, module, project, run

_ROOMS = iter(range(10_000))


def split(tmp_path: Path, found: Dataset, **changes: Any) -> Materials:
    room = tmp_path / f"room{next(_ROOMS)}"
    return after(project(room, **changes), found, "split")


def grouped(rows: int = 600) -> Dataset:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"patient": random.integers(0, 60, rows), "a": random.normal(size=rows)})
    frame["target"] = (random.random(rows) < 0.3).astype(int)
    return dataset(frame)


# By hash.


def test_about_the_asked_share_is_for_testing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(10_000.0), "target": np.arange(10_000) % 2})
    for share in (0.1, 0.2, 0.5):
        parts = split(tmp_path, dataset(frame), split={"test_size": share}).parts
        assert parts.dtype == np.uint8
        assert set(parts.tolist()) == {0, 1}
        assert abs(parts.mean() - share) < 4 * np.sqrt(share * (1 - share) / 10_000)


def test_facts_count_the_rows_of_both_parts(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(10_000.0), "target": np.arange(10_000) % 2})
    materials = after(project(tmp_path), dataset(frame))
    facts = run("split", materials)
    test = int(materials.parts.sum())
    train = 10_000 - test
    assert facts == f"{train // 1000},{train % 1000:03d} train, {test // 1000},{test % 1000:03d} test"


def test_growing_data_moves_no_row(tmp_path: Path) -> None:
    parts = split(tmp_path, mixed(200)).parts
    order = np.random.default_rng(5).permutation(200)
    shuffled = dataset(mixed(200).frame.iloc[order], {"member": "boolean", "note": "text", "since": "time"})
    assert split(tmp_path, shuffled).parts.tolist() == parts[order].tolist()
    more = pd.concat([mixed(200).frame, mixed(300, seed=1).frame])
    grown = dataset(more, {"member": "boolean", "note": "text", "since": "time"})
    assert split(tmp_path, grown).parts[:200].tolist() == parts.tolist()


def test_a_file_whose_column_becomes_fractional_by_a_later_gap_moves_no_row(tmp_path: Path) -> None:
    lines = [f"{number},{number % 7},{number % 2}" for number in range(300)]
    file = tmp_path / "shop.csv"

    def load() -> Dataset:
        file.write_text("a,b,target\n" + "\n".join(lines) + "\n", encoding="utf-8")
        return data.load("shop.csv", target="target", root=tmp_path)

    before = load()
    parts = split(tmp_path, before).parts
    lines += ["300,,1", "301,2.5,0"]
    after_growth = load()
    assert before.frame["b"].dtype != after_growth.frame["b"].dtype  # else this tests nothing
    assert split(tmp_path, after_growth).parts[:300].tolist() == parts.tolist()


def test_equal_rows_are_in_one_part(tmp_path: Path) -> None:
    frame = pd.concat([cancer(200).frame] * 3)
    parts = split(tmp_path, dataset(frame)).parts.reshape(3, 200)
    assert (parts == parts[0]).all()


def test_another_seed_is_another_split(tmp_path: Path) -> None:
    one, two = (split(tmp_path, cancer(), split={"random_state": seed}).parts for seed in (1, 2))
    assert 0.1 < (one != two).mean() < 0.6


def test_the_weight_does_not_decide_where_a_row_goes(tmp_path: Path) -> None:
    frame = cancer(200).frame.assign(w=1.0)
    settings: dict[str, Any] = {"train": {"sample_weight": "w"}}
    one = split(tmp_path, dataset(frame), **settings)
    other = split(tmp_path, dataset(frame.assign(w=np.arange(200.0))), **settings)
    assert one.parts.tolist() == other.parts.tolist()
    assert one.units.tolist() == other.units.tolist() == split(tmp_path, cancer(200)).units.tolist()


# By group.


@pytest.mark.parametrize("method", ["hash", "stratified"])
def test_groups_stay_whole(tmp_path: Path, method: str) -> None:
    materials = split(tmp_path, grouped(), split={"method": method, "group_by": "patient"})
    patients = materials.dataset.frame["patient"]
    train, test = (set(patients[materials.parts == part]) for part in (1 - TEST, TEST))
    assert not train & test
    assert len(train | test) == patients.nunique()
    assert len(set(materials.units.tolist())) == patients.nunique()


def test_a_group_known_before_stays_where_it_was_when_data_grows(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"split": {"group_by": "patient"}}
    before = split(tmp_path, grouped(), **settings)
    more = pd.DataFrame({"patient": [None, *range(80)], "a": 0.5, "target": 1})
    now = split(tmp_path, dataset(pd.concat([grouped().frame, more])), **settings)
    assert now.parts[:600].tolist() == before.parts.tolist()


def test_a_group_by_a_column_that_is_not_there_names_the_columns(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no column 'pacient' to group by") as caught:
        split(tmp_path, grouped(), split={"group_by": "pacient"})
    assert "patient, a, target" in caught.value.why
    assert "split.group_by" in caught.value.remedy


def test_groups_of_a_regression_stay_whole(tmp_path: Path) -> None:
    frame = diabetes().frame.assign(patient=np.arange(442) % 50)
    settings: dict[str, Any] = {"task": "regression", "split": {"method": "stratified", "group_by": "patient"}}
    materials = split(tmp_path, dataset(frame), **settings)
    patients = materials.dataset.frame["patient"]
    assert not set(patients[materials.parts == TEST]) & set(patients[materials.parts != TEST])
    assert 0.1 < materials.parts.mean() < 0.3


# Stratified.


def test_stratified_parts_have_the_same_shares_of_each_label(tmp_path: Path) -> None:
    materials = split(tmp_path, cancer(), split={"method": "stratified", "test_size": 0.3})
    assert materials.parts.sum() == round(569 * 0.3 + 0.5)
    train, test = (materials.truth(part).mean() for part in (1 - TEST, TEST))
    assert abs(train - test) < 0.005


def test_stratified_is_the_split_of_scikit_learn(tmp_path: Path) -> None:
    from sklearn.model_selection import train_test_split

    materials = split(tmp_path, cancer(), split={"method": "stratified"})
    _, test = train_test_split(
        np.arange(569), test_size=0.2, random_state=42, stratify=cancer().frame["target"].to_numpy()
    )
    assert np.flatnonzero(materials.parts).tolist() == sorted(test.tolist())


def test_stratified_takes_words_as_labels(tmp_path: Path) -> None:
    materials = split(tmp_path, mixed(), split={"method": "stratified"})
    shares = [(materials.truth(part) == "gone").mean() for part in (0, 1)]
    assert abs(shares[0] - shares[1]) < 0.02


def test_stratified_regression_is_a_random_split(tmp_path: Path) -> None:
    materials = split(tmp_path, diabetes(), task="regression", split={"method": "stratified"})
    assert materials.parts.sum() == 89


def test_a_label_with_a_single_row_cannot_be_stratified_and_says_so(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(30.0), "target": ["x"] * 29 + ["y"]})
    with pytest.raises(BadData, match="cannot be split by strata") as caught:
        split(tmp_path, dataset(frame), split={"method": "stratified"})
    assert "split.method: hash" in caught.value.remedy


def test_fewer_rows_of_each_label_than_groups_are_split_into_cannot_be_stratified(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(4), "target": ["x", "x", "y", "y"]})
    with pytest.raises(BadData, match="cannot be split by strata"):
        split(tmp_path, dataset(frame), split={"method": "stratified", "group_by": "a"})


def test_a_single_group_cannot_be_split_and_says_so(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.zeros(30), "target": ["x"] * 28 + ["y"] * 2})
    with pytest.raises(BadData, match="number of groups: 1"):
        split(tmp_path, dataset(frame), split={"method": "stratified", "group_by": "a"})


# Errors of all methods, and the user's own function.


def test_too_few_rows_say_how_many_there_are(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "target": [0, 1]})
    with pytest.raises(BadData, match=r"leaves \d rows to train on and \d to test on") as caught:
        split(tmp_path, dataset(frame), split={"test_size": 0.0001})
    assert "2 rows were split by method hash" in caught.value.why


def test_a_label_that_is_only_for_testing_is_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": range(100), "target": ["old"] * 90 + ["new"] * 10})
    with pytest.raises(BadData, match="No row to train on has the label new"):
        split(tmp_path, dataset(frame), split={"method": "time", "time_column": "day"})


def mine(tmp_path: Path, expression: str) -> Materials:
    module(
        tmp_path, "my_split", f"import numpy as np\nimport pandas as pd\n\ndef split(frame):\n    return {expression}\n"
    )
    materials = after(project(tmp_path, steps={"split": "my_split:split"}), cancer(200))
    with project_code(tmp_path):
        run("split", materials)
    return materials


@pytest.mark.parametrize(
    "expression",
    [
        'np.where(frame["target"].index % 5 == 0, "test", "train")',
        'pd.Series(np.where(frame["target"].index % 5 == 0, "test", "train"), dtype="category")',
        'frame["target"].index % 5 == 0',
        '(frame["target"].index % 5 == 0).astype(int)',
        '(frame["target"].index % 5 == 0).astype(float)',
        'pd.Series(frame["target"].index % 5 == 0, dtype="boolean")',
        'pd.Series(frame["target"].index % 5 == 0, dtype=object)',
        "[number % 5 == 0 for number in range(len(frame))]",
    ],
)
def test_the_users_mask_of_any_type_decides(tmp_path: Path, expression: str) -> None:
    parts = mine(tmp_path, expression).parts
    assert parts.dtype == np.uint8
    assert np.flatnonzero(parts).tolist() == list(range(0, 200, 5))


@pytest.mark.parametrize("expression", ["np.ones(7)", "np.ones((200, 2))", "None", "frame"])
def test_a_mask_of_another_shape_is_refused(tmp_path: Path, expression: str) -> None:
    with pytest.raises(StepFailed, match=r"my_split:split returned an array of shape") as caught:
        mine(tmp_path, expression)
    assert "200 rows" in caught.value.why


@pytest.mark.parametrize(
    ("expression", "shown"),
    [('["valid"] * 200', "'valid'"), ("np.full(200, np.nan)", "nan"), ("[None] * 200", "None"), ("[2] * 200", "2")],
)
def test_a_mark_that_means_nothing_is_named(tmp_path: Path, expression: str, shown: str) -> None:
    with pytest.raises(StepFailed, match=f"my_split:split marked a row with {shown}"):
        mine(tmp_path, expression)


def test_the_users_function_cannot_change_the_data(tmp_path: Path) -> None:
    materials = mine(tmp_path, 'frame.insert(0, "new", 1) or frame.pop("mean radius") > 15')
    assert "new" not in materials.dataset.frame
    assert "mean radius" in materials.dataset.frame


def test_a_function_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="my_splits"), project_code(tmp_path):
        split(tmp_path, cancer(100), steps={"split": "my_splits:split"})
