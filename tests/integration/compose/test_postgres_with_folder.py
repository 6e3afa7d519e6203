"""`trilho deploy compose --database postgres --artifacts folder`, and its profile `monitoring`, by the real Compose.

Grafana cannot be had without a registry: of its service only the files are tried, elsewhere. Alerts wait for nothing
here; `test_prometheus_rules.py` has their true times.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from compose_server import WAIT, Built, ComposeServer
from serving_process import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docker")]

PROMETHEUS, ALERTMANAGER = "http://127.0.0.1:9090", "http://127.0.0.1:9093"
JSON = ("-H", "Content-Type: application/json")


@pytest.fixture(scope="module")
def server(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeServer]:
    """Up and healthy, with a champion trained through the profile, and watched."""
    written = built.written(
        tmp_path_factory.mktemp("compose") / "shop", "--database", "postgres", "--artifacts", "folder"
    )
    _shorten(written.folder / "monitoring")
    with written.running() as found:
        _watch(found)
        yield found


def test_rows_are_in_postgresql_and_artifacts_in_the_volume(server: ComposeServer) -> None:
    assert server.versions() == ["1"]
    statement = "SELECT version FROM model_versions WHERE name = 'shop'"
    asked = f'PGPASSWORD="$POSTGRES_PASSWORD" psql -h 127.0.0.1 -U "$POSTGRES_USER" -tA -c "{statement}" "$POSTGRES_DB"'
    assert server.compose("exec", "db", "sh", "-c", asked).split() == ["1"]
    files = server.compose("exec", "mlflow", "find", "/mlruns/artifacts", "-type", "f").split()
    assert len(files) == len(server.stored()) > 10
    server.wait_for_model()
    assert server.predictions()[0] in (0, 1)


def test_every_target_that_prometheus_is_told_of_is_up(server: ComposeServer) -> None:
    up = {"prometheus": "up", "mlflow-server": "up", "model-server": "up"}

    def targets() -> dict[str, str]:
        return {one["labels"]["job"]: one["health"] for one in _of_prometheus(server, "targets")["activeTargets"]}

    until(lambda: targets() == up, f"every target is up: {targets()}")


def test_every_rule_is_loaded_and_evaluates(server: ComposeServer) -> None:
    text = (server.folder / "monitoring" / "rules.yml").read_text(encoding="utf-8")
    written = [rule["alert"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]

    def rules() -> list[dict[str, Any]]:
        return [rule for group in _of_prometheus(server, "rules")["groups"] for rule in group["rules"]]

    until(lambda: {rule["health"] for rule in rules()} == {"ok"}, "every rule was evaluated")
    assert sorted(rule["name"] for rule in rules()) == sorted(written)
    assert len(written) > 10


def test_an_alert_reaches_alertmanager_also_after_prometheus_was_started_anew(server: ComposeServer) -> None:
    """Prometheus is told of Alertmanager by its name: neither is in the other's network, which ends with it."""
    first = _began(server)
    server.compose("exec", "--detach", "prometheus", "sh", "-c", "kill 1")  # Docker starts it again
    until(lambda: _began(server) != first, "Prometheus is started anew")
    until(lambda: _of_prometheus(server, "alertmanagers")["activeAlertmanagers"], "it knows of Alertmanager")
    server.compose("stop", "webapp")
    until(lambda: _alerts(server) == ["ModelServerDown"], "the alert is at Alertmanager")
    server.up()
    until(lambda: _alerts(server) == [], "the alert ends")


def test_down_and_up_again_has_everything_still(server: ComposeServer) -> None:
    silence = {
        "matchers": [{"name": "alertname", "value": "DataDrift", "isRegex": False}],
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2126-01-01T00:00:00Z",
        "createdBy": "ana",
        "comment": "known",
    }
    server.ask(f"{ALERTMANAGER}/api/v2/silences", *JSON, "-d", json.dumps(silence))
    before = server.wait_for_model(), server.versions(), server.stored(), _silences(server)
    then = time.time()
    seen = _of_prometheus(server, "query", query='up{job="mlflow-server"}', time=then)["result"]
    assert [one["value"][1] for one in seen] == ["1"]
    server.down()
    server.up()
    _watch(server)
    assert (server.wait_for_model(), server.versions(), server.stored(), _silences(server)) == before
    assert _of_prometheus(server, "query", query='up{job="mlflow-server"}', time=then)["result"] == seen
    assert server.predictions()[0] in (0, 1)


def test_a_backup_of_the_running_server_brings_back_what_was_lost(server: ComposeServer) -> None:
    before = server.versions(), server.stored()
    server.back_up()
    server.lose_the_model()
    assert server.versions() == []
    server.restore()
    assert (server.versions(), server.stored()) == before


# ----------------------------------------------------------------------------------------------------------------------


def _shorten(folder: Path) -> None:
    for name, pattern in (("prometheus.yml", r"(?<=_interval: )15s"), ("rules.yml", r"(?<=for: )1m")):
        text, changed = re.subn(pattern, "1s", (folder / name).read_text(encoding="utf-8"))
        assert changed == 2
        (folder / name).write_text(text, encoding="utf-8")


def _watch(server: ComposeServer) -> None:
    """Start Prometheus and Alertmanager, and wait until they answer."""
    server.compose("--profile", "monitoring", "up", *WAIT, "prometheus", "alertmanager")
    for address in (PROMETHEUS, ALERTMANAGER):
        server.ask(f"{address}/-/ready", "--retry", "60", "--retry-delay", "1", "--retry-all-errors")


def _of_prometheus(server: ComposeServer, path: str, **words: object) -> Any:
    return json.loads(server.ask(f"{PROMETHEUS}/api/v1/{path}?{urlencode(words)}"))["data"]


def _alerts(server: ComposeServer) -> list[str]:
    found = json.loads(server.ask(f"{ALERTMANAGER}/api/v2/alerts?active=true"))
    return sorted(alert["labels"]["alertname"] for alert in found)


def _silences(server: ComposeServer) -> list[str]:
    return [one["id"] for one in json.loads(server.ask(f"{ALERTMANAGER}/api/v2/silences"))]


def _began(server: ComposeServer) -> str:
    """When this Prometheus began, in seconds since 1970."""
    text = server.ask(f"{PROMETHEUS}/metrics", "--retry", "60", "--retry-delay", "1", "--retry-all-errors")
    found = re.search(r"(?m)^process_start_time_seconds (\S+)", text)
    assert found is not None
    return found[1]
