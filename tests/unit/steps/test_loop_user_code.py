"""Runs with code of the user's: what its change makes stale, and that a run runs the code that its keys name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import pandas as pd
import pytest

from trilho.importer import project_code
from trilho.project.file import ProjectFile
from trilho.steps import Materials, StepResult, inspect, look, run_steps
from unit.steps.cases import module
from unit.steps.runs import CODE, HELPER, each, run, settings, worded, write_project

VOLATILE = """
import pathlib

import pandas as pd

HERE = pathlib.Path(__file__).parent


def read():
    with (HERE / "calls").open("a") as calls:
        calls.write("x")
    return pd.read_csv(HERE / "shop.csv")
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectFile]:
    yield write_project(
        tmp_path,
        transform={"using": "mine:build"},
        train={"estimator": "mine:train", "params": {"C": 0.5}},
        steps={"split": "mine:split", "evaluate": "mine:evaluate"},
    )
    for name in ("mine", "helper", "reading"):
        sys.modules.pop(name, None)


def edit(project: ProjectFile, name: str, old: str, new: str) -> None:
    text = {"mine": CODE, "helper": HELPER}[name]
    assert text.count(old) == 1
    module(project.root, name, text.replace(old, new))


def changed(now: dict[str, str]) -> dict[str, str]:
    return {step: word for step, word in now.items() if word != "reused"}


def test_unchanged_code_is_reused(project: ProjectFile) -> None:
    assert run(project) == each("ran: first run")
    assert run(project) == each("reused")


@pytest.mark.parametrize(
    ("old", "new"),
    [("return 1\n", "return 2\n"), ("import LogisticRegression\n", "import LogisticRegression  # linear\n")],
)
def test_a_change_that_no_step_reaches_runs_nothing(project: ProjectFile, old: str, new: str) -> None:
    run(project)
    edit(project, "mine", old, new)
    assert run(project) == each("reused")


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "mine",
            "% 5 == 0",
            "% 5 == 1",
            {
                "split": "ran: code of mine:split changed",
                "transform": "ran: split changed",
                "train": "ran: transform changed",
                "evaluate": "ran: train changed",
            },
        ),
        (
            "helper",
            "frame / 10",
            "frame / 20",
            {
                "transform": "ran: code of mine:build changed",
                "train": "ran: transform changed",
                "evaluate": "ran: train changed",
            },
        ),
        (
            "mine",
            "max_iter=10_000",
            "max_iter=10_001",
            {"train": "ran: code of mine:train changed", "evaluate": "ran: train changed"},
        ),
        ("mine", '{"rows": len(frame)}', '{"r": len(frame)}', {"evaluate": "ran: code of mine:evaluate changed"}),
    ],
)
def test_a_change_runs_the_steps_that_reach_it(
    project: ProjectFile, name: str, old: str, new: str, expected: dict[str, str]
) -> None:
    run(project)
    edit(project, name, old, new)
    assert changed({result.step: worded(result) for result in look(project)})
    assert changed(run(project)) == expected
    assert run(project) == each("reused")


def test_a_change_that_makes_the_same_model_file_is_evaluated_again(project: ProjectFile) -> None:
    # The transform answers otherwise for a missing value, which no training row has: the files made are equal.
    run(project)
    edit(project, "helper", "frame / 10", "frame.fillna(7) / 10")
    assert changed(run(project)) == {
        "transform": "ran: code of mine:build changed",
        "evaluate": "ran: transform changed",
    }


# One process that lives on, as a notebook does.


def answer(project: ProjectFile) -> float:
    """What the kept transform makes of 10."""
    with project_code(project.root):
        transformer = inspect(project, "transform")
        return float(transformer.transform(pd.DataFrame({"a": [10.0]}))["a"][0])


def test_a_run_in_the_same_process_runs_the_edited_code(project: ProjectFile) -> None:
    run(project)
    assert answer(project) == 1.0
    edit(project, "helper", "frame / 10", "frame / 20")
    (_, _, result) = run_steps(project, until="transform")
    assert result.folder is not None
    features = joblib.load(result.folder / "features.joblib")
    frame = pd.read_csv(project.root / "shop.csv")
    train = frame[frame.index % 5 != 0].reset_index(drop=True)
    pd.testing.assert_series_equal(features["mean area"], train["mean area"] / 20)
    assert answer(project) == 0.5


def test_code_edited_during_a_run_is_run_by_the_steps_that_have_not_run_yet(project: ProjectFile) -> None:
    def watch(result: StepResult, materials: Materials) -> None:
        if (result.step, result.status) == ("train", "ran"):
            edit(project, "mine", '{"rows": len(frame)}', '{"edited": len(frame)}')

    run(project, watch=(watch,))
    assert inspect(project, "evaluate")["test"].keys() >= {"edited"}
    assert run(project) == each("reused")


def test_another_project_of_the_same_module_names_runs_its_own_code(project: ProjectFile, tmp_path: Path) -> None:
    run(project)
    other = write_project(tmp_path / "other", transform={"using": "mine:build"})
    edit(other, "helper", "frame / 10", "frame / 40")
    run(other)
    assert [answer(other), answer(project)] == [0.25, 1.0]


# A source that only reading tells about.


def test_a_function_as_source_is_read_each_time_and_the_rest_reused(tmp_path: Path) -> None:
    write_project(tmp_path)
    module(tmp_path, "reading", VOLATILE)
    project = settings(tmp_path, data={"source": "reading:read"})
    again = "ran: only reading the source tells whether it changed"
    assert run(project) == {**each("ran: first run"), "ingest": again}
    (kept,) = (tmp_path / ".trilho" / "cache" / "ingest").glob("*/data.parquet")
    before = kept.stat().st_ino, kept.stat().st_mtime_ns
    assert run(project) == {**each("reused"), "ingest": again}
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == before  # others may be reading it
    assert (tmp_path / "calls").read_text(encoding="utf-8") == "xx"
    assert [path.name[0] != "." for path in (tmp_path / ".trilho" / "cache" / "ingest").iterdir()] == [True]
    assert next(iter(look(project))).reason == again.removeprefix("ran: ")


def test_a_function_as_source_that_gives_other_rows_runs_the_rest(tmp_path: Path) -> None:
    write_project(tmp_path)
    module(tmp_path, "reading", VOLATILE)
    project = settings(tmp_path, data={"source": "reading:read"})
    run(project)
    file = tmp_path / "shop.csv"
    whole = file.read_text(encoding="utf-8")
    file.write_text("\n".join(whole.splitlines()[:120]) + "\n", encoding="utf-8")
    assert run(project)["split"] == "ran: ingest changed"
    file.write_text(whole, encoding="utf-8")
    assert set(changed(run(project))) == {"ingest"}


def test_a_function_in_the_place_of_ingest_is_read_each_time_too(tmp_path: Path) -> None:
    write_project(tmp_path)
    module(tmp_path, "reading", VOLATILE)
    project = settings(tmp_path, steps={"ingest": "reading:read"})
    run(project)
    assert set(changed(run(project))) == {"ingest"}
