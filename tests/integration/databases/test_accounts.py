"""A server that asks for passwords: MLflow's own users, and every command of trilho with one of them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from command_line import environment, trilho, write_project
from conftest import free_port
from serving_process import serving as model_serving
from team_databases import Database
from team_server import begin, ready, serving

pytestmark = pytest.mark.slow


def status(address: str, user: str = "", password: str = "", **headers: str) -> int:
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    url = f"{address}/api/2.0/mlflow/experiments/search?max_results=1"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def asked(address: str, method: str, path: str, body: dict[str, str], password: str, *, user: str = "admin") -> int:
    word = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
    url = f"{address}/api/2.0/mlflow/{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status)


def test_every_command_works_for_who_logged_in_and_for_nobody_else(database: Database, tmp_path: Path) -> None:
    uri, folder, home = database.fresh(), tmp_path / "server", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    server = ready(begin(folder, uri, "artifacts", "--auth", "--auth-folder", "private"))
    try:
        file = folder / "private" / "mlflow-admin-password"
        password = file.read_text(encoding="utf-8").strip()
        assert f"The password is in {file}" in server.said
        assert password not in server.said
        if os.name == "posix":
            assert file.stat().st_mode & 0o077 == 0
        assert [status(server.address), status(server.address, "admin", "wrong")] == [401, 401]
        assert status(server.address, "admin", password) == 200
        assert status(server.address, "admin", password, Host="evil.example") == 403

        for method, path, body in (
            ("POST", "users/create", {"username": "bob", "password": "another long word"}),
            ("PATCH", "users/update-password", {"username": "bob", "password": "yet another word"}),
            ("DELETE", "users/delete", {"username": "bob"}),
        ):
            assert asked(server.address, method, path, body, password) == 200, path

        project = write_project(tmp_path / "project", "guarded", {})
        us = {"server": server.address, "HOME": str(home), "USERPROFILE": str(home)}
        refused = trilho(project, "history", code=1, **us)
        assert f"trilho login {server.address}" in refused.stderr

        login = [sys.executable, "-m", "trilho.cli", "login", server.address, "--user", "admin", "--password-stdin"]
        for given, code in (("wrong", 1), (password, 0)):
            done = subprocess.run(
                login,
                input=given + "\n",
                env=environment(HOME=str(home), USERPROFILE=str(home)),
                cwd=project,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == code, done.stderr
            assert (home / ".mlflow" / "credentials").exists() == (code == 0), "a wrong password is not kept"
            assert password not in done.stdout + done.stderr
        if os.name == "posix":
            assert (home / ".mlflow" / "credentials").stat().st_mode & 0o077 == 0

        trilho(project, "run", **us)
        assert "v1" in trilho(project, "history", **us).stdout
        with model_serving(project, **us) as model:
            assert model.health()["server"]["version"] == "1"
        trilho(project, "login", "--forget", **us)
        trilho(project, "history", code=1, **us)

        (project / ".env").write_text(
            f"MLFLOW_TRACKING_USERNAME=admin\nMLFLOW_TRACKING_PASSWORD={password}\n", encoding="utf-8"
        )
        assert "v1" in trilho(project, "history", **us).stdout
    finally:
        server.kill()
    with serving(uri, "artifacts", "--auth") as again:
        assert "The password is in" not in again.said, "the administrator is there already"
        assert status(again.address, "admin", password) == 200


def test_a_password_that_is_given_makes_the_first_administrator(tmp_path: Path) -> None:
    pytest.importorskip("flask_wtf", reason='no forms for MLflow here: pip install "mlflow[auth]"')
    given = {"MLFLOW_AUTH_ADMIN_USERNAME": "ana", "MLFLOW_AUTH_ADMIN_PASSWORD": "correct horse battery"}
    with serving("sqlite:///mlflow.db", "artifacts", port=free_port(), TRILHO_AUTH="true", **given) as server:
        assert status(server.address, "ana", given["MLFLOW_AUTH_ADMIN_PASSWORD"]) == 200
        assert status(server.address) == 401
        assert given["MLFLOW_AUTH_ADMIN_PASSWORD"] not in server.said


def test_the_reader_has_the_password_of_the_environment_and_changes_nothing_of_others(tmp_path: Path) -> None:
    pytest.importorskip("flask_wtf", reason='no forms for MLflow here: pip install "mlflow[auth]"')
    admin = "correct horse battery"
    given = {"TRILHO_AUTH": "true", "MLFLOW_AUTH_ADMIN_PASSWORD": admin}
    uri = f"sqlite:///{tmp_path.as_posix()}/mlflow.db"
    for word, before in (("first long word", ""), ("second long word", "first long word")):
        with serving(uri, "artifacts", port=free_port(), TRILHO_READER_PASSWORD=word, **given) as server:
            assert status(server.address, "trilho-reader", word) == 200
            assert not before or status(server.address, "trilho-reader", before) == 401
            name = f"of the administrator {len(word)}"
            assert asked(server.address, "POST", "registered-models/create", {"name": name}, admin) == 200
            with pytest.raises(urllib.error.HTTPError, match="403"):
                asked(server.address, "DELETE", "registered-models/delete", {"name": name}, word, user="trilho-reader")
            assert word not in server.said
