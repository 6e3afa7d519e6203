"""A call that is killed: nothing half-made is left under the output's name, and the next call goes on from there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from shipped import Shipped
from trilho.bundle import Predictions
from trilho.errors import BadData, CannotPredict
from trilho.scoring import score, tables

ROWS = 64  # at once

KILLED = """
import os, signal, sys
from pathlib import Path
from trilho import bundle, scoring
from trilho.scoring import kept, tables
tables.MOST_ROWS_AT_ONCE, tables.CSV_BYTES_AT_ONCE = 64, 4_000
model, source, to, event, at = sys.argv[1:]
seen = 0
def die(*_):
    global seen
    seen += 1
    if seen == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
def dying(function):
    def instead(*words, **more):
        die()
        return function(*words, **more)
    return instead
if event == "keeping":
    kept._write_whole = dying(kept._write_whole)
if event == "finishing":
    kept.Kept.finish = dying(kept.Kept.finish)
if event == "publishing":
    kept.Kept.publish = dying(kept.Kept.publish)
scoring.score(
    bundle.open(Path(model)), Path(source), Path(to), version="1", watch=die if event == "writing" else lambda _: None
)
"""


class Counting:
    """A predictor that counts the rows it is asked about."""

    def __init__(self, shipped: Shipped) -> None:
        self.inner = shipped.predictor
        self.rows = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def predict(self, columns: Mapping[str, Any]) -> Predictions:
        found = self.inner.predict(columns)
        self.rows += len(found.labels)
        return found

    def predict_coded(self, matrix: np.ndarray) -> Predictions | None:
        found = self.inner.predict_coded(matrix)
        self.rows += 0 if found is None else len(found.labels)
        return found


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS_AT_ONCE", ROWS)
    monkeypatch.setattr(tables, "FEWEST_ROWS_AT_ONCE", 1)
    monkeypatch.setattr(tables, "CSV_BYTES_AT_ONCE", 4_000)


def killed(shipped: Shipped, source: Path, to: Path, event: str, at: int) -> None:
    command = [sys.executable, "-c", KILLED, *map(str, (shipped.path, source, to, event, at))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in files}


def in_files(shipped: Shipped, folder: Path, kind: str) -> Path:
    """The rows in three files, one of them a folder deeper."""
    for place, name in enumerate(("a", "b", "deeper/c")):
        part = shipped.frame.iloc[place * 150 : (place + 1) * 150]
        target = folder / f"{name}.{kind}"
        target.parent.mkdir(parents=True, exist_ok=True)
        part.to_parquet(target) if kind == "parquet" else part.to_csv(target, index=False)
    (folder / "_SUCCESS").write_text("")
    (folder / ".hidden.csv").write_text("a\n1\n")
    return folder


def rows_in(path: Path) -> int:
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as found:
        return int(found.read_all().num_rows)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix thing")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_killed_file_is_gone_on_with(shipped: Shipped, tmp_path: Path, kind: str) -> None:
    gone_on_with(shipped, tmp_path, kind, "writing", 4)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix thing")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(("event", "at"), [("writing", 1), ("keeping", 3), ("finishing", 1), ("publishing", 1)])
def test_a_kill_may_come_at_any_point(numbers: Shipped, tmp_path: Path, kind: str, event: str, at: int) -> None:
    gone_on_with(numbers, tmp_path, kind, event, at)


def gone_on_with(shipped: Shipped, tmp_path: Path, kind: str, event: str, at: int) -> None:
    """Killed at that point and called again, it writes what an uninterrupted call does, and answers no row twice."""
    source, to = tmp_path / f"in.{kind}", tmp_path / f"out.{kind}"
    shipped.frame.to_parquet(source) if kind == "parquet" else shipped.frame.to_csv(source, index=False)
    (tmp_path / "plain").mkdir()
    score(shipped.predictor, source, tmp_path / "plain" / to.name, version="1")
    to.write_bytes(b"of yesterday")

    killed(shipped, source, to, event, at)
    assert to.read_bytes() == b"of yesterday"
    kept = sum(rows_in(path) for path in (tmp_path / f"{to.name}.partial").rglob("*.arrow"))
    predictor = Counting(shipped)
    done = score(predictor, source, to, version="1")  # type: ignore[arg-type]
    assert to.read_bytes() == (tmp_path / "plain" / to.name).read_bytes()
    assert done.rows == len(shipped.frame)
    if event == "publishing":
        assert (predictor.rows, done.reused) == (0, 1)
    elif kind == "parquet":
        assert predictor.rows == done.rows - kept, "a row that was kept was answered again"
    assert not (tmp_path / f"{to.name}.partial").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix thing")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(("event", "at"), [("writing", 2), ("writing", 5), ("finishing", 3), ("publishing", 1)])
def test_killed_folder_is_gone_on_with(numbers: Shipped, tmp_path: Path, kind: str, event: str, at: int) -> None:
    source, to = in_files(numbers, tmp_path / "in", kind), tmp_path / "out"
    score(numbers.predictor, source, tmp_path / "plain" / "out", version="1")

    killed(numbers, source, to, event, at)
    assert not to.exists()
    finished = sum(1 for _ in (tmp_path / "out.partial").glob("*.json"))
    predictor = Counting(numbers)
    done = score(predictor, source, to, version="1")  # type: ignore[arg-type]
    assert content(to) == content(tmp_path / "plain" / "out")
    assert (done.files, done.rows, done.reused) == (3, 450, finished)
    assert finished == {"writing": int(at > 3 and kind == "parquet"), "finishing": 2, "publishing": 3}[event]
    assert predictor.rows < 450
    assert not (tmp_path / "out.partial").exists()


def test_folder_keeps_names_and_formats(shipped: Shipped, tmp_path: Path) -> None:
    source = in_files(shipped, tmp_path / "in", "parquet")
    done = score(shipped.predictor, source, tmp_path / "out", version="1")
    rows = min(450, len(shipped.frame))
    assert (done.files, done.rows, done.reused) == (3, rows, 0)
    assert list(content(tmp_path / "out")) == ["out/a.parquet", "out/b.parquet", "out/deeper/c.parquet"]
    found = pd.concat([pd.read_parquet(tmp_path / name) for name in content(tmp_path / "out")])
    assert found["prediction"].tolist() == shipped.answers(shipped.frame[:rows]).labels.tolist()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix thing")
@pytest.mark.parametrize("changed", ["version", "model", "input"])
def test_answers_of_another_model_or_input_are_not_used(numbers: Shipped, tmp_path: Path, changed: str) -> None:
    source, to = tmp_path / "in.parquet", tmp_path / "out.parquet"
    numbers.frame.to_parquet(source)
    killed(numbers, source, to, "writing", 4)
    if changed == "input":
        numbers.frame[::-1].to_parquet(source)
    predictor = Counting(numbers)
    version, model = ("2" if changed == "version" else "1"), ("other" if changed == "model" else "")
    score(predictor, source, to, version=version, model=model)  # type: ignore[arg-type]
    assert predictor.rows == len(numbers.frame)
    found = pd.read_parquet(to)
    assert set(found["model_version"]) == {version}
    assert found["prediction"].tolist() == numbers.answers(pd.read_parquet(source)).labels.tolist()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix thing")
def test_damaged_piece_is_answered_again(numbers: Shipped, tmp_path: Path) -> None:
    source, to = tmp_path / "in.parquet", tmp_path / "out.parquet"
    numbers.frame.to_parquet(source)
    killed(numbers, source, to, "writing", 6)
    first, second, third, *_ = sorted((tmp_path / "out.parquet.partial").rglob("*.arrow"))
    first.write_bytes(b"")
    second.write_bytes(second.read_bytes()[:-100])
    third.write_bytes(b"\0" * third.stat().st_size)
    score(numbers.predictor, source, to, version="1")
    assert pd.read_parquet(to)["prediction"].tolist() == numbers.answers().labels.tolist()


def test_wrong_row_in_a_folder_keeps_the_files_before_it(numbers: Shipped, tmp_path: Path) -> None:
    source, to = in_files(numbers, tmp_path / "in", "csv"), tmp_path / "out"
    right = (source / "b.csv").read_text()
    (source / "b.csv").write_text(right.replace(right.splitlines()[5].split(",")[0], "seven", 1))
    with pytest.raises(CannotPredict, match=r"b\.csv, line 6: Column 'mean radius': 'seven' is not a number"):
        score(numbers.predictor, source, to, version="1")
    assert not to.exists()
    (source / "b.csv").write_text(right)
    done = score(numbers.predictor, source, to, version="1")
    assert (done.files, done.reused, done.rows) == (3, 1, 450)
    assert not (tmp_path / "out.partial").exists()


def test_input_that_is_gone_meanwhile_is_gone_from_the_output(numbers: Shipped, tmp_path: Path) -> None:
    source, to = in_files(numbers, tmp_path / "in", "csv"), tmp_path / "out"
    (source / "deeper" / "c.csv").write_text("a\n1\n")
    with pytest.raises(CannotPredict, match="is missing"):
        score(numbers.predictor, source, to, version="1")
    (source / "a.csv").unlink()
    (source / "deeper" / "c.csv").unlink()
    assert score(numbers.predictor, source, to, version="1").files == 1
    assert list(content(to)) == ["out/b.csv"]


def test_output_that_two_write_is_refused(numbers: Shipped, tmp_path: Path) -> None:
    source, to = tmp_path / "in.parquet", tmp_path / "out.parquet"
    numbers.frame.to_parquet(source)
    refused: list[str] = []

    def watch(_: object) -> None:
        if not refused:
            with pytest.raises(BadData) as caught:
                score(numbers.predictor, source, to, version="1")
            refused.append(caught.value.what)

    score(numbers.predictor, source, to, version="1", watch=watch)
    assert refused == [f"Another trilho score is writing {to}."]
    assert pd.read_parquet(to)["prediction"].tolist() == numbers.answers().labels.tolist()


def test_folders_that_would_lose_something_are_refused(numbers: Shipped, tmp_path: Path) -> None:
    source = in_files(numbers, tmp_path / "in", "csv")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for to, why in (("full", "not empty"), ("in/out", "which is read"), ("out.csv", "names a file")):
        with pytest.raises(BadData, match=why):
            score(numbers.predictor, source, tmp_path / to, version="1")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(BadData, match="is a folder"):
        score(numbers.predictor, source / "a.csv", tmp_path / "folder.csv", version="1")
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
    assert not list(tmp_path.glob("*.partial"))
