"""The parity check: the same rows to the model and to what is shipped, easy ones and nasty ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trilho.bundle import probes
from trilho.bundle.compiled import Compiled
from trilho.bundle.compiling.graph import Graph
from trilho.bundle.native import Native
from trilho.bundle.parity import ParityReport, Probe, compare, one_by_one
from trilho.bundle.predictions import Predictions
from trilho.bundle.schema import Schema
from trilho.errors import BundleDamaged, NotCompilable

NATIVE_TOLERANCE = 1e-9  # the order of a sum changes with the number of threads


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A compiled model that passed, and on what terms.

    `schema` takes no nulls where only nulls disagreed; `largest` is the largest magnitude at which answers agreed.
    """

    schema: Schema
    report: ParityReport
    largest: float


def check_compiled(native: Native, graph: Graph, schema: Schema, rows: probes.Columns, answers: Predictions) -> Checked:
    """Compare on all test rows, with nulls, at the ends of the ranges, and row by row.

    Args:
        native: The model.
        rows: The test rows, canonical.
        answers: The model's answers to them.

    Raises:
        NotCompilable: answers differ, or onnxruntime does not take the graph; `why` says where and by how much.
    """
    try:
        compiled = Compiled(graph.model, schema=schema, words=graph.words, width=graph.width)
    except BundleDamaged as error:
        raise _differs(f"onnxruntime does not take the graph: {error.why}") from error
    found = compiled.answer(rows) if len(answers.labels) else answers
    measured = [compare("test rows", answers, found), one_by_one(compiled.answer, rows, found)]
    _demand(measured, graph.tolerance)
    schema, nulls = _with_nulls(native, compiled, schema, rows, graph.tolerance)
    extreme = probes.at_extremes(rows, schema)
    if extreme:
        measured.append(compare("range extremes", native.answer(extreme), compiled.answer(extreme)))
    _demand([*measured, *nulls], graph.tolerance)

    def agrees(columns: probes.Columns, own: Predictions) -> bool:
        probe = compare("huge numbers", own, compiled.answer(columns))
        return probe.flips == 0 and probe.largest <= graph.tolerance

    largest = probes.largest_taken(native.answer, schema, rows, agrees)
    if not largest:
        raise _differs("Beyond the training ranges the compiled model gives other answers.")
    return Checked(
        schema=schema,
        report=ParityReport(tolerance=graph.tolerance, probes=(*measured, *nulls)),
        largest=largest,
    )


def check_native(back: Native, rows: probes.Columns, answers: Predictions) -> ParityReport:
    """A model read back from its file against the one in memory."""
    found = back.answer(rows) if len(answers.labels) else answers
    measured = (compare("test rows", answers, found), one_by_one(back.answer, rows, found))
    return ParityReport(tolerance=NATIVE_TOLERANCE, probes=measured)


# ----------------------------------------------------------------------------------------------------------------------


def _with_nulls(
    native: Native, compiled: Compiled, schema: Schema, rows: probes.Columns, tolerance: float
) -> tuple[Schema, list[Probe]]:
    """The null probe; where it fails, the columns to blame take no nulls any more, if the training data had none."""
    for _ in range(2):
        changed = probes.with_nulls(rows, schema)
        if not changed:
            return schema, []
        probe = compare("nulls", native.answer(changed), compiled.answer(changed))
        if probe.flips == 0 and probe.largest <= tolerance:
            return schema, [probe]
        fields = []
        for field in schema.fields:
            alone = replace(schema, fields=(field,))
            one = probes.with_nulls(rows, alone)
            differs = bool(one) and not _same(native, compiled, one, tolerance)
            if differs and field.missing > 0:
                raise _differs(f"Missing values in column '{field.name}' give other answers.")
            fields.append(replace(field, nullable=field.nullable and not differs))
        schema = replace(schema, fields=tuple(fields))
    raise _differs(f"Missing values give other answers: up to {probe.largest:.2g}.")


def _same(native: Native, compiled: Compiled, rows: probes.Columns, tolerance: float) -> bool:
    probe = compare("nulls", native.answer(rows), compiled.answer(rows))
    return probe.flips == 0 and probe.largest <= tolerance


def _demand(measured: list[Probe], tolerance: float) -> None:
    report = ParityReport(tolerance=tolerance, probes=tuple(measured))
    if not report.passed:
        raise _differs(report.sentence())


def _differs(why: str) -> NotCompilable:
    return NotCompilable("The compiled model does not agree with the model.", why=why, remedy="It is bundled native.")
