"""The shipped rules by Prometheus' own tool: each alert below, at and above its threshold, in its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from prometheus_parts import checked, deployed, rules_of

STEP = 15  # seconds between samples and between evaluations, as in prometheus.yml
LONG = 80  # samples: 20 minutes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed(tmp_path_factory.mktemp("monitoring"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One rule.

    Args:
        quiet: Series that must not fire it, by why: each is below or at its threshold.
        firing: Series above it from the first sample on.
        known: Seconds after which the condition is seen: a share needs two samples, a rate its whole window.
        labels: That tell this rule from another of the same name.
    """

    alert: str
    quiet: Mapping[str, Mapping[str, str]]
    firing: Mapping[str, str]
    lasting: int
    known: int = 0
    labels: str = ""


def constant(value: float) -> str:
    return f"{value:g}x{LONG}"


def rising(step: float) -> str:
    return f"0+{step:g}x{LONG}"


def latency(below_one: int) -> dict[str, str]:
    """Of 100 answers in each step so many take up to a second, the others up to 2.5."""
    name = 'http_request_duration_seconds_bucket{{job="model-server",instance="a",path="/invocations",le="{le}"}}'
    counts = {"0.5": 0, "1.0": below_one, "2.5": 100, "+Inf": 100}
    return {name.format(le=le): rising(count) for le, count in counts.items()}


def errors(failed: int, path: str = "/invocations") -> dict[str, str]:
    """Of 100 answers in each step so many are 500."""
    name = 'http_requests_total{{job="model-server",instance="a",path="{path}",status="{status}"}}'
    both = {"200": 100 - failed, "500": failed}
    return {name.format(path=path, status=status): rising(count) for status, count in both.items()}


def raised(failed: int) -> dict[str, str]:
    """Of 100 requests in each step the model raised at so many, which were answered 400."""
    name = 'http_requests_total{{job="model-server",instance="a",path="/predict",status="{status}"}}'
    answers = {
        name.format(status=status): rising(count) for status, count in {"200": 100 - failed, "400": failed}.items()
    }
    return {**answers, 'trilho_model_failures_total{job="model-server",instance="a",version="3"}': rising(failed)}


def processor(used: float) -> dict[str, str]:
    idle, busy = (100 - used) / 100 * STEP, used / 100 * STEP
    return {
        'node_cpu_seconds_total{instance="m",cpu="0",mode="idle"}': rising(idle),
        'node_cpu_seconds_total{instance="m",cpu="0",mode="user"}': rising(busy),
    }


def memory(available: float) -> dict[str, str]:
    return {
        'node_memory_MemAvailable_bytes{instance="m"}': constant(available),
        'node_memory_MemTotal_bytes{instance="m"}': constant(100),
    }


POD = 'namespace="mlflow-prod",pod="p"'


def pod_processor(used: float) -> dict[str, str]:
    return {
        f'container_cpu_usage_seconds_total{{{POD},container="c"}}': rising(used / 100 * STEP),
        f"container_cpu_usage_seconds_total{{{POD}}}": rising(10 * STEP),  # the pod's own sum, which counts no twice
        f'kube_pod_container_resource_limits{{{POD},container="c",resource="cpu"}}': constant(1),
        f'kube_pod_container_resource_limits{{{POD},container="c",resource="memory"}}': constant(7),
    }


def pod_memory(used: float) -> dict[str, str]:
    return {
        f'container_memory_working_set_bytes{{{POD},container="c"}}': constant(used),
        f'kube_pod_container_resource_limits{{{POD},container="c",resource="memory"}}': constant(100),
    }


WAITING = f'kube_pod_container_status_waiting_reason{{{POD},container="c",reason="CrashLoopBackOff"}}'
PULLING = f'kube_pod_container_status_waiting_reason{{{POD},container="c",reason="ImagePullBackOff"}}'
MODEL = 'model="churn",version="3"'
FAILURES, REACHABLE = "trilho_reload_failures_total", "trilho_registry_reachable"
LOST = 'trilho_rows_total{outcome="lost"}'


def charge(*versions: int) -> dict[str, str]:
    return {
        f'trilho_version_in_charge{{instance="{place}",model="churn",version="{version}"}}': constant(1)
        for place, version in enumerate(versions)
    }


