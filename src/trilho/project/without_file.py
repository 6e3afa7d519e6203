"""Settings where there is no trilho.yaml: a model is served on a machine that has none of its project."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from trilho.project.file import ProjectFile
from trilho.project.layers import from_environment, from_flags, laid_over
from trilho.project.mistakes import Mistake, report
from trilho.project.rules import Origins, Values, fill
from trilho.project.sections import project_file
from trilho.project.values import convert
from trilho.settings import BY_NAME

_UNUSED = {"task": "classification", "target": "-", "data.source": "-", "train.estimator": "-"}  # by who serves only


def settings_without_file(
    folder: Path, *, overrides: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> ProjectFile:
    """What environment and flags say, over the defaults. Of use to verbs that need no data and train nothing.

    Args:
        folder: Where `.trilho` goes.

    Raises:
        InvalidProject: all mistakes at once.
    """
    mistakes: list[Mistake] = []
    layer = from_environment(os.environ if environment is None else environment, mistakes)
    for flags in from_flags(overrides, mistakes):
        layer = laid_over(layer, flags)
    report(mistakes, folder)
    values: Values = {"name": folder.resolve().name or "model", **_UNUSED}
    values |= {name: convert(BY_NAME[name], node.plain()) for name, node in layer.items() if node.content is not None}
    origins: Origins = {name: node.origin for name, node in layer.items()}
    fill(values, origins)
    return project_file(folder.resolve(), "local", values, origins)
