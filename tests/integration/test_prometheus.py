"""The real parts together: both servers, Prometheus, Alertmanager, a webhook that hears of alerts and their end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer

from command_line import trilho, trilho_json, write_project
from conftest import free_port
from prometheus_parts import ALERTMANAGERS, NODE_EXPORTERS, program, rules_of
from prometheus_stack import SLOW, Outside, Stack, Traffic, ask, ended, watching
from serving_process import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prometheus")]
DASHBOARD = "grafana/dashboards/mlflow-monitoring-dashboard.json"
ROWS = load_breast_cancer(as_frame=True).data


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A served and watched model that traffic flows to, with a report on drift, labels, and errors in its past."""
    for names in (("prometheus",), ALERTMANAGERS, NODE_EXPORTERS):
        program(*names)
    project, slow = tmp_path_factory.mktemp("watched"), tmp_path_factory.mktemp("slow") / "slow"
    (project / "slowness.py").write_text(SLOW.format(flag=str(slow)), encoding="utf-8")
    write_project(
        project,
        "watched",
        {
            "transform": {"using": "slowness:slowly"},
            "evaluate": {"thresholds": {"f1": 0.5}, "champion": {"min_rows": 20}},
            "serve": {"port": free_port(), "trust_code": True},
            "monitor": {"every": "24h", "drift": {"min_rows": 50}},
        },
    )
    outside = Outside()
    try:
        services = trilho_json(project, "up", "--port", str(port := free_port()))["services"]
        tracking, model = services[0]["address"], services[1]["address"]
        body = {"dataframe_split": json.loads(ROWS[:1].to_json(orient="split", index=False))}
        assert {ask(model, "/invocations", body)[0] for _ in range(20)} == {503}, "no model yet"
        trilho(project, "run")
        until(lambda: ask(model, "/invocations", body)[0] == 200, "the champion answers")
        trilho(project, "deploy", "monitoring", "monitoring")
        traffic = Traffic(tracking, model, ROWS)
        try:
            with watching(project / "monitoring", outside=outside) as prometheus:
                found = Stack(
                    project=project, tracking=tracking, model=model, prometheus=prometheus, outside=outside,
                    traffic=traffic, slow=slow, folder=project / "monitoring", port=port,
                )  # fmt: skip
                fail_and_label(found)
                yield found
        finally:
            traffic.stop()
    finally:
        ended(project)
        outside.close()


def fail_and_label(stack: Stack) -> None:
    """Some wrong requests, 200 answers with their truth, and a look of trilho monitor at all of it."""
    assert ask(stack.model, "/invocations", {"what": 1})[0] == 400
    data = load_breast_cancer(as_frame=True)
    body = {"dataframe_split": json.loads(data.data[:200].to_json(orient="split", index=False))}
    status, headers, _ = ask(stack.model, "/invocations", body)
    assert status == 200
    name = headers["x-prediction-id"]
    labels = [{"id": f"{name}-{row}", "label": int(label)} for row, label in enumerate(data.target[:200])]
    assert ask(stack.model, "/feedback", labels)[0] == 202
    until(lambda: _looked(stack)["rows"] >= 200, "the journal holds the rows")


def _looked(stack: Stack, window: str = "10m") -> Any:
    return trilho_json(stack.project, "monitor", "--window", window, code=None)


def test_the_three_jobs_are_up(stack: Stack) -> None:
    def states() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for target in stack.get("/api/v1/targets")["activeTargets"]:
            found.setdefault(target["labels"]["job"], set()).add(target["health"])
        return found

    jobs = ("prometheus", "mlflow-server", "model-server", "node", "kube-state-metrics", "cadvisor")
    until(lambda: states() == {job: {"up"} for job in jobs}, f"all up: {states()}")


@pytest.mark.parametrize(
    "expression",
    [
        'http_requests_total{job="mlflow-server"}',
        'http_requests_total{job="model-server"}',
        'rate(http_requests_total{job="mlflow-server", status="200", path=~".+"}[1m])',
        'sum(rate(http_requests_total{job="model-server", path="/invocations"}[1m])) by (status)',
        'histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket{job="mlflow-server"}[1m])) by (le))',
        'histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket{job="model-server"}[1m])) by (le))',
        "mlflow_experiment_created_total > 0",
        "histogram_quantile(0.95, sum(rate(mlflow_model_request_duration_seconds_bucket[1m])) by (le))",
        "rate(mlflow_predictions_total[1m])",
        "container_cpu_usage_seconds_total",
        "container_memory_usage_bytes",
        "kube_pod_info",
        "node_cpu_seconds_total",
    ],
)
def test_every_name_of_the_document_returns_data(expression: str, stack: Stack) -> None:
    until(lambda: stack.query(expression), expression)


