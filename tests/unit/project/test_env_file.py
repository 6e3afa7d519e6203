from __future__ import annotations

from pathlib import Path

import pytest

from trilho.project.env_file import lend_env_file, parse_env_file
from trilho.project.mistakes import Mistake


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("  A = 1  ", "1"),
        ("A=", ""),
        ("A=#none", "#none"),
        ("A=one two # a comment", "one two"),
        ("A=one#two", "one#two"),
        ("A='one # two'", "one # two"),
        ("A='$NAME \\n'  # kept as it is", "$NAME \\n"),
        ('A="one\\ntwo \\"three\\""', 'one\ntwo "three"'),
        ('A="first\nsecond"', "first\nsecond"),
        ("A=it's", "it's"),
        ("A=postgresql://u:p@h/db?x=1", "postgresql://u:p@h/db?x=1"),
        ("A=1\r\n", "1"),
    ],
)
def test_a_value_is_read_as_other_tools_read_it(line: str, value: str) -> None:
    mistakes: list[Mistake] = []
    assert parse_env_file(line, mistakes).values == {"A": value}
    assert mistakes == []


def test_every_name_knows_its_line_and_the_last_value_counts() -> None:
    found = parse_env_file('# keys\n\nA="x\ny"\nB=1\n  # more\nA=2', [])
    assert found.values == {"A": "2", "B": "1"}
    assert found.lines == {"A": 7, "B": 5}


def test_a_line_that_is_no_assignment_is_a_mistake_and_the_others_are_read() -> None:
    mistakes: list[Mistake] = []
    found = parse_env_file("A=1\nnot an assignment\nB=2", mistakes)
    assert found.values == {"A": "1", "B": "2"}
    assert [mistake.origin.line for mistake in mistakes] == [2]
    assert "assignment" not in str(mistakes[0])


def env_file(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / ".env").write_text(text, encoding="utf-8")
    return folder


def test_names_that_are_no_settings_join_the_environment(tmp_path: Path) -> None:
    environment = {"PATH": "/bin"}
    text = "AWS_SECRET_ACCESS_KEY=s3\nTRILHO_API_KEYS='a,b'\nDB_PASSWORD=x\nEMPTY=\n"
    settings = "MLFLOW_TRACKING_URI=http://m:5000\nTRILHO_PROFILE=team\nTRILHO_SPLIT_TEST_SIZE=0.3\n"
    lend_env_file(env_file(tmp_path, text + settings), environment)
    assert environment == {
        "PATH": "/bin",
        "AWS_SECRET_ACCESS_KEY": "s3",
        "TRILHO_API_KEYS": "a,b",
        "DB_PASSWORD": "x",
    }, "settings keep their own way: trilho config says where each came from"


def test_the_environment_wins_unless_it_is_empty(tmp_path: Path) -> None:
    environment = {"AWS_REGION": "eu-west-1", "AWS_PROFILE": ""}
    lend_env_file(env_file(tmp_path, "AWS_REGION=us-east-1\nAWS_PROFILE=shop"), environment)
    assert environment == {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "shop"}


def test_another_project_does_not_inherit_the_secrets_of_the_one_before(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    lend_env_file(env_file(tmp_path / "one", "MLFLOW_TRACKING_PASSWORD=one\nAWS_REGION=x"), environment)
    environment["AWS_REGION"] = "mine"
    lend_env_file(env_file(tmp_path / "two", "MLFLOW_TRACKING_USERNAME=two"), environment)
    assert environment == {"AWS_REGION": "mine", "MLFLOW_TRACKING_USERNAME": "two"}
    lend_env_file(tmp_path / "none", environment)
    assert environment == {"AWS_REGION": "mine"}