CASES = (
    Case(
        alert="MLflowServerDown", lasting=60,
        quiet={"up": {'up{job="mlflow-server"}': constant(1)}}, firing={'up{job="mlflow-server"}': constant(0)},
    ),
    Case(
        alert="MLflowServerDown", lasting=60,
        quiet={"up": {'up{job="mlflow-server"}': constant(1)}}, firing={'up{job="model-server"}': constant(1)},
    ),
    Case(
        alert="ModelServerDown", lasting=60,
        quiet={"up": {'up{job="model-server"}': constant(1)}}, firing={'up{job="model-server"}': constant(0)},
    ),
    Case(
        alert="HighCPUUsage", labels='of="machine"', lasting=300, known=STEP,
        quiet={"79%": processor(79), "80%": processor(80)}, firing=processor(81),
    ),
    Case(
        alert="HighCPUUsage", labels='of="pod"', lasting=300, known=300,
        quiet={"79%": pod_processor(79), "80%": pod_processor(80)}, firing=pod_processor(81),
    ),
    Case(
        alert="HighMemoryUsage", labels='of="machine"', lasting=300,
        quiet={"84%": memory(16), "85%": memory(15)}, firing=memory(14),
    ),
    Case(
        alert="HighMemoryUsage", labels='of="pod"', lasting=300,
        quiet={"84%": pod_memory(84), "85%": pod_memory(85)}, firing=pod_memory(86),
    ),
    Case(
        alert="PodCrashLooping", lasting=300,
        quiet={"runs": {WAITING: constant(0)}, "waits for its image": {PULLING: constant(1)}},
        firing={WAITING: "1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0 1 0 0 0"},
    ),
    Case(
        alert="HighModelLatency", lasting=300, known=STEP,
        quiet={"96 of 100 in time": latency(96), "95 of 100 in time": latency(95)}, firing=latency(94),
    ),
    Case(
        alert="ModelErrorRate", labels='cause="server"', lasting=300, known=STEP,
        quiet={"4%": errors(4), "5%": errors(5), "on the page": errors(50, path="/health")}, firing=errors(6),
    ),
    Case(
        alert="ModelErrorRate", labels='cause="model"', lasting=300, known=STEP,
        quiet={"4%": raised(4), "5%": raised(5)}, firing=raised(6),
    ),
    *(
        Case(alert=alert, lasting=0, quiet={"not": {name: constant(0)}}, firing={name: constant(1)})
        for alert, name in (
            ("DataDrift", f"trilho_drift_detected{{{MODEL}}}"),
            ("PredictionDrift", f"trilho_prediction_drift{{{MODEL}}}"),
            ("PerformanceDrop", f'trilho_performance_below_floor{{{MODEL},metric="f1"}}'),
        )
    ),
    Case(
        alert="MonitorStalled", lasting=300, quiet={"3 h": {"trilho_report_age_seconds": constant(10_800)}},
        firing={"trilho_report_age_seconds": constant(10_801)},
    ),
    Case(
        alert="JournalStalled", labels='cause="slow"', lasting=120,
        quiet={"a minute": {"trilho_journal_lag_seconds": constant(60)}},
        firing={"trilho_journal_lag_seconds": constant(61)},
    ),
    Case(
        alert="JournalStalled", labels='cause="failing"', lasting=120,
        quiet={"none": {"trilho_journal_failing": constant(0)}}, firing={"trilho_journal_failing": constant(1)},
    ),
    Case(
        alert="JournalStalled", labels='cause="lost"', lasting=0, known=STEP,
        quiet={"none": {LOST: constant(0)}, "before": {LOST: constant(4)}}, firing={LOST: f"0 1x{LONG}"},
    ),
    Case(
        alert="ReloadFailing", lasting=0, known=STEP,
        quiet={"none": {FAILURES: constant(0)}, "before": {FAILURES: constant(4)}}, firing={FAILURES: f"0 1x{LONG}"},
    ),
    Case(
        alert="StaleChampion", labels='cause="registry"', lasting=900,
        quiet={"answers": {REACHABLE: constant(1)}}, firing={REACHABLE: constant(0)},
    ),
    Case(
        alert="StaleChampion", labels='cause="replicas"', lasting=900,
        quiet={"the same": charge(3, 3), "alone": charge(3)}, firing=charge(3, 4),
    ),
)  # fmt: skip


