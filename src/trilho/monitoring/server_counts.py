"""What a model server has counted of each version, read from its /metrics: numbers that Prometheus reads, too."""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from trilho.errors import ServerUnreachable

SECONDS = 3.0  # the server's time to answer
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # who listens everywhere listens here, too


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What was counted of one version.

    Args:
        answered, failed: Requests, by whether the model answered or itself failed; rows that do not fit are in neither.
        rows: Answered.
        seconds: Inside the model, of all that were answered.
        buckets: Of the answered, how many took at most so many seconds (the last edge is infinite) and longer than the
            edge before.
    """

    answered: int = 0
    failed: int = 0
    rows: int = 0
    seconds: float = 0.0
    buckets: Mapping[float, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def asked(self) -> int:
        return self.answered + self.failed

    def plus(self, other: Counted, times: int = 1) -> Counted:
        """Both together; with `times` -1 what is left of these without the others."""
        edges = sorted({*self.buckets, *other.buckets})
        return Counted(
            answered=self.answered + times * other.answered,
            failed=self.failed + times * other.failed,
            rows=self.rows + times * other.rows,
            seconds=self.seconds + times * other.seconds,
            buckets={edge: self.buckets.get(edge, 0) + times * other.buckets.get(edge, 0) for edge in edges},
        )


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One look at a model server. `in_charge`: the version that answers, "" where none does yet."""

    in_charge: str = ""
    versions: Mapping[str, Counted] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, version: str) -> Counted:
        """Nothing, of a version that it has not met since it began."""
        return self.versions.get(version, Counted())


def read_counts(host: str, port: int, model: str) -> Reading:
    """What the server at this address says of a model.

    Raises:
        ServerUnreachable: nobody answers there, or nobody who counts.
    """
    address = f"http://{_ANYWHERE.get(host, f'[{host}]' if ':' in host else host)}:{port}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{address}/metrics", timeout=SECONDS) as answer:
            return parse_counts(answer.read().decode(), model)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ServerUnreachable(
            f"The model server at {address} does not say how it is.",
            why=f"{type(error).__name__}: {error}",
            remedy="Start it (trilho serve), or say where it is: serve.host, serve.port.",
        ) from error


def parse_counts(text: str, model: str) -> Reading:
    """The counts of a model in Prometheus' text format. Raises ValueError where it is not that."""
    from prometheus_client.parser import text_string_to_metric_families

    in_charge = ""
    found: dict[str, dict[str, float]] = {}
    edges: dict[str, dict[float, int]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.labels.get("model") != model:
                continue
            version = sample.labels.get("version", "")
            if sample.name == "trilho_version_in_charge" and sample.value:
                in_charge = version
            elif sample.name == "mlflow_model_request_duration_seconds_bucket":
                edges.setdefault(version, {})[float(sample.labels["le"])] = int(sample.value)
            elif sample.name in _FIELDS:
                sums = found.setdefault(version, {})
                sums[_FIELDS[sample.name]] = sums.get(_FIELDS[sample.name], 0) + sample.value
    versions = {}
    for version, sums in found.items():
        whole = {name: int(sums.get(name, 0)) for name in ("answered", "failed", "rows")}
        buckets = _each(edges.get(version, {}))
        versions[version] = Counted(**whole, seconds=sums.get("seconds", 0.0), buckets=buckets)
    return Reading(in_charge=in_charge, versions=versions)


# ----------------------------------------------------------------------------------------------------------------------

_FIELDS = {
    "mlflow_model_request_duration_seconds_count": "answered",
    "mlflow_model_request_duration_seconds_sum": "seconds",
    "mlflow_predictions_total": "rows",  # one for each label
    "trilho_model_failures_total": "failed",
}


def _each(cumulative: Mapping[float, int]) -> dict[float, int]:
    """Counts of each bucket, from those of all up to it."""
    found, below = {}, 0
    for edge, count in sorted(cumulative.items()):
        found[edge], below = count - below, count
    return found
