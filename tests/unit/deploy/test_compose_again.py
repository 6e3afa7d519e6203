"""trilho deploy compose over a folder that is there: what stays, what is said, what one kind never takes of another."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from trilho.deploy import ComposePlan, Written, write_compose
from trilho.project import ProjectFile, load
from trilho.project.new import create


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectFile:
    folder = tmp_path_factory.mktemp("deploy") / "shop"
    create(folder)
    return load(folder)


def written(folder: Path, *, replace: bool = False, **plan: Any) -> Written:
    return write_compose(folder, ComposePlan(**plan), replace=replace)


def text(folder: Path, name: str = ".env") -> str:
    return (folder / name).read_text(encoding="utf-8")


def settings(folder: Path) -> dict[str, str]:
    lines = text(folder).splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_env_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    written(tmp_path)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    with (tmp_path / ".env").open("a", encoding="utf-8") as file:
        file.write("MORE=1\n")
    written(tmp_path, database="postgres", replace=True)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_what_is_in_env_never_changes_and_what_lacks_is_added(tmp_path: Path) -> None:
    write_compose(tmp_path, ComposePlan())
    file = tmp_path / ".env"
    file.write_text(text(tmp_path).replace("AWS_REGION=us-east-1", "AWS_REGION=sa-east-1"), encoding="utf-8")
    before = file.read_text(encoding="utf-8")
    assert Path(".env") in map(Path, write_compose(tmp_path, ComposePlan(), replace=True).same)
    assert file.read_text(encoding="utf-8") == before
    write_compose(tmp_path, ComposePlan(database="postgres"), replace=True)
    after = file.read_text(encoding="utf-8")
    assert after.startswith(before.rstrip("\n"))
    assert "POSTGRES_PASSWORD=" in after[len(before) :]
    assert "AWS_REGION" not in after[len(before) :]


def test_what_a_person_changed_stays_until_it_may_be_replaced(tmp_path: Path) -> None:
    write_compose(tmp_path, ComposePlan())
    (tmp_path / "compose.yml").write_text("services: {}\n", encoding="utf-8")
    assert [str(path) for path in write_compose(tmp_path, ComposePlan()).kept] == ["compose.yml"]
    assert (tmp_path / "compose.yml").read_text(encoding="utf-8") == "services: {}\n"
    assert not write_compose(tmp_path, ComposePlan(), replace=True).kept
    assert "mlflow:" in (tmp_path / "compose.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("first", "then"), [("mysql", "postgres"), ("postgres", "mysql")])
def test_another_database_takes_neither_image_nor_volume_nor_password_of_the_first(
    tmp_path: Path, first: str, then: str
) -> None:
    def used() -> set[str]:
        db = yaml.safe_load(text(tmp_path, "compose.yml"))["services"]["db"]
        named = {name for name in settings(tmp_path) if name in str(db)}
        return named | {volume.split(":")[0] for volume in db["volumes"]}

    written(tmp_path, database=first)
    before = used()
    written(tmp_path, database=then, replace=True)
    assert before
    assert used()
    assert not before & used()


@pytest.mark.parametrize(("first", "then"), [("s3", "s3://team/models"), ("s3://team/models", "s3")])
def test_another_store_takes_neither_bucket_nor_keys_of_the_first(tmp_path: Path, first: str, then: str) -> None:
    def used() -> set[str]:
        told = yaml.safe_load(text(tmp_path, "compose.yml"))["services"]["mlflow"]["environment"]
        names = ("MLFLOW_ARTIFACTS_DESTINATION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        return {variable for name in names for variable in re.findall(r"\$\{(\w+)", told[name])}

    written(tmp_path, artifacts=first)
    before = used()
    written(tmp_path, artifacts=then, replace=True)
    assert before
    assert used() <= set(settings(tmp_path))
    assert not before & used()


def test_env_gains_nothing_for_a_compose_file_that_was_not_written(tmp_path: Path) -> None:
    written(tmp_path)
    before = text(tmp_path)
    assert "compose.yml" in map(str, written(tmp_path, database="postgres").kept)
    assert text(tmp_path) == before


def test_what_the_options_would_set_otherwise_in_env_is_named(tmp_path: Path, project: ProjectFile) -> None:
    assert not written(tmp_path, project=project).unlike
    again = written(tmp_path, project=project, hosts=("mlflow.example.org",), replace=True)
    assert again.unlike == {
        "PUBLISH": ("127.0.0.1", "0.0.0.0"),
        "MLFLOW_SERVER_ALLOWED_HOSTS": ("", "mlflow.example.org"),
        "TRILHO_AUTH": ("false", "true"),
        "TRILHO_API_KEYS": ("", "…"),
    }
    file = tmp_path / ".env"
    file.write_text(text(tmp_path).replace("TRILHO_API_KEYS=", "TRILHO_API_KEYS=a-key-of-ours"), encoding="utf-8")
    assert "TRILHO_API_KEYS" not in written(tmp_path, project=project, hosts=("mlflow.example.org",)).unlike
    closed = written(tmp_path, project=project).unlike
    assert closed["TRILHO_API_KEYS"] == ("…", ""), "a key is not shown"


def test_a_file_that_nobody_changed_is_told_from_one_that_a_person_did(tmp_path: Path) -> None:
    written(tmp_path)
    with (tmp_path / "README.md").open("a", encoding="utf-8") as file:
        file.write("Ask Ana.\n")
    again = written(tmp_path, database="postgres")
    assert {str(path) for path in again.kept} == {"compose.yml", "README.md"}
    assert [str(path) for path in again.untouched] == ["compose.yml"]
    written(tmp_path, database="postgres", replace=True)
    assert [str(path) for path in written(tmp_path).untouched] == ["compose.yml", "README.md"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_backups_may_be_written_by_the_user_of_the_image_and_are_left_alone(tmp_path: Path) -> None:
    written(tmp_path)
    folder = tmp_path / "backups"
    assert folder.stat().st_mode & 0o7777 == 0o1777, "whoever that user is here, and nobody removes another's"
    (folder / "monday.tar.zst").write_bytes(b"rows")
    folder.chmod(0o750)
    written(tmp_path, database="postgres", replace=True)
    assert folder.stat().st_mode & 0o7777 == 0o750
    assert (folder / "monday.tar.zst").read_bytes() == b"rows"
