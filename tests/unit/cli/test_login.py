"""What trilho login says where there is nothing to log in to."""

from __future__ import annotations

from pathlib import Path

from command_line import try_login


def test_a_server_that_asks_nobody_is_said_to_be_one_and_nothing_is_kept(mlflow_server: str, tmp_path: Path) -> None:
    done = try_login(tmp_path, mlflow_server, "admin", "anything")
    assert done.returncode == 0, done.stderr
    assert "asks nobody for a password" in done.stdout
    assert "Logged in" not in done.stdout
    assert not (tmp_path / ".mlflow").exists()


def test_an_address_with_the_wrong_scheme_or_none_is_put_right(mlflow_server: str, tmp_path: Path) -> None:
    place = mlflow_server.removeprefix("http://")
    without = try_login(tmp_path, place, "ana", "x")
    assert without.returncode == 2
    assert f"Write http://{place}" in without.stderr
    assert "mlruns" not in without.stderr
    secure = try_login(tmp_path, f"https://{place}", "ana", "x")
    assert secure.returncode == 1
    assert f"Write http://{place}" in secure.stderr
    assert "does not answer" not in secure.stderr
