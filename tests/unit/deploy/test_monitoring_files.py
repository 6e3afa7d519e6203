"""trilho deploy monitoring: what is written, and that its parts fit each other and the servers they watch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from documented import ROOT, commands, parses
from trilho.deploy import write_monitoring
from trilho.deploy.folder import WRITTEN
from trilho.errors import InvalidProject

TRACKING, MODEL_SERVER = "http://127.0.0.1:5000", "http://127.0.0.1:8000"
DASHBOARD = "grafana/dashboards/mlflow-monitoring-dashboard.json"
OF_THE_DOCUMENT = {
    "MLflowServerDown": "1m",
    "ModelServerDown": "1m",
    "HighCPUUsage": "5m",
    "HighMemoryUsage": "5m",
    "PodCrashLooping": "5m",
    "HighModelLatency": "5m",
}
OURS = {
    "ModelErrorRate", "DataDrift", "PredictionDrift", "PerformanceDrop", "MonitorStalled", "JournalStalled",
    "ReloadFailing", "StaleChampion",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_monitoring(tmp_path / "monitoring", tracking=[TRACKING], model_servers=[MODEL_SERVER])
    return tmp_path / "monitoring"


def rules(folder: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load((folder / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / DASHBOARD).read_text(encoding="utf-8"))["panels"]
    return found


def test_every_file_is_written_once_and_then_left_alone(tmp_path: Path) -> None:
    first = write_monitoring(tmp_path, tracking=[TRACKING], model_servers=[MODEL_SERVER])
    there = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()} - {Path(WRITTEN)}
    assert there == set(map(Path, first.written))
    assert len(there) == 11
    again = write_monitoring(tmp_path, tracking=[TRACKING], model_servers=[MODEL_SERVER])
    assert (again.written, again.kept, set(again.same)) == ((), (), set(first.written))


def test_what_a_person_changed_stays_until_it_may_be_replaced(folder: Path) -> None:
    (folder / "rules.yml").write_text("groups: []\n", encoding="utf-8")
    (folder / "alertmanager.yml").write_bytes(b"\xff\xfe no text")
    done = write_monitoring(folder, tracking=[TRACKING], model_servers=[MODEL_SERVER])
    assert sorted(map(str, done.kept)) == ["alertmanager.yml", "rules.yml"]
    assert rules(folder) == []
    done = write_monitoring(folder, tracking=[TRACKING], model_servers=[MODEL_SERVER], replace=True)
    assert sorted(map(str, done.written)) == ["alertmanager.yml", "rules.yml"]
    assert len(rules(folder)) > 10


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("http://127.0.0.1:5000", {"targets": ["127.0.0.1:5000"]}),
        ("mlflow:5000", {"targets": ["mlflow:5000"]}),
        ("http://mlflow", {"targets": ["mlflow:80"]}),
        ("http://[::1]:5000/", {"targets": ["[::1]:5000"]}),
        ("https://mlflow.example", {"targets": ["mlflow.example:443"], "labels": {"__scheme__": "https"}}),
        (
            "https://who:secret@example.org/mlflow/",
            {"targets": ["example.org:443"], "labels": {"__scheme__": "https", "__metrics_path__": "/mlflow/metrics"}},
        ),
    ],
)
def test_address_becomes_a_target_without_its_password(address: str, target: dict[str, Any], tmp_path: Path) -> None:
    write_monitoring(tmp_path, tracking=[address], model_servers=[MODEL_SERVER, "other:8000"])
    assert yaml.safe_load((tmp_path / "targets" / "mlflow-server.yml").read_text(encoding="utf-8")) == [target]
    servers = yaml.safe_load((tmp_path / "targets" / "model-server.yml").read_text(encoding="utf-8"))
    assert [one["targets"] for one in servers] == [["127.0.0.1:8000"], ["other:8000"]]


@pytest.mark.parametrize("address", ["ftp://x", "http://", "http://host:port", "http://[::1", "sqlite:///mlflow.db"])
def test_what_is_no_address_is_refused_before_anything_is_written(address: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidProject, match="no address"):
        write_monitoring(tmp_path / "out", tracking=[TRACKING], model_servers=[address])
    assert not (tmp_path / "out").exists()


def test_the_alerts_are_those_promised_each_with_its_words_and_its_section(folder: Path) -> None:
    assert {rule["alert"] for rule in rules(folder)} == set(OF_THE_DOCUMENT) | OURS
    for rule in rules(folder):
        assert OF_THE_DOCUMENT.get(rule["alert"], rule.get("for")) == rule.get("for")
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"runbook.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_runbook_and_guide_have_a_place_for_every_alert_and_for_nothing_else(folder: Path) -> None:
    runbook = (folder / "runbook.md").read_text(encoding="utf-8")
    names = list(dict.fromkeys(rule["alert"] for rule in rules(folder)))
    assert re.findall(r"^## (\w+)$", runbook, re.MULTILINE) == names, "in the order of the rules"
    for section in runbook.split("\n## ")[1:]:
        assert [word for word in ("Means", "Look", "Do") if f"\n**{word}.**" not in section] == []
    guide = (ROOT / "docs" / "guides" / "alerts.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(\w+)\]\(", guide, re.MULTILINE) == names


def test_commands_of_runbook_and_readme_parse(folder: Path) -> None:
    wrong = []
    for page in ("runbook.md", "README.md"):
        text = (folder / page).read_text(encoding="utf-8")
        typed = re.findall(r"`(trilho [a-z][^`]*)`", text)
        as_block = "```sh\n" + "\n".join(line.replace("DIR", "out") for line in typed) + "\n```\n"
        known = [
            words
            for words in commands(as_block)
            if words[1:] not in (["deploy", "monitoring"], ["compare", "OLDER", "NEWER"])
        ]
        assert known
        wrong += [said for words in known if (said := parses(words))]
    assert wrong == []


def test_alerts_link_to_where_the_runbook_is_read(tmp_path: Path) -> None:
    wiki = "https://wiki.example.org/runbook.md"
    write_monitoring(tmp_path, tracking=[TRACKING], model_servers=[MODEL_SERVER], runbook=wiki)
    assert {rule["annotations"]["runbook_url"].partition("#")[0] for rule in rules(tmp_path)} == {wiki}


def test_no_file_holds_a_password(folder: Path) -> None:
    words = re.compile(r"(password|secret|token|slack_api_url)\w*\s*[:=]\s*(?P<value>\S+)", re.IGNORECASE)
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            for match in words.finditer(path.read_text(encoding="utf-8")):
                if not match["value"].startswith(("/etc/", "/var/run/secrets/", "$__file{/etc/")):
                    found[path.name] = match[0]
    assert found == {}


def test_the_dashboard_has_the_name_and_the_panels_of_the_document(folder: Path) -> None:
    board = json.loads((folder / DASHBOARD).read_text(encoding="utf-8"))
    assert board["title"] == "MLflow & Model Server Monitoring"
    text = (folder / DASHBOARD).read_text(encoding="utf-8")
    for metric in (
        'http_requests_total{job=\\"mlflow-server\\"',
        'http_requests_total{job=\\"model-server\\", path=\\"/invocations\\"',
        'status=~\\"4..\\"',
        'status=~\\"5..\\"',
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket",
        "mlflow_experiment_created_total",
        "mlflow_model_request_duration_seconds_bucket",
        "mlflow_predictions_total",
        "container_cpu_usage_seconds_total",
        "container_memory_usage_bytes",
        "kube_pod_info",
        "node_cpu_seconds_total",
    ):
        assert metric in text, metric


def test_panels_neither_overlap_nor_leave_the_page_and_each_has_its_own_id(folder: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels(folder):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken.get((x, y))}"
                taken[x, y] = panel["title"]
    ids = [panel["id"] for panel in panels(folder)]
    assert len(set(ids)) == len(ids)


def test_metrics_that_rules_and_panels_ask_for_are_those_that_trilho_exposes(folder: Path) -> None:
    exposed = "\n".join(
        (ROOT / "src" / "trilho" / path).read_text(encoding="utf-8")
        for path in ("serving/exposition.py", "platform/tracking_metrics.py")
    )
    text = (folder / "rules.yml").read_text(encoding="utf-8") + (folder / DASHBOARD).read_text(encoding="utf-8")
    asked = set(re.findall(r"\b(?:trilho|mlflow)_[a-z_]+", text)) - {"mlflow_http_request"}
    assert len(asked) > 15
    plain = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked}
    assert {name for name in plain if f'"{name}"' not in exposed} == set()
