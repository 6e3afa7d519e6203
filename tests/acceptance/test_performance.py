"""From answers and labels to what people and MLflow see of them, by the real command line."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from command_line import trilho, trilho_json, write_project
from shipped import Shipped, all_numbers
from trilho.bundle.columns import columns_of
from trilho.journal import Answered, Features, Journal
from trilho.wire import connect

NOTE = "are not in MLflow yet; they go with the next ones"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return all_numbers(tmp_path_factory.mktemp("shipped"))


def asked(shipped: Shipped) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows and their truth: some of all, as a model is surer of those that it was trained on."""
    frame = shipped.frame.sample(300, random_state=0)
    return frame.reset_index(drop=True), shipped.truth[frame.index].to_numpy()


def answered(folder: Path, shipped: Shipped, model: str, version: str) -> np.ndarray:
    """A journal as `trilho serve` leaves it; the truth of its rows."""
    frame, _ = asked(shipped)
    answers = shipped.answers(frame)
    journal = Journal(folder / ".trilho" / "journal")
    journal.append(
        Answered(
            request="a",
            time=time.time() - 60,
            model=model,
            version=version,
            latency=0.001,
            features=Features.of(columns_of(frame, shipped.schema.fields)),
            labels=answers.labels,
            probabilities=answers.probabilities,
        )
    )
    journal.close()
    return asked(shipped)[1]


def labels(folder: Path, truth: np.ndarray) -> Path:
    file = folder / "labels.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "label"])
        writer.writerows((f"a-{row}", value) for row, value in enumerate(truth.tolist()))
        writer.writerow(["stranger-0", 1])
    return file


def runs(server: str, name: str) -> list[dict[str, Any]]:
    with connect(server) as client:
        experiment = client.get("experiments/get-by-name", {"experiment_name": name})["experiment"]
        found = client.post("runs/search", {"experiment_ids": [experiment["experiment_id"]]})
        return list(found.get("runs", []))


def test_labels_from_a_file_become_numbers_in_the_report_and_in_mlflow(
    tmp_path: Path, shipped: Shipped, mlflow_server: str
) -> None:
    folder = write_project(tmp_path / "project", "performing", {"evaluate": {"thresholds": {"f1": 0.9}}})
    model = ["--model", str(shipped.path)]
    empty = trilho(folder, "monitor", "--json", *model)
    first = json.loads(empty.stdout)
    assert "1 window " + NOTE in empty.stderr, "no server is known yet, which fails nothing"
    truth = answered(folder, shipped, first["model"], first["version"])
    trilho(folder, "feedback", str(labels(folder, truth)), *model)

    found = trilho_json(folder, "monitor", *model, server=mlflow_server)
    [window] = found["performance"]["windows"]
    measured = {one["metric"]: one for one in window["measured"]}
    wrong = shipped.answers(asked(shipped)[0]).labels != truth
    assert (window["labelled"], found["performance"]["unmatched"]) == (300, 1)
    assert measured["accuracy"]["value"] == pytest.approx(1 - wrong.mean())
    assert measured["f1"]["floor"] == 0.9
    low, high = measured["accuracy"]["interval"]
    assert low < measured["accuracy"]["value"] <= high

    shown = trilho(folder, "monitor", *model, server=mlflow_server).stdout
    assert f"{measured['accuracy']['value']:.3f} (with 95 % confidence" in shown
    reports = folder / ".trilho" / "journal" / "reports"
    page = (reports / "latest.html").read_text(encoding="utf-8")
    assert f"<b>{measured['f1']['value']:.3f}</b>" in page
    assert "300 answers whose truth is known" in page

    [run] = [one for one in runs(mlflow_server, "performing") if one["info"]["run_name"].startswith("monitor: ")]
    metrics = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
    assert metrics["input_volume"] == 300
    assert metrics["prediction_mean"] == pytest.approx(
        shipped.answers(asked(shipped)[0]).probabilities[:, 1].mean()  # type: ignore[index]
    )
    assert metrics["performance/accuracy"] == pytest.approx(1 - wrong.mean())
    assert metrics["label_share/0"] + metrics["label_share/1"] == pytest.approx(1.0)
    with connect(mlflow_server) as client:
        query = {"run_id": run["info"]["run_id"], "metric_key": "input_volume"}
        history = client.get("metrics/get-history", query)["metrics"]
        assert [point["value"] for point in history] == [0, 300, 300], "the one that waited came, too"
        assert all(abs(point["timestamp"] / 1000 - point["step"]) < 1 for point in history)
        files = client.get("artifacts/list", {"run_id": run["info"]["run_id"], "path": "reports"})["files"]
        assert "reports/latest.html" in [file["path"] for file in files]
    assert not list(reports.glob("*unsent.jsonl"))


def test_server_that_is_gone_costs_a_line(tmp_path: Path, shipped: Shipped) -> None:
    folder = write_project(tmp_path / "project", "gone", {})
    for count in ("1 window", "2 windows"):
        done = trilho(folder, "monitor", "--model", str(shipped.path), server="http://127.0.0.1:9")
        assert f"{count} {NOTE}" in done.stderr
        assert "does not answer" in done.stderr


def test_metric_below_its_floor_calls_for_somebody_though_no_report_can_be_kept(
    tmp_path: Path, shipped: Shipped
) -> None:
    """Nothing has drifted; labels alone say so, and the disk takes no report."""
    folder = write_project(tmp_path / "project", "fallen", {"evaluate": {"thresholds": {"accuracy": 0.9999}}})
    model = ["--model", str(shipped.path)]
    found = trilho_json(folder, "monitor", *model)
    assert found["alarms"] == []
    truth = answered(folder, shipped, found["model"], found["version"])
    trilho(folder, "feedback", str(labels(folder, truth)), *model)
    reports = folder / ".trilho" / "journal" / "reports"
    reports.rename(reports.with_name("elsewhere"))
    reports.write_text("no folder", encoding="utf-8")
    done = trilho(folder, "monitor", "--set", "monitor.whole_rows=true", *model, code=4)
    assert "The report could not be kept" in done.stderr
    assert "not reached" in done.stdout
    assert "performance; exit code 4" in done.stdout
    assert "200 earlier rows of this version are needed" in done.stdout
