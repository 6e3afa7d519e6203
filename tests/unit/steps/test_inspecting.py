from __future__ import annotations

from pathlib import Path

import pytest

from trilho.errors import NotRunYet, UnknownName
from trilho.project.file import ProjectFile
from trilho.steps import STEPS, inspect
from trilho.steps.inspecting import inspect_text, last_result
from unit.steps.runs import run, settings, write_project


@pytest.fixture
def project(tmp_path: Path) -> ProjectFile:
    return write_project(tmp_path)


def test_each_step_shows_what_it_made(project: ProjectFile) -> None:
    run(project)
    frame, (train, test) = inspect(project, "ingest"), inspect(project, "split")
    assert list(frame.columns) == ["mean radius", "mean area", "mean texture", "target"]
    assert len(frame) == len(train) + len(test) == 150
    assert not set(train.index) & set(test.index)
    assert inspect(project, "transform").transform(train.drop(columns="target")).shape == (len(train), 3)
    assert set(inspect(project, "train").predict(test.drop(columns="target"))) <= {0, 1}
    assert set(inspect(project, "evaluate")["test"]) == {"f1", "accuracy"}


def test_a_step_shows_what_it_made_last(project: ProjectFile) -> None:
    run(project)
    deeper = settings(project.root, train={"estimator": project.train.estimator, "params": {"max_depth": 1}})
    run(deeper)
    assert inspect(project, "train").steps[-1][1].max_depth == 1
    run(project)
    assert inspect(project, "train").steps[-1][1].max_depth == 2


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_has_not_run_says_how_to_run_it(project: ProjectFile, step: str) -> None:
    for look in (inspect, inspect_text, last_result):
        with pytest.raises(NotRunYet, match=f"Step {step} has not run yet") as caught:
            look(project, step)
        assert caught.value.remedy == f"trilho run {step}"


def test_a_step_that_does_not_exist_is_refused_with_those_that_do(project: ProjectFile) -> None:
    for look in (inspect, inspect_text, last_result):
        with pytest.raises(UnknownName, match="no step 'trian'") as caught:
            look(project, "trian")
        assert "ingest, split, transform, train, evaluate, register" in caught.value.why


@pytest.mark.parametrize(
    ("step", "part"),
    [
        ("ingest", "mean radius"),
        ("split", "test\n"),
        ("transform", "SimpleImputer"),
        ("train", "DecisionTreeClassifier"),
        ("evaluate", '"accuracy"'),
    ],
)
def test_the_text_of_a_step_shows_the_same(project: ProjectFile, step: str, part: str) -> None:
    run(project)
    assert part in inspect_text(project, step)


def test_the_text_of_ingest_counts_what_is_missing_in_each_column(tmp_path: Path) -> None:
    import pandas as pd

    table = tmp_path / "rows.csv"
    pd.DataFrame({"age": [31.0, None, None, 40.0], "shop": ["a", "b", "a", None], "bought": [0, 1, 0, 1]}).to_csv(
        table, index=False
    )
    project = write_project(tmp_path, data={"source": "rows.csv"}, target="bought")
    run(project, "ingest")
    lines = {
        line.split()[0]: line.split()[1:] for line in inspect_text(project, "ingest").split("\n\n")[1].splitlines()
    }
    assert lines["age"][1:] == ["2", "2"]
    assert lines["shop"][1:] == ["1", "2"]
    assert lines["bought"][1:] == ["0", "2"]


def test_the_last_result_tells_the_facts(project: ProjectFile) -> None:
    run(project, "ingest")
    result = last_result(project, "ingest")
    assert (result.status, result.facts) == ("reused", "150 rows, 4 columns")
    assert result.folder is not None
    assert result.key == result.folder.name
