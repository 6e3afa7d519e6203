"""A page about a model that says only what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trilho.project.file import ProjectFile
from trilho.steps.facts import counted


def model_card(
    project: ProjectFile, *, dataset: Mapping[str, Any], evaluation: Mapping[str, Any], params: Mapping[str, object]
) -> str:
    """Markdown: what it predicts, from which data, how well, made by what.

    Source:
        The headings follow Mitchell et al. (2019), "Model Cards for Model Reporting", FAT* 220-229, as far as a
        machine can fill them.
    """
    rows = evaluation["rows"]
    labels = ", ".join(
        f"{label} ({name})" if str(label) != name else name
        for label, name in zip(evaluation["labels"], evaluation["label_names"], strict=True)
    )
    shown = [f"| {name} | {evaluation['test'][name]:.4f} | {_train(evaluation, name)} |" for name in evaluation["test"]]
    lines = [
        f"# {project.register.name}",
        "",
        f"Predicts **{project.target}** ({project.task})." + (f" Labels: {labels}." if labels else ""),
        "",
        "## Data",
        "",
        f"- Source: `{dataset['source']}`, fingerprint `{dataset['fingerprint']}`",
        f"- {counted(rows['train'], 'row')} to train on, {rows['test']:,} to test on, split by {project.split.method}"
        + (f", grouped by {project.split.group_by}" if project.split.group_by else ""),
        "",
        "## Metrics",
        "",
        "| metric | test | train |",
        "| --- | --- | --- |",
        *shown,
        "",
        "## How it was made",
        "",
        f"- Transform: `{project.transform.using}`",
        f"- Estimator: `{project.train.estimator}`",
        *(f"- {name}: `{value}`" for name, value in sorted(params.items())),
        "",
        "## Not covered",
        "",
        "What the model is meant for, whom its errors touch and what it is not for: only its authors can say.",
    ]
    return "\n".join(lines) + "\n"


def _train(evaluation: Mapping[str, Any], name: str) -> str:
    return f"{evaluation['train'][name]:.4f}" if name in evaluation["train"] else ""
