"""No password and no key in logs, in lists of processes, in answers, on the terminal or in --json, whatever fails."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from command_line import trilho, write_project
from team_databases import PASSWORD, Database
from team_server import begin, ready
from team_store import SECRET_KEY, Store

pytestmark = pytest.mark.slow

ADMIN_PASSWORD = "only for the administrator"


def answer(address: str, path: str, body: object, **headers: str) -> str:
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(f"{address}/api/2.0/mlflow/{path}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as found:
            text: str = found.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            text = f"{error.code} {error.read().decode()}"
    return text


def test_nothing_that_a_server_or_a_client_says_holds_a_secret(
    database: Database, seaweed: Store, tmp_path: Path
) -> None:
    folder, csrf = tmp_path / "server", "key-of-the-form-for-new-users"
    folder.mkdir()
    given = {
        **seaweed.environment,
        "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": csrf,
    }
    secrets = {PASSWORD, SECRET_KEY, ADMIN_PASSWORD, csrf}
    secrets |= {quote(secret, safe=safe) for secret in secrets for safe in ("", " ")}
    said = []
    server = begin(folder, database.fresh(), "s3://secrets", "--auth", **given)
    try:
        ready(server)
        project = write_project(tmp_path / "project", "secret", {})
        us = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": ADMIN_PASSWORD}
        done = trilho(project, "run", server=server.address, **us)
        said += [done.stdout, done.stderr]
        for user in (us, {**us, "MLFLOW_TRACKING_PASSWORD": "wrong word"}):
            for words in (("history",), ("history", "--json"), ("config",), ("config", "--json")):
                done = trilho(project, *words, server=server.address, code=None, **user)
                said += [done.stdout, done.stderr]
        family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
        said += [" ".join(process.cmdline()) for process in family]
        database.kill()
        try:
            basic = "Basic " + base64.b64encode(f"admin:{ADMIN_PASSWORD}".encode()).decode()
            failed = answer(server.address, "runs/search", {"experiment_ids": ["0"]}, Authorization=basic)
            said.append(failed)
            done = trilho(project, "history", "--json", server=server.address, code=1, **us)
            said += [done.stdout, done.stderr]
        finally:
            database.start()
    finally:
        server.kill()
    for text in (*said, server.said):
        assert not any(secret in text for secret in secrets)
    assert failed.startswith("5"), "the server had something to complain about"


def test_mlflows_page_works_under_every_name_that_was_given_and_no_other_site_may_ask(tmp_path: Path) -> None:
    server = begin(tmp_path, "sqlite:///mlflow.db", "artifacts", "--allowed-hosts", "mlflow.example")
    try:
        ready(server)
        own = {"Host": "mlflow.example:5000", "Origin": "http://mlflow.example:5000"}
        body = {"experiment_ids": ["0"]}
        assert answer(server.address, "runs/search", body, **own).startswith("{")
        evil = {**own, "Origin": "http://evil.example"}
        assert answer(server.address, "runs/search", body, **evil) == "403 Cross-origin request blocked"
        assert "Invalid Host header" in answer(server.address, "runs/search", body, Host="evil.example")
    finally:
        server.kill()
