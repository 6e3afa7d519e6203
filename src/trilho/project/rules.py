"""What settings mean together: defaults that depend on others, and combinations that cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trilho.project.mistakes import Mistake
from trilho.project.names import (
    BUILT_IN_TRANSFORMS,
    DEFAULT_METRICS,
    METRICS,
    PRIMARY_METRIC,
    did_you_mean,
    metrics_for,
)
from trilho.project.values import convert
from trilho.settings import MAPPINGS, SETTINGS, Origin

Values = dict[str, Any]
Origins = dict[str, Origin]
HISTORY = ".history"  # the registry keeps a model's history under this suffix


def fill(values: Values, origins: Origins) -> None:
    """Add a value and an origin for every setting that nobody gave, where the others allow to tell."""

    def infer(name: str, value: Any, *sources: str) -> None:
        if name not in values and value is not None:
            values[name] = value
            origins[name] = Origin(source="inferred", detail=" and ".join(sources))

    steps = values.get("steps", {})
    infer("train.estimator", steps.get("train"), "steps.train")
    infer("data.source", steps.get("ingest"), "steps.ingest")
    name = values.get("name")
    infer("experiment", name, "name")
    infer("register.name", name, "name")
    _infer_metrics(values, infer)
    for setting in SETTINGS:
        if setting.name in values or setting.required or setting.derived:
            continue
        empty: Any = () if setting.kind == "list" else {} if setting.kind in MAPPINGS else None
        default = empty if setting.default is None else setting.default
        values[setting.name] = default if default is None else convert(setting, default)
        origins[setting.name] = Origin(source="default")


def _infer_metrics(values: Values, infer: Callable[..., None]) -> None:
    """A list of metrics decides which one leads; without one, all metrics that are named anywhere are computed."""
    task = values.get("task")
    if task is None:
        return
    listed = values.get("evaluate.metrics")
    usual = PRIMARY_METRIC[task] if not listed or PRIMARY_METRIC[task] in listed else listed[0]
    chosen = "primary_metric" in values
    infer("primary_metric", usual, *(["task"] if usual == PRIMARY_METRIC[task] else ["evaluate.metrics"]))
    primary = values["primary_metric"]
    if task == "classification" and not chosen and not listed:
        # Labels are coarse: on small test sets a comparison by f1 refuses most truly better models (guides/gates.md).
        infer("evaluate.champion.metric", "brier", "task")
    infer("evaluate.champion.metric", primary if primary in METRICS else usual, "primary_metric")
    named = [primary, values["evaluate.champion.metric"], *values.get("evaluate.thresholds", ())]
    extra = [name for name in named if name in metrics_for(task) and name not in DEFAULT_METRICS[task]]
    sources = ["task", *(["the metrics named elsewhere"] if extra else [])]
    infer("evaluate.metrics", tuple(dict.fromkeys([*DEFAULT_METRICS[task], *extra])), *sources)


def broken_rules(values: Values, origins: Origins) -> list[Mistake]:
    """Every rule that the values break together. Values that are missing break none but that they are."""
    found: list[Mistake] = []

    def tell(name: str, text: str) -> None:
        near = name if name in origins else name.rpartition(".")[0]
        found.append(Mistake(origins.get(near, Origin(source="default")), text))

    for setting in SETTINGS:
        if setting.required and setting.name not in values:
            tell(setting.name, f"{setting.name} is missing: {setting.help[0].lower()}{setting.help[1:]}")
    for rule in (_names, _classes, _metrics, _thresholds, _split, _columns, _transform, _model_dir, _kept, _retrain):
        for name, text in rule(values):
            tell(name, text)
    return found


Findings = Iterator[tuple[str, str]]  # setting, sentence


def _names(values: Mapping[str, Any]) -> Findings:
    for setting in ("name", "register.name"):
        name = values.get(setting)
        if name is None or (setting == "register.name" and name == values.get("name")):
            continue
        if not re.fullmatch(r"[^\W_][\w .-]{0,199}", name) or name != name.strip():
            yield (
                setting,
                f"{setting} is '{name:.60}'; letters, digits, blanks, dots, - and _ are allowed, at most 200.",
            )
        elif name.endswith(HISTORY):
            yield setting, f"{setting} ends with {HISTORY}, which is kept for the history of the model of that name."


def _kept(values: Mapping[str, Any]) -> Findings:
    left_out = [name.startswith("-") for name in values.get("journal.columns") or ()]
    if any(left_out) and not all(left_out):
        yield (
            "journal.columns",
            'journal.columns names columns to keep, or with a "-" before each those to leave out; it does both.',
        )


def _classes(values: Mapping[str, Any]) -> Findings:
    if values.get("task") == "regression" and values.get("positive_class") is not None:
        yield "positive_class", "positive_class has no meaning for task: regression; remove it."


def _metrics(values: Mapping[str, Any]) -> Findings:
    task, computed = values.get("task"), values.get("evaluate.metrics", ())
    if task is None:
        return
    allowed = metrics_for(task)
    own = "evaluate" in values["steps"]  # the user's function may compute anything
    for name in computed:
        if name not in allowed:
            yield "evaluate.metrics", f"evaluate.metrics: {_no_metric(name, task)}"
    primary, compared = values["primary_metric"], values["evaluate.champion.metric"]
    for setting, name in {"primary_metric": primary, "evaluate.champion.metric": compared}.items():
        if name in computed or (setting != "primary_metric" and name == primary):  # fine, or told already
            continue
        if name in allowed:
            yield setting, f"{setting} is {name}, which is not computed; add it to evaluate.metrics."
        elif not own or name in METRICS or setting != "primary_metric":
            yield setting, f"{setting}: {_no_metric(name, task)}"


def _thresholds(values: Mapping[str, Any]) -> Findings:
    task = values.get("task")
    if task is None:
        return
    own = "evaluate" in values["steps"]
    for name, limit in values["evaluate.thresholds"].items():
        setting = f"evaluate.thresholds.{name}"
        if name not in metrics_for(task):
            if not own or name in METRICS:
                yield setting, f"{setting}: {_no_metric(name, task)}"
        elif name not in values.get("evaluate.metrics", ()):
            yield setting, f"{setting}: {name} is not computed; add it to evaluate.metrics."
        else:
            lowest, highest = METRICS[name].range
            if not lowest <= limit <= highest:
                yield setting, f"{setting} is {limit:g}; {name} lies between {lowest:g} and {highest:g}."


def _split(values: Mapping[str, Any]) -> Findings:
    if "split" in values["steps"]:
        return
    method, column = values["split.method"], values["split.time_column"]
    if method == "time" and column is None:
        yield "split.method", "split.method: time needs split.time_column, the column to order the rows by."
    if method != "time" and column is not None:
        yield "split.time_column", f"split.time_column is only for method: time; split.method is {method}."
    if method == "time" and values["split.group_by"] is not None:
        yield (
            "split.group_by",
            "split.group_by cannot be kept by method: time; a group may lie on both sides of the moment.",
        )


def _columns(values: Mapping[str, Any]) -> Findings:
    target, dropped = values.get("target"), values["data.drop"]
    used = {"split.group_by": True, "split.time_column": True, "train.sample_weight": True, "target": False}
    for setting, differs in used.items():
        column = values.get(setting)
        if column is None:
            continue
        if column in dropped:
            yield setting, f"{setting} is {column}, which data.drop takes out."
        if differs and column == target:
            yield setting, f"{setting} is {column}, which is the target."


def _transform(values: Mapping[str, Any]) -> Findings:
    using = values["transform.using"]
    if using in BUILT_IN_TRANSFORMS and values["transform.params"] and "transform" not in values["steps"]:
        yield "transform.params", f"transform.params: {using} takes none; name your own in transform.using."


def _model_dir(values: Mapping[str, Any]) -> Findings:
    folder: Path = values["model_dir"]
    parts = folder.parts
    if folder.is_absolute() or folder.drive or not parts or ".." in parts or parts[0] == ".trilho":
        yield "model_dir", f"model_dir is {folder}; a folder inside the project is expected, such as artifacts/model."


def _retrain(values: Mapping[str, Any]) -> Findings:
    causes = values["retrain.on"]
    if "performance" in causes and not values["evaluate.thresholds"]:
        yield (
            "retrain.on",
            "retrain.on names performance, but evaluate.thresholds sets no metric a limit.",
        )
    if causes and values["retrain.data"] == "original+labelled" and values["journal.columns"]:
        yield (
            "journal.columns",
            "journal.columns leaves features out, and retrain.data: original+labelled needs every one in the journal; "
            "remove it, or set retrain.data: original.",
        )


def _no_metric(name: str, task: str) -> str:
    allowed = metrics_for(task)
    if name in METRICS:
        return f"{name} is for {METRICS[name].tasks[0]}, not for {task}. Allowed: {', '.join(allowed)}."
    return f"there is no metric {name}.{did_you_mean(name, allowed)} Allowed: {', '.join(allowed)}."
