"""The journal of a real server, by the real command line: kept by its parent, labelled, shown, forgotten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from command_line import environment, trilho, trilho_json, write_project
from conftest import free_port, stop, wait_for
from shipped import Shipped, all_numbers
from small_disk import change_disk, small_disk
from trilho import journal

BYTES = "trilho_journal_bytes "


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return all_numbers(tmp_path_factory.mktemp("shipped"))


def project(folder: Path, **settings: Any) -> Path:
    return write_project(folder, "kept", {"journal": settings} if settings else {})


@contextmanager
def serving(folder: Path, shipped: Shipped) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and the parent process of `trilho serve` on a bundle, without a registry."""
    port = free_port()
    command = [sys.executable, "-m", "trilho.cli", "serve", "--model", str(shipped.path), "--port", str(port)]
    log = folder / "serve.log"
    with log.open("ab") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, env=environment())
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health", process, log)
        yield address, process
    finally:
        stop(process)


def post(address: str, path: str, body: Any) -> Any:
    asked = urllib.request.Request(
        address + path, json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.loads(answer.read())


def until(true: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def rows(shipped: Shipped, count: int) -> dict[str, Any]:
    return {"dataframe_split": shipped.frame[:count].to_dict("split")}


def ids(folder: Path) -> list[str]:
    found = journal.read(folder / ".trilho" / "journal", since=0, until=time.time() + 60, columns=())
    return [str(name) for part in found for name in part.ids]


def test_server_keeps_its_journal_and_forgets_while_it_answers(tmp_path: Path, shipped: Shipped) -> None:
    folder = project(tmp_path / "project", columns=["-mean radius", "-worst*"])
    parquet = folder / ".trilho" / "journal" / "predictions"
    with serving(folder, shipped) as (address, process):
        post(address, "/invocations", rows(shipped, 3))
        until(lambda: len(ids(folder)) == 3)
        [worker] = psutil.Process(process.pid).children()
        worker.kill()
        until(lambda: list(parquet.glob("*.parquet")))
        assert len(ids(folder)) == 3, "what a killed worker had written is there, once"

        until(lambda: _answers(address, shipped))
        until(lambda: len(ids(folder)) == 5)
        [first, *_] = ids(folder)
        assert post(address, "/feedback", [{"id": first, "label": 1}, {"id": "stranger-0", "label": 0}]) == {
            "accepted": 2
        }
        figures = trilho_json(folder, "journal")
        assert (figures["rows"], figures["labels"], figures["unmatched"]) == (5, 2, 1)
        assert figures["versions"][0]["rows"] == 5

        assert trilho_json(folder, "journal", "forget", first) == {"forgotten": 1}
        assert first not in ids(folder)
        until(lambda: trilho_json(folder, "journal")["forgetting"] == 0)
        with urllib.request.urlopen(f"{address}/metrics", timeout=60) as answer:
            [size] = [line.split()[1] for line in answer.read().decode().splitlines() if line.startswith(BYTES)]
        assert float(size) > 1000
        [part, *_] = journal.read(folder / ".trilho" / "journal", since=0, until=time.time() + 60)
        kept = [name for name in shipped.schema.names if name != "mean radius" and not name.startswith("worst")]
        assert list(part.columns) == kept
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=300)
    said = trilho(folder, "journal").stdout
    assert "Rows       4, " in said
    assert "Labels     1, 1 for predictions that are not in it" in said


def _answers(address: str, shipped: Shipped) -> bool:
    """Two rows, once the dead worker has a successor."""
    try:
        return len(post(address, "/invocations", rows(shipped, 2))["predictions"]) == 2
    except OSError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix thing")
def test_journal_of_a_server_that_was_killed_is_whole_and_tidied_by_hand(tmp_path: Path, shipped: Shipped) -> None:
    folder = project(tmp_path / "project")
    with serving(folder, shipped) as (address, process):
        post(address, "/invocations", rows(shipped, 4))
        until(lambda: len(ids(folder)) == 4)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=300)
    until(lambda: trilho_json(folder, "journal", "tidy")["closed"] == 1, seconds=60)
    assert len(ids(folder)) == 4
    labels = folder / "labels.csv"
    known = ids(folder)
    labels.write_text(f"id,label\n{known[0]},1\n{known[1]},0\n{known[2]},\n", encoding="utf-8")
    assert trilho_json(folder, "feedback", "labels.csv", "--model", str(shipped.path)) == {
        "labels": 2,
        "without_label": 1,
    }
    found = list(journal.read_labelled(folder / ".trilho" / "journal", since=0, until=time.time() + 60))
    assert {str(name): value for part in found for name, value in zip(part.rows.ids, part.truth, strict=True)} == {
        known[0]: 1,
        known[1]: 0,
    }
    labels.write_text(f"id,label\n{known[3]},3\n", encoding="utf-8")
    wrong = trilho(folder, "feedback", "labels.csv", "--model", str(shipped.path), code=1)
    assert "Item 0: '3' is no label of the model." in wrong.stderr
    assert trilho_json(folder, "journal", "forget", *known) == {"forgotten": 4}
    assert trilho_json(folder, "journal", "tidy")["forgotten"] == 6
    assert trilho_json(folder, "journal")["rows"] == 0


def test_labels_for_which_the_disk_has_no_room_are_all_taken_or_none(tmp_path: Path, shipped: Shipped) -> None:
    folder = project(tmp_path / "project")
    lines = "".join(f"0f3a-{row},1\n" for row in range(25_000))
    (folder / "labels.csv").write_text(f"id,label\n{lines}", encoding="utf-8")
    words = ("feedback", "labels.csv", "--model", str(shipped.path))
    (folder / ".trilho").mkdir()
    with small_disk(folder / ".trilho" / "journal", "size=800k") as kept:
        said = trilho(folder, *words, code=1)
        assert "None of them was taken." in said.stderr
        assert "No space left" in said.stderr
        assert journal.read_truth(kept).labels == 0, "half of them fit"
        change_disk(kept, "size=8m")
        assert trilho_json(folder, *words) == {"labels": 25_000, "without_label": 0}
        truth = journal.read_truth(kept)
        assert (truth.labels, truth.repeated, truth.damaged) == (25_000, 0, 0)


def test_journal_that_is_empty_says_what_fills_it_and_wrong_words_are_wrong_usage(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    assert "is empty: trilho serve fills it" in trilho(folder, "journal").stdout
    for words in (["forget"], ["remember", "a-0"], ["tidy", "up"]):
        assert "trilho journal forget ID" in trilho(folder, "journal", *words, code=2).stderr
    assert "is not a prediction id" in trilho(folder, "journal", "forget", "", code=1).stderr


def test_columns_to_keep_beside_columns_to_leave_out_are_a_mistake_of_the_project_file(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", columns=["age", "-cpf"])
    assert "journal.columns" in trilho(folder, "journal", code=2).stderr
