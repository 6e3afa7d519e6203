"""A fitted scikit-learn model as an MLflow model that plain MLflow loads and serves, without a silent pickle."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trilho.errors import UntrustedModel


def save_model(
    model: Any,
    folder: Path,
    *,
    example: Any,
    trusted: Sequence[str],
    packages: Sequence[str],
    code: Sequence[Path] = (),
) -> None:
    """Write `model` to `folder`, which must not exist, as skops.

    Args:
        model: A fitted estimator with `predict`.
        example: A few rows of features, a DataFrame; gives the signature and the input example. Nullable columns should
            be floats: MLflow calls integer columns unable to hold a missing value.
        trusted: The types, by full name, that loading may build. Goes into the model, so that plain MLflow loads it.
        packages: Names of the installed packages that the model needs; they are pinned to their versions here.
        code: Folders or files of the user's own modules that the model needs; they travel with it.

    Raises:
        UntrustedModel: the model holds a type that is not in `trusted`.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.models import infer_signature
    from mlflow.sklearn import save_model as save

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow warns of integer columns and of itself; both were seen to
        try:
            save(
                model,
                str(folder),
                signature=infer_signature(example, model.predict(example)),
                input_example=example.head(2),
                pip_requirements=[_pinned(package) for package in packages],
                skops_trusted_types=list(trusted),
                serialization_format="skops",
                code_paths=[str(path) for path in code] or None,
            )
        except MlflowException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if (trouble := _disk_trouble(error)) is not None:
                raise trouble from error
            raise UntrustedModel(
                "The model was not saved as an MLflow model: it holds types that nobody vouched for.",
                state="The trained model is kept in the cache.",
                why=str(error).split("\n")[0][:500],
                remedy="Name the types you trust in train.trusted_types in trilho.yaml.",
            ) from error
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)


def _disk_trouble(error: BaseException) -> OSError | None:
    """The full or read-only disk behind an error: MLflow words any failure to save as one of skops."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _pinned(package: str) -> str:
    try:
        return f"{package}=={version(package)}"
    except PackageNotFoundError:
        return package
