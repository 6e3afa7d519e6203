"""The trilho.yaml of a table of one's own: what was inferred, each with its reason beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trilho.errors import InvalidProject
from trilho.project.infer import Choice, Inferred
from trilho.project.layers import Layer, from_flags, laid_over
from trilho.project.mistakes import Mistake
from trilho.project.new import module_name, project_name, render, template_text
from trilho.project.quoting import commented, quoted
from trilho.project.values import convert
from trilho.settings import BY_NAME

_COMMENT = 34  # the column that comments start at, where the value leaves room


def own_data_file(
    inferred: Inferred,
    *,
    folder: Path,
    source: str,
    target: str,
    rows: int,
    columns: int,
    given: Mapping[str, Any],
) -> str:
    """The text of trilho.yaml.

    Args:
        inferred: What the data suggests.
        folder: The project's folder; its name becomes the project's.
        source: As data.source will say it.
        target: The column to predict.
        rows, columns: How much data there is, target included.
        given: What the user said about the data: options, kinds, drop of `data`; kinds and drop hold beside what was
            inferred.
    """
    name = project_name(folder)
    positive = inferred.positive_class
    return render(
        template_text("own-data.yaml"),
        name=name,
        quoted_name=quoted(name),
        module=module_name(name),
        file=commented(source),
        rows=f"{rows:,}",
        columns=f"{columns:,}",
        notes="".join(f"#\n# Note: {commented(note, 200)}\n" for note in inferred.notes),
        task=_said(inferred.task, len("task: ")),
        target=quoted(target),
        positive_class=f"positive_class: {_said(positive, len('positive_class: '))}\n" if positive else "",
        primary_metric=_said(inferred.primary_metric, len("primary_metric: ")),
        source=quoted(source),
        data="\n".join(_data(inferred, given)),
        split=_said(inferred.split, len("split: ")),
        estimator=_said(inferred.estimator, len("  estimator: ")),
        params=_said(inferred.params, len("  params: ")),
        metrics=quoted(inferred.metrics),
        primary=inferred.primary_metric.value,
        champion=_said(
            Choice(
                value={"metric": inferred.primary_metric.value, "margin": inferred.margin.value},
                why=f"not worse by more, with 95 % confidence{_also(inferred.margin.why)}",
            ),
            len("  champion: "),
        ),
    )


def reading(overrides: Sequence[str]) -> Mapping[str, Any]:
    """What `--set data.…=` says about reading a table: options, kinds, drop.

    Raises:
        InvalidProject: mistakes in them, all at once, or a setting that is not about reading.
    """
    mistakes: list[Mistake] = []
    merged: Layer = {}
    for layer in from_flags(overrides, mistakes):
        merged = laid_over(merged, layer)
    for name, node in merged.items():
        if name not in ("data.options", "data.kinds", "data.drop"):
            mistakes.append(
                Mistake(node.origin, f"{name} is for trilho.yaml; here go data.options, data.kinds, data.drop.")
            )
    if mistakes:
        raise InvalidProject(
            "The data cannot be read this way.",
            state="No project was made.",
            why="\n".join(f"  {mistake}" for mistake in mistakes),
            remedy="Correct --set, for example: --set 'data.drop=[a, b]'",
        )
    return {name.removeprefix("data."): convert(BY_NAME[name], node.plain()) for name, node in merged.items()}


def source_for(file: Path, folder: Path) -> str:
    """How a project in `folder` names a file: relative to the project, so that both can be moved together.

    Where no relative path exists (another drive on Windows) it is the absolute one.
    """
    try:
        return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return file.resolve().as_posix()


def _data(inferred: Inferred, given: Mapping[str, Any]) -> list[str]:
    lines = []
    if given.get("options"):
        lines.append(_beside(f"  options: {quoted(dict(given['options']))}", "how the file is written"))
    kinds = {**inferred.kinds, **given.get("kinds", {})}
    numbers = f"{inferred.numbers} number{'' if inferred.numbers == 1 else 's'}"
    if kinds:
        lines.append(f"  kinds:{'':<{_COMMENT - 8}}# what a column is; the others, {numbers}, need no word")
        lines += [f"    {quoted(column)}: {quoted(kind)}" for column, kind in kinds.items()]
    else:
        lines.append(
            f"  # kinds: {{code: category}}{'':<8}# what a column is, where trilho is wrong; all {numbers} here"
        )
    dropped = {**dict.fromkeys(given.get("drop", ()), "as you said"), **inferred.drop}
    if dropped:
        lines.append(f"  drop:{'':<{_COMMENT - 7}}# columns that are no features")
        lines += [_beside(f"    - {quoted(column)}", commented(why)) for column, why in dropped.items()]
    return lines


def _said(choice: Choice, before: int) -> str:
    """A value with its reason beside it; `before` is what stands left of it on the line."""
    return _beside(" " * before + quoted(choice.value), commented(choice.why))[before:]


def _beside(text: str, why: str) -> str:
    return f"{text:<{_COMMENT - 1}} # {why}" if why else text


def _also(why: str) -> str:
    return f" ({why})" if why else ""
