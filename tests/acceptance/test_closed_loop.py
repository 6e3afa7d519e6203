"""The loop, closed with real parts: served, drifted, labelled, trained again, judged, served."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from command_line import trilho, trilho_json
from retraining_loop import answers_by, ask, customers, history, kept, shop, tell
from serving_process import serving, until
from trilho.monitoring import decided

OFTEN = ("--set", "serve.reload_every=200ms")


@pytest.fixture
def name() -> str:
    return f"shop-{uuid4().hex[:8]}"


def test_drift_and_labels_make_a_new_champion_that_is_served_and_drift_is_gone(
    tmp_path: Path, name: str, mlflow_server: str
) -> None:
    folder = shop(tmp_path / "shop", name)
    trilho(folder, "run", server=mlflow_server)
    moved = customers(6000, moved=1.5, seed=1)
    with serving(folder, *OFTEN, server=mlflow_server) as server:
        ids = ask(server, moved)
        until(lambda: kept(folder, "1") == 6000, "answers in the journal")

        alone = trilho(folder, "monitor", server=mlflow_server, code=4).stdout
        assert "0 new labels, 500 are needed" in alone
        [no] = decided(folder / ".trilho" / "journal")
        assert (no.action, no.version) == ("none", "1")
        assert [event["kind"] for event in history(folder, mlflow_server)] == ["promoted"]

        tell(server, ids, moved["target"].tolist())
        would = trilho(folder, "retrain", "--dry-run", server=mlflow_server).stdout
        assert "train again" in would
        assert "6,000 new labels, 500 are needed" in would
        assert [event["kind"] for event in history(folder, mlflow_server)] == ["promoted"], "it only said so"

        done = trilho(folder, "monitor", server=mlflow_server, code=4).stdout
        assert "400 rows and 6,000 from the journal" in done
        assert f"Promoted   {name} v2 is champion, was v1" in done
        until(lambda: answers_by(server) == "2", "v2 answers")

        ask(server, customers(1000, moved=1.5, seed=2))
        until(lambda: kept(folder, "2") > 1000, "answers in the journal")
        after = trilho_json(folder, "monitor", server=mlflow_server)
        assert (after["version"], after["drift"]) == ("2", False)

    first, retraining, promoted = history(folder, mlflow_server)
    assert (first["kind"], first["after"]) == ("promoted", 1)
    assert (retraining["kind"], retraining["before"], retraining["outcome"]) == ("retraining", 1, "promoted: v2")
    assert "columns moved" in retraining["why"]
    assert (promoted["kind"], promoted["before"], promoted["after"]) == ("promoted", 1, 2)
    assert "→ promoted: v2" in trilho(folder, "history", server=mlflow_server).stdout


def test_model_that_got_worse_is_refused_and_the_old_one_keeps_answering(
    tmp_path: Path, name: str, mlflow_server: str
) -> None:
    floors = {"thresholds": {"accuracy": 0.8}, "champion": {"metric": "accuracy"}}
    folder = shop(tmp_path / "shop", name, evaluate=floors, retrain={"on": ["performance"], "min_new_labels": 500})
    trilho(folder, "run", server=mlflow_server)
    asked = customers(1500, seed=1)
    with serving(folder, *OFTEN, server=mlflow_server) as server:
        ids = ask(server, asked)
        until(lambda: kept(folder, "1") == 1500, "answers in the journal")
        tell(server, ids, np.random.default_rng(3).choice(["stays", "leaves"], len(ids)).tolist())  # a broken job

        refused = trilho(folder, "monitor", server=mlflow_server, code=None).stdout
        assert f"{name} v2 failed 2 of" in refused
        assert "v1 is still champion" in refused

        assert answers_by(server) == "1"
        again = trilho(folder, "monitor", server=mlflow_server, code=None).stdout
        assert "0 new labels" in again
        assert "24h must pass" in again or "1d must pass" in again

    _, retraining, verdict = history(folder, mlflow_server)
    assert retraining["outcome"].startswith("refused: v2: accuracy")
    assert (verdict["kind"], verdict["before"], verdict["after"]) == ("refused", 1, 2)
