"""What the guide on troubleshooting shows is what doctor prints."""

from __future__ import annotations

import re
from pathlib import Path

from command_line import trilho
from integration.doctor.conftest import PlainServers, python

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "troubleshooting.md"


def shown(command: str) -> list[str]:
    """What the guide shows below `$ COMMAND`, the last such block."""
    blocks = re.findall(r"^```\n\$ (.*)\n((?:.*\n)*?)```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    return [text for said, text in blocks if said == command][-1].splitlines()


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def test_a_refused_name_reads_as_in_the_guide(start_mlflow: PlainServers, tmp_path: Path) -> None:
    address = start_mlflow(tmp_path, environment={"MLFLOW_SERVER_ALLOWED_HOSTS": "mlflow,127.0.0.1:*"})
    port = address.rpartition(":")[2]
    done = trilho(tmp_path, "doctor", code=1, MLFLOW_TRACKING_URI=f"http://localhost:{port}")
    said = done.stdout.replace(f"localhost:{port}", "mlflow:5000")
    said = said.replace("localhost,localhost:*,localhost", "mlflow,mlflow:*,localhost")
    assert lines(said) == shown("trilho doctor")


def test_what_would_be_put_right_reads_as_in_the_guide(tmp_path: Path) -> None:
    old = tmp_path / "old" / "1"
    done = python(_RUNS, folder=tmp_path, OLD=str(old), MLFLOW_DISABLE_TELEMETRY="true")
    runs = done.stdout.split()
    assert len(runs) == 3, done.stderr
    for run_id in runs[:2]:
        artifacts = old / run_id / "artifacts"
        artifacts.mkdir(parents=True)
        for name in ("model.pkl", "scaler.pkl", "data.csv"):
            (artifacts / name).write_bytes(bytes(700_000))
    command = "doctor --fix --backend-store-uri sqlite:///mlflow.db --artifacts-destination ./mlartifacts"
    said = trilho(tmp_path, *command.split(), code=1).stdout
    assert lines(said.replace(str(tmp_path), "/srv/mlflow").replace(runs[2], "RUN")) == shown(f"trilho {command}")


_RUNS = """
import mlflow, os
client = mlflow.MlflowClient("sqlite:///mlflow.db")
number = client.create_experiment("churn", artifact_location=os.environ["OLD"])
print(*(client.create_run(number).info.run_id for _ in range(3)))
"""
