"""From a project file to a champion, by the real command line and a real MLflow server."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

import pytest

from command_line import environment, trilho, trilho_json, write_project
from trilho.wire import connect


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", f"cancer-{uuid4().hex[:8]}", {"positive_class": 0})


def name_of(project: Path) -> str:
    line = (project / "trilho.yaml").read_text(encoding="utf-8").splitlines()[0]
    return line.removeprefix("name: ")


def alias(server: str, name: str, which: str = "champion") -> int:
    with connect(server) as client:
        found = client.get("registered-models/alias", {"name": name, "alias": which})
    return int(found["model_version"]["version"])


def test_first_run_makes_a_champion(project: Path, mlflow_server: str) -> None:
    done = trilho(project, "run", server=mlflow_server)
    assert "v1 is champion" in done.stdout
    assert alias(mlflow_server, name_of(project)) == 1
    for file in ("model.joblib", "metadata.json", "bundle.tar", "mlflow_model/MLmodel"):
        assert (project / "artifacts" / "model" / file).is_file(), file


def test_second_run_reuses_everything(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    done = trilho_json(project, "run", server=mlflow_server)
    assert {step["status"] for step in done["steps"]} == {"reused"}
    assert done["champion"]["version"] == 1
    assert done["judged"] == []


def test_changed_parameter_is_the_reason_that_is_shown(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    done = trilho_json(project, "run", "--set", "train.params.C=0.5", server=mlflow_server, code=None)
    reasons = {step["step"]: (step["status"], step["reason"]) for step in done["steps"]}
    assert reasons["transform"][0] == "reused"
    assert reasons["train"] == ("ran", "C added: 0.5")
    assert reasons["evaluate"] == ("ran", "train changed")


def test_run_carries_everything_that_the_field_expects(project: Path, mlflow_server: str) -> None:
    found = trilho_json(project, "run", server=mlflow_server)
    with connect(mlflow_server) as client:
        run = client.get("runs/get", {"run_id": found["run_id"]})["run"]
        files = client.get("artifacts/list", {"run_id": found["run_id"]})["files"]
        figures = client.get("artifacts/list", {"run_id": found["run_id"], "path": "figures"})["files"]
    params = {param["key"]: param["value"] for param in run["data"]["params"]}
    metrics = {metric["key"] for metric in run["data"]["metrics"]}
    assert params["max_iter"] == "1000"
    assert params["fit_intercept"] == "True", "defaults count as parameters"
    assert {"test_f1", "train_f1", "test_roc_auc"} <= metrics
    assert run["inputs"]["dataset_inputs"][0]["dataset"]["name"]
    assert {file["path"] for file in files} >= {"classification_report.txt", "model_card.md", "environment.txt"}
    assert {Path(figure["path"]).stem for figure in figures} == {
        "confusion_matrix",
        "roc_curve",
        "precision_recall_curve",
        "permutation_importance",
    }
    assert run["info"]["status"] == "FINISHED"


def test_plain_mlflow_opens_the_version_when_trilho_is_gone(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    script = f"""
        import sys
        class Gone:
            def find_spec(self, name, *rest):
                if name.split(".")[0] == "trilho":
                    raise ModuleNotFoundError(name)
        sys.meta_path.insert(0, Gone())
        import mlflow
        from sklearn.datasets import load_breast_cancer
        model = mlflow.pyfunc.load_model("models:/{name_of(project)}@champion")
        rows = load_breast_cancer(as_frame=True).data
        print(len(model.predict(rows)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment(mlflow_server),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "569", done.stderr[-2000:]


def test_worse_model_is_refused_and_the_champion_stays(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    worse = ["--set", "train.params.C=0.00001"]
    done = trilho(project, "run", *worse, server=mlflow_server, code=3)
    assert "v1 is still champion" in done.stdout
    assert alias(mlflow_server, name_of(project)) == 1
    assert alias(mlflow_server, name_of(project), "challenger") == 2
    again = trilho(project, "run", *worse, server=mlflow_server, code=3)
    assert "v2, on " in again.stdout, "refused as long as nothing happened since"
    assert "v1 is champion" in again.stdout
    assert "is required" in again.stdout or "is allowed" in again.stdout, "and why"
    kinds = [event["kind"] for event in trilho_json(project, "history", server=mlflow_server)]
    assert kinds == ["promoted", "refused"], "a refused version is not judged twice by the same rule"
    trilho(project, "promote", "2", "--force", "--reason", "for the test", server=mlflow_server)
    trilho(project, "run", *worse, server=mlflow_server)
    trilho(project, "rollback", server=mlflow_server)
    trilho(project, "run", *worse, server=mlflow_server)


def test_sync_ends_with_3_where_a_version_is_refused(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    trilho(project, "run", "--set", "train.params.C=0.00001", server="http://127.0.0.1:9")
    synced = trilho(project, "sync", server=mlflow_server, code=3)
    assert "v1 is still champion" in synced.stdout
    assert trilho_json(project, "sync", server=mlflow_server)["sent"] == 0


def test_sync_ends_with_1_where_a_run_is_damaged_and_sends_the_others(project: Path, mlflow_server: str) -> None:
    nowhere = "http://127.0.0.1:9"
    trilho(project, "run", server=nowhere)
    (damaged,) = (project / ".trilho" / "spool").glob("*/run.json")
    trilho(project, "run", "--set", "train.params.C=0.5", server=nowhere)
    damaged.write_text("{half", encoding="utf-8")
    synced = trilho_json(project, "sync", server=mlflow_server, code=1)
    assert (synced["sent"], synced["waiting"]) == (1, 1)
    assert [item["decision"] for item in synced["judged"]] == ["promoted"]
    assert len(synced["damaged"]) == 1
    again = trilho(project, "sync", server=mlflow_server, code=1)
    assert damaged.parent.name in again.stderr


def test_refused_version_is_promoted_by_force_and_rolled_back(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    trilho(project, "run", "--set", "train.params.C=0.00001", server=mlflow_server, code=3)
    assert trilho(project, "promote", "2", "--force", server=mlflow_server, code=2).stdout == ""
    trilho(project, "promote", "2", "--force", "--reason", "for the test", server=mlflow_server)
    assert alias(mlflow_server, name_of(project)) == 2
    assert alias(mlflow_server, name_of(project), "previous") == 1
    trilho(project, "rollback", server=mlflow_server)
    assert alias(mlflow_server, name_of(project)) == 1
    events = trilho_json(project, "history", server=mlflow_server)
    assert [event["kind"] for event in events] == ["promoted", "refused", "promoted", "rolled back"]
    assert events[2]["forced"]
    assert events[2]["why"] == "for the test"


def test_threshold_that_is_missed_refuses_the_first_version(project: Path, mlflow_server: str) -> None:
    done = trilho(project, "run", "--set", "evaluate.thresholds.f1=0.9999", server=mlflow_server, code=3)
    assert "there is no champion" in done.stdout
    assert "evaluate.thresholds.f1" in done.stdout
    assert "with 90 % confidence" in done.stdout, "how sure the number is"
    lower = trilho(project, "run", "--set", "evaluate.thresholds.f1=0.5", server=mlflow_server)
    assert "v1 is champion" in lower.stdout, "another rule is another question: the same version is judged again"


def test_rows_that_the_champion_learned_are_known_when_a_column_came_in_since(
    project: Path, mlflow_server: str
) -> None:
    trilho(project, "run", "--set", "data.drop=[mean radius]", server=mlflow_server)
    done = trilho(project, "run", server=mlflow_server, code=None)
    found = trilho_json(project, "compare", "1", "2", server=mlflow_server)
    assert 0 < found["rows"] < 60, "a fifth of a fifth of 569 rows"
    assert "trained on by neither" in done.stdout


def test_no_comparison_is_claimed_when_a_column_of_the_champion_is_gone(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    done = trilho(project, "run", "--set", "data.drop=[mean radius]", server=mlflow_server, code=3)
    assert "cannot be told: it had column 'mean radius'" in " ".join(done.stdout.split())


def test_compare_shows_metrics_and_parameters_that_differ(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    trilho(project, "run", "--set", "train.params.C=0.5", server=mlflow_server, code=None)
    found = trilho_json(project, "compare", "1", "2", server=mlflow_server)
    assert found["params"] == {"C": ["1.0", "0.5"]}
    assert found["rows"] > 50
    assert 0.5 < found["metrics"]["f1"][0] <= 1
    assert trilho_json(project, "compare", "v1", "v2", server=mlflow_server) == found, "as trilho writes versions"
    trilho(project, "promote", "v1", "--force", "--reason", "to compare with", server=mlflow_server)
    assert trilho_json(project, "compare", "v2", server=mlflow_server) == found, "alone: compared with the champion"
    assert "v1 is the champion. Name two" in trilho(project, "compare", "v1", server=mlflow_server, code=2).stderr
    assert "'three' is no version" in trilho(project, "compare", "three", server=mlflow_server, code=2).stderr


def test_stage_production_is_mirrored_where_asked(tmp_path: Path, mlflow_server: str) -> None:
    name = f"staged-{uuid4().hex[:8]}"
    project = write_project(tmp_path / "p", name, {"register": {"name": name, "stages": True}})
    trilho(project, "run", server=mlflow_server)
    with connect(mlflow_server) as client:
        version = client.get("model-versions/get", {"name": name, "version": "1"})["model_version"]
    assert version["current_stage"] == "Production"


def test_python_does_the_same_as_the_command_line(project: Path, mlflow_server: str) -> None:
    script = """
        from trilho import Project
        project = Project(".")
        done = project.run()
        metrics = sorted(project.inspect("evaluate")["test"])
        print(done.champion.number, type(project.inspect("train")).__name__, metrics[0])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=project, env=environment(mlflow_server),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["1", "Pipeline", "accuracy"], done.stderr[-2000:]
