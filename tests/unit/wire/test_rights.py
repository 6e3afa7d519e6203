"""What is said to somebody whom a server with users refuses."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from trilho.wire import Address, parse_address
from trilho.wire.rights import forbidden, not_known

API = "/api/2.0/mlflow/"
BOB = parse_address(
    "http://mlflow:5000", {"MLFLOW_TRACKING_USERNAME": "bob", "MLFLOW_TRACKING_PASSWORD": "secret word"}
)
TOKEN = parse_address("http://mlflow:5000", {"MLFLOW_TRACKING_TOKEN": "secret token"})
NOBODY = Address(shown="http://mlflow:5000", secure=False, host="mlflow", port=5000)


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "name", "level"),
    [
        ("POST", f"{API}runs/create", {"experiment_id": "3"}, "experiment", "3", "EDIT"),
        ("POST", f"{API}runs/log-batch", {"run_id": "7c1e"}, "experiment", "ID", "EDIT"),
        ("POST", f"{API}runs/search", {"experiment_ids": ["3"]}, "experiment", "3", "READ"),
        ("POST", f"{API}experiments/restore", {"experiment_id": "3"}, "experiment", "3", "MANAGE"),
        ("PATCH", f"{API}logged-models/m-1", {"model_id": "m-1"}, "experiment", "ID", "EDIT"),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/12/7c1e/artifacts/a.txt", {}, "experiment", "12", "EDIT"),
        ("GET", f"{API}model-versions/get?name=it%27s&version=1", {}, "registered_model", "it's", "READ"),
        ("POST", f"{API}registered-models/alias", {"name": "a b"}, "registered_model", "a b", "EDIT"),
        ("DELETE", f"{API}registered-models/alias", {"name": "churn"}, "registered_model", "churn", "MANAGE"),
    ],
)
def test_the_line_to_paste_gives_the_right_that_was_missing(
    method: str, path: str, body: dict[str, Any], kind: str, name: str, level: str
) -> None:
    why, remedy = forbidden(BOB, method, path, body, "Permission denied")
    assert why.startswith(f"You are 'bob' there, and this takes the right {level} on the {kind.replace('_', ' ')} ")
    words = shlex.split(remedy.splitlines()[-1])
    assert words[:3] == ["curl", "-u", "admin"]
    assert json.loads(words[-1]) == {
        "username": "bob", "resource_type": kind, "resource_id": name, "permission": level
    }  # fmt: skip


def test_what_is_no_matter_of_one_experiment_or_model_is_for_an_administrator() -> None:
    for path in ("registered-models/create", "experiments/create", "users/create"):
        why, remedy = forbidden(BOB, "POST", API + path, {"name": "churn"}, "Quota of models reached")
        assert why == "You are 'bob' there, which is not enough for this. Quota of models reached"
        assert "curl" not in remedy


def test_nobody_and_a_token_are_told_apart_and_no_secret_is_shown() -> None:
    said = [*not_known(BOB), *not_known(TOKEN), *not_known(NOBODY)]
    assert "'bob'" in said[0]
    assert "token" in said[2]
    assert "none are given" in said[4]
    assert "Nobody is logged in" in forbidden(NOBODY, "POST", f"{API}runs/create", {}, "")[0]
    said += [repr(BOB), repr(TOKEN), *forbidden(TOKEN, "POST", f"{API}runs/create", {}, "")]
    assert not any("secret" in text for text in said)


def test_who_did_something_is_the_user_of_the_server_and_the_account_here() -> None:
    assert BOB.signature == f"bob ({NOBODY.signature})"
    assert "@" in NOBODY.signature
