from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trilho.errors import BadData, ImportFailed, SourceUnreadable, StepFailed
from trilho.project.file import ProjectFile
from trilho.steps import Materials, StepResult, look, run_steps
from trilho.steps.cache import Cache, Entry
from unit.steps.cases import module
from unit.steps.runs import UP_TO_EVALUATE, Told, each, run, settings, teller, worded, write_project


@pytest.fixture
def project(tmp_path: Path) -> ProjectFile:
    return write_project(tmp_path)


def seen(project: ProjectFile) -> dict[str, str]:
    """What a look says of the steps up to evaluate."""
    found = {result.step: worded(result) for result in look(project)}
    assert found.pop("register").startswith("stale")
    return found


def changed(now: dict[str, str]) -> dict[str, str]:
    return {step: word for step, word in now.items() if word != "reused"}


def test_the_first_run_runs_every_step_and_the_second_reuses_all(project: ProjectFile) -> None:
    assert run(project) == each("ran: first run")
    assert run(project) == each("reused")


def test_a_reused_step_tells_what_it_told_when_it_ran(project: ProjectFile) -> None:
    first, second = run_steps(project, until="evaluate"), run_steps(project, until="evaluate")
    assert [result.facts for result in first] == [result.facts for result in second]
    assert first[0].facts == "150 rows, 4 columns"
    assert [(result.folder, result.key) for result in first] == [(result.folder, result.key) for result in second]
    assert all(result.folder and result.folder.name == result.key for result in second)


def test_a_run_goes_as_far_as_it_is_asked_to(project: ProjectFile) -> None:
    assert list(run(project, "transform")) == ["ingest", "split", "transform"]
    assert changed(run(project)) == {"train": "ran: first run", "evaluate": "ran: first run"}


def test_a_changed_param_runs_train_and_what_is_after_it(project: ProjectFile) -> None:
    run(project)
    deeper = settings(project.root, train={"estimator": project.train.estimator, "params": {"max_depth": 3}})
    assert changed(run(deeper)) == {"train": "ran: max_depth changed: 2 → 3", "evaluate": "ran: train changed"}
    assert run(project) == each("reused")  # and back
    assert run(deeper) == each("reused")


def test_a_step_that_makes_the_same_as_before_leaves_the_rest_fresh(project: ProjectFile) -> None:
    run(project)
    as_before = settings(project.root, transform={"using": "none"})  # all numbers, none missing: the features are equal
    assert "train" in changed(run(as_before))  # but the transform in the model is another
    same = settings(project.root, split={"time_column": None, "test_size": 0.2000000001})
    assert changed(run(same)) == {"split": "ran: split.test_size changed: 0.2 → 0.2000000001"}


def test_changed_data_runs_every_step(project: ProjectFile) -> None:
    run(project)
    file = project.root / "shop.csv"
    pd.read_csv(file).iloc[:-1].to_csv(file, index=False)
    assert run(project) == {
        "ingest": "ran: content changed",
        "split": "ran: ingest changed",
        "transform": "ran: split changed",
        "train": "ran: transform changed",
        "evaluate": "ran: train changed",
    }


def test_a_forced_step_runs_though_nothing_changed(project: ProjectFile) -> None:
    run(project)
    assert changed(run(project, force=frozenset({"train"}))) == {"train": "ran: forced"}
    assert run(project, force=frozenset(UP_TO_EVALUATE)) == each("ran: forced")
    assert run(project) == each("reused")


@pytest.mark.parametrize("step", UP_TO_EVALUATE)
def test_a_damaged_entry_is_made_again_and_reported(project: ProjectFile, step: str) -> None:
    results = {result.step: result for result in run_steps(project, until="evaluate")}
    folder = results[step].folder
    assert folder is not None
    victim = max(
        (path for path in folder.iterdir() if path.is_file() and path.suffix != ".txt" and path.name != "entry.json"),
        key=lambda path: path.stat().st_size,
    )
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    now = run(project)
    assert changed(now) == {step: f"ran: cache entry damaged ({victim.name} was altered), made again"}
    assert victim.read_bytes() == whole
    assert run(project) == each("reused")


def test_an_entry_whose_record_is_cut_in_half_is_made_again(project: ProjectFile) -> None:
    result = run_steps(project, until="evaluate")[3]
    assert result.folder is not None
    record = result.folder / "entry.json"
    record.write_bytes(record.read_bytes()[:40])
    assert changed(run(project)) == {
        "train": "ran: cache entry damaged (entry.json cannot be read (JSONDecodeError)), made again"
    }


def test_watchers_are_told_in_order_of_what_starts_and_what_is_done(project: ProjectFile) -> None:
    told: Told = []
    also: Told = []
    run(project, "split", watch=(teller(told), teller(also)))
    assert told == [("ingest", "running"), ("ingest", "ran"), ("split", "running"), ("split", "ran")]
    assert also == told
    told.clear()
    run(project, "split", watch=(teller(told),))
    assert told == [("ingest", "reused"), ("split", "reused")]


def test_a_watcher_can_read_what_is_done(project: ProjectFile) -> None:
    rows = {}

    def watch(result: StepResult, materials: Materials) -> None:
        if result.status == "ran" and result.step in ("ingest", "split", "evaluate"):
            rows[result.step] = (len(materials.dataset.frame), set(materials.folders))

    run(project, watch=(watch,))
    assert rows == {
        "ingest": (150, {"ingest"}),
        "split": (150, {"ingest", "split"}),
        "evaluate": (150, set(UP_TO_EVALUATE)),
    }


