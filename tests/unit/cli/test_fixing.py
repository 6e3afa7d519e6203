"""trilho doctor --fix says what it leaves to a person, and ends with 1 there."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from trilho.cli.fixing import run_fixes
from trilho.errors import BackupFailed, ServiceFailed
from trilho.platform.doctor import Finding, Site
from trilho.platform.doctor.finding import Fix, ok, trouble, unknown
from trilho.platform.service import Say

FIX = Fix(does="what it does", act=lambda _: "what it did")


def failing(_: Say) -> str:
    raise ServiceFailed("It could not be done.", state="All is as before.", why="A reason.", remedy="A way out.")


def wrong(name: str, *, fix: Fix | None = None) -> Finding:
    return replace(trouble("measured", expected="expected", remedy="remedy", fix=fix), name=name)


def fine(name: str) -> Finding:
    return replace(ok("all is well"), name=name)


def ends(
    folder: Path,
    *found: Finding,
    only: Collection[str] = (),
    act: bool = True,
    known: bool = False,
    as_json: bool = False,
) -> int:
    """The exit code, at a site whose database and artifacts are named or not."""
    database, artifacts = (f"sqlite:///{folder.as_posix()}/mlflow.db", str(folder)) if known else ("", "")
    site = Site(root=folder, environment={}, database=database, artifacts=artifacts)
    try:
        run_fixes(site, found, {}, without_files=False, only=only, act=act, json=as_json)
    except typer.Exit as end:
        return end.exit_code
    return 0


@pytest.mark.parametrize("act", [False, True])
def test_what_only_a_person_can_put_right_is_named(
    act: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = wrong("database-schema")
    assert ends(tmp_path, newer, fine("disk"), act=act, known=True) == 1
    said = capsys.readouterr().out
    assert "Nothing to fix" not in said
    assert "Left       database-schema: trilho doctor says what to do" in said
    assert "artifact-roots not looked at" in said


def test_tables_of_unknown_age_are_not_called_healthy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = replace(unknown("No answer within 20 s."), name="database-schema")
    assert ends(tmp_path, late, fine("artifact-roots"), known=True) == 1
    said = capsys.readouterr().out
    assert "Nothing to fix" not in said
    assert "artifact-roots not looked at: database-schema could not tell" in said
    assert "No answer within 20 s." in said


def test_what_was_put_right_is_not_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = [wrong("wrong-port", fix=FIX), wrong("disk"), fine("artifact-roots")]
    assert ends(tmp_path, *found) == 1
    assert "Left       disk:" in capsys.readouterr().out
    assert ends(tmp_path, *found, only=["wrong-port"]) == 0
    assert "Left" not in capsys.readouterr().out
    assert ends(tmp_path, *found, only=["disk"], as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["left"] == ["disk"]


def test_locations_wait_for_the_migration_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older = wrong("database-schema", fix=FIX)
    assert ends(tmp_path, older, only=["artifact-roots"], known=True) == 1  # whether or not the server answers
    said = capsys.readouterr().out
    assert "artifact-roots not looked at: first the migration (database-schema), then the same command again" in said
    assert "Nothing to fix" not in said
    assert ends(tmp_path, older, wrong("artifact-roots"), known=True) == 1
    assert "Left       artifact-roots:" in capsys.readouterr().out


def test_locations_that_were_asked_for_say_what_they_need_whatever_else_has_a_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [wrong("artifact-roots"), wrong("wrong-port", fix=FIX)]
    with pytest.raises(BackupFailed, match="has to know its database and its artifacts"):
        ends(tmp_path, *found, only=["artifact-roots"])
    assert ends(tmp_path, *found) == 1
    said = capsys.readouterr().out
    assert "artifact-roots not looked at: --backend-store-uri and --artifacts-destination are not known" in said
    assert "Left       artifact-roots:" in said


@pytest.mark.parametrize("check", ["database-unreachable", "database-locked", "database-damaged"])
def test_a_database_that_cannot_be_used_is_named_and_locations_wait(
    check: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not by "are user and password right?", which the relocation says of any database that it cannot read."""
    (tmp_path / "mlflow.db").write_text("no database at all", encoding="utf-8")
    found = [wrong(check), wrong("wrong-port", fix=FIX)]
    assert ends(tmp_path, *found, known=True) == 1
    said = capsys.readouterr().out
    assert f"artifact-roots not looked at: first {check}, then the same command again" in said
    assert f"Left       {check}:" in said
    assert ends(tmp_path, *found, known=True, as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert [fix["done"] for fix in told["fixes"]] == ["what it did"]
    assert (told["left"], told["error"]) == ([check], None)
    assert told["relocation_waits"].startswith(f"first {check}")


def test_what_else_is_wrong_is_named_where_the_stores_are_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for found in ([wrong("server-unreachable")], [wrong("server-unreachable"), wrong("artifact-roots")]):
        assert ends(tmp_path, *found) == 1
        said = capsys.readouterr().out
        assert "Left       server-unreachable" in said
        assert "artifact-roots not looked at: --backend-store-uri and --artifacts-destination are not known" in said
    with pytest.raises(BackupFailed, match="has to know its database and its artifacts"):
        ends(tmp_path, fine("disk"))  # there is nothing else to tell


@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_done_before_a_fix_failed_is_told_and_so_is_the_failure(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fails, later = Fix(does="what fails", act=failing), Fix(does="what is later", act=lambda _: "what it did, too")
    found = [wrong("wrong-port", fix=FIX), wrong("bucket", fix=fails), wrong("disk"), wrong("host-refused", fix=later)]
    with pytest.raises(ServiceFailed, match=r"It could not be done\."):
        ends(tmp_path, *found, as_json=as_json)
    said = capsys.readouterr().out
    if as_json:
        told = json.loads(said)
        assert [fix["done"] for fix in told["fixes"]] == ["what it did", None, None]
        assert told["left"] == ["bucket", "disk", "host-refused"]
        assert told["error"]["what"] == "It could not be done."
        assert told["error"]["remedy"] == "A way out."
    else:
        assert "Done       what it did\n" in said
        assert "Left       bucket, disk, host-refused:" in said
        assert "what it did, too" not in said


@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_done_before_the_locations_failed_is_told_and_so_is_the_failure(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BackupFailed, match="There is no database"):  # it went after the checks looked
        ends(tmp_path, wrong("wrong-port", fix=FIX), wrong("artifact-roots"), known=True, as_json=as_json)
    said = capsys.readouterr().out
    if as_json:
        told = json.loads(said)
        assert [fix["done"] for fix in told["fixes"]] == ["what it did"]
        assert (told["left"], told["relocation"]) == (["artifact-roots"], None)
        assert "There is no database" in told["error"]["what"]
    else:
        assert "Done       what it did" in said
        assert "Left       artifact-roots:" in said