def test_every_rule_has_a_case(folder: Path) -> None:
    ours = {(case.alert, case.labels.replace('"', "")) for case in CASES}
    theirs = {
        (
            rule["alert"],
            next((f"{name}={rule['labels'][name]}" for name in ("of", "cause") if name in rule["labels"]), ""),
        )
        for rule in rules_of(folder)
    }
    assert ours == theirs


def test_every_rule_fires_above_its_threshold_after_its_time_and_neither_below_nor_at_it(folder: Path) -> None:
    tests: list[dict[str, Any]] = []
    for case in CASES:
        for why, series in case.quiet.items():
            checks = [firing(case, at, 0) for at in (STEP, case.lasting + case.known, (LONG - 1) * STEP)]
            tests.append(group(f"{case.alert}: {why}", series, checks))
        begins = case.known + case.lasting
        checks = [firing(case, begins, 1)]
        if begins:
            checks.insert(0, firing(case, begins - STEP, 0))
        tests.append(group(f"{case.alert} above", case.firing, checks))
    run(folder, tests)


def test_an_alert_ends_with_its_cause(folder: Path) -> None:
    down, drift = 'up{job="model-server"}', f"trilho_drift_detected{{{MODEL}}}"
    by_name = {case.alert: case for case in CASES}
    at = 10 * 60
    run(
        folder,
        [
            group("a server comes back", {down: "0x8 1x40"},
                  [firing(by_name["ModelServerDown"], 120, 1), firing(by_name["ModelServerDown"], 135, 0)]),
            group("a blink is no alarm", {down: "1x8 0x3 1x40"}, [firing(by_name["ModelServerDown"], 180, 0)]),
            group("drift is gone", {drift: "1x8 0x40"},
                  [firing(by_name["DataDrift"], 120, 1), firing(by_name["DataDrift"], 135, 0)]),
            group("another version takes over", {drift: "1x8 stale"},
                  [firing(by_name["DataDrift"], 120, 1), firing(by_name["DataDrift"], 135, 0)]),
            group("a reload that worked the second time", {FAILURES: f"0 1x{LONG}"},
                  [firing(by_name["ReloadFailing"], at, 1), firing(by_name["ReloadFailing"], 16 * 60, 0)]),
        ],
    )  # fmt: skip


def test_a_server_that_nobody_knows_of_is_missed_in_a_whole_sentence(folder: Path) -> None:
    rule = next(rule for rule in rules_of(folder) if rule["alert"] == "ModelServerDown")
    words = {**rule["annotations"], "summary": "The model server does not answer"}
    expected = {"exp_labels": {"job": "model-server", "severity": "critical"}, "exp_annotations": words}
    check = {"eval_time": "60s", "alertname": rule["alert"], "exp_alerts": [expected]}
    absent = group("no target at all", {'up{job="prometheus"}': constant(1)}, [])
    run(folder, [{**absent, "alert_rule_test": [check]}])


# ----------------------------------------------------------------------------------------------------------------------


def firing(case: Case, at: int, alerts: int) -> dict[str, Any]:
    labels = ",".join(filter(None, [f'alertname="{case.alert}",alertstate="firing"', case.labels]))
    samples = [{"labels": "{}", "value": alerts}]
    return {"expr": f"count(ALERTS{{{labels}}}) or vector(0)", "eval_time": f"{at}s", "exp_samples": samples}


def group(name: str, series: Mapping[str, str], checks: list[dict[str, Any]]) -> dict[str, Any]:
    inputs = [{"series": key, "values": values} for key, values in series.items()]
    return {"name": name, "interval": f"{STEP}s", "input_series": inputs, "promql_expr_test": checks}


def run(folder: Path, tests: list[dict[str, Any]]) -> None:
    text = yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": f"{STEP}s", "tests": tests})
    (folder / "tests.yml").write_text(text, encoding="utf-8")
    assert "SUCCESS" in checked("promtool", "test", "rules", "tests.yml", folder=folder)
