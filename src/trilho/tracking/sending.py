"""From the spool to the server: each run once, whatever is killed or lost on the way.

The server's acknowledgement of each part is written beside the run before the next part is sent, and whatever the
server might have without our knowing (a run, a logged model, its link to the run) is looked up before it is made again.
Parts that may be sent twice (metrics, parameters, tags, files) simply are. One sender at a time: a lock on the spool.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock

from trilho.errors import ServerRefused
from trilho.tracking.run import Record, RunHeader, SentModel, SentRun
from trilho.tracking.spool import mark_sent, read_header, read_log, read_sent
from trilho.wire import Client, upload

RUN_KEY = "trilho.run_key"

# MLflow's own limits for one log-batch call.
_METRICS, _PARAMS, _TAGS = 1000, 100, 100
_PARAM_LENGTH, _TAG_LENGTH = 6000, 8000


@dataclass(frozen=True, kw_only=True)
class _Progress:
    """What the server has of a run, as acknowledged so far."""

    facts: Mapping[str, Any]
    files: frozenset[str]

    @staticmethod
    def of(folder: Path) -> _Progress:
        facts: dict[str, Any] = {}
        files = set()
        for line in read_sent(folder):
            if "file" in line:
                files.add(line["file"])
            else:
                facts.update(line)
        return _Progress(facts=facts, files=frozenset(files))


def send_records(client: Client, folder: Path) -> str:
    """Bring the run's header and all records so far to the server; files and model wait. Returns MLflow's run id.

    Raises:
        ServerUnreachable, ServerRefused: not all arrived; what did is remembered, and sending again goes on from there.
    """
    with FileLock(folder.parent / ".sending"):
        header = read_header(folder)
        run_id, _, _ = _run(client, folder, header)
        _records(client, folder, run_id)
        return run_id


def send(client: Client, folder: Path) -> SentRun:
    """Bring all of a run to the server, its end included. Raises ServerUnreachable, ServerRefused."""
    with FileLock(folder.parent / ".sending"):
        header = read_header(folder)
        run_id, experiment_id, root = _run(client, folder, header)
        _records(client, folder, run_id)
        log = read_log(folder)
        _datasets(client, folder, run_id, log)
        for path in dict.fromkeys(record["path"] for record in log if record["kind"] == "artifact"):
            _file(client, folder, root, path, folder / "artifacts" / path)
        model = next((record for record in log if record["kind"] == "model"), None)
        sent = _model(client, folder, run_id, experiment_id, header, model) if model else None
        _end(client, run_id, log, header)
        return SentRun(key=header.key, run_id=run_id, experiment_id=experiment_id, model=sent)


def experiment_id_of(client: Client, name: str) -> str:
    """The experiment called `name`, made or restored where it is not there. Raises ServerUnreachable, ServerRefused."""
    for _ in range(2):  # a second round where somebody else creates it between our two calls
        try:
            found = client.get("experiments/get-by-name", {"experiment_name": name})["experiment"]
        except ServerRefused as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        else:
            if found.get("lifecycle_stage") == "deleted":
                client.post("experiments/restore", {"experiment_id": found["experiment_id"]})
            return str(found["experiment_id"])
        try:
            return str(client.post("experiments/create", {"name": name})["experiment_id"])
        except ServerRefused as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    return str(client.get("experiments/get-by-name", {"experiment_name": name})["experiment"]["experiment_id"])


def _run(client: Client, folder: Path, header: RunHeader) -> tuple[str, str, str]:
    facts = _Progress.of(folder).facts
    if "run_id" in facts:
        return facts["run_id"], facts["experiment_id"], facts["artifact_root"]
    experiment_id = experiment_id_of(client, header.experiment)
    query = {"experiment_ids": [experiment_id], "filter": f"tags.`{RUN_KEY}` = '{header.key}'", "max_results": 1}
    found = client.post("runs/search", query).get("runs", [])
    if found:
        info = found[0]["info"]
    else:
        tags = {**header.tags, RUN_KEY: header.key, "mlflow.user": header.user}
        body = {"experiment_id": experiment_id, "start_time": header.started, "run_name": header.name}
        info = client.post("runs/create", {**body, "tags": _pairs(tags)})["run"]["info"]
    mark_sent(folder, run_id=info["run_id"], experiment_id=experiment_id, artifact_root=info["artifact_uri"])
    return info["run_id"], experiment_id, info["artifact_uri"]


def _records(client: Client, folder: Path, run_id: str) -> None:
    done = int(_Progress.of(folder).facts.get("records", 0))
    log = read_log(folder)
    metrics: list[Record] = []
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    for record in log[done:]:
        if record["kind"] == "metrics":
            metrics += [
                {"key": key, "value": json_number(value), "timestamp": record["at"], "step": record["step"]}
                for key, value in record["values"].items()
            ]
        elif record["kind"] == "params":
            params |= {key: value[:_PARAM_LENGTH] for key, value in record["values"].items()}
        elif record["kind"] == "tags":
            tags |= {key: value[:_TAG_LENGTH] for key, value in record["values"].items()}
    for some in _slices(_pairs(params), _PARAMS):
        client.post("runs/log-batch", {"run_id": run_id, "params": some})
    for some in _slices(_pairs(tags), _TAGS):
        client.post("runs/log-batch", {"run_id": run_id, "tags": some})
    for some in _slices(metrics, _METRICS):
        client.post("runs/log-batch", {"run_id": run_id, "metrics": some})
    if len(log) > done:
        mark_sent(folder, records=len(log))


def _datasets(client: Client, folder: Path, run_id: str, log: Sequence[Record]) -> None:
    if _Progress.of(folder).facts.get("datasets"):
        return
    inputs = [
        {"dataset": record["values"], "tags": [{"key": "mlflow.data.context", "value": record["context"]}]}
        for record in log
        if record["kind"] == "dataset"
    ]
    if inputs:
        client.post("runs/log-inputs", {"run_id": run_id, "datasets": inputs})
        mark_sent(folder, datasets=len(inputs))


def _model(
    client: Client, folder: Path, run_id: str, experiment_id: str, header: RunHeader, record: Record
) -> SentModel:
    facts = _Progress.of(folder).facts
    if "model_id" not in facts:
        info = _find_model(client, experiment_id, run_id) or _create_model(
            client, experiment_id, run_id, header, record
        )
        mark_sent(folder, model_id=info["model_id"], model_root=info["artifact_uri"])
        facts = _Progress.of(folder).facts
    model_id, root = facts["model_id"], facts["model_root"]
    files = sorted(path for path in (folder / "model").rglob("*") if path.is_file())
    for file in files:
        path = file.relative_to(folder / "model").as_posix()
        if path == "MLmodel":
            with tempfile.TemporaryDirectory() as place:
                named = Path(place) / "MLmodel"
                named.write_text(_with_ids(file.read_text(encoding="utf-8"), model_id, run_id, root), encoding="utf-8")
                _file(client, folder, root, path, named, "model/")
        else:
            _file(client, folder, root, path, file, "model/")
    run = client.get("runs/get", {"run_id": run_id})["run"]
    linked = [output["model_id"] for output in run.get("outputs", {}).get("model_outputs", [])]
    if model_id not in linked:  # sending the link twice would show the model twice
        client.post("runs/outputs", {"run_id": run_id, "models": [{"model_id": model_id, "step": 0}]})
    client.patch(f"logged-models/{model_id}", {"model_id": model_id, "status": "LOGGED_MODEL_READY"})
    return SentModel(model_id=model_id, artifact_root=root)


def _find_model(client: Client, experiment_id: str, run_id: str) -> Mapping[str, Any] | None:
    query = {"experiment_ids": [experiment_id], "filter": f"source_run_id = '{run_id}'", "max_results": 1}
    found = client.post("logged-models/search", query).get("models", [])
    return found[0]["info"] if found else None


def _create_model(
    client: Client, experiment_id: str, run_id: str, header: RunHeader, record: Record
) -> Mapping[str, Any]:
    body = {
        "experiment_id": experiment_id,
        "name": record["name"],
        "model_type": record["model_type"],
        "source_run_id": run_id,
        "params": _pairs({key: value[:_PARAM_LENGTH] for key, value in record["params"].items()})[:_PARAMS],
        "tags": _pairs({RUN_KEY: header.key}),
    }
    info: Mapping[str, Any] = client.post("logged-models", body)["model"]["info"]
    return info


def _with_ids(mlmodel: str, model_id: str, run_id: str, root: str) -> str:
    """The MLmodel file as MLflow's own log_model writes it: the ids exist only now that the server gave them."""
    known = yaml.safe_load(mlmodel)
    return str(
        yaml.safe_dump(
            {**known, "model_id": model_id, "model_uuid": model_id, "run_id": run_id, "artifact_path": root},
            default_flow_style=False,
            allow_unicode=True,
        )
    )


def _file(client: Client, folder: Path, root: str, path: str, file: Path, prefix: str = "artifacts/") -> None:
    if prefix + path not in _Progress.of(folder).files:
        upload(client, root, path, file)
        mark_sent(folder, file=prefix + path)


def _end(client: Client, run_id: str, log: Sequence[Record], header: RunHeader) -> None:
    end = next((record for record in reversed(log) if record["kind"] == "end"), None)
    at = log[-1]["at"] if log else header.started
    status = end["status"] if end else "KILLED"  # no end: its process died; the last record is the last sign of life
    client.post("runs/update", {"run_id": run_id, "status": status, "end_time": end["at"] if end else at})


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _slices(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def json_number(value: float) -> float | str:
    """MLflow's JSON spells what JSON cannot."""
    return value if json.dumps(value) not in ("NaN", "Infinity", "-Infinity") else json.dumps(value)
