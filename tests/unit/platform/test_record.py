from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.platform.record import read_record, recorded_names, write_record
from trilho.platform.service import Record

RECORD = Record(name="tracking", id="1f", pid=12, port=5000, health="/health", started=1.5)


@pytest.mark.parametrize("pid", [12, None])
def test_what_was_written_is_read(tmp_path: Path, pid: int | None) -> None:
    record = Record(name="tracking", id="1f", pid=pid, port=5000, health="/health", started=1.5)
    write_record(tmp_path / "services" / "tracking.json", record)
    assert read_record(tmp_path / "services" / "tracking.json") == record
    assert record.address == "http://127.0.0.1:5000"


def test_missing_record_is_none(tmp_path: Path) -> None:
    assert read_record(tmp_path / "services" / "tracking.json") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_content_makes_reading_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("record") / "tracking.json"
    path.write_bytes(content)
    assert read_record(path) is None


@given(st.sampled_from(["name", "id", "pid", "port", "health", "started"]), json_values)
def test_no_wrong_field_makes_reading_fail(tmp_path_factory: pytest.TempPathFactory, field: str, value: object) -> None:
    path = tmp_path_factory.mktemp("record") / "tracking.json"
    write_record(path, RECORD)
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), field: value}), encoding="utf-8")
    found = read_record(path)
    assert found is None or isinstance(found.port, int)


def test_reader_never_sees_half_a_record(tmp_path: Path) -> None:
    path = tmp_path / "tracking.json"
    write_record(path, RECORD)
    writing = threading.Event()

    def write() -> None:
        for _ in range(300):
            write_record(path, RECORD)
        writing.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not writing.is_set():
        assert read_record(path) == RECORD
    writer.join()


def test_names_are_those_of_records_alone(tmp_path: Path) -> None:
    assert recorded_names(tmp_path) == []
    write_record(tmp_path / "services" / "tracking.json", RECORD)
    (tmp_path / "services" / "tracking.lock").touch()
    (tmp_path / "services" / "serving.new").touch()
    assert recorded_names(tmp_path) == ["tracking"]
