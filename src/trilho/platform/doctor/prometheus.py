"""Prometheus: does it reach what it watches?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from trilho.platform.doctor.finding import Finding, counted, ok, some, trouble
from trilho.platform.doctor.http import get
from trilho.platform.doctor.site import Site, without_user


def prometheus_targets(site: Site) -> Finding | None:
    """A target that is DOWN on /targets: `connection refused`, `no such host`, `server returned HTTP status 404`."""
    if not site.prometheus:
        return None
    address = without_user(site.prometheus).rstrip("/")
    answer = get(f"{site.prometheus.rstrip('/')}/api/v1/targets?state=active") if _plain(site.prometheus) else None
    found = answer.json() if answer is not None and answer.status == 200 else None
    if not isinstance(found, dict) or "data" not in found:
        return trouble(
            f"No Prometheus answers at {address}.",
            expected="Its list of targets.",
            remedy="Start it, or correct --prometheus (PROMETHEUS_URL). In Kubernetes: kubectl port-forward "
            "svc/prometheus 9090:9090",
        )
    targets: list[dict[str, Any]] = found["data"].get("activeTargets", [])
    down = [target for target in targets if target.get("health") == "down"]
    if not down and targets:
        return ok(f"{counted(len(targets), 'target')} up.")
    if not targets:
        return trouble(
            f"Prometheus at {address} watches nothing.",
            expected="At least one target.",
            remedy=f"See what it discovered: {address}/service-discovery, and its file: scrape_configs.",
        )
    return trouble(
        f"{len(down)} of {counted(len(targets), 'target')} down: {some(_told(down))}.",
        expected="Every target is up.",
        remedy="Ask the address from where Prometheus runs: curl -i " + str(down[0].get("scrapeUrl", "ADDRESS")) + "\n"
        "Refused: the server is not started, or listens on 127.0.0.1 of another container.\n"
        "No such host: the name is of another network. 404: another program's port, or a server without /metrics.",
    )


# ---------------------------------------------------------------------------------------------------------------------


def _plain(address: str) -> bool:
    return urlsplit(address).scheme in ("http", "https")


def _told(down: list[dict[str, Any]]) -> Iterator[str]:
    for target in down:
        job = target.get("labels", {}).get("job", "?")
        yield f"{job} at {without_user(str(target.get('scrapeUrl', '')))} ({target.get('lastError', '')})"
