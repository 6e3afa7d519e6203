from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipped import Shipped
from trilho.errors import JournalUnreadable, JournalUnwritable
from trilho.monitoring import Report, keep, kept, latest
from trilho.monitoring.keeping import FOLDER
from unit.monitoring.windows import journaled, report, reports, trained


@pytest.fixture(scope="module")
def one(numbers: Shipped) -> Report:
    return report(numbers, journaled(numbers, trained(numbers)))


def later(found: Report, seconds: float, **more: object) -> Report:
    from msgspec.structs import replace

    return replace(found, since=found.since + seconds, until=found.until + seconds, **more)


def test_reports_are_kept_and_the_newest_is_the_latest(one: Report, tmp_path: Path) -> None:
    assert latest(tmp_path) is None
    assert list(kept(tmp_path)) == []
    newer = later(one, 3600)
    keep(tmp_path, [one])
    keep(tmp_path, [newer])
    assert latest(tmp_path) == newer
    assert list(kept(tmp_path)) == [one, newer]
    assert list(kept(tmp_path, since=newer.until)) == [newer]


def test_latest_is_the_report_of_the_version_in_charge(numbers: Shipped, tmp_path: Path) -> None:
    frame = trained(numbers)
    both = reports(numbers, journaled(numbers, frame[:50]), journaled(numbers, frame, version="2"), versions=("2", "3"))
    paths = keep(tmp_path, both)
    assert [path.name.rpartition("-")[2] for path in paths] == ["v3.json", "v2.json"]
    found = latest(tmp_path)
    assert found is not None
    assert found.version == "3"


def test_name_of_a_model_leads_nowhere_else(one: Report, tmp_path: Path) -> None:
    [path] = keep(tmp_path, [later(one, 0, model="../../outside\n" + "x" * 300)])
    assert path.parent == tmp_path / FOLDER
    assert len(path.name) < 150


def test_old_reports_are_forgotten_and_the_latest_never(one: Report, tmp_path: Path) -> None:
    [old] = keep(tmp_path, [one])
    past = time.time() - 100 * 86_400
    for path in (tmp_path / FOLDER).iterdir():
        os.utime(path, (past, past))
    keep(tmp_path, [])
    assert not old.exists()
    assert latest(tmp_path) == one


def test_damaged_reports_are_passed_over(one: Report, tmp_path: Path) -> None:
    [path] = keep(tmp_path, [one])
    (path.parent / "20250101T000000Z-cut-v1.json").write_bytes(path.read_bytes()[:100])
    assert list(kept(tmp_path)) == [one]
    (path.parent / "latest.json").write_text("{")
    with pytest.raises(JournalUnreadable):
        latest(tmp_path)


def test_folder_that_cannot_be_written_is_an_error_and_costs_no_old_report(one: Report, tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file in the place of the folder")
    with pytest.raises(JournalUnwritable, match="Make room"):
        keep(tmp_path, [one])


FULL = """
import resource, signal, sys
from pathlib import Path
from trilho.monitoring import Report, keep
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))  # every file is full after as many bytes
report = Report.from_json(Path(sys.argv[2]).read_bytes())
keep(Path(sys.argv[1]), [report])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_full_disk_leaves_the_reports_before_as_they_were(one: Report, tmp_path: Path) -> None:
    keep(tmp_path, [one])
    before = {path: path.read_bytes() for path in (tmp_path / FOLDER).iterdir()}
    newer = tmp_path / "newer.json"
    newer.write_text(later(one, 60).to_json(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(newer)], capture_output=True, text=True, check=False
    )
    assert "JournalUnwritable" in done.stderr, done.stderr
    assert "Reports kept before are as they were." in done.stderr
    assert {path: path.read_bytes() for path in (tmp_path / FOLDER).iterdir()} == before
    assert latest(tmp_path) == one


WRITER = """
import sys
from pathlib import Path
from msgspec.structs import replace
from trilho.monitoring import Report, keep
report = Report.from_json(Path(sys.argv[2]).read_bytes())
place = 0
while True:
    place += 1
    keep(Path(sys.argv[1]), [replace(report, until=report.until + place)])
    if place == 1:
        print("writes", flush=True)
"""


@pytest.mark.parametrize("pause", [0.0, 0.013, 0.031])
def test_writer_killed_at_any_moment_leaves_whole_reports(one: Report, tmp_path: Path, pause: float) -> None:
    source = tmp_path / "source.json"
    source.write_text(one.to_json(), encoding="utf-8")
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(source)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writes\n"
        time.sleep(pause)
        writer.kill()
        writer.wait()
    found = latest(tmp_path)
    assert found is not None
    for path in (tmp_path / FOLDER).glob("[!.]*.json"):
        Report.from_json(path.read_bytes())
    last = later(one, 10**6)
    keep(tmp_path, [last])
    assert latest(tmp_path) == last


def test_what_a_killed_writer_left_is_removed_later(one: Report, tmp_path: Path) -> None:
    keep(tmp_path, [one])
    left = tmp_path / FOLDER / ".20260101T000000Z-a-v1.json.0a1b2c3d.partial"
    left.write_text("half")
    past = time.time() - 7200
    os.utime(left, (past, past))
    keep(tmp_path, [one])
    assert not left.exists()
