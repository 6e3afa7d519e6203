"""`trilho deploy compose --database sqlite --artifacts s3` (document 002), brought up by the real Compose."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose_server import Built
from serving_process import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docker")]


def test_a_file_of_rows_and_a_store_of_artifacts_are_there_after_down_and_up(built: Built, tmp_path: Path) -> None:
    project, data = tmp_path / "projects" / "shop", tmp_path / "subscribers.csv"
    project.parent.mkdir()
    rows = [f"{number % 17},{number % 5},{int(number % 17 > 8)}" for number in range(300)]
    data.write_text("\n".join(["months,calls,churned", *rows, ""]), encoding="utf-8")
    kinds = ("--database", "sqlite", "--artifacts", "s3")
    written = built.written(project, *kinds, new=("--data", "../subscribers.csv", "--target", "churned"))
    with written.running() as server:  # trained in a container, which sees data that is outside of the project
        assert server.healthy() == ["mlflow", "monitor", "s3", "webapp"]
        before = server.wait_for_model(), server.versions(), server.stored()
        assert before[:2] == ("1", ["1"])
        server.run_on_host("run", "--set", "train.params.n_estimators=60", "--set", "register.promote=always")
        until(lambda: server.wait_for_model() == "2", "the second version answers")
        before = server.wait_for_model(), server.versions(), server.stored()
        assert len(before[2]) > 10
        assert server.predictions()[0] in (0, 1)
        assert "/mlruns/mlflow.db" in server.compose("exec", "mlflow", "find", "/mlruns")
        assert "/mlruns/artifacts" not in server.compose("exec", "mlflow", "find", "/mlruns")
        server.down()
        server.up()
        assert (server.wait_for_model(), server.versions(), server.stored()) == before
        assert server.predictions()[0] in (0, 1)
