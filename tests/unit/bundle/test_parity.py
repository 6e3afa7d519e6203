from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from trilho import bundle
from trilho.bundle.checking import check_compiled
from trilho.bundle.columns import columns_of
from trilho.bundle.compiling.graph import Graph, compile_graph
from trilho.bundle.native import Native
from trilho.bundle.parity import ParityReport, Probe, compare
from trilho.bundle.predictions import Predictions
from trilho.bundle.probes import learn_terms
from trilho.errors import NotCompilable
from unit.bundle.tables import cancer
from unit.bundle.tables import columns_of as kinds_of


def answers(labels: list[Any], probabilities: list[list[float]] | None = None) -> Predictions:
    return Predictions(
        labels=np.array(labels), probabilities=None if probabilities is None else np.array(probabilities)
    )


class Trial:
    """A forest, its graph, and the rows to compare them on."""

    def __init__(self, model: Pipeline | None = None, *, holes: bool = False) -> None:
        frame, truth = cancer()
        if holes:
            frame = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.1)
        forest = RandomForestClassifier(20, random_state=0)
        self.model = (model or make_pipeline(StandardScaler(), forest)).fit(frame[:400], truth[:400])
        schema = bundle.describe(frame[:400], kinds_of(frame), task="classification", target="y", labels=[0, 1])
        self.native = Native(self.model, schema=schema)
        self.rows = columns_of(frame[400:], schema.fields)
        self.schema = learn_terms(self.native.answer, schema, self.rows, self.rows)
        self.graph = compile_graph(self.model, self.schema)

    def check(self, graph: Graph) -> Any:
        return check_compiled(self.native, graph, self.schema, self.rows, self.native.answer(self.rows))

    def altered(self, change: Any) -> Graph:
        """The graph after `change` was made to its tree node."""
        made = onnx.load_from_string(self.graph.model)
        change(next(node for node in made.graph.node if node.op_type == "TreeEnsemble"))
        return replace(self.graph, model=made.SerializeToString())


def attribute(node: Any, name: str) -> Any:
    return next(entry for entry in node.attribute if entry.name == name)


def scaled(name: str, factor: float) -> Any:
    def change(node: Any) -> None:
        entry = attribute(node, name)
        entry.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(entry.t) * factor))

    return change


def test_an_exact_graph_passes_on_every_probe() -> None:
    trial = Trial()
    checked = trial.check(trial.graph)
    assert [probe.name for probe in checked.report.probes] == [
        "test rows",
        "rows one by one",
        "range extremes",
        "nulls",
    ]
    assert checked.report.passed
    assert checked.report.probes[0].rows == 169
    assert checked.largest == 1e30


def test_a_graph_with_wrong_leaves_is_caught_and_the_difference_named() -> None:
    trial = Trial()
    with pytest.raises(NotCompilable) as caught:
        trial.check(trial.altered(scaled("leaf_weights", 1.0001)))
    assert caught.value.why.startswith(
        "On test rows (169 rows) the compiled model differs by up to 0.0001 (allowed 1e-06)"
    )


def test_a_graph_with_wrong_thresholds_is_caught() -> None:
    trial = Trial()
    with pytest.raises(NotCompilable, match="does not agree"):
        trial.check(trial.altered(scaled("nodes_splits", 0.9)))


def forget_missing(node: Any) -> None:
    entry = attribute(node, "nodes_missing_value_tracks_true")
    entry.ints[:] = [0] * len(entry.ints)


def test_a_graph_that_forgot_where_missing_values_go_takes_no_nulls_when_the_data_had_none() -> None:
    trial = Trial()
    assert all(field.nullable for field in trial.schema.fields)
    checked = trial.check(trial.altered(forget_missing))
    refused = [field.name for field in checked.schema.fields if not field.nullable]
    assert len(refused) > 20
    assert checked.report.passed


def test_a_graph_that_forgot_where_missing_values_go_is_not_served_when_the_data_had_some() -> None:
    trial = Trial(holes=True)
    with pytest.raises(NotCompilable):
        trial.check(trial.altered(forget_missing))


def test_a_graph_that_onnxruntime_does_not_take_is_caught() -> None:
    trial = Trial()
    with pytest.raises(NotCompilable, match="onnxruntime does not take the graph"):
        trial.check(replace(trial.graph, model=b"no model at all"))


def test_a_label_that_differs_is_a_flip() -> None:
    probe = compare("rows", answers([0, 1], [[0.9, 0.1], [0.4, 0.6]]), answers([0, 0], [[0.9, 0.1], [0.4, 0.6]]))
    assert (probe.flips, probe.ties, probe.largest) == (1, 0, 0.0)
    assert not ParityReport(tolerance=1.0, probes=(probe,)).passed


def test_a_label_that_differs_where_the_model_is_torn_is_a_tie() -> None:
    probe = compare("rows", answers([1], [[0.5, 0.5 + 1e-16]]), answers([0], [[0.5, 0.5]]))
    assert (probe.flips, probe.ties) == (0, 1)
    assert ParityReport(tolerance=1e-6, probes=(probe,)).passed


def test_a_number_is_compared_relative_to_its_size() -> None:
    probe = compare("rows", answers([1e9, 0.5]), answers([1e9 + 1.0, 0.5]))
    assert probe.largest == pytest.approx(1e-9, rel=1e-3)


def test_what_is_not_a_number_agrees_with_itself_only() -> None:
    nothing, something = answers([0], [[np.nan, np.nan]]), answers([0], [[0.5, 0.5]])
    assert compare("rows", nothing, nothing).largest == 0.0
    assert compare("rows", something, nothing).largest == np.inf


def test_probabilities_that_are_missing_are_no_agreement() -> None:
    assert compare("rows", answers([0], [[1.0, 0.0]]), answers([0])).largest == np.inf


def test_a_report_reads_back_equal() -> None:
    report = ParityReport(tolerance=1e-6, probes=(Probe(name="a", rows=3, largest=1e-9, flips=0, ties=1),))
    assert ParityReport.from_json(report.to_json()) == report
    assert report.sentence() == ""
