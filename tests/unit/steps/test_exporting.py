"""The copy of the packed model in the project: it is there after every run, and it is the run's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from trilho.errors import StepFailed
from trilho.project.file import ProjectFile
from trilho.steps import StepResult, run_steps
from unit.steps.cases import module
from unit.steps.runs import settings, write_project


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> ProjectFile:
    """A project that ran with max_depth 2, then with 3."""
    project = write_project(tmp_path_factory.mktemp("packed") / "project")
    run_steps(project)
    run_steps(deeper(project))
    return project


@pytest.fixture
def project(packed: ProjectFile, tmp_path: Path) -> ProjectFile:
    """A copy of it of one's own; the model of max_depth 3 lies in artifacts/model."""
    shutil.copytree(packed.root, tmp_path / "project")
    return settings(tmp_path / "project")


def deeper(project: ProjectFile) -> ProjectFile:
    return settings(project.root, train={"estimator": project.train.estimator, "params": {"max_depth": 3}})


def register(project: ProjectFile) -> StepResult:
    return run_steps(project)[-1]


def files(project: ProjectFile) -> set[str]:
    folder = project.root / project.model_dir
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_reused_run_leaves_the_copy_alone(project: ProjectFile) -> None:
    (project.root / project.model_dir / "metadata.json").write_text("{}", encoding="utf-8")
    done = register(deeper(project))
    assert (done.status, done.reason) == ("reused", "")
    assert (project.root / project.model_dir / "metadata.json").read_text(encoding="utf-8") == "{}"


def test_a_deleted_copy_is_made_again_and_the_line_says_so(project: ProjectFile) -> None:
    before = files(project)
    shutil.rmtree(project.root / project.model_dir)
    done = register(deeper(project))
    assert (done.status, done.reason) == ("reused", "artifacts/model was gone, made again")
    assert files(project) == before
    assert register(deeper(project)).reason == ""


@pytest.mark.parametrize("name", ["model.joblib", "mlflow_model/MLmodel", "bundle.tar", "package.json"])
def test_a_copy_that_lacks_a_file_is_made_again(project: ProjectFile, name: str) -> None:
    (project.root / project.model_dir / name).unlink()
    assert register(deeper(project)).reason == "artifacts/model was incomplete, made again"
    assert name in files(project)


def test_back_to_other_settings_the_copy_is_of_their_model(project: ProjectFile) -> None:
    def digest() -> str:
        text = (project.root / project.model_dir / "metadata.json").read_text(encoding="utf-8")
        return str(json.loads(text)["bundle_sha256"])

    other = digest()
    done = register(project)
    assert (done.status, done.reason) == ("reused", "artifacts/model held another model, made again")
    assert digest() != other
    register(deeper(project))
    assert digest() == other


def test_the_users_function_gets_the_new_copy_and_its_failure_is_not_forgotten(tmp_path: Path) -> None:
    write_project(tmp_path)
    module(tmp_path, "after", AFTER)
    project = settings(tmp_path, steps={"register": "after:register"})
    run_steps(project)
    shutil.rmtree(tmp_path / project.model_dir)
    (tmp_path / "fail").touch()
    for _ in range(2):
        with pytest.raises(StepFailed, match="after:register") as caught:
            run_steps(project)
        assert "no luck today" in caught.value.why
    (tmp_path / "fail").unlink()
    assert register(project).reason == "artifacts/model was incomplete, made again"
    assert json.loads((tmp_path / project.model_dir / "mine.json").read_text(encoding="utf-8"))["f1"] > 0.5


AFTER = """
import json
from pathlib import Path


def register(folder, metrics):
    if (Path(__file__).parent / "fail").exists():
        raise ValueError("no luck today")
    (folder / "mine.json").write_text(json.dumps(metrics))
"""