# A look without a run.


def test_a_look_says_what_a_run_would_do(project: ProjectFile) -> None:
    fresh = {"ingest": "stale: first run"}
    assert seen(project) == {**fresh, **dict.fromkeys(UP_TO_EVALUATE[1:], "stale: ingest runs before it")}
    run(project)
    assert seen(project) == each("reused")
    deeper = settings(project.root, train={"estimator": project.train.estimator, "params": {"max_depth": 3}})
    assert changed(seen(deeper)) == {
        "train": "stale: max_depth changed: 2 → 3",
        "evaluate": "stale: train runs before it",
    }
    assert changed(run(deeper))["train"] == "ran: max_depth changed: 2 → 3"
    assert seen(deeper) == each("reused")


def test_a_look_names_damage_and_changes_nothing(project: ProjectFile) -> None:
    result = run_steps(project, until="evaluate")[1]
    assert result.folder is not None
    (result.folder / "parts.npy").unlink()
    for _ in range(2):
        assert seen(project)["split"] == "stale: cache entry damaged (parts.npy is missing), made again"


# What cannot be run.


def test_a_function_of_the_users_that_raises_is_named_and_the_steps_before_are_kept(project: ProjectFile) -> None:
    module(project.root, "mine", "def split(frame):\n    return frame['absent']\n")
    broken = replace(project, steps={"split": "mine:split"})
    with pytest.raises(StepFailed, match=r"Step split failed in mine:split\.") as caught:
        run(broken)
    assert "KeyError: 'absent'" in caught.value.why
    assert "trilho run split" in caught.value.remedy
    assert isinstance(caught.value.__cause__, KeyError)
    module(project.root, "mine", "def split(frame):\n    return frame.index % 5 == 0\n")
    assert changed(run(broken)) == {
        "split": "ran: first run",
        "transform": "ran: first run",
        "train": "ran: first run",
        "evaluate": "ran: first run",
    }


@pytest.mark.parametrize("step", ["split", "train", "evaluate"])
def test_a_user_function_that_ends_the_program_has_failed(project: ProjectFile, step: str) -> None:
    module(project.root, "mine", f"import sys\ndef {step}(*args, **params):\n    sys.exit(0)\n")
    with pytest.raises(StepFailed, match=f"mine:{step}") as caught:
        run(replace(project, steps={step: f"mine:{step}"}))
    assert "SystemExit: 0" in caught.value.why


@pytest.mark.parametrize("step", ["transform", "train", "evaluate"])
def test_a_user_function_that_raises_in_any_step_is_named_and_leaves_nothing(project: ProjectFile, step: str) -> None:
    module(project.root, "mine", f"def {step}(*args, **params):\n    raise RuntimeError('out of luck')\n")
    broken = replace(project, steps={step: f"mine:{step}"})
    with pytest.raises(StepFailed, match=f"mine:{step}") as caught:
        run(broken)
    assert "RuntimeError: out of luck" in caught.value.why
    assert list((project.state_dir / "cache" / step).iterdir()) == []
    assert Cache(project.state_dir / "cache").last(step) is None


def test_a_stop_by_the_user_leaves_nothing_half_made(project: ProjectFile) -> None:
    module(project.root, "mine", "def train(X, y):\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        run(replace(project, steps={"train": "mine:train"}, train=replace(project.train, params={})))
    assert list((project.state_dir / "cache" / "train").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"data": {"source": "absent.csv"}}, SourceUnreadable),
        ({"target": "absent"}, BadData),
        ({"steps": {"train": "absent_module:train"}}, ImportFailed),
        ({"split": {"method": "time", "time_column": "absent"}}, BadData),
    ],
)
def test_errors_that_teach_pass_through_as_they_are(project: ProjectFile, changes: dict[str, Any], error: Any) -> None:
    with pytest.raises(error, match="absent"):
        run(settings(project.root, **changes))


# The data changes under the run.


def test_data_that_changes_between_the_look_and_the_reading_is_kept_under_what_was_read(project: ProjectFile) -> None:
    file = project.root / "shop.csv"
    old = file.read_text(encoding="utf-8")

    def shorten(result: StepResult, materials: Materials) -> None:
        if (result.step, result.status) == ("ingest", "running"):
            file.write_text("\n".join(old.splitlines()[:100]) + "\n", encoding="utf-8")

    assert run_steps(project, until="ingest", watch=(shorten,))[0].facts == "99 rows, 4 columns"
    assert run(project, "ingest") == {"ingest": "reused"}
    file.write_text(old, encoding="utf-8")
    (result,) = run_steps(project, until="ingest")
    assert (result.status, result.facts) == ("ran", "150 rows, 4 columns")


# The finished register step may no longer stand outside.


def test_register_runs_again_when_it_no_longer_stands(project: ProjectFile) -> None:
    run(project, "register")
    asked: list[Entry] = []

    def gone(entry: Entry) -> str:
        asked.append(entry)
        return "shop v1 is gone from the registry"

    assert run(project, "register")["register"] == "reused"
    found = {result.step: worded(result) for result in look(project, confirm=gone)}
    assert found["register"] == "stale: shop v1 is gone from the registry"
    assert changed(run(project, "register", confirm=gone)) == {"register": "ran: shop v1 is gone from the registry"}
    assert [entry.folder.parent.name for entry in asked] == ["register", "register"]
