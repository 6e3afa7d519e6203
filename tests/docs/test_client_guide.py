"""The code of the guides on the client and on scoring, as it stands there."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from documented import ROOT, blocks
from model_server import running
from shipped import Shipped
from trilho.client import Client
from trilho.errors import CannotPredict
from unit.bundle.tables import bundled

GUIDES = ROOT / "docs" / "guides"
ROW = {"plan": "basic", "region": "north", "fee": 41.5, "tickets": 3, "paperless": True}


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    draw = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "plan": draw.choice(["basic", "plus"], 300),
            "region": draw.choice(["north", "south"], 300),
            "fee": draw.uniform(10, 90, 300),
            "tickets": draw.integers(0, 5, 300),
            "paperless": draw.random(300) < 0.5,
        }
    )
    truth = pd.Series(np.where(frame["tickets"] + draw.normal(size=300) > 2, "yes", "no"), name="churn")
    columns = [("n", SimpleImputer(), ["fee", "tickets", "paperless"]), ("w", OneHotEncoder(), ["plan", "region"])]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression(max_iter=1000))
    built = bundled(model, frame, truth, tmp_path_factory.mktemp("customers"))
    return Shipped(built.path, frame, truth)


def test_code_of_the_client_guide_runs(customers: Shipped) -> None:
    said = io.StringIO()
    with running(customers) as server:
        for block in blocks((GUIDES / "client.md").read_text(encoding="utf-8"), "python"):
            with contextlib.redirect_stdout(said):
                exec(block.replace("http://127.0.0.1:8000", server.address), {"__name__": "guide"})
        assert list(server.labels.values()) == ["yes"]
    assert said.getvalue().startswith("yes {'no': ")
    assert said.getvalue().endswith("['yes', 'yes', 'yes']\n")


def test_the_error_in_the_client_guide_is_the_one_that_comes(customers: Shipped) -> None:
    guide = (GUIDES / "client.md").read_text(encoding="utf-8")
    with running(customers) as server, Client(server.address) as client, pytest.raises(CannotPredict) as caught:
        client.predict({**ROW, "fee": "many"})
    [shown] = blocks(guide, "")
    assert caught.value.what == shown.splitlines()[0]
    assert shown.splitlines()[1].split(" such as ")[0] in caught.value.remedy


def test_code_of_the_scoring_guide_runs(customers: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "artifacts" / "model").mkdir(parents=True)
    shutil.copy(customers.path, tmp_path / "artifacts" / "model" / "bundle.tar")
    customers.frame.to_parquet(tmp_path / "new.parquet")
    monkeypatch.chdir(tmp_path)
    [block] = blocks((GUIDES / "scoring.md").read_text(encoding="utf-8"), "python")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(block, {"__name__": "guide"})
    assert said.getvalue() == "300 scored.parquet\n"
    assert set(pd.read_parquet("scored.parquet")["prediction"]) == {"yes", "no"}
