"""The real command line over files and folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from command_line import environment, trilho
from shipped import Shipped, categories_and_missing


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return categories_and_missing(tmp_path_factory.mktemp("words"))


def test_a_folder_is_scored_without_a_project_and_nothing_is_said_on_the_way(words: Shipped, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for place in range(3):
        words.frame[place * 100 : (place + 1) * 100].to_csv(tmp_path / "in" / f"{place}.csv", index=False)
    done = trilho(tmp_path, "score", "in", "-o", "out", "--model", str(words.path))
    assert done.stderr == ""
    assert done.stdout.startswith("Scored     300 rows in 3 files by tried v")
    given, found = (
        pd.concat(pd.read_csv(tmp_path / name / f"{place}.csv") for place in range(3)) for name in ("in", "out")
    )
    assert found["prediction"].tolist() == words.answers(given).labels.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]

    again = trilho(tmp_path, "score", "in", "-o", "out", "--model", str(words.path), code=1)
    assert "out is not empty" in again.stderr


def test_a_row_that_does_not_fit_is_named_and_nothing_is_left(words: Shipped, tmp_path: Path) -> None:
    frame = words.frame.astype({"age": object})
    frame.loc[17, "age"] = "old"
    frame.to_csv(tmp_path / "in.csv", index=False)
    done = trilho(tmp_path, "score", "in.csv", "-o", "out.csv", "--model", str(words.path), code=1)
    assert "in.csv, line 19: Column 'age': 'old' is not a number. Nothing was written." in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_the_facts_are_there_as_json(words: Shipped, tmp_path: Path) -> None:
    words.frame.to_parquet(tmp_path / "in.parquet")
    done = trilho(tmp_path, "score", "in.parquet", "-o", "out.parquet", "--model", str(words.path), "--json")
    facts = json.loads(done.stdout)
    assert (facts["rows"], facts["files"], facts["reused"], facts["output"]) == (400, 1, 0, "out.parquet")


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a Unix thing")
def test_a_terminal_sees_how_far_it_is(words: Shipped, tmp_path: Path) -> None:
    import pty

    words.frame.to_parquet(tmp_path / "in.parquet")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "trilho.cli", "score", "in.parquet", "-o", "out.csv", "--model", str(words.path)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(TERM="xterm"), stderr=theirs, stdout=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:  # what Linux says when the other end is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    assert b"scoring" in seen
    assert b"400 rows by tried" in seen
