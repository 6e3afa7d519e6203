from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from trilho.errors import SpoolDamaged
from trilho.tracking import SpooledRun, discard, is_alive, one_sync, read_header, read_log, start_run, waiting
from trilho.tracking.spool import mark_sent, read_sent


class Clock:
    """Seconds since 1970, as far as the test has come."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run(tmp_path: Path, clock: Clock) -> SpooledRun:
    return start_run(tmp_path, experiment="shop", name="first", tags={"trilho.profile": "local"}, clock=clock)


def test_what_was_recorded_is_on_disk_in_order_with_its_times(run: SpooledRun, clock: Clock) -> None:
    run.params({"max_depth": 6, "criterion": None})
    clock.now += 1
    run.metrics({"f1": 0.5, "nothing": float("nan"), "endless": float("inf")}, step=3)
    clock.now += 1
    run.tags({"città": "São Paulo\nlinha 2"})
    log = read_log(run.folder)
    assert [(record["kind"], record["at"]) for record in log] == [
        ("params", 1_700_000_000_500),
        ("metrics", 1_700_000_001_500),
        ("tags", 1_700_000_002_500),
    ]
    assert log[0]["values"] == {"max_depth": "6", "criterion": "None"}
    assert log[1]["values"]["f1"] == 0.5
    assert str(log[1]["values"]["nothing"]) == "nan"
    assert log[1]["values"]["endless"] == float("inf")
    assert log[1]["step"] == 3
    assert log[2]["values"] == {"città": "São Paulo\nlinha 2"}


def test_header_is_read_back_as_it_was_written(run: SpooledRun) -> None:
    header = read_header(run.folder)
    assert header == run.header
    assert (header.experiment, header.name, header.started) == ("shop", "first", 1_700_000_000_500)
    assert header.tags == {"trilho.profile": "local"}
    assert header.user


def test_two_runs_of_one_moment_are_two(tmp_path: Path, clock: Clock) -> None:
    runs = [start_run(tmp_path, experiment="shop", name="same", tags={}, clock=clock) for _ in range(2)]
    assert runs[0].header.key != runs[1].header.key
    assert set(waiting(tmp_path)) == {runs[0].folder, runs[1].folder}


def test_runs_wait_oldest_first(tmp_path: Path, clock: Clock) -> None:
    folders = []
    for seconds in (50, -30, 7):
        clock.now = 1_700_000_000 + seconds
        folders.append(start_run(tmp_path, experiment="shop", name="a", tags={}, clock=clock).folder)
    assert waiting(tmp_path) == [folders[1], folders[2], folders[0]]


def test_nothing_waits_where_there_is_no_spool(tmp_path: Path) -> None:
    assert waiting(tmp_path / "absent") == []


# A killed process.


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_line_cut_short_is_dropped_and_swallows_no_other(run: SpooledRun, cut: int) -> None:
    run.params({"a": 1})
    run.params({"b": 2})
    log = run.folder / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-cut])
    run.params({"c": 3})
    names = [next(iter(record["values"])) for record in read_log(run.folder)]
    assert names == (["a", "b", "c"] if cut == 1 else ["a", "c"])  # without its line end alone, a record is whole


def test_an_acknowledgement_cut_short_swallows_no_other(run: SpooledRun) -> None:
    mark_sent(run.folder, run_id="r1")
    with (run.folder / "sent.jsonl").open("ab") as file:
        file.write(b'{"file": "figures/ro')
    mark_sent(run.folder, records=4)
    mark_sent(run.folder, file="report.txt")
    assert read_sent(run.folder) == [{"run_id": "r1"}, {"records": 4}, {"file": "report.txt"}]


def test_a_letter_cut_in_half_is_dropped(run: SpooledRun) -> None:
    run.params({"a": 1})
    with (run.folder / "log.jsonl").open("ab") as file:
        file.write('{"kind": "tags", "values": {"ã'.encode()[:-1])
    assert [record["kind"] for record in read_log(run.folder)] == ["params"]


KILLED = """
import pathlib, sys
from trilho.tracking import start_run
run = start_run(pathlib.Path(sys.argv[1]), experiment="shop", name="killed", tags={})
run.params({"a": 1})
print(run.folder, flush=True)
sys.stdin.read()
"""


def test_a_run_is_alive_until_its_process_is_killed_and_keeps_what_it_recorded(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert is_alive(folder)
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait(timeout=300)
    assert not is_alive(folder)
    assert waiting(tmp_path) == [folder]
    assert [record["kind"] for record in read_log(folder)] == ["params"]


def test_a_finished_run_is_not_alive_and_says_how_it_ended(run: SpooledRun) -> None:
    assert is_alive(run.folder)
    run.finish("FAILED")
    assert not is_alive(run.folder)
    assert read_log(run.folder)[-1] == {"kind": "end", "status": "FAILED", "at": 1_700_000_000_500}


def test_every_run_that_can_be_seen_is_whole_and_alive(tmp_path: Path) -> None:
    # A sync in another process takes a waiting run that is not alive for a killed one, sends it and removes it.
    stop, seen = threading.Event(), []

    def look() -> None:
        known: set[Path] = set()
        while not stop.is_set():
            for folder in set(waiting(tmp_path)) - known:
                known.add(folder)
                seen.append((is_alive(folder), read_header(folder).name, (folder / "log.jsonl").exists()))

    watcher = threading.Thread(target=look)
    watcher.start()
    runs = [start_run(tmp_path, experiment="shop", name="a", tags={}) for _ in range(60)]
    stop.set()
    watcher.join()
    assert len(runs) == 60
    assert set(seen) <= {(True, "a", True)}


# Files.


def test_an_artifact_is_kept_as_it_was(run: SpooledRun, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text("first", encoding="utf-8")
    run.artifact("reports/a.txt", file)
    file.unlink()
    assert (run.folder / "artifacts" / "reports" / "a.txt").read_text(encoding="utf-8") == "first"
    assert read_log(run.folder)[-1]["path"] == "reports/a.txt"


def test_an_artifact_recorded_again_takes_the_place_of_the_first(run: SpooledRun, tmp_path: Path) -> None:
    for text in ("first", "second"):
        (tmp_path / text).write_text(text, encoding="utf-8")
        run.artifact("a.txt", tmp_path / text)
    assert (run.folder / "artifacts" / "a.txt").read_text(encoding="utf-8") == "second"
    assert (tmp_path / "first").read_text(encoding="utf-8") == "first"  # not written through a link


def test_an_artifact_is_copied_where_the_disk_has_no_links(
    run: SpooledRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    run.artifact("a.txt", tmp_path / "a.txt")
    assert (run.folder / "artifacts" / "a.txt").read_text(encoding="utf-8") == "text"


def test_a_model_is_kept_whole_before_it_is_recorded(run: SpooledRun, tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "trilho").mkdir(parents=True)
    (model / "MLmodel").write_text("flavors: {}", encoding="utf-8")
    (model / "trilho" / "bundle.tar").write_bytes(b"tar")
    run.model(model, name="model", model_type="sklearn", params={"max_depth": None, "C": 0.5})
    shutil.rmtree(model)
    kept = {path.relative_to(run.folder / "model").as_posix() for path in (run.folder / "model").rglob("*.*")}
    assert kept == {"trilho/bundle.tar"}
    assert (run.folder / "model" / "MLmodel").read_text(encoding="utf-8") == "flavors: {}"
    assert read_log(run.folder)[-1]["params"] == {"max_depth": "None", "C": "0.5"}


def test_a_discarded_run_leaves_nothing(run: SpooledRun, tmp_path: Path) -> None:
    run.params({"a": 1})
    run.finish("FINISHED")
    is_alive(run.folder)
    left = tmp_path / ".gone-of-a-killed-process"
    left.mkdir()
    (left / "run.json").write_text("{}", encoding="utf-8")
    assert waiting(tmp_path) == [run.folder]  # what is half removed waits for nothing
    discard(run.folder)
    assert list(tmp_path.iterdir()) == []
    discard(run.folder)  # by a second sender of the same run
    assert list(tmp_path.iterdir()) == []


def test_syncs_wait_for_each_other(tmp_path: Path) -> None:
    order: list[str] = []
    inside, waiting_too = threading.Event(), threading.Event()

    def second() -> None:
        inside.wait()
        waiting_too.set()
        with one_sync(tmp_path / "spool"):
            order.append("second")

    other = threading.Thread(target=second)
    other.start()
    with one_sync(tmp_path / "spool"):
        inside.set()
        waiting_too.wait()
        other.join(timeout=0.2)  # as much time as it wants to go wrong
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert waiting(tmp_path / "spool") == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"text"', json.dumps({"key": "k", "unknown": 1})])
def test_a_damaged_header_is_named_with_what_to_do(run: SpooledRun, text: str) -> None:
    (run.folder / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(SpoolDamaged) as caught:
        read_header(run.folder)
    assert str(run.folder) in caught.value.what
    assert "run.json" in caught.value.why


def test_a_missing_header_is_damage(tmp_path: Path) -> None:
    with pytest.raises(SpoolDamaged):
        read_header(tmp_path / "absent")
