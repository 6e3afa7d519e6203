"""Counts in the text format of Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from trilho.serving.counting import SECONDS, Counts, Durations, Requests
from trilho.serving.reported import Found, Measurement
from trilho.serving.state import State

__all__ = ["CONTENT_TYPE", "exposed"]

_EDGES = [*(f"{edge:g}" for edge in SECONDS), "+Inf"]


def exposed(counts: Counts, state: State, found: Found | None = None) -> bytes:
    """The body of /metrics.

    Args:
        state: What the parent process knows.
        found: What monitoring found last.
    """
    registry = CollectorRegistry(auto_describe=False)
    metrics = [*_counted(counts), *_gauged(counts), *_followed(state), *_watched(found or Found(), state)]
    registry.register(_Once(metrics))
    return generate_latest(registry)


# ----------------------------------------------------------------------------------------------------------------------


class _Once:
    """A collector of metrics that were made already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _counted(counts: Counts) -> Iterator[Metric]:
    yield _counter("http_requests", "Requests answered.", ("method", "path", "status"), counts.requests)
    yield _histogram("http_request_duration_seconds", "From request to answer.", ("method", "path"), counts.durations)
    yield _histogram("mlflow_model_request_duration_seconds", "Inside the model.", ("model", "version"), counts.models)
    yield _histogram(
        "trilho_queue_duration_seconds", "From the whole body to the model's turn.", ("model", "version"), counts.queued
    )
    yield _counter("mlflow_predictions", "Rows predicted.", ("model", "version", "label"), counts.predictions)
    text = "Requests that the model itself failed at."
    yield _counter("trilho_model_failures", text, ("model", "version"), counts.failures)
    yield _counter("trilho_rows", "Rows by what became of them.", ("outcome",), counts.rows)


def _gauged(counts: Counts) -> Iterator[Metric]:
    gauges = counts.gauges
    yield _gauge("trilho_workers", "Workers that answer.", gauges.get("workers", 0))
    if "journal_lag" in counts.worst:
        lag = counts.worst["journal_lag"]
        yield _gauge("trilho_journal_lag_seconds", "Age of the oldest row not written yet.", lag)
        yield _gauge("trilho_journal_waiting_rows", "Rows not written yet.", gauges.get("journal_waiting", 0))
        yield _gauge("trilho_journal_failing", "Workers whose rows are being lost.", gauges.get("journal_failing", 0))


def _followed(state: State) -> Iterator[Metric]:
    if state.version:
        key = (state.name, state.version)
        yield _labelled("trilho_version_in_charge", "1 for the version that answers.", ("model", "version"), [(key, 1)])
    yield _counter("trilho_reloads", "Versions put in charge since the start.", (), {"": state.reloads})
    yield _counter("trilho_reload_failures", "Versions that could not be put in charge.", (), {"": state.failures})
    yield _counter("trilho_worker_restarts", "Workers that died and were replaced.", (), {"": state.restarts})
    yield _gauge("trilho_journal_bytes", "The journal on disk.", state.journal_bytes)
    yield _counter("trilho_journal_deleted_files", "Deleted for age or size.", (), {"": state.journal_deleted})
    failing = float(bool(state.journal_problem))
    yield _gauge("trilho_journal_keeping_failing", "Can the journal not be kept in order?", failing)
    if state.swap_seconds is not None:
        text = "From noticing the newest version until every worker answered with it."
        yield _gauge("trilho_swap_seconds", text, state.swap_seconds)
    if state.registry_reachable is not None:
        reachable = float(state.registry_reachable)
        yield _gauge("trilho_registry_reachable", "Did the registry answer when it was asked last?", reachable)


def _watched(found: Found, state: State) -> Iterator[Metric]:
    key, labels = (state.name, state.version), ("model", "version")
    report, performance = found.report, found.performance
    if report is not None:
        age = max(0.0, time.time() - report.until)
        yield _gauge("trilho_report_age_seconds", "Since monitoring looked last.", age)
    if report is not None and (report.model, report.version) == key:
        yield _labelled("trilho_report_rows", "Rows of the newest report.", labels, [(key, report.rows)])
        if report.drift is not None:  # else there were too few rows to say, or no feature was judged
            text = "1 where enough features moved away from the training data."
            yield _labelled("trilho_drift_detected", text, labels, [(key, report.drift)])
        if report.prediction_drift is not None:
            text = "1 where the answers moved."
            yield _labelled("trilho_prediction_drift", text, labels, [(key, report.prediction_drift)])
        judged = [((*key, column.name), column) for column in report.columns if column.checks]
        labels_too = (*labels, "column")
        text, effects = "How far a feature moved; 1 is what is allowed.", [(name, one.effect) for name, one in judged]
        yield _labelled("trilho_drift_effect", text, labels_too, effects)
        text, moves = "1 for a feature that moved.", [(name, one.moved) for name, one in judged]
        yield _labelled("trilho_drift_moved", text, labels_too, moves)
        shadow = report.shadow
        if shadow is not None and shadow.agreement is not None:
            text, labels_too = "Of the challenger's answers with those in charge; 1 is wholly.", (*labels, "challenger")
            yield _labelled("trilho_shadow_agreement", text, labels_too, [((*key, shadow.version), shadow.agreement)])
    newest = performance.newest(*key) if performance is not None else None
    if newest is not None:
        yield _labelled("trilho_performance_labels", "Answers whose truth is known.", labels, [(key, newest.labelled)])
        yield from _performed(key, newest)


def _performed(key: tuple[str, str], newest: Measurement) -> Iterator[Metric]:
    known = [((*key, one.metric), one) for one in newest.measured if one.value is not None]
    floored = [(name, one) for name, one in known if one.floor is not None]
    labels = ("model", "version", "metric")
    text, values = "Of the answers whose truth is known.", [(name, one.value or 0.0) for name, one in known]
    yield _labelled("trilho_performance", text, labels, values)
    text, floors = "What evaluate.thresholds asks for.", [(name, one.floor or 0.0) for name, one in floored]
    yield _labelled("trilho_performance_floor", text, labels, floors)
    text = "1 for a metric on the wrong side of its floor with its whole interval."
    yield _labelled("trilho_performance_below_floor", text, labels, [(name, one.below) for name, one in floored])


def _counter(name: str, text: str, labels: tuple[str, ...], values: Requests | dict[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key.split("\n") if labels else (), value)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, labels: tuple[str, ...], values: Sequence[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values:
        family.add_metric(key, float(value))
    return family


def _histogram(name: str, text: str, labels: tuple[str, ...], values: Durations) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for key, histogram in values.items():
        below, buckets = 0, []
        for edge, count in zip(_EDGES, histogram.counts, strict=True):
            below += count
            buckets.append((edge, float(below)))
        family.add_metric(key.split("\n"), buckets, histogram.total)
    return family
