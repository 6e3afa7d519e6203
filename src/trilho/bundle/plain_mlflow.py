"""A bundle of a model that plain MLflow logged: from its files, its signature and its input example.

The training rows are unknown here. Ranges, categories and the drift profile are those of the input example, and
metadata.json says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trilho.bundle.building import Built, build
from trilho.bundle.code_modules import module_names, modules_of, packed
from trilho.bundle.describing import describe
from trilho.bundle.native import load
from trilho.data import Column, Kind
from trilho.errors import BadData, UntrustedModel

if TYPE_CHECKING:
    import pandas as pd

_KINDS: dict[str, tuple[Kind, str]] = {
    "double": ("number", "float64"),
    "float": ("number", "float32"),
    "long": ("number", "int64"),
    "integer": ("number", "int32"),
    "boolean": ("boolean", "bool"),
    "string": ("category", "object"),
    "datetime": ("time", "datetime64[ns]"),
}
_LOG_IT_SO = 'Log it with: mlflow.sklearn.log_model(model, name="model", input_example=X_train.head(100))'


def from_mlflow(
    model_dir: Path,
    *,
    out: Path,
    metadata: Mapping[str, Any],
    metrics: Mapping[str, float] | None = None,
    trust_code: bool = False,
    trusted: Sequence[str] = (),
) -> Built:
    """Write the bundle of an MLflow model of the sklearn flavour to the file `out`.

    Args:
        model_dir: The folder that holds MLmodel.
        metadata: As in `build`.
        trust_code: May the model be unpickled, and code run that was logged with it? Needed where it was not logged
            with skops, or with `code_paths`.
        trusted: Types that may be made besides the vetted ones.

    Raises:
        BadData: no sklearn model, or one without signature or input example.
        UntrustedModel: it is a pickle, or holds types that nobody vouched for.
    """
    from mlflow.models import Model

    logged = Model.load(str(model_dir))
    flavour = logged.flavors.get("sklearn")
    if flavour is None:
        raise BadData(
            f"The model is no scikit-learn model, but: {', '.join(sorted(logged.flavors))}.",
            remedy="Bundle a model that was logged with mlflow.sklearn.log_model.",
        )
    columns, dtypes = _inputs(logged)
    rows = _example(logged, model_dir, columns, dtypes)
    code = _code(logged, model_dir)
    model = _model(model_dir, flavour, code=code if trust_code else (), trust_code=trust_code, trusted=trusted)
    labels = list(getattr(model, "classes_", ()))
    schema = describe(
        rows, columns, task="classification" if labels else "regression", target=_target(logged), labels=labels
    )
    return build(
        model,
        schema=schema,
        train=rows,
        test=rows,
        metrics=metrics or {},
        row_hashes=(),
        metadata={**metadata, "described_from": f"the input example, {len(rows)} rows"},
        out=out,
        code=code,
        trusted=trusted,
    )


# ----------------------------------------------------------------------------------------------------------------------


def _inputs(logged: Any) -> tuple[tuple[Column, ...], dict[str, str]]:
    """The feature columns and their pandas types, as the signature says."""
    if logged.signature is None or logged.signature.inputs is None:
        raise BadData("The model has no signature.", why="Its columns are unknown.", remedy=_LOG_IT_SO)
    columns, dtypes = [], {}
    for spec in logged.signature.inputs.inputs:
        word = getattr(spec.type, "name", str(spec.type))
        if word not in _KINDS or not spec.name:
            raise BadData(
                f"The signature's column '{spec.name or '?'}' has type {word}.",
                why="Tables of named columns of numbers, booleans, strings and times can be bundled.",
                remedy="Log the model with a DataFrame as its input example.",
            )
        kind, dtypes[spec.name] = _KINDS[word]
        columns.append(Column(name=spec.name, kind=kind, nullable=not spec.required))
    return tuple(columns), dtypes


def _example(logged: Any, model_dir: Path, columns: Sequence[Column], dtypes: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    found = logged.load_input_example(str(model_dir))
    names = [column.name for column in columns]
    if not isinstance(found, pd.DataFrame) or not len(found) or not set(names) <= set(found.columns):
        raise BadData(
            "The model has no input example with its columns.",
            why="Without rows to try it on, nothing can be said about the compiled model.",
            remedy=_LOG_IT_SO,
        )
    made = {name: found[name] for name in names}
    for name, dtype in dtypes.items():
        whole = dtype.startswith(("int", "bool")) and found[name].isna().any()
        made[name] = found[name].astype("float64" if whole else dtype)  # type: ignore[call-overload]
    return pd.DataFrame(made)


def _code(logged: Any, model_dir: Path) -> list[Path]:
    """The modules and packages that were logged with the model (`code_paths`)."""
    folder = logged.flavors.get("python_function", {}).get("code")
    return sorted(path for path in (model_dir / folder).iterdir() if path.name != "__pycache__") if folder else []


def _model(
    model_dir: Path, flavour: Mapping[str, Any], *, code: Sequence[Path], trust_code: bool, trusted: Sequence[str]
) -> Any:
    file = model_dir / str(flavour["pickled_model"])
    if flavour.get("serialization_format") == "skops":
        modules = module_names(packed(code))
        with modules_of(code[0].parent if code else model_dir, modules):
            return load(file.read_bytes(), allowed=trusted, modules=modules, path=file)
    if not trust_code:
        raise UntrustedModel(
            f"The model was logged as {flavour.get('serialization_format', 'a pickle')}, which can run any code.",
            state="It was not loaded.",
            remedy="If you trust whoever logged it, say so: --trust-code (trust_code=True).\n"
            'Or log it anew without pickle: mlflow.sklearn.log_model(…, serialization_format="skops")',
        )
    import mlflow.sklearn

    return mlflow.sklearn.load_model(str(model_dir))


def _target(logged: Any) -> str:
    outputs = logged.signature.outputs
    names = outputs.input_names() if outputs is not None and outputs.has_input_names() else []
    return str(names[0]) if names else "prediction"
