"""A fix changes what a file holds when it acts, and not what it held when the check looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from trilho.errors import ServiceFailed
from trilho.platform.doctor.finding import Fix
from trilho.platform.doctor.site import Site
from trilho.platform.doctor.written import allowing, readdressing
from trilho.platform.service import silent

TRACKING, ENDPOINT = "MLFLOW_TRACKING_URI=http://127.0.0.1:5999\n", "MLFLOW_S3_ENDPOINT_URL=http://0.0.0.0:9000\n"
TO_5000 = {"tracking_uri": ("http://127.0.0.1:5999", "http://127.0.0.1:5000")}
TO_THIS_MACHINE = {"MLFLOW_S3_ENDPOINT_URL": ("http://0.0.0.0:9000", "http://127.0.0.1:9000")}


def offered(fix: Fix | None) -> Fix:
    assert fix is not None
    return fix


def test_two_fixes_of_one_file_are_both_in_it(tmp_path: Path) -> None:
    file, site = tmp_path / ".env", Site(root=tmp_path, environment={})
    file.write_text(TRACKING + ENDPOINT, encoding="utf-8")
    fixes = [offered(readdressing(site, changes)) for changes in (TO_THIS_MACHINE, TO_5000)]
    for fix in fixes:
        assert fix.act(silent) == f"Written: {file}"
    assert file.read_text(encoding="utf-8") == (
        "MLFLOW_TRACKING_URI=http://127.0.0.1:5000\nMLFLOW_S3_ENDPOINT_URL=http://127.0.0.1:9000\n"
    )


def test_one_fix_with_two_settings_of_one_file_writes_both(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(TRACKING + ENDPOINT, encoding="utf-8")
    offered(readdressing(Site(root=tmp_path, environment={}), TO_5000 | TO_THIS_MACHINE)).act(silent)
    text = (tmp_path / ".env").read_text(encoding="utf-8")
    assert "http://127.0.0.1:5000\n" in text
    assert "http://127.0.0.1:9000\n" in text


def test_a_setting_that_was_changed_meanwhile_is_not_overwritten_and_nothing_else_is_written(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(TRACKING, encoding="utf-8")
    (tmp_path / "trilho.yaml").write_text("tracking_uri: http://127.0.0.1:5999\n", encoding="utf-8")
    fix = offered(readdressing(Site(root=tmp_path, environment={}), TO_5000))
    (tmp_path / "trilho.yaml").write_text("tracking_uri: http://mlflow:5000\n", encoding="utf-8")
    with pytest.raises(ServiceFailed, match=r"trilho\.yaml was changed meanwhile") as caught:
        fix.act(silent)
    assert "This fix wrote nothing." in caught.value.state
    assert "127.0.0.1:5999 → http://127.0.0.1:5000" in caught.value.why
    assert (tmp_path / "trilho.yaml").read_text(encoding="utf-8") == "tracking_uri: http://mlflow:5000\n"
    assert (tmp_path / ".env").read_text(encoding="utf-8") == TRACKING


def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(TRACKING, encoding="utf-8")
    fix = offered(readdressing(Site(root=tmp_path, environment={}), TO_5000))
    (tmp_path / ".env").unlink()
    with pytest.raises(ServiceFailed, match=r"\.env was changed meanwhile"):
        fix.act(silent)
    assert not (tmp_path / ".env").exists()


def test_a_name_joins_those_that_came_meanwhile(tmp_path: Path) -> None:
    file, site = tmp_path / ".env", Site(root=tmp_path, environment={})
    (tmp_path / "compose.yml").write_text("services: {}\n", encoding="utf-8")
    file.write_text("MLFLOW_SERVER_ALLOWED_HOSTS=a\n", encoding="utf-8")
    fixes = [offered(allowing(site, name)) for name in ("new", "other", "new")]
    for fix in fixes[:2]:
        fix.act(silent)
    assert file.read_text(encoding="utf-8") == "MLFLOW_SERVER_ALLOWED_HOSTS=a,new,other\n"
    with pytest.raises(ServiceFailed, match="was changed meanwhile"):  # it is there by now
        fixes[2].act(silent)
