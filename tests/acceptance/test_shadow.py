"""A refused version, asked for what the champion was asked: seen on the terminal, the page and in /metrics."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from command_line import trilho, trilho_json
from retraining_loop import answers_by, ask, customers, kept, shop
from serving_process import serving, until
from trilho import bundle, registry
from trilho.monitoring.figures import share
from trilho.wire import connect

ROWS = 1500
SETTINGS = {"retrain": {}, "monitor": {"window": "1h", "shadow": True}}
STUMP = {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"max_depth": 1, "random_state": 0}}


def bundle_of(folder: Path, name: str, version: int, server: str) -> bundle.Predictor:
    """The bundle of a version, from the registry."""
    from trilho import serving as found

    with connect(server) as client:
        path = found.find(f"models:/{name}/{version}", folder=folder / ".trilho" / "serving", client=client).path
    return bundle.open(path)


def test_a_refused_version_is_compared_with_the_champion_on_what_was_asked(tmp_path: Path, mlflow_server: str) -> None:
    name = f"shadow-{uuid4().hex[:8]}"
    folder = shop(tmp_path / "shop", name, **SETTINGS)
    trilho(folder, "run", server=mlflow_server)
    rows = customers(ROWS, seed=1)
    with serving(folder, server=mlflow_server) as server:
        ask(server, rows)
        until(lambda: kept(folder, "1") == ROWS, "answers in the journal")
        alone = trilho_json(folder, "monitor", server=mlflow_server)
        assert alone["shadow"] is None, "nobody is challenger yet"

        shop(tmp_path / "shop", name, **SETTINGS, train=STUMP)
        trilho(folder, "run", server=mlflow_server, code=3)
        found = trilho_json(folder, "monitor", server=mlflow_server)
        shadow = found["shadow"]
        assert (found["version"], shadow["version"], shadow["rows"], shadow["refused"]) == ("1", "2", ROWS, 0)
        asked = rows.drop(columns="target")
        first, second = (bundle_of(folder, name, number, mlflow_server).predict_frame(asked) for number in (1, 2))
        assert shadow["agreement"] == pytest.approx((first.labels == second.labels).mean())
        assert 0.5 < shadow["agreement"] < 1

        shown = trilho(folder, "monitor", server=mlflow_server).stdout
        assert f"the same label for {share(shadow['agreement'])} of 1,500 rows" in shown
        page = (folder / ".trilho" / "journal" / "reports" / "latest.html").read_text(encoding="utf-8")
        assert "v2, asked for rows that v1 answered" in page

        def gauge() -> str:
            metrics = server.ask("GET", "/metrics")[2].decode()
            return next((line for line in metrics.splitlines() if line.startswith("trilho_shadow_agreement{")), "")

        assert float(until(gauge, "the gauge").split()[-1]) == pytest.approx(shadow["agreement"])
        assert answers_by(server) == "1"


def test_a_challenger_that_cannot_be_had_costs_a_line_and_no_report(tmp_path: Path, mlflow_server: str) -> None:
    name = f"shadow-{uuid4().hex[:8]}"
    folder = shop(tmp_path / "shop", name, **SETTINGS)
    trilho(folder, "run", server=mlflow_server)
    with connect(mlflow_server) as client:
        store = registry.open_store(client)
        first = store.get(name, 1)
        tags = {"trilho.bundle_sha256": "0" * 64, "trilho.bundle_path": "nowhere.tar"}
        source = f"models:/{first.model_id}"
        lost = store.create(name, source=source, run_id=first.run_id, model_id=first.model_id, tags=tags)
        store.set_alias(name, "challenger", lost.number)
    done = trilho(folder, "monitor", server=mlflow_server)
    assert "The challenger is not asked: " in done.stderr
    assert "the last 1h: 0 predictions" in done.stdout
    assert "\n  shadow" not in done.stdout
