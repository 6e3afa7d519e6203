from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordinary_user import as_ordinary_user
from trilho.errors import InvalidProject
from trilho.wire import credentials_file, forget_credentials, keep_credentials, parse_address
from trilho.wire.credentials import kept_credentials

HERE = "http://mlflow.example:5000"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def sent(uri: str, **environment: str) -> str:
    kind, _, encoded = parse_address(uri, environment).authorization.partition(" ")
    return base64.b64decode(encoded).decode() if kind == "Basic" else encoded


def test_kept_passwords_go_to_their_server_only() -> None:
    keep_credentials(HERE, "ana", "word")
    assert sent(HERE) == "ana:word"
    assert sent(f"{HERE}/") == "ana:word"
    assert sent("http://mlflow.example:5001") == ""


def test_the_environment_and_the_address_win() -> None:
    keep_credentials(HERE, "ana", "word")
    named = {"MLFLOW_TRACKING_USERNAME": "bob", "MLFLOW_TRACKING_PASSWORD": "other"}
    assert sent(HERE, **named) == "bob:other"
    assert sent(HERE, MLFLOW_TRACKING_TOKEN="t0ken") == "t0ken"
    assert sent("http://eve:third@mlflow.example:5000") == "eve:third"


def test_what_mlflow_keeps_for_all_servers_is_used_and_left_alone() -> None:
    file = credentials_file()
    file.parent.mkdir()
    file.write_text("[mlflow]\nmlflow_tracking_username = all\nmlflow_tracking_password = a%b\n", encoding="utf-8")
    assert sent(HERE) == "all:a%b"
    keep_credentials(HERE, "ana", "word")
    assert sent(HERE) == "ana:word"
    assert sent("http://elsewhere:5000") == "all:a%b"
    assert forget_credentials(HERE)
    assert not forget_credentials(HERE)
    assert sent(HERE) == "all:a%b"


def test_only_the_owner_can_read_the_file() -> None:
    file = keep_credentials(HERE, "ana", "word")
    assert file == credentials_file()
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0


def test_a_file_that_is_not_understood_is_said_without_its_content() -> None:
    credentials_file().parent.mkdir()
    credentials_file().write_text("[mlflow]\nsecret-word\n", encoding="utf-8")
    with pytest.raises(InvalidProject, match="line 2") as caught:
        sent(HERE)
    assert "secret-word" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_home_that_may_not_be_read_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    with as_ordinary_user() as home:
        monkeypatch.setenv("HOME", str(home))
        keep_credentials(HERE, "ana", "word")
        assert kept_credentials(HERE) == ("ana", "word")
        home.chmod(0)
        assert kept_credentials(HERE) == ("", "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1))
def test_a_password_comes_back_as_it_was_or_is_refused(password: str) -> None:
    try:
        keep_credentials(HERE, "ana", password)
    except InvalidProject:
        assert password != password.strip()
    else:
        assert kept_credentials(HERE) == ("ana", password)
