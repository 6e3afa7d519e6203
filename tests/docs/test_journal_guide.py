"""The code of the guide on the journal, as it stands there."""

from __future__ import annotations

import contextlib
import io
import json
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from documented import ROOT, blocks
from trilho.journal import Answered, Features, Journal, Keeper, TrueLabel, label
from trilho.project.file import JournalSection

GUIDE = (ROOT / "docs" / "guides" / "journal.md").read_text(encoding="utf-8")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with four closed rows, the truth of two of them, one of which was predicted."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".trilho" / "journal"
    journal = Journal(folder)
    features = Features.of({"fee": np.arange(4.0), "plan": np.array(["basic"] * 4, dtype=object)})
    labels, probabilities = np.array(["yes"] * 4, dtype=object), np.ones((4, 2))
    at = time.time() - 60
    entry = Answered(
        request="r",
        time=at,
        model="churn",
        version="12",
        latency=0.0,
        features=features,
        labels=labels,
        probabilities=probabilities,
    )
    journal.append(entry)
    journal.close()
    assert Keeper(folder).tidy(time.time()).closed == 1
    label(folder, [TrueLabel(id="r-0", label="yes", time=1.0), TrueLabel(id="r-1", label="yes", time=1.0),
                   TrueLabel(id="r-1", label="no", time=2.0)])  # fmt: skip
    return folder


def test_python_of_the_guide_runs(here: Path) -> None:
    said, names = io.StringIO(), {"__name__": "guide"}
    with contextlib.redirect_stdout(said):
        for block in blocks(GUIDE, "python"):
            exec(block, names)
    assert "r-3      12        yes" in said.getvalue()
    assert "4 1.5 [[1. 1.]" in said.getvalue()
    assert said.getvalue().endswith("accuracy 0.5 of 2\n")


def test_sql_of_the_guide_runs(here: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="pip install duckdb")
    [query] = blocks(GUIDE, "sql")
    found = dict(duckdb.sql(query).project("id, label").fetchall())
    assert found == {"r-0": "yes", "r-1": "no", "r-2": None, "r-3": None}


def test_settings_of_the_guide_are_those_there_are() -> None:
    [block] = blocks(GUIDE, "yaml")
    shown = yaml.safe_load(block)["journal"]
    assert set(shown) == set(vars(JournalSection()))
    assert (shown["keep"], shown["max_bytes"]) == ("90d", JournalSection().max_bytes)
    assert JournalSection().keep == 90 * 86_400


def test_columns_of_the_guide_are_those_of_the_files(here: Path) -> None:
    import pyarrow.parquet as pq

    [path] = (here / "predictions").iterdir()
    for name in pq.read_schema(path).names:
        assert f"`{'features.NAME' if name.startswith('features.') else name}`" in GUIDE
    assert json.loads(next(here.glob("labels-*.jsonl")).read_text().splitlines()[0])["label"] == "yes"
