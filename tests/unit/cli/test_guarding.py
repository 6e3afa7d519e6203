"""What the guard says, and when it looks at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conftest import free_port
from trilho.cli.guarding import Guard, _news
from trilho.monitoring import Finding, Guarded, Reading
from trilho.platform.heartbeat import Heartbeat
from trilho.project import ProjectFile, load
from trilho.registry import Event


@pytest.fixture
def project(tmp_path: Path) -> ProjectFile:
    """A project whose model server nobody started."""
    text = "name: churn\ntask: classification\ntarget: left\ndata: {source: 'sklearn:breast_cancer'}\n"
    text += f"train: {{estimator: sklearn.linear_model.LogisticRegression}}\nserve: {{port: {free_port()}}}\n"
    (tmp_path / "trilho.yaml").write_text(text, encoding="utf-8")
    return load(tmp_path)


def promotion(number: int, before: int, after: int) -> Event:
    return Event(number=number, kind="promoted", before=before, after=after, who="ana", when=0.0, why="")


AT_REST = Guarded(reading=Reading(in_charge="1"))
WATCHED = Guarded(
    reading=Reading(in_charge="2"),
    promotion=promotion(2, 1, 2),
    finding=Finding(outcome="fine", text="0 of 60 requests failed in v2 (0.0%)"),
)
BACK = Event(number=3, kind="rolled back", before=2, after=1, who="trilho guard", when=0.0, why="")


@pytest.mark.parametrize(
    ("before", "found", "told"),
    [
        (AT_REST, AT_REST, []),
        (AT_REST, WATCHED, [("Guarding", "churn v2, was v1, for 10m")]),
        (WATCHED, WATCHED, []),
        (
            WATCHED,
            Guarded(reading=Reading(in_charge="2")),
            [("Guarded", "churn v2 stays: 0 of 60 requests failed in v2 (0.0%)")],
        ),
        (
            WATCHED,
            Guarded(reading=Reading(in_charge="3"), promotion=promotion(3, 2, 3)),
            [
                ("Guarded", "churn v2 is not in charge any more, v3 is"),
                ("Guarding", "churn v3, was v2, for 10m"),
            ],
        ),
        (
            WATCHED,
            replace(WATCHED, rollback=BACK, finding=Finding(outcome="failing", text="9 of 60 requests failed")),
            [("Rolled back", "churn v1 is champion, was v2: 9 of 60 requests failed")],
        ),
        (replace(WATCHED, rollback=BACK), replace(WATCHED, rollback=BACK), []),
        (replace(WATCHED, rollback=BACK), AT_REST, []),
    ],
)
def test_each_thing_is_said_once(
    project: ProjectFile, before: Guarded, found: Guarded, told: list[tuple[str, str]]
) -> None:
    assert _news(project, before, found) == told


def test_server_that_does_not_answer_is_said_once(project: ProjectFile, capsys: pytest.CaptureFixture[str]) -> None:
    guard = Guard(project, json=False)
    for _ in range(3):
        guard.look()
    said = capsys.readouterr()
    assert said.err.count("does not say how it is") == 1
    assert said.out == ""


@pytest.mark.parametrize(("lasts", "looks"), [(600.0, True), (0.0, False)])
def test_guard_that_is_turned_off_does_not_look(
    project: ProjectFile, capsys: pytest.CaptureFixture[str], lasts: float, looks: bool
) -> None:
    guard = Guard(replace(project, guard=replace(project.guard, lasts=lasts)), json=False)
    assert guard.wait(0.01, Heartbeat(None, ""))
    assert ("does not say how it is" in capsys.readouterr().err) is looks


def test_guard_ends_with_the_service(project: ProjectFile, tmp_path: Path) -> None:
    gone = Heartbeat(tmp_path / "no-record.json", "id")
    assert not Guard(project, json=False).wait(600, gone)
