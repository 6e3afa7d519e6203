"""What tests of backup and restore share: a server with runs, models and versions on it, and a look at all of them."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from command_line import environment, trilho
from trilho.wire import connect

# A user's scripts: plain MLflow, no trilho. Texts, numbers and names of the kinds that databases differ about.
_LOG = """
import math, sys, time, warnings
warnings.simplefilter("ignore")
import mlflow, numpy
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("ação ✓")
X = numpy.array([[0.0], [1.0], [2.0], [3.0]])
for number in range(3):
    with mlflow.start_run(run_name=f"it's \\\\ run {number}") as run:
        mlflow.log_params({"depth": number, "quote": "a 'b' \\"c\\"\\tä\\n%s ü", "empty": ""})
        mlflow.log_metric("f1", 0.1 * number)
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step, timestamp=1_700_000_000_000 + step)
        mlflow.log_metric("odd", math.nan)
        mlflow.log_metric("endless", math.inf)
        mlflow.log_metric("far", 1.5, step=2**40)
        mlflow.set_tag("note", "línea 1\\nlinea 2; DROP TABLE runs; --")
        mlflow.log_text("x" * 1000 * number, "notes/ä b.txt")
        mlflow.log_input(mlflow.data.from_numpy(X, name="rows"))
        model = LogisticRegression().fit(X, [0, 0, 1, 1])
        needs = ["scikit-learn"]  # else MLflow starts a Python to find that out, which takes seconds
        mlflow.sklearn.log_model(model, name="model", registered_model_name="kept", pip_requirements=needs)
client = mlflow.MlflowClient()
client.set_registered_model_alias("kept", "champion", "2")
client.set_model_version_tag("kept", "2", "why", "best")
client.delete_run(mlflow.search_runs(search_all_experiments=True, output_format="list")[-1].info.run_id)
"""
# The same server goes on to be used: its database still counts up from where it was.
_GO_ON = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("after the restore")
with mlflow.start_run() as run:
    mlflow.log_metric("f1", 1.0)
    mlflow.log_text("new", "new.txt")
    print(mlflow.artifacts.load_text(run.info.artifact_uri + "/new.txt"))
"""
_MANY = """
import os, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from mlflow import MlflowClient
folder = Path(sys.argv[1])
client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
experiment = client.create_experiment("many", artifact_location="mlflow-artifacts:/1")
for number in range(41):
    run = client.create_run(experiment).info.run_id
    path = folder / "artifacts" / experiment / run / "artifacts" / "noise.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(200_000))
"""


def log_runs(address: str) -> None:
    """Three runs with everything, one of them deleted; three versions, the second the champion."""
    script(_LOG, address)


def look(address: str) -> dict[str, Any]:
    """All that a client can see of them, and what the champion predicts."""
    import mlflow
    from mlflow.entities import ViewType

    client = mlflow.MlflowClient(address)
    found: dict[str, Any] = {"runs": {}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about models that were logged without an example
        experiments = client.search_experiments(view_type=ViewType.ALL)
        found["experiments"] = sorted(experiment.name for experiment in experiments)
        everywhere = [experiment.experiment_id for experiment in experiments]
        for run in client.search_runs(everywhere, run_view_type=ViewType.ALL):
            found["runs"][run.info.run_id] = _run(client, run)
        versions = client.search_model_versions("name='kept'")
        found["versions"] = sorted((one.version, one.run_id, one.status) for one in versions)
        champion = client.get_model_version_by_alias("kept", "champion")
        found["champion"] = [champion.version, champion.tags]
        mlflow.set_tracking_uri(address)
        try:
            model = mlflow.sklearn.load_model("models:/kept@champion")
        finally:
            mlflow.set_tracking_uri(None)
        found["predicts"] = model.predict([[0.0], [3.0]]).tolist()
    return found


def _run(client: Any, run: Any) -> dict[str, Any]:
    history = client.get_metric_history(run.info.run_id, "loss")
    seen = {
        "name": run.info.run_name,
        "stage": run.info.lifecycle_stage,
        "start": run.info.start_time,
        "params": run.data.params,
        "metrics": {name: repr(value) for name, value in run.data.metrics.items()},
        "tags": {name: value for name, value in run.data.tags.items() if name != "mlflow.user"},
        "loss": [(metric.step, metric.timestamp, metric.value) for metric in history],
        "inputs": [given.dataset.digest for given in run.inputs.dataset_inputs],
        "artifact_uri": run.info.artifact_uri,
    }
    if run.info.lifecycle_stage == "active":
        listed = client.list_artifacts(run.info.run_id, "notes")
        seen["artifacts"] = [(file.path, file.file_size) for file in listed]
    return seen


def go_on(address: str) -> None:
    """A new experiment, a new run, an artifact there and back."""
    assert "new" in script(_GO_ON, address).splitlines()


def script(text: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments], capture_output=True, text=True, check=False, env=environment()
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, to see that none of them changed."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Writers:
    """Clients that write to a server until told to stop: a run, its artifact, and only then the row that names it."""

    def __init__(self, address: str, count: int = 8) -> None:
        self._address = address
        self._stop = threading.Event()
        self.done: list[str] = []  # runs that were whole at that moment
        self.failed: list[Exception] = []
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(count)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def wait_for(self, runs: int) -> None:
        deadline = time.monotonic() + 180
        while len(self.done) < runs and not self.failed:
            assert time.monotonic() < deadline, "the clients are too slow"
            time.sleep(0.02)

    def _write(self, number: int) -> None:
        try:
            with connect(self._address) as client:
                while not self._stop.is_set():
                    now = int(time.time() * 1000)
                    info = client.post("runs/create", {"experiment_id": "0", "start_time": now})["run"]["info"]
                    run = info["run_id"]
                    points = [{"key": "loss", "value": step / 7, "timestamp": now, "step": step} for step in range(50)]
                    client.post("runs/log-batch", {"run_id": run, "metrics": points})
                    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/made.txt"
                    client.send_file(path, io.BytesIO(run.encode()), len(run))
                    named = [{"key": "made", "value": f"0/{run}/artifacts/made.txt"}]
                    client.post("runs/log-batch", {"run_id": run, "params": named})
                    self.done.append(run)
        except Exception as error:
            self.failed.append(error)


def small_backup(folder: Path) -> Path:
    """A backup of 41 runs with an artifact each, random enough not to shrink, made in `folder`."""
    script(_MANY, str(folder))
    trilho(folder, "backup", "backup.tar.zst", **at(folder))
    return folder / "backup.tar.zst"


def at(folder: Path, database: str = "mlflow.db") -> dict[str, str]:
    """What a command is told of a server that keeps everything in `folder`."""
    return {
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{folder / database}",
        "MLFLOW_ARTIFACTS_DESTINATION": str(folder / "artifacts"),
    }
