from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from conftest import free_port
from trilho.errors import ServiceFailed
from trilho.platform import Record, Service, ensure, statuses, stop
from trilho.platform.answering import answers
from trilho.platform.record import read_record, write_record
from trilho.platform.supervise import status

MakeService = Callable[..., Service]

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def processes_with(text: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if any(text in part for part in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(record: Record) -> None:
    assert record.pid is not None
    process = psutil.Process(record.pid)
    process.kill()
    process.wait(timeout=300)


def starter(service: Service, *, before: str = "", after: str = "") -> list[str]:
    """A command that ensures `service` from a process of its own and prints the process id of what runs."""
    code = f"""
from pathlib import Path
from trilho.platform import Service, ensure
{before}
service = Service(name={service.name!r}, state_dir=Path({str(service.state_dir)!r}), command={service.command!r},
                  folder=Path({str(service.folder)!r}), port={service.port})
print(ensure(service).pid, flush=True)
{after}
"""
    return [sys.executable, "-c", code]


def test_service_answers_once_ensure_returns(make_service: MakeService) -> None:
    service = make_service(port=free_port())
    record = ensure(service)
    assert answers(record)
    assert read_record(service.record) == record
    assert record.address == f"http://127.0.0.1:{service.port}"


def test_running_service_is_found_not_started_again(make_service: MakeService) -> None:
    service = make_service(port=free_port())
    said: list[str] = []
    first = ensure(service)
    assert ensure(service, say=said.append) == first
    assert said == []


def test_many_starters_at_once_start_one(make_service: MakeService) -> None:
    service = make_service(port=free_port())
    starters = [subprocess.Popen(starter(service), stdout=subprocess.PIPE, text=True) for _ in range(5)]
    pids = {process.communicate()[0].strip() for process in starters}
    record = read_record(service.record)
    assert record is not None
    assert pids == {str(record.pid)}
    assert len(processes_with(record.id)) == 1
    assert service.log.read_text(encoding="utf-8").count("small service") == 1


def test_stop_leaves_neither_the_service_nor_its_children(make_service: MakeService) -> None:
    service = make_service("--with-child", port=free_port())
    record = ensure(service)
    until(lambda: len(processes_with(record.id)) == 2)
    assert stop(service.state_dir, service.name) == record
    assert processes_with(record.id) == []
    assert not service.record.exists()


@posix
def test_service_that_ignores_the_polite_signal_is_killed(make_service: MakeService) -> None:
    service = make_service("--deaf", port=free_port())
    record = ensure(service)
    stop(service.state_dir, service.name, seconds=0.2)
    assert processes_with(record.id) == []


def test_stopping_what_does_not_run_says_nothing_and_changes_nothing(make_service: MakeService) -> None:
    service = make_service(port=free_port())
    said: list[str] = []
    assert stop(service.state_dir, service.name, say=said.append) is None
    assert said == []
    assert not service.record.parent.exists()


def test_killed_service_is_reported_dead_and_comes_back_at_its_address(make_service: MakeService) -> None:
    wanted = free_port()
    service = make_service(port=wanted)
    with socket.socket() as other:
        other.bind(("127.0.0.1", wanted))
        other.listen()
        first = ensure(service)
    kill(first)
    assert status(service.state_dir, service.name).state == "dead"
    said: list[str] = []
    second = ensure(service, say=said.append)
    assert second.pid != first.pid
    assert second.port == first.port != wanted, "clients of the old one find the new one where it was"
    assert "had died" in said[0]


def test_dead_service_is_forgotten_by_stop(make_service: MakeService) -> None:
    service = make_service(port=free_port())
    kill(ensure(service))
    said: list[str] = []
    assert stop(service.state_dir, service.name, say=said.append) is None
    assert "had died" in said[0]
    assert status(service.state_dir, service.name).state == "stopped"


def test_recycled_process_id_is_neither_taken_for_the_service_nor_ended(make_service: MakeService) -> None:
    service = make_service(port=free_port())
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    try:
        gone = Record(
            name="small", id="gone", pid=innocent.pid, port=service.port, health="/health", started=time.time()
        )
        write_record(service.record, gone)
        assert status(service.state_dir, "small").state == "dead"
        stop(service.state_dir, "small")
        write_record(service.record, gone)
        assert ensure(service).pid != innocent.pid
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_stranger_at_the_recorded_port_is_not_taken_for_the_service(make_service: MakeService) -> None:
    service = make_service(port=free_port())
    stranger = ensure(make_service(project="other", port=free_port()))
    write_record(service.record, replace(stranger, id="gone", pid=None))
    assert status(service.state_dir, "small").state == "dead"
    record = ensure(service)
    assert record.port != stranger.port
    assert answers(stranger)
    assert answers(record)


def test_service_whose_starter_died_before_noting_it_is_found_by_its_id(make_service: MakeService) -> None:
    service = make_service(port=free_port())
    record = ensure(service)
    write_record(service.record, replace(record, pid=None))
    assert status(service.state_dir, "small").pid == record.pid
    stop(service.state_dir, "small")
    assert processes_with(record.id) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "small"}', '{"name":1,"id":2,"pid":"x","port":3}'])
def test_damaged_record_counts_as_none(make_service: MakeService, content: str) -> None:
    service = make_service(port=free_port())
    service.record.parent.mkdir(parents=True)
    service.record.write_text(content, encoding="utf-8")
    assert status(service.state_dir, "small").state == "stopped"
    assert answers(ensure(service))


def test_taken_port_leads_to_another_which_is_said_and_recorded(make_service: MakeService) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        said: list[str] = []
        service = make_service(port=taken)
        record = ensure(service, say=said.append)
        assert record.port != taken
        assert read_record(service.record) == record
        assert f"Port {taken} is taken by" in said[0]
        assert str(record.port) in said[0]


def test_demanded_port_that_is_taken_is_refused_and_its_holder_named(make_service: MakeService) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        service = make_service(port=free_port())
        with pytest.raises(ServiceFailed) as caught:
            ensure(service, port=other.getsockname()[1])
    assert str(other) not in str(caught.value)
    assert f"(pid {os.getpid()})" in caught.value.what
    assert "--port" in caught.value.remedy
    assert not service.record.exists()


def test_port_lost_between_look_and_start_is_tried_elsewhere(
    make_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as rival:
        rival.bind(("127.0.0.1", 0))
        rival.listen()
        lost, free = rival.getsockname()[1], free_port()
        choices = iter([lost, free])
        monkeypatch.setattr("trilho.platform.supervise.choose_port", lambda _: next(choices))
        record = ensure(make_service(port=lost))
    assert record.port == free
    assert answers(record)


def test_two_projects_that_want_one_port_get_a_service_each(make_service: MakeService) -> None:
    port = free_port()
    one, two = make_service(project="one", port=port), make_service(project="two", port=port)
    said: list[str] = []
    first, second = ensure(one), ensure(two, say=said.append)
    assert first.port != second.port
    assert "another trilho service" in said[0]
    stop(two.state_dir, "small")
    assert answers(first)
    assert not answers(second)


def test_service_that_dies_at_start_shows_the_end_of_its_log(make_service: MakeService) -> None:
    service = make_service("--die-saying", "the moon is in the wrong house", port=free_port())
    with pytest.raises(ServiceFailed) as caught:
        ensure(service)
    assert "the moon is in the wrong house" in caught.value.why
    assert str(service.log) in caught.value.why
    assert "trilho logs small" in caught.value.remedy
    assert status(service.state_dir, "small").state == "stopped"


def test_only_the_log_of_this_start_is_shown(make_service: MakeService) -> None:
    port = free_port()
    with pytest.raises(ServiceFailed):
        ensure(make_service("--die-saying", "No space left on device", port=port))
    with pytest.raises(ServiceFailed) as caught:
        ensure(make_service("--die-saying", "something else", port=port))
    assert "No space" not in caught.value.why
    assert "disk" not in caught.value.what


def test_silent_process_is_ended_and_named(make_service: MakeService) -> None:
    service = make_service("--mute", port=free_port())
    with pytest.raises(ServiceFailed) as caught:
        ensure(service, seconds=0.5)
    assert "does not answer" in caught.value.what
    assert not service.record.exists()
    assert processes_with(str(service.record)) == []


@posix
def test_interrupted_start_leaves_nothing_behind(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service("--wait-for", str(tmp_path / "never"), port=free_port())
    with subprocess.Popen(starter(service), stderr=subprocess.PIPE, start_new_session=True) as process:
        until(lambda: service.log.exists() and "small service" in service.log.read_text(encoding="utf-8"))
        process.send_signal(signal.SIGINT)
        _, shown = process.communicate()
    assert b"KeyboardInterrupt" in shown
    assert processes_with(str(service.record)) == []
    assert not service.record.exists()


@posix
def test_second_starter_takes_over_where_the_first_was_killed(make_service: MakeService, tmp_path: Path) -> None:
    go = tmp_path / "go"
    service = make_service("--wait-for", str(go), port=free_port())
    with subprocess.Popen(starter(service), start_new_session=True) as process:
        until(lambda: (record := read_record(service.record)) is not None and record.pid is not None)
        process.kill()
    said: list[str] = []
    found: list[Record] = []
    waiting = threading.Thread(target=lambda: found.append(ensure(service, say=said.append)))
    waiting.start()
    until(lambda: said)
    assert status(service.state_dir, "small").state == "starting"
    go.touch()
    waiting.join()
    assert "does not answer yet" in said[0]
    assert len(processes_with(found[0].id)) == 1


@posix
def test_service_survives_its_starter_and_the_closing_of_its_terminal(make_service: MakeService) -> None:
    import pty

    service = make_service(port=free_port())
    in_terminal = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
    ours, theirs = pty.openpty()
    command = starter(service, before=in_terminal, after="import time; time.sleep(3600)")
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()  # it runs
    os.close(theirs)
    os.close(ours)
    assert process.wait(timeout=300) == -signal.SIGHUP
    process.stdout.close()
    record = read_record(service.record)
    assert record is not None
    assert answers(record)


def test_folder_that_cannot_be_written_to_is_named(make_service: MakeService, tmp_path: Path) -> None:
    service = replace(make_service(port=free_port()), state_dir=tmp_path / "file" / ".trilho")
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(ServiceFailed) as caught:
        ensure(service)
    assert str(service.state_dir) in caught.value.what
    assert caught.value.state == "Nothing was started."


def test_statuses_hold_what_the_project_has_and_what_else_was_started(make_service: MakeService) -> None:
    running, other, missing = (make_service(name=name, port=free_port()) for name in ("running", "other", "missing"))
    record = ensure(running)
    ensure(other)
    found = {status.name: status for status in statuses(running.state_dir, (running, missing))}
    assert [(name, status.state) for name, status in found.items()] == [
        ("running", "running"),
        ("missing", "stopped"),
        ("other", "running"),
    ]
    assert found["running"].pid == record.pid
    assert found["running"].address == record.address
    assert found["running"].since == record.started
    assert found["running"].memory is not None
    assert found["running"].memory > 1_000_000
    assert found["missing"].pid is None


def test_settings_of_other_servers_do_not_reach_a_service(
    make_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_MLFLOW_SERVER_FILE_STORE", "sqlite:///elsewhere.db")
    monkeypatch.setenv("prometheus_multiproc_dir", "/nowhere")
    monkeypatch.setenv("MLFLOW_CRYPTO_KEK_PASSPHRASE", "kept")
    record = ensure(make_service(port=free_port()))
    environment = psutil.Process(record.pid).environ()
    assert "_MLFLOW_SERVER_FILE_STORE" not in environment
    assert "prometheus_multiproc_dir" not in environment
    assert "PYTEST_CURRENT_TEST" not in environment
    assert environment["MLFLOW_CRYPTO_KEK_PASSPHRASE"] == "kept"
