"""Making a bundle: try the model, compile it where that is exact, measure, pack."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.bundle import opening, self_test
from trilho.bundle.archive import write_archive
from trilho.bundle.checking import check_compiled, check_native
from trilho.bundle.code_modules import module_names, modules_of, packed, unpack
from trilho.bundle.columns import columns_of
from trilho.bundle.drift_profile import profile, profile_predictions
from trilho.bundle.metadata import describe_bundle, encoded
from trilho.bundle.native import Native, load, names_likeliest, settled
from trilho.bundle.parity import ParityReport
from trilho.bundle.predictions import Predictions
from trilho.bundle.probes import Columns, largest_taken, learn_terms
from trilho.bundle.schema import Schema
from trilho.bundle.trusted import refuse, saved, unvetted_in
from trilho.errors import BadData, BundleDamaged, NotCompilable, StepFailed

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Built:
    """A bundle on disk.

    Args:
        digest: SHA-256 of the archive, hexadecimal.
        runtime: "onnx" or "native".
        schema: As the model turned out to behave: what may be null, which categories it refuses.
        parity: What is shipped against the model in memory.
        why_native: One sentence; "" for a compiled bundle.
    """

    path: Path
    digest: str
    runtime: str
    schema: Schema
    parity: ParityReport
    why_native: str = ""


@dataclass(frozen=True, kw_only=True)
class _Shipped:
    """The part of a bundle that answers."""

    runtime: str
    schema: Schema
    parity: ParityReport
    members: Mapping[str, bytes]
    facts: Mapping[str, Any]
    why_native: str = ""


def build(
    model: Any,
    *,
    schema: Schema,
    train: pd.DataFrame,
    test: pd.DataFrame,
    metrics: Mapping[str, float],
    row_hashes: Iterable[int | str],
    metadata: Mapping[str, Any],
    out: Path,
    code: Path | Sequence[Path] | None = None,
    trusted: Sequence[str] = (),
    answers: Predictions | None = None,
) -> Built:
    """Write the bundle of a fitted model to the file `out`.

    Args:
        model: A fitted scikit-learn Pipeline, or any fitted estimator that takes the frame.
        schema: From `describe`, of the training rows.
        train, test: Feature columns, in the types the model was trained with. Test rows are the model's own test part.
        row_hashes: One for each training row: uint64, or hexadecimal.
        metadata: Facts to keep in metadata.json, JSON values only; "name" is the model's.
        code: The user's modules (files) and packages (folders) that the model is made of, one or several, as MLflow's
            `code_paths`; packed for a native model only.
        trusted: Types beside the vetted ones that may be saved (`train.trusted_types`).
        answers: The model's answers on the test rows, where they were computed already.

    Raises:
        UntrustedModel: the model holds types or code that nobody vouched for.
        BadData: the model's labels are not the schema's.
        StepFailed: the model cannot answer its own test rows.
    """
    modules = [code] if isinstance(code, Path) else list(code or ())
    rows, tried = columns_of(train, schema.fields), columns_of(test, schema.fields)
    schema = _labels_of(model, schema)
    native = Native(model, schema=schema)
    answers = answers or _own_answers(native, tried)
    schema = learn_terms(native.answer, schema, rows, tried)
    try:
        shipped = _compiled(model, schema, native, tried, answers)
    except NotCompilable as error:
        shipped = _native(model, schema, native, tried, answers, code=modules, trusted=trusted, why=error.why)
    counted = profile(rows, shipped.schema)
    spread = replace(counted, predicted=profile_predictions(answers.labels, answers.probabilities, shipped.schema))
    about = describe_bundle(shipped.schema, runtime=shipped.runtime, metrics=metrics, extra=metadata)
    members = {
        opening.METADATA: encoded(about),
        opening.SCHEMA: shipped.schema.to_json().encode(),
        opening.PROFILE: spread.to_json().encode(),
        opening.PARITY: shipped.parity.to_json().encode(),
        opening.ROWS: _hash_bytes(row_hashes),
        opening.SELF_TEST: self_test.written(shipped.schema, native.answer, shipped.parity.tolerance),
        **shipped.members,
    }
    digest = write_archive(members, {"runtime": shipped.runtime, **shipped.facts}, out)
    return Built(
        path=out,
        digest=digest,
        runtime=shipped.runtime,
        schema=shipped.schema,
        parity=shipped.parity,
        why_native=shipped.why_native,
    )


# ----------------------------------------------------------------------------------------------------------------------


def _compiled(model: Any, schema: Schema, native: Native, tried: Columns, answers: Predictions) -> _Shipped:
    """Raises NotCompilable, where no graph can be made or its answers differ."""
    from trilho.bundle.compiling.graph import compile_graph

    graph = compile_graph(model, schema)
    checked = check_compiled(native, graph, schema, tried, answers)
    return _Shipped(
        runtime=opening.ONNX,
        schema=checked.schema,
        parity=checked.report,
        members={opening.ONNX_MODEL: graph.model, opening.WORDS: json.dumps(graph.words, ensure_ascii=False).encode()},
        facts={"largest": checked.largest, "width": graph.width},
    )


def _native(
    model: Any,
    schema: Schema,
    native: Native,
    tried: Columns,
    answers: Predictions,
    *,
    code: Sequence[Path],
    trusted: Sequence[str],
    why: str,
) -> _Shipped:
    """The model as it is, once it was read back and gave the same answers."""
    data = settled(saved(model))
    files = packed(code)
    modules = module_names(files)
    foreign = unvetted_in(data)
    own = [name for name in foreign if name.partition(".")[0] in modules]
    refuse(foreign, allowed={*trusted, *own})
    if not own:
        files, modules = {}, ()
    try:
        with TemporaryDirectory() as place, modules_of(unpack(files, Path(place)), modules):
            back = load(data, allowed=trusted, modules=modules, path=Path("model.skops"))
    except BundleDamaged as error:
        raise _lost("it cannot be read back", error.why) from error
    likeliest = names_likeliest(answers, schema)
    report = check_native(Native(back, schema=schema, likeliest=likeliest), tried, answers)
    if not report.passed:
        raise _lost("read back, it gives other answers", report.sentence())
    largest = largest_taken(native.answer, schema, tried, _anything)
    return _Shipped(
        runtime=opening.NATIVE,
        schema=schema,
        parity=report,
        members={opening.NATIVE_MODEL: data, **files},
        facts={
            "largest": largest or float(np.finfo(np.float64).max),
            "likeliest": likeliest,
            "trusted": [name for name in foreign if name not in own],
        },
        why_native=why,
    )


def _labels_of(model: Any, schema: Schema) -> Schema:
    """The schema with the labels that the model knows, in its order: training rows may lack some of the data's."""
    if not schema.labels:
        return schema
    known = [label.item() if isinstance(label, np.generic) else label for label in model.classes_]
    names = dict(zip(schema.labels, schema.label_names, strict=True))
    if not set(known) <= set(names):
        raise BadData(
            "The model's labels are not the data's.",
            why=f"Model: {', '.join(map(str, known[:10]))}. Data: {', '.join(map(str, schema.labels[:10]))}.",
            remedy="Fit the estimator on the target as it is: trilho does not decode labels.",
        )
    return replace(schema, labels=tuple(known), label_names=tuple(names[label] for label in known))


def _lost(how: str, why: str) -> StepFailed:
    return StepFailed(
        f"The model does not survive being saved: {how}.",
        state="Nothing was bundled.",
        why=why,
        remedy="Keep what the model needs in attributes of it, as numbers, words, arrays and scikit-learn's own types.",
    )


def _own_answers(native: Native, tried: Columns) -> Predictions:
    try:
        return native.answer(tried)
    except Exception as error:
        raise StepFailed(
            "The model cannot answer its own test rows.",
            state="Nothing was bundled.",
            why=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            remedy="Let the transform handle what the test rows hold: missing values, categories it has not seen.",
        ) from error


def _anything(_columns: Columns, _answers: Predictions) -> bool:
    return True


def _hash_bytes(row_hashes: Iterable[int | str]) -> bytes:
    plain = row_hashes.tolist() if isinstance(row_hashes, np.ndarray) else row_hashes
    numbers = [int(value, 16) if isinstance(value, str) else int(value) for value in plain]
    return np.sort(np.array(numbers, dtype="<u8")).astype("<u8").tobytes()
