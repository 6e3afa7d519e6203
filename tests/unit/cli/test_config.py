"""trilho config: what it prints, as a person and as a program see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trilho.cli.config import config
from trilho.errors import UnknownName
from trilho.settings import BY_NAME

TEXT = """\
name: shop
task: classification
target: churn
data: {source: "postgresql://reader:hunter2@db/shop#orders", options: {connect: {password: hunter2}}}
train: {estimator: sklearn.ensemble.RandomForestClassifier, params: {n_estimators: 50}}
profiles:
  team:
    tracking_uri: http://me:hunter2@mlflow:5000
    train: {params: {n_estimators: 500}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "trilho.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path


def facts(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    printed = json.loads(capsys.readouterr().out)
    return {setting["name"]: setting for setting in printed["settings"]} | {"": printed}


def test_every_setting_is_listed_with_value_and_origin(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config(project=shop, profile="team", overrides=["serve.port=9000"], json=True)
    found = facts(capsys)
    empty_or_scalar = [name for name in BY_NAME if name not in ("train.params", "data.options")]
    assert set(empty_or_scalar) <= set(found)
    assert found["train.params.n_estimators"]["value"] == 500
    assert found["train.params.n_estimators"]["origin"] == "profile team, line 9"
    assert (found["serve.port"]["value"], found["serve.port"]["origin"]) == (9000, "flag")
    assert (found["serve.reload_every"]["value"], found["serve.reload_every"]["unit"]) == (2.0, "seconds")
    assert found["experiment"]["origin"] == "inferred from name"
    assert found[""]["profile"] == {"name": "team", "origin": "flag"}


def test_the_table_shows_the_same_in_words(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config(project=shop)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["target", "churn", "trilho.yaml,", "line", "3"] in lines
    assert ["serve.reload_every", "2s", "default"] in lines
    assert ["monitor.window", "1d", "default"] in lines
    assert ["register.stages", "false", "default"] in lines


def test_a_section_is_explained_with_help(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config(["serve", "train.params"], project=shop)
    printed = capsys.readouterr().out
    assert "How often the server asks for a new champion. In seconds." in printed
    assert "train.params.n_estimators" in printed
    assert "register.name" not in printed


def test_an_unknown_setting_is_told_with_the_near_one(shop: Path) -> None:
    with pytest.raises(UnknownName, match=r"no setting serve.prot. Did you mean serve.port\?"):
        config(["serve.prot"], project=shop)


@pytest.mark.parametrize("json", [True, False])
def test_no_password_is_shown(shop: Path, capsys: pytest.CaptureFixture[str], json: bool) -> None:
    config(project=shop, profile="team", overrides=["train.params.db_password=hunter2"], json=json)
    printed = capsys.readouterr().out
    assert "hunter2" not in printed
    assert "reader:***@db" in printed


def test_the_schema_needs_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config(project=tmp_path, schema=True)
    assert json.loads(capsys.readouterr().out)["$schema"].endswith("2020-12/schema")
