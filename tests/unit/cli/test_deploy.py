"""trilho deploy as a person types it."""

from __future__ import annotations

from pathlib import Path

import yaml

from command_line import trilho, trilho_json, write_project


def asked(folder: Path, job: str) -> list[str]:
    found = yaml.safe_load((folder / "targets" / f"{job}.yml").read_text(encoding="utf-8"))
    return [target for group in found for target in group["targets"]]


def test_without_a_project_the_usual_ports_are_asked(tmp_path: Path) -> None:
    done = trilho(tmp_path, "deploy", "monitoring", "out")
    assert "Written" in done.stdout
    assert "README.md" in done.stdout, "it says how to go on"
    assert asked(tmp_path / "out", "mlflow-server") == ["127.0.0.1:5000"]
    assert asked(tmp_path / "out", "model-server") == ["127.0.0.1:8000"]


def test_in_a_project_its_own_servers_are_asked_and_flags_say_otherwise(tmp_path: Path) -> None:
    write_project(tmp_path, "churn", {"serve": {"port": 8123}, "tracking_uri": "http://mlflow.example:5050"})
    trilho(tmp_path, "deploy", "monitoring", "out")
    assert asked(tmp_path / "out", "mlflow-server") == ["mlflow.example:5050"]
    assert asked(tmp_path / "out", "model-server") == ["127.0.0.1:8123"]
    trilho(tmp_path, "deploy", "monitoring", "two", "--model-server", "http://a:1", "--model-server", "http://b:2")
    assert asked(tmp_path / "two", "model-server") == ["a:1", "b:2"]


def test_what_was_changed_is_named_and_stays(tmp_path: Path) -> None:
    trilho(tmp_path, "deploy", "monitoring", "out")
    (tmp_path / "out" / "rules.yml").write_text("groups: []\n", encoding="utf-8")
    done = trilho(tmp_path, "deploy", "monitoring", "out")
    assert "rules.yml" in done.stdout
    assert "--replace" in done.stdout
    facts = trilho_json(tmp_path, "deploy", "monitoring", "out")
    assert facts["kept"] == ["rules.yml"]
    assert facts["written"] == []


def test_what_stays_in_env_is_said(tmp_path: Path) -> None:
    trilho(tmp_path, "deploy", "compose", "out")
    done = trilho(tmp_path, "deploy", "compose", "out", "--host", "mlflow.example.org")
    assert ".env has PUBLISH=127.0.0.1; for these options set PUBLISH=0.0.0.0" in done.stdout
    assert "README.md was written with other options" in done.stdout
    facts = trilho_json(tmp_path, "deploy", "compose", "out", "--host", "mlflow.example.org")
    assert facts["not_changed"]["TRILHO_AUTH"] == {"is": "false", "would_be": "true"}


def test_an_option_of_the_other_one_is_refused(tmp_path: Path) -> None:
    for words, option in (
        (("compose", "out", "--runbook", "https://wiki.example.org"), "--runbook"),
        (("monitoring", "out", "--database", "mysql"), "--database"),
    ):
        done = trilho(tmp_path, "deploy", *words, code=2)
        assert f"has no use for {option}" in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_there_is_not_is_refused_with_what_there_is(tmp_path: Path) -> None:
    done = trilho(tmp_path, "deploy", "monitorin", "out", code=2)
    assert "Did you mean monitoring?" in done.stderr
    assert not (tmp_path / "out").exists()
