"""The allowed names are values in `project`; here they are compared with what exists in the other rooms."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args

from trilho import data, metrics
from trilho.gates.evidence import Policy
from trilho.project import ProjectFile, file, names
from trilho.project.layers import SECTIONS
from trilho.project.sections import SECTION_TYPES
from trilho.settings import BY_NAME
from trilho.steps.transform import BUILT_IN


def test_metrics_are_those_that_can_be_measured_and_mean_the_same() -> None:
    assert list(names.METRICS) == list(metrics.METRICS)
    for name, metric in names.METRICS.items():
        measured = metrics.METRICS[name]
        assert (metric.tasks, metric.greater_is_better) == (measured.tasks, measured.greater_is_better), name
        assert metric.range == measured.range, name


def test_column_kinds_are_those_of_data() -> None:
    assert names.COLUMN_KINDS == data.KINDS


def test_transforms_are_those_that_are_built_in() -> None:
    assert set(names.BUILT_IN_TRANSFORMS) == set(BUILT_IN)


def test_policies_are_those_that_gates_know() -> None:
    assert set(names.PROMOTE) == set(get_args(Policy)) == set(get_args(file.Promote))


def test_tasks_have_metrics_of_their_own() -> None:
    assert get_args(file.Task) == names.TASKS
    for task in names.TASKS:
        assert set(names.DEFAULT_METRICS[task]) <= set(names.metrics_for(task))
        assert names.PRIMARY_METRIC[task] in names.DEFAULT_METRICS[task]


def test_every_setting_has_a_place_in_the_values_and_every_value_a_setting() -> None:
    expected = set(BY_NAME)
    apart = {"root", "profile", "labelled", "origins"}
    found = {name for name in _leaves(ProjectFile, "") if name not in apart}
    assert found == expected
    assert set(SECTION_TYPES) == set(SECTIONS)


def _leaves(kind: Any, prefix: str) -> list[str]:
    leaves = []
    for field in fields(kind):
        name = f"{prefix}{field.name}"
        leaves += (
            _leaves(SECTION_TYPES[name], f"{name}.")
            if name in SECTION_TYPES and is_dataclass(SECTION_TYPES[name])
            else [name]
        )
    return leaves
