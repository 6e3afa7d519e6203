from __future__ import annotations

import time
from pathlib import Path

import pytest

from conftest import free_port
from trilho.platform.answering import id_at
from trilho.platform.heartbeat import Heartbeat, answering
from trilho.platform.record import write_record
from trilho.platform.service import Record


def written(path: Path, service_id: str) -> Path:
    record = Record(name="monitor", id=service_id, pid=1, port=8010, health="/health", started=1.0)
    write_record(path, record)
    return path


def test_service_answers_with_its_id_until_it_ends() -> None:
    port = free_port()
    with answering(port, "0a1b"):
        assert id_at(port, "/health") == "0a1b"
    assert id_at(port, "/health", seconds=0.5) is None


def test_taken_port_is_an_error_at_once() -> None:
    port = free_port()
    with answering(port, "one"), pytest.raises(OSError, match="in use"), answering(port, "other"):
        pass


def test_service_is_wanted_while_its_record_names_it(tmp_path: Path) -> None:
    record = written(tmp_path / "monitor.json", "0a1b")
    heartbeat = Heartbeat(record, "0a1b")
    assert heartbeat.wait(0.01)
    written(record, "another")
    assert heartbeat.wanted(), "one look may have come between two writes"
    begun = time.monotonic()
    assert not heartbeat.wait(600)
    assert time.monotonic() - begun < 300, "without waiting to the end"


def test_service_that_a_person_started_is_wanted_as_long_as_it_runs() -> None:
    assert Heartbeat(None, "").wait(0.01)
