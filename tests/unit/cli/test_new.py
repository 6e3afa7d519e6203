"""trilho new --data: from a person's own table to a project that says what it inferred."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer

from trilho.cli.new import new
from trilho.errors import BadData, InvalidProject, SourceUnreadable
from trilho.project import ProjectFile, load


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def customers(rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(0)
    age = random.integers(18, 90, rows).astype(float)
    age[random.random(rows) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "customer ID": [f"c{row:05d}" for row in range(rows)],
            "row": range(rows),
            "age": age,
            "plan": random.choice(["basic", "plus", "família: 4"], rows),
            "active": random.choice([True, False], rows),
            "since": pd.date_range("2024-01-01", periods=rows).astype(str),
            "note": [f"said {row % 300} times: no # yes" for row in range(rows)],
            "country": "BR",
            "spent": random.normal(3000, 500, rows).round(2),
            "churn": random.choice(["no", "yes"], rows, p=[0.8, 0.2]),
        }
    )


def made(capsys: pytest.CaptureFixture[str], **arguments: Any) -> tuple[ProjectFile, dict[str, Any]]:
    new(Path("shop"), json=True, **arguments)
    return load(Path("shop"), environment={}), json.loads(capsys.readouterr().out)


def test_a_table_of_ones_own_becomes_a_project(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    customers().to_csv("my data.csv", index=False)
    project, printed = made(capsys, data="my data.csv", target="churn")
    assert (project.task, project.target, project.positive_class) == ("classification", "churn", "yes")
    assert project.data.source == "../my data.csv"
    assert project.data.drop == ("customer ID", "row", "since", "note", "country")
    assert project.data.kinds == {"plan": "category", "active": "boolean"}
    assert project.train.estimator == "sklearn.ensemble.RandomForestClassifier"
    assert project.transform.using == "default"
    assert printed["task"] == "classification: churn holds 2 different values"
    text = (here / "shop/trilho.yaml").read_text(encoding="utf-8")
    assert "another value in every row" in text
    assert "free text" in text


def test_numbers_to_predict_make_a_regression(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    customers().to_parquet("customers.parquet")
    project, _ = made(capsys, data="customers.parquet", target="spent")
    assert (project.task, project.primary_metric, project.positive_class) == ("regression", "rmse", None)
    assert project.evaluate.champion.margin == 5.0
    assert project.data.kinds["churn"] in ("boolean", "category")


@pytest.mark.parametrize("labels", [[0, 1], [False, True], ["good", "bad"], ["a", "b", "c"], [1.5, 2.5]])
def test_labels_keep_the_type_that_the_data_gives_them(
    here: Path, capsys: pytest.CaptureFixture[str], labels: list[Any]
) -> None:
    frame = customers().assign(churn=np.resize(np.array(labels, dtype=object), 400))
    frame.infer_objects().to_csv("my.csv", index=False)
    project, _ = made(capsys, data="my.csv", target="churn")
    if len(labels) == 2:
        assert project.positive_class in labels
        assert type(project.positive_class) is type(labels[0])
    else:
        assert project.positive_class is None


def test_a_wide_table_is_written_and_read_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(300, 200)), columns=[f"feature {n}" for n in range(200)])
    frame.assign(y=np.arange(300) % 3).to_csv("wide.csv", index=False)
    project, _ = made(capsys, data="wide.csv", target="y")
    assert project.data.drop == ()
    assert project.positive_class is None


def test_the_source_may_be_anything_that_trilho_reads(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, _ = made(capsys, data="sklearn:diabetes", target="target")
    assert (project.task, project.data.source) == ("regression", "sklearn:diabetes")


def test_how_to_read_the_table_is_written_into_the_project(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = customers()
    frame["age"] = frame["age"].map(lambda age: "?" if np.isnan(age) else str(age))
    frame.to_csv("my.csv", index=False, sep=";")
    read = ["data.options.separator=;", "data.options.na_values=['?']", "data.drop=[spent]"]
    project, _ = made(capsys, data="my.csv", target="churn", settings=read)
    assert project.data.options == {"separator": ";", "na_values": ["?"]}
    assert project.data.drop[0] == "spent"
    assert "age" not in project.data.kinds


def test_an_unknown_target_is_told_with_the_near_column(here: Path) -> None:
    customers().to_csv("my.csv", index=False)
    with pytest.raises(BadData, match=r"no target column 'chrun'\. Did you mean 'churn'") as caught:
        new(Path("shop"), data="my.csv", target="chrun")
    assert "--target COLUMN" in caught.value.remedy
    assert not Path("shop").exists()


def test_a_table_that_cannot_be_read_says_how_to_tell_trilho(here: Path) -> None:
    frame = customers()
    frame["age"] = frame["age"].map(lambda age: "unknown" if np.isnan(age) else str(age))
    frame.to_csv("my.csv", index=False)
    with pytest.raises(BadData, match="mixes numbers and words") as caught:
        new(Path("shop"), data="my.csv", target="churn")
    assert """--set 'data.options.na_values=["unknown"]'""" in caught.value.remedy
    with pytest.raises(SourceUnreadable, match="does not exist"):
        new(Path("shop"), data="mine.csv", target="churn")
    assert [path.name for path in here.iterdir()] == ["my.csv"]


def test_data_and_target_go_together(here: Path) -> None:
    with pytest.raises(typer.BadParameter, match="go together"):
        new(Path("shop"), data="my.csv")
    with pytest.raises(typer.BadParameter, match="without it"):
        new(Path("shop"), settings=["data.drop=[a]"])


def test_a_set_that_says_nothing_about_the_data_is_refused(here: Path) -> None:
    customers().to_csv("my.csv", index=False)
    with pytest.raises(InvalidProject, match="cannot be read this way"):
        new(Path("shop"), data="my.csv", target="churn", settings=["serve.port=1"])


def test_what_was_made_and_what_comes_next_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("my shop").mkdir()
    Path("my shop/.gitignore").write_text("data/\n", encoding="utf-8")
    new(Path("my shop"))
    printed = capsys.readouterr().out
    assert "Made       my shop: 8 files" in printed
    assert "let it leave out .trilho/ and .env" in printed
    assert "Next       cd 'my shop' && trilho run" in printed


def test_how_a_file_is_written_is_found_out_and_written_down(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = customers().rename(columns={"country": "país"})
    frame.to_csv("my.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    project, printed = made(capsys, data="my.csv", target="churn")
    assert project.data.options == {"encoding": "cp1252", "separator": ";", "decimal": ","}
    assert printed["file"] == 'encoding cp1252, separator ";", decimal ","'
    assert "spent" not in project.data.kinds  # a number
    text = (here / "shop/trilho.yaml").read_text(encoding="utf-8")
    assert "# how the file is written" in text


def test_what_the_user_says_of_a_file_goes_before_what_it_looks_like(here: Path) -> None:
    customers().to_csv("my.csv", index=False, sep=";", decimal=",", encoding="utf-8")
    with pytest.raises(BadData, match="column 'age' holds numbers with a comma") as caught:
        new(Path("shop"), data="my.csv", target="churn", settings=["data.options.decimal=.", "data.drop=[spent]"])
    assert """--set 'data.options.decimal=","'""" in caught.value.remedy


def test_dates_and_amounts_in_text_are_called_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = customers()
    frame["since"] = pd.to_datetime(frame["since"]).dt.strftime("%d/%m/%Y")
    frame["spent"] = [f"R$ {spent:,.2f}" for spent in frame["spent"]]
    frame["tax"] = [f"{1 + row % 5}%" for row in range(len(frame))]
    frame.to_csv("my.csv", index=False)
    _, printed = made(capsys, data="my.csv", target="churn")
    left_out = "\n".join(printed["left_out"])
    assert "since: dates such as 01/01/2024: text" in left_out
    assert "spent: numbers such as R$ " in left_out
    assert printed["note"] == [
        "tax holds numbers such as 1%. They are taken as words, without order or size; "
        "a function as data.source can turn them into numbers."
    ]