def test_a_plain_mlflow_server_is_read_under_the_same_names(stack: Stack) -> None:
    other = f'instance="127.0.0.1:{stack.outside.port}"'
    until(
        lambda: stack.query(f'rate(http_requests_total{{job="mlflow-server", {other}, status="200"}}[10s]) > 0'), other
    )
    assert stack.query(f'http_request_duration_seconds_bucket{{job="mlflow-server", {other}}}')
    assert not stack.query('{__name__=~"mlflow_http.*"}')


def test_every_panel_returns_data(stack: Stack) -> None:
    board = json.loads((stack.folder / DASHBOARD).read_text(encoding="utf-8"))
    expressions = {
        f"{panel['title']}: {target['expr']}": target["expr"].replace("$__rate_interval", "30s")
        for panel in board["panels"]
        for target in panel.get("targets", ())
    }
    assert len(expressions) > 40
    without = dict(expressions)

    def all_have_data() -> bool:
        for name, expression in list(without.items()):
            samples = stack.query(expression)
            if samples and any(sample["value"][1] != "NaN" for sample in samples):
                del without[name]
        return not without

    until(all_have_data, f"panels with data; without: {without}")


def test_every_rule_asks_for_something_that_is_there(stack: Stack) -> None:
    for rule in rules_of(stack.folder):
        asked = re.sub(r" or absent\(.*\)$", "", rule["expr"])
        measured, compared, _ = re.split(r" (>|>=|==) (?=\d+$)", asked)
        assert compared
        until(lambda asked=measured: stack.query(asked), f"{rule['alert']}: {measured}")
    healthy = [rule["health"] for group in stack.get("/api/v1/rules")["groups"] for rule in group["rules"]]
    assert set(healthy) == {"ok"}


def test_a_stopped_model_server_is_heard_of_and_its_return_too(stack: Stack) -> None:
    told = stack.fires("ModelServerDown", lambda: trilho(stack.project, "down", "serving"), stack.up)
    assert_worded(told, "ModelServerDown", stack.model.removeprefix("http://"))


def test_a_stopped_tracking_server_is_heard_of_and_its_return_too(stack: Stack) -> None:
    told = stack.fires("MLflowServerDown", lambda: trilho(stack.project, "down", "tracking"), stack.up)
    assert_worded(told, "MLflowServerDown", stack.tracking.removeprefix("http://"))


def test_a_slow_model_is_heard_of_until_it_is_fast_again(stack: Stack) -> None:
    told = stack.fires("HighModelLatency", stack.slow.touch, stack.slow.unlink)
    assert_worded(told, "HighModelLatency", "95th percentile")
    assert re.search(r"take [1-4]\.\d s", told["annotations"]["summary"])


def test_drifting_inputs_are_heard_of_until_they_are_as_trained_again(stack: Stack) -> None:
    def drifting() -> None:
        stack.traffic.rows = ROWS * 1.5
        until(lambda: _looked(stack, "10s")["drift"], "trilho monitor finds drift")

    def as_trained() -> None:
        stack.traffic.rows = ROWS
        until(lambda: _looked(stack, "10s")["drift"] is False, "trilho monitor finds none")

    told = stack.fires("DataDrift", drifting, as_trained)
    assert_worded(told, "DataDrift", "watched v1")
    assert [one for one in stack.history("max by (column) (trilho_drift_effect) > 1") if one["metric"]["column"]]


def test_marks_of_versions_and_alerts_have_data(stack: Stack) -> None:
    board = json.loads((stack.folder / DASHBOARD).read_text(encoding="utf-8"))
    marks = {one["name"]: one["target"]["expr"] for one in board["annotations"]["list"]}
    assert set(marks) == {"Versions", "Alerts"}
    for expression in marks.values():
        assert stack.history(expression)


# ----------------------------------------------------------------------------------------------------------------------


def assert_worded(told: dict[str, Any], name: str, words: str) -> None:
    """What the webhook was sent reads well: everything filled in, with a link to the runbook."""
    text = f"{told['annotations']['summary']}. {told['annotations']['description']}"
    assert words in text
    assert not re.search(r"\{\{|<no value>|<error|NaN", text)
    assert told["annotations"]["runbook_url"] == f"runbook.md#{name.lower()}"
    assert Path(told["annotations"]["runbook_url"].partition("#")[0]).name == "runbook.md"
