"""What Python users hold in their hands."""

from __future__ import annotations

import inspect
import pydoc
from pathlib import Path
from typing import get_type_hints

import pytest

import trilho
from command_line import write_project
from trilho.errors import NotRunYet, ProjectNotFound


def test_project_is_a_class_that_explains_itself(tmp_path: Path) -> None:
    assert inspect.isclass(trilho.Project)
    assert isinstance(trilho.Project(write_project(tmp_path, "shop", {})), trilho.Project)
    told = pydoc.render_doc(trilho.Project, renderer=pydoc.plaintext)
    assert "A project from Python" in told
    assert "--profile team" in told
    assert "partial" not in told


def test_project_starts_the_local_server_by_the_function_of_the_platform() -> None:
    from trilho.platform.address import server_address

    assert trilho.Project.find_server is server_address


def test_project_takes_settings_as_the_command_line_does(tmp_path: Path) -> None:
    folder = write_project(tmp_path, "shop", {"profiles": {"team": {"tracking_uri": "http://mlflow.example:5000"}}})
    project = trilho.Project(folder, profile="team", overrides=["train.params.C=0.5"])
    assert project.file.tracking_uri == "http://mlflow.example:5000"
    assert project.file.train.params["C"] == 0.5


def test_project_that_is_not_there_and_steps_that_have_not_run_say_so(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFound, match="trilho new"):
        trilho.Project(tmp_path)
    with pytest.raises(NotRunYet, match="trilho run train"):
        trilho.Project(write_project(tmp_path, "shop", {})).inspect("train")


def test_types_are_known_to_a_checker() -> None:
    assert get_type_hints(trilho.Project.run)["return"] is trilho.Delivery
    assert (Path(trilho.__file__).parent / "py.typed").is_file()
