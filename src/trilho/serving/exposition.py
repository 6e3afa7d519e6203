"""Counts in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from trilho.serving.counting import SECONDS, Counts, Durations, Requests

__all__ = ["CONTENT_TYPE", "exposed"]

_EDGES = [*(f"{edge:g}" for edge in SECONDS), "+Inf"]


def exposed(counts: Counts, state: Mapping[str, Any]) -> bytes:
    """The body of /metrics.

    Args:
        state: What the parent process knows (`Health`).
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
        yield _gauge("trilho_journal_waiting_rows", "Rows not written yet.", gauges["journal_waiting"])
        yield _gauge("trilho_journal_failing", "Workers whose rows are being lost.", gauges["journal_failing"])


def _followed(state: Mapping[str, Any]) -> Iterator[Metric]:
    found = state.get("following") or {}
    if not found:
        return
    family = GaugeMetricFamily(
        "trilho_version_in_charge", "1 for the version that answers.", labels=("model", "version")
    )
    family.add_metric((str(found.get("model", "")), str(found.get("version", ""))), 1)
    yield family
    for name, text in (("reloads", "Versions put in charge."), ("failures", "Versions that could not be.")):
        yield _counter(f"trilho_{name if name == 'reloads' else 'reload_failures'}", text, (), {"": found.get(name, 0)})
    if found.get("swap_seconds") is not None:
        yield _gauge("trilho_swap_seconds", "From noticing the newest version to its answers.", found["swap_seconds"])
    yield _gauge("trilho_registry_reachable", "Did the registry answer last?", float(bool(found.get("registry", True))))


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
