"""What each step is made from: everything that, when it changes, makes the step stale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from trilho import data
from trilho.project.file import ProjectFile
from trilho.steps.code import code_fingerprint
from trilho.steps.labelled import content_with

Ingredients = dict[str, Any]

# Raised by one when a step's output changes its form, so that entries of an older trilho are not read.
FORMATS = {"ingest": 1, "split": 1, "transform": 1, "train": 1, "evaluate": 1, "register": 1}

_BUILT_IN_TRANSFORMS = ("default", "standard_scaler", "none")


def ingredients(step: str, project: ProjectFile, made: Mapping[str, str]) -> Ingredients | None:
    """What `step` is made from, as plain values; None where only running it can tell.

    Args:
        made: Earlier step → digest of its output.
    """
    own = _OWN[step](project)
    if own is None:
        return None
    before = {f"output of {name}": made[name] for name in _BEFORE[step]}
    if "output of train" in before:  # a model file names the code that it runs, it does not hold it
        for name, path in _model_code(project).items():
            before[f"output of {name}"] += " " + code_fingerprint(path, project.root)
    return _plain({**before, **own, "format": FORMATS[step]})


def ingest_ingredients(project: ProjectFile, content: str) -> Ingredients:
    """What ingest is made from, once reading told the content."""
    return _plain({**_of_content(project, content), "format": FORMATS["ingest"]})


def key(found: Ingredients) -> str:
    """The fingerprint of ingredients. Equal ingredients, equal key."""
    text = json.dumps(found, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Why a step is stale, in a few words: "max_depth changed: 6 → 8"."""
    old, new = dict(_flat(before)), dict(_flat(now))
    # As texts: 1, 1.0 and True are equal, and mean different things to an estimator.
    changed = [name for name in {**old, **new} if repr(old.get(name, _ABSENT)) != repr(new.get(name, _ABSENT))]
    if not changed:
        return "its entry is gone"
    # A change of one's own says more than that of a step before.
    own = [name for name in changed if not name.startswith("output of ")]
    first = own[0] if own else changed[-1]  # the nearest of the steps before
    rest = len(own) - 1
    return _worded(first, old.get(first, _ABSENT), new.get(first, _ABSENT)) + (f" and {rest} more" if rest > 0 else "")


_ABSENT = object()
_LONGEST = 40


def _worded(name: str, old: Any, new: Any) -> str:
    if name.startswith("output of "):
        return f"{name.removeprefix('output of ')} changed"
    if name.startswith("code of ") or name in ("content", "format"):
        return f"{name} changed"
    if old is _ABSENT:
        return f"{name} added: {_short(new)}"
    if new is _ABSENT:
        return f"{name} removed: {_short(old)}"
    return f"{name} changed: {_short(old)} → {_short(new)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, "" if name == "params" else f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found


def _plain(found: Mapping[str, Any]) -> Ingredients:
    """As they will be read back from the cache: texts as names, lists for tuples, texts for dates."""
    plain: Ingredients = json.loads(json.dumps(found, default=str))
    return plain


def _code(project: ProjectFile, *paths: str | None) -> dict[str, str]:
    return {f"code of {path}": code_fingerprint(path, project.root) for path in paths if path}


def _model_code(project: ProjectFile) -> dict[str, str]:
    """Step → import string of what it makes a part of the model from; nothing for a built-in transform."""
    using = project.steps.get("transform", project.transform.using)
    own = {} if using in _BUILT_IN_TRANSFORMS else {"transform": using}
    return {**own, "train": project.steps.get("train", project.train.estimator)}


def _versions(*names: str) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[f"version of {name}"] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _ingest(project: ProjectFile) -> Ingredients | None:
    source = project.steps.get("ingest", project.data.source)
    content = data.fingerprint(
        source, root=project.root, options=project.data.options, memory=project.state_dir / "files"
    )
    return None if content is None else _of_content(project, content_with(content, project.labelled))


def _of_content(project: ProjectFile, content: str) -> Ingredients:
    return {"content": content, "data": vars(project.data), "target": project.target, "task": project.task}


def _split(project: ProjectFile) -> Ingredients:
    return {
        "split": vars(project.split),
        "sample_weight": project.train.sample_weight,
        "task": project.task,
        **_code(project, project.steps.get("split")),
    }


def _transform(project: ProjectFile) -> Ingredients:
    using = project.steps.get("transform", project.transform.using)
    return {
        "transform": {**vars(project.transform), "using": using},
        "sample_weight": project.train.sample_weight,  # a column that is no feature
        **_code(project, _model_code(project).get("transform")),
        **_versions("scikit-learn"),
    }


def _train(project: ProjectFile) -> Ingredients:
    using = _model_code(project)["train"]
    section = {name: value for name, value in vars(project.train).items() if name != "trusted_types"}
    return {"train": {**section, "estimator": using}, **_code(project, using)}


def _evaluate(project: ProjectFile) -> Ingredients:
    return {
        "metrics": project.evaluate.metrics,
        "primary_metric": project.primary_metric,
        "positive_class": project.positive_class,
        "sample_weight": project.train.sample_weight,
        "task": project.task,
        **_code(project, project.steps.get("evaluate")),
    }


def _register(project: ProjectFile) -> Ingredients:
    return {
        "register": {"name": project.register.name},
        "model_dir": project.model_dir.as_posix(),
        "trusted_types": project.train.trusted_types,
        "task": project.task,
        **_code(project, project.steps.get("register")),
        **_versions("skl2onnx", "mlflow"),
    }


_OWN: dict[str, Callable[[ProjectFile], Ingredients | None]] = {
    "ingest": _ingest,
    "split": _split,
    "transform": _transform,
    "train": _train,
    "evaluate": _evaluate,
    "register": _register,
}
_BEFORE: dict[str, tuple[str, ...]] = {
    "ingest": (),
    "split": ("ingest",),
    "transform": ("ingest", "split"),
    "train": ("ingest", "split", "transform"),
    "evaluate": ("ingest", "split", "transform", "train"),
    "register": ("ingest", "split", "transform", "train", "evaluate"),
}
STEPS: tuple[str, ...] = tuple(_OWN)
