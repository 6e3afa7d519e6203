"""Prometheus: does it reach what it watches?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trilho.platform.doctor.finding import Finding, counted, ok, some, trouble, unknown
from trilho.platform.doctor.http import get
from trilho.platform.doctor.site import Site, is_server, without_user

_LOGIN = re.compile(r"://([^/?#]+)(?:@|%40)")  # Prometheus writes the @ of a target as a code
_QUERY = re.compile(r"""(\w+://[^\s"?#]*)[?#][^\s"]*""")


def prometheus_targets(site: Site) -> Finding | None:
    """A target that is DOWN on /targets: `connection refused`, `no such host`, `server returned HTTP status 404`."""
    if not site.prometheus:
        return None
    address = without_user(site.prometheus).rstrip("/")
    answer = get(f"{site.prometheus.rstrip('/')}/api/v1/targets?state=active") if is_server(site.prometheus) else None
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
    waiting = [target for target in targets if target.get("health") not in ("up", "down")]
    if not targets:
        return trouble(
            f"Prometheus at {address} watches nothing.",
            expected="At least one target.",
            remedy=f"See what it discovered: {address}/service-discovery, and its file: scrape_configs.",
        )
    if not down:
        if waiting:
            return unknown(f"{len(waiting)} of {counted(len(targets), 'target')} not scraped yet.")
        return ok(f"{counted(len(targets), 'target')} up.")
    return trouble(
        f"{len(down)} of {counted(len(targets), 'target')} down: {some(_told(down))}.",
        expected="Every target is up.",
        remedy=f"Ask the address from where Prometheus runs: curl -i {_shown(down[0], 'scrapeUrl')}\n"
        "Refused: the server is not started, or listens on 127.0.0.1 of another container.\n"
        "No such host: the name is of another network. 404: another program's port, or a server without /metrics.",
    )


# ---------------------------------------------------------------------------------------------------------------------


def _told(down: list[dict[str, Any]]) -> Iterator[str]:
    for target in down:
        job = target.get("labels", {}).get("job", "?")
        yield f"{job} at {_shown(target, 'scrapeUrl')} ({_shown(target, 'lastError')})"


def _shown(target: dict[str, Any], name: str) -> str:
    """What Prometheus says of a target, without the user, the password and the query of its address."""
    said = str(target.get(name, ""))
    login = _LOGIN.search(str(target.get("scrapeUrl", "")))
    if login:  # errors repeat it, in and outside of addresses
        said = said.replace(f"{login[1]}%40", "").replace(f"{login[1]}@", "").replace(login[1], "***")
    return _QUERY.sub(r"\1", said)
