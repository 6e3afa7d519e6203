from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from trilho.errors import BundleDamaged, CannotPredict, ServerRefused, TrilhoError
from trilho.serving.charge import Charge
from trilho.serving.orders import retold, told
from trilho.serving.pointer import Pointer, Promotion, Target, Watch, read_pointer, write_pointer
from trilho.serving.state import State, StateFile, read_state


def target(version: int, digest: str = "") -> Target:
    return Target(path=f"/bundles/{version}.tar", name="m", version=str(version), digest=digest or f"{version}" * 64)


def charge(folder: Path) -> Charge:
    return Charge(folder, StateFile(folder, following="models:/m@champion"))


def test_pointer_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    promotion = Promotion(kind="promoted", who="ana", when=5.0, why="bétter")
    pointer = Pointer(number=3, target=msgspec.structs.replace(target(1), promotion=promotion), since=7.0)
    write_pointer(tmp_path, pointer)
    assert read_pointer(tmp_path) == pointer
    assert [path.name for path in tmp_path.iterdir()] == ["pointer.json"], "nothing half-written is left"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"number": "x"}'])
def test_pointer_that_cannot_be_read_is_as_none(tmp_path: Path, content: str) -> None:
    assert read_pointer(tmp_path) is None
    (tmp_path / "pointer.json").write_text(content, encoding="utf-8")
    assert read_pointer(tmp_path) is None
    assert Watch(tmp_path).changed() is None


def test_watch_notices_each_replacement_once(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    assert watch.changed() is None
    for number in (1, 2):
        pointer = Pointer(number=number, target=target(number), since=0.0)
        write_pointer(tmp_path, pointer)
        assert watch.changed() == pointer
        assert watch.changed() is None


def test_reader_never_sees_half_a_pointer(tmp_path: Path) -> None:
    over = threading.Event()
    seen: list[Pointer | None] = []
    write_pointer(tmp_path, Pointer(number=0, target=None, since=0.0))

    def read() -> None:
        while not over.is_set():
            seen.append(read_pointer(tmp_path))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 300):
        write_pointer(tmp_path, Pointer(number=number, target=target(number), since=0.0))
    over.set()
    reader.join()
    assert None not in seen
    numbers = [pointer.number for pointer in seen if pointer is not None]
    assert numbers == sorted(numbers)


def test_charge_remembers_who_was_before_and_counts_reloads(tmp_path: Path) -> None:
    found = charge(tmp_path)
    assert found.point(target(1))
    assert found.pointer.previous is None
    found.point(target(2))
    found.point(target(2))  # a second time, for workers to look again
    pointer = read_pointer(tmp_path)
    assert pointer == found.pointer
    assert pointer is not None
    assert (pointer.number, pointer.target, pointer.previous) == (3, target(2), target(1))
    state = read_state(tmp_path)
    assert (state.name, state.version, state.reloads) == ("m", "2", 1)


def test_last_known_version_never_takes_the_place_of_a_newer_one(tmp_path: Path) -> None:
    found = charge(tmp_path)
    assert found.point(target(2))
    assert not found.point(target(1), first=True)
    assert found.pointer.target == target(2)


def test_pointing_to_nothing_keeps_the_way_back(tmp_path: Path) -> None:
    found = charge(tmp_path)
    found.point(target(1))
    found.point(None)
    assert (found.pointer.target, found.pointer.previous) == (None, target(1))
    assert read_state(tmp_path).version == ""


def test_state_that_nobody_wrote_is_an_empty_one(tmp_path: Path) -> None:
    assert read_state(tmp_path) == State()
    (tmp_path / "state.json").write_text("{", encoding="utf-8")
    assert read_state(tmp_path) == State()


def test_state_changes_are_seen_at_once_and_only_changes_are_written(tmp_path: Path) -> None:
    file = StateFile(tmp_path, following="a/path")
    before = (tmp_path / "state.json").stat().st_ino
    file.change(following="a/path")
    assert (tmp_path / "state.json").stat().st_ino == before
    file.change(workers=2)
    assert read_state(tmp_path) == State(following="a/path", workers=2)


@pytest.mark.parametrize(
    "error",
    [
        BundleDamaged("It is damaged.", state="Not opened.", why="Cut.", remedy="Fetch it."),
        CannotPredict("No.", remedy="Send a number.", column="age", row=3),
        ServerRefused("No.", remedy="Wait.", status=503, error_code="BUSY"),
    ],
)
def test_error_crosses_between_processes_whole(error: TrilhoError) -> None:
    found = retold(msgspec.json.decode(msgspec.json.encode(told(error))))
    assert (type(found), vars(found)) == (type(error), vars(error))


@pytest.mark.parametrize(
    "parts", [{}, {"kind": "NoSuchError", "what": "x"}, {"kind": "BadData", "what": "x", "more": 1}]
)
def test_words_that_are_no_error_still_become_one(parts: dict[str, object]) -> None:
    assert isinstance(retold(parts), TrilhoError)
