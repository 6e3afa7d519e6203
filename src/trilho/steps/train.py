"""Step 4: fit the estimator on the transformed training rows."""

from __future__ import annotations

import difflib
import inspect
import warnings
from pathlib import Path
from typing import Any

from trilho.errors import StepFailed
from trilho.importer import load_object
from trilho.steps import model_file
from trilho.steps.facts import counted
from trilho.steps.materials import TEST, Materials


def train(materials: Materials, out: Path) -> str:
    """Write model.joblib: a scikit-learn Pipeline of the fitted transform and the fitted estimator.

    In its place: `train(X, y, **params) -> fitted estimator`, with `sample_weight` where it takes one; the same as
    naming a function in `train.estimator`.
    """
    import joblib
    from sklearn.pipeline import Pipeline

    folder = materials.folders["transform"]
    transformer, features = joblib.load(folder / "transformer.joblib"), joblib.load(folder / "features.joblib")
    truth, weights = materials.truth(1 - TEST), materials.weights(1 - TEST)
    path = _path(materials)
    found = load_object(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # a convergence warning is for the user to see, never an error
            if isinstance(found, type):
                estimator = make_estimator(materials, found)
                estimator.fit(features, truth, **_weights_for(estimator, weights))
            else:
                takes_weights = weights is not None and "sample_weight" in inspect.signature(found).parameters
                extra = {"sample_weight": weights} if takes_weights else {}
                estimator = found(features, truth, **materials.project.train.params, **extra)
    except StepFailed:
        raise
    except Exception as error:
        raise StepFailed(
            f"Training {path} failed.",
            state="Earlier steps are kept; the champion is unchanged.",
            why=f"{type(error).__name__}: {error}",
            remedy="Correct train.params in trilho.yaml, or the data: trilho inspect transform shows it.",
        ) from error
    if not hasattr(estimator, "predict"):
        raise StepFailed(
            f"{path} returned {type(estimator).__name__}, which cannot predict.",
            remedy="Return a fitted estimator with a predict method.",
        )
    try:
        Pipeline([("estimator", estimator)]).predict(features[:2])
    except Exception as error:
        raise StepFailed(
            f"{path} made a {type(estimator).__name__} that cannot be the last step of a scikit-learn Pipeline.",
            state="Earlier steps are kept; the champion is unchanged.",
            why=f"{type(error).__name__}: {str(error)[:300]}",
            remedy="Derive it from BaseEstimator and ClassifierMixin or RegressorMixin (sklearn.base), and let fit set "
            "what it learned under names that end with an underscore.",
        ) from error
    model_file.write(Pipeline([("transform", transformer), ("estimator", estimator)]), out / "model.joblib")
    return f"{type(estimator).__name__}, {counted(len(truth), 'row')}"


def make_estimator(materials: Materials, kind: type) -> Any:
    """The unfitted estimator with the project's params, and its seed where it takes one.

    Raises:
        StepFailed: a parameter that the estimator does not have; names the near one.
    """
    section = materials.project.train
    names = set(inspect.signature(kind).parameters)
    takes_any = any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in inspect.signature(kind).parameters.values()
    )
    for name in section.params:
        if name not in names and not takes_any:
            near = difflib.get_close_matches(name, names, n=1)
            raise StepFailed(
                f"{kind.__name__} has no parameter '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""),
                why=f"It takes: {', '.join(sorted(names))}.",
                remedy="Correct train.params in trilho.yaml.",
            )
    params = dict(section.params)
    if "random_state" in names:
        params.setdefault("random_state", section.random_state)
    return kind(**params)


def _weights_for(estimator: Any, weights: Any) -> dict[str, Any]:
    if weights is None:
        return {}
    taken = inspect.signature(estimator.fit).parameters
    if "sample_weight" in taken or any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
        return {"sample_weight": weights}
    raise StepFailed(
        f"{type(estimator).__name__} takes no sample_weight.",
        why="Not every estimator can weigh rows.",
        remedy="Remove train.sample_weight from trilho.yaml, or choose another train.estimator.",
    )


def _path(materials: Materials) -> str:
    return materials.project.steps.get("train", materials.project.train.estimator)
