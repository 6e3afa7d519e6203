"""Step 3: from columns to numbers: a transformer fitted on the training rows, part of the model from here on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trilho import bundle
from trilho.errors import BadData, StepFailed, UntrustedModel
from trilho.importer import load_object, source_of
from trilho.steps import default_transform, model_file
from trilho.steps.materials import TEST, Materials

BUILT_IN: dict[str, Callable[..., Any]] = {
    "default": default_transform.default,
    "standard_scaler": default_transform.standard_scaler,
    "none": default_transform.none,
}


def transform(materials: Materials, out: Path) -> str:
    """Write transformer.joblib (fitted) and features.joblib (the training rows transformed).

    In its place: what `transform.using` may name: a scikit-learn transformer, a factory of one, or a function of the
    frame.
    """
    transformer = make_transformer(materials)
    rows = materials.train_rows
    try:
        features = _fitted(transformer, rows, materials.truth(1 - TEST))
    except Exception as error:
        raise StepFailed(
            f"transform.using: {_path(materials)} failed on the training rows.",
            state="Earlier steps are kept.",
            why=f"{type(error).__name__}: {error}",
            remedy="Try it in Python: Project('.').inspect('split') gives the same rows.",
        ) from error
    if len(getattr(features, "shape", ())) != 2 or features.shape[0] != len(rows) or features.shape[1] == 0:
        raise StepFailed(
            f"transform.using: {_path(materials)} made something of shape {getattr(features, 'shape', '?')}.",
            why=f"{len(rows)} training rows went in; as many rows with at least one column must come out.",
            remedy="Keep the rows, and let at least one column through.",
        )
    model_file.write(transformer, out / "transformer.joblib")
    model_file.write(features, out / "features.joblib")
    facts = f"{rows.shape[1]} columns → {features.shape[1]}"
    unused = (
        default_transform.left_out(materials.features) if _path(materials) in ("default", "standard_scaler") else []
    )
    facts += f"; left out: {', '.join(unused)} (text, time or image: see transform.using)" if unused else ""
    return facts + _needs_trust(materials, transformer)


def _needs_trust(materials: Materials, transformer: Any) -> str:
    """Said before training, not when serving refuses: a model that holds the project's own code needs to be trusted."""
    if _path(materials) in BUILT_IN or materials.project.serve.trust_code:
        return ""
    try:
        own = [name for name in bundle.unvetted(transformer) if source_of(name.split(".")[0], materials.project.root)]
    except UntrustedModel:  # told by register, with the remedy
        return ""
    return f"; own code in the model ({', '.join(own)}): serving it needs serve.trust_code: true" if own else ""


def make_transformer(materials: Materials) -> Any:
    """The unfitted transformer that the project names. Raises ImportFailed, StepFailed."""
    path, params = _path(materials), dict(materials.project.transform.params)
    features = materials.features
    if path in ("default", "standard_scaler") and len(default_transform.left_out(features)) == len(features):
        raise BadData(
            "No column is a number, a boolean or a category.",
            why=f"Columns: {', '.join(f'{column.name} ({column.kind})' for column in features)}.",
            remedy="Correct the kinds (data.kinds), or name a transform of your own (transform.using).",
        )
    found = BUILT_IN[path] if path in BUILT_IN else load_object(path)
    if isinstance(found, type) and hasattr(found, "fit"):
        return _called(path, found, params)
    if hasattr(found, "fit") and hasattr(found, "transform"):
        from sklearn.base import clone

        return clone(found, safe=False).set_params(**params) if params else clone(found, safe=False)
    if not callable(found):
        raise StepFailed(
            f"transform.using: {path} is neither a transformer nor a function.",
            remedy="Name a scikit-learn transformer, a function that returns one, or a function of the frame.",
        )
    if takes_frame(found):
        from sklearn.preprocessing import FunctionTransformer

        return FunctionTransformer(found, kw_args=params or None)
    wants_columns = "columns" in inspect.signature(found).parameters
    made = _called(path, found, {**params, **({"columns": features} if wants_columns else {})})
    if not (hasattr(made, "fit") and hasattr(made, "transform")):
        raise StepFailed(
            f"transform.using: {path} returned {type(made).__name__}, not a transformer.",
            why="A function without a required argument is taken for a factory of a transformer.",
            remedy="Return an object with fit and transform, or take the frame as first argument.",
        )
    return made


def takes_frame(function: Callable[..., Any]) -> bool:
    """Is this a function of the frame (its first argument is required), or a factory (needs nothing, or `columns`)?"""
    required = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    return bool(required) and required[0] != "columns"


def _called(path: str, factory: Callable[..., Any], params: Mapping[str, Any]) -> Any:
    try:
        inspect.signature(factory).bind(**params)
    except TypeError as error:
        taken = ", ".join(inspect.signature(factory).parameters) or "nothing"
        raise StepFailed(
            f"transform.params does not fit {path}: {error}.",
            why=f"It takes: {taken}.",
            remedy="Correct transform.params in trilho.yaml.",
        ) from error
    return factory(**params)


def _fitted(transformer: Any, rows: Any, truth: Any) -> Any:
    """The rows transformed by the transformer fitted on them; like scikit-learn's Pipeline does it."""
    if hasattr(transformer, "fit_transform"):
        return transformer.fit_transform(rows, truth)
    return transformer.fit(rows, truth).transform(rows)


def _path(materials: Materials) -> str:
    return materials.project.steps.get("transform", materials.project.transform.using)
