"""Counts in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from trilho.serving.counting import SECONDS, Counts, Durations, Requests
from trilho.serving.state import State

__all__ = ["CONTENT_TYPE", "exposed"]

_EDGES = [*(f"{edge:g}" for edge in SECONDS), "+Inf"]


def exposed(counts: Counts, state: State) -> bytes:
    """The body of /metrics.

    Args:
        state: What the parent process knows.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once([*_counted(counts), *_gauged(counts), *_followed(state)]))
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
        labels = ("model", "version")
        family = GaugeMetricFamily("trilho_version_in_charge", "1 for the version that answers.", labels=labels)
        family.add_metric((state.name, state.version), 1)
        yield family
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


def _counter(name: str, text: str, labels: tuple[str, ...], values: Requests | dict[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key.split("\n") if labels else (), value)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _histogram(name: str, text: str, labels: tuple[str, ...], values: Durations) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for key, histogram in values.items():
        below, buckets = 0, []
        for edge, count in zip(_EDGES, histogram.counts, strict=True):
            below += count
            buckets.append((edge, float(below)))
        family.add_metric(key.split("\n"), buckets, histogram.total)
    return family
