"""`trilho deploy compose --database sqlite --artifacts s3` (document 002), brought up by the real Compose."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose_server import Built

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docker")]


def test_a_file_of_rows_and_a_store_of_artifacts_are_there_after_down_and_up(built: Built, tmp_path: Path) -> None:
    written = built.written(tmp_path / "shop", "--database", "sqlite", "--artifacts", "s3")
    with written.running(train=False) as server:
        assert server.healthy() == ["mlflow", "monitor", "s3", "webapp"]
        server.run_on_host("run")
        before = server.wait_for_model(), server.versions(), server.stored()
        assert before[:2] == ("1", ["1"])
        assert len(before[2]) > 10
        assert server.predictions()[0] in (0, 1)
        assert "/mlruns/mlflow.db" in server.compose("exec", "mlflow", "find", "/mlruns")
        assert "/mlruns/artifacts" not in server.compose("exec", "mlflow", "find", "/mlruns")
        server.down()
        server.up()
        assert (server.wait_for_model(), server.versions(), server.stored()) == before
        assert server.predictions()[0] in (0, 1)
